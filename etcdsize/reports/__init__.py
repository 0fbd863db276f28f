"""From models to text that people read."""
