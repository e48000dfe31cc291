"""The chain, seen from Python: providers, deployments, contracts, events, reverts, sending."""
