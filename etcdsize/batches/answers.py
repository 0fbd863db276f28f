"""The columns of answers as Arrow arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from etcdsize.units import DIMENSIONS

__all__ = ["CODES", "FORCED_BY", "answer_schema", "coded", "problem_column"]

CODES = {
    "tier": "tier_codes",
    "machine_type": "machine_codes",
    "machine_today": "machine_codes",
    "cost_per_month": "machine_codes",
    "currency": "machine_codes",
    "price_region": "machine_codes",
    "price_date": "machine_codes",
    "forced_by": "forced_by",
    "tightest": "tightest",
}
"""The attribute of `FleetSizing` that holds the codes of each answer."""

_FORCING = (*DIMENSIONS, "kubernetes_nodes")
FORCED_BY = [";".join(name for bit, name in enumerate(_FORCING) if bits >> bit & 1) for bits in range(16)]
"""The text for each combination of bits of `forced_by`."""

_NUMBERS = ("cost_per_month", "utilization", "cost_difference_per_month", "fsync_p99_needed_ms")
_WHOLE_NUMBERS = ("quota_bytes", "memory_limit_bytes", "volume_gib")


def answer_schema(answers: Iterable[str], *, typed: bool = True) -> pa.Schema:
    """Return the names and types of the answer columns.

    Parameters
    ----------
    answers : iterable of str
        Their names.
    typed : bool
        Whether costs are numbers; in a format without types they may be codes, which are faster to write as text.
    """
    kinds = {**dict.fromkeys(("problem", "reason"), pa.string()), **dict.fromkeys(_NUMBERS, pa.float64())}
    kinds |= dict.fromkeys(_WHOLE_NUMBERS, pa.int64())
    if not typed:
        kinds["cost_per_month"] = pa.dictionary(pa.int32(), pa.float64())
    return pa.schema([(name, kinds.get(name, pa.dictionary(pa.int32(), pa.string()))) for name in answers])


def coded(
    codes: NDArray[Any], values: Sequence[str | float | None], kind: pa.DataType, bad: NDArray[np.bool_] | None = None
) -> pa.Array:
    """Return the values of codes as a type; null for a code without a value, and in the bad rows."""
    # Categories are unique, and several codes may mean the same.
    known = list(dict.fromkeys(value for value in values if value is not None))
    if len(known) < len(values):
        numbers = {value: number for number, value in enumerate(known)}
        place_of = np.full(len(values) + 1, len(known), np.int32)
        place_of[:-1] = [len(known) if value is None else numbers[value] for value in values]
        codes = place_of[np.minimum(codes, len(values))]
    nothing = codes >= len(known)
    if bad is not None:
        nothing |= bad
    places = pa.array(codes.astype(np.int32), mask=nothing if nothing.any() else None)
    if pa.types.is_dictionary(kind):
        return pa.DictionaryArray.from_arrays(places, pa.array(known, kind.value_type))
    return pa.array(known, kind).take(places)


def problem_column(problems: dict[int, list[str]], rows: int) -> pa.StringArray:
    """Return the problem of each row, or null."""
    if not problems:
        return pa.nulls(rows, pa.string())
    texts = np.full(rows, None, object)
    for row, reasons in problems.items():
        texts[row] = "; ".join(reasons)
    return pa.array(texts, pa.string())
