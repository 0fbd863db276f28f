"""The models of a fit: the need, the candidates with their disks and costs, and every other machine with its reason."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from etcdsize.base.checks import number_of
from etcdsize.base.model import Answer, Count, Date, Model, NotNegative, Positive
from etcdsize.base.text import nearest, one_line, shown
from etcdsize.catalog.catalog import load_catalog
from etcdsize.catalog.costs import Cost
from etcdsize.catalog.disks import DiskChoice
from etcdsize.catalog.machines import Disk, Machine
from etcdsize.catalog.volumes import Volume
from etcdsize.errors import OptionError
from etcdsize.etcd.quota import SUGGESTED_QUOTA_BYTES, quota_for
from etcdsize.fitting.fsync import FsyncNeed
from etcdsize.fitting.storage import Storage
from etcdsize.tiers import TierTable, load_tiers

__all__ = [
    "FIGURES",
    "Candidate",
    "Fit",
    "LocalCandidate",
    "Nearest",
    "Need",
    "Reason",
    "Rejected",
    "disk_of",
    "need_for",
    "need_of_tier",
]

FIGURES = ("vcpus", "memory_gib", "concurrent_iops", "disk_mb_per_second")
"""The figures of a need, in the order of the guide's tables."""
Reason = Literal[
    "too-little",
    "burst-only",
    "unknown-figure",
    "burstable",
    "shared-core",
    "bare-metal",
    "architecture",
    "local-disk-only",
    "previous-generation",
    "family",
    "no-disk",
]


