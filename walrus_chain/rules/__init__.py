"""Rules that the contracts keep, mirrored in pure Python: committee, stake, custody, prices, clock."""
