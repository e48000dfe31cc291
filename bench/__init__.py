"""Side-by-side benchmarks, one command each: `python -m bench.codec`. They print ratios; above 1.0 is ahead."""
