"""The commands for operating a running cluster."""
