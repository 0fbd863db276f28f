"""Size data frames."""
