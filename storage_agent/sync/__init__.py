"""Keeping what the node answers for: healing what is missing, scrubbing what is there."""
