"""Storing and reading: what dApp developers and the CLI call.

client     the façade, `Client`                  plan_store  who gets which slivers, who counts: pure
sync       the same without async, `SyncClient`  plan_read   which slivers to ask whom for: pure
store      drives an upload to its certificate   reputation  which agents are quick, which lie: pure
read       drives reads, whole and in ranges     sources     what can be stored: files, bytes, pipes
invalidate has nodes judge a bad blob            ports       what a client needs of a chain and of agents
stake      what an account does with stake       outlook     committee, epoch and prices, seen from outside
results    what the calls return

Private data:
sealing    encrypts, seals keys             keys       gets keys: asks the chain, pays, asks nodes
recipients for whom a key is sealed         release    asks nodes for shares, names those that lie
reader     decrypts what is read            sessions   the wallet signs once, the session the rest
audit      checks the nodes' receipts       uses       which uses were begun, and are not done
keep       what must not be forgotten       purse      channels, and what was promised from them
facades    pools, channels, purchases, credentials, renewals, policies, stake, jobs

Programs that come to the data:
compute    publishes programs, requests and watches jobs, gets results, keeps triggers
"""
