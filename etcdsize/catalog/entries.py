"""How providers' programs print their lists of machines, and the checked entries of such a list.

A list comes as one page or as several, as an API's answer, as JSON lines, or with fields that a `--query` renamed. What
a renamed field means is never guessed: a name that leaves its unit open is rejected.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from etcdsize.base.json_text import documents
from etcdsize.base.text import shown
from etcdsize.errors import TableError

__all__ = ["GET_THE_LIST", "Entry", "Shape", "counted", "entries_of", "kind_of", "quotient"]

GET_THE_LIST = "get the list with the command in docs/machines.md, and save all of its output"
"""What to do where a list is not what was expected."""

# No machine has a figure above this. One that does is an error, as is a float instead of a count.
_MOST = 10**12
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_WHOLE_TEXT = re.compile(r"[0-9]{1,12}")
_NUMBER_TEXT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")
# The usual new names of a field, in lower case and without hyphens and the like.
_VCPUS = ("vcpus", "vcpu", "vcpucount")
_CORES = ("cpu", "cpus", "cores", "cpucores", "cpucount", "numberofcores")
_MIB = ("memorymib", "memmib", "rammib", "memoryinmib", "sizeinmib")
_GIB = ("memorygib", "memgib", "ramgib", "memoryingib")
_NO_UNIT = ("memory", "mem", "ram", "memorymb", "memorygb", "memmb", "memgb", "rammb", "ramgb")


@dataclass(frozen=True)
class Shape:
    """How a provider's program prints its list of machines."""

    provider: str
    """The provider whose machines it lists."""
    command: str
    """The command that prints it."""
    expected: str
    """What the whole looks like, for messages, such as `an object with InstanceTypes`."""
    name: tuple[str, ...]
    """The field that names the machine type, and its usual new names."""
    telling: tuple[str, ...]
    """Fields of an entry that only this program prints."""
    lists: tuple[str, ...] = ()
    """Where a page has its entries, by path; `*` stands for every field of an object."""
    announces: tuple[str, ...] = ()
    """Where a page announces another one, by path."""
    unsaid: tuple[str, ...] = ()
    """Fields of a machine that the list does not always give, and that our own row of the type may know."""
    free_names: bool = False
    """Whether a type may have any printable name."""
    other_providers: bool = False
    """Whether other providers' lists have the same form, so that the provider can be named."""

    def listed(self, page: object) -> list[Any] | None:
        """Return a page's entries, None for what is not a page."""
        if not isinstance(page, dict):
            return None
        for path in self.lists:
            found = list(_at(page, path.split(".")))
            if found and all(isinstance(each, list) for each in found):
                return [entry for each in found for entry in each]
        return None

    def names(self, fields: object) -> bool:
        """Return whether an object has a field that names a machine type."""
        wanted = set(map(_plain, self.name))
        return isinstance(fields, dict) and any(_plain(name) in wanted for name in fields)

    def recognizes(self, document: object) -> bool:
        """Return whether a document has what only this program prints."""
        first = _unwrapped(document)
        if isinstance(first, list):
            first = _unwrapped(first[0]) if first else None
        listed = self.listed(first)
        if listed is not None:
            first = listed[0] if listed else None
        return listed == [] or (isinstance(first, dict) and any(name in first for name in self.telling))


def entries_of(source: object, shape: Shape, others: Iterable[tuple[str, Shape]] = ()) -> tuple[list[Entry], int, int]:
    """Return the entries of a listing, its pages, and how many of these announce another one.

    Raises
    ------
    TableError
        For what is not such a listing. It names the one of `others` that recognizes it.
    """
    entries: list[Entry] = []
    pages = continued = 0
    loose = False
    for document in documents(source, shape.expected):
        inner = _unwrapped(document)
        hint = "" if shape.recognizes(inner) else _resembles(inner, others)
        pages_of = inner if isinstance(inner, list) and inner and not shape.names(inner[0]) else [document]
        for page in map(_unwrapped, pages_of):
            is_entry = shape.names(page) and shape.listed(page) is None
            listed = [page] if is_entry else page if isinstance(page, list) else shape.listed(page)
            if listed is None or hint or (isinstance(page, list) and page and not shape.names(page[0])):
                hint = hint or f"; {GET_THE_LIST}"
                raise TableError(f"not a listing: got {_description(inner, shape)}, expected {shape.expected}{hint}")
            # Entries one after the other are one page.
            pages += not (is_entry and loose)
            loose = is_entry
            tokens = [token for path in shape.announces for token in _at(page, path.split("."))]
            continued += any(token not in (None, "", False) for token in tokens)
            entries += (Entry(fields, row, shape) for row, fields in enumerate(listed, len(entries) + 1))
    return entries, pages, continued


