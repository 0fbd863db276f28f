"""Read files of clusters, size them, and write them with the answers."""
