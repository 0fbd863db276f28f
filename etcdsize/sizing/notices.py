"""What an answer has to tell beside the tier and the machine: stable codes, severities, texts and sources.

This module imports the models, never numpy.
"""

import functools
from collections.abc import Iterable, Sequence

from etcdsize.base.notice import Notice
from etcdsize.catalog.machines import Machine
from etcdsize.etcd.quota import SMALLEST_PLAUSIBLE_BYTES, SUGGESTED_QUOTA_BYTES
from etcdsize.tiers import TierTable
from etcdsize.units import DIMENSIONS, format_bytes, format_number

__all__ = [
    "load_notices",
    "machine_notices",
    "member_notices",
    "nodes_notice",
    "open_tier_notice",
]

_DOCS = "etcd-io/website content/en/docs/v3.5/"
_HARDWARE = _DOCS + "op-guide/hardware.md"
_LIMITS = _DOCS + "dev-guide/limit.md"
_FAQ = _DOCS + "faq.md"


def machine_notices(machines: Iterable[Machine]) -> tuple[Notice, ...]:
    """Return what is to be said of the machines, whatever the load."""
    machines = list(machines)
    notices = [
        Notice(
            code="erratum",
            severity="info",
            text=f"{machine.provider} {machine.machine_type}, {erratum.field}: the guide prints {erratum.printed}, "
            f"which should be {erratum.correct}: {erratum.reason}.",
            source=erratum.source,
        )
        for machine in machines
        for erratum in machine.errata
    ]
    previous = [m.machine_type for m in machines if m.lifecycle == "previous" and m.cost is None]
    if previous:
        notices.append(
            Notice(
                code="previous-generation",
                severity="info",
                text=f"{' and '.join(previous)}: a previous generation; still what the guide prints, no longer what "
                "to buy.",
                source="EC2 DescribeInstanceTypes, CurrentGeneration; N1 is Google's first generation",
            )
        )
    older = [machine.machine_type for machine in machines if machine.lifecycle == "previous" and machine.cost]
    if older:
        notices.append(
            Notice(
                code="previous-generation",
                severity="info",
                text=f"{' and '.join(older)}: first among those that are enough, and not the newest of its line.",
                source="our choice: see docs/choices.md, lifecycle",
            )
        )
    notices += [
        Notice(
            code="unknown-cost",
            severity="info",
            text=f"{machine.provider} {machine.machine_type}: the cost is unknown: {machine.cost.unknown}.",
            source=machine.source,
        )
        for machine in machines
        if machine.cost is not None and machine.cost.usd_month is None
    ]
    if any(machine.cost for machine in machines):
        notices.append(
            Notice(
                code="measure-disk",
                severity="info",
                text="The figures are of concurrent operations, and etcd waits for every write: measure the disk with "
                "fio before you rely on it.",
                source=_HARDWARE,
            )
        )
    notices.append(
        Notice(
            code="dedicated-machine",
            severity="info",
            text="The guide's machines run nothing but etcd, and its figures are a start, not hard rules: test with a "
            "load like your own.",
            source=_HARDWARE,
        )
    )
    return tuple(notices)


def load_notices(loads: Sequence[int | float | None], machines: Iterable[tuple[str, Machine]]) -> tuple[Notice, ...]:
    """Return what is to be said of a load; of no load, nothing."""
    if not loads:
        return ()
    notices = []
    unknown = [name for name, load in zip(DIMENSIONS, loads) if load is None]
    if unknown:
        notices.append(
            Notice(
                code="unknown-dimension",
                severity="warning",
                text=f"Unknown: {', '.join(unknown)}. The rest decides, so the tier is a lower bound.",
                source="our choice",
            )
        )
    data = loads[2]
    if data is not None and 0 < data < SMALLEST_PLAUSIBLE_BYTES:
        notices.append(
            Notice(
                code="implausibly-small",
                severity="warning",
                text=f"{format_number(data)} bytes of data is less than an empty etcd file: are these megabytes?",
                source="our choice",
            )
        )
    if data is not None and data > SUGGESTED_QUOTA_BYTES:
        notices.append(
            Notice(
                code="beyond-suggested-quota",
                severity="beyond-guide",
                text=f"{format_bytes(data)} of data is above the 8 GiB that etcd suggests as the most.",
                source=_LIMITS,
            )
        )
    if data is not None:
        short = [
            f"{m.machine_type} ({format_number(m.memory_gib)} GiB)" for _, m in machines if data > m.memory_gib * 2**30
        ]
        if short:
            notices.append(
                Notice(
                    code="data-above-memory",
                    severity="beyond-guide",
                    text=f"{format_bytes(data)} of data is above the memory of {' and '.join(short)}; etcd maps the "
                    "whole file into memory.",
                    source=_FAQ,
                )
            )
        small = [
            f"{m.machine_type} ({m.disk})" for _, m in machines if m.cost and m.disk and data > SUGGESTED_QUOTA_BYTES
        ]
        if small:
            notices.append(
                Notice(
                    code="disk-for-less-data",
                    severity="warning",
                    text=f"The disk of {' and '.join(small)} is for {format_bytes(SUGGESTED_QUOTA_BYTES)} of data; "
                    "fit() of this answer works out a larger one.",
                    source="our choice",
                )
            )
    return tuple(notices)


def open_tier_notice(table: TierTable, past: Sequence[str]) -> Notice:
    """Return what is to be said of the open tier; `past` names what is past the last bound there is."""
    last = table.tiers[-1].name
    if past:
        return Notice(
            code="open-tier",
            severity="beyond-guide",
            text=f"{last} has no upper bound, and {', '.join(past)} exceed{'s' if len(past) == 1 else ''} the last "
            "figure there is: no published figure says that its machine is enough. Utilization is relative to that "
            "last figure.",
            source=table.source,
        )
    return Notice(
        code="open-tier",
        severity="info",
        text=f"{last} has no upper bound; utilization is relative to the last bound there is.",
        source=table.source,
    )


@functools.lru_cache(maxsize=64)
def nodes_notice(table: TierTable) -> Notice:
    """Return what is to be said of a sizing by Kubernetes nodes."""
    examples = ", ".join(f"{tier.name} {tier.kubernetes_nodes}" for tier in table.tiers)
    return Notice(
        code="kubernetes-estimate",
        severity="warning",
        text=f"Nodes are a proxy, not a measurement: etcd's clients are the API servers. The examples ({examples}) are "
        "read as at most; measure clients, requests and data.",
        source="kubernetes/kubernetes#111622; the examples: " + table.source,
    )


@functools.lru_cache(maxsize=64)
def member_notices(members: int) -> tuple[Notice, ...]:
    """Return what is to be said of the number of members."""
    notices = []
    if members % 2 == 0:
        notices.append(
            Notice(
                code="even-members",
                severity="warning",
                text=f"{members} members tolerate no more failures than {members - 1}.",
                source=_FAQ,
            )
        )
    if members < 3:
        notices.append(
            Notice(
                code="no-failure-tolerance",
                severity="warning",
                text=f"With {members} member{'s' if members > 1 else ''} no member may fail.",
                source=_FAQ,
            )
        )
    if members > 7:
        notices.append(
            Notice(
                code="over-seven-members",
                severity="warning",
                text=f"{members} members: etcd suggests no more than seven; every write waits for a quorum.",
                source=_FAQ,
            )
        )
    return tuple(notices)
