"""Reports: models rendered as plain text."""
