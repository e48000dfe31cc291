"""Walrus Chain: data that keeps itself alive and carries its own rules."""

__version__ = "0.1.0"
