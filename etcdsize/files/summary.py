"""What a file of clusters comes to, counted: the summary that `fleet` gives.

This module imports pydantic, and `_batch` for what it counts.
"""

from typing import Annotated

from pydantic import Field

from etcdsize.base.model import Model
from etcdsize.batches.auditor import AuditSummary
from etcdsize.batches.sizer import MEMBERS
from etcdsize.catalog.machines import Disk

__all__ = ["FleetSummary", "MachineCount", "Problem"]


class Problem(Model):
    """A row that cannot be sized."""

    row: Annotated[int, Field(description="The row, counted from 1 without the header.")]
    problem: Annotated[str, Field(description="Why it cannot be sized.")]


class MachineCount(Model):
    """How many clusters need a machine."""

    provider: str
    tier: str
    machine_type: str
    disk: Annotated[Disk | None, Field(description="The disk that goes with it.")] = None
    clusters: int
    usd_month: Annotated[
        float | None, Field(description="What these clusters cost a month. [US dollars] None: unknown.")
    ] = None
    region: Annotated[str | None, Field(description="Where they cost that.")] = None
    date: Annotated[str | None, Field(description="When the price was read.")] = None


class FleetSummary(Model):
    """What a fleet needs, counted."""

    clusters: Annotated[int, Field(description="Rows that came.")]
    not_sized: Annotated[int, Field(description="Rows that could not be sized.")]
    tiers: Annotated[dict[str, int], Field(description="Clusters by tier, in the table's order.")]
    machines: Annotated[tuple[MachineCount, ...], Field(description="Clusters by machine.")]
    first_problems: Annotated[tuple[Problem, ...], Field(description="The first rows that could not be sized.")]
    implausibly_small: Annotated[int, Field(description="Clusters with less data than an empty etcd file.")]
    unfit: Annotated[tuple[str, ...], Field(description="Why there is no machine for tiers that clusters need.")] = ()
    not_fitted: Annotated[int, Field(description="Rows that were sized, and for which no machine is enough.")] = 0
    unknown: Annotated[tuple[str, ...], Field(description="Dimensions that were not known.")] = ()
    headroom_asked: float = 0.0
    audit: Annotated[
        AuditSummary | None, Field(description="What to say of the machines that run now, where a column names them.")
    ] = None
    members: Annotated[int, Field(description="Members of every cluster, where costs are told. [count]")] = MEMBERS
    usd_month: Annotated[
        float | None, Field(description="What the clusters cost a month. [US dollars] None: a part is unknown.")
    ] = None
