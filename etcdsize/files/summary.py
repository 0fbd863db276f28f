"""The summary of a file of clusters."""

from typing import Annotated, Literal

from pydantic import Field

from etcdsize.base.model import Answer, Date, Model
from etcdsize.batches.audit_summary import AuditSummary
from etcdsize.batches.options import MEMBERS
from etcdsize.batches.row_notices import NoticeCount
from etcdsize.catalog.machines import Disk
from etcdsize.catalog.money import Currency

__all__ = ["FleetSummary", "MachineCount", "Problem"]


class Problem(Model):
    """A row that cannot be sized."""

    row: Annotated[int, Field(description="Row number, counted from 1 without the header.")]
    cluster: Annotated[str | None, Field(description="The name of the cluster, if a column has it.")] = None
    problem: Annotated[str, Field(description="Why it cannot be sized.")]


class MachineCount(Model):
    """How many clusters need a machine."""

    provider: Annotated[str, Field(description="The provider that sells it.")]
    tier: Annotated[str, Field(description="The tier of these clusters.")]
    machine_type: Annotated[str, Field(description="The provider's name for it.")]
    disk: Annotated[Disk | None, Field(description="The disk for the machine.")] = None
    clusters: Annotated[int, Field(description="How many clusters need it.")]
    machine_today: Annotated[
        str | None, Field(description="What to run today in its place, often the same; None if unknown.")
    ] = None
    disk_today: Annotated[Disk | None, Field(description="The disk for the machine of today.")] = None
    limit_known: Annotated[
        bool,
        Field(
            description="Whether the limit of the machine of today for its disk is published. If not, its disk figures "
            "are those of the disk alone."
        ),
    ] = True
    cost_per_month: Annotated[
        float | None,
        Field(description="Monthly cost of these clusters on the machine of today, None if unknown. [currency]"),
    ] = None
    currency: Annotated[Currency | None, Field(description="The currency of that cost.")] = None
    region: Annotated[str | None, Field(description="The region of the price.")] = None
    date: Annotated[Date | None, Field(description="When the price was read.")] = None


class Folded(Model):
    """How several rows of a cluster became one."""

    how: Annotated[
        Literal["latest", "peak"],
        Field(description="latest: the newest row. peak: the newest row with the largest value of each load."),
    ]
    rows: Annotated[int, Field(description="Rows of the file.")]
    by: Annotated[
        str | None, Field(description="The column that names the clusters. None: the whole file is one cluster.")
    ]


class FleetSummary(Answer):
    """What a fleet needs, in numbers of clusters."""

    clusters: Annotated[int, Field(description="Rows that were sized: all of the file, or one of each cluster.")]
    folded: Annotated[
        Folded | None, Field(description="How the rows of each cluster became one, if that was requested.")
    ] = None
    time_series: Annotated[
        str, Field(description="What to do if rows of the file are one cluster at several times; empty otherwise.")
    ] = ""
    not_sized: Annotated[int, Field(description="Rows that could not be sized.")]
    tiers: Annotated[dict[str, int], Field(description="Clusters by tier, in the table's order.")]
    machines: Annotated[tuple[MachineCount, ...], Field(description="Clusters by machine.")]
    first_problems: Annotated[tuple[Problem, ...], Field(description="The first rows that could not be sized.")]
    notices: Annotated[
        tuple[NoticeCount, ...], Field(description="What to know of these clusters, what is beyond the guide first.")
    ] = ()
    beyond_guide: Annotated[
        int, Field(description="Clusters for which no published figure says that their machine is enough.")
    ] = 0
    unfit: Annotated[tuple[str, ...], Field(description="Why tiers that clusters need have no machine.")] = ()
    without_machines: Annotated[
        dict[str, int],
        Field(description="Clusters by provider, for the first ten of which the catalog has no machines."),
    ] = Field(default_factory=dict)
    not_fitted: Annotated[int, Field(description="Rows that were sized but have no machine.")] = 0
    unknown: Annotated[tuple[str, ...], Field(description="Dimensions that are not known.")] = ()
    unused_machine_columns: Annotated[
        tuple[str, ...],
        Field(description="Columns that look like those of the machines in use, but are not used."),
    ] = ()
    headroom_asked: Annotated[float, Field(description="The share of every bound to keep free, as asked.")] = 0.0
    audit: Annotated[
        AuditSummary | None, Field(description="The audit of the machines in use, if a column names them.")
    ] = None
    members: Annotated[int, Field(description="Members of every cluster, for costs. [count]")] = MEMBERS
    cost_per_month: Annotated[
        dict[Currency, float],
        Field(description="Monthly cost of the clusters whose cost is known, by currency: nothing is converted."),
    ] = Field(default_factory=dict)
    clusters_without_cost: Annotated[
        int, Field(description="Clusters that were sized but are not in cost_per_month: their cost is unknown.")
    ] = 0
