"""The base of every model: frozen, closed to unknown fields, limited to finite numbers, with errors of our own."""

from __future__ import annotations

import contextlib
import functools
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)

from etcdsize.base.checks import number_of
from etcdsize.base.text import nearest, shortened, shown
from etcdsize.errors import EtcdSizeError, TableError
from etcdsize.printable import HIDDEN, has_password

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails

__all__ = [
    "Answer",
    "Count",
    "Date",
    "DateOrEmpty",
    "Model",
    "Name",
    "NotNegative",
    "Positive",
    "date_of",
    "read_table",
]


if TYPE_CHECKING:

    class _Base(BaseModel):
        """A plain Pydantic model, for type checkers."""

else:

    class _Signature:
        """The signature of a model whose fields are not yet built, for `help` and editors: it builds them."""

        def __get__(self, instance, owner):
            if instance is not None:
                raise AttributeError("__signature__")
            owner.model_rebuild(force=True)
            # Pydantic has given the model a signature of its own.
            return inspect.signature(owner)

    class _ModelType(type(BaseModel)):
        """Convert the ValidationError of a direct call such as `Tier(...)` to an `EtcdSizeError`.

        Pydantic builds nested models without a call, so an error in one of them keeps its location.
        """

        def __call__(cls, *args, **fields):
            try:
                return super().__call__(*args, **fields)
            except ValidationError as error:
                raise convert_error(cls, error) from None
            except UnicodeEncodeError as error:
                # Pydantic encodes text before it validates it.
                raise cls.error_type(f"{cls.__name__}: got {shown(error.object)}, expected Unicode text") from None

    class _Base(BaseModel, metaclass=_ModelType):
        @classmethod
        def __pydantic_init_subclass__(cls, **options):
            super().__pydantic_init_subclass__(**options)
            cls.__signature__ = _Signature()


class Model(_Base):
    """A frozen Pydantic model that rejects unknown fields, NaN and infinity with an `EtcdSizeError`."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        # Pydantic's own errors, as of `model_validate`, would show passwords in URLs.
        hide_input_in_errors=True,
        defer_build=True,
        # What is written always has every field.
        json_schema_serialization_defaults_required=True,
    )

    error_type: ClassVar[type[EtcdSizeError]] = TableError
    """The error that the model raises for invalid input."""

    renamed: ClassVar[dict[str, str]] = {}
    """Former names of fields, each with what the error for such a field says: its name of today."""


class Answer(Model):
    """The base of what a command prints as JSON; `cli/answers.py` lists them all."""

    format_version: Annotated[
        Literal[1],
        Field(description="The version of the schema: it changes if a field is removed or changes its meaning."),
    ] = 1


def _number(value: Any) -> int | float:
    # Nearly every value is one of these, and the shortcut loads a catalog a third faster (our measurement).
    if (type(value) is float or type(value) is int) and 0 <= value < 1e300:
        return value
    return number_of("", value)


def _positive(value: Any) -> int | float:
    if (type(value) is float or type(value) is int) and 0 < value < 1e300:
        return value
    return number_of("", value, positive=True)


NotNegative = Annotated[int | float, PlainValidator(_number), WithJsonSchema({"type": "number", "minimum": 0})]
Positive = Annotated[int | float, PlainValidator(_positive), WithJsonSchema({"type": "number", "exclusiveMinimum": 0})]
Count = Annotated[int, Field(strict=True, gt=0, lt=2**63)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^\S(.*\S)?$")]


# Most dates of a catalog are the same few.
@functools.lru_cache(maxsize=256)
def date_of(text: str) -> str:
    """Return a date that is written like 2026-11-25, and raise ValueError for anything else."""
    import datetime

    # `fromisoformat` also reads 20261125 and 2026-W48-3.
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        with contextlib.suppress(ValueError):
            datetime.date.fromisoformat(text)
            return text
    raise ValueError(f'got {shown(text)}, expected a date such as "2026-11-25"')


Date = Annotated[str, AfterValidator(date_of), WithJsonSchema({"type": "string", "format": "date"})]
DateOrEmpty = Annotated[str, AfterValidator(lambda text: text and date_of(text))]

# More fields are not listed in a message (our choice).
_MOST_FIELDS = 10
# Our choice; the machines of all providers take 2 MB.
_LARGEST_BYTES = 64 * 2**20

ModelT = TypeVar("ModelT", bound=Model)


def read_table(model: type[ModelT], path: Path, *, is_own: bool = False) -> ModelT:
    """Return the model in a JSON file. An error names the file, the row and the field.

    In a user's own file, a repeated field is an error; Pydantic would take the last one.
    """
    try:
        with path.open("rb") as stream:
            text = stream.read(_LARGEST_BYTES + 1)
    except OSError as error:
        raise TableError(f"{path}: cannot be read: {error.strerror}", file=str(path)) from error
    if len(text) > _LARGEST_BYTES:
        raise TableError(f"{path}: has more than {_LARGEST_BYTES // 2**20} MiB; is it the right file?", file=str(path))
    if is_own:
        from etcdsize.base.json_text import reject_repeats

        try:
            reject_repeats(text)
        except TableError as error:
            raise TableError(f"{path}: {error}", file=str(path)) from None
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise convert_error(model, error, file=str(path)) from None


def convert_error(model: type[Model], error: ValidationError, file: str | None = None) -> EtcdSizeError:
    """Return Pydantic's first error as one of ours, with the number of further errors."""
    details = error.errors(include_url=False)
    # Pydantic counts valid rows only, so it also reports a list with an invalid row as too short.
    details = [detail for detail in details if detail["type"] != "too_short"] or details
    # A field by its former name says more than that its new one is missing.
    details.sort(key=lambda detail: _new_name(model, detail) is None)
    first = details[0]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, model.error_type) and not isinstance(cause, TableError) and file is None:
        return cause
    row, field = _place(first["loc"])
    if isinstance(cause, TableError):
        row, field, reason = cause.row or row, cause.field or field, cause.message
    elif isinstance(cause, ValueError):
        reason = str(cause).removeprefix(f"{first['loc'][-1]}: " if first["loc"] else "")
    else:
        reason = _reason(model, first)
    where = [file or model.__name__]
    if row is not None:
        where.append(f"row {row}")
    if field is not None:
        where.append(field)
    more = f" ({len(details) - 1} more)" if len(details) > 1 else ""
    place = where[0] + (": " + ", ".join(where[1:]) if where[1:] else "")
    message = f"{place}: {reason}{more}"
    if file is None and model.error_type is not TableError:
        return model.error_type(message)
    return TableError(message, file=file, row=row, field=field)


