"""What a member needs of a machine and of a disk, and what the guide says that a tier needs."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from etcdsize.base.model import Count, Model, NotNegative, Positive
from etcdsize.base.text import nearest, shown
from etcdsize.catalog.loading import load_catalog
from etcdsize.catalog.machines import Machine
from etcdsize.errors import OptionError
from etcdsize.etcd.fsync import WAL_FSYNC_P99_MS
from etcdsize.etcd.quota import SUGGESTED_QUOTA_BYTES
from etcdsize.tiers import TierTable, load_tiers

__all__ = [
    "FIGURES",
    "MACHINE_FIGURES",
    "DiskNeed",
    "Need",
    "find_guide_need",
    "larger_disk",
    "larger_need",
    "need_for",
    "need_of_tier",
]

FIGURES = ("vcpus", "memory_gib", "concurrent_iops", "disk_mb_per_second")
"""The figures of a need, in the order of the guide's tables."""
MACHINE_FIGURES = (*FIGURES, "sequential_iops", "fsync_p99_ms")
"""The figures in which a machine can fall short: a need's, and what is measured on a disk of one's own."""


class DiskNeed(Model):
    """The size of a member's disk. The operating system is on another disk."""

    size_gib: Annotated[int, Field(ge=1, description="The size, in whole GiB. [GiB]")]
    quota_bytes: Annotated[
        int,
        Field(
            ge=1,
            description="The quota of the load, or of a tier's largest load if there is none. [bytes]",
        ),
    ]
    because: Annotated[str, Field(description="The arithmetic in one line.")]


class Need(Model):
    """What each member of a cluster needs."""

    tier: Annotated[str, Field(description="The tier.")]
    vcpus: Annotated[Count, Field(description="[count]")]
    memory_gib: Annotated[Positive, Field(description="[GiB]")]
    concurrent_iops: Annotated[Positive, Field(description="Concurrent disk operations, sustained. [1/s]")]
    disk_mb_per_second: Annotated[Positive, Field(description="Disk bandwidth, sustained. [MB/s]")]
    fsync_p99_ms: Annotated[
        Positive,
        Field(description="The longest that the 99th percentile of an fsync may be. [ms]"),
    ] = WAL_FSYNC_P99_MS
    data_bytes: Annotated[NotNegative, Field(description="The data that the disk must hold. [bytes]")]
    disk: Annotated[
        DiskNeed | None,
        Field(description="The size of the disk. None: what the measured model says of the data."),
    ] = None
    because: dict[str, str] = Field(
        description="Why the load takes this much, by figure, where the load decides it.", default_factory=dict
    )
    source: Annotated[str, Field(description="Where the figures come from.")] = ""


def need_for(tier: str, *, tiers: str | Path | TierTable = "guide") -> Need:
    """Return what a member of a tier needs, whatever the provider.

    It is the least that the guide itself calls enough: its GCE row, which exceeds its AWS row in no figure.

    Parameters
    ----------
    tier : str
        The tier's name.
    tiers : str, Path or TierTable
        The table that says how much data the tier is for. The open tier is for 8 GiB, the most that etcd suggests.

    Raises
    ------
    OptionError
        For a tier that is not in the table or in the guide.

    Examples
    --------
    >>> need = need_for("medium")
    >>> need.vcpus, need.memory_gib, need.concurrent_iops, need.disk_mb_per_second
    (4, 15, 4500, 75)
    """
    table = tiers if isinstance(tiers, TierTable) else load_tiers(tiers)
    found = next((known for known in table.tiers if isinstance(tier, str) and known.name == tier), None)
    if found is None:
        raise _no_tier(tier, f"the table {shown(table.name)} has", table.names)
    return need_of_tier(tier, SUGGESTED_QUOTA_BYTES if found.data_bytes is None else found.data_bytes.limit)


def need_of_tier(tier: str, data_bytes: float) -> Need:
    """Return what a member of one of the guide's tiers needs, with room for this much data. [bytes]"""
    found = find_guide_need(tier, data_bytes)
    if found is None:
        raise _no_tier(tier, "the guide has a machine for", tuple(_guide_rows()))
    return found


def find_guide_need(tier: str, data_bytes: float) -> Need | None:
    """Return what a member of a tier needs, None where the guide has no machine for the tier."""
    row = _guide_rows().get(tier)
    if row is None:
        return None
    figures = {name: getattr(row, name) for name in FIGURES}
    return Need(tier=tier, data_bytes=data_bytes, source=row.source, **figures)


@functools.cache
def _guide_rows() -> dict[str, Machine]:
    return {row.tier: row for row in load_catalog("guide").machines if row.provider == "gce" and row.tier}


def larger_need(guide: Need, load: Need, *, writes_known: bool = False) -> Need:
    """Return the larger of two needs in every figure, with the load's reasons where the load needs more.

    With the writes known, the IOPS are the load's even where the guide has more: its IOPS are for a load of which the
    writes are unknown.
    """
    more = [
        name
        for name in FIGURES
        if getattr(load, name) > getattr(guide, name) or (writes_known and name == "concurrent_iops")
    ]
    sources = [guide.source] * (len(more) < len(FIGURES)) + [load.source] * bool(more)
    return guide.model_copy(
        update={
            **{name: getattr(load, name) for name in more},
            "fsync_p99_ms": min(guide.fsync_p99_ms, load.fsync_p99_ms),
            "data_bytes": max(guide.data_bytes, load.data_bytes),
            "disk": larger_disk(guide, load),
            "because": {name: load.because[name] for name in more if name in load.because},
            "source": "; ".join(sources),
        }
    )


def larger_disk(guide: Need, load: Need) -> DiskNeed | None:
    """Return the larger of the disks of two needs. The quota is the load's: the tier's disk has room for more."""
    if guide.disk is None or load.disk is None:
        return guide.disk or load.disk
    if guide.disk.size_gib <= load.disk.size_gib:
        return load.disk
    because = f"{load.disk.because}; {guide.disk.size_gib} GiB have room for the largest load of {guide.tier}"
    return load.disk.model_copy(update={"size_gib": guide.disk.size_gib, "because": because})


def _no_tier(tier: object, expected: str, names: Sequence[str]) -> OptionError:
    return OptionError(
        f"tier: got {shown(tier)}, expected one that {expected}: {', '.join(names)}{nearest(str(tier), names)}",
        option="tier",
        value=tier,
    )
