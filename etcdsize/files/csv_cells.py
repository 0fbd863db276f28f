"""Split a block of delimited text into cells and read whole numbers, for all rows at once.

Only plain text is handled, which is nearly every file: no quotes, and the same line end and number of cells in every
row. For anything else the functions return None, and the caller uses a slower parser.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PAD", "Cells", "cut"]

_NEWLINE = ord("\n")
PAD = 16
"""Bytes before the text, so that reading eight bytes at a time never reaches before the buffer."""

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]


def cut(padded: Bytes, delimiter: str, columns: int, newline: bytes) -> Cells | None:
    """Return the cells of a text that consists of whole rows, or None if it is not plain.

    Parameters
    ----------
    padded : array of uint8
        The text, after `PAD` bytes of padding.
    delimiter : str
        The byte between cells.
    columns : int
        Number of cells in every row.
    newline : bytes
        The line end of every row.
    """
    text = padded[PAD:]
    if not text.size or text[-1] != _NEWLINE or (text == ord('"')).any():
        return None
    newlines = text == _NEWLINE
    rows = int(np.count_nonzero(newlines))
    ends = np.flatnonzero((text == ord(delimiter)) | newlines)
    if ends.size != rows * columns:
        return None
    grid = ends.reshape(rows, columns)
    stops = grid[:, -1]
    if not newlines[stops].all():
        return None
    returns = np.count_nonzero(text == ord("\r"))
    if len(newline) == 1:
        return None if returns else Cells(padded, grid, stops, newline)
    stops = stops - 1
    return Cells(padded, grid, stops, newline) if returns == rows and (text[stops] == ord("\r")).all() else None


class Cells:
    """The cells of a text.

    Parameters
    ----------
    padded : array of uint8
        The text, after `PAD` bytes of padding.
    grid : array of int64, shape (rows, columns)
        The position of the delimiter or newline after each cell.
    stops : array of int64, shape (rows,)
        The end of each row, without its line end.
    newline : bytes
        The line end.
    """

    def __init__(self, padded: Bytes, grid: Places, stops: Places, newline: bytes) -> None:
        self._padded = padded
        self._text = padded[PAD:]
        self._grid = grid
        self._stops = stops
        self._newline = newline

    def __len__(self) -> int:
        return len(self._grid)

    def _place(self, column: int) -> tuple[Places, Places]:
        """Return the start and end of every cell of a column."""
        if column:
            starts = self._grid[:, column - 1] + 1
        else:
            starts = np.zeros(len(self), np.int64)
            starts[1:] = self._grid[:-1, -1] + 1
        last = column == self._grid.shape[1] - 1
        return starts, self._stops if last else self._grid[:, column]

    def outer_bytes(self) -> tuple[Bytes, Bytes]:
        """Return the first and the last byte of every row; a row has at least two columns."""
        return self._text[self._place(0)[0]], self._text[self._stops - 1]

    def rows(self) -> NDArray[np.int32]:
        """Return the offsets of the rows in the padded text, each row with the line end before it.

        This way the rows need not be copied. The line end before the first row is written into the padding.
        """
        self._padded[PAD - len(self._newline) : PAD] = np.frombuffer(self._newline, np.uint8)
        offsets = np.empty(len(self) + 1, np.int32)
        offsets[0] = PAD - len(self._newline)
        np.add(self._stops, PAD, out=offsets[1:], casting="unsafe")
        return offsets

    def texts(self, column: int) -> tuple[Bytes, NDArray[np.int32]]:
        """Return the concatenated cells of a column, and their offsets."""
        starts, stops = self._place(column)
        lengths = stops - starts
        offsets = np.zeros(len(self) + 1, np.int32)
        np.cumsum(lengths, out=offsets[1:])
        return self._text[np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1])], offsets

    def numbers(self, column: int) -> NDArray[np.int64] | None:
        """Return a column of whole numbers, or None if a cell is anything but 1 to 16 digits."""
        starts, stops = self._place(column)
        lengths = stops - starts
        longest = int(lengths.max(initial=1))
        if longest > 16 or lengths.min(initial=1) < 1:
            return None
        # The eight bytes that start at each position of the padded text, as one integer.
        eights: NDArray[np.uint64] = np.ndarray(
            (len(self._padded) - 7,), np.dtype("<u8"), self._padded.data, strides=(1,)
        )
        values = _digits(eights[stops + PAD - 8], np.minimum(lengths, 8))
        if values is not None and longest > 8:
            upper = _digits(eights[stops + PAD - 16], np.maximum(lengths - 8, 0))
            values = None if upper is None else values + upper * np.uint64(10**8)
        return None if values is None else values.view(np.int64)


_ZEROS, _HIGH = np.uint64(0x3030303030303030), np.uint64(0x8080808080808080)
_ABOVE_NINE = np.uint64(0x7676767676767676)
_EACH_FOURTH = np.uint64(0x000000FF000000FF)
_UPPER_WEIGHTS, _LOWER_WEIGHTS = np.uint64(1_000_000 << 32 | 100), np.uint64(10_000 << 32 | 1)


def _digits(words: NDArray[np.uint64], kept: NDArray[Any]) -> NDArray[np.uint64] | None:
    """Return the numbers that the last `kept` of eight digits spell, or None if one of them is not a digit.

    All digits of a word are combined at once: digits into pairs, pairs into groups of four, and those into eight.
    """
    masks = np.uint64(2**64 - 1) << np.minimum((8 - kept) * 8, 63).astype(np.uint64)
    masks[kept == 0] = 0
    digits = (words ^ _ZEROS) & masks
    if (((digits + _ABOVE_NINE) | digits) & _HIGH).any():
        return None
    pairs = digits * np.uint64(10) + (digits >> np.uint64(8))
    upper = (pairs & _EACH_FOURTH) * _UPPER_WEIGHTS
    lower = ((pairs >> np.uint64(16)) & _EACH_FOURTH) * _LOWER_WEIGHTS
    values: NDArray[np.uint64] = (upper + lower) >> np.uint64(32)
    return values
