"""What the readers of providers' own listings share: checked entries in, a catalog and what became of each entry out.

There is one reader for each format. A reader takes text or parsed JSON; it opens no file.
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

__all__ = ["Dropped", "Entry", "Imported", "collect", "combine", "not_a_listing"]

# No machine has a figure above this. One that does is an error, as is a float instead of a count.
_MOST = 10**12
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
Count = Annotated[int, Field(strict=True, ge=0)]


class Dropped(Model):
    """An entry of a listing that does not describe a usable machine, and the reason."""

    machine_type: Annotated[str, Field(description="The provider's name for it.")]
    reason: Annotated[str, Field(description="What the entry lacks.")]


class Imported(Model):
    """A provider's own listing as a catalog, and what became of each entry.

    Raises
    ------
    TableError
        Unless each entry was imported, was dropped, or repeats an earlier one.
    """

    catalog: Annotated[Catalog, Field(description="The machines, with the rules of the provider's network disks.")]
    dropped: Annotated[tuple[Dropped, ...], Field(description="Entries that do not describe a usable machine.")] = ()
    found: Annotated[Count, Field(description="Entries in the listing. [count]")]
    repeats: Annotated[Count, Field(description="Entries that repeat an earlier one. [count]")] = 0
    pages: Annotated[Count, Field(description="Pages of the listing. [count]")] = 1
    continued: Annotated[Count, Field(description="Pages that announce another one. [count]")] = 0

    @model_validator(mode="after")
    def _check(self) -> Imported:
        if self.imported + len(self.dropped) + self.repeats != self.found:
            raise TableError(
                f"got {self.found}, expected the sum of imported, dropped and repeated entries", field="found"
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


def not_a_listing(document: object, expected: str) -> TableError:
    """Return the error for a document that is not the expected listing; it says what the document looks like."""
    resembles = ""
    first = document[0] if isinstance(document, list) and document else document
    if isinstance(first, dict):
        if "guestCpus" in first or "selfLink" in first:
            resembles = "; it looks like the list of gcloud"
        elif "InstanceTypes" in first or "InstanceType" in first:
            resembles = "; it looks like the list of aws"
    return TableError(f"not a listing: got {_kind(document)}, expected {expected}{resembles}")


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number" if isinstance(value, (int, float)) else type(value).__name__)


class Entry:
    """One entry of a listing: its fields by path, checked when they are read."""

    def __init__(self, fields: object, row: int, name_field: str) -> None:
        self.row = row
        self.machine_type: str = ""
        if not isinstance(fields, dict):
            self.reject("", f"got {_kind(fields)}, expected an object")
        self._fields = fields
        name = fields.get(name_field)
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            got = "missing" if name is None else f"got {shown(name)}"
            self.reject(name_field, f"{got}, expected the name of a machine type")
        self.machine_type = name

    def reject(self, field: str, reason: str) -> NoReturn:
        """Raise the error that names row, machine and field."""
        where = f"row {self.row}" + (f" ({self.machine_type})" if self.machine_type else "")
        raise TableError(f"{where}{', ' if field else ''}{field}: {reason}", row=self.row, field=field or None)

    def part(self, path: str) -> Any:
        """Return the value at a path such as `EbsInfo.EbsOptimizedInfo`, None where there is none."""
        value: Any = self._fields
        steps = path.split(".")
        for depth, step in enumerate(steps):
            if value is None:
                return None
            if not isinstance(value, dict):
                self.reject(".".join(steps[:depth]), f"got {_kind(value)}, expected an object")
            value = value.get(step)
        return value

    def whole(self, path: str) -> int | None:
        """Return the whole number above 0 at a path, None where there is none."""
        value = self.part(path)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < _MOST:
            self.reject(path, f"got {shown(value)}, expected a whole number above 0")
        return value

    def number(self, path: str) -> float | None:
        """Return the number above 0 at a path, None where there is none."""
        value = self.part(path)
        if value is None:
            return None
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < _MOST:
            self.reject(path, f"got {shown(value)}, expected a number above 0")
        return int(value) if value == int(value) else value

    def flag(self, path: str) -> bool | None:
        """Return the boolean at a path, None where there is none."""
        value = self.part(path)
        if value is not None and not isinstance(value, bool):
            self.reject(path, f"got {shown(value)}, expected true or false")
        return value

    def text(self, path: str) -> str | None:
        """Return the text at a path, None where there is none."""
        value = self.part(path)
        if value is not None and not isinstance(value, str):
            self.reject(path, f"got {shown(value)}, expected text")
        return value

    def items(self, path: str) -> list[Any] | None:
        """Return the list at a path, None where there is none."""
        value = self.part(path)
        if value is not None and not isinstance(value, list):
            self.reject(path, f"got {_kind(value)}, expected a list")
        return value


def collect(
    entries: Sequence[Entry],
    machine_of: Callable[[Entry], Machine | str],
    *,
    provider: str,
    command: str,
    date: str,
    pages: int,
    continued: int = 0,
) -> Imported:
    """Return the machines of a listing's entries; `machine_of` makes a machine of one, or returns why it cannot."""
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
                later, earlier = (_shown(getattr(one, field)) for one in (machine, first))
                entry.reject(field, f"got {later}, but row {rows[entry.machine_type]} has {earlier} for the same type")
            machines[entry.machine_type] = _still_sold(first, machine)
            repeats += 1
        else:
            machines[entry.machine_type] = machine
            rows[entry.machine_type] = entry.row
    if not machines:
        why = f": {len(dropped)} dropped, the first with {dropped[0].reason}" if dropped else ""
        raise TableError(f"no usable machine{why}; expected what {command} prints")
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
    found = sum(part.found for part in parts)
    dropped = tuple(entry for part in parts for entry in part.dropped)
    return Imported(
        catalog=parts[0].catalog.model_copy(update={"machines": tuple(machines.values())}),
        dropped=dropped,
        found=found,
        repeats=found - len(dropped) - len(machines),
        pages=sum(part.pages for part in parts),
        continued=sum(part.continued for part in parts),
    )


def _difference(one: Machine, other: Machine) -> str | None:
    """Return the first field in which two rows of a type differ, except lifecycle: a zone may stop selling it first."""
    fields = (field for field in Machine.model_fields if field != "lifecycle")
    return next((field for field in fields if getattr(one, field) != getattr(other, field)), None)


def _still_sold(one: Machine, other: Machine) -> Machine:
    return other if one.lifecycle == "previous" and other.lifecycle != "previous" else one


def _shown(value: Any) -> str:
    return "unknown" if value is None else shown(value)
