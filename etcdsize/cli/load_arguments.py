"""The options of a load beyond the guide's three dimensions, and the profile that they, or a file, describe."""

from __future__ import annotations

import functools
from argparse import Namespace
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from etcdsize.base.text import in_words
from etcdsize.cli.argument_parser import Container, file_name
from etcdsize.cli.arguments import LOAD, choice
from etcdsize.errors import InvalidWorkloadError, OptionError
from etcdsize.resources.fields import FIELD_UNITS
from etcdsize.resources.load_options import LOAD_OPTIONS
from etcdsize.units import DIMENSIONS, parse_duration, parse_whole

if TYPE_CHECKING:
    from etcdsize.base.notice import Notice
    from etcdsize.observation.api_server_load import ApiServerLoad
    from etcdsize.resources.amount import Amount
    from etcdsize.resources.calibrated_model import CalibratedModel
    from etcdsize.resources.fields import Unit
    from etcdsize.resources.profile import Profile
    from etcdsize.workload import Workload

__all__ = [
    "FIGURES",
    "OPTIONS",
    "add_apiserver_metrics",
    "add_figures",
    "add_model",
    "has_load",
    "left_out_of",
    "load_of",
    "model_of",
    "observed_of",
    "profile_of",
]

# Our choice: a profile of 2,000 kinds of objects takes 200 kB.
_LARGEST_MIB = 1


_TLS = {"yes": True, "no": False}
_FIELDS = (*LOAD_OPTIONS, "tls")
_OF_NODES = ("pods", "apiservers", "events", "rollout")
OPTIONS: dict[str, str] = {
    **dict(zip(DIMENSIONS, ("--clients", "--requests-per-second", "--data"), strict=True)),
    **{field: f"--{one.name}" for field, one in LOAD_OPTIONS.items()},
    "tls": "--tls",
}
"""The option of every field of `Profile` that has one."""


FIGURES = "further details of the load, each a number or a range such as 200..900"
"""The title of the options of `add_figures`."""


def add_figures(parser: Container) -> None:
    """Add what `Profile` knows of a load besides the options of `add_load`; `profile_of` makes it from both."""
    parser.add_argument(
        "--pods",
        metavar="N",
        type=_amount("count"),
        help="pods of the Kubernetes cluster, with --kubernetes-nodes (default: 10 to 110 per node)",
    )
    parser.add_argument(
        "--apiservers",
        metavar="N",
        type=parse_whole,
        help="API servers of the Kubernetes cluster (default: 3)",
    )
    parser.add_argument(
        "--events-elsewhere",
        dest="events",
        action="store_const",
        const=False,
        help="the events of the Kubernetes cluster are in another etcd",
    )
    parser.add_argument(
        "--rollout",
        metavar="TIME",
        type=parse_duration,
        help="time in which all pods of the Kubernetes cluster are replaced, e.g. 10m, to get the load during such a "
        "rollout (default: each pod is replaced once a day)",
    )
    for field, one in LOAD_OPTIONS.items():
        convert = _amount(FIELD_UNITS[field])
        parser.add_argument(f"--{one.name}", dest=field, metavar=one.metavar, type=convert, help=one.help)
    parser.add_argument(
        "--tls", metavar="yes|no", type=_yes_or_no, help="whether clients connect with TLS (default: likely yes)"
    )
    parser.add_argument(
        "--profile",
        metavar="FILE",
        type=file_name,
        help="TOML file whose table [load] has any fields of a load; an option overrides its field",
    )
    add_model(parser)


def add_model(parser: Container) -> None:
    """Add the option that `model_of` reads."""
    parser.add_argument(
        "--model",
        metavar="FILE",
        type=file_name,
        help="a model that etcdsize calibrate wrote; it also sets the version of etcd (default: the built-in model)",
    )


def add_apiserver_metrics(parser: Container) -> None:
    """Add the options for the load that Kubernetes' API servers report; `profile_of` reads their metrics."""
    parser.add_argument(
        "--apiserver-metrics",
        metavar="FILE",
        nargs="+",
        type=file_name,
        help="output of kubectl get --raw /metrics, from one API server or from each; without --apiservers, each "
        "file counts as one API server",
    )
    parser.add_argument(
        "--before",
        metavar="FILE",
        nargs="+",
        type=file_name,
        help="earlier metrics of the same API servers, in the same order; without them, the requests are assumed",
    )
    parser.add_argument("--seconds", metavar="TIME", type=parse_duration, help="time between the two, e.g. 10m")


