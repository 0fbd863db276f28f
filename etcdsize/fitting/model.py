"""The models of a fit: the candidates with their disks and costs, and every other machine with its reason."""

from typing import Annotated, Literal

from pydantic import Field

from etcdsize.base.model import Answer, Date, Model, NotNegative, Positive
from etcdsize.base.text import one_line, shown
from etcdsize.catalog.costs import Cost
from etcdsize.catalog.disks import DiskChoice
from etcdsize.catalog.machines import Disk, Machine
from etcdsize.catalog.money import Currency
from etcdsize.catalog.volumes import Volume
from etcdsize.errors import OptionError
from etcdsize.fitting.fsync import FsyncNeed
from etcdsize.fitting.need import DiskNeed, Need

__all__ = [
    "Candidate",
    "Fit",
    "LocalCandidate",
    "Nearest",
    "Reason",
    "Rejected",
    "disk_of",
]

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


class Candidate(Model):
    """A machine that is enough, with a network disk or with its own."""

    machine: Annotated[Machine, Field(description="The machine, as the catalog has it.")]
    disk: Annotated[
        DiskChoice | None,
        Field(
            description="The cheapest network disk that is enough, with what to provision. None: the own disk of a "
            "server of one's own."
        ),
    ]
    disk_reason: Annotated[
        str,
        Field(
            description="Why the disk has its size, what is provisioned for it, and whether the machine's own limit is "
            "published."
        ),
    ]
    limit_known: Annotated[
        bool,
        Field(
            description="Whether the machine's own limit for the disk is published. If not, the figures are those of "
            "the disk alone, and the candidate comes after all whose limit is known."
        ),
    ] = True
    concurrent_iops: Annotated[
        Positive, Field(description="What a member gets: the lower of the machine's and the disk's. [1/s]")
    ]
    disk_mb_per_second: Annotated[Positive, Field(description="The same of the bandwidth. [MB/s]")]
    cost: Annotated[Cost, Field(description="What a member costs; unknown where a part of it is.")]
    excess: Annotated[
        NotNegative,
        Field(description="How far the machine's known figures of the four are above the need, as their mean share."),
    ]
    recovery_seconds: Annotated[
        NotNegative, Field(description="About how long the disk takes to recover a member with the data. [s]")
    ]

    def __str__(self) -> str:
        return f"{self.machine.machine_type} + {'its own disk' if self.disk is None else disk_of(self.disk)}"


class LocalCandidate(Model):
    """A machine whose local NVMe disks could replace a network disk: faster, but lost when the machine stops."""

    machine: Annotated[Machine, Field(description="The machine, as the catalog has it.")]
    per_month: Annotated[NotNegative | None, Field(description="The machine, 730 hours. [currency] None: unknown.")]
    currency: Annotated[Currency | None, Field(description="The currency of the price. None: no price.")] = None
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
    """The machine that comes closest, where none is enough."""

    machine: Annotated[Machine, Field(description="The machine, as the catalog has it.")]
    missing: Annotated[str, Field(description="What it lacks.")]


class Fit(Answer):
    """The machines that are enough, cheapest first, and every other machine with its reason.

    There are at most `limit` candidates; `feasible` counts all the machines that are enough. `feasible +
    rejected_count` is the number of machines of the requested providers.
    """

    need: Annotated[Need, Field(description="What each member needs.")]
    disk: Annotated[DiskNeed, Field(description="The size of the disk, and how it was computed.")]
    candidates: Annotated[
        tuple[Candidate, ...],
        Field(
            description="By monthly price, one currency after the other, unknown prices last; then those whose own "
            "limit is not published."
        ),
    ]
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
    nearest: Annotated[
        Nearest | None,
        Field(description="The machine that comes closest, if none is enough and none lacks only a disk."),
    ]
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
            disk = {code: rejected for code, rejected in first.items() if code in ("no-disk", "local-disk-only")}
            reasons = [f"{one.machine_type} lacks a disk: {one.reason}" for one in disk.values()]
            reasons = reasons or [f"{one.machine_type} {one.reason}" for one in first.values()]
            if not self.rejected:
                reasons = [f"{count} {reason.replace('-', ' ')}" for reason, count in self.rejected_by_reason.items()]
            return one_line(f"{none}: {'; '.join(reasons) or 'it has none of the requested providers'}")
        return one_line(f"{none}; the nearest, {self.nearest.machine.machine_type}, lacks {self.nearest.missing}")


def disk_of(choice: DiskChoice) -> Disk:
    """Return the disk that a choice buys."""
    return Disk(size_gb=choice.size_gib, **{name: getattr(choice, name) for name in Volume.model_fields})
