"""The parser of the whole command line."""

from __future__ import annotations

from etcdsize import __version__
from etcdsize.cli import (
    bootstrap,
    calibrate,
    catalog,
    fit,
    fleet,
    machines,
    observe,
    resources,
    runbook,
    schema,
    settings,
    size,
    terraform_external,
    tiers,
)
from etcdsize.cli.argument_parser import Parser

__all__ = ["build_parser"]

_COMMANDS = (
    size,
    fleet,
    fit,
    resources,
    settings,
    bootstrap,
    runbook,
    terraform_external,
    observe,
    calibrate,
    tiers,
    machines,
    catalog,
    schema,
)


def build_parser() -> Parser:
    """Return the parser of the whole command line."""
    parser = Parser(
        prog="etcdsize",
        debug_help="show the traceback of an error",
        description="Find the machine that an etcd cluster needs, and why, for one cluster or many.",
        epilog="""\
examples:
  etcdsize size --clients 300 --requests-per-second 800 --data 400MB
  etcdsize fleet clusters.csv -o sized.csv
  etcdsize fit --tier medium --provider aws
  etcdsize bootstrap --host a=10.0.0.1 --host b=10.0.0.2 --host c=10.0.0.3
  etcdsize observe 10.0.0.1:2379,10.0.0.2:2379,10.0.0.3:2379

exit codes:
  0    done
  1    done, but some clusters could not be sized, some machines could not be
       imported, no machine is enough, a member did not answer, or a --strict
       answer is beyond the guide
  2    bad usage, input that cannot be read, or a fault of etcdsize
  130  interrupted""",
    )
    parser.add_argument("--version", action="version", version=f"etcdsize {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add(commands)
    return parser
