"""Size and audit Arrow record batches."""
