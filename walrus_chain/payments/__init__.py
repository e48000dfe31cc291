"""Payment for the use of data, as pure rules: vouchers, units of revenue pools, statements."""
