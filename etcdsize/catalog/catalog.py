"""Catalogs: sets of machines and of the network disks that go with them."""

import functools
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import Field, model_validator

from etcdsize.base.checks import list_of, names_of, text_of
from etcdsize.base.model import Answer, DateOrEmpty, Model, Name
from etcdsize.base.text import nearest, shown
from etcdsize.catalog.architectures import architecture_name
from etcdsize.catalog.disks import DiskKind, DiskKindPrice
from etcdsize.catalog.machines import Machine, MachinePrice
from etcdsize.catalog.providers import Provider, find_provider, known_providers, provider_name
from etcdsize.catalog.repricing import at_prices_of, with_prices
from etcdsize.errors import OptionError, TableError

__all__ = ["Catalog", "Unfit", "check_machines_of", "check_names", "why_no_machine"]

# Rows are coded in a byte, in which some codes mean no provider.
_MOST_PROVIDERS = 250


class Unfit(Model):
    """A tier for which a provider in a catalog has no machine that is enough."""

    provider: Annotated[str, Field(description="The provider.")]
    tier: Annotated[str, Field(description="The tier.")]
    reason: Annotated[str, Field(description="Why none is enough, and what the nearest one lacks.")]


class Catalog(Answer):
    """A set of machines, and the kinds of network disks that go with them.

    Raises
    ------
    TableError
        Where a machine or a kind of disk appears more than once, or a provider has more than one machine for a tier.
    """

    name: Annotated[Name, Field(description="The catalog's name.")]
    title: Annotated[str, Field(description="What the catalog is, in one line.")] = ""
    source: Annotated[str, Field(description="Where the figures come from.")] = ""
    date: Annotated[DateOrEmpty, Field(description="When the source was read, written like 2026-11-25.")] = ""
    default_providers: Annotated[
        tuple[Provider, ...],
        Field(description="The providers that an answer is for if none is named. Empty: all of them."),
    ] = ()
    machines: Annotated[tuple[Machine, ...], Field(min_length=1, description="In the source's order.")]
    disk_kinds: Annotated[tuple[DiskKind, ...], Field(description="The rules of network disks.")] = ()
    regions: Annotated[
        dict[str, str],
        Field(description="The region of all prices of a provider, where one was asked for, by provider."),
    ] = Field(default_factory=dict)
    unfit: Annotated[
        tuple[Unfit, ...],
        Field(description="Tiers without a machine that is enough, in a catalog made by fitting machines to tiers."),
    ] = ()

    @model_validator(mode="after")
    def _check(self) -> "Catalog":
        rows: dict[tuple[str, str, str], int] = {}
        for row, machine in enumerate(self.machines, 1):
            keys = [("machine_type", machine.machine_type)]
            if machine.tier is not None:
                keys.append(("tier", machine.tier))
            for field, value in keys:
                key = (machine.provider, field, value)
                if key in rows:
                    raise TableError(
                        f"got {machine.provider} {shown(value)}, which is also in row {rows[key]}; "
                        "expected each machine once, and one machine of a provider for each tier",
                        row=row,
                        field=field,
                    )
                rows[key] = row
        has = self.providers
        if len(has) > _MOST_PROVIDERS:
            raise TableError(f"got {len(has)} providers, expected at most {_MOST_PROVIDERS}", field="machines")
        for name in self.default_providers:
            if name not in has:
                raise TableError(
                    f"got {shown(name)}, expected providers whose machines the catalog has", field="default_providers"
                )
        counts = Counter((kind.provider, kind.kind) for kind in self.disk_kinds)
        for (provider, name), count in counts.items():
            if count > 1:
                raise TableError(
                    f"got {provider} {shown(name)} more than once, expected each kind of disk once",
                    field="disk_kinds",
                )
        return self

    def __hash__(self) -> int:
        # Equal catalogs have equal names and numbers, and hashing every field would cost more than a sizing.
        return hash((self.name, len(self.machines), *self.regions.items()))

    @property
    def providers(self) -> tuple[str, ...]:
        """The providers whose machines the catalog has, in alphabetical order."""
        found = {machine.provider for machine in self.machines}
        return tuple(sorted(found.union(unfit.provider for unfit in self.unfit)))

    @property
    def has_tiers(self) -> bool:
        """Whether the catalog assigns machines to tiers."""
        return bool(self.unfit or _by_tier(self))

    def machine(self, provider: str, machine_type: str) -> Machine:
        """Return a machine by the provider's name for it.

        The catalog `current` also knows the types that people run and that it does not offer, such as burstable ones.

        Raises
        ------
        OptionError
            Where the catalog has none of that name. The message suggests the nearest name.

        Examples
        --------
        >>> from etcdsize import load_catalog
        >>> load_catalog("current").machine("aws", "m8i.large").memory_gib
        8
        """
        provider, machine_type = _provider(provider), text_of("machine_type", machine_type)
        machines = {machine.machine_type: machine for machine in self.machines if machine.provider == provider}
        if machine_type not in machines and self.name == "current":
            known = self.find_known_type(machine_type, (provider,))
            if known is not None:
                return known
        if machine_type not in machines:
            raise OptionError(
                f"machine_type: got {shown(machine_type)}, which is not among the {provider} machines in the catalog "
                f"{shown(self.name)}{nearest(str(machine_type), machines)}",
                option="machine_type",
                value=machine_type,
            )
        return machines[machine_type]

    def find_known_type(self, machine_type: str, providers: Iterable[str]) -> Machine | None:
        """Return a machine type that people run, whether or not the catalog offers it; None if nobody knows it."""
        # Imported here because few callers need it.
        from etcdsize.catalog.known_types import known_machine

        known = known_machine(text_of("machine_type", machine_type), names_of("providers", providers))
        return None if known is None else at_prices_of(self.regions, known)

    def with_known_types(self, machine_types: Iterable[str]) -> "Catalog":
        """Return the catalog with those of some types besides that its providers have and that it does not offer.

        Examples
        --------
        >>> from etcdsize import load_catalog
        >>> more = load_catalog("current").with_known_types(["t3.medium"])
        >>> more.machines[-1].burstable
        True
        """
        # Imported here because few callers need it.
        from etcdsize.catalog.known_types import type_key

        has = {type_key(machine.machine_type, of) for machine in self.machines for of in (None, machine.provider)}
        wanted = dict.fromkeys(map(type_key, names_of("machine_types", machine_types)))
        found = (self.find_known_type(name, self.providers) for name in wanted if name not in has)
        return self.model_copy(
            update={"machines": (*self.machines, *(machine for machine in found if machine is not None))}
        )

    def disk_kind(self, provider: str, kind: str) -> DiskKind:
        """Return the rule of a kind of network disk.

        Raises
        ------
        OptionError
            Where the catalog has none of that name. The message lists those that it has.

        Examples
        --------
        >>> from etcdsize import load_catalog
        >>> load_catalog("current").disk_kind("aws", "gp3").included_iops
        3000
        """
        provider, kind = _provider(provider), text_of("kind", kind)
        kinds = {found.kind: found for found in self.disk_kinds if found.provider == provider}
        if kind not in kinds:
            has = ", ".join(kinds) or "none"
            raise OptionError(
                f"disk kind: got {shown(kind)}, expected one of the {provider} disks in the catalog "
                f"{shown(self.name)}: {has}{nearest(str(kind), kinds)}",
                option="kind",
                value=kind,
            )
        return kinds[kind]

    def merge(self, prices: Iterable[MachinePrice | DiskKindPrice]) -> "Catalog":
        """Return the catalog with these prices instead of its own; the other machines and disks keep their prices.

        Raises
        ------
        TableError
            For a type or a kind of disk that the catalog does not have, or that two providers have, and for one with
            two prices. The message names the row.

        Examples
        --------
        >>> from etcdsize import MachinePrice, Price, load_catalog
        >>> price = Price(per_hour=0.09, currency="USD", region="eu-west-1", date="2026-11-01")
        >>> prices = [MachinePrice(machine_type="m8i.large", price=price)]
        >>> load_catalog("current").merge(prices).machine("aws", "m8i.large").price.per_hour
        0.09
        """
        machines, kinds = with_prices(self.name, self.machines, self.disk_kinds, list_of("prices", prices))
        return self.model_copy(update={"machines": machines, "disk_kinds": kinds})

    @property
    def price_regions(self) -> dict[str, tuple[str, ...]]:
        """The regions in which the catalog has prices, by provider."""
        own: dict[str, dict[str, None]] = {}
        rows: tuple[Machine | DiskKind, ...] = (*self.machines, *self.disk_kinds)
        for row in rows:
            if row.price is not None:
                own.setdefault(row.provider, {})[row.price.region] = None
        return {provider: tuple(regions) for provider, regions in own.items()}

    def in_region(self, region: str | Iterable[str], providers: Sequence[str] | None = None) -> "Catalog":
        """Return the catalog at the prices of a region of a provider, or of a region each of several providers.

        A price that the catalog has in that region stays. The others become those of the published lists, and unknown
        where there is none. The machines and disks of other providers keep their prices.

        Parameters
        ----------
        region : str or iterable of str
            Such as `"eu-west-1"`, or `"aws=eu-west-1"` with the provider, if several have a region of that name.
        providers : sequence of str, optional
            The providers of which it may be a region. None tries those of the catalog first, and then all others.

        Raises
        ------
        OptionError
            For a region that no provider has, with the nearest name, that several have, or of a provider of which the
            catalog has no machines; and for two regions of one provider.

        Examples
        --------
        >>> from etcdsize import load_catalog
        >>> frankfurt = load_catalog("current").in_region("eu-central-1")
        >>> frankfurt.machine("aws", "m6a.large").price.per_hour, frankfurt.regions
        (0.1035, {'aws': 'eu-central-1'})
        """
        names = None if providers is None else tuple(map(provider_name, names_of("providers", providers)))
        regions = self._regions_named(region, names)
        check_machines_of(self, regions)
        return self._at_prices_of(regions)

    def _regions_named(self, region: str | Iterable[str], providers: Sequence[str] | None) -> dict[str, str]:
        # Imported here because most answers are about no region.
        from etcdsize.catalog.regions import regions_of

        return regions_of(region, providers, self.default_providers or self.providers, self.price_regions)

    def _at_prices_of(self, regions: dict[str, str]) -> "Catalog":
        return self.model_copy(
            update={
                "machines": tuple(at_prices_of(regions, machine) for machine in self.machines),
                "disk_kinds": tuple(at_prices_of(regions, kind) for kind in self.disk_kinds),
                "regions": {**self.regions, **regions},
            }
        )

    def restrict(
        self,
        machine_types: str | Iterable[str] | None = None,
        families: str | Iterable[str] | None = None,
        architectures: str | Iterable[str] | None = None,
    ) -> "Catalog":
        """Return the catalog with only the machines that match each of the given lists.

        Parameters
        ----------
        machine_types, families, architectures : str or iterable of str, optional
            Names as the catalog writes them; None for all. amd64 means x86_64, and aarch64 means arm64.

        Raises
        ------
        OptionError
            For a name that no machine in the catalog has, with the nearest one, and where no machine is left.

        Examples
        --------
        >>> from etcdsize import load_catalog
        >>> small = load_catalog("current").restrict(families=["m8i", "m9g"], architectures="x86_64")
        >>> [machine.machine_type for machine in small.machines][:2]
        ['m8i.large', 'm8i.xlarge']
        """
        left = self.machines
        conditions = []
        for option, names, field in (
            ("machine_types", machine_types, "machine_type"),
            ("families", families, "family"),
            ("architectures", architectures, "arch"),
        ):
            if names is None:
                continue
            wanted = names_of(option, names)
            if field == "arch":
                wanted = tuple(map(architecture_name, wanted))
            if not wanted:
                raise OptionError(f"{option}: got no name, expected one or more", option=option, value=wanted)
            check_names(self, option, wanted, {getattr(machine, field) for machine in self.machines})
            left = tuple(machine for machine in left if getattr(machine, field) in wanted)
            conditions.append(f"{option} {', '.join(wanted)}")
        if not left:
            raise OptionError(
                f"catalog: {shown(self.name)} has no machine that matches all of these: {'; '.join(conditions)}",
                option="catalog",
                value=self.name,
            )
        return _with_machines(self, left)

    def find_for(self, provider: str, tier: str) -> Machine | None:
        """Return a provider's machine for a tier, or None if the catalog does not have one.

        Raises
        ------
        OptionError
            For a provider or a tier that is not text.
        """
        return _by_tier(self).get((_provider(provider), text_of("tier", tier)))

    def machine_for(self, provider: str, tier: str) -> Machine:
        """Return a provider's machine for a tier.

        Raises
        ------
        OptionError
            If the catalog does not have one, or if the provider or the tier is not text.
        """
        machine = self.find_for(provider, tier)
        if machine is None:
            raise OptionError(f"catalog: {why_no_machine(self, provider, tier)}", option="catalog", value=self.name)
        return machine


