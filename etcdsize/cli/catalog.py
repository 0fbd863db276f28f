"""`etcdsize catalog import` and `etcdsize catalog prices`: catalogs from providers' lists of machines and prices."""

from __future__ import annotations

from argparse import SUPPRESS, Namespace
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from etcdsize.base.text import in_words, safe_json, shown
from etcdsize.cli.argument_parser import Commands, add_command, file_name
from etcdsize.cli.arguments import add_force, add_output, architecture
from etcdsize.cli.catalog_text import catalog_text
from etcdsize.cli.clock import dates_of_prices, report_old_prices, today
from etcdsize.cli.own_machines import add_own_machines
from etcdsize.cli.streams import content, of_file, reject_own_output, write_json, write_text
from etcdsize.errors import OptionError

if TYPE_CHECKING:
    from etcdsize.catalog.catalog import Catalog
    from etcdsize.catalog.disks import DiskKindPrice
    from etcdsize.catalog.machines import MachinePrice

__all__ = ["add", "run_import", "run_prices"]


def add(commands: Commands) -> None:
    example = "etcdsize catalog import --from aws types.json -o my.json"
    parser = add_command(
        commands,
        "catalog",
        summary="make a catalog of a provider's machines, or of your own",
        description="Make a catalog of the machines that your provider offers, or of your own.",
        example=example,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, help="the command to run")
    add_own_machines(commands)
    parser = add_command(
        commands,
        "import",
        run=run_import,
        summary="make a catalog from a provider's own list of machines",
        description="""\
Make a catalog from a provider's own list of machines, as one of these commands
or the provider's API prints it:

  aliyun     aliyun ecs DescribeInstanceTypes --MaxResults 100
  aws        aws ec2 describe-instance-types --output json
  az         az vm list-skus --resource-type virtualMachines --location REGION
  doctl      doctl compute size list -o json
  gcloud     gcloud compute machine-types list --format=json
  hetzner    hcloud server-type list -o json
  huawei     hcloud ECS ListFlavors --project_id=PROJECT
  oci        oci compute shape list --compartment-id ID --all
  openstack  openstack flavor list -f json
  tencent    tccli cvm DescribeInstanceTypeConfigs

A summary goes to standard error. Entries without vCPUs or memory are dropped.
The exit code is 1 if entries were dropped or pages are missing. Burstable,
shared-core and bare-metal machines are kept and flagged. Prices in a list are
not read: add prices with etcdsize catalog prices.""",
        example=f"{example}\netcdsize catalog import --from gcloud a.json b.json -o my.json",
    )
    parser.add_argument(
        "files", metavar="FILE", type=file_name, nargs="+", help="the list, or its pages in order; - is standard input"
    )
    parser.add_argument(
        "--from", metavar="NAME", dest="origin", required=True, help="the program that printed the list, such as aws"
    )
    parser.add_argument(
        "--provider",
        metavar="NAME",
        help="name of the provider, for lists of openstack or huawei, which several providers print",
    )
    parser.add_argument(
        "--arch",
        metavar="NAME",
        type=architecture(),
        help="architecture of the machines for which the list gives none: x86_64 or arm64",
    )
    add_output(parser, help="the catalog to write; - is standard output", required=True)
    add_force(parser)
    # It was an option once, and `--provider` is all that is near it.
    parser.add_argument("--prices", help=SUPPRESS)
    _add_prices(commands)


def _add_prices(commands: Commands) -> None:
    example = "etcdsize catalog prices --from aws-prices prices.json --catalog types.json -o my.json"
    parser = add_command(
        commands,
        "prices",
        run=run_prices,
        summary="put the prices of a provider's list into a catalog",
        description="""\
Read the prices of one region from a price list, and put them into a catalog.
--from says which kind of list it is:

  aws-prices    aws pricing get-products, or an offer file of a region
  azure-prices  the pages of the Azure Retail Prices API
  cyclenerd     pricing.yml of Cyclenerd/google-cloud-pricing-cost-calculator
                (needs pip install 'etcdsize[prices]')
  gce-skus      the SKUs of Compute Engine in the Cloud Billing API
  csv           a list of your own, with the columns machine_type, price_per_hour,
                currency, region and date, and provider and source if you like;
                for a disk, disk_kind and price_per_gib_month instead of the
                first two

A summary goes to standard error: how many prices were used, and why the others
were not. Machines and disks that the list does not price keep the price that
they have. The exit code is 1 if pages are missing or no price was used.""",
        example=f"{example}\netcdsize catalog prices --from gce-skus 1.json 2.json --region europe-west4 -o my.json",
    )
    parser.add_argument(
        "files", metavar="FILE", type=file_name, nargs="+", help="the list, or its pages in order; - is standard input"
    )
    parser.add_argument(
        "--from", metavar="NAME", dest="origin", required=True, help="the kind of list, from those above"
    )
    parser.add_argument(
        "--catalog", metavar="NAME", default="current", help="the catalog to price, by name or file (default: current)"
    )
    parser.add_argument(
        "--region", metavar="NAME", help="the region, as the provider calls it, if the list has several"
    )
    parser.add_argument(
        "--date", metavar="DATE", help="when the list was made, if it does not say so itself (default: today)"
    )
    add_output(parser, help="the catalog to write; - is standard output", required=True)
    add_force(parser)


