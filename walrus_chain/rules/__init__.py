"""Rules that the contracts keep, mirrored in pure Python: committee, shares, prices."""
