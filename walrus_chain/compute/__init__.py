"""Computation as pure rules: what a program is, what a run is given, how it can end, what agents commit to."""
