"""Read a column of a load as numbers, whatever its Arrow type. A value that cannot be read is a problem of its row."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from etcdsize.base.text import Suggestions, shown
from etcdsize.batches.cells import CellRules
from etcdsize.batches.column_names import BYTE_KEYS, GIB_KEYS, RATE_KEYS
from etcdsize.batches.columns import Source
from etcdsize.errors import ColumnError, UnitError
from etcdsize.units import Dimension

__all__ = ["Load", "distinct", "is_text", "numbers", "reads_as", "texts_of", "truths"]

_TRUTHS = {**dict.fromkeys(("yes", "true", "1", "1.0"), 1.0), **dict.fromkeys(("no", "false", "0", "0.0"), 0.0)}


@dataclass
class Load:
    """One dimension of a batch: its numbers, the problems of rows by index, and which rows are missing."""

    values: NDArray[Any]
    problems: dict[int, str]
    missing: NDArray[np.bool_] | None


def numbers(
    column: pa.Array, dimension: Dimension, source: Source, cells: CellRules, suggestions: Suggestions | None = None
) -> Load:
    """Return the numbers of a column, without a copy if it holds numbers and no nulls.

    The rules for cells apply to text. The problems of text that is not a number have as many suggestions as are left.
    """
    kind = column.type
    suggestions = suggestions or Suggestions()
    if pa.types.is_dictionary(kind):
        if is_text(kind.value_type):
            return _parse_distinct(column, dimension, source, cells, suggestions)
        column = column.cast(kind.value_type)
        kind = column.type
    if is_text(kind):
        return _parse_text(column, dimension, source, cells, suggestions)
    if pa.types.is_null(kind):
        return Load(np.zeros(len(column)), {}, np.ones(len(column), np.bool_))
    if pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise ColumnError(f"column {shown(source.name)}: got the type {kind}, expected numbers or text")
    missing = None
    if column.null_count:
        missing = column.is_null().to_numpy(zero_copy_only=False)
        column = column.fill_null(0) if not pa.types.is_float16(column.type) else column.cast(pa.float32()).fill_null(0)
    values = column.to_numpy(zero_copy_only=False)
    for number in cells.na_numbers:
        found = values == number
        missing = found if missing is None else missing | found
        values = np.where(found, values.dtype.type(0), values)
    return Load(_scale(values, source.factor, dimension), {}, missing)


def truths(column: pa.Array, source: Source, cells: CellRules) -> Load:
    """Return a column of yes and no as 1 and 0: booleans, text in any case, or the numbers 1 and 0."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    accepted = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_null, is_text)
    if not any(accepts(kind) for accepts in accepted):
        raise ColumnError(f"column {shown(source.name)}: got the type {kind}, expected yes or no")
    if not is_text(kind):
        column = column.cast(kind).cast(pa.string())
    texts, places = distinct(column)
    known = [*cells.clean(texts).to_pylist(), None]
    found = [None if text is None else _TRUTHS.get(text.lower()) for text in known]
    wrong = np.array([one is None and text is not None for one, text in zip(found, known)])
    missing = np.array([text is None for text in known])[places]
    values = np.array([one or 0.0 for one in found])[places]
    problems = {
        row: f"{source.name}: got {shown(known[int(places[row])])}, expected yes or no"
        for row in np.flatnonzero(wrong[places]).tolist()
    }
    return Load(values, problems, missing if missing.any() else None)


def reads_as(key: str) -> Dimension:
    """Return the dimension whose cells are written like those of a key: a count, a rate or bytes."""
    return (
        "data_bytes"
        if key in BYTE_KEYS and key not in GIB_KEYS
        else "requests_per_second"
        if key in RATE_KEYS
        else "clients"
    )


def texts_of(batch: pa.RecordBatch, source: Source, cells: CellRules) -> tuple[pa.Array, NDArray[np.int64]]:
    """Return the distinct texts of a column as cells are written, and the place of each row's, as `distinct` does.

    Raises
    ------
    ColumnError
        If the column is not text.
    """
    column = batch.column(source.position)
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (is_text(kind) or pa.types.is_null(kind)):
        raise ColumnError(f"column {shown(source.name)}: got the type {kind}, expected text")
    texts, places = distinct(column)
    return cells.clean(texts), places


def distinct(column: pa.Array) -> tuple[pa.Array, NDArray[np.int64]]:
    """Return the distinct texts of a column, and the place of each row's among them; null's is behind the last."""
    if not pa.types.is_dictionary(column.type):
        column = (column if pa.types.is_large_string(column.type) else column.cast(pa.string())).dictionary_encode()
    texts = column.dictionary
    places: NDArray[np.int64] = column.indices.cast(pa.int64()).fill_null(len(texts)).to_numpy(zero_copy_only=False)
    if len(texts) > len(column):
        # A batch may come with the dictionary of a whole file: keep only what it uses.
        used, places = np.unique(np.append(places, len(texts)), return_inverse=True)
        texts, places = texts.take(pa.array(used[:-1])), places[:-1]
    return texts, places


def is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _scale(values: NDArray[Any], factor: int | Fraction, dimension: Dimension) -> NDArray[Any]:
    """Convert to the dimension's own unit.

    Bytes are rounded to the nearest whole one: a decimal number of MB is not exact in binary. A rate is divided once by
    a whole number, because multiplying by 1/60 would round twice.

    One division never moves a rate to or across a bound b, if b and d b are floats for the divisor d, as they are for
    every bound of the guide. With d = f 2^k and 1 < f < 2, the floats next to d b are at least 1/f > 1/2 of a step of b
    from b once they are divided, so they are not rounded to b. Integers above 2^53 are rounded before, far beyond any
    bound.
    """
    if factor == 1:
        return values
    scaled = values.astype(np.float64)
    with np.errstate(over="ignore"):
        if factor.numerator != 1:
            scaled *= factor.numerator
            if dimension == "data_bytes":
                np.rint(scaled, out=scaled, where=scaled >= 1)
            else:
                _snap(scaled)
        if factor.denominator != 1:
            scaled /= factor.denominator
    return scaled


