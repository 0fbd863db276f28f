"""The notices of a sizing: what an operator should know besides the tier and the machine."""

import contextlib
import functools
from collections.abc import Iterable, Mapping, Sequence

from etcdsize.base.notice import Notice, NoticeKind
from etcdsize.base.text import in_words, shown
from etcdsize.catalog.catalog import Catalog
from etcdsize.catalog.machines import Machine
from etcdsize.catalog.providers import known_providers
from etcdsize.errors import InvalidWorkloadError
from etcdsize.etcd.quota import SUGGESTED_QUOTA_BYTES
from etcdsize.fitting.need import DiskNeed
from etcdsize.resources.notices import implausible_notices, implausible_objects, request_notices
from etcdsize.resources.profile import Profile
from etcdsize.tiers import TierTable
from etcdsize.units import DIMENSIONS, Dimension, format_bytes, format_number
from etcdsize.workload import CERTAINTY_WORDS, Certainty, Workload

__all__ = [
    "BEYOND_SUGGESTED_QUOTA",
    "DATA_ABOVE_MEMORY",
    "DATA_AT_MOST",
    "DISK_FOR_LESS_DATA",
    "INEXACT_LOAD_DECIDES",
    "KUBERNETES_ESTIMATE",
    "NO_MACHINES",
    "NO_MACHINE_FITS",
    "OPEN_TIER",
    "UNKNOWN_DIMENSION",
    "UNKNOWN_REGION",
    "inexact_notice",
    "load_notices",
    "machine_notices",
    "member_notices",
    "no_machine_fits_notice",
    "no_machines_notice",
    "nodes_notice",
    "open_tier_notice",
    "value_notices",
]

_DOCS = "etcd-io/website content/en/docs/v3.5/"
_HARDWARE = _DOCS + "op-guide/hardware.md"
_LIMITS = _DOCS + "dev-guide/limit.md"
_FAQ = _DOCS + "faq.md"

_ERRATUM = NoticeKind("erratum", "info", "the source of the erratum")
_PREVIOUS_GENERATION = NoticeKind(
    "previous-generation",
    "info",
    "EC2 DescribeInstanceTypes, CurrentGeneration; N1 is Google's first generation",
)
_UNKNOWN_COST = NoticeKind("unknown-cost", "info", "the source of the machine")
_LIMIT_NOT_PUBLISHED = NoticeKind("limit-not-published", "info", "our choice")
NO_MACHINES = NoticeKind(
    "no-machines",
    "warning",
    "our choice",
    "a provider whose machines the catalog does not have: only the tier is given",
)
NO_MACHINE_FITS = NoticeKind("no-machine-fits", "warning", "our choice")
UNKNOWN_REGION = NoticeKind(
    "unknown-region",
    "warning",
    "our choice",
    "a region that is not one of their provider's: the column price_region has the region of their prices",
)
_MEASURE_DISK = NoticeKind("measure-disk", "info", _HARDWARE)
_DEDICATED_MACHINE = NoticeKind("dedicated-machine", "info", _HARDWARE)
UNKNOWN_DIMENSION = NoticeKind(
    "unknown-dimension",
    "warning",
    "our choice",
    "an unknown dimension: the others decide, so a larger tier may be needed",
)
DATA_AT_MOST = NoticeKind(
    "data-at-most",
    "info",
    _DOCS + "metrics/latest",
    "the size of etcd's file as their data, an upper bound of the data in use",
)
BEYOND_SUGGESTED_QUOTA = NoticeKind(
    "beyond-suggested-quota",
    "beyond-guide",
    _LIMITS,
    "data above the 8 GiB that etcd suggests as a maximum: store less, or split the cluster",
)
DATA_ABOVE_MEMORY = NoticeKind(
    "data-above-memory",
    "beyond-guide",
    _FAQ,
    "data above the memory of the machine, into which etcd maps the whole file: choose one with more memory",
)
DISK_FOR_LESS_DATA = NoticeKind(
    "disk-for-less-data",
    "warning",
    "our choice",
    "more data than the 8 GiB that the disk is sized for: etcdsize fit gives the disk that it needs",
)
OPEN_TIER = NoticeKind(
    "open-tier",
    "info",
    "the source of the tier table",
    "a load above the last bound of the tiers: test the machine before you rely on it",
)
KUBERNETES_ESTIMATE = NoticeKind(
    "kubernetes-estimate",
    "warning",
    "kubernetes/kubernetes#111622",
    "a number of Kubernetes nodes, which is an estimate and no measurement: etcd's clients are the API servers",
)
INEXACT_LOAD_DECIDES = NoticeKind(
    "inexact-load-decides",
    "warning",
    "our choice",
    "a load that is an upper bound or an estimate, and alone needs the tier: give the exact figure",
)
_EVEN_MEMBERS = NoticeKind("even-members", "warning", _FAQ)
_NO_FAILURE_TOLERANCE = NoticeKind("no-failure-tolerance", "warning", _FAQ)
_OVER_SEVEN_MEMBERS = NoticeKind("over-seven-members", "warning", _FAQ)


