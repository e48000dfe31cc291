"""Doing what is to be done."""
