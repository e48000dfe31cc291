"""The `walrus-agent` command: parse, call, print."""
