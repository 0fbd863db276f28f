"""Size one cluster."""
