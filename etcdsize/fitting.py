"""What a tier needs, and the machines and disks that give it: cheapest first, and every other with its reason.

`fit` looks through a catalog; `fitted` gives the catalog of the best machine of every provider and tier, which `size`
and `size_fleet` use where a catalog has no tiers of its own. Only what is sustained counts: a burst never satisfies a
need. This module imports the models, never numpy.
"""

import functools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from etcdsize._model import Model, NotNegative, Positive
from etcdsize.disks import DiskChoice, DiskKind
from etcdsize.errors import OptionError, nearest, shown
from etcdsize.machines import Catalog, Cost, Disk, Machine, load_catalog, monthly_total
from etcdsize.notices import SUGGESTED_QUOTA_BYTES
from etcdsize.providers import provider_name
from etcdsize.sequential import SequentialDisk, sequential_disk
from etcdsize.storage import Storage, recovery_seconds, storage_for
from etcdsize.tiers import Tier, TierTable, load_tiers

__all__ = ["Candidate", "Fit", "LocalCandidate", "Nearest", "Need", "Rejected", "fit", "fitted", "need_for"]

FIGURES = ("vcpus", "memory_gib", "concurrent_iops", "disk_mb_per_second")
"""What a member needs, in the order of the guide's tables."""
_WORDS = {
    "vcpus": "vCPUs",
    "memory_gib": "GiB of memory",
    "concurrent_iops": "concurrent IOPS",
    "disk_mb_per_second": "MB/s of disk",
}
Reason = Literal[
    "too-little",
    "burst-only",
    "unknown-figure",
    "burstable",
    "shared-core",
    "bare-metal",
    "architecture",
    "local-disk-only",
    "family",
    "no-disk",
]


class Need(Model):
    """What every member of a cluster has to have."""

    tier: Annotated[str, Field(description="The tier.")]
    vcpus: Annotated[int, Field(strict=True, gt=0, description="[count]")]
    memory_gib: Annotated[Positive, Field(description="[GiB]")]
    concurrent_iops: Annotated[Positive, Field(description="Concurrent disk operations, sustained. [1/s]")]
    disk_mb_per_second: Annotated[Positive, Field(description="Disk bandwidth, sustained. [MB/s]")]
    data_bytes: Annotated[NotNegative, Field(description="The data that the disk has to hold. [bytes]")]
    source: Annotated[str, Field(description="Where the figures come from.")] = ""


class Candidate(Model):
    """A machine with a disk that are enough."""

    machine: Annotated[Machine, Field(description="The machine, as the catalog has it.")]
    disk: Annotated[DiskChoice, Field(description="The cheapest disk that is enough, with what to provision.")]
    disk_reason: Annotated[str, Field(description="Why the disk is as large, and what is provisioned for.")]
    concurrent_iops: Annotated[Positive, Field(description="What a member gets: the least of both. [1/s]")]
    disk_mb_per_second: Annotated[Positive, Field(description="Likewise. [MB/s]")]
    cost: Annotated[Cost, Field(description="What a member costs; unknown where a part is.")]
    excess: Annotated[
        NotNegative, Field(description="How far the machine is above the need, the four figures' mean share.")
    ]
    recovery_seconds: Annotated[
        NotNegative, Field(description="About how long the disk takes to recover a member with the data. [s]")
    ]

    def __str__(self) -> str:
        return f"{self.machine.machine_type} + {_disk_of(self.disk)}"


class LocalCandidate(Model):
    """A machine whose local NVMe disks could take the place of a network disk: faster, and gone with the machine."""

    machine: Annotated[Machine, Field(description="The machine, as the catalog has it.")]
    usd_month: Annotated[NotNegative | None, Field(description="The machine, 730 hours. [US dollars] None: unknown.")]
    label: Annotated[str, Field(description="What to beware of.")]


class Rejected(Model):
    """A machine that is no candidate, and why."""

    provider: Annotated[str, Field(description="Who sells it.")]
    machine_type: Annotated[str, Field(description="The provider's name for it.")]
    code: Annotated[Reason, Field(description="The reason, for programs.")]
    reason: Annotated[str, Field(description="The reason, in words: how much of what is missing.")]


class Nearest(Model):
    """The machine that comes nearest where none is enough."""

    machine: Annotated[Machine, Field(description="The machine, as the catalog has it.")]
    missing: Annotated[str, Field(description="What it lacks.")]


