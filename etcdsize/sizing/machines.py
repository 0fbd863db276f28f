"""The machines of a sizing, by provider."""

from collections.abc import Mapping
from typing import NamedTuple

from etcdsize.base.notice import Notice
from etcdsize.catalog.catalog import Catalog, why_no_machine
from etcdsize.catalog.machines import Machine
from etcdsize.sizing.notices import machine_notices, no_machine_fits_notice

__all__ = ["ByProvider", "TierMachines"]

ByProvider = tuple[tuple[str, Machine], ...]


class TierMachines(NamedTuple):
    """Every provider's machine, what to run today in its place, and the notices about both.

    A provider without a machine that is enough is left out of both, and a notice says why.
    """

    chosen: ByProvider
    today: ByProvider
    notices: tuple[Notice, ...]

    @classmethod
    def of(
        cls,
        catalog: Catalog,
        tier: str,
        chosen: Mapping[str, Machine | None],
        today: Mapping[str, Machine | None],
    ) -> "TierMachines":
        """Return the machines of a catalog for a tier by provider, None for none, with their notices."""
        machines = tuple((name, machine) for name, machine in chosen.items() if machine is not None)
        of_today = tuple((name, machine) for name, machine in today.items() if machine is not None)
        about = machine_notices([machine for _, machine in machines], [machine for _, machine in of_today])
        reasons = [why_no_machine(catalog, name, tier) for name, machine in chosen.items() if machine is None]
        return cls(machines, of_today, (*about, *map(no_machine_fits_notice, reasons)))
