"""The commands that look after a running cluster."""
