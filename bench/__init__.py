"""Side-by-side benchmarks: `python -m bench` runs all, `python -m bench.codec` one. Ratios above 1.0 are ahead."""