def _place(loc: Sequence[int | str]) -> tuple[int | None, str | None]:
    """Return the row, counted from 1, and the field in it."""
    rows = [index for index, part in enumerate(loc) if isinstance(part, int)]
    if not rows:
        return None, _dotted(loc) or None
    return int(loc[rows[0]]) + 1, _dotted(loc[rows[0] + 1 :]) or None


def _dotted(parts: Sequence[int | str]) -> str:
    # What is said to be a field may be a URL.
    return ".".join(HIDDEN if has_password(str(part)) else shortened(str(part)) for part in parts)


def _reason(model: type[Model], detail: ErrorDetails) -> str:
    name = str(detail["loc"][-1]) if detail["loc"] else ""
    if detail["type"] == "extra_forbidden":
        new_name = _new_name(model, detail)
        if new_name is not None:
            return f"unknown field; it is now {new_name}"
        owner = _model_at(model, detail["loc"][:-1])
        fields = list(owner.model_fields)
        expected = ", ".join(fields)
        if len(fields) > _MOST_FIELDS:
            expected = f"one of the {len(fields)} fields of {owner.__name__} that docs/api.md lists"
        return f"unknown field; expected {expected}{nearest(name, fields)}"
    if detail["type"] == "missing":
        return "missing; the field is required"
    if detail["type"] == "too_short":
        actual = detail["ctx"]["actual_length"]
        return f"got {actual} row{'' if actual == 1 else 's'}, expected at least {detail['ctx']['min_length']}"
    if detail["type"] == "too_long":
        return f"got {detail['ctx']['actual_length']} rows, expected at most {detail['ctx']['max_length']}"
    if detail["type"] == "json_invalid":
        return f"not JSON: {detail['msg'].removeprefix('Invalid JSON: ')}"
    expected = detail["msg"].removeprefix("Input should be ")
    return f"got {shown(detail['input'])}, expected {expected[:1].lower()}{expected[1:]}"


def _new_name(model: type[Model], detail: ErrorDetails) -> str | None:
    """Return what a field by its former name is called now, None for any other field."""
    if detail["type"] != "extra_forbidden":
        return None
    return _model_at(model, detail["loc"][:-1]).renamed.get(str(detail["loc"][-1]))


def _model_at(model: type[Model], loc: Sequence[int | str]) -> type[Model]:
    """Return the model at this location."""
    for part in loc:
        info = model.model_fields.get(part) if isinstance(part, str) else None
        if info is not None:
            model = _inner_model(info.annotation) or model
    return model


def _inner_model(annotation: Any) -> type[Model] | None:
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return annotation
    return next(filter(None, map(_inner_model, get_args(annotation))), None)
