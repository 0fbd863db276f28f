"""`etcdsize fleet`: size every cluster of a file."""

from __future__ import annotations

import contextlib
from argparse import Namespace
from pathlib import Path

from etcdsize import units
from etcdsize.cli.argument_parser import Commands, add_command, file_name
from etcdsize.cli.arguments import (
    Pairs,
    add_catalog,
    add_columns,
    add_force,
    add_headroom,
    add_json,
    add_output,
    add_output_format,
    add_region,
    add_tiers,
    choice,
    pair,
)
from etcdsize.cli.clock import dates_of_prices, report_old_prices
from etcdsize.cli.load_arguments import add_model, model_of
from etcdsize.cli.plan_arguments import add_version
from etcdsize.cli.progress import progress_bar
from etcdsize.cli.streams import reject_own_output, report, standard_input, standard_output, write_answer, write_text
from etcdsize.etcd.version_names import DEFAULT_VERSION

__all__ = ["add", "run"]

# Short names of dimensions, as in the options of `etcdsize size`.
_ALIASES = {"rps": "requests_per_second", "data": "data_bytes"}


def _dimension(text: str) -> str:
    return _ALIASES.get(text, text)


def add(commands: Commands) -> None:
    parser = add_command(
        commands,
        "fleet",
        run=run,
        summary="size every cluster of a file",
        description="""\
Size every cluster of a CSV, TSV, JSON, Parquet or Excel file that has one
cluster per row, compressed or not. Print a summary, and write every row with
more columns: tier, machine_type, forced_by, tightest, machine_today (the
machine to run today), cost_per_month (the whole cluster on it), currency,
price_region, price_date, problem, notices. A row that cannot be sized is kept,
with its problem, and the exit code is 1. A row that is doubtful or beyond the
guide is sized, and the codes in the column notices say why it needs a look.

Columns are recognized by their names: clients (connections),
requests_per_second (rps, qps), data_bytes (data, db_size, in bytes or as text
such as 400MB), provider (cloud), region (whose prices count). A unit in a name
is converted, however it is written: data_mb, "DB Size (GiB)", DbSizeKB,
QPS/min, requests_per_hour. A column kubernetes_nodes (nodes) may stand beside
the load, or instead of it. Other columns are copied unchanged.

If a column current_machine (or instance_type, vm_size, vm_type, flavor, shape)
names the machine that runs now, more columns are written: verdict (under,
beyond, right, over, unknown), reason, decided_by, utilization, breaks_next,
recommended_machine, cost_difference_per_month, difference_currency; and the
summary lists the clusters at risk and the possible savings.

With --resources, four more columns say what each load needs from a member, by
the measured model: quota_bytes, memory_limit_bytes, volume_gib,
fsync_p99_needed_ms. The more is known, the more exact they are. These columns
are read too: keys, key_bytes, value_bytes, largest_value_bytes,
writes_per_second, reads_per_second, puts_per_transaction, puts_per_commit,
history_seconds, list_keys, concurrent_lists, watchers, watch_streams, leases,
keys_per_lease, lease_ttl_seconds, lease_revokes_per_second, tls (yes or no),
and pods beside kubernetes_nodes. If a cell is empty, the model assumes a value.
A column etcd_version gives the version of etcd that a row is answered for.""",
        example="etcdsize fleet clusters.csv -o sized.csv\n"
        "etcdsize fleet clusters.csv --column clients=conns --unknown data_bytes",
    )
    parser.add_argument(
        "input",
        metavar="IN",
        type=file_name,
        help="the file to read, or a folder of Parquet files; - is standard input",
    )
    add_output(parser, help="the file to write; - is standard output (default: write no rows)")
    add_columns(parser, names="columns of IN, * for all of those, and added columns, which always come last")
    add_force(parser)
    parser.add_argument(
        "--format",
        metavar="FORMAT",
        help="format of IN: csv, tsv, jsonl, json, parquet or xlsx (default: by the name of IN, or its content)",
    )
    add_output_format(parser, standard_output="the format of IN")
    parser.add_argument(
        "--delimiter",
        metavar="CHAR",
        help="what separates the cells of IN: a comma, ';', '|' or tab (default: by the header)",
    )
    parser.add_argument(
        "--sheet", metavar="NAME", help="the sheet of an .xlsx file (default: the first that is not hidden)"
    )
    parser.add_argument(
        "--column",
        metavar="WHAT=NAME",
        type=pair("WHAT=NAME such as clients=conn_count", _ALIASES),
        action=Pairs,
        help="the column that holds clients, requests_per_second, data_bytes, kubernetes_nodes, provider, "
        "current_machine or a further figure such as keys, if its name is not recognized; data_mb=NAME or "
        "requests_per_minute=NAME also states the unit, if the name does not; can be repeated",
    )
    parser.add_argument(
        "--name-column",
        metavar="NAME",
        help="the column with the names of the clusters, by which the summary names them (default: cluster, "
        "cluster_name, name, cluster_id or id)",
    )
    parser.add_argument(
        "--unknown",
        metavar="WHAT",
        type=_dimension,
        action="append",
        default=[],
        help="a dimension that the file does not have; or kubernetes_nodes, region or a further figure such as keys, "
        "to ignore that column; can be repeated",
    )
    parser.add_argument(
        "--missing",
        metavar="HOW",
        type=choice(("problem", "unknown")),
        default="problem",
        help="how to treat an empty cell: problem, or unknown, which lets the rest of the row decide (default: "
        "problem)",
    )
    parser.add_argument(
        "--na",
        metavar="TEXT",
        action="append",
        default=[],
        help="another text that means a missing value, besides n/a, NA, -, null, none, unknown, ? and #N/A in any "
        "case; can be repeated",
    )
    parser.add_argument(
        "--decimal",
        metavar="MARK",
        default=".",
        help="the decimal mark in text: . or , (default: .)",
    )
    parser.add_argument(
        "--thousands",
        metavar="MARK",
        help="the mark between groups of three digits in text: , . ' _ or space (default: none)",
    )
    parser.add_argument(
        "--provider",
        metavar="NAME",
        help="the provider of every row, such as aws, alibaba or one of your own, whatever its provider column says",
    )
    add_region(parser, default="the column region, or the prices that the catalog has")
    parser.add_argument(
        "--resources",
        action="store_true",
        help="add what each load needs from a member, by the measured model: quota, memory limit, volume and fsync",
    )
    add_version(parser)
    add_model(parser)
    several = parser.add_mutually_exclusive_group()
    several.add_argument(
        "--latest",
        action="store_const",
        const="latest",
        dest="fold",
        help="if a cluster has several rows, size only the newest, by a column of time stamps",
    )
    several.add_argument(
        "--peak",
        action="store_const",
        const="peak",
        dest="fold",
        help="if a cluster has several rows, size the largest value of each figure; the other cells are those of the "
        "newest row",
    )
    add_headroom(parser)
    parser.add_argument(
        "--margin",
        metavar="SHARE",
        type=units.parse_fraction,
        default="20%",
        help="headroom a smaller tier must still have before a machine is reported as oversized (default: 20%%)",
    )
    add_tiers(parser)
    add_catalog(parser, otherwise=", or if IN names the machines that run now")
    parser.add_argument(
        "--strict",
        action="store_true",
        help="exit with 1 if any cluster is beyond the guide: no published figure says that its machine is enough",
    )
    add_json(parser)


