"""Facts about etcd itself: its versions, flags, URLs and quota."""
