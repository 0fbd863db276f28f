"""What a tier needs, and the machines and disks that give it: cheapest first, and every other with its reason.

`fit` looks through a catalog; `fitted` gives the catalog of the best machine of every provider and tier, which `size`
and `size_fleet` use where a catalog has no tiers of its own. Only what is sustained counts: a burst never satisfies a
need. This module imports the models, never numpy.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from etcdsize.base.text import nearest, shown
from etcdsize.catalog.catalog import Catalog, Unfit, load_catalog, providers_of
from etcdsize.catalog.costs import Cost, monthly_total
from etcdsize.catalog.disks import DiskChoice, DiskKind
from etcdsize.catalog.figures import throughput_text
from etcdsize.catalog.machines import Machine
from etcdsize.errors import OptionError
from etcdsize.fitting.fsync import fsync_need_for
from etcdsize.fitting.model import FIGURES, Candidate, Fit, LocalCandidate, Nearest, Need, Rejected, disk_of, need_for
from etcdsize.fitting.rejections import distance, filtered, judged, lacks, number_text, through, unfit_anywhere
from etcdsize.fitting.storage import Storage, recovery_seconds, storage_for
from etcdsize.tiers import TierTable

__all__ = ["fit", "fitted"]


class _Needs(Protocol):
    """What `size` answers: it knows what its members need, and the providers that were asked for."""

    @property
    def need(self) -> Need: ...

    @property
    def machines(self) -> Mapping[str, Machine]: ...


def fit(
    what: "str | Need | _Needs",
    catalog: str | Path | Catalog = "current",
    *,
    tiers: str | Path | TierTable | None = None,
    provider: str | Iterable[str] | None = None,
    arch: str | None = "x86_64",
    family: str | Iterable[str] | None = None,
    region: str | None = None,
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
        The table that a tier's name is from: it says how much data the disk must hold. None is `"guide"`.
    provider : str or iterable of str, optional
        aws, azure, gce (gcp, google). None is every provider of the catalog, or that of
        a sizing that has one.
    arch : {"x86_64", "arm64", "any"}
        An arm64 machine needs images of its own, so it has to be asked for.
    family : str or iterable of str, optional
        The provider's names of families, such as m8i. None is all.
    region : str, optional
        Prices of other regions are unknown. None takes every price as it stands.
    disk : str, optional
        The kind of network disk, such as gp3. None is the cheapest that is enough.
    newest : bool
        Whether previous generations are left out. They are often the cheapest.
    limit : int, optional
        How many candidates to return at most; None for all.

    Raises
    ------
    OptionError
        For a tier, a provider, an architecture, a family, a region or a kind of disk that is not known, for a limit
        below 1, and for `tiers` with a sizing or a need, which have their own figures.

    Notes
    -----
    What a member gets is the least of what the machine lets through and what the disk sustains. The price is that of
    730 hours of the machine and of a month of the disk, in one region; where a part is unknown it is unknown, and the
    candidate comes after those with a price, by least excess.

    Examples
    --------
    >>> found = fit("medium", provider="aws")
    >>> found.best.disk.kind, found.best.concurrent_iops >= found.need.concurrent_iops
    ('gp3', True)
    >>> found.feasible + len(found.rejected)
    320
    """
    need = _need_of(what, tiers)
    catalog = catalog if isinstance(catalog, Catalog) else load_catalog(catalog)
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise OptionError(f"limit: got {shown(limit)}, expected an integer of 1 or more", option="limit", value=limit)
    if provider is None:
        asked = () if isinstance(what, (str, Need)) else tuple(what.machines)
        provider = asked if len(asked) == 1 else None
    providers = providers_of(catalog, provider)
    families = None if family is None else ((family,) if isinstance(family, str) else tuple(family))
    _check_arch(arch)
    _check_known(catalog, "family", families, {machine.family for machine in catalog.machines})
    _check_known(catalog, "region", None if region is None else (region,), _regions(catalog))
    if disk is not None:
        _check_known(catalog, "disk", (disk,), {k.kind for k in catalog.disk_kinds if k.provider in providers})
    storage = storage_for(need.data_bytes)
    kinds = {name: _disks(catalog, name, disk, storage, need) for name in providers}

    candidates: list[_Found] = []
    rejected: list[Rejected] = []
    local: list[LocalCandidate] = []
    short: list[tuple[float, Machine, str]] = []
    for machine in catalog.machines:
        if machine.provider not in providers:
            continue
        found = filtered(machine, arch, families, newest) or unfit_anywhere(machine)
        if found is None:
            room = (machine.local_nvme_gb or 0) * 1e9 >= storage.size_gib * 2**30
            if room and not lacks(machine, need, FIGURES[:2]):
                local.append(_local(machine, region))
            found = judged(machine, need, *kinds[machine.provider])
            if found is None:
                candidates.append(_found(machine, need, kinds[machine.provider][0], region))
                continue
            if found.missing:
                short.append((distance(found.missing), machine, found.reason))
        rejected.append(
            Rejected(
                provider=machine.provider,
                machine_type=machine.machine_type,
                code=found.code,
                reason=found.reason,
                missing={name: wanted - has for name, has, wanted in found.missing},
            )
        )
    candidates.sort(key=lambda one: one.rank)
    local.sort(key=lambda one: (one.usd_month is None, one.usd_month or 0, one.machine.machine_type))
    closest = min(short, key=lambda one: (one[0], one[1].machine_type), default=None)
    return Fit(
        need=need,
        storage=storage,
        candidates=tuple(one.told(need, storage, region) for one in candidates[:limit]),
        feasible=len(candidates),
        rejected=tuple(rejected),
        local=tuple(local[:limit]),
        nearest=None if candidates or closest is None else Nearest(machine=closest[1], missing=closest[2]),
        sequential=fsync_need_for(need.vcpus, providers),
        catalog=catalog.name,
    )


