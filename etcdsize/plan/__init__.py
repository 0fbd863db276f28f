"""From a sizing to etcd's settings, and to a cluster that starts."""
