"""What a disk of one's own sustains, read from the JSON of fio.

The command `FIO_OF_A_SERVER` runs three jobs one after the other: writes as etcd's log does, each followed by
fdatasync; random writes, many at once; and large writes. `read_fio` tells them apart by what they did, not by their
names.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple, NoReturn

from pydantic import Field

from etcdsize.base.json_text import documents
from etcdsize.base.model import Answer, Positive
from etcdsize.base.text import decoded, shown
from etcdsize.errors import TableError

__all__ = ["MeasuredDisk", "read_fio"]

_RUN_OURS = "run the command that etcdsize catalog from-fio --help prints"
# The 99th percentile of fewer is made of less than ten of them (our choice).
_FEWEST_FSYNCS = 1000
# Larger writes measure bandwidth, and smaller ones operations (our choice).
_MOST_BYTES_OF_AN_OPERATION = 16 * 1024
_FEWEST_BYTES_OF_A_STREAM = 128 * 1024
_SIZE = re.compile(r"([0-9]{1,12}) ?([kmg]?)i?b?", re.IGNORECASE)
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


class MeasuredDisk(Answer):
    """What a disk sustains, as fio measured it."""

    concurrent_iops: Annotated[
        Positive | None,
        Field(description="Random writes that it completes with many at once. [1/s] None: not measured."),
    ] = None
    disk_mb_per_second: Annotated[
        Positive | None, Field(description="Bandwidth of large writes. [MB/s] None: not measured.")
    ] = None
    sequential_iops: Annotated[
        Positive | None,
        Field(
            description="Writes that it completes one after the other, each with its fsync. [1/s] None: not measured."
        ),
    ] = None
    fsync_p99_ms: Annotated[
        Positive | None, Field(description="The 99th percentile of these fsyncs. [ms] None: not measured.")
    ] = None
    fio: Annotated[str, Field(description="The version of fio.")] = ""


def read_fio(source: object) -> MeasuredDisk:
    """Return what a disk sustains, from the JSON of fio.

    Parameters
    ----------
    source : str, bytes or parsed JSON
        What `fio --output-format=json` prints. Lines of text before the JSON, such as warnings, are left out.

    Raises
    ------
    TableError
        For anything else: other output of fio, a job that failed or that measures something else, two jobs that
        measure the same, and fsyncs without their 99th percentile.

    Examples
    --------
    >>> sync = {"lat_ns": {"percentile": {"99.000000": 1_500_000}}}
    >>> log = {"jobname": "log", "error": 0, "write": {"iops": 900.4, "total_ios": 10_029}, "sync": sync}
    >>> log["job options"] = {"rw": "write", "fdatasync": "1", "bs": "2300"}
    >>> found = read_fio({"fio version": "fio-3.33", "jobs": [log]})
    >>> found.sequential_iops, found.fsync_p99_ms
    (900, 1.5)
    """
    document = _document(source)
    jobs = document.get("jobs") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(jobs, list) or not jobs:
        raise TableError(f"got JSON without jobs, expected what fio --output-format=json prints; {_RUN_OURS}")
    options = document.get("global options")
    found: dict[str, float] = {}
    by: dict[str, str] = {}
    for row, fields in enumerate(jobs, 1):
        job = _job(fields, row, options if isinstance(options, dict) else {})
        for name, figure in _figures(job).items():
            if name in found:
                job.reject(
                    f"measures {name}, which the job {by[name]} does too; expected one job for each figure, and "
                    "--group_reporting if both are one job with numjobs"
                )
            found[name], by[name] = figure, shown(job.name)
    version = document.get("fio version")
    return MeasuredDisk(**found, fio=version if isinstance(version, str) else "")


class _Job(NamedTuple):
    """One job of a run: what it was asked to do, and what came of it."""

    name: str
    row: int
    options: Mapping[str, Any]
    fields: Mapping[str, Any]

    def reject(self, reason: str) -> NoReturn:
        raise TableError(f"job {self.row} ({shown(self.name)}): {reason}", row=self.row)

    def whole(self, *names: str, default: int) -> int:
        """Return the whole number of the first of these options that is set."""
        for name in names:
            text = self.options.get(name)
            if text is not None:
                match = _SIZE.fullmatch(str(text))
                if match is None:
                    self.reject(f"{name}: got {shown(text)}, expected a number such as 4k; {_RUN_OURS}")
                return int(match[1]) * _UNITS[match[2].lower()]
        return default

    def part(self, *path: str) -> Any:
        """Return what is at a path in what came of it, None for nothing."""
        value: Any = self.fields
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        return value

    def figure(self, *path: str) -> float:
        """Return the number above 0 at a path in what came of it."""
        value = self.part(*path)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < math.inf:
            got = "missing" if value is None else f"got {shown(value)}"
            self.reject(f"{'.'.join(path)}: {got}, expected a number above 0; run fio again")
        return float(value)


def _document(source: object) -> Any:
    """Return the one JSON document of a run, without the lines of text before it."""
    if isinstance(source, (bytes, bytearray)):
        try:
            source = decoded(bytes(source))
        except UnicodeDecodeError as error:
            raise TableError(f"not text: byte {error.start} is not {error.encoding}") from None
    if not isinstance(source, str):
        return source
    source = source.removeprefix("\ufeff")
    start = re.search(r"^\s*\{", source, re.MULTILINE)
    if start is None:
        raise TableError(
            f"got no JSON, expected what fio prints with --output-format=json; run fio with that option, or {_RUN_OURS}"
        )
    found = documents(source[start.start() :])
    if len(found) != 1:
        raise TableError(
            f"got {len(found)} results, expected one; leave out --status-interval, and keep the results of several "
            "runs in a file each"
        )
    return found[0]


def _job(fields: object, row: int, options: Mapping[str, Any]) -> _Job:
    if not isinstance(fields, dict):
        raise TableError(f"job {row}: got {shown(json.dumps(fields))}, expected an object", row=row)
    own = fields.get("job options")
    name = fields.get("jobname")
    job = _Job(
        name if isinstance(name, str) else "", row, {**options, **(own if isinstance(own, dict) else {})}, fields
    )
    if fields.get("error") not in (0, None):
        job.reject(f"failed with the error {shown(fields['error'])} of fio, so its figures say nothing; run it again")
    return job


def _figures(job: _Job) -> dict[str, float]:
    """Return what a job measures."""
    if job.whole("fdatasync", "fsync", default=0):
        return _log(job)
    access = str(job.options.get("rw", job.options.get("readwrite", "read")))
    size, at_once = job.whole("bs", "blocksize", default=4096), job.whole("iodepth", default=1)
    at_once *= job.whole("numjobs", default=1)
    is_operations = access == "randwrite" and size <= _MOST_BYTES_OF_AN_OPERATION and at_once > 1
    is_stream = access == "write" and size >= _FEWEST_BYTES_OF_A_STREAM
    if not (is_operations or is_stream):
        job.reject(
            f"got rw={shown(access)}, bs={size} and {at_once} at once, expected writes with fdatasync=1, small random "
            f"writes with an iodepth above 1, or large writes; {_RUN_OURS}"
        )
    if not job.whole("direct", default=0):
        job.reject("got no direct=1, so it measures the memory of the machine and not its disk; add --direct=1")
    if is_operations:
        return {"concurrent_iops": math.floor(job.figure("write", "iops"))}
    return {"disk_mb_per_second": math.floor(job.figure("write", "bw_bytes") / 1e5) / 10}


def _log(job: _Job) -> dict[str, float]:
    """Return what writes with an fsync each say of a disk."""
    every = job.whole("fdatasync", "fsync", default=0)
    if every != 1:
        job.reject(f"got an fsync after every {every} writes, expected one after each, as etcd's log has; {_RUN_OURS}")
    count = job.figure("write", "total_ios")
    if count < _FEWEST_FSYNCS:
        job.reject(
            f"got {count:g} writes, expected {_FEWEST_FSYNCS} or more for a 99th percentile; raise --size, such as 22m"
        )
    if job.part("sync", "lat_ns", "percentile", "99.000000") is None:
        job.reject(
            "got no 99th percentile of its fsyncs (sync.lat_ns.percentile); leave out --percentile_list and "
            "--disable_lat, and run a newer fio, such as 3.33"
        )
    p99 = job.figure("sync", "lat_ns", "percentile", "99.000000") / 1e6
    return {"sequential_iops": math.floor(job.figure("write", "iops")), "fsync_p99_ms": math.ceil(p99 * 1000) / 1000}
