"""The options of a planned cluster and of etcd's settings, which several commands share, and what is made from them."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, TypedDict

from etcdsize import units
from etcdsize.base.text import shown
from etcdsize.cli.argument_parser import TakesFlags
from etcdsize.cli.arguments import Pairs, add_basis, pair
from etcdsize.cli.load_arguments import load_of, model_of
from etcdsize.errors import OptionError
from etcdsize.etcd.version_names import DEFAULT_VERSION, version_names

if TYPE_CHECKING:
    from etcdsize.cli.argument_parser import Container
    from etcdsize.plan.cluster import ClusterPlan
    from etcdsize.plan.settings import EtcdSettings
    from etcdsize.resources.calibrated_model import CalibratedModel
    from etcdsize.sizing.basis import Basis

__all__ = ["add_flags", "add_plan", "add_settings", "add_version", "asked_of", "plan_of", "settings_of"]


def add_plan(parser: Container) -> None:
    """Add the options of a planned cluster; `plan_of` makes the plan."""
    which = parser.add_argument_group("members: their hosts, or all of them on this machine")
    which.add_argument(
        "--host",
        metavar="[NAME=]HOST",
        action="append",
        help="host of one member, e.g. a=10.0.0.1; repeat it for every member; members without a name are called "
        "infra0, infra1 and so on",
    )
    which.add_argument(
        "--local", metavar="N", type=units.parse_whole, help="number of members to run on this machine, e.g. 3"
    )
    which.add_argument(
        "--zone",
        metavar="NAME=ZONE",
        type=pair("NAME=ZONE such as a=eu-1a"),
        action=Pairs,
        help="failure zone of a member, with --host; can be repeated",
    )
    which.add_argument(
        "--client-port",
        metavar="PORT",
        type=units.parse_whole,
        help="with --host, every member's port for clients (default: 2379)",
    )
    which.add_argument(
        "--peer-port",
        metavar="PORT",
        type=units.parse_whole,
        help="with --host, every member's port for the other members (default: 2380)",
    )
    which.add_argument(
        "--base-port",
        metavar="PORT",
        type=units.parse_whole,
        help="with --local, the first member's port for clients; the other ports follow it (default: 2379)",
    )
    what = parser.add_argument_group("cluster")
    what.add_argument(
        "--token", metavar="TEXT", help="token that distinguishes this cluster from others (default: etcd-cluster-1)"
    )
    what.add_argument(
        "--data-dir",
        metavar="DIR",
        help="directory in which each member keeps its NAME.etcd (default: /var/lib/etcd; . with --local)",
    )
    what.add_argument(
        "--tls-dir",
        metavar="DIR",
        help="directory of the certificates on every member, with the file names that kubeadm uses: ca.crt, "
        "server.crt, server.key, peer.crt, peer.key, healthcheck-client.crt, healthcheck-client.key (default: no TLS)",
    )
    add_version(what)
    add_flags(what)


def add_settings(load: Container) -> None:
    """Add the options of a load that only etcd's settings depend on; `settings_of` makes the settings."""
    load.add_argument(
        "--kubernetes", action="store_true", help="the cluster serves Kubernetes, whose API server compacts the history"
    )
    add_basis(load)
    load.add_argument(
        "--peer-rtt-ms",
        metavar="MS",
        type=units.parse_count,
        help="largest average round-trip time between two members, in milliseconds (default: that of one network)",
    )


def settings_of(options: Namespace) -> EtcdSettings:
    """Return the settings for the load, the version and the options of `add_settings`."""
    from etcdsize.plan.settings import settings_for
    from etcdsize.sizing.size import size

    return settings_for(
        size(**load_of(options), **asked_of(options)),
        kubernetes=options.kubernetes,
        peer_rtt_ms=options.peer_rtt_ms,
        extra_flags=options.set,
    )


class Asked(TypedDict, total=False):
    """How to size, by the names of the arguments of `etcdsize.size`; what was not asked is left out."""

    basis: Basis
    etcd_version: str
    model: CalibratedModel


def asked_of(options: Namespace) -> Asked:
    """Return the basis, the model and the version of etcd, where the options name them.

    Without a version, it is that of the model.
    """
    asked: Asked = {}
    model = model_of(options)
    if model is not None:
        asked |= {"model": model, "etcd_version": model.etcd_version}
    if options.basis is not None:
        asked["basis"] = options.basis
    if options.etcd_version is not None:
        asked["etcd_version"] = options.etcd_version
    return asked


def add_version(parser: Container) -> None:
    parser.add_argument(
        "--etcd-version",
        metavar="V",
        help=f"{', '.join(version_names())}, or a patch release such as 3.6.16 (default: {DEFAULT_VERSION})",
    )


def add_flags(parser: Container) -> None:
    """Add the option for any other flags of etcd."""
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        type=_flag,
        action=_FlagPairs,
        help="a flag of etcd and its value, e.g. max-learners=2 or quota-backend-bytes=8GiB; it replaces the value "
        "chosen here; can be repeated",
    )


class _FlagPairs(Pairs, TakesFlags):
    """Collects flags of etcd and their values."""


def _flag(text: str) -> tuple[str, str]:
    """Split a flag with or without its hyphens from its value, which may be empty."""
    name, equals, value = text.removeprefix("--").partition("=")
    if not equals or not name:
        raise OptionError(f"got {shown(text)}, expected NAME=VALUE such as max-learners=2")
    return name, value


def plan_of(options: Namespace, settings: EtcdSettings | None = None) -> ClusterPlan:
    """Return the plan that the options of `add_plan` describe."""
    from etcdsize.plan.cluster import ClusterPlan
    from etcdsize.plan.tls import Tls

    if options.host is None and options.local is None:
        raise OptionError(
            "--host: missing; add --host a=10.0.0.1 for every member, or --local 3 for members on this machine",
            option="--host",
        )
    if options.host is not None and options.local is not None:
        raise OptionError("--host: cannot be used with --local; choose one of the two", option="--host")
    for option, needed in (("zone", "host"), ("client_port", "host"), ("peer_port", "host"), ("base_port", "local")):
        if getattr(options, option) is not None and getattr(options, needed) is None:
            name = f"--{option.replace('_', '-')}"
            other = "--local" if needed == "host" else "--host"
            raise OptionError(f"{name}: cannot be used with {other}; it needs --{needed}", option=name)
    names = ("token", "data_dir", "etcd_version", "client_port", "peer_port", "base_port")
    present = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    if options.tls_dir is not None:
        present["tls"] = Tls.from_dir(options.tls_dir)
    if settings is not None:
        # They have the flags of --set too.
        present["settings"] = settings
    elif options.set:
        present["extra_flags"] = options.set
    if options.local is not None:
        return ClusterPlan.local(options.local, **present)
    return ClusterPlan.from_hosts(options.host, zones=options.zone or {}, **present)