def _need_of(what: "str | Need | _Needs", tiers: str | Path | TierTable | None) -> Need:
    if isinstance(what, str):
        return need_for(what, tiers="guide" if tiers is None else tiers)
    need = what if isinstance(what, Need) else getattr(what, "need", None)
    if not isinstance(need, Need):
        raise OptionError(
            f"what: got {shown(what)} of type {type(what).__name__}, expected a tier's name, a Sizing or a Need",
            option="what",
            value=what,
        )
    if tiers is not None:
        raise OptionError(
            f"tiers: got it with a {type(what).__name__}, which has its own bounds; expected it with a tier's name",
            option="tiers",
            value=tiers,
        )
    return need


def _check_arch(arch: str | None) -> None:
    if arch not in (None, "any", "x86_64", "arm64"):
        raise OptionError(f"arch: got {shown(arch)}, expected x86_64, arm64 or any", option="arch", value=arch)


def _check_known(catalog: Catalog, option: str, names: Sequence[str] | None, known: Iterable[str | None]) -> None:
    listed = sorted({name for name in known if name is not None})
    for name in names or ():
        if name not in listed:
            some = ", ".join(listed[:12]) + (", ..." if len(listed) > 12 else "")
            raise OptionError(
                f"{option}: got {shown(name)}, expected one of the catalog {shown(catalog.name)}: "
                f"{some or 'it has none'}{nearest(str(name), listed)}",
                option=option,
                value=name,
            )


def _regions(catalog: Catalog) -> Iterator[str]:
    prices = [*(machine.price for machine in catalog.machines), *(kind.price for kind in catalog.disk_kinds)]
    return (price.region for price in prices if price is not None)


def _disks(
    catalog: Catalog, provider: str, disk: str | None, storage: Storage, need: Need
) -> tuple[list[tuple[DiskKind, DiskChoice]], list[str]]:
    """Return the cheapest disk of every kind that is enough, and why the other kinds are not."""
    chosen: list[tuple[DiskKind, DiskChoice]] = []
    refused: list[str] = []
    for kind in catalog.disk_kinds:
        if kind.provider != provider or (disk is not None and kind.kind != disk):
            continue
        if kind.media == "hdd":
            refused.append(f"{kind.kind} turns: etcd needs the short waits of an SSD")
            continue
        found = kind.smallest(storage.size_gib, need.concurrent_iops, need.disk_mb_per_second)
        if isinstance(found, str):
            refused.append(found)
        else:
            chosen.append((kind, found))
    if not chosen and not refused:
        refused.append(f"the catalog has no network disk {'' if disk is None else f'{disk} '}of {provider}")
    return chosen, refused


class _Found(NamedTuple):
    """A candidate before it is told whole: few of them are."""

    machine: Machine
    kind: DiskKind
    disk: DiskChoice
    usd_month: float | None
    concurrent_iops: float
    disk_mb_per_second: float
    excess: float

    @property
    def rank(self) -> tuple[object, ...]:
        """Known prices first, the lowest first; then the least excess."""
        machine = self.machine
        return (self.usd_month is None, self.usd_month or 0.0, self.excess, machine.provider, machine.machine_type)

    def told(self, need: Need, storage: Storage, region: str | None) -> Candidate:
        return Candidate(
            machine=self.machine,
            disk=self.disk,
            disk_reason=_disk_reason(self.kind, self.disk, need, storage),
            concurrent_iops=self.concurrent_iops,
            disk_mb_per_second=self.disk_mb_per_second,
            cost=Cost.of(self.machine.price, self.disk.usd_month, self.kind.price, region),
            excess=self.excess,
            recovery_seconds=recovery_seconds(need.data_bytes, self.disk_mb_per_second),
        )