def _resembles(document: object, others: Iterable[tuple[str, Shape]]) -> str:
    for origin, other in others:
        if other.recognizes(document):
            return f"; it looks like the list of {other.command} (--from {origin})"
    return ""


def _description(document: object, shape: Shape) -> str:
    """Return what a document is that is not a listing."""
    if not isinstance(document, list) or not document or shape.names(document[0]):
        return kind_of(document)
    first = document[0]
    lacks = f"has no {shape.name[0]}" if isinstance(first, dict) else f"is {kind_of(first)}"
    return f"a list whose first entry {lacks}"


def _unwrapped(document: object) -> object:
    """Return what an API's answer wraps."""
    if isinstance(document, dict) and isinstance(document.get("Response"), dict):
        return document["Response"]
    return document


def _at(value: object, steps: list[str]) -> Iterator[Any]:
    """Yield the values at a path."""
    if not steps:
        yield value
    elif isinstance(value, dict):
        if steps[0] == "*":
            for each in value.values():
                yield from _at(each, steps[1:])
        elif steps[0] in value:
            yield from _at(value[steps[0]], steps[1:])


def _plain(name: object) -> str:
    """Return a field's name in lower case, without hyphens and the like."""
    return "".join(letter for letter in str(name).lower() if letter.isalnum())


def _named(fields: dict[Any, Any], names: Iterable[str]) -> list[Any]:
    """Return the names of the fields that have one of these names, however they are written, and a value."""
    wanted = set(map(_plain, names))
    return [name for name, value in fields.items() if value is not None and _plain(name) in wanted]


def counted(entries: int) -> str:
    """Return a number of entries, for messages."""
    return f"{entries} {'entry' if entries == 1 else 'entries'}"


