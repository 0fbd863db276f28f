"""The machines and disks that are enough for a need, cheapest first, and why every other machine is not.

`fit` searches a catalog. `best_per_tier` makes a catalog of the best machine of each provider for each tier, which
`size` and `size_fleet` use where a catalog does not assign machines to tiers. Only sustained figures count: a burst
never satisfies a need.
"""

import functools
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from etcdsize.base.checks import count_of, names_of, true_or_false
from etcdsize.base.text import shown
from etcdsize.catalog.architectures import ARCHITECTURES, architecture_name
from etcdsize.catalog.catalog import Catalog, Unfit, check_machines_of, check_names
from etcdsize.catalog.figures import rounded_text
from etcdsize.catalog.loading import catalog_for
from etcdsize.catalog.machines import Machine
from etcdsize.catalog.money import currency_order
from etcdsize.errors import OptionError
from etcdsize.fitting.disks import DiskOptions, disk_options
from etcdsize.fitting.fsync import fsync_need_for
from etcdsize.fitting.load_need import tier_disk
from etcdsize.fitting.matches import Match, best_machine, disk_for, in_order, match_of
from etcdsize.fitting.model import Fit, LocalCandidate, Nearest, Rejected
from etcdsize.fitting.need import FIGURES, Need, need_for
from etcdsize.fitting.rejections import (
    Rejection,
    reject_insufficient,
    reject_unrequested,
    reject_unsuitable,
    shortfalls,
    total_shortfall,
)
from etcdsize.tiers import TierTable, load_tiers

__all__ = ["best_machines", "best_per_tier", "fit"]


class _Sized(Protocol):
    """The answer of `size`: it has what its members need, and the providers that were requested."""

    @property
    def need(self) -> Need: ...

    @property
    def machines(self) -> Mapping[str, Machine]: ...


def fit(
    what: "str | Need | _Sized",
    catalog: str | Path | Catalog = "current",
    *,
    tiers: str | Path | TierTable | None = None,
    provider: str | Iterable[str] | None = None,
    arch: str | None = "x86_64",
    family: str | Iterable[str] | None = None,
    region: str | Iterable[str] | None = None,
    disk: str | None = None,
    newest: bool = False,
    limit: int | None = 5,
) -> Fit:
    """Return the machines that are enough for a tier or a sizing, cheapest first, and why the others are not.

    Parameters
    ----------
    what : str, Sizing or Need
        A tier of the guide by name, the answer of `size`, or a need of your own.
    catalog : str, Path or Catalog
        The machines and disks: `"current"`, a file, or a catalog.
    tiers : str, Path or TierTable, optional
        The table of a tier given by name, which says how much data the disk must hold. None is `"guide"`.
    provider : str or iterable of str, optional
        Providers' names or aliases, such as aws or alibaba. None is the provider of a sizing that has one, or the
        providers that the catalog answers for: all of them, or aws, azure and gce in `"current"`.
    arch : {"x86_64", "arm64", "any"}
        An arm64 machine needs its own images, so it has to be requested. amd64 means x86_64, and aarch64 means arm64.
    family : str or iterable of str, optional
        The provider's names of families, such as m8i. None is all.
    region : str or iterable of str, optional
        The region whose prices count, such as `"eu-west-1"`, which implies its provider, or `"aws=eu-west-1"`. What has
        no price there is unknown. None means the prices that the catalog has, each with its region.
    disk : str, optional
        The kind of network disk, such as gp3. None is the cheapest that is enough.
    newest : bool
        Whether to leave out previous generations. They are often the cheapest.
    limit : int, optional
        How many candidates to return at most; None for all.

    Raises
    ------
    OptionError
        For an unknown tier, provider, architecture, family, region or kind of disk, for a limit below 1, and for
        `tiers` with a sizing or a need, which have their own figures.

    Notes
    -----
    A member gets the lower of what the machine lets through and what the disk sustains. The price is for 730 hours of
    the machine and a month of the disk, in one region. Where a part is unknown, so is the whole, and the candidate
    comes after those with a price, by what the machine alone costs, and then by least excess. Prices of two currencies
    are not compared: those in the currency of most candidates come first, cheapest first, and then those of every
    other one.

    Where a provider does not publish what a machine lets through to a disk, the figures are those of the disk alone:
    `limit_known` is false, and the candidate comes after all others. A server of one's own has its own disk, as it was
    measured, and needs neither a network disk nor a price.

    Examples
    --------
    >>> found = fit("medium", provider="aws")
    >>> found.best.disk.kind, found.best.concurrent_iops >= found.need.concurrent_iops
    ('gp3', True)
    >>> found.feasible + found.rejected_count
    338
    """
    need = _need_of(what, tiers)
    true_or_false("newest", newest)
    if limit is not None:
        limit = count_of("limit", limit)
    if provider is None:
        sized_for = () if isinstance(what, (str, Need)) else tuple(what.machines)
        provider = sized_for if len(sized_for) == 1 else None
    catalog, providers = catalog_for(catalog, provider, region)
    check_machines_of(catalog, providers)
    if isinstance(arch, str):
        arch = architecture_name(arch)
    if arch is not None and not (isinstance(arch, str) and arch in ("any", *ARCHITECTURES)):
        raise OptionError(
            f"arch: got {shown(arch)}, expected {', '.join(ARCHITECTURES)} or any", option="arch", value=arch
        )
    families = None if family is None else names_of("family", family)
    if families:
        check_names(catalog, "family", families, {machine.family for machine in catalog.machines})
    if disk is not None:
        check_names(catalog, "disk", (disk,), {k.kind for k in catalog.disk_kinds if k.provider in providers})
    volume = disk_for(need)

    @functools.cache
    def disks_of(provider: str, nitro: bool) -> DiskOptions:
        return disk_options(catalog, provider, disk, volume.size_gib, need, nitro=nitro)

    matches: list[Match] = []
    rejected: list[Rejected] = []
    local: list[LocalCandidate] = []
    near: list[tuple[float, Machine, str]] = []
    lacks_only_a_disk = False
    for machine in catalog.machines:
        if machine.provider not in providers:
            continue
        rejection = reject_unrequested(machine, arch, families, newest) or reject_unsuitable(machine)
        if rejection is None:
            room = (machine.local_nvme_gb or 0) * 1e9 >= volume.size_gib * 2**30
            if room and not machine.own and not shortfalls(machine, need, FIGURES[:2]):
                local.append(_local(machine))
            disks = disks_of(machine.provider, machine.nitro is True)
            rejection = reject_insufficient(machine, need, disks)
            if rejection is None:
                matches.append(match_of(machine, need, disks))
                continue
            if rejection.shortfalls:
                near.append((total_shortfall(rejection.shortfalls), machine, rejection.missing))
            else:
                lacks_only_a_disk = True
        rejected.append(_rejected(machine, rejection))
    matches = in_order(matches)
    local_order = currency_order(one.currency for one in local)
    local.sort(
        key=lambda one: (
            one.per_month is None,
            local_order.get(one.currency or "", -1),
            one.per_month or 0,
            one.machine.machine_type,
        )
    )
    # A machine that lacks nothing but a disk is nearer than one that lacks something itself.
    if lacks_only_a_disk:
        near = []
    nearest = min(near, key=lambda one: (one[0], one[1].machine_type), default=None)
    return Fit(
        need=need,
        disk=volume,
        candidates=tuple(
            match.candidate(need, volume.size_gib, catalog.regions.get(match.machine.provider))
            for match in matches[:limit]
        ),
        feasible=len(matches),
        rejected_count=len(rejected),
        rejected_by_reason=dict(Counter(one.code for one in rejected).most_common()),
        rejected=tuple(rejected),
        local=tuple(local[:limit]),
        nearest=None if matches or nearest is None else Nearest(machine=nearest[1], missing=nearest[2]),
        sequential=fsync_need_for(
            need.vcpus, [kind for kind in catalog.disk_kinds if kind.provider in providers]
        ).model_copy(update={"wal_fsync_p99_ms": need.fsync_p99_ms}),
        catalog=catalog.name,
    )