def _snap(scaled: NDArray[np.float64]) -> None:
    """Make whole what is whole but for the rounding of a decimal number: 1.001 thousands are 1001."""
    whole = np.rint(scaled)
    with np.errstate(invalid="ignore"):
        np.copyto(scaled, whole, where=np.abs(scaled - whole) <= whole * 2**-52)


# Longer text is parsed by `units` instead.
_LONGEST_PLAIN = 100
_DIGITS = np.zeros(256, np.bool_)
_DIGITS[[ord(digit) for digit in "0123456789"]] = True
_DECIMALS = _DIGITS.copy()
_DECIMALS[ord(".")] = True


def _parse_distinct(
    column: pa.Array, dimension: Dimension, source: Source, cells: CellRules, suggestions: Suggestions
) -> Load:
    """Return the numbers in a dictionary of text, which is parsed and not expanded."""
    texts, places = distinct(column)
    load = _parse_text(texts, dimension, source, cells, suggestions)
    missing = np.append(np.zeros(len(texts), np.bool_) if load.missing is None else load.missing, True)[places]
    problems: dict[int, str] = {}
    if load.problems:
        faulty = np.zeros(len(texts) + 1, np.bool_)
        faulty[list(load.problems)] = True
        problems = {row: load.problems[int(places[row])] for row in np.flatnonzero(faulty[places]).tolist()}
    values = np.append(load.values, load.values.dtype.type(0))[places]
    return Load(values, problems, missing if missing.any() else None)


def _parse_text(
    column: pa.Array, dimension: Dimension, source: Source, cells: CellRules, suggestions: Suggestions
) -> Load:
    """Return the numbers in a column of text; text that is not a number is a problem of its row."""
    column = column.cast(pa.large_string())
    if not cells.na_numbers:
        filled, missing = _fill_missing(column)
        plain = _plain_numbers(filled, _DECIMALS if cells.decimal == "." else _DIGITS)
        if plain is not None:
            return Load(_scale(plain, source.factor, dimension), {}, missing)

    # Not every cell is a plain number: read each distinct text once.
    encoded = column.fill_null("").dictionary_encode()
    indices = encoded.indices.to_numpy(zero_copy_only=False)
    texts, missing = _fill_missing(cells.clean(encoded.dictionary))
    written = cells.plain_numbers(texts)
    values = None if written is None else _plain_numbers(written, _DECIMALS)
    wrong: dict[int, str] = {}
    if values is None:
        values, wrong = _parse_each(texts.to_pylist(), dimension, source, cells, suggestions)
    problems: dict[int, str] = {}
    if wrong:
        faulty = np.zeros(len(values), np.bool_)
        faulty[list(wrong)] = True
        problems = {row: wrong[int(indices[row])] for row in np.flatnonzero(faulty[indices]).tolist()}
    return Load(
        _scale(values[indices], source.factor, dimension), problems, None if missing is None else missing[indices]
    )


def _fill_missing(column: pa.Array) -> tuple[pa.Array, NDArray[np.bool_] | None]:
    """Return a column with 0 for nulls and empty texts, and which those are if there are any."""
    missing = pc.equal(column, "").fill_null(True) if column.null_count else pc.equal(column, "")
    if not pc.any(missing).as_py():
        return column, None
    return pc.if_else(missing, "0", column), missing.to_numpy(zero_copy_only=False)


def _parse_each(
    texts: list[str], dimension: Dimension, source: Source, cells: CellRules, suggestions: Suggestions
) -> tuple[NDArray[Any], dict[int, str]]:
    """Return the number in each text, and the problem of each text without one by its index."""
    unit = source.unit
    accepted = None if unit is None else f"a number of {unit}"
    read = np.zeros(len(texts))
    wrong: dict[int, str] = {}
    exact: list[int | float] = []
    for code, text in enumerate(texts):
        exact.append(0)
        try:
            value = cells.parse(
                dimension if unit is None else "clients", text, suggest=suggestions.left > 0, accepted=accepted
            )
        except UnitError as error:
            suggestions.take()
            wrong[code] = f"{source.name}: {error}"
            continue
        if isinstance(value, int) and value >= 2**64:
            wrong[code] = f"{source.name}: got {shown(text)}, expected at most 2^64 - 1 for an integer"
            continue
        read[code] = exact[code] = value
    # Stay exact beyond 2^53 if every value is an integer.
    return np.array(exact, np.uint64) if all(isinstance(value, int) for value in exact) else read, wrong


def _plain_numbers(column: pa.Array, accepted: NDArray[np.bool_]) -> NDArray[Any] | None:
    """Return the numbers of a column of accepted bytes, digits and perhaps dots; None if it holds anything else."""
    if not len(column):
        return np.zeros(0)
    ends = np.frombuffer(column.buffers()[1], np.int64)[column.offset : column.offset + len(column) + 1]
    start, stop = ends[0], ends[-1]
    if np.diff(ends).max() > _LONGEST_PLAIN:
        return None
    text = np.frombuffer(column.buffers()[2], np.uint8)[start:stop]
    if not accepted[text].all():
        return None
    try:
        plain: NDArray[Any] = column.cast(pa.int64() if _DIGITS[text].all() else pa.float64()).to_numpy()
    except pa.ArrowInvalid:
        return None
    # 18446744073709551616.0 counts as an integer, and is too large.
    return None if plain.dtype.kind == "f" and plain.max() >= 2**63 else plain