def _found(machine: Machine, need: Need, chosen: Sequence[tuple[DiskKind, DiskChoice]], region: str | None) -> _Found:
    """Return a machine with the cheapest disk that it lets enough through to."""
    found: list[tuple[tuple[object, ...], DiskKind, DiskChoice, float | None]] = []
    for kind, choice in chosen:
        if through(machine, kind.kind, need) == ([], False):
            total, _ = monthly_total(machine.price, choice.usd_month, kind.price, region)
            # Where the total is unknown the disk's own price, of whatever region, still says which is cheapest.
            alone = (choice.usd_month is None, choice.usd_month or 0.0)
            found.append(((total is None, total or 0.0, *alone, len(found)), kind, choice, total))
    _, kind, choice, total = min(found, key=lambda one: one[0])
    limits = machine.limits_for(kind.kind)
    # All four are known: `through` and `smallest` have seen to it.
    iops, bandwidth = (
        min(float(cap), float(of))
        for cap, of in zip(limits, (choice.concurrent_iops, choice.disk_mb_per_second))
        if cap is not None and of is not None
    )
    has = (machine.vcpus, machine.memory_gib, *(float(cap) for cap in limits if cap is not None))
    excess = sum(figure / getattr(need, name) for name, figure in zip(FIGURES, has)) / len(FIGURES) - 1
    return _Found(machine, kind, choice, total, iops, bandwidth, excess)


def _disk_reason(kind: DiskKind, choice: DiskChoice, need: Need, storage: Storage) -> str:
    """Return why a disk is as large as it is, and what is provisioned for: the arithmetic of its kind."""
    held = storage.size_gib
    wanted = f"{number_text(need.concurrent_iops)} IOPS and {number_text(need.disk_mb_per_second)} MB/s"
    said = [f"{held} GiB hold the data"]
    if choice.size_gib > max(held, kind.min_size_gib or 0):
        said.append(f"{kind.kind} needs {choice.size_gib} GiB for {wanted}")
    elif choice.size_gib > held:
        said.append(f"{kind.kind} begins at {choice.size_gib} GiB")
    asked = []
    if choice.provisioned_iops is not None:
        included = "" if kind.included_iops is None else f", {number_text(kind.included_iops)} are included"
        asked.append(f"{number_text(choice.provisioned_iops)} IOPS are asked for{included}")
    if choice.provisioned_mb_per_second is not None:
        unit, most = choice.throughput_unit, kind.included_mb_per_second
        included = "" if most is None else f", {throughput_text(most, unit)} are included"
        asked.append(f"{throughput_text(choice.provisioned_mb_per_second, unit)} are asked for{included}")
    return "; ".join([*said, *asked])


def _local(machine: Machine, region: str | None) -> LocalCandidate:
    price = machine.price if machine.price is None or region in (None, machine.price.region) else None
    return LocalCandidate(
        machine=machine,
        usd_month=None if price is None else price.usd_month,
        region=None if price is None else price.region,
        date=None if price is None else price.date,
        label=f"{number_text(machine.local_nvme_gb or 0)} GB of local NVMe: shorter waits than any network disk, but "
        "what is on it is lost when the machine stops, and no catalog says its IOPS: measure",
    )


@functools.lru_cache(maxsize=16)
def fitted(catalog: Catalog, tiers: TierTable, arch: str | None = "x86_64") -> Catalog:
    """Return the catalog of the best machine and disk of every provider for every tier.

    Where none is enough, the catalog says why in `unfit`.

    Raises
    ------
    OptionError
        Where no provider has a machine that is enough for any tier; it says what the nearest one lacks.

    Examples
    --------
    >>> from etcdsize import load_tiers
    >>> best = fitted(load_catalog("current"), load_tiers("guide"))
    >>> best.machine_for("aws", "small").vcpus
    2
    """
    machines: list[Machine] = []
    unfit: list[Unfit] = []
    for provider in catalog.providers:
        for tier in tiers.names:
            answer = fit(need_for(tier, tiers=tiers), catalog, provider=provider, arch=arch, limit=1)
            if answer.candidates:
                machines.append(_with_disk(answer.best, tier))
            else:
                unfit.append(Unfit(provider=provider, tier=tier, reason=f"{provider}: {answer.why_none()}"))
    if not machines:
        raise OptionError(f"catalog: {unfit[0].reason}", option="catalog", value=catalog.name)
    return catalog.model_copy(update={"machines": tuple(machines), "unfit": tuple(unfit)})


def _with_disk(candidate: Candidate, tier: str) -> Machine:
    """Return a candidate as the machine of a tier: with its disk, the figures that a member gets, and the cost."""
    return candidate.machine.model_copy(
        update={
            "tier": tier,
            "disk": disk_of(candidate.disk),
            "concurrent_iops": candidate.concurrent_iops,
            "disk_mb_per_second": candidate.disk_mb_per_second,
            "disk_limits": (),
            "cost": candidate.cost,
        }
    )
