"""The answer for one cluster."""
