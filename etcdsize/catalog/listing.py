"""From the entries of a provider's own listing to a catalog, and what became of each entry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import Field, model_validator

from etcdsize.base.model import Model
from etcdsize.base.text import shown
from etcdsize.catalog.catalog import Catalog
from etcdsize.catalog.entries import GET_THE_LIST, Entry, counted
from etcdsize.catalog.machines import Machine
from etcdsize.catalog.provider_file import read_provider
from etcdsize.catalog.providers import known_providers
from etcdsize.errors import TableError

__all__ = ["Dropped", "Imported", "NotOffered", "collect", "combine"]

# The figures that most lists do not have.
_OF_THE_DISK = ("concurrent_iops", "disk_mb_per_second", "burst_concurrent_iops", "burst_disk_mb_per_second")
# How a machine's CPU may be shared, which most lists do not say.
_SHARED = ("burstable", "flex", "shared_core")
Count = Annotated[int, Field(strict=True, ge=0)]


class Dropped(Model):
    """An entry of a listing that did not become a machine, and the reason."""

    machine_type: Annotated[str, Field(description="The provider's name for it.")]
    reason: Annotated[str, Field(description="What the entry lacks, or why the machine cannot be had.")]


class NotOffered(NamedTuple):
    """Why a machine that an entry describes in full cannot be had, or cannot run etcd."""

    reason: str


class Imported(Model):
    """A provider's own listing as a catalog, and what became of each entry.

    Raises
    ------
    TableError
        Unless each entry was imported, was dropped, is not offered, or repeats an earlier one.
    """

    catalog: Annotated[Catalog, Field(description="The machines, with the rules of the provider's network disks.")]
    dropped: Annotated[tuple[Dropped, ...], Field(description="Entries that do not describe a usable machine.")] = ()
    not_offered: Annotated[
        tuple[Dropped, ...],
        Field(description="Entries of machines that cannot be had, such as sold-out ones, or cannot run etcd."),
    ] = ()
    found: Annotated[Count, Field(description="Entries in the listing. [count]")]
    repeats: Annotated[Count, Field(description="Entries that repeat an earlier one. [count]")] = 0
    pages: Annotated[Count, Field(description="Pages of the listing. [count]")] = 1
    continued: Annotated[Count, Field(description="Pages that announce another one. [count]")] = 0

    @model_validator(mode="after")
    def _check(self) -> Imported:
        if self.imported + len(self.dropped) + len(self.not_offered) + self.repeats != self.found:
            raise TableError(
                f"got {self.found}, expected the sum of the entries that were imported, were dropped, are not offered "
                "and are repeated",
                field="found",
            )
        return self

    @property
    def imported(self) -> int:
        """How many machines were imported."""
        return len(self.catalog.machines)

    @property
    def truncated(self) -> bool:
        """Whether pages are missing: every page announces another one."""
        return self.continued >= self.pages


def collect(
    entries: Sequence[Entry],
    machine_of: Callable[[Entry], Machine | NotOffered | str],
    *,
    provider: str,
    command: str,
    date: str,
    pages: int,
    continued: int = 0,
) -> Imported:
    """Return the machines of a listing's entries.

    `machine_of` makes a machine of one, or returns why it cannot. What a listing does not say of a machine comes
    from our own row of the same type, if that has the same vCPUs and memory.
    """
    machines: dict[str, Machine] = {}
    rows: dict[str, int] = {}
    dropped: list[Dropped] = []
    not_offered: list[Dropped] = []
    ours = _Ours(provider)
    for entry in entries:
        machine = machine_of(entry)
        if isinstance(machine, str):
            dropped.append(Dropped(machine_type=entry.machine_type, reason=machine))
            continue
        if isinstance(machine, NotOffered):
            not_offered.append(Dropped(machine_type=entry.machine_type, reason=machine.reason))
            continue
        machine = ours.complete(machine.model_copy(update={"provider": provider}), entry.shape.unsaid)
        if entry.machine_type in machines:
            first = machines[entry.machine_type]
            field = _difference(first, machine)
            if field is not None:
                later, earlier = (_shown(getattr(one, field)) for one in (machine, first))
                entry.reject(field, f"got {later}, but row {rows[entry.machine_type]} has {earlier} for the same type")
            machines[entry.machine_type] = _still_sold(first, machine)
        else:
            machines[entry.machine_type] = machine
            rows[entry.machine_type] = entry.row
    if not machines:
        reasons = [*dropped, *not_offered]
        why = f" ({len(reasons)} dropped, the first with {reasons[0].reason})" if reasons else ""
        raise TableError(
            f"no usable machine: got {counted(len(entries))}{why}, expected what {command} prints; {GET_THE_LIST}"
        )
    catalog = Catalog(
        name=f"{provider}-imported",
        title=f"Machines as {command} lists them",
        source=command,
        date=date,
        machines=tuple(machines.values()),
        disk_kinds=read_provider(provider).disk_kinds if provider in known_providers() else (),
    )
    return _account(catalog, dropped, not_offered, found=len(entries), pages=pages, continued=continued)


def combine(parts: Iterable[Imported]) -> Imported:
    """Return several listings of one provider as one, such as pages in separate files.

    Raises
    ------
    TableError
        Where two of them have different figures for a type.
    """
    parts = tuple(parts)
    machines: dict[str, Machine] = {}
    for part in parts:
        for machine in part.catalog.machines:
            first = machines.setdefault(machine.machine_type, machine)
            field = _difference(first, machine)
            if field is not None:
                raise TableError(
                    f"{machine.machine_type}, {field}: got {_shown(getattr(machine, field))}, but an earlier file has "
                    f"{_shown(getattr(first, field))} for the same type",
                    field=field,
                )
            machines[machine.machine_type] = _still_sold(first, machine)
    return _account(
        parts[0].catalog.model_copy(update={"machines": tuple(machines.values())}),
        [entry for part in parts for entry in part.dropped],
        [entry for part in parts for entry in part.not_offered],
        found=sum(part.found for part in parts),
        pages=sum(part.pages for part in parts),
        continued=sum(part.continued for part in parts),
    )


def _account(
    catalog: Catalog,
    dropped: Sequence[Dropped],
    not_offered: Sequence[Dropped],
    *,
    found: int,
    pages: int,
    continued: int,
) -> Imported:
    """Return the account of all entries. A type that one zone does not offer and another does is a repeat."""
    offered = {machine.machine_type for machine in catalog.machines}
    left = tuple(entry for entry in not_offered if entry.machine_type not in offered)
    return Imported(
        catalog=catalog,
        dropped=tuple(dropped),
        not_offered=left,
        found=found,
        repeats=found - len(dropped) - len(left) - len(catalog.machines),
        pages=pages,
        continued=continued,
    )


class _Ours:
    """Our own rows of a provider, none for one that we do not know."""

    def __init__(self, provider: str) -> None:
        rows = read_provider(provider).machines if provider in known_providers() else ()
        self._rows = {row.machine_type: row for row in rows}
        self._flags: dict[str | None, set[str]] = {}
        for row in rows:
            flags = {flag for flag in _SHARED if getattr(row, flag)}
            self._flags[row.family] = self._flags.get(row.family, flags) & flags

    def complete(self, machine: Machine, unsaid: Sequence[str]) -> Machine:
        """Return a machine with what we know besides: its disk figures, what is often unsaid, and a shared CPU.

        The last holds for a whole family, if all of its rows do. The rest needs a row of the type with the same vCPUs
        and memory.
        """
        family = machine.family or machine.machine_type.partition(".")[0]
        more: dict[str, Any] = dict.fromkeys(self._flags.get(family, ()), True)
        row = self._rows.get(machine.machine_type)
        if row is not None and (row.vcpus, row.memory_gib) == (machine.vcpus, machine.memory_gib):
            more |= {flag: True for flag in _SHARED if getattr(row, flag)}
            fields = [field for field in unsaid if getattr(machine, field) is None]
            if not machine.disk_limits and all(getattr(machine, field) is None for field in _OF_THE_DISK):
                fields += [*_OF_THE_DISK, "disk_limits"]
            more |= {field: getattr(row, field) for field in fields}
        return machine.model_copy(update=more)


def _difference(one: Machine, other: Machine) -> str | None:
    """Return the first field in which two rows of a type differ, except lifecycle: a zone may stop selling it first."""
    fields = (field for field in Machine.model_fields if field != "lifecycle")
    return next((field for field in fields if getattr(one, field) != getattr(other, field)), None)


def _still_sold(one: Machine, other: Machine) -> Machine:
    return other if one.lifecycle == "previous" and other.lifecycle != "previous" else one


def _shown(value: Any) -> str:
    return "unknown" if value is None else shown(value)