def run_prices(options: Namespace) -> int:
    """Put the prices of a provider's list into a catalog."""
    from etcdsize.catalog.loading import load_catalog
    from etcdsize.catalog.price_lists import apply_prices
    from etcdsize.catalog.prices import read_prices
    from etcdsize.catalog.registry import price_readers
    from etcdsize.reports.tables import render_priced, render_prices

    readers = price_readers()
    origin = _origin(options.origin, {name: reader.PROVIDER for name, reader in readers.items()} | {"csv": None})
    _check_files(options.files, options.output, force=options.force)
    catalog = load_catalog(options.catalog)
    date = today().isoformat() if options.date is None else options.date
    if origin == "csv":
        for option, given in (("--region", options.region), ("--date", options.date)):
            if given is not None:
                raise OptionError(f"{option}: cannot be used with --from csv; each row gives its own", option=option)
        every: list[MachinePrice | DiskKindPrice] = []
        for name in options.files:
            listed = of_file(name, partial(read_prices, content(name)))
            catalog = of_file(name, partial(catalog.merge, listed))
            every += listed
        _write_catalog(catalog, options.output)
        write_text(render_prices(every), aside=True)
        report_old_prices(date for price in every for date in dates_of_prices(price))
        return 0
    reader = readers[origin]
    readings = [of_file(name, partial(reader.reading_of, content(name))) for name in options.files]
    priced = apply_prices(
        readings, catalog, provider=reader.PROVIDER, region=options.region, date=date, source=reader.COMMAND
    )
    _write_catalog(priced.catalog, options.output)
    write_text(render_priced(priced), aside=True)
    return 1 if priced.truncated or not (priced.machines or priced.disk_kinds) else 0


def _origin(written: str, readers: Mapping[str, str | None]) -> str:
    """Return the name of a reader. The name of its provider is rejected with that name, and so is any other."""
    from etcdsize.base.checks import one_of
    from etcdsize.catalog.providers import find_provider

    provider = None if written in readers else find_provider(written)
    meant = [name for name, of in readers.items() if provider is not None and of == provider]
    if not meant:
        return one_of("--from", written, readers)
    raise OptionError(
        f"--from: got {shown(written)}, expected {in_words(tuple(readers), 'or')}; did you mean "
        f"{in_words([shown(name) for name in meant], 'or')}?",
        option="--from",
        value=written,
    )


def _check_files(sources: Sequence[str], output: str, *, force: bool) -> None:
    """Reject an output that cannot be written, or that is one of the inputs, before anything is read."""
    from etcdsize.base.output_file import check_output, is_standard_output

    reject_own_output(*sources, output=output)
    for source in sources:
        if sources.count(source) > 1:
            raise OptionError(f"{source}: got it more than once, expected it once", option="files", value=source)
        if not is_standard_output(output):
            check_output(Path(output), None if source == "-" else Path(source), force=force)


def _write_catalog(made: Catalog, output: str) -> None:
    from etcdsize.base.output_file import is_standard_output, open_output

    text = catalog_text(made)
    if is_standard_output(output):
        write_json(text)
    else:
        with open_output(Path(output)) as stream:
            stream.write(safe_json(text).encode())


def run_import(options: Namespace) -> int:
    """Make a catalog from a provider's own list of machines."""
    from etcdsize.catalog.listing import combine
    from etcdsize.catalog.registry import listing_readers, read_listing
    from etcdsize.reports.tables import render_import

    if options.prices is not None:
        raise OptionError(
            f"--prices: got {shown(options.prices)}, but catalog import reads no prices; import the machines, then run "
            "etcdsize catalog prices --from csv",
            option="--prices",
            value=options.prices,
        )
    origin = _origin(options.origin, {name: reader.SHAPE.provider for name, reader in listing_readers().items()})
    arch = options.arch
    _check_files(options.files, options.output, force=options.force)
    date = today().isoformat()
    read = partial(read_listing, origin, date=date, provider=options.provider)
    imported = combine([of_file(name, partial(read, content(name))) for name in options.files])
    if arch is not None:
        machines = [one if one.arch else one.model_copy(update={"arch": arch}) for one in imported.catalog.machines]
        named = imported.catalog.model_copy(update={"machines": tuple(machines)})
        imported = imported.model_copy(update={"catalog": named})
    _write_catalog(imported.catalog, options.output)
    write_text(render_import(imported), aside=True)
    report_old_prices(price for machine in imported.catalog.machines for price in dates_of_prices(machine))
    return 1 if imported.dropped or imported.truncated else 0
