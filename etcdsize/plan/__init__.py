"""From a sizing to etcd's settings, and to a plan of a cluster that starts."""
