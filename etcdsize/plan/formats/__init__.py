"""A plan written down: one module for each format."""
