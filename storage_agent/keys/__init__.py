"""The node's secrets."""
