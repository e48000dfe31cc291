"""Policies as data: the ready-made kinds, their arguments, what a reader shows to them, and new ones to begin with."""
