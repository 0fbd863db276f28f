"""What a figure is made of: its terms, each with the coefficients behind it."""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["Figures", "TermKind"]

Figures = dict[str, tuple[float, ...]]
"""Figures by name, each as the values of its terms; a figure is their sum."""


class TermKind(NamedTuple):
    """A term of a figure."""

    name: str
    coefficients: tuple[str, ...] = ()
    """The coefficients that it is computed with."""
    source: str = ""
    """What is known of it besides the coefficients."""
    how: Literal["measured", "source", "choice"] = "source"
    """How it is known, where it has no coefficient."""
