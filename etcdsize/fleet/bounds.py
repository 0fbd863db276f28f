"""Which figures of a fleet are only bounds: the true load may be less, or more.

A verdict is given only where it is true whatever the unknown part is. A load that may be less never shows that a
machine is too small, and a load that may be more never shows that one is right or too large.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from etcdsize.base.text import nearest, shown
from etcdsize.errors import InvalidWorkloadError, OptionError
from etcdsize.units import DIMENSIONS
from etcdsize.workload import CERTAINTY_WORDS

__all__ = ["Bounds", "Mask", "Part", "bounds_of", "mask_of"]

Mask = NDArray[np.bool_] | bool
"""Which clusters of a fleet: an array, or all or none of them."""


class Part(NamedTuple):
    """What is known of one dimension."""

    less: Mask = False
    """Where the true figure may be less."""
    more: Mask = False
    """Where it may be more; both where the figure is an estimate."""
    unknown: Mask = False
    """Where there is no figure."""


# The words for a part, by less + 2 * more; the last for one that is unknown.
_WORDS = (*(CERTAINTY_WORDS[one] for one in ("exact", "upper", "lower", "estimate")), "unknown")
_STATES = len(_WORDS)
_PARTIAL = _STATES ** len(DIMENSIONS)


class Bounds:
    """What is known of the loads of a fleet.

    Parameters
    ----------
    parts : sequence of Part
        One for each dimension.
    partial : mask
        The clusters of which only a part was observed.
    clusters : int
        How many clusters there are.
    """

    def __init__(self, parts: Sequence[Part], partial: Mask, clusters: int) -> None:
        self.parts: tuple[Part, ...] = tuple(parts)
        """One for each dimension."""
        self.states: NDArray[np.uint8] = np.zeros(clusters, np.uint8)
        """What is known of every cluster, as a number that `describe` explains; 0: everything, exactly. uint8"""
        for place, part in enumerate(parts):
            step = _STATES**place
            # An array of booleans times a step, or one step for all.
            of = np.multiply(part.less, step, dtype=np.uint8) + np.multiply(part.more, 2 * step, dtype=np.uint8)
            self.states += np.where(part.unknown, np.uint8(4 * step), of)
        self.states += np.multiply(partial, _PARTIAL, dtype=np.uint8)

    def least(self, columns: Sequence[NDArray[Any] | None]) -> list[NDArray[Any] | None]:
        """Return the loads without those that may be less."""
        found: list[NDArray[Any] | None] = []
        for column, part in zip(columns, self.parts):
            if column is None or part.less is True or part.less is False:
                found.append(None if part.less is True else column)
            else:
                found.append(np.where(part.less, column.dtype.type(0), column))
        return found

    def cut(self, rows: slice) -> Bounds:
        """Return what is known of some of the clusters."""
        part = object.__new__(Bounds)
        part.parts = tuple(
            Part(*(mask if isinstance(mask, bool) else mask[rows] for mask in one)) for one in self.parts
        )
        part.states = self.states[rows]
        return part


def _words_of(state: int) -> list[str]:
    return [_WORDS[state // _STATES**place % _STATES] for place in range(len(DIMENSIONS))]


MAY_BE_MORE: NDArray[np.bool_] = np.array(
    [state >= _PARTIAL or bool({"a lower bound", "an estimate", "unknown"}.intersection(_words_of(state)))
     for state in range(2 * _PARTIAL)] + [False] * (256 - 2 * _PARTIAL)
)  # fmt: skip
"""Whether the load may need more, by `Bounds.states`."""


def describe(state: int) -> str:
    """Return what is not known exactly of a cluster.

    >>> describe(2 + 5 * 4), describe(125)
    ('clients is a lower bound, requests_per_second is unknown', 'a part of the cluster was not observed')
    """
    words = _words_of(state)
    parts = [f"{name} is {word}" for name, word in zip(DIMENSIONS, words) if word != "exact"]
    return ", ".join([*parts, *(["a part of the cluster was not observed"] if state >= _PARTIAL else [])])


def mask_of(option: str, value: ArrayLike, shape: tuple[int, ...]) -> Mask:
    """Return which clusters an argument names: True, False, or one boolean per cluster.

    Raises
    ------
    OptionError
        For anything else.
    """
    array = np.asarray(value)
    if array.dtype != np.bool_:
        raise OptionError(
            f"{option}: got {shown(value) if array.ndim == 0 else f'dtype {array.dtype}'}, expected true, false or an "
            "array of booleans",
            option=option,
            value=None,
        )
    if array.ndim == 0:
        return bool(array)
    try:
        return np.broadcast_to(array, shape)
    except ValueError:
        raise InvalidWorkloadError(
            f"{option}: got the shape {array.shape}, expected one value, or one per cluster: {shape}"
        ) from None


def bounds_of(
    columns: Sequence[NDArray[Any] | None],
    shape: tuple[int, ...],
    lower: Mapping[str, ArrayLike] | None,
    upper: Mapping[str, ArrayLike] | None,
    partial: ArrayLike,
) -> Bounds | None:
    """Return what is known of loads given as arrays, None where everything is known exactly."""
    may_be_more, may_be_less = _masks("lower", lower, shape), _masks("upper", upper, shape)
    parts = [
        Part(may_be_less.get(name, False), may_be_more.get(name, False), unknown=column is None)
        for name, column in zip(DIMENSIONS, columns)
    ]
    in_part = mask_of("partial", partial, shape)
    if in_part is False and not any(mask is not False for part in parts for mask in part):
        return None
    return Bounds(parts, in_part, shape[0])


def _masks(option: str, masks: Mapping[str, ArrayLike] | None, shape: tuple[int, ...]) -> dict[str, Mask]:
    if masks is None:
        return {}
    if not isinstance(masks, Mapping):
        raise OptionError(
            f'{option}: got {shown(masks)}, expected a mapping such as {{"data_bytes": True}}',
            option=option,
            value=masks,
        )
    for name in masks:
        if name not in DIMENSIONS:
            raise OptionError(
                f"{option}: got {shown(name)}, expected {', '.join(DIMENSIONS)}{nearest(str(name), DIMENSIONS)}",
                option=option,
                value=name,
            )
    return {name: mask_of(f"{option}[{name}]", mask, shape) for name, mask in masks.items()}
