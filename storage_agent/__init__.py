"""The storage agent: the daemon that keeps a node's slivers, and the `walrus-agent` command."""