def run(options: Namespace) -> int:
    """Size every cluster of a file."""
    from etcdsize.base.output_file import is_standard_output
    from etcdsize.files.fleet_file import open_fleet
    from etcdsize.reports.fleet import render_fleet

    model = model_of(options)
    version = DEFAULT_VERSION if model is None else model.etcd_version
    if options.etcd_version is not None:
        version = options.etcd_version
    to_output = is_standard_output(options.output)
    reject_own_output(options.input, output=options.output)
    with (
        standard_output() if to_output else contextlib.nullcontext() as stream,
        open_fleet(
            Path(options.input),
            standard_input() if options.input == "-" else None,
            format=options.format,
            delimiter=options.delimiter,
            sheet=options.sheet,
            na=options.na,
            decimal=options.decimal,
            thousands=options.thousands,
            provider=options.provider,
            region=options.region,
            columns=options.column or {},
            unknown=options.unknown,
            on_missing=options.missing,
            catalog=options.catalog,
            tiers=options.tiers,
            headroom=options.headroom,
            margin=options.margin,
            fold=options.fold,
            name_column=options.name_column,
            resources=options.resources,
            etcd_version=version,
            model=model,
        ) as opened,
        progress_bar(*opened.work, opened.name) as progress,
    ):
        for note in opened.notes:
            report(f"etcdsize: {note}")
        summary = opened.run(
            None if to_output or options.output is None else Path(options.output),
            stream,
            format=options.output_format,
            columns=options.columns,
            force=options.force,
            progress=progress,
        )
    if options.json:
        write_answer(summary, aside=to_output)
    else:
        write_text(render_fleet(summary), aside=to_output)
    if not (options.json and to_output):
        # Otherwise the summary on standard error is for a program.
        report_old_prices(dates_of_prices(summary))
    unknown = 0 if summary.audit is None else summary.audit.verdicts["unknown"]
    beyond = options.strict and summary.beyond_guide
    return 1 if summary.not_sized or summary.not_fitted or unknown or beyond else 0
