"""The load of one cluster: concurrent clients, requests per second, data stored.

`Workload` accepts and rejects the same numbers as the arrays do. NumPy scalars are recognized by their `dtype`, without
importing numpy.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from etcdsize.base.model import Model
from etcdsize.base.text import shown
from etcdsize.errors import EtcdSizeError, InvalidWorkloadError, UnitError, WorkloadTypeError
from etcdsize.units import DIMENSIONS, parse_bytes, parse_rate

__all__ = ["CERTAINTY_PREFIXES", "CERTAINTY_WORDS", "Certainty", "Workload"]

Certainty = Literal["exact", "upper", "lower", "estimate"]
"""Whether a load is exact, or else what it is."""
CERTAINTY_WORDS: dict[Certainty, str] = {
    "exact": "exact",
    "upper": "an upper bound",
    "lower": "a lower bound",
    "estimate": "an estimate",
}
"""What a load is, in words."""
CERTAINTY_PREFIXES: dict[Certainty, str] = {
    "exact": "",
    "upper": "at most ",
    "lower": "at least ",
    "estimate": "about ",
}
"""What precedes the figure of a load."""
_MEANING = "upper: it is at most that. lower: at least. estimate: it may be more or less."

_BOUNDS = {"clients": "clients_bound", "requests_per_second": "requests_bound", "data_bytes": "data_bound"}
_LARGEST = 2**64 - 1
_SCHEMA = WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}]})


def _load(dimension: str, parse: Callable[[str], int | float] | None) -> Callable[[Any], int | float | None]:
    """Return the validator for one dimension."""
    accepted = "a number of 0 or more"
    if parse is not None:
        accepted += ' or a size such as "8GB"' if dimension == "data_bytes" else ' or a rate such as "2k"'

    def validate(value: Any) -> int | float | None:
        kind = type(value)
        if kind is not int and kind is not float:
            if value is None:
                return None
            if isinstance(value, str) and parse is not None:
                try:
                    value = parse(str(value))
                except UnitError as error:
                    message = f"{dimension}: {error}{_range_hint(dimension, value)}"
                    raise InvalidWorkloadError(message, dimension=dimension, value=value) from None
            else:
                value = _python_number(dimension, value, accepted)
        # NaN fails both comparisons.
        if 0 <= value <= (_LARGEST if isinstance(value, int) else 1.7976931348623157e308):
            return value or 0 if isinstance(value, int) else value + 0.0
        if isinstance(value, int) and value > 0:
            reason = f"got {shown(value)}, expected at most 2^64 - 1 for an integer"
        else:
            reason = f"got {shown(value)}, expected {accepted}"
        raise InvalidWorkloadError(f"{dimension}: {reason}", dimension=dimension, value=value)

    return validate


def _python_number(dimension: str, value: Any, accepted: str) -> int | float:
    """Return a NumPy scalar, or an instance of a subclass of int or float, as a plain Python number."""
    kind = getattr(getattr(value, "dtype", None), "kind", None)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return int(value) if isinstance(value, int) else float(value)
    if kind == "f" and value.shape == ():
        number = float(value)
        if number != value and math.isfinite(number):
            raise InvalidWorkloadError(
                f"{dimension}: got {shown(value)}, which has more digits than a float64 can hold; "
                "convert it with float() first",
                dimension=dimension,
                value=value,
            )
        return number
    if kind is not None and kind in "iu" and value.shape == ():
        return int(value)
    hint = _range_hint(dimension, value)
    # The quotes show that a value is text.
    got, instead = shown(value), ", not text"
    if not isinstance(value, str):
        got, instead = f"{got} of type {type(value).__name__}", ""
    raise WorkloadTypeError(
        f"{dimension}: got {got}, expected {accepted}{instead}{hint}",
        dimension=dimension,
        value=value,
    )


def _range_hint(dimension: str, value: Any) -> str:
    """Return what to do with a range, which other figures of a `Profile` may be, or an empty string."""
    if isinstance(value, str):
        is_range = ".." in value
    elif isinstance(value, (list, tuple)):
        is_range = len(value) in (2, 3)
    else:
        is_range = hasattr(value, "high") or (isinstance(value, dict) and "high" in value)
    return f'; for a range, give its high end, and {_BOUNDS[dimension]}="upper"' if is_range else ""


class Workload(Model):
    """The load of a cluster. A dimension that is None is unknown; at least one must be known.

    Parameters
    ----------
    clients : int or float, optional
        Concurrent client connections. [count]
    requests_per_second : int, float or str, optional
        Requests per second. [1/s] A number, or text such as `"2k"`.
    data_bytes : int, float or str, optional
        Data stored. [bytes] A number, or text such as `"400MB"`.
    clients_bound, requests_bound, data_bound : str
        Whether each of them is exact, as `observe` knows it: `"exact"`, `"upper"`, `"lower"` or `"estimate"`.

    Raises
    ------
    InvalidWorkloadError
        For NaN, infinite or negative numbers, integers above 2^64 - 1, unreadable text, no known dimension, or an
        unknown field.
    WorkloadTypeError
        For booleans and other values that are not numbers.

    Examples
    --------
    >>> Workload(clients=300, requests_per_second="2k", data_bytes="400MB")
    Workload(clients=300, requests_per_second=2000, data_bytes=400000000)
    """

    clients: Annotated[
        int | float | None,
        PlainValidator(_load("clients", None)),
        _SCHEMA,
        Field(description="Concurrent client connections. [count]"),
    ] = None
    requests_per_second: Annotated[
        int | float | None,
        PlainValidator(_load("requests_per_second", parse_rate)),
        _SCHEMA,
        Field(description="Requests per second. [1/s]"),
    ] = None
    data_bytes: Annotated[
        int | float | None,
        PlainValidator(_load("data_bytes", parse_bytes)),
        _SCHEMA,
        Field(description="Data stored. [bytes]"),
    ] = None

    clients_bound: Annotated[Certainty, Field(description=f"Whether clients is exact. {_MEANING}")] = "exact"
    requests_bound: Annotated[Certainty, Field(description=f"Whether requests_per_second is exact. {_MEANING}")] = (
        "exact"
    )
    data_bound: Annotated[Certainty, Field(description=f"Whether data_bytes is exact. {_MEANING}")] = "exact"

    error_type: ClassVar[type[EtcdSizeError]] = InvalidWorkloadError

    if TYPE_CHECKING:
        # Type checkers know the fields only as they are read.
        def __init__(
            self,
            *,
            clients: float | None = None,
            requests_per_second: float | str | None = None,
            data_bytes: float | str | None = None,
            clients_bound: Certainty = "exact",
            requests_bound: Certainty = "exact",
            data_bound: Certainty = "exact",
        ) -> None: ...

    @model_validator(mode="after")
    def _check(self) -> "Workload":
        if self.clients is None and self.requests_per_second is None and self.data_bytes is None:
            raise InvalidWorkloadError(
                f"nothing known of the workload, expected at least one of {', '.join(DIMENSIONS)}"
            )
        return self

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        return [(name, value) for name, value in super().__repr_args__() if value != "exact"]

    @property
    def loads(self) -> tuple[int | float | None, int | float | None, int | float | None]:
        """The three loads, in the order of the dimensions."""
        return self.clients, self.requests_per_second, self.data_bytes

    @property
    def certainties(self) -> tuple[Certainty, Certainty, Certainty]:
        """How exact each of the three loads is, in the order of the dimensions."""
        return self.clients_bound, self.requests_bound, self.data_bound
