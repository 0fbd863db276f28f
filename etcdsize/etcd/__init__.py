"""What is true of etcd itself: versions, flags, URLs and the quota."""