@functools.cache
def _amount(unit: Unit) -> Callable[[str], Amount]:
    """Return a converter for `type=` to a number or a range. It loads Pydantic, which the option's command needs."""

    def convert(text: str) -> Amount:
        from etcdsize.resources.amount import Amount

        return Amount.of(text, unit)

    return convert


def model_of(options: Namespace) -> CalibratedModel | None:
    """Return the model that the option of `add_model` names."""
    if options.model is None:
        return None
    from etcdsize.resources.calibrated_model import load_model

    try:
        return load_model(options.model)
    except OptionError as error:
        raise OptionError(
            f"--model: {error.message.removeprefix('path: ')}", option="--model", value=error.value
        ) from None


def _yes_or_no(text: str) -> bool:
    return _TLS[choice(tuple(_TLS))(text)]


class Load(TypedDict):
    """A load, by the names of the arguments of `etcdsize.size`."""

    workload: Workload | None
    clients: float | None
    requests_per_second: float | None
    data_bytes: float | None
    kubernetes_nodes: int | None


def load_of(options: Namespace) -> Load:
    """Return the load that the options of `add_load` and `add_figures` describe.

    It is a profile once they say more than the three dimensions and the number of nodes.
    """
    load: Load = {
        "workload": None,
        "clients": options.clients,
        "requests_per_second": options.requests_per_second,
        "data_bytes": options.data,
        "kubernetes_nodes": options.kubernetes_nodes,
    }
    if _has_figures(options):
        load |= {"workload": profile_of(options), "clients": None, "requests_per_second": None, "data_bytes": None}
    return load


def has_load(options: Namespace) -> bool:
    """Return whether one of the options of a load is present."""
    values = (options.clients, options.requests_per_second, options.data, options.kubernetes_nodes)
    return _has_figures(options) or any(value is not None for value in values)


def _has_figures(options: Namespace) -> bool:
    return any(getattr(options, name) is not None for name in (*_FIELDS, *_OF_NODES, "profile"))


def profile_of(options: Namespace, observed: ApiServerLoad | None = None) -> Workload:
    """Return the load that the options of `add_load` and `add_figures` describe; they replace what was observed."""
    values = (options.clients, options.requests_per_second, options.data)
    given: dict[str, Any] = {name: value for name, value in zip(DIMENSIONS, values, strict=True) if value is not None}
    given |= {field: getattr(options, field) for field in _FIELDS if getattr(options, field) is not None}
    sources = [
        option
        for option, value in (
            ("--kubernetes-nodes", options.kubernetes_nodes),
            ("--profile", options.profile),
            ("--apiserver-metrics", observed),
        )
        if value is not None
    ]
    if len(sources) > 1:
        raise OptionError(f"{sources[0]}: cannot be used with {sources[1]}; choose one of the two", option=sources[0])
    _reject_without("--pods", options.pods, sources, "--kubernetes-nodes")
    _reject_without("--events-elsewhere", options.events, sources, "--kubernetes-nodes")
    _reject_without("--rollout", options.rollout, sources, "--kubernetes-nodes")
    with_metrics = ["--apiserver-metrics"] if hasattr(options, "apiserver_metrics") else []
    _reject_without("--apiservers", options.apiservers, sources, "--kubernetes-nodes", *with_metrics)
    if options.profile is not None:
        return _read(options.profile, given)
    if observed is not None:
        return _replaced(observed.profile, given, "--apiserver-metrics")
    if options.kubernetes_nodes is not None:
        beside = _beside_nodes(options)
        if beside is not None:
            from etcdsize.sizing.load_profile import profile_for

            return profile_for(beside, options.kubernetes_nodes)
        from etcdsize.resources.kubernetes import kubernetes_profile

        count = {} if options.apiservers is None else {"apiservers": options.apiservers}
        profile = kubernetes_profile(
            options.kubernetes_nodes,
            options.pods,
            events=options.events is not False,
            rollout_seconds=options.rollout,
            **count,
        )
        return _replaced(profile, given, "--kubernetes-nodes")
    if not given:
        raise OptionError(f"--data: missing; add a load: {LOAD}", option="--data")
    return _made(given)


