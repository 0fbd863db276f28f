"""The JSON schemas of the rows that `fleet` and `observe --targets` write as JSON lines or as a JSON array."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from etcdsize.batches.answers import answer_schema
from etcdsize.batches.columns import ANSWERS, AUDIT_ANSWERS, RESOURCE_ANSWERS
from etcdsize.observation.rows import OBSERVED

__all__ = ["fleet_row_schema", "observed_row_schema"]


def fleet_row_schema() -> dict[str, Any]:
    """Return the schema of a row of `fleet`: its answers beside the fields of the row that was read."""
    answers = _answers((*ANSWERS, *AUDIT_ANSWERS, *RESOURCE_ANSWERS))
    return _row("A row of a file of clusters, with its answers after its own fields.", answers, True)


def observed_row_schema() -> dict[str, Any]:
    """Return the schema of a row of `observe --targets`: the labels, what was observed, and the answers."""
    observed = {name: _value(kind) for name, kind in OBSERVED.items()}
    label = {"type": ["string", "null"], "description": "A label of the target."}
    return _row(
        "An observed cluster: its labels, what was observed, and the answers.",
        observed | _answers((*ANSWERS, *AUDIT_ANSWERS)),
        label,
    )


def _row(description: str, properties: dict[str, Any], others: bool | dict[str, Any]) -> dict[str, Any]:
    return {
        "title": "Row",
        "description": f"{description} --columns chooses among the fields.",
        "type": "object",
        "properties": properties,
        "additionalProperties": others,
    }


def _answers(names: tuple[str, ...]) -> dict[str, Any]:
    return {field.name: _value(field.type) for field in answer_schema(names)}


def _value(kind: pa.DataType) -> dict[str, Any]:
    """Return the schema of a column's values; each may be null."""
    is_number = pa.types.is_floating(kind) or pa.types.is_integer(kind)
    return {"type": ["number" if is_number else "string", "null"]}
