"""The `walrus` command: parse, call the client, render. No rules of the network live here.

main     the command, its errors and exit codes      output    text for people, JSON for programs
blobs    store, read, status, list, ...               options   options that several commands share
network  health, network, contracts                   session   the client that a command works with
info     info, info committee, epoch, price           progress  bars on stderr
policy   policy                                        render_policy
stake    stake                                        render, render_economy    results in words and as data
wallet   wallet
"""