def left_out_of(options: Namespace) -> Notice | None:
    """Return the notice that the load of the options contradicts their number of nodes, so that the load counts."""
    beside = _beside_nodes(options)
    if beside is None:
        return None
    from etcdsize.sizing.load_profile import nodes_left_out

    return nodes_left_out(beside, options.kubernetes_nodes)


def _beside_nodes(options: Namespace) -> Workload | None:
    """Return the dimensions if they alone stand beside a number of nodes, as `size` takes them."""
    values = (options.clients, options.requests_per_second, options.data)
    if options.kubernetes_nodes is None or _has_figures(options) or values == (None, None, None):
        return None
    from etcdsize.workload import Workload

    return Workload(**dict(zip(DIMENSIONS, values, strict=True)))


def _reject_without(option: str, value: object, sources: list[str], *needed: str) -> None:
    if value is not None and not set(needed) & set(sources):
        raise OptionError(f"{option}: cannot be used without {in_words(needed, 'or')}; add it", option=option)


def observed_of(options: Namespace) -> ApiServerLoad | None:
    """Return the load that the options of `add_apiserver_metrics` say where to read; None without them."""
    files, before = options.apiserver_metrics, options.before
    for option, value, needed, other in (
        ("--before", before, "--apiserver-metrics", files),
        ("--seconds", options.seconds, "--before", before),
        ("--before", before, "--seconds", options.seconds),
    ):
        if value is not None and other is None:
            raise OptionError(f"{option}: cannot be used without {needed}; add it", option=option)
    if files is None:
        return None
    from etcdsize.cli.streams import content, reject_own_output, title
    from etcdsize.observation.api_server_load import read_apiserver_metrics

    all_files = [*files, *(before or ())]
    for name in all_files:
        if all_files.count(name) > 1:
            raise OptionError(
                f"--apiserver-metrics: got {title(name)} more than once, expected a page of each API server",
                option="--apiserver-metrics",
                value=name,
            )
    reject_own_output(*all_files)
    pages, earlier = ({title(name): content(name) for name in names} for names in (files, before or ()))
    return read_apiserver_metrics(pages, earlier or None, seconds=options.seconds, apiservers=options.apiservers)


def _read(name: str, given: Mapping[str, Any]) -> Profile:
    """Return the profile in a file, with what options give. Standard error says which fields they replace."""
    from etcdsize.cli.streams import content, report, title
    from etcdsize.resources.profile_file import read_profile

    profile = read_profile(content(name, largest_mib=_LARGEST_MIB), file=title(name))
    for field in given:
        if getattr(profile, field) is not None:
            report(f"etcdsize: {OPTIONS[field]} replaces {field} of {title(name)}")
    return _replaced(profile, given, title(name))


def _replaced(profile: Profile, given: Mapping[str, Any], source: str) -> Profile:
    """Return a profile with the fields that options give."""
    if not given:
        return profile
    from etcdsize.resources.profile import with_fields

    try:
        return with_fields(profile, given)
    except InvalidWorkloadError as error:
        options = [OPTIONS[field] for field in given]
        reason = error.message
        if error.dimension is not None and error.dimension in given:
            options, reason = [OPTIONS[error.dimension]], reason.removeprefix(f"{error.dimension}: ")
        raise OptionError(
            f"{', '.join(options)}: cannot be used with {source}: {reason}", option=options[0], value=error.value
        ) from None


def _made(given: Mapping[str, Any]) -> Profile:
    """Return the profile that options alone give."""
    from etcdsize.resources.profile import Profile

    try:
        return Profile(**given)
    except InvalidWorkloadError as error:
        option = OPTIONS.get(error.dimension or "", "--data")
        message = error.message.removeprefix(f"{error.dimension}: ")
        # The other names of fields are words of the language too.
        for field in (name for name in given if "_" in name):
            message = message.replace(field, OPTIONS[field])
        raise OptionError(f"{option}: {message}", option=option, value=error.value) from None