class Fit(Model):
    """The machines that are enough, cheapest first, and every other machine with its reason.

    `len(candidates)` is at most the limit that was asked for; `feasible` counts all that are enough. Candidates and
    rejected machines together, `feasible + len(rejected)`, are the machines of the providers asked.
    """

    need: Annotated[Need, Field(description="What every member has to have.")]
    storage: Annotated[Storage, Field(description="How the size of the disk was worked out.")]
    candidates: Annotated[tuple[Candidate, ...], Field(description="By monthly price, unknown prices last.")]
    feasible: Annotated[int, Field(ge=0, description="How many machines are enough.")]
    rejected: Annotated[tuple[Rejected, ...], Field(description="The others, in the catalog's order.")]
    local: Annotated[
        tuple[LocalCandidate, ...], Field(description="Alternatives with local NVMe, cheapest first; never counted.")
    ]
    nearest: Annotated[Nearest | None, Field(description="What comes nearest, where nothing is enough.")]
    sequential: Annotated[SequentialDisk, Field(description="What no figure of a catalog says: fsync, and fio.")]
    catalog: Annotated[str, Field(description="The name of the catalog.")]

    @property
    def best(self) -> Candidate:
        """The first candidate.

        Raises
        ------
        OptionError
            Where there is none; it says what the nearest machine lacks.
        """
        if not self.candidates:
            raise OptionError(f"fit: {self.why_none()}", option="catalog", value=self.catalog)
        return self.candidates[0]

    def why_none(self) -> str:
        """Return why nothing is enough."""
        asked = f"no machine of the catalog {shown(self.catalog)} is enough for the tier {shown(self.need.tier)}"
        if self.nearest is None:
            reasons = {rejected.code for rejected in self.rejected}
            return f"{asked}: {', '.join(sorted(reasons)) or 'it has none of the providers asked'}"
        return f"{asked}; the nearest, {self.nearest.machine.machine_type}, lacks {self.nearest.missing}"


def need_for(tier: str, *, tiers: str | Path | TierTable = "guide") -> Need:
    """Return what a member of a tier has to have, whatever the provider.

    It is the least that the guide itself calls enough: its GCE row, which in no figure exceeds its AWS row.

    Parameters
    ----------
    tier : str
        The tier's name.
    tiers : str, Path or TierTable
        The table that says for how much data the tier is. The open tier is for the 8 GiB that etcd suggests at most.

    Raises
    ------
    OptionError
        For a tier that the table or the guide does not have.

    Examples
    --------
    >>> need = need_for("medium")
    >>> need.vcpus, need.memory_gib, need.concurrent_iops, need.disk_mb_per_second
    (4, 15, 4500, 75)
    """
    table = tiers if isinstance(tiers, TierTable) else load_tiers(tiers)
    found: Tier | None = next((known for known in table.tiers if known.name == tier), None)
    rows = {row.tier: row for row in load_catalog("guide").machines if row.provider == "gce" and row.tier}
    if found is None or tier not in rows:
        names = table.names if found is None else tuple(filter(None, rows))
        raise OptionError(
            f"tier: got {shown(tier)}, expected one that "
            f"{f'the table {shown(table.name)} has' if found is None else 'the guide has a machine for'}: "
            f"{', '.join(names)}{nearest(str(tier), names)}; or give a Need",
            option="tier",
            value=tier,
        )
    row = rows[tier]
    if row.concurrent_iops is None or row.disk_mb_per_second is None:  # pragma: no cover - the guide prints both
        raise OptionError(f"tier: the guide gives no disk figures for {shown(tier)}", option="tier", value=tier)
    return Need(
        tier=tier,
        vcpus=row.vcpus,
        memory_gib=row.memory_gib,
        concurrent_iops=row.concurrent_iops,
        disk_mb_per_second=row.disk_mb_per_second,
        data_bytes=found.data_bytes.limit if found.data_bytes is not None else SUGGESTED_QUOTA_BYTES,
        source=row.source,
    )


