"""What the commands about a cluster to start do: one function a command, under its name."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from etcdsize import units
from etcdsize.cli.arguments import loads_of
from etcdsize.cli.streams import standard_input, tell, write
from etcdsize.errors import EtcdSizeError, FleetFileError, OptionError

if TYPE_CHECKING:
    from etcdsize.plan.cluster import ClusterPlan
    from etcdsize.plan.settings import EtcdSettings
    from etcdsize.sizing.size import Sizing

__all__ = ["bootstrap", "runbook", "terraform_external"]


def bootstrap(options: Namespace) -> int:
    """Write down how to start a cluster."""
    from etcdsize.base.checks import one_of
    from etcdsize.plan.render import FORMATS, WHOLE, render

    form = one_of("--format", options.format, FORMATS)
    sizing = _sizing(options)
    settings = None if sizing is None else _settings(options, sizing)
    plan = _plan(options, settings)
    names = [member.name for member in plan.members] if options.member is None else [plan.member(options.member).name]
    if form in WHOLE:
        texts = {form: render(plan, form, options.member)}
    elif len(names) > 1 and options.output is None and form != "flags":
        raise OptionError(
            f"--format: {form} is for one member, and the plan has {len(names)}; choose one with --member, or write "
            "a file for each with -o DIR",
            option="--format",
        )
    else:
        texts = {name: render(plan, form, name) for name in names}
    if options.output is not None:
        _write(Path(options.output), {f"{name}{FORMATS[form]}": text for name, text in texts.items()}, options.force)
    elif len(texts) > 1:
        write("\n".join(f"# {name}\n{text}" for name, text in texts.items()))
    else:
        write("".join(texts.values()))
    # The plan and its settings may both tell of the version.
    for line in dict.fromkeys(notice.line for notice in plan.notices + (() if settings is None else settings.notices)):
        tell(line)
    return 0


def _sizing(options: Namespace) -> Sizing | None:
    """Return the sizing of the load that the options describe, None where they describe none."""
    from etcdsize.sizing.size import size

    clients, requests, data = loads_of(options)
    if (clients, requests, data) == (None, None, None):
        for option in ("--kubernetes", "--peer-rtt-ms"):
            if getattr(options, option[2:].replace("-", "_")):
                raise OptionError(
                    f"{option}: got it without a load, expected it with --clients, --requests-per-second, --data or "
                    "some of them",
                    option=option,
                )
        return None
    return size(clients=clients, requests_per_second=requests, data_bytes=data)


def _settings(options: Namespace, sizing: Sizing) -> EtcdSettings:
    from etcdsize.plan.settings import settings_for

    version = {} if options.etcd_version is None else {"etcd_version": options.etcd_version}
    return settings_for(
        sizing,
        kubernetes=options.kubernetes,
        peer_rtt_ms=units.parsed("--peer-rtt-ms", options.peer_rtt_ms, units.parse_count),
        **version,
    )


def _write(folder: Path, texts: dict[str, str], force: bool) -> None:
    """Write every text to its file, after a look at all of them."""
    from etcdsize.base.output_file import check_output, naming, open_output

    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise FleetFileError(f"{folder}: no directory can be made there: {error.strerror}", file=str(folder)) from None
    for name in texts:
        check_output(folder / name, None, force=force)
    for name, text in texts.items():
        with naming(folder / name), open_output(folder / name) as stream:
            stream.write(text.encode())
        tell(f"etcdsize: wrote {folder / name}")


def _plan(options: Namespace, settings: EtcdSettings | None = None) -> ClusterPlan:
    """Return the plan that the options of `_add_plan` describe."""
    from etcdsize.base.checks import pairs_of
    from etcdsize.plan.cluster import ClusterPlan
    from etcdsize.plan.tls import Tls

    hosts, local = options.host, options.local
    if (hosts is None) == (local is None):
        came = "neither it nor --local" if hosts is None else "it and --local"
        raise OptionError(
            f"--host: got {came}, expected one of the two: --host a=10.0.0.1 for every member, or --local 3",
            option="--host",
        )
    for option, other in (("zone", "host"), ("client_port", "host"), ("peer_port", "host"), ("base_port", "local")):
        if getattr(options, option) is not None and getattr(options, other) is None:
            name = f"--{option.replace('_', '-')}"
            wrong = "--local" if other == "host" else "--host"
            raise OptionError(f"{name}: got it with {wrong}, expected it with --{other} only", option=name)
    given = {
        "token": options.token,
        "data_dir": options.data_dir,
        "etcd_version": options.etcd_version,
        "tls": None if options.tls_dir is None else Tls.from_dir(options.tls_dir),
        "client_port": units.parsed("--client-port", options.client_port, units.parse_whole),
        "peer_port": units.parsed("--peer-port", options.peer_port, units.parse_whole),
        "base_port": units.parsed("--base-port", options.base_port, units.parse_whole),
        "settings": settings,
    }
    known = {name: value for name, value in given.items() if value is not None}
    if local is not None:
        return ClusterPlan.local(units.parsed("--local", local, units.parse_whole) or 0, **known)
    zones = pairs_of("--zone", options.zone or (), "NAME=ZONE such as a=eu-1a")
    return ClusterPlan.from_hosts(hosts, zones=zones, **known)


def runbook(options: Namespace) -> int:
    """Print the commands that a cluster is looked after with."""
    from etcdsize.operations.runbook import runbook
    from etcdsize.reports.runbook import render_runbook

    found = runbook(_plan(options), tier=options.tier, kubernetes=options.kubernetes, snapshot=options.snapshot)
    write(found.model_dump_json(indent=2) + "\n" if options.json else render_runbook(found))
    return 0


def terraform_external(options: Namespace) -> int:  # noqa: ARG001 - every command takes its options
    """Answer as a program of Terraform's external data source: an object of text in, one out, and 1 for any error."""
    from etcdsize.plan.terraform import answer

    try:
        write(json.dumps(answer(standard_input().read()), indent=2, ensure_ascii=False) + "\n")
    except EtcdSizeError as error:
        tell(f"etcdsize: {error}")
        return 1
    return 0
