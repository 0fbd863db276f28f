"""The machines of a sizing where the load decides them, or what the load takes is the larger need."""

from etcdsize.catalog.catalog import Catalog
from etcdsize.catalog.loading import catalog_for
from etcdsize.catalog.machines import Machine
from etcdsize.catalog.providers import known_providers
from etcdsize.fitting.matches import best_machine
from etcdsize.fitting.need import FIGURES, Need
from etcdsize.sizing.basis import Basis, load_above_machines, tier_for
from etcdsize.sizing.machines import TierMachines
from etcdsize.sizing.options import arch_of
from etcdsize.tiers import TierTable

__all__ = ["machines_for_load"]


def machines_for_load(
    need: Need,
    own: Catalog,
    catalog: Catalog,
    providers: tuple[str, ...],
    tiers: TierTable,
    code: int,
    basis: Basis,
) -> tuple[str, TierMachines]:
    """Return the tier whose machines are enough for a need, and every provider's machine, if any, with today's.

    `own` is the user's catalog and `catalog` the same with a machine for every tier; `code` is the index of the guide's
    tier.
    """
    enough = tier_for(need, tiers)
    last = len(tiers.names) - 1
    index = last if enough is None else max(enough, code) if basis == "larger" else enough
    name = tiers.names[index]
    if own.has_tiers:
        chosen = {provider: catalog.find_for(provider, name) for provider in providers}
        today = {
            provider: _today(machine, need, name, own.regions.get(provider))
            for provider, machine in chosen.items()
            if machine is not None
        }
    else:
        arch = arch_of(own)
        best = ((provider, best_machine(need, own, provider, arch, name)) for provider in providers)
        # Where no machine is enough, the tier's is named, with the notice that it has less.
        today = chosen = {
            provider: catalog.find_for(provider, name) if found is None else found for provider, found in best
        }
    machines = TierMachines.of(catalog, name, chosen, today)
    every = (*machines.chosen, *machines.today)
    short = dict.fromkeys(machine.machine_type for _, machine in every if _has_less(machine, need))
    if short:
        machines = machines._replace(notices=(*machines.notices, load_above_machines(need, list(short))))
    return name, machines


def _today(machine: Machine, need: Need, tier: str, region: str | None) -> Machine | None:
    """Return what to run today in place of a machine: the first that is enough, or itself; None if nothing is known."""
    if machine.lifecycle != "previous" or machine.cost is not None:
        return machine
    if machine.provider not in known_providers():
        return None
    current, _ = catalog_for("current", machine.provider, region)
    return best_machine(need, current, machine.provider, "x86_64", tier)


def _has_less(machine: Machine, need: Need) -> bool:
    """Return whether a machine is known to have less of something than is needed."""
    known = ((getattr(machine, name), getattr(need, name)) for name in FIGURES)
    return any(has is not None and has < needed for has, needed in known)
