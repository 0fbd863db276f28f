"""Every error that etcdsize raises on purpose.

All of them derive from `EtcdSizeError`, which is a `ValueError`. A message says where, what came,
what is accepted and, where it helps, what to do; the same values are attributes. All of them pickle,
because a worker process has to send them home.

This module imports the standard library only.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ColumnError",
    "EtcdSizeError",
    "FleetFileError",
    "InvalidWorkloadError",
    "MissingDependencyError",
    "OptionError",
    "PlanError",
    "ScrapeError",
    "TableError",
    "UnitError",
    "WorkloadTypeError",
    "nearest",
    "one_line",
    "shown",
]


class EtcdSizeError(ValueError):
    """The base of every error that etcdsize raises on purpose."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class UnitError(EtcdSizeError):
    """Text that is not a size, a rate, a count or a fraction.

    Attributes: `text`, what came; `accepted`, what is taken; `suggestion`, the nearest text that is taken, or None.
    """

    def __init__(self, message: str = "", *, text: str = "", accepted: str = "", suggestion: str | None = None) -> None:
        super().__init__(message)
        self.text = text
        self.accepted = accepted
        self.suggestion = suggestion


class InvalidWorkloadError(EtcdSizeError):
    """A load that cannot be sized: NaN, infinite, negative, missing, unreadable, or an unknown provider.

    Attributes: `dimension`, the first dimension at fault; `index`, where it stands in the array (an int, a tuple
    of ints for more than one axis, None for a single workload); `value`, what stood there; `count`, how many
    positions cannot be sized.
    """

    def __init__(
        self,
        message: str = "",
        *,
        dimension: str | None = None,
        index: int | tuple[int, ...] | None = None,
        value: object = None,
        count: int = 1,
    ) -> None:
        super().__init__(message)
        self.dimension = dimension
        self.index = index
        self.value = value
        self.count = count


class WorkloadTypeError(InvalidWorkloadError, TypeError):
    """A load of a type that is never a number here: booleans, complex numbers, dates, objects."""


class OptionError(EtcdSizeError):
    """An argument that chooses how to size (a table's name, a provider, headroom, members) is not one we know.

    Attributes: `option`, the argument; `value`, what came.
    """

    def __init__(self, message: str = "", *, option: str | None = None, value: object = None) -> None:
        super().__init__(message)
        self.option = option
        self.value = value


class ColumnError(OptionError):
    """The columns of a load cannot be told from the names that a file or a frame has."""


class PlanError(EtcdSizeError):
    """A plan of a cluster that etcd would refuse, or that would not do what it says.

    Attributes: `member`, the name of the member at fault, or None; `field`, the field at fault, or None; `value`, what
    came.
    """

    def __init__(
        self, message: str = "", *, member: str | None = None, field: str | None = None, value: object = None
    ) -> None:
        super().__init__(message)
        self.member = member
        self.field = field
        self.value = value


class TableError(EtcdSizeError):
    """A tier table or a machine catalog that breaks its rules.

    Attributes: `file`, where it was read, or None; `row`, the tier or machine at fault, counted from 1, or None;
    `field`, the field at fault, or None.
    """

    def __init__(
        self, message: str = "", *, file: str | None = None, row: int | None = None, field: str | None = None
    ) -> None:
        super().__init__(message)
        self.file = file
        self.row = row
        self.field = field


class FleetFileError(EtcdSizeError):
    """A file of clusters that cannot be read or written.

    Attributes: `file`; `line`, counted from 1 with the header, or None; `column`, or None.
    """

    def __init__(
        self, message: str = "", *, file: str | None = None, line: int | None = None, column: str | None = None
    ) -> None:
        super().__init__(message)
        self.file = file
        self.line = line
        self.column = column


class ScrapeError(EtcdSizeError):
    """What a member of etcd says of itself that cannot be read, or a member that does not say it.

    Attributes: `endpoint`, whose it is, or None; `line`, counted from 1, or None; `metric`, the metric or the field at
    fault, or None.
    """

    def __init__(
        self, message: str = "", *, endpoint: str | None = None, line: int | None = None, metric: str | None = None
    ) -> None:
        super().__init__(message)
        self.endpoint = endpoint
        self.line = line
        self.metric = metric


class MissingDependencyError(EtcdSizeError, ImportError):
    """A package that an optional part needs is not installed.

    Attributes: `package`; `extra`, the extra of etcdsize that brings it.
    """

    def __init__(self, message: str = "", *, package: str = "", extra: str = "") -> None:
        super().__init__(message or f"{package} is not installed; run: pip install 'etcdsize[{extra}]'")
        self.package = package
        self.extra = extra


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean "…"?` for the known word nearest to `word`, or an empty string."""
    import difflib

    lowered = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return f'; did you mean "{lowered[close[0]]}"?' if close else ""


def shown(value: object) -> str:
    """Return a value as a message shows it: text in double quotes, long values cut."""
    if isinstance(value, str):
        text = value if len(value) <= 60 else value[:57] + "..."
        return '"' + one_line(text).replace('"', '\\"') + '"'
    try:
        text = str(value) if isinstance(value, (int, float)) else repr(value)
    except ValueError:
        # Python refuses to print integers of more than 4300 digits.
        return f"a number too long to print, of type {type(value).__name__}"
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:57] + "..."


def one_line(text: str) -> str:
    """Return text with its control characters escaped: they would break the one line that a message is."""
    return text.translate(_ESCAPES)


_ESCAPES = {code: repr(chr(code))[1:-1] for code in (*range(32), *range(127, 160), 0x2028, 0x2029)}
