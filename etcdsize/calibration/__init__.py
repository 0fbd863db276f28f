"""Measure etcd on this machine: members of our own, the load on them, and the model that a short form of it gives."""
