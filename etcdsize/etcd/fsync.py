"""How quickly a disk has to complete what etcd writes: etcd's own figure."""

__all__ = ["WAL_FSYNC_P99_MS"]

WAL_FSYNC_P99_MS = 10
"""What the 99th percentile of an fsync should stay below, for any load: etcd-io/website content/en/docs/v3.5/faq.md.
[ms]"""