def _need_of(what: "str | Need | _Sized", tiers: str | Path | TierTable | None) -> Need:
    if isinstance(what, str):
        table = tiers if isinstance(tiers, TierTable) else load_tiers("guide" if tiers is None else tiers)
        return need_for(what, tiers=table).model_copy(update={"disk": tier_disk(what, table)})
    need = what if isinstance(what, Need) else getattr(what, "need", None)
    if not isinstance(need, Need):
        raise OptionError(
            f"what: got {shown(what)} of type {type(what).__name__}, expected a tier's name, a Sizing or a Need",
            option="what",
            value=what,
        )
    if tiers is not None:
        raise OptionError(
            f"tiers: cannot be used with a {type(what).__name__}, which has its own figures; it needs a tier's name",
            option="tiers",
            value=tiers,
        )
    return need


def _rejected(machine: Machine, rejection: Rejection) -> Rejected:
    return Rejected(
        provider=machine.provider,
        machine_type=machine.machine_type,
        code=rejection.code,
        reason=rejection.reason,
        missing={short.figure: short.missing for short in rejection.shortfalls},
    )


def _local(machine: Machine) -> LocalCandidate:
    price = machine.price
    return LocalCandidate(
        machine=machine,
        per_month=None if price is None else price.per_month,
        currency=None if price is None else price.currency,
        region=None if price is None else price.region,
        date=None if price is None else price.date,
        label=f"{rounded_text(machine.local_nvme_gb or 0)} GB of local NVMe: lower latency than a network disk, but "
        "its data is lost when the machine stops, and no catalog states its IOPS: measure them",
    )


@functools.lru_cache(maxsize=16)
def best_per_tier(catalog: Catalog, tiers: TierTable, arch: str | None = "x86_64") -> Catalog:
    """Return a catalog of the best machine and disk of each provider for each tier.

    Where no machine of a provider is enough for a tier, `unfit` of the catalog says why.

    Examples
    --------
    >>> from etcdsize import load_catalog, load_tiers
    >>> best = best_per_tier(load_catalog("current"), load_tiers("guide"))
    >>> best.machine_for("aws", "small").vcpus
    2
    """
    machines, unfit = best_machines(catalog, tiers, tiers.names, arch)
    return catalog.model_copy(update={"machines": tuple(machines), "unfit": tuple(unfit)})


def best_machines(
    catalog: Catalog, tiers: TierTable, names: Iterable[str], arch: str | None = "x86_64"
) -> tuple[list[Machine], list[Unfit]]:
    """Return the best machine of each provider, with its disk, for some of the tiers, and the tiers without one."""
    machines: list[Machine] = []
    unfit: list[Unfit] = []
    for provider, tier in itertools.product(catalog.providers, names):
        best = best_machine(_need_of(tier, tiers), catalog, provider, arch, tier)
        if best is not None:
            machines.append(best)
        else:
            answer = fit(tier, catalog, tiers=tiers, provider=provider, arch=arch)
            unfit.append(Unfit(provider=provider, tier=tier, reason=f"{provider}: {answer.why_none()}"))
    return machines, unfit
