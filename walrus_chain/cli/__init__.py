"""The `walrus` command: parse, call the client, render. No rules of the network live here.

main     the command, its errors and exit codes      output    text for people, JSON for programs
blobs    store, read, status, list, ...               options   options that several commands share
network  info, health, network, contracts             session   the client that a command works with
wallet   wallet                                       progress  bars on stderr
"""
