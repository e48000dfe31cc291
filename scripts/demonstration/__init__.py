"""The chapters of `make demo`."""
