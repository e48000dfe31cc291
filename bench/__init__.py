"""Side-by-side benchmarks: `python -m bench` runs all, `python -m bench.codec` one. They print ratios; above 1.0 is ahead."""