def machine_notices(machines: Iterable[Machine], today: Iterable[Machine]) -> tuple[Notice, ...]:
    """Return the notices about the machines themselves, and about what to run today, whatever the load."""
    machines, today = list(machines), list(today)
    priced = [machine for machine in today if machine.cost is not None]
    notices = [
        _ERRATUM(
            f"{machine.provider} {machine.machine_type}, {erratum.field}: the guide prints {erratum.printed}, "
            f"which should be {erratum.correct}: {erratum.reason}.",
            source=erratum.source,
        )
        for machine in machines
        for erratum in machine.errata
    ]
    listed = [m.machine_type for m in machines if m.lifecycle == "previous" and m.cost is None]
    if listed:
        what = "are previous-generation machines" if len(listed) > 1 else "is a previous-generation machine"
        notices.append(_PREVIOUS_GENERATION(f'{in_words(listed)} {what}; the catalog "current" has newer ones.'))
    fitted = [machine.machine_type for machine in machines if machine.lifecycle == "previous" and machine.cost]
    if fitted:
        notices.append(
            _PREVIOUS_GENERATION(
                f"{in_words(fitted)}: first among the machines that are enough, but not the newest generation.",
                source="our choice: see docs/reasons.md, lifecycle",
            )
        )
    notices += [
        _UNKNOWN_COST(
            f"{machine.provider} {machine.machine_type}: the cost is unknown: {machine.cost.unknown}.",
            source=machine.source,
        )
        for machine in priced
        if machine.cost is not None and machine.cost.per_month is None
    ]
    notices += [
        _LIMIT_NOT_PUBLISHED(
            f"{machine.provider} {machine.machine_type}: the machine's own limit for network disks is not published. "
            "Its disk figures are those of the disk alone; the machine may let through less.",
        )
        for machine in today
        if not machine.limit_known
    ]
    if priced:
        notices.append(
            _MEASURE_DISK(
                "The disk figures are for concurrent operations, but etcd waits for each write: measure the disk with "
                "fio before you rely on it."
            )
        )
    notices.append(
        _DEDICATED_MACHINE(
            "The guide assumes machines that run nothing but etcd, and its figures are a starting point, not hard "
            "rules: test with a load like your own."
        )
    )
    return tuple(notices)


def value_notices(workload: Workload | None) -> tuple[Notice, ...]:
    """Return the notices about further fields of a load; none where only the three dimensions are known."""
    if isinstance(workload, Profile):
        # Imported here because most sizings know no values.
        from etcdsize.resources.fill import fill

        implausible = implausible_objects(workload)
        # A load that no model can take has a size all the same.
        with contextlib.suppress(InvalidWorkloadError):
            return (*implausible, *request_notices(workload, fill(workload).need))
        return implausible
    return ()


def load_notices(
    loads: Sequence[int | float | None],
    machines: Iterable[tuple[str, Machine]],
    disk: DiskNeed | None = None,
    *,
    is_inexact: bool = False,
) -> tuple[Notice, ...]:
    """Return the notices about a load and how it meets the machines; none where there is no load.

    `disk` is the disk that the load needs; None where the disks are those of the tier. The load is inexact if only
    dimensions decide that may be lower than they seem.
    """
    if not loads:
        return ()
    notices = []
    unknown = [name for name, load in zip(DIMENSIONS, loads) if load is None]
    if unknown:
        result = "may be too low or too high" if is_inexact else "is a lower bound"
        notices.append(
            UNKNOWN_DIMENSION(f"Unknown: {', '.join(unknown)}. The other dimensions decide, so the tier {result}.")
        )
    data = loads[2]
    notices += implausible_notices(*loads)
    if data is not None and data > SUGGESTED_QUOTA_BYTES:
        notices.append(
            BEYOND_SUGGESTED_QUOTA(f"{format_bytes(data)} of data is above the 8 GiB that etcd suggests as a maximum.")
        )
    if data is not None:
        # What to run today is often the same machine.
        short = dict.fromkeys(
            f"{m.machine_type} ({format_number(m.memory_gib)} GiB)" for _, m in machines if data > m.memory_gib * 2**30
        )
        if short:
            notices.append(
                DATA_ABOVE_MEMORY(
                    f"{format_bytes(data)} of data is above the memory of {in_words(short)}; etcd maps the whole "
                    "file into memory."
                )
            )
        small = dict.fromkeys(
            f"{m.machine_type} ({m.disk})"
            for _, m in machines
            if m.cost and m.disk and data > SUGGESTED_QUOTA_BYTES
            if disk is None or m.disk.volume_size_gib < disk.size_gib
        )
        if small:
            notices.append(
                DISK_FOR_LESS_DATA(
                    f"The disk of {in_words(small)} is sized for 8 GiB of data; "
                    "call fit() with this sizing for the disk that it needs."
                )
            )
    return tuple(notices)


