"""What a load takes of memory, disk and time, measured on real etcd: the experiments behind the resource model."""
