"""`etcdsize resources`: print what a load needs of every member."""

from __future__ import annotations

from argparse import Namespace

from etcdsize import units
from etcdsize.cli.argument_parser import Commands, add_command
from etcdsize.cli.arguments import add_json, add_load
from etcdsize.cli.clock import report_old_versions
from etcdsize.cli.load_arguments import (
    FIGURES,
    add_apiserver_metrics,
    add_figures,
    left_out_of,
    model_of,
    observed_of,
    profile_of,
)
from etcdsize.cli.plan_arguments import add_version
from etcdsize.cli.streams import write_answer, write_text
from etcdsize.etcd.quota import LARGEST_QUOTA_BYTES
from etcdsize.etcd.version_names import DEFAULT_VERSION

__all__ = ["add", "run"]

# What does not fit: the load into a quota, its writes onto the disk.
_TOO_LITTLE = {"quota-too-small", "fsync-too-slow", "disk-too-slow"}


def add(commands: Commands) -> None:
    parser = add_command(
        commands,
        "resources",
        run=run,
        summary="print what a load needs of every member",
        description="""\
Print what a load needs of every member: database file, memory, disk, network
and CPU, and how long operations take. Each figure is a range, with the value to
provide and how it is known: measured on real etcd, from etcd's source, or our
choice. What you leave out is assumed; the answer lists every assumption with
its effect, and advises what helps more than a larger machine. The guide has no
part in it, so there is no --basis; size and fit compare the two. If the quota
or the disk that you give is not enough, or no etcd starts with the quota that
the load needs, the exit code is 1.""",
        example="etcdsize resources --keys 5.7e6 --value-size 1kB --writes 50\n"
        "etcdsize resources --kubernetes-nodes 1000 --pods 30000 --etcd-version 3.5",
    )
    add_load(parser.add_argument_group("load"))
    add_figures(parser.add_argument_group(FIGURES))
    add_apiserver_metrics(
        parser.add_argument_group("load of a Kubernetes cluster, from the metrics of its API servers")
    )
    how = parser.add_argument_group("etcd and its disk")
    add_version(how)
    how.add_argument(
        "--quota",
        metavar="SIZE",
        type=units.parse_bytes,
        help="quota of the database, e.g. 8GiB (default: what the load needs)",
    )
    how.add_argument(
        "--snapshot-count",
        metavar="N",
        type=units.parse_whole,
        help="etcd's --snapshot-count (default: the version's default)",
    )
    how.add_argument(
        "--snapshot-catchup-entries",
        metavar="N",
        type=units.parse_whole,
        help="etcd's setting of that name, from 3.5.14 (default: 5000)",
    )
    how.add_argument(
        "--disk-mb-per-second",
        metavar="MB",
        type=units.parse_count,
        help="write bandwidth of the disk, in 10^6 bytes per second",
    )
    how.add_argument(
        "--fsync", metavar="TIME", type=units.parse_duration, help="time that the disk takes for an fsync, e.g. 2ms"
    )
    what = parser.add_argument_group("what to print")
    what.add_argument(
        "--explain",
        action="store_true",
        help="also print the parts of every figure, with the source of each",
    )
    add_json(what)


def run(options: Namespace) -> int:
    """Print what a load needs of every member."""
    from etcdsize.resources.resources import resources_for
    from etcdsize.sizing.load_profile import profile_for

    model = model_of(options)
    version = DEFAULT_VERSION if model is None else model.etcd_version
    if options.etcd_version is not None:
        version = options.etcd_version
    observed = observed_of(options)
    profile = profile_of(options, observed)
    resources = resources_for(
        # An API server whose metrics these are compacts by itself.
        profile_for(profile, options.kubernetes_nodes, kubernetes=observed is not None),
        etcd_version=version,
        quota_bytes=options.quota,
        snapshot_count=options.snapshot_count,
        snapshot_catchup_entries=options.snapshot_catchup_entries,
        disk_mb_per_second=options.disk_mb_per_second,
        fsync_seconds=options.fsync,
        model=model,
    )
    left_out = left_out_of(options)
    first = (() if observed is None else observed.notices) + (() if left_out is None else (left_out,))
    if first:
        resources = resources.model_copy(update={"notices": (*first, *resources.notices)})
    if options.json:
        write_answer(resources)
    else:
        # Imported here because JSON does without it.
        from etcdsize.reports.resources import render_resources

        write_text(render_resources(resources, explain=options.explain))
    report_old_versions(version)
    too_little = _TOO_LITTLE & {notice.code for notice in resources.notices}
    return 1 if too_little or resources.quota_bytes > LARGEST_QUOTA_BYTES else 0
