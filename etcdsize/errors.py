"""Every error that etcdsize raises on purpose.

All of them derive from `EtcdSizeError`, which is a `ValueError`. A message says where the error is, what the value
was, what is accepted and, if it helps, what to do. It is one line that is safe to print, whatever is in it: a file's
name, a library's own message. The same values are attributes, as they came, without those that may have a password.
Every error can be pickled, because worker processes send errors to their parent.
"""

from __future__ import annotations

from etcdsize.printable import has_password, one_line, without_passwords

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import ClassVar

__all__ = [
    *("CalibrationError", "ColumnError", "EtcdSizeError", "FleetFileError", "InvalidWorkloadError"),
    *("MissingDependencyError", "OptionError", "PlanError", "ScrapeError", "TableError"),
    *("UnitError", "WorkloadTypeError"),
]


class EtcdSizeError(ValueError):
    """The base of every error that etcdsize raises on purpose.

    Attributes: `code`, `message`, and those that the class of the error declares, each with its default.
    """

    code: ClassVar[str] = "error"
    """A stable name of the kind of error, for programs."""
    message: str

    def __init__(self, message: str = "", **attributes: object) -> None:
        message = without_passwords(one_line(message))
        super().__init__(message)
        self.message = message
        for name, value in attributes.items():
            if not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} has no attribute {name}")
            if not _may_have_password(value):
                setattr(self, name, value)

    def __str__(self) -> str:
        return self.message


def _may_have_password(value: object) -> bool:
    """Return whether a value is or has text that may have a password."""
    if isinstance(value, str):
        return has_password(value)
    if isinstance(value, (bytes, bytearray)):
        return has_password(value.decode("latin-1"))
    return isinstance(value, (dict, frozenset, list, set, tuple)) and has_password(repr(value))


class UnitError(EtcdSizeError):
    """Text that is not a size, a rate, a count or a fraction."""

    code = "unit"

    text: str = ""
    """The text that was rejected."""
    accepted: str = ""
    """What is accepted."""
    suggestion: str | None = None
    """The nearest text that is accepted, or None."""


class InvalidWorkloadError(EtcdSizeError):
    """A load that cannot be sized: NaN, infinite, negative, missing or unreadable; or a misspelt provider."""

    code = "workload"

    dimension: str | None = None
    """The first invalid dimension."""
    index: int | tuple[int, ...] | None = None
    """Its index in the array: a tuple if there is more than one axis, None for a single workload."""
    value: object = None
    """The value that was rejected."""
    count: int = 1
    """The number of loads that cannot be sized."""


class WorkloadTypeError(InvalidWorkloadError, TypeError):
    """A load of a type that is not accepted as a number: a boolean, a complex number, a date or another object."""

    code = "workload-type"


class OptionError(EtcdSizeError):
    """An invalid argument other than the load, such as a table's name, a provider, headroom or members."""

    code = "option"

    option: str | None = None
    """The name of the argument."""
    value: object = None
    """The value that was rejected."""


class ColumnError(OptionError):
    """The columns of the load cannot be found in a frame; for a file, this is a `FleetFileError`."""

    code = "column"


class PlanError(EtcdSizeError):
    """A cluster plan that etcd would reject, or that would not work as written."""

    code = "plan"

    member: str | None = None
    """The name of the invalid member."""
    field: str | None = None
    """The invalid field."""
    value: object = None
    """The value that was rejected."""


class TableError(EtcdSizeError):
    """A tier table, a machine catalog or the file of a profile that breaks its rules."""

    code = "table"

    file: str | None = None
    """The file that it was read from."""
    row: int | None = None
    """The invalid row, a tier or a machine, counted from 1."""
    field: str | None = None
    """The invalid field."""


class FleetFileError(EtcdSizeError):
    """A file of clusters that cannot be read or written."""

    code = "fleet-file"

    file: str | None = None
    """The file."""
    line: int | None = None
    """The line, counted from 1, the header included."""
    column: str | None = None
    """The column."""


class ScrapeError(EtcdSizeError):
    """A member's report about itself that cannot be read, or that lacks what is needed."""

    code = "scrape"

    endpoint: str | None = None
    """The member's endpoint."""
    line: int | None = None
    """The line, counted from 1."""
    metric: str | None = None
    """The metric or the field that is invalid or missing."""


class CalibrationError(EtcdSizeError):
    """An etcd that cannot be measured: it does not start, ends, or is no etcd."""

    code = "calibration"

    program: str | None = None
    """The etcd."""


class MissingDependencyError(EtcdSizeError, ImportError):
    """A package that an optional feature needs is not installed."""

    code = "missing-dependency"

    package: str = ""
    """The name of the package."""
    extra: str = ""
    """The extra of etcdsize that installs it."""

    def __init__(self, message: str = "", **attributes: object) -> None:
        package, extra = attributes.get("package", ""), attributes.get("extra", "")
        super().__init__(message or f"{package} is not installed; run: pip install 'etcdsize[{extra}]'", **attributes)
