"""The readers of providers' own listings: one module each, with its `NAME` and its `read`."""
