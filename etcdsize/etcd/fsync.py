"""How quickly a disk has to complete what etcd writes, and how to measure it."""

__all__ = ["FIO", "FIO_OF_A_SERVER", "WAL_FSYNC_P99_MS"]

WAL_FSYNC_P99_MS = 10
"""What the 99th percentile of an fsync should stay below, for any load: etcd-io/website content/en/docs/v3.5/faq.md.
[ms]"""
_LOG = "--rw=write --ioengine=sync --fdatasync=1 --size=22m --bs=2300"
FIO = f"fio --name=etcd --directory=DIR {_LOG}"
"""Writes as etcd's log does, each followed by fdatasync; DIR is on the disk of etcd's data (sizes: our choice)."""
_AT_ONCE = "--ioengine=libaio --direct=1 --size=1g --time_based --runtime=20"
FIO_OF_A_SERVER = (
    "fio --output-format=json --output=fio.json",
    "--name=global --directory=DIR --unlink=1",
    f"--name=log {_LOG}",
    "--name=random --stonewall --rw=randwrite --bs=4k --iodepth=32",
    _AT_ONCE,
    "--name=stream --stonewall --rw=write --bs=1m --iodepth=8",
    _AT_ONCE,
)
"""The same, then random writes with many at once, and large writes; in parts of a line each (times: our choice)."""
