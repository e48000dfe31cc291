"""A whole local network in one call: for the CLI, for tests, and for dApp developers."""
