"""The verdicts of an audit, and the audit of one cluster."""

from typing import Annotated, Literal

from pydantic import Field

from etcdsize.base.model import Model
from etcdsize.catalog.machines import Machine
from etcdsize.catalog.money import Currency
from etcdsize.fitting.need import MACHINE_FIGURES
from etcdsize.units import DIMENSIONS

__all__ = ["BEYOND", "DECIDERS", "OVER", "RIGHT", "UNDER", "UNKNOWN", "VERDICTS", "ClusterAudit"]

VERDICTS = ("under", "beyond", "right", "over", "unknown")
"""The verdicts that `FleetAudit.verdict_codes` indexes."""
UNDER, BEYOND, RIGHT, OVER, UNKNOWN = range(5)
DECIDERS = (*DIMENSIONS, *MACHINE_FIGURES, "quota_bytes", "volume_gib", "keys_per_lease")
"""What `FleetAudit.decided_by` indexes: the load's dimensions, the figures in which a machine can fall short, and what
else does not fit by the measured model."""


class ClusterAudit(Model):
    """The audit of one cluster."""

    verdict: Annotated[
        Literal["under", "beyond", "right", "over", "unknown"],
        Field(
            description="under: too small; beyond: a machine of the largest tier, past the last published bound; "
            "right; over: too big; unknown: cannot be judged."
        ),
    ]
    reason: Annotated[
        str,
        Field(
            description="Why the verdict is unknown or beyond, what it rests on, and why the recommended machine is "
            "not the one that sizing gives."
        ),
    ] = ""
    machine_type: Annotated[str, Field(description="The machine in use.")]
    machine_tier: Annotated[
        str | None, Field(description="The largest tier that the machine is enough for, if any.")
    ] = None
    tier: Annotated[str | None, Field(description="The tier that the load needs.")] = None
    decided_by: Annotated[
        str | None, Field(description="The dimension, or the figure of the machine, that decided the verdict.")
    ] = None
    utilization: Annotated[
        float | None, Field(description="Load divided by the bound that decided the verdict: above 1, it is exceeded.")
    ] = None
    breaks_next: Annotated[str | None, Field(description="The dimension nearest its bound.")] = None
    recommended_machine: Annotated[Machine | None, Field(description="The recommended machine.")] = None
    cost_difference_per_month: Annotated[
        float | None,
        Field(description="Monthly cost of the change for all members, without the disks. [currency]"),
    ] = None
    difference_currency: Annotated[Currency | None, Field(description="The currency of that cost.")] = None
