"""Talking with others: storage agents (over HTTP, or in memory for tests) and IPFS daemons.

agent   what a storage agent answers, as a protocol        http    the same over HTTP
wire    the bytes of requests and answers, version 1        sockets kept connections under it
                                                            memory  the same inside one process, for tests
                                                            ipfs    an IPFS daemon (the only ipfshttpclient import)
"""
