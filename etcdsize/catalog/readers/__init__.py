"""The readers of providers' own listings, one module each: its `SHAPE`, and `machine_of` for one entry."""
