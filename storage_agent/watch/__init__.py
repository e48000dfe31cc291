"""Following the chain."""
