"""`etcdsize catalog add-machine` and `from-fio`: servers of one's own, and what their disks sustain."""

from __future__ import annotations

from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etcdsize import units
from etcdsize.base.text import safe_json, shown
from etcdsize.cli.argument_parser import Commands, add_command, file_name
from etcdsize.cli.arguments import add_json, architecture
from etcdsize.cli.catalog_text import catalog_text
from etcdsize.cli.clock import today
from etcdsize.cli.streams import content, of_file, reject_own_output, report, write_answer, write_text
from etcdsize.errors import OptionError
from etcdsize.etcd.fsync import FIO_OF_A_SERVER

if TYPE_CHECKING:
    from etcdsize.catalog.catalog import Catalog
    from etcdsize.catalog.machines import Machine

__all__ = ["add_own_machines"]

_MEASURED = ("concurrent_iops", "disk_mb_per_second", "sequential_iops", "fsync_p99_ms")
_FIO = " \\\n    ".join(FIO_OF_A_SERVER)
_GIB = 2**30
# No server has less memory (our choice).
_LEAST_MEMORY = 2**26


def add_own_machines(commands: Commands) -> None:
    """Add both commands to those of `etcdsize catalog`."""
    parser = add_command(
        commands,
        "add-machine",
        run=run_add_machine,
        summary="add a server of your own to a catalog",
        description="""\
Add a server of your own to a catalog file, which is created if it does not
exist. The server is judged by what its own disk sustains: measure the disk with
fio (see etcdsize catalog from-fio --help) and pass the result with --fio, or
give the figures. A figure that you do not give is unknown, and fit rejects a
server whose concurrent IOPS or bandwidth is unknown.""",
        example="""\
etcdsize catalog add-machine own.json --type r640 --vcpus 32 --memory 128GiB --arch x86_64 --fio fio.json
etcdsize fit --tier small --catalog own.json""",
    )
    parser.add_argument("file", metavar="CATALOG", type=file_name, help="the catalog, a JSON file")
    parser.add_argument("--type", metavar="NAME", required=True, help="your name for the machine")
    parser.add_argument("--vcpus", metavar="N", type=units.parse_whole, required=True, help="virtual CPUs")
    parser.add_argument("--memory", metavar="SIZE", type=units.parse_bytes, required=True, help="memory, e.g. 128GiB")
    parser.add_argument("--arch", metavar="ARCH", type=architecture(), required=True, help="x86_64 or arm64")
    parser.add_argument(
        "--provider", metavar="NAME", default="own", help="name of the provider to list it under (default: own)"
    )
    parser.add_argument("--fio", metavar="JSON", type=file_name, help="output of fio, with what its disk sustains")
    for option, metavar, text in (
        ("--concurrent-iops", "N", "random writes per second, many of them at once"),
        ("--disk-mb-per-second", "N", "bandwidth of large writes, in MB/s"),
        ("--sequential-iops", "N", "writes per second one after the other, each followed by an fsync"),
        ("--fsync-p99-ms", "N", "99th percentile of the time of an fsync, in ms"),
    ):
        parser.add_argument(option, metavar=metavar, type=units.parse_count, help=f"{text} (instead of --fio)")
    parser.add_argument(
        "--force", action="store_true", help="replace the machine if the catalog already has one of this name"
    )

    parser = add_command(
        commands,
        "from-fio",
        run=run_from_fio,
        summary="print what a disk sustains, from fio's JSON",
        description=f"""\
Print what a disk sustains, from the JSON that fio writes. Run fio as follows,
with a directory on the disk that will hold etcd's data in place of DIR, while
nothing else uses the disk:

  {_FIO}

This takes a minute or two. It needs 2 GiB of free space, which it frees again.""",
        example="etcdsize catalog from-fio fio.json",
    )
    parser.add_argument("file", metavar="FILE", type=file_name, help="fio's JSON; - is standard input")
    add_json(parser)


