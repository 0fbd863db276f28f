"""The machines of a sizing, by provider."""

from typing import NamedTuple

from etcdsize.base.notice import Notice
from etcdsize.catalog.machines import Machine
from etcdsize.sizing.notices import machine_notices

__all__ = ["ByProvider", "TierMachines"]

ByProvider = tuple[tuple[str, Machine], ...]


class TierMachines(NamedTuple):
    """Every provider's machine, what to run today in its place, and the notices about both."""

    chosen: ByProvider
    today: ByProvider
    notices: tuple[Notice, ...]

    @classmethod
    def of(cls, chosen: ByProvider, today: ByProvider) -> "TierMachines":
        """Return the machines with their notices."""
        return cls(chosen, today, machine_notices([each for _, each in chosen], [each for _, each in today]))
