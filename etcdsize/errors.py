"""Every error that etcdsize raises on purpose.

All of them derive from `EtcdSizeError`, which is a `ValueError`. A message says where, what came, what is accepted
and, where it helps, what to do; the same values are attributes. All of them pickle, because a worker process has to
send them home.
"""

from __future__ import annotations

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
]


class EtcdSizeError(ValueError):
    """The base of every error that etcdsize raises on purpose.

    Attributes: `message`, and those that the error's own class names; an attribute that is not given is None.
    """

    message: str

    def __init__(self, message: str = "", **attributes: object) -> None:
        super().__init__(message)
        self.message = message
        for name, value in attributes.items():
            if not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} has no attribute {name}")
            setattr(self, name, value)

    def __str__(self) -> str:
        return self.message


class UnitError(EtcdSizeError):
    """Text that is not a size, a rate, a count or a fraction."""

    text: str = ""
    """What came."""
    accepted: str = ""
    """What is accepted."""
    suggestion: str | None = None
    """The nearest text that is accepted, or None."""


class InvalidWorkloadError(EtcdSizeError):
    """A load that cannot be sized: NaN, infinite, negative, missing, unreadable, or an unknown provider."""

    dimension: str | None = None
    """The first dimension at fault."""
    index: int | tuple[int, ...] | None = None
    """Where it stands in the array: a tuple for more than one axis, None for a single workload."""
    value: object = None
    """What stood there."""
    count: int = 1
    """How many positions cannot be sized."""


class WorkloadTypeError(InvalidWorkloadError, TypeError):
    """A load of a type that is never a number here: booleans, complex numbers, dates, objects."""


class OptionError(EtcdSizeError):
    """An argument that chooses how to size, such as a table's name, a provider, headroom or members, is not valid."""

    option: str | None = None
    """The argument."""
    value: object = None
    """What came."""


class ColumnError(OptionError):
    """The columns of a load cannot be found among the names that a file or a frame has."""


class PlanError(EtcdSizeError):
    """A plan of a cluster that etcd would refuse, or that would not do what it says."""

    member: str | None = None
    """The name of the member at fault."""
    field: str | None = None
    """The field at fault."""
    value: object = None
    """What came."""


class TableError(EtcdSizeError):
    """A tier table or a machine catalog that breaks its rules."""

    file: str | None = None
    """Where it was read."""
    row: int | None = None
    """The tier or machine at fault, counted from 1."""
    field: str | None = None
    """The field at fault."""


class FleetFileError(EtcdSizeError):
    """A file of clusters that cannot be read or written."""

    file: str | None = None
    """The file."""
    line: int | None = None
    """The line, counted from 1 with the header."""
    column: str | None = None
    """The column."""


class ScrapeError(EtcdSizeError):
    """What a member of etcd reports about itself cannot be read, or it does not report it."""

    endpoint: str | None = None
    """The member's endpoint."""
    line: int | None = None
    """The line, counted from 1."""
    metric: str | None = None
    """The metric or the field at fault."""


class MissingDependencyError(EtcdSizeError, ImportError):
    """A package that an optional part needs is not installed."""

    package: str = ""
    """The package."""
    extra: str = ""
    """The extra of etcdsize that installs it."""

    def __init__(self, message: str = "", **attributes: object) -> None:
        package, extra = attributes.get("package", ""), attributes.get("extra", "")
        super().__init__(message or f"{package} is not installed; run: pip install 'etcdsize[{extra}]'", **attributes)
