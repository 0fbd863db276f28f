"""What others write into models: one module per format. A reader takes text or parsed JSON and opens nothing.

`Imported` is what a provider's own listing comes to, with an account of every entry.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, NoReturn

from pydantic import Field, model_validator

from etcdsize.base.model import Model
from etcdsize.base.text import shown
from etcdsize.catalog.catalog import Catalog
from etcdsize.catalog.machines import Machine
from etcdsize.catalog.provider_file import read_provider
from etcdsize.errors import TableError

__all__ = ["Dropped", "Entry", "Imported", "combine", "gather", "not_a_listing"]

# No machine has a figure above this; what has is a fault, as is a float where a count should be.
_MOST = 10**12
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
Count = Annotated[int, Field(strict=True, ge=0)]


class Dropped(Model):
    """An entry of a listing that no machine can be made of, and why."""

    machine_type: Annotated[str, Field(description="The provider's name for it.")]
    reason: Annotated[str, Field(description="What it lacks.")]


class Imported(Model):
    """What a provider's own listing came to: a catalog, and an account of every entry.

    Raises
    ------
    TableError
        Unless every entry was imported, dropped, or a repeat of one before it.
    """

    catalog: Annotated[Catalog, Field(description="The machines, with the rules of the provider's network disks.")]
    dropped: Annotated[tuple[Dropped, ...], Field(description="Entries that no machine can be made of.")] = ()
    found: Annotated[Count, Field(description="Entries that came. [count]")]
    repeats: Annotated[Count, Field(description="Entries that say again what one before them says. [count]")] = 0
    pages: Annotated[Count, Field(description="Pages that the listing came in. [count]")] = 1
    continued: Annotated[Count, Field(description="Pages that say that more follows. [count]")] = 0

    @model_validator(mode="after")
    def _check(self) -> Imported:
        if self.imported + len(self.dropped) + self.repeats != self.found:
            raise TableError(f"got {self.found}, expected the sum of what was imported and dropped", field="found")
        return self

    @property
    def imported(self) -> int:
        """How many machines were imported."""
        return len(self.catalog.machines)

    @property
    def truncated(self) -> bool:
        """Whether pages are missing: every page that came says that more follows."""
        return self.continued >= self.pages


def not_a_listing(document: object, expected: str) -> TableError:
    """Return the error for a document that is something else, saying what it looks like."""
    looks = ""
    first = document[0] if isinstance(document, list) and document else document
    if isinstance(first, dict):
        if "guestCpus" in first or "selfLink" in first:
            looks = "; it looks like the list of gcloud"
        elif "InstanceTypes" in first or "InstanceType" in first:
            looks = "; it looks like the list of aws"
    return TableError(f"not a listing: got {_kind(document)}, expected {expected}{looks}")


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number" if isinstance(value, (int, float)) else type(value).__name__)


class Entry:
    """One entry of a listing: its fields by path, checked as they are asked for."""

    def __init__(self, fields: object, row: int, name_field: str) -> None:
        self.row = row
        self.machine_type = ""
        if not isinstance(fields, dict):
            self.refuse("", f"got {_kind(fields)}, expected an object")
        self._fields = fields
        name = fields.get(name_field)
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            came = "missing" if name is None else f"got {shown(name)}"
            self.refuse(name_field, f"{came}, expected the name of a machine type")
        self.machine_type = name

    def refuse(self, field: str, reason: str) -> NoReturn:
        """Raise the error that names row, machine and field."""
        where = f"row {self.row}" + (f" ({self.machine_type})" if self.machine_type else "")
        raise TableError(f"{where}{', ' if field else ''}{field}: {reason}", row=self.row, field=field or None)

    def part(self, path: str) -> Any:
        """Return what stands at a path such as `EbsInfo.EbsOptimizedInfo`, None where nothing does."""
        value: Any = self._fields
        steps = path.split(".")
        for depth, step in enumerate(steps):
            if value is None:
                return None
            if not isinstance(value, dict):
                self.refuse(".".join(steps[:depth]), f"got {_kind(value)}, expected an object")
            value = value.get(step)
        return value

    def whole(self, path: str) -> int | None:
        """Return a whole number above 0."""
        value = self.part(path)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < _MOST:
            self.refuse(path, f"got {shown(value)}, expected a whole number above 0")
        return value

    def number(self, path: str) -> float | None:
        """Return a number above 0."""
        value = self.part(path)
        if value is None:
            return None
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < _MOST:
            self.refuse(path, f"got {shown(value)}, expected a number above 0")
        return int(value) if value == int(value) else value

    def flag(self, path: str) -> bool | None:
        """Return true or false."""
        value = self.part(path)
        if value is not None and not isinstance(value, bool):
            self.refuse(path, f"got {shown(value)}, expected true or false")
        return value

    def text(self, path: str) -> str | None:
        """Return text."""
        value = self.part(path)
        if value is not None and not isinstance(value, str):
            self.refuse(path, f"got {shown(value)}, expected text")
        return value

    def items(self, path: str) -> list[Any] | None:
        """Return a list."""
        value = self.part(path)
        if value is not None and not isinstance(value, list):
            self.refuse(path, f"got {_kind(value)}, expected a list")
        return value


def gather(
    entries: Sequence[Entry],
    machine_of: Callable[[Entry], Machine | str],
    *,
    provider: str,
    command: str,
    date: str,
    pages: int,
    continued: int = 0,
) -> Imported:
    """Return what entries come to; `machine_of` makes a machine of one, or says why it cannot."""
    machines: dict[str, Machine] = {}
    rows: dict[str, int] = {}
    dropped: list[Dropped] = []
    repeats = 0
    for entry in entries:
        machine = machine_of(entry)
        if isinstance(machine, str):
            dropped.append(Dropped(machine_type=entry.machine_type, reason=machine))
        elif entry.machine_type in machines:
            first = machines[entry.machine_type]
            field = _difference(first, machine)
            if field is not None:
                came, had = (_shown(getattr(one, field)) for one in (machine, first))
                entry.refuse(field, f"got {came}, but row {rows[entry.machine_type]} has {had} for the same type")
            machines[entry.machine_type] = _newer(first, machine)
            repeats += 1
        else:
            machines[entry.machine_type] = machine
            rows[entry.machine_type] = entry.row
    if not machines:
        why = f": {len(dropped)} dropped, the first for: {dropped[0].reason}" if dropped else ""
        raise TableError(f"no machine in it{why}; expected what {command} prints")
    catalog = Catalog(
        name=f"{provider}-imported",
        title=f"Machines as {command} lists them",
        source=command,
        date=date,
        machines=tuple(machines.values()),
        disk_kinds=read_provider(provider).disk_kinds,
    )
    return Imported(
        catalog=catalog,
        dropped=tuple(dropped),
        found=len(entries),
        repeats=repeats,
        pages=pages,
        continued=continued,
    )


def combine(parts: Iterable[Imported]) -> Imported:
    """Return what several listings of one provider come to together, such as pages in files of their own.

    Raises
    ------
    TableError
        Where two of them give one type different figures.
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
            machines[machine.machine_type] = _newer(first, machine)
    found = sum(part.found for part in parts)
    dropped = tuple(gone for part in parts for gone in part.dropped)
    return Imported(
        catalog=parts[0].catalog.model_copy(update={"machines": tuple(machines.values())}),
        dropped=dropped,
        found=found,
        repeats=found - len(dropped) - len(machines),
        pages=sum(part.pages for part in parts),
        continued=sum(part.continued for part in parts),
    )


def _difference(one: Machine, other: Machine) -> str | None:
    """Return the first field in which two rows of one type differ; a type may go out of sale in one zone first."""
    fields = (field for field in Machine.model_fields if field != "lifecycle")
    return next((field for field in fields if getattr(one, field) != getattr(other, field)), None)


def _newer(one: Machine, other: Machine) -> Machine:
    return other if one.lifecycle == "previous" and other.lifecycle != "previous" else one


def _shown(value: Any) -> str:
    return "unknown" if value is None else shown(value)
