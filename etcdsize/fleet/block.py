"""What is known of the rows of a block of a fleet, column by column."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from etcdsize.fleet.revision_arrays import Floats, Mask, where
from etcdsize.resources.defaults import DEFAULTS
from etcdsize.resources.known import HIGH, LOW

__all__ = ["Block"]


class Block:
    """The known figures of the rows of a block.

    Parameters
    ----------
    columns : mapping
        Field of `Profile` -> its figures, an array or one number for all rows. NaN: unknown.
    """

    def __init__(self, columns: Mapping[str, Floats]) -> None:
        self._columns = columns
        self._has: dict[str, Mask] = {}
        for name, column in columns.items():
            unknown = np.isnan(column)
            self._has[name] = np.bool_(not unknown) if unknown.ndim == 0 else _one_for_all(~unknown)

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that any row may know."""
        return tuple(self._columns)

    def has(self, name: str) -> Mask:
        """Return where a figure is known."""
        return self._has.get(name, np.False_)

    def known(self, name: str, otherwise: Floats) -> Floats:
        """Return a figure where it is known, and something else where it is not."""
        # A number of NumPy's: divided by zero it is infinity, and compared it is no Python boolean.
        has = self._has.get(name)
        if has is not None and (has.ndim or has):
            return where(has, self._columns[name], otherwise)
        return otherwise if np.ndim(otherwise) else np.float64(otherwise)

    def case(self, name: str, case: int) -> Floats:
        """Return a figure, or its default in a case."""
        low, likely, high, _, _ = DEFAULTS[name]
        return self.known(name, (low, likely, high, likely)[case])

    def fewest(self, name: str, case: int) -> Floats:
        """Return a figure of which less takes more, or its default in a case."""
        return self.case(name, {LOW: HIGH, HIGH: LOW}.get(case, case))


def _one_for_all(mask: Mask) -> Mask:
    """Return a mask as one boolean if it is the same for all rows."""
    return np.True_ if mask.all() else mask if mask.any() else np.False_
