"""Data frames in, data frames with answers out."""