class Need(Model):
    """What each member of a cluster needs."""

    tier: Annotated[str, Field(description="The tier.")]
    vcpus: Annotated[Count, Field(description="[count]")]
    memory_gib: Annotated[Positive, Field(description="[GiB]")]
    concurrent_iops: Annotated[Positive, Field(description="Concurrent disk operations, sustained. [1/s]")]
    disk_mb_per_second: Annotated[Positive, Field(description="Disk bandwidth, sustained. [MB/s]")]
    data_bytes: Annotated[NotNegative, Field(description="The data that the disk must hold. [bytes]")]
    source: Annotated[str, Field(description="Where the figures come from.")] = ""

    def with_data(self, data_bytes: float | None) -> "Need":
        """Return the need with this much data: more data needs a larger disk and more memory. [bytes]"""
        if data_bytes is not None:
            data_bytes = number_of("data_bytes", data_bytes)
        if data_bytes is None or data_bytes <= self.data_bytes:
            return self
        # etcd-io/website content/en/docs/v3.5/faq.md: memory for the whole quota.
        memory = max(self.memory_gib, quota_for(data_bytes) // 2**30)
        return self.model_copy(update={"data_bytes": data_bytes, "memory_gib": memory})


class Candidate(Model):
    """A machine with a disk that together are enough."""

    machine: Annotated[Machine, Field(description="The machine, as the catalog has it.")]
    disk: Annotated[DiskChoice, Field(description="The cheapest disk that is enough, with what to provision.")]
    disk_reason: Annotated[str, Field(description="Why the disk has its size, and what is provisioned for it.")]
    concurrent_iops: Annotated[
        Positive, Field(description="What a member gets: the lower of the machine's and the disk's. [1/s]")
    ]
    disk_mb_per_second: Annotated[Positive, Field(description="The same of the bandwidth. [MB/s]")]
    cost: Annotated[Cost, Field(description="What a member costs; unknown where a part of it is.")]
    excess: Annotated[
        NotNegative, Field(description="How far the machine's four figures are above the need, as their mean share.")
    ]
    recovery_seconds: Annotated[
        NotNegative, Field(description="About how long the disk takes to recover a member with the data. [s]")
    ]

    def __str__(self) -> str:
        return f"{self.machine.machine_type} + {disk_of(self.disk)}"


class LocalCandidate(Model):
    """A machine whose local NVMe disks could replace a network disk: faster, but lost when the machine stops."""

    machine: Annotated[Machine, Field(description="The machine, as the catalog has it.")]
    usd_month: Annotated[NotNegative | None, Field(description="The machine, 730 hours. [US dollars] None: unknown.")]
    region: Annotated[str | None, Field(description="The region of the price.")] = None
    date: Annotated[Date | None, Field(description="When the price was read.")] = None
    label: Annotated[str, Field(description="What it offers, and what it risks.")]


class Rejected(Model):
    """A machine that is not a candidate, and the reason."""

    provider: Annotated[str, Field(description="The provider that sells it.")]
    machine_type: Annotated[str, Field(description="The provider's name for it.")]
    code: Annotated[Reason, Field(description="The reason, for programs.")]
    reason: Annotated[str, Field(description="The reason as text, with how much of each figure is missing.")]
    missing: Annotated[dict[str, float], Field(description="How much of each figure is missing, where that is known.")]


class Nearest(Model):
    """The machine that is nearest to enough, where none is enough."""

    machine: Annotated[Machine, Field(description="The machine, as the catalog has it.")]
    missing: Annotated[str, Field(description="What it lacks.")]


class Fit(Answer):
    """The machines that are enough, cheapest first, and every other machine with its reason.

    There are at most `limit` candidates; `feasible` counts all the machines that are enough. `feasible +
    rejected_count` is the number of machines of the requested providers.
    """

    need: Annotated[Need, Field(description="What each member needs.")]
    storage: Annotated[Storage, Field(description="How the size of the disk was computed.")]
    candidates: Annotated[tuple[Candidate, ...], Field(description="By monthly price, unknown prices last.")]
    feasible: Annotated[int, Field(ge=0, description="How many machines are enough.")]
    rejected_count: Annotated[int, Field(ge=0, description="How many machines are not enough.")]
    rejected_by_reason: Annotated[dict[Reason, int], Field(description="The same by reason, the most frequent first.")]
    rejected: Annotated[
        tuple[Rejected, ...],
        Field(description="The machines that are not enough, in the catalog's order. Empty if they are only counted."),
    ]
    local: Annotated[
        tuple[LocalCandidate, ...], Field(description="Alternatives with local NVMe, cheapest first; never counted.")
    ]
    nearest: Annotated[Nearest | None, Field(description="The machine nearest to enough, where none is.")]
    sequential: Annotated[FsyncNeed, Field(description="The fsync latency that etcd needs, and how to measure it.")]
    catalog: Annotated[str, Field(description="The name of the catalog.")]

    @property
    def best(self) -> Candidate:
        """The first candidate.

        Raises
        ------
        OptionError
            Where there is none. The message says what the nearest machine lacks.
        """
        if not self.candidates:
            raise OptionError(f"fit: {self.why_none()}", option="catalog", value=self.catalog)
        return self.candidates[0]

    def without_rejected(self) -> "Fit":
        """Return the same fit with the rejected machines only counted."""
        return self.model_copy(update={"rejected": ()})

    def why_none(self) -> str:
        """Return why no machine is enough."""
        none = f"no machine in the catalog {shown(self.catalog)} is enough for the tier {shown(self.need.tier)}"
        if self.nearest is None:
            first: dict[str, Rejected] = {}
            for rejected in self.rejected:
                first.setdefault(rejected.code, rejected)
            reasons = [f"{one.machine_type} {one.reason}" for one in first.values()]
            if not self.rejected:
                reasons = [f"{count} {reason.replace('-', ' ')}" for reason, count in self.rejected_by_reason.items()]
            return one_line(f"{none}: {'; '.join(reasons) or 'it has none of the requested providers'}")
        return one_line(f"{none}; the nearest, {self.nearest.machine.machine_type}, lacks {self.nearest.missing}")


def disk_of(choice: DiskChoice) -> Disk:
    """Return the disk that a choice buys."""
    return Disk(size_gb=choice.size_gib, **{name: getattr(choice, name) for name in Volume.model_fields})


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
    rows = {row.tier: row for row in load_catalog("guide").machines if row.provider == "gce" and row.tier}
    if tier not in rows:
        raise _no_tier(tier, "the guide has a machine for", tuple(filter(None, rows)))
    figures = {name: getattr(rows[tier], name) for name in FIGURES}
    return Need(tier=tier, data_bytes=data_bytes, source=rows[tier].source, **figures)


def _no_tier(tier: object, expected: str, names: Sequence[str]) -> OptionError:
    return OptionError(
        f"tier: got {shown(tier)}, expected one that {expected}: {', '.join(names)}{nearest(str(tier), names)}",
        option="tier",
        value=tier,
    )
