"""`etcdsize machines`: print the machines of a catalog."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING

from etcdsize.cli.argument_parser import Commands, add_command
from etcdsize.cli.arguments import add_catalog, add_json, add_provider, add_region, choice
from etcdsize.cli.clock import dates_of_prices, report_old_prices
from etcdsize.cli.streams import write_answer, write_text

if TYPE_CHECKING:
    from etcdsize.catalog.catalog import Catalog
    from etcdsize.catalog.machines import Machine

__all__ = ["add", "run"]

_SORTS: dict[str, Callable[[Machine], float | None]] = {
    "price": lambda machine: machine.price.per_hour if machine.price else None,
    "vcpus": lambda machine: machine.vcpus,
    "memory": lambda machine: machine.memory_gib,
    "iops": lambda machine: machine.limits_for(machine.disk_limits[0].kind if machine.disk_limits else "")[0],
}


def add(commands: Commands) -> None:
    parser = add_command(
        commands,
        "machines",
        run=run,
        summary="print the machines of a catalog",
        description="""\
Print the machines of a catalog, with errata and source. Disk figures are what a
machine sustains, without bursts. Prices are on-demand prices for the region and
date shown. Values that are not verified are printed as unknown.""",
        example="etcdsize machines --provider gce\netcdsize machines --catalog current --family m8i --sort price",
    )
    add_provider(parser)
    add_catalog(parser, otherwise=", or of the --type")
    add_region(parser)
    for option, metavar, text in (
        ("--family", "NAME", "only this machine family, e.g. m8i"),
        ("--arch", "ARCH", "only this architecture: x86_64 or arm64"),
        ("--type", "NAME", "only this machine type"),
    ):
        parser.add_argument(option, metavar=metavar, action="append", help=f"{text}; can be repeated")
    parser.add_argument(
        "--sort",
        metavar="BY",
        type=choice(tuple(_SORTS)),
        help="sort by price (one currency after the other), vcpus, memory or iops, lowest first, unknown last "
        "(default: the order of the catalog)",
    )
    add_json(parser)


def run(options: Namespace) -> int:
    """Print the machines of a catalog."""
    from etcdsize.catalog.catalog import check_machines_of
    from etcdsize.catalog.known_types import type_key
    from etcdsize.catalog.money import currency_order
    from etcdsize.reports.tables import render_machines

    catalog, providers = _catalog_for(options)
    check_machines_of(catalog, providers)
    chosen = catalog.model_copy(
        update={
            "default_providers": (),
            "machines": tuple(machine for machine in catalog.machines if machine.provider in providers),
            "disk_kinds": tuple(kind for kind in catalog.disk_kinds if kind.provider in providers),
        }
    )
    types = options.type
    if types is not None:
        chosen = chosen.with_known_types(types) if chosen.name == "current" else chosen
        types = [_names_of(chosen).get(type_key(written), written) for written in types]
    chosen = chosen.restrict(machine_types=types, families=options.family, architectures=options.arch)
    machines = chosen.machines
    if options.sort is not None:
        figure = _SORTS[options.sort]
        # Prices of two currencies are not compared: one currency follows the other.
        priced = (machine.price.currency for machine in machines if machine.price and options.sort == "price")
        order = currency_order(priced)

        def rank(machine: Machine) -> tuple[bool, int, float]:
            value = figure(machine)
            return value is None, order.get(machine.price.currency, 0) if machine.price else 0, value or 0

        machines = tuple(sorted(machines, key=rank))
    if options.json:
        write_answer(chosen.model_copy(update={"machines": machines}))
    else:
        write_text(render_machines(catalog, machines))
    report_old_prices(price for machine in machines for price in dates_of_prices(machine))
    return 0


def _catalog_for(options: Namespace) -> tuple[Catalog, tuple[str, ...]]:
    """Return the catalog and its providers: for types that the guide lacks, `current`, and all that have one."""
    from etcdsize.catalog.known_types import known_machine, type_key
    from etcdsize.catalog.loading import catalog_for, load_catalog
    from etcdsize.catalog.providers import known_providers

    name, providers = options.catalog, options.provider
    if options.type is not None:
        if name is None and not _names_of(load_catalog("guide")).keys() >= {*map(type_key, options.type)}:
            name = "current"
        if name == "current" and providers is None and options.region is None:
            having = (one for one in known_providers() if any(known_machine(each, (one,)) for each in options.type))
            providers = tuple(having) or None
    return catalog_for(name, providers, options.region)


def _names_of(catalog: Catalog) -> dict[str, str]:
    """Return the names of a catalog's types by what they are compared by, with the prefix of a provider and without."""
    from etcdsize.catalog.known_types import type_key

    return {
        key: machine.machine_type
        for machine in catalog.machines
        for key in (type_key(machine.machine_type), type_key(machine.machine_type, machine.provider))
    }
