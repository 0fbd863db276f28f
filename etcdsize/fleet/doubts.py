"""Loads of which only the low end fits what they run on, by the measured model: as numbers and as text.

A number keeps two digits of each figure, so that many loads of a fleet share a text.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from etcdsize.fleet.revision_arrays import Mask

__all__ = ["DOUBTS", "Doubt", "Doubtful", "columns_of", "doubt_codes", "doubt_text"]


class Doubt(NamedTuple):
    """A figure that may not fit."""

    takes: str
    """What the load takes of it."""
    has: str
    """What it has to fit."""
    columns: tuple[str, ...]
    """The columns that make the range narrower, those with the largest effect first."""


_OF_WRITES = ("writes_per_second", "value_bytes", "puts_per_transaction")
_OF_FILE = (
    *("history_seconds", "writes_per_second", "value_bytes", "keys", "data_bytes"),
    *("puts_per_transaction", "puts_per_commit"),
)
_OF_NODES = ("pods", "data_bytes", "requests_per_second", "clients")
DOUBTS: dict[str, Doubt] = {
    "values": Doubt("{} GiB of memory", "the machine has", _OF_WRITES),
    "streams": Doubt("{} GiB of memory", "the machine has", ("watch_streams", "tls", "clients")),
    "lists": Doubt("{} GiB of memory", "the machine has", ("concurrent_lists", "list_keys", "value_bytes", "keys")),
    "memory": Doubt("{} GiB of memory", "the machine has", (*_OF_FILE, "watchers", "leases", "clients", "tls")),
    "disk": Doubt(
        "{} writes to the disk a second, one after the other",
        "the machine allows",
        ("writes_per_second", "lease_revokes_per_second", "leases"),
    ),
    "bandwidth": Doubt("{} MB/s written to the disk", "the machine allows", _OF_WRITES),
    "processor": Doubt(
        "{} vCPUs",
        "the machine has",
        ("concurrent_lists", "list_keys", "writes_per_second", "reads_per_second", "watch_streams"),
    ),
    "throughput": Doubt("{} MB/s written to the disk", "the volume allows", _OF_WRITES),
    "volume": Doubt("{} GiB for the file and the write-ahead log", "the volume has", _OF_FILE),
    "quota": Doubt("{} GiB for the file", "the quota allows", _OF_FILE),
    "lease": Doubt("{} ms for the end of a lease", "etcd takes without a warning", ("keys_per_lease", "leases")),
}
"""The figures; the first four are of the memory, by what it takes most beyond its low end."""
_NAMES = tuple(DOUBTS)
# What is said of figures beside the one that is furthest from fitting.
_BESIDE = (
    *("the memory", "the writes to the disk", "the machine's MB/s", "the processor", "the volume's MB/s"),
    *("the size of the volume", "the quota", "the end of a lease"),
)
_COLUMNS = tuple(dict.fromkeys(name for doubt in DOUBTS.values() for name in (*doubt.columns, *_OF_NODES)))
# A text names at most this many columns (our choice).
_NAMED = 3
# Which columns count for a figure, where Kubernetes nodes do not say what the load is and where they do.
_COUNTS = np.array(
    [[[name in of for name in _COLUMNS] for of in (doubt.columns, _OF_NODES)] for doubt in DOUBTS.values()]
)

# The parts of a number: the figure, from 1, the low end and what to provide, what else is in doubt, and which columns
# would say more.
_WIDTHS = (4, 11, 11, len(_BESIDE), len(_COLUMNS))
_PLACES = tuple(sum(_WIDTHS[:part]) for part in range(len(_WIDTHS)))
# Two digits and a power of ten, from 0.001 on; 0 is less.
_LEAST_POWER, _POWERS, _NEAR = -3, 22, 1e-9


class Doubtful(NamedTuple):
    """Loads that are in doubt, a row each."""

    figure: NDArray[np.intp]
    """The figure that is furthest from fitting, as an index in `DOUBTS`."""
    low: NDArray[np.float64]
    need: NDArray[np.float64]
    beside: Sequence[NDArray[np.bool_]]
    """Which other figures are in doubt: those of `_BESIDE`, in their order."""
    of_nodes: NDArray[np.bool_]
    """Where Kubernetes nodes say what the load is."""
    empty: Mapping[str, Mask]
    """Which columns are empty, by name."""


def columns_of() -> tuple[str, ...]:
    """Return the columns that a text may name."""
    return _COLUMNS


def doubt_codes(rows: Doubtful) -> NDArray[np.int64]:
    """Return the number of every row's doubt."""
    counts = _COUNTS[rows.figure, rows.of_nodes.astype(np.intp)].T
    empty = [rows.empty[name] & counted for name, counted in zip(_COLUMNS, counts)]
    parts = (
        rows.figure + 1,
        _digits(rows.low, up=False),
        _digits(rows.need, up=True),
        _bits(rows.beside),
        _bits(empty),
    )
    found = np.zeros(len(rows.figure), np.int64)
    for part, place in zip(parts, _PLACES):
        found |= part << place
    return found


def _bits(masks: Sequence[NDArray[np.bool_]]) -> NDArray[np.int64]:
    """Return masks as the bits of numbers."""
    bits = np.zeros(len(masks[0]), np.int64)
    for place, one in enumerate(masks):
        bits |= np.multiply(one, 1 << place, dtype=np.int64)
    return bits


def _digits(values: NDArray[np.float64], *, up: bool) -> NDArray[np.int64]:
    """Return numbers in two digits, rounded up or down, as whole numbers of 11 bits."""
    # A float may be a little more or less than the digits that it has.
    near = -_NEAR if up else _NEAR
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.floor(np.log10(values))
        codes = (power - _LEAST_POWER) * 90 + (np.ceil if up else np.floor)(values / 10.0 ** (power - 1) + near) - 9
    whole: NDArray[np.int64] = np.clip(np.nan_to_num(codes), 0, _POWERS * 90).astype(np.int64)
    return whole


def _text_of(code: int) -> str:
    if not code:
        return "0"
    power, digits = divmod(code - 1, 90)
    value = (digits + 10) * 10.0 ** (power + _LEAST_POWER - 1)
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


@functools.lru_cache(maxsize=65_536)
def doubt_text(code: int) -> str:
    """Return the text of a doubt."""
    number, low, need, beside, empty = (code >> place & (1 << width) - 1 for place, width in zip(_PLACES, _WIDTHS))
    figure = DOUBTS[_NAMES[number - 1]]
    order = dict.fromkeys((*figure.columns, *_OF_NODES))
    missing = [name for name in order if empty >> _COLUMNS.index(name) & 1][:_NAMED]
    others = [name for place, name in enumerate(_BESIDE) if beside >> place & 1]
    least = figure.takes.format(_text_of(low))
    because = f", as {_list_of(missing)} {'is' if len(missing) == 1 else 'are'} unknown" if missing else ""
    more = f"; {_list_of(others)} {'is' if len(others) == 1 else 'are'} in doubt too" if others else ""
    ask = "observe a running member"
    if missing:
        ask = f"fill in {'this column' if len(missing) == 1 else 'these columns'}"
    return (
        f"by the measured model, the load takes at least {least} ({_text_of(need)} to provide){because}, and only the "
        f"low end fits what {figure.has}: {ask}{more}"
    )


def _list_of(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
