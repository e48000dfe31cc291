"""Proves to the chain that the node holds what it should."""