def fit(
    what: "str | Need | object",
    catalog: str | Path | Catalog = "current",
    *,
    provider: str | Iterable[str] | None = None,
    arch: str | None = "x86_64",
    family: str | Iterable[str] | None = None,
    region: str | None = None,
    disk: str | None = None,
    limit: int | None = 5,
) -> Fit:
    """Return the machines that are enough for a tier or a sizing, cheapest first, and why the others are not.

    Parameters
    ----------
    what : str, Sizing or Need
        A tier of the guide by name, the answer of `size`, or a need of your own.
    catalog : str, Path or Catalog
        The machines and disks: `"current"`, a file, or a catalog.
    provider : str or iterable of str, optional
        aws, azure, gce (gcp, google). None is every provider of the catalog.
    arch : {"x86_64", "arm64"} or None
        None is both. An arm64 machine needs images of its own, so it has to be asked for.
    family : str or iterable of str, optional
        The provider's names of families, such as m8i. None is all.
    region : str, optional
        Prices of other regions are unknown. None takes every price as it stands.
    disk : str, optional
        The kind of network disk, such as gp3. None is the cheapest that is enough.
    limit : int, optional
        How many candidates to return at most; None for all.

    Raises
    ------
    OptionError
        For a tier, a provider, a family or a kind of disk that is not known, and for a limit below 1.

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
    need = _need_of(what)
    catalog = catalog if isinstance(catalog, Catalog) else load_catalog(catalog)
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise OptionError(
            f"limit: got {shown(limit)}, expected an integer of 1 or more, or None", option="limit", value=limit
        )
    providers = _providers(catalog, provider)
    families = None if family is None else ((family,) if isinstance(family, str) else tuple(family))
    _check_arch(arch)
    if families is not None:
        known = sorted({machine.family for machine in catalog.machines if machine.family is not None})
        for name in families:
            if name not in known:
                raise OptionError(
                    f"family: got {shown(name)}, expected one of the catalog {shown(catalog.name)}"
                    + nearest(str(name), known),
                    option="family",
                    value=name,
                )
    storage = storage_for(need.data_bytes)
    kinds = {name: _disks(catalog, name, disk, storage, need) for name in providers}
    if disk is not None and not any(chosen or refused for chosen, refused in kinds.values()):
        for name in providers:
            catalog.disk_kind(name, disk)

    candidates: list[_Found] = []
    rejected: list[Rejected] = []
    local: list[LocalCandidate] = []
    short: list[tuple[float, Machine, str]] = []
    for machine in catalog.machines:
        if machine.provider not in providers:
            continue
        found = _filtered(machine, arch, families) or _unfit(machine)
        if found is None:
            if machine.local_nvme_gb and not _lacks(machine, need, FIGURES[:2]):
                local.append(_local(machine, region))
            chosen, refused = kinds[machine.provider]
            found, distance = _judged(machine, need, chosen, refused)
            if found is None:
                candidates.append(_found(machine, need, chosen, region))
                continue
            if distance is not None:
                short.append((distance, machine, found[1]))
        rejected.append(
            Rejected(provider=machine.provider, machine_type=machine.machine_type, code=found[0], reason=found[1])
        )
    candidates.sort(key=lambda one: one.rank)
    local.sort(key=lambda one: (one.usd_month is None, one.usd_month or 0, one.machine.machine_type))
    closest = min(short, key=lambda one: (one[0], one[1].machine_type), default=None)
    return Fit(
        need=need,
        storage=storage,
        candidates=tuple(one.told(need, region) for one in candidates[:limit]),
        feasible=len(candidates),
        rejected=tuple(rejected),
        local=tuple(local[:limit]),
        nearest=None if candidates or closest is None else Nearest(machine=closest[1], missing=closest[2]),
        sequential=sequential_disk(need.tier),
        catalog=catalog.name,
    )


def _need_of(what: object) -> Need:
    if isinstance(what, Need):
        return what
    if isinstance(what, str):
        return need_for(what)
    tier, tiers, workload = (getattr(what, name, None) for name in ("tier", "tiers", "workload"))
    if not isinstance(tier, str) or not isinstance(tiers, str):
        raise OptionError(
            f"what: got {shown(what)} of type {type(what).__name__}, expected a tier's name, a Sizing or a Need",
            option="what",
            value=what,
        )
    need = need_for(tier)
    data = getattr(workload, "data_bytes", None)
    if data is not None and data > need.data_bytes:
        need = need.model_copy(update={"data_bytes": data})
    return need


def _check_arch(arch: str | None) -> None:
    if arch not in (None, "x86_64", "arm64"):
        raise OptionError(
            f"arch: got {shown(arch)}, expected x86_64, arm64 or None for both", option="arch", value=arch
        )


def _providers(catalog: Catalog, provider: str | Iterable[str] | None) -> tuple[str, ...]:
    if provider is None:
        return catalog.providers
    names = (provider,) if isinstance(provider, str) else tuple(provider)
    found = tuple(dict.fromkeys(map(provider_name, names)))
    for name in found:
        if name not in catalog.providers:
            raise OptionError(
                f"provider: got {shown(name)}, expected one of the catalog {shown(catalog.name)}: "
                f"{', '.join(catalog.providers)}",
                option="provider",
                value=name,
            )
    return found


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
    return chosen, refused


def _filtered(machine: Machine, arch: str | None, families: Sequence[str] | None) -> tuple[Reason, str] | None:
    """Return why a machine is not what was asked for."""
    if families is not None and machine.family not in families:
        return "family", f"is of the family {machine.family or 'unknown'}, asked for {', '.join(families)}"
    if arch is not None and machine.arch != arch:
        return "architecture", f"is {machine.arch or 'of an unknown architecture'}, asked for {arch}"
    return None


def _unfit(machine: Machine) -> tuple[Reason, str] | None:
    """Return why etcd should not run on a machine, whatever the load."""
    if machine.bare_metal:
        return "bare-metal", "is a whole server"
    if machine.shared_core:
        return "shared-core", "shares its cores with others"
    if machine.burstable:
        return "burstable", "has its full CPU only for a while"
    return None


def _lacks(machine: Machine, need: Need, figures: Iterable[str]) -> list[tuple[str, float, float]]:
    """Return the figures of which a machine has too little: what it has, what is needed."""
    found = ((name, getattr(machine, name), getattr(need, name)) for name in figures)
    return [(name, has, wanted) for name, has, wanted in found if has is not None and has < wanted]


def _judged(
    machine: Machine, need: Need, chosen: Sequence[tuple[DiskKind, DiskChoice]], refused: Sequence[str]
) -> tuple[tuple[Reason, str] | None, float | None]:
    """Return why a machine is not enough, None where it is; and how far it is from enough, where that is known."""
    short = _lacks(machine, need, FIGURES[:2])
    if not chosen:
        reason = "; ".join(refused) or f"the catalog has no network disk of {machine.provider}"
        return ("no-disk", reason), None
    # The kind that the machine lets most through to: all its figures, then the least that is missing.
    kinds = [(_through(machine, kind.kind, need), kind.kind) for kind, _ in chosen]
    unknown = all(missing is None for missing, _ in kinds)
    best = min((missing for missing, _ in kinds if missing is not None), key=_distance, default=[])
    short += best
    if short:
        code: Reason = "too-little"
        if len(short) == len(best) and all(_bursts(machine, name, wanted) for name, _, wanted in best):
            code = "burst-only"
        text = ", ".join(
            f"{_number(wanted - has)} {_WORDS[name]} ({_number(has)} of {_number(wanted)}"
            f"{', more only in a burst' if _bursts(machine, name, wanted) else ''})"
            for name, has, wanted in short
        )
        return (code, text), _distance(short)
    if unknown:
        if machine.local_nvme_gb:
            return ("local-disk-only", "what it lets through to network disks is unknown; it has local NVMe"), None
        return ("unknown-figure", "what it lets through to network disks is unknown"), None
    return None, None


def _through(machine: Machine, kind: str, need: Need) -> list[tuple[str, float, float]] | None:
    """Return what a machine lacks with one kind of disk, None where a figure is unknown."""
    limits = machine.limits_for(kind)
    if None in limits:
        return None
    wanted = (need.concurrent_iops, need.disk_mb_per_second)
    return [
        (name, has, asked) for name, has, asked in zip(FIGURES[2:], limits, wanted) if has is not None and has < asked
    ]


def _bursts(machine: Machine, figure: str, wanted: float) -> bool:
    most = getattr(machine, f"burst_{figure}", None)
    return most is not None and most >= wanted


def _distance(short: Sequence[tuple[str, float, float]]) -> float:
    return sum(1 - has / wanted for _, has, wanted in short)


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

    def told(self, need: Need, region: str | None) -> Candidate:
        return Candidate(
            machine=self.machine,
            disk=self.disk,
            disk_reason=_disk_reason(self.kind, self.disk, need),
            concurrent_iops=self.concurrent_iops,
            disk_mb_per_second=self.disk_mb_per_second,
            cost=Cost.of(self.machine.price, self.disk.usd_month, self.kind.price, region),
            excess=self.excess,
            recovery_seconds=recovery_seconds(need.data_bytes, self.disk_mb_per_second),
        )


def _found(machine: Machine, need: Need, chosen: Sequence[tuple[DiskKind, DiskChoice]], region: str | None) -> _Found:
    """Return a machine with the cheapest disk that it lets enough through to."""
    found: list[tuple[bool, float, bool, int, DiskKind, DiskChoice, float | None]] = []
    for kind, choice in chosen:
        if _through(machine, kind.kind, need) == []:
            total, _ = monthly_total(machine.price, choice.usd_month, kind.price, region)
            found.append((total is None, total or 0.0, choice.usd_month is None, len(found), kind, choice, total))
    *_, kind, choice, total = min(found)
    # All four are known: `_through` and `smallest` have seen to it.
    iops, bandwidth = (
        min(float(cap), float(of))
        for cap, of in zip(machine.limits_for(kind.kind), (choice.concurrent_iops, choice.disk_mb_per_second))
        if cap is not None and of is not None
    )
    has = (machine.vcpus, machine.memory_gib, iops, bandwidth)
    excess = sum(figure / getattr(need, name) for name, figure in zip(FIGURES, has)) / len(FIGURES) - 1
    return _Found(machine, kind, choice, total, iops, bandwidth, excess)


def _disk_reason(kind: DiskKind, choice: DiskChoice, need: Need) -> str:
    """Return why a disk is as large as it is, and what is provisioned for: the arithmetic of its kind."""
    held = storage_for(need.data_bytes).size_gib
    wanted = f"{_number(need.concurrent_iops)} IOPS and {_number(need.disk_mb_per_second)} MB/s"
    said = [f"{held} GiB hold the data"]
    if choice.size_gib > max(held, kind.min_size_gib or 0):
        said.append(f"{kind.kind} needs {choice.size_gib} GiB for {wanted}")
    elif choice.size_gib > held:
        said.append(f"{kind.kind} begins at {choice.size_gib} GiB")
    asked = [
        f"{_number(value)} {unit} are asked for{'' if included is None else f', {_number(included)} are included'}"
        for value, unit, included in (
            (choice.provisioned_iops, "IOPS", kind.included_iops),
            (choice.provisioned_mb_per_second, "MB/s", kind.included_mb_per_second),
        )
        if value is not None
    ]
    return "; ".join([*said, *asked])


def _local(machine: Machine, region: str | None) -> LocalCandidate:
    price = machine.price if machine.price is None or region in (None, machine.price.region) else None
    return LocalCandidate(
        machine=machine,
        usd_month=None if price is None else price.usd_month,
        label=f"{_number(machine.local_nvme_gb or 0)} GB of local NVMe: shorter waits than any network disk, but what "
        "is on it is lost when the machine stops, and no catalog says its IOPS: measure",
    )


def _number(value: float) -> str:
    return f"{round(value, 2):g}" if value < 1e6 else f"{value:.0f}"


def _disk_of(choice: DiskChoice) -> Disk:
    return Disk(
        kind=choice.kind,
        size_gb=choice.size_gib,
        provisioned_iops=choice.provisioned_iops,
        provisioned_mb_per_second=choice.provisioned_mb_per_second,
    )


@functools.lru_cache(maxsize=16)
def fitted(catalog: Catalog, tiers: TierTable, arch: str = "x86_64") -> Catalog:
    """Return the catalog of the best machine and disk of every provider for every tier.

    Raises
    ------
    OptionError
        Where no provider has a machine that is enough for every tier; it says what the nearest one lacks.

    Examples
    --------
    >>> from etcdsize import load_tiers
    >>> best = fitted(load_catalog("current"), load_tiers("guide"))
    >>> best.machine_for("aws", "small").vcpus
    2
    """
    machines: list[Machine] = []
    refused: list[str] = []
    for provider in catalog.providers:
        found: list[Machine] = []
        for tier in tiers.names:
            answer = fit(need_for(tier, tiers=tiers), catalog, provider=provider, arch=arch, limit=1)
            if not answer.candidates:
                refused.append(f"{provider}: {answer.why_none()}")
                break
            found.append(_with_disk(answer.best, tier))
        else:
            machines += found
    if not machines:
        raise OptionError(f"catalog: {'; '.join(refused)}", option="catalog", value=catalog.name)
    return catalog.model_copy(update={"machines": tuple(machines)})


def _with_disk(candidate: Candidate, tier: str) -> Machine:
    """Return a candidate as the machine of a tier: with its disk, the figures that a member gets, and the cost."""
    return candidate.machine.model_copy(
        update={
            "tier": tier,
            "disk": _disk_of(candidate.disk),
            "concurrent_iops": candidate.concurrent_iops,
            "disk_mb_per_second": candidate.disk_mb_per_second,
            "disk_limits": (),
            "cost": candidate.cost,
        }
    )