def _provider(name: str) -> str:
    """Return the provider that a name means, or what is no name as it is: no catalog has it."""
    return find_provider(text_of("provider", name)) or name


def _with_machines(catalog: Catalog, machines: tuple[Machine, ...]) -> Catalog:
    """Return a catalog with some of its machines."""
    left = {machine.provider for machine in machines}
    default = tuple(name for name in catalog.default_providers if name in left)
    return catalog.model_copy(update={"machines": machines, "default_providers": default})


def check_names(catalog: Catalog, option: str, wanted: Iterable[str], known: Iterable[str | None]) -> None:
    """Reject a name that is not among those known in a catalog."""
    found = {name for name in known if name is not None}
    for name in wanted:
        if not isinstance(name, str) or name not in found:
            names = sorted(found)
            some = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
            own = f"one of the catalog {shown(catalog.name)}: {some}"
            none = f"no value: the catalog {shown(catalog.name)} does not give any"
            raise OptionError(
                f"{option}: got {shown(name)}, expected {own if names else none}{nearest(str(name), names)}",
                option=option,
                value=name,
            )


def check_machines_of(catalog: Catalog, names: Iterable[str]) -> None:
    """Reject a provider of which a catalog has no machines."""
    for name in names:
        if name in catalog.providers:
            continue
        has = known_providers() if catalog.name == "current" else catalog.providers
        hint = "; to add machines of another, make a catalog with etcdsize catalog import"
        if name in known_providers():
            hint = f'; the catalog "current" has machines of {name} (--catalog current)'
        raise OptionError(
            f"provider: got {shown(name)}, expected one of the catalog {shown(catalog.name)}: {', '.join(has)}{hint}",
            option="provider",
            value=name,
        )


def why_no_machine(catalog: Catalog, provider: str, tier: str) -> str:
    """Return why a catalog has no machine of a provider for a tier."""
    for unfit in catalog.unfit:
        if (unfit.provider, unfit.tier) == (provider, tier):
            return unfit.reason
    tiers = [tier for (name, tier) in _by_tier(catalog) if name == provider]
    has = f"it has machines for {', '.join(tiers)}" if tiers else f"it assigns no {provider} machine to a tier"
    return f"the catalog {shown(catalog.name)} has no {provider} machine for the tier {shown(tier)}; {has}"


@functools.lru_cache(maxsize=64)
def _by_tier(catalog: Catalog) -> dict[tuple[str, str], Machine]:
    return {(machine.provider, machine.tier): machine for machine in catalog.machines if machine.tier is not None}
