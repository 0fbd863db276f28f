"""From running clusters to their workloads."""
