"""Files of clusters in, files with answers out."""
