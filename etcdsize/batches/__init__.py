"""Arrow record batches in, columns of answers out."""