def kind_of(value: object) -> str:
    """Return what a value is, for messages."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number" if isinstance(value, (int, float)) else type(value).__name__)


class Entry:
    """One entry of a listing: its fields by path, checked when they are read."""

    def __init__(self, fields: object, row: int, shape: Shape) -> None:
        self.row = row
        self.shape = shape
        self.machine_type: str = ""
        if not isinstance(fields, dict):
            self.reject("", f"got {kind_of(fields)}, expected an object")
        self._fields: dict[Any, Any] = fields
        field, name = self.field(shape.name[0], shape.name[1:])
        sound = isinstance(name, str) and (
            0 < len(name) <= 200 and name.isprintable() and name == name.strip()
            if shape.free_names
            else _PLAIN_NAME.fullmatch(name)
        )
        if not sound:
            got = "missing" if name is None else f"got {shown(name)}"
            self.reject(field, f"{got}, expected the name of a machine type")
        self.machine_type = str(name)

    def within(self, fields: dict[Any, Any]) -> Entry:
        """Return an entry of the same machine with other fields, such as those of an object in it."""
        inner = object.__new__(Entry)
        inner.row, inner.shape, inner.machine_type, inner._fields = self.row, self.shape, self.machine_type, fields
        return inner

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
                self.reject(".".join(steps[:depth]), f"got {kind_of(value)}, expected an object")
            value = value.get(step)
        return value

    def field(self, path: str, renamed: Iterable[str] = ()) -> tuple[str, Any]:
        """Return a field's name and value: that at the path, else the one that has its last name or a new one."""
        value = self.part(path)
        if value is not None:
            return path, value
        found = _named(self._fields, (path.rpartition(".")[2], *renamed))
        if len(found) > 1:
            both = " and ".join(shown(name) for name in found[:2])
            self.reject(path, f"got {both}, expected one field of that meaning")
        return (str(found[0]), self._fields[found[0]]) if found else (path, None)

    def whole(self, path: str, *renamed: str, as_text: bool = False) -> int | None:
        """Return the whole number above 0 at a path or under a new name, None where there is none."""
        field, value = self.field(path, renamed)
        if as_text and isinstance(value, str) and _WHOLE_TEXT.fullmatch(value):
            value = int(value)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < _MOST:
            self.reject(field, f"got {shown(value)}, expected a whole number above 0")
        return value

    def count(self, path: str) -> int:
        """Return the whole number of 0 or more at a path, 0 where there is none."""
        value = self.part(path)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _MOST):
            self.reject(path, f"got {shown(value)}, expected a whole number of 0 or more")
        return value or 0

    def number(self, path: str, *renamed: str, as_text: bool = False) -> float | None:
        """Return the number above 0 at a path or under a new name, None where there is none."""
        field, value = self.field(path, renamed)
        return None if value is None else self._number(field, value, as_text=as_text)

    def _number(self, field: str, value: Any, *, as_text: bool = False) -> float:
        if as_text and isinstance(value, str) and _NUMBER_TEXT.fullmatch(value):
            value = float(value)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < _MOST:
            self.reject(field, f"got {shown(value)}, expected a number above 0")
        return int(value) if value == int(value) else value

    def vcpus(self, path: str, *renamed: str, as_text: bool = False) -> int | None:
        """Return the number of vCPUs at a path or under a usual new name, None where there is none."""
        found = self.whole(path, *_VCPUS, *renamed, as_text=as_text)
        if found is None and (unclear := _named(self._fields, _CORES)):
            self._unclear(unclear[0], "may count cores or vCPUs", path, "vCPUs")
        return found

    def memory_gib(self, path: str, unit: str, *renamed: str, as_text: bool = False) -> float | None:
        """Return the memory at a path, in MiB or GiB, or under a new name with its unit; None where there is none."""
        field, value = self.field(path, renamed)
        if value is not None:
            memory = self.whole(path, *renamed) if unit == "MiB" else self._number(field, value, as_text=as_text)
        else:
            unit, names = (
                ("MiB", _named(self._fields, _MIB))
                if _named(self._fields, _MIB)
                else ("GiB", _named(self._fields, _GIB))
            )
            memory = self.number(path, *map(str, names)) if names else None
        if memory is None:
            if unclear := _named(self._fields, _NO_UNIT):
                self._unclear(unclear[0], "does not say whether it is in MiB or GiB", path, "MemoryMiB")
            return None
        return memory if unit == "GiB" else quotient(memory, 1024)

    def _unclear(self, field: object, why: str, path: str, name: str) -> NoReturn:
        self.reject(
            str(field),
            f"{why}; expected {path} as {self.shape.command} prints it, or a name such as {name}",
        )

    def flag(self, path: str) -> bool | None:
        """Return the boolean at a path, None where there is none."""
        value = self.part(path)
        if value is not None and not isinstance(value, bool):
            self.reject(path, f"got {shown(value)}, expected true or false")
        return value

    def text(self, path: str, *renamed: str) -> str | None:
        """Return the text at a path or under a new name, None where there is none."""
        field, value = self.field(path, renamed) if renamed else (path, self.part(path))
        if value is not None and not isinstance(value, str):
            self.reject(field, f"got {shown(value)}, expected text")
        return value

    def items(self, path: str) -> list[Any] | None:
        """Return the list at a path, None where there is none."""
        value = self.part(path)
        if value is not None and not isinstance(value, list):
            self.reject(path, f"got {kind_of(value)}, expected a list")
        return value


def quotient(value: float, divisor: int) -> float:
    """Return an integer where the division leaves no rest."""
    return value // divisor if value % divisor == 0 else value / divisor