def inexact_notice(deciding: Mapping[Dimension, Certainty], tier: str, rest: str | None) -> Notice:
    """Return the notice about a tier that only loads need which are upper bounds or estimates."""
    listed = in_words(f"{name} ({CERTAINTY_WORDS[certainty]})" for name, certainty in deciding.items())
    verb = "needs" if len(deciding) == 1 else "need"
    known = "" if rest is None else f"; the rest needs {rest}"
    return INEXACT_LOAD_DECIDES(
        f"Only {listed} {verb} the tier {tier}{known}: a smaller tier may be enough. Give the exact figure if you know "
        "it."
    )


def no_machines_notice(catalog: Catalog, providers: Sequence[str] = ()) -> Notice:
    """Return the notice about a cluster of providers without machines; of one that is not named, for none."""
    of = in_words(providers) or "the cluster's provider"
    text = f"The catalog {shown(catalog.name)} has no machine of {of}, so the answer is the tier and its needs."
    listed = [name for name in providers if name in known_providers()]
    if listed and catalog.name != "current":
        text += f' The catalog "current" has machines of {in_words(listed)} (--catalog current).'
    return NO_MACHINES(text)


def no_machine_fits_notice(reason: str) -> Notice:
    """Return the notice about a provider whose machines the catalog has, but none that is enough."""
    return NO_MACHINE_FITS(
        f"{reason}. The answer therefore has only the tier and its needs. Choose another provider, or a catalog with "
        "more machines. etcdsize fit --rejected says what each machine lacks."
    )


def open_tier_notice(table: TierTable, past: Sequence[str]) -> Notice:
    """Return the notice about the open tier; `past` names the dimensions that exceed the table's last bound."""
    last = table.tiers[-1].name
    if past:
        return OPEN_TIER(
            f"{last} has no upper bound, and {', '.join(past)} exceed{'s' if len(past) == 1 else ''} the last bound of "
            "the table: no published figure says that this machine is enough. Utilization is relative to that bound.",
            severity="beyond-guide",
            source=table.source,
        )
    return OPEN_TIER(
        f"{last} has no upper bound; utilization is relative to the last bound of the table.", source=table.source
    )


@functools.lru_cache(maxsize=64)
def nodes_notice(table: TierTable) -> Notice:
    """Return the notice about a sizing by Kubernetes nodes."""
    examples = ", ".join(f"{tier.name} {tier.kubernetes_nodes}" for tier in table.tiers)
    return KUBERNETES_ESTIMATE(
        "The number of nodes is a proxy, not a measurement: etcd's clients are the API servers. The examples "
        f"({examples}) are read as upper limits; measure clients, requests and data instead.",
        source=f"{KUBERNETES_ESTIMATE.source}; the examples: {table.source}",
    )


@functools.lru_cache(maxsize=64)
def member_notices(members: int) -> tuple[Notice, ...]:
    """Return the notices about the number of members."""
    notices = []
    if members % 2 == 0:
        notices.append(_EVEN_MEMBERS(f"{members} members tolerate no more failures than {members - 1}."))
    if members < 3:
        notices.append(
            _NO_FAILURE_TOLERANCE(f"A cluster of {members} member{'s' if members > 1 else ''} tolerates no failure.")
        )
    if members > 7:
        notices.append(
            _OVER_SEVEN_MEMBERS(
                f"{members} members are more than the seven that etcd suggests as a maximum: every write waits for a "
                "quorum."
            )
        )
    return tuple(notices)
