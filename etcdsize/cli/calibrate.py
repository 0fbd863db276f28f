"""`etcdsize calibrate`: measure an etcd on this machine, and write a model of it."""

from __future__ import annotations

import contextlib
from argparse import Namespace
from pathlib import Path

from etcdsize import units
from etcdsize.cli.argument_parser import Commands, add_command, file_name
from etcdsize.cli.arguments import add_force, add_output
from etcdsize.cli.clock import today
from etcdsize.cli.progress import progress_bar
from etcdsize.cli.streams import standard_output, write_text
from etcdsize.errors import OptionError

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    parser = add_command(
        commands,
        "calibrate",
        run=run,
        summary="measure your etcd, disk and processor for --model",
        description="""\
Measure your own etcd on this machine: writes, fsyncs, compaction,
defragmentation, restart, memory and processor times. The command writes a model
in which these measurements replace the built-in figures. Use it with --model of
resources, size, fit, fleet, settings, bootstrap and observe.

The command starts its own members, one at a time, on free ports of 127.0.0.1,
with their data in a new folder in --data-dir, and removes all of it at the end,
even if it is interrupted. It does not touch a running etcd, but it keeps the
disk and the processor busy: run it on a machine like those of your cluster, not
on one of them.""",
        example="etcdsize calibrate --etcd /usr/bin/etcd --data-dir /var/lib -o my-model.json\n"
        "etcdsize resources --keys 5.7e6 --value-size 1kB --model my-model.json",
    )
    parser.add_argument(
        "--etcd", metavar="PATH", type=file_name, required=True, help="the etcd to measure, or a script that runs one"
    )
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        type=file_name,
        default=".",
        help="a folder on the disk that etcd will use; it must not contain a member (default: .)",
    )
    parser.add_argument(
        "--minutes",
        metavar="N",
        type=units.parse_count,
        default="3",
        help="how long to measure; figures that there is no time to measure keep their built-in values (default: 3)",
    )
    add_output(parser, help="the model to write; - is standard output", required=True)
    add_force(parser)


def run(options: Namespace) -> int:
    """Measure an etcd on this machine, and write a model of it."""
    from etcdsize.base.output_file import check_output, is_standard_output, open_output
    from etcdsize.base.text import safe_json
    from etcdsize.calibration.calibrate import calibrate
    from etcdsize.reports.model import render_model

    to_output = is_standard_output(options.output)
    if not to_output:
        # An output that cannot be written is an error before minutes of work.
        check_output(Path(options.output), None, force=options.force)
    with (
        standard_output() if to_output else contextlib.nullcontext() as stream,
        progress_bar(int(60 * options.minutes), " s", "calibrate") as progress,
    ):
        try:
            model = calibrate(
                options.etcd,
                data_dir=options.data_dir,
                minutes=options.minutes,
                date=today().isoformat(),
                progress=progress,
            )
        except OptionError as error:
            # The library's argument is an option here.
            name = f"--{(error.option or '').replace('_', '-')}"
            raise OptionError(
                f"{name}: {error.message.removeprefix(f'{error.option}: ')}", option=name, value=error.value
            ) from None
        text = safe_json(model.model_dump_json(indent=1) + "\n").encode()
        if stream is not None:
            stream.write(text)
    if not to_output:
        with open_output(Path(options.output)) as out:
            out.write(text)
    write_text(render_model(model), aside=to_output)
    return 0
