"""The terms of a figure with how each of them is known, worked out when somebody asks."""

from collections.abc import Sequence

from etcdsize.resources.answer import Term
from etcdsize.resources.cases import Evaluations
from etcdsize.resources.coefficients import CoefficientTable
from etcdsize.resources.terms import TermKind

__all__ = ["terms_of"]


def terms_of(
    group: str, figure: str, kinds: Sequence[TermKind], found: Evaluations, table: CoefficientTable
) -> tuple[Term, ...]:
    """Return the terms of a figure."""
    likely, need = found.likely.groups[group][figure], found.need.groups[group][figure]
    ends = [end.groups[group][figure] for end in found.ends]
    return tuple(
        Term(
            name=kind.name,
            low=min(likely[at], *(end[at] for end in ends)),
            likely=likely[at],
            high=max(likely[at], *(end[at] for end in ends)),
            need=need[at],
            known=_known(kind, table),
            source=_source(kind, table),
        )
        for at, kind in enumerate(kinds)
    )


def _known(kind: TermKind, table: CoefficientTable) -> str:
    words = {
        "measured": f"measured on {table.measured_on}",
        "calibrated": "calibrated",
        "source": "from source",
        "choice": "our choice",
    }
    ways = dict.fromkeys(table.coefficients[name].how for name in kind.coefficients) or {kind.how: None}
    return ", ".join(words[way] for way in ways)


def _source(kind: TermKind, table: CoefficientTable) -> str:
    parts = []
    for name in kind.coefficients:
        found = table.coefficients[name]
        unit = f" {found.unit}" if found.unit not in ("", "1") else ""
        parts.append(f"{name} {found.value:g}{unit} ({found.low:g}..{found.high:g}): {found.source}")
    return "; ".join([*parts, *filter(None, [kind.source])])
