"""Many clusters as arrays."""