def run_from_fio(options: Namespace) -> int:
    """Print what a disk sustains."""
    from etcdsize.catalog.fio import read_fio

    reject_own_output(options.file)
    disk = of_file(options.file, partial(read_fio, content(options.file)))
    if options.json:
        write_answer(disk)
    else:
        from etcdsize.reports.measured_disk import render_measured_disk

        write_text(render_measured_disk(disk))
    return 0


def run_add_machine(options: Namespace) -> int:
    """Add a server of one's own to a catalog file."""
    from etcdsize.base.output_file import check_output, is_stream, open_output, status_of
    from etcdsize.catalog.catalog import Catalog
    from etcdsize.catalog.loading import load_catalog

    path = Path(options.file)
    if options.file == "-" or is_stream(path):
        raise OptionError("CATALOG: got a stream, expected the name of a file", option="file", value=options.file)
    check_output(path, None if options.fio in (None, "-") else Path(options.fio), force=True)
    machine = _machine(options)
    if status_of(path) is None:
        found = Catalog(
            name=path.stem or "own", title="Servers of our own", date=today().isoformat(), machines=[machine]
        )
    else:
        found = _with_machine(load_catalog(path), machine, force=options.force, file=options.file)
    text = safe_json(catalog_text(found))
    with open_output(path) as stream:
        stream.write(text.encode())
    count = f"{len(found.machines)} machine{'s' if len(found.machines) > 1 else ''}"
    report(f"{options.file}: added {machine.provider} {machine.machine_type}; the catalog has {count}")
    if machine.concurrent_iops is None or machine.disk_mb_per_second is None:
        report(
            f"{options.file}: fit rejects {machine.machine_type}, because it needs concurrent IOPS and bandwidth: "
            "measure its disk as etcdsize catalog from-fio --help says, and add it again with --fio and --force"
        )
    return 0


def _machine(options: Namespace) -> Machine:
    """Return the machine that the options describe."""
    from etcdsize.catalog.fio import read_fio
    from etcdsize.catalog.machines import Machine

    measured: dict[str, Any] = {name: getattr(options, name) for name in _MEASURED}
    given = [f"--{name.replace('_', '-')}" for name, figure in measured.items() if figure is not None]
    source = "given by the user"
    if options.fio is not None:
        if given:
            raise OptionError(
                f"{given[0]}: cannot be used with --fio, which has this figure; choose one of the two", option=given[0]
            )
        disk = of_file(options.fio, partial(read_fio, content(options.fio)))
        measured = {name: getattr(disk, name) for name in _MEASURED}
        source = f"measured with {disk.fio or 'fio'}"
    if options.memory < _LEAST_MEMORY:
        raise OptionError(
            f"--memory: got {units.format_bytes(options.memory)}, expected at least 64 MiB; a size has a unit, e.g. "
            "128GiB",
            option="--memory",
            value=options.memory,
        )
    memory = options.memory / _GIB
    return Machine(
        provider=options.provider,
        machine_type=options.type,
        vcpus=options.vcpus,
        memory_gib=int(memory) if memory == int(memory) else memory,
        arch=options.arch,
        own=True,
        source=source,
        **measured,
    )


def _with_machine(catalog: Catalog, machine: Machine, *, force: bool, file: str) -> Catalog:
    """Return a catalog with a machine, which replaces one of its name only if that is asked for."""
    names = [(one.provider, one.machine_type) for one in catalog.machines]
    name = (machine.provider, machine.machine_type)
    machines = list(catalog.machines)
    if name not in names:
        machines.append(machine)
    elif force:
        machines[names.index(name)] = machine
    else:
        raise OptionError(
            f"--type: got {shown(machine.machine_type)}, which {file} has already for {machine.provider}; give it "
            "another name, or use --force to replace it",
            option="--type",
            value=machine.machine_type,
        )
    return catalog.model_copy(update={"machines": tuple(machines)})
