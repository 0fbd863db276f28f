"""From a profile to complete points of a load: what is not given is filled from what is, or assumed."""

from dataclasses import dataclass

from etcdsize.resources.assumption import Assumption
from etcdsize.resources.load import Load

__all__ = ["Filled"]


@dataclass(frozen=True, slots=True)
class Filled:
    """A profile in which nothing is unknown: the extreme points that it allows, and two in between."""

    points: tuple[Load, ...]
    """The extreme points, the low corner first. A figure's range is that over the points."""
    likely: Load
    """Every figure at its likely value."""
    need: Load
    """What is given at its high end, what is assumed at its likely value."""
    assumptions: tuple[Assumption, ...]
    """What was not given, in the order of the fields."""
