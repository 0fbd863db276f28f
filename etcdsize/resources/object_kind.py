"""`ObjectKind`, the keys of one kind, and how the fields of a profile read amounts."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from etcdsize.base.model import Model
from etcdsize.base.text import shown
from etcdsize.errors import EtcdSizeError, InvalidWorkloadError, WorkloadTypeError
from etcdsize.resources.amount import Amount, AmountInput
from etcdsize.resources.fields import FIELD_UNITS

__all__ = ["AMOUNT_SCHEMA", "LARGEST_FIGURE", "ObjectKind", "reads"]

_NUMBER = {"type": "number", "minimum": 0}
_AMOUNT = [
    _NUMBER,
    {"type": "string"},
    {"type": "array", "minItems": 2, "maxItems": 3, "items": {"anyOf": [_NUMBER, {"type": "string"}]}},
    {
        "type": "object",
        "properties": {"low": _NUMBER, "likely": _NUMBER, "high": _NUMBER},
        "required": ["low", "likely", "high"],
        "additionalProperties": False,
    },
]
AMOUNT_SCHEMA = WithJsonSchema({"anyOf": [*_AMOUNT, {"type": "null"}]}, mode="validation")
_REQUIRED_SCHEMA = WithJsonSchema({"anyOf": _AMOUNT}, mode="validation")
# Products of several figures are numbers still (our choice; no real figure comes near).
LARGEST_FIGURE = 1e50
# The longest name of a custom resource with its group in Kubernetes has 63 + 1 + 253 characters.
_LONGEST_NAME = 317


def reads(field: str, *, least: float = 0, required: bool = False) -> BeforeValidator:
    """Return the validator of a field that holds an amount, or None if it is unknown."""
    unit = FIELD_UNITS.get(field, "count")

    def validate(value: Any) -> Amount | None:
        if value is None and not required:
            return None
        try:
            amount = Amount.of(value, unit)
        except EtcdSizeError as error:
            kind = WorkloadTypeError if isinstance(error, WorkloadTypeError) else InvalidWorkloadError
            raise kind(f"{field}: {error}", dimension=field, value=value) from None
        if least <= amount.low and amount.high <= LARGEST_FIGURE:
            return amount
        expected = f"{least:g} or more" if amount.low < least else f"at most {LARGEST_FIGURE:g}"
        got = value if isinstance(value, Amount) else shown(value)
        raise InvalidWorkloadError(
            f"{field}: got {got}, expected an amount of {expected}", dimension=field, value=value
        )

    return BeforeValidator(validate)


def _name(value: Any) -> str:
    if isinstance(value, str) and value.strip() == value and 0 < len(value) <= _LONGEST_NAME:
        return str(value)
    raise ValueError(f"got {shown(value)}, expected a name of 1 to {_LONGEST_NAME} characters without spaces around it")


class ObjectKind(Model):
    """The keys of one kind: how many, how large, and how often they are written.

    Parameters
    ----------
    name : str
        The kind, such as `"pods"`.
    count : amount
        Keys. [count]
    value_bytes : amount
        The average value. [bytes]
    writes_per_second : amount, optional
        Puts and deletes. [1/s]
    key_bytes : amount, optional
        The average key; by default that of the profile. [bytes]

    Raises
    ------
    InvalidWorkloadError
        For what is no amount, and for an unknown field.
    WorkloadTypeError
        For booleans and other values that are no amounts.

    Examples
    --------
    >>> print(ObjectKind(name="pods", count=3000, value_bytes="5kB..20kB").value_bytes)
    5000..20000
    """

    name: Annotated[
        str,
        PlainValidator(_name),
        WithJsonSchema({"type": "string", "minLength": 1, "maxLength": _LONGEST_NAME}),
        Field(description="The kind, such as pods."),
    ]
    count: Annotated[Amount, reads("count", required=True), _REQUIRED_SCHEMA, Field(description="Keys. [count]")]
    value_bytes: Annotated[
        Amount,
        reads("value_bytes", required=True),
        _REQUIRED_SCHEMA,
        Field(description="The average value. [bytes]"),
    ]
    writes_per_second: Annotated[
        Amount | None,
        reads("writes_per_second"),
        AMOUNT_SCHEMA,
        Field(description="Puts and deletes of keys of this kind. [1/s]"),
    ] = None
    key_bytes: Annotated[
        Amount | None,
        reads("key_bytes"),
        AMOUNT_SCHEMA,
        Field(description="The average key. None: that of the profile. [bytes]"),
    ] = None

    error_type: ClassVar[type[EtcdSizeError]] = InvalidWorkloadError

    if TYPE_CHECKING:
        # Type checkers know the fields only as they are read.
        def __init__(
            self,
            *,
            name: str,
            count: AmountInput,
            value_bytes: AmountInput,
            writes_per_second: AmountInput | None = None,
            key_bytes: AmountInput | None = None,
        ) -> None: ...
