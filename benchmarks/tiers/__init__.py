"""Does a cluster carry the guide's tiers, and what does that take? Run with `python -m benchmarks.tiers`."""
