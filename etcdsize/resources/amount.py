"""A figure that is known only roughly: a low, a likely and a high value.

As text, an amount is a number in the grammar of `units`, or two or three of them with two dots between: `200..900`,
`1kB..2kB..8kB`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, TypeAlias, Union, get_args

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from etcdsize.base.checks import number_of, one_of, plain_number
from etcdsize.base.model import Model
from etcdsize.base.text import shown
from etcdsize.errors import EtcdSizeError, InvalidWorkloadError, UnitError, WorkloadTypeError
from etcdsize.resources.fields import Unit
from etcdsize.units import format_number, parse_bytes, parse_duration, parse_many, parse_rate

__all__ = ["Amount", "AmountInput"]

_PARSERS: dict[str, Callable[[str], int | float]] = {
    "count": parse_many,
    "rate": parse_rate,
    "bytes": parse_bytes,
    "duration": parse_duration,
}
_EXAMPLES = {"count": "200..900", "rate": "2k..5k", "bytes": "1kB..3kB", "duration": "1h..2h"}
# The unit of a number, and what people write between two numbers.
_UNIT = re.compile(r"[0-9.](?:[eE][+-]?[0-9]+)? ?([^0-9. ]+)$")
_SEPARATOR = re.compile(r" ?(?:\.{2,}|…|(?<![eE])[-–—]| to ) ?")
# Three numbers of the longest that `units` reads.
_LONGEST = 3 * 400
# Arithmetic on larger numbers could overflow; see `base.checks.number_of`.
_LIMIT = 1e300


def _number(value: Any) -> float:
    """Return a finite number that is not negative, as a float."""
    number = plain_number(value)
    if number is None:
        raise WorkloadTypeError(
            f"got {shown(value)} of type {type(value).__name__}, expected a number of 0 or more", value=value
        )
    if not 0 <= number < _LIMIT:
        below = ", and below 1e300" if number >= _LIMIT else ""
        raise InvalidWorkloadError(f"got {shown(value)}, expected a number of 0 or more{below}", value=value)
    return number + 0.0  # -0.0 becomes 0


_Number = Annotated[
    float, PlainValidator(lambda value: number_of("", value) + 0.0), WithJsonSchema({"type": "number", "minimum": 0})
]


class Amount(Model):
    """A figure between a low and a high value, with a likely one: `0 <= low <= likely <= high`.

    Raises
    ------
    InvalidWorkloadError
        For numbers that are negative, NaN, infinite or not in ascending order.

    Examples
    --------
    >>> print(Amount.of("1kB..3kB", "bytes"), Amount.of(5), Amount.of((1, 2, 9)))
    1000..3000 5 1..2..9
    """

    low: Annotated[_Number, Field(description="It is at least that.")]
    likely: Annotated[_Number, Field(description="It is most likely that.")]
    high: Annotated[_Number, Field(description="It is at most that.")]

    error_type: ClassVar[type[EtcdSizeError]] = InvalidWorkloadError

    @model_validator(mode="after")
    def _check(self) -> "Amount":
        if not self.low <= self.likely <= self.high:
            numbers = ", ".join(map(format_number, (self.low, self.likely, self.high)))
            raise InvalidWorkloadError(f"got {numbers}, expected low <= likely <= high")
        return self

    @classmethod
    def of(cls, value: "AmountInput", unit: Unit = "count") -> "Amount":
        """Return an amount from a number, text, two or three of these, or a mapping of low, likely and high.

        Between a low and a high value alone, the middle is likely (our choice: nothing else is known).

        Parameters
        ----------
        value : Amount, int, float, str, sequence or mapping
            The amount.
        unit : str
            What it counts: `"count"`, `"rate"` [1/s], `"bytes"` or `"duration"` [s]. The units of text are those of
            `parse_rate`, `parse_bytes` and `parse_duration`; a count may have `k` or `M`.

        Raises
        ------
        UnitError
            For text that is neither a number nor a range, with a suggestion if there is one.
        InvalidWorkloadError
            For numbers that are negative, NaN, infinite or not in ascending order.
        WorkloadTypeError
            For booleans and other values.
        OptionError
            For an unknown unit.

        Examples
        --------
        >>> Amount.of("1h..2h", "duration")
        Amount(low=3600.0, likely=5400.0, high=7200.0)
        """
        # Most amounts are one number, and a profile has many.
        if (type(value) is float or type(value) is int) and 0 <= value < _LIMIT:
            return cls.model_construct(low=value + 0.0, likely=value + 0.0, high=value + 0.0)
        one_of("unit", unit, get_args(Unit))
        if isinstance(value, Amount):
            return value
        if isinstance(value, str):
            return cls._of_text(str(value), unit)
        if isinstance(value, Mapping):
            if set(value) != {"low", "likely", "high"}:
                raise InvalidWorkloadError(
                    f"got the fields {shown(', '.join(map(str, value)))}, expected low, likely and high", value=value
                )
            return cls._of_parts([value["low"], value["likely"], value["high"]], unit)
        if isinstance(value, (list, tuple)):
            if len(value) not in (2, 3):
                raise InvalidWorkloadError(
                    f"got {shown(value)}, expected low and high, or low, likely and high", value=value
                )
            return cls._of_parts(list(value), unit)
        return cls._of_numbers([_number(value)])

    @classmethod
    def _of_parts(cls, parts: list[Any], unit: Unit) -> "Amount":
        numbers = [_number(_PARSERS[unit](str(part)) if isinstance(part, str) else part) for part in parts]
        if sorted(numbers) != numbers:
            raise InvalidWorkloadError(f"got {shown(parts)}, expected ascending numbers", value=parts)
        return cls._of_numbers(numbers)

    @classmethod
    def _of_text(cls, text: str, unit: Unit) -> "Amount":
        try:
            return cls._of_numbers([_number(_PARSERS[unit](text))])
        except UnitError as error:
            accepted = f'{error.accepted}, or a range such as "{_EXAMPLES[unit]}"'
        numbers = _numbers(text, unit)
        if numbers is None:
            suggestion = _suggestion(text, unit)
            hint = f'; did you mean "{suggestion}"?' if suggestion else ""
            raise UnitError(
                f"got {shown(text)}, expected {accepted}{hint}", text=text, accepted=accepted, suggestion=suggestion
            )
        return cls._of_numbers(numbers)

    @classmethod
    def _of_numbers(cls, numbers: list[float]) -> "Amount":
        """Return an amount of one, two or three ascending numbers."""
        likely = numbers[1] if len(numbers) == 3 else (numbers[0] + numbers[-1]) / 2
        return cls.model_construct(low=numbers[0], likely=likely, high=numbers[-1])

    @property
    def is_exact(self) -> bool:
        """Whether it is one number."""
        return self.low == self.high

    def __str__(self) -> str:
        low, likely, high = map(format_number, (self.low, self.likely, self.high))
        if self.is_exact:
            return low
        return f"{low}..{high}" if self.likely == (self.low + self.high) / 2 else f"{low}..{likely}..{high}"


AmountInput: TypeAlias = Union["Amount", float, str, Sequence[float | str], Mapping[str, float]]
"""What `Amount.of` accepts."""


def _numbers(text: str, unit: Unit) -> list[float] | None:
    """Return the two or three numbers of a range, or None if it is not in the grammar."""
    if len(text) > _LONGEST or "..." in text:  # 1...3 may be 1. to 3 or 1 to .3
        return None
    parts = text.split("..")
    # 1..3kB may begin at one byte or at one kilobyte.
    if len(parts) not in (2, 3) or len({_UNIT.search(part) is None for part in parts if part != "0"}) > 1:
        return None
    try:
        numbers = [_PARSERS[unit](part) for part in parts]
    except UnitError:
        return None
    # An integer may be larger than any float.
    if sorted(numbers) != numbers or numbers[-1] >= _LIMIT:
        return None
    return [number + 0.0 for number in numbers]


def _suggestion(text: str, unit: Unit) -> str | None:
    """Return similar text that would be accepted, or None."""
    if len(text) > _LONGEST:
        return None
    parts: list[str] = []
    for part in _SEPARATOR.sub("..", text.strip()).split(".."):
        try:
            _PARSERS[unit](part)
        except UnitError as error:
            if error.suggestion is None:
                return None
            part = error.suggestion
        parts.append(part)
    last = _UNIT.search(parts[-1])
    if last:
        parts = [part if part == "0" or _UNIT.search(part) else part + last.group(1) for part in parts]
    tidy = "..".join(sorted(parts, key=_PARSERS[unit]))
    return tidy if len(parts) == 1 or _numbers(tidy, unit) is not None else None
