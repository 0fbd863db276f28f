"""Answers to queries of Terraform's external data source.

A query and its answer are JSON objects in which every value is text. The command line reads and writes them.
"""

from __future__ import annotations

import functools
import json
import shlex
from typing import TYPE_CHECKING, Any

from etcdsize.base.checks import one_of, pairs_of
from etcdsize.base.json_text import reject_repeats
from etcdsize.base.text import in_words, nearest, shown
from etcdsize.errors import OptionError, TableError
from etcdsize.etcd.flags import flag_text
from etcdsize.etcd.version_names import DEFAULT_VERSION
from etcdsize.plan.cluster import DATA_DIR, TOKEN, ClusterPlan
from etcdsize.plan.format_names import MEMBER_FORMATS
from etcdsize.plan.render import render
from etcdsize.plan.settings import settings_for
from etcdsize.plan.tls import Tls
from etcdsize.resources.amount import Amount
from etcdsize.resources.calibrated_model import load_model
from etcdsize.resources.fields import FIELD_UNITS
from etcdsize.resources.kubernetes import kubernetes_profile
from etcdsize.resources.load_options import LOAD_OPTIONS, LoadOption
from etcdsize.resources.profile import Profile, with_fields
from etcdsize.sizing.basis import basis_of
from etcdsize.sizing.size import size
from etcdsize.units import (
    format_number,
    parse_bytes,
    parse_count,
    parse_duration,
    parse_fraction,
    parse_option,
    parse_rate,
    parse_whole,
)

if TYPE_CHECKING:
    from etcdsize.catalog.machines import Disk, Machine

__all__ = ["ANSWER", "QUERY", "answer", "answer_schema"]

FORMAT_VERSION = "1"


def _key(option: LoadOption) -> str:
    return option.name.replace("-", "_")


QUERY = {
    "clients": "concurrent client connections",
    "requests_per_second": "such as 800 or 2.5k",
    "data": "such as 400MB",
    "kubernetes_nodes": "nodes of the Kubernetes cluster that etcd serves, as an estimate of the load",
    "pods": "with kubernetes_nodes: pods of the cluster, as a number or a range",
    "apiservers": "with kubernetes_nodes: API servers of the cluster (default: 3)",
    "events_elsewhere": "with kubernetes_nodes: true if the events of the cluster are in another etcd",
    "rollout": "with kubernetes_nodes: time in which all pods are replaced, such as 10m, for the load meanwhile",
    **{_key(one): one.help for one in LOAD_OPTIONS.values()},
    "tls": "true or false: whether clients connect with TLS (default: likely true)",
    "provider": "names of providers such as aws, alibaba or one of your own, separated by commas (default: all of the "
    "catalog, or aws, azure and gce of current)",
    "region": "region whose prices count, such as eu-west-1 or aws=eu-west-1, which implies its provider; one of each "
    "provider, separated by commas (default: the prices that the catalog has)",
    "headroom": "share of every bound to keep free, such as 30%",
    "members": "voting members (default: one for each host, or 3)",
    "catalog": "guide, guide-as-printed, current, or a file (default: guide, or current for a provider of which only "
    "that has machines)",
    "tiers": "guide, etcd.io, or a file (default: guide)",
    "basis": "what decides the machine: larger, guide or measured (default: larger)",
    "kubernetes": "true if the cluster serves Kubernetes, whose API server compacts",
    "peer_rtt_ms": "largest average round-trip time between two members, in milliseconds",
    "etcd_version": f"such as 3.6 or 3.6.16 (default: {DEFAULT_VERSION})",
    "model": "what etcdsize calibrate measured on a machine of yours: a file, for its version of etcd",
    "set": 'a JSON object of any flags of etcd and their values, such as jsonencode({"max-learners" = 2})',
    "hosts": "NAME=HOST of every member, separated by commas: adds a rendering of each member",
    "zones": "NAME=ZONE of every member, separated by commas",
    "format": f"format of the renderings: {in_words(MEMBER_FORMATS, 'or')} (default: config)",
    "token": "distinguishes the cluster from others",
    "data_dir": f"data folder on every member (default: {DATA_DIR})",
    "tls_dir": "folder of certificates on every member, with the layout of kubeadm",
}
"""The keys of a query. A key with an empty text counts as missing."""

_OF_NODES = ("pods", "apiservers", "events_elsewhere", "rollout")

_VOLUME = {
    "volume_type": "type of the disk, in the provider's interface",
    "volume_size_gib": "size of the disk [GiB]",
    "volume_iops": "IOPS of the disk, if its type has such a setting [1/s]",
    "volume_throughput_mib_s": "throughput of the disk, if its type has such a setting [MiB/s]",
    "volume_throughput_mb_s": "the same for providers that count in MB/s, such as azure [MB/s]",
}

_SETTINGS = {
    "quota_backend_bytes": "setting: maximum size of the database [bytes]",
    "snapshot_count": "setting: log entries between two snapshots",
    "auto_compaction_mode": "setting: how the history is compacted",
    "auto_compaction_retention": "setting: how much history is kept",
    "heartbeat_interval": "setting: interval of the leader's heartbeats [ms]",
    "election_timeout": "setting: how long a member waits for a heartbeat [ms]",
}

ANSWER = {
    "format_version": "the version of the answer's schema",
    "tier": "the tier",
    "machine_tier": "the tier whose machines these are: the same, or the smallest that is enough for the load",
    "members": "voting members",
    "forced_by": "the dimensions that need this tier on their own, separated by commas",
    "tier_alone_DIMENSION": "the tier that one of clients, requests_per_second, data_bytes and kubernetes_nodes needs "
    "on its own, if it is known",
    "tier_of_the_rest": "the tier that is enough for the other dimensions, if one alone needs this tier",
    "etcd_version": "the version of etcd that the settings are for",
    "flags": "the flags to set, as arguments of etcd",
    "memory_gib": "memory limit of the process, rounded up [GiB]",
    **_SETTINGS,
    "machine_type_PROVIDER": "the machine; left out if none is enough, and a notice says why",
    "disk_PROVIDER": "its disk as text for people; the keys below give its parts. Only if the catalog says which disk "
    "it needs",
    **{f"{name}_PROVIDER": meaning for name, meaning in _VOLUME.items()},
    "machine_today_PROVIDER": "the machine to buy today: the same, or what `etcdsize fit` recommends in place of a "
    "previous generation",
    "disk_today_PROVIDER": "the disk of the machine of today, as text for people; the keys below give its parts",
    **{f"{name}_today_PROVIDER": meaning for name, meaning in _VOLUME.items()},
    "cost_per_month_PROVIDER": "monthly cost of all members on the machine of today, if it is known",
    "currency_PROVIDER": "the currency of that cost, such as USD",
    "price_region_PROVIDER": "the region of the prices",
    "price_date_PROVIDER": "when the older of the two prices was read",
    "initial_cluster": "with hosts: --initial-cluster",
    "endpoints": "with hosts: client URLs of all members, separated by commas",
    "member_NAME": "with hosts: the rendering of a member",
    "notices": "the notices, one on each line",
}
"""The keys of an answer. PROVIDER, NAME and DIMENSION stand for a provider of the catalog, the name of a member and a
dimension of the load."""


def answer(query: bytes | str) -> dict[str, str]:
    """Return the answer to a query.

    Parameters
    ----------
    query : bytes or str
        A JSON object of text, with keys of `QUERY`.

    Raises
    ------
    EtcdSizeError
        If the query is not such an object or has an unknown key, or `size`, `settings_for` or `ClusterPlan` rejects it.

    Examples
    --------
    >>> found = answer('{"clients": "300", "data": "400MB", "provider": "aws"}')
    >>> found["tier"], found["machine_type_aws"], found["flags"]
    ('medium', 'm4.xlarge', '--auto-compaction-retention=1h')
    """
    asked = _values(query)
    hosts = _pairs(asked, "hosts")
    members = parse_option("members", asked.get("members"), parse_whole)
    providers = asked["provider"].split(",") if "provider" in asked else None
    regions = asked["region"].split(",") if "region" in asked else None
    model = load_model(asked["model"]) if "model" in asked else None
    nodes = parse_option("kubernetes_nodes", asked.get("kubernetes_nodes"), parse_whole)
    dimensions = {
        "clients": parse_option("clients", asked.get("clients"), parse_count),
        "requests_per_second": parse_option("requests_per_second", asked.get("requests_per_second"), parse_rate),
        "data_bytes": parse_option("data", asked.get("data"), parse_bytes),
    }
    further = _further(asked)
    given = {name: value for name, value in (dimensions | further).items() if value is not None}
    load: dict[str, Any] = dimensions
    if nodes is not None and (further or any(name in asked for name in _OF_NODES)):
        load = {"workload": with_fields(_of_nodes(nodes, asked), given)}
    elif further:
        load = {"workload": Profile(**given)}
    sizing = size(
        **load,
        kubernetes_nodes=nodes,
        provider=providers,
        region=regions,
        headroom=parse_option("headroom", asked.get("headroom"), parse_fraction) or 0.0,
        members=members if members is not None else len(hosts) or 3,
        catalog=asked.get("catalog"),
        tiers=asked.get("tiers", "guide"),
        basis=basis_of(asked.get("basis", "larger")),
        etcd_version=asked.get("etcd_version", DEFAULT_VERSION if model is None else model.etcd_version),
        model=model,
    )
    settings = settings_for(
        sizing,
        kubernetes=_is_true("kubernetes", asked),
        peer_rtt_ms=parse_option("peer_rtt_ms", asked.get("peer_rtt_ms"), parse_count),
        extra_flags=_flags(asked["set"]) if "set" in asked else None,
    )
    found = {
        "format_version": FORMAT_VERSION,
        "tier": sizing.tier,
        "machine_tier": sizing.machine_tier,
        "members": str(sizing.members),
        "forced_by": ",".join(sizing.forced_by),
        "etcd_version": str(settings.etcd_version),
        "flags": shlex.join(settings.flags),
        "memory_gib": str(settings.memory_gib),
    }
    found |= {f"tier_alone_{dimension}": tier for dimension, tier in sizing.tier_alone.items()}
    if sizing.tier_of_the_rest is not None:
        found["tier_of_the_rest"] = sizing.tier_of_the_rest
    # A flag that our table lacks may have the name of any key.
    found |= {name: flag_text(settings.setting(name.replace("_", "-")).value) for name in _SETTINGS}
    # For these two, 0 stands for etcd's default.
    found["quota_backend_bytes"] = str(settings.quota_backend_bytes)
    found["snapshot_count"] = str(settings.snapshot_count)
    for provider, machine in sizing.machines.items():
        found[f"machine_type_{provider}"] = machine.machine_type
        if machine.disk is not None:
            found |= {f"{name}_{provider}": text for name, text in _disk_parts(machine.disk).items()}
        today, cost = sizing.machines_today.get(provider), sizing.cost_per_month.get(provider)
        if today is not None:
            found[f"machine_today_{provider}"] = today.machine_type
            if today.disk is not None:
                found |= {f"{name}_today_{provider}": text for name, text in _disk_parts(today.disk).items()}
        if cost is not None:
            found[f"cost_per_month_{provider}"] = format_number(round(cost, 2))
            found[f"currency_{provider}"] = sizing.currency[provider]
            found |= {f"{name}_{provider}": text for name, text in _price_parts(today).items()}
    notices = list(sizing.notices + settings.notices)
    if hosts:
        plan = ClusterPlan.from_hosts(
            hosts,
            zones=_pairs(asked, "zones") or None,
            tls=Tls.from_dir(asked["tls_dir"]) if "tls_dir" in asked else None,
            settings=settings,
            token=asked.get("token", TOKEN),
            data_dir=asked.get("data_dir", DATA_DIR),
        )
        if len(plan.members) != sizing.members:
            raise OptionError(
                f"members: got {sizing.members}, but there are {len(plan.members)} hosts; leave members out",
                option="members",
            )
        form = one_of("format", asked.get("format", "config"), MEMBER_FORMATS)
        found["initial_cluster"] = plan.initial_cluster
        found["endpoints"] = ",".join(plan.endpoints)
        for member in plan.members:
            found[f"member_{member.name}"] = render(plan, form, member.name)
        notices += plan.notices
    found["notices"] = "\n".join(dict.fromkeys(notice.line for notice in notices))
    return found


def answer_schema() -> dict[str, Any]:
    """Return the JSON schema of an answer."""
    described = {name: {"type": "string", "description": meaning} for name, meaning in ANSWER.items()}
    patterns = {
        name: name.replace("PROVIDER", ".+").replace("NAME", ".+").replace("DIMENSION", ".+") for name in ANSWER
    }
    fixed = {name: described[name] for name in ANSWER if patterns[name] == name}
    optional = ("initial_cluster", "endpoints", "tier_of_the_rest")
    return {
        "title": "Answer",
        "description": "The answer to a query of Terraform's external data source. Every value is text.",
        "type": "object",
        "properties": {**fixed, "format_version": {**fixed["format_version"], "const": FORMAT_VERSION}},
        "patternProperties": {f"^{patterns[name]}$": described[name] for name in ANSWER if name not in fixed},
        "additionalProperties": False,
        "required": [name for name in fixed if name not in optional],
    }


def _disk_parts(disk: Disk) -> dict[str, str]:
    """Return a disk as text, and those of its parts that have a value, as arguments of a resource of Terraform."""
    parts = {
        "disk": disk,
        "volume_type": disk.volume_type,
        "volume_size_gib": disk.volume_size_gib,
        "volume_iops": disk.volume_iops,
        "volume_throughput_mib_s": disk.volume_throughput_mib_s,
        "volume_throughput_mb_s": disk.volume_throughput_mb_s,
    }
    return {name: str(part) for name, part in parts.items() if part is not None}


def _price_parts(machine: Machine | None) -> dict[str, str]:
    """Return the region and the date of a machine's cost."""
    cost = None if machine is None else machine.cost
    parts = {} if cost is None else {"price_region": cost.region, "price_date": cost.date}
    return {name: part for name, part in parts.items() if part is not None}


def _values(query: bytes | str) -> dict[str, str]:
    """Return the values of a query. Empty text counts as missing: Terraform cannot leave a key out."""
    try:
        reject_repeats(query)
        document = json.loads(query)
    except TableError as error:
        raise OptionError(f"standard input: {error}", option="query") from None
    except (ValueError, RecursionError):
        raise OptionError(
            'standard input: not JSON; expected an object of text such as {"clients": "300"}', option="query"
        ) from None
    if not isinstance(document, dict):
        raise OptionError(
            f'standard input: got {shown(document)}, expected an object of text such as {{"clients": "300"}}',
            option="query",
        )
    for name, value in document.items():
        if name not in QUERY:
            raise OptionError(
                f"query: got the key {shown(name)}, expected one of the {len(QUERY)} that docs/bootstrap.md lists"
                f"{nearest(name, QUERY)}",
                option=name,
            )
        if not isinstance(value, str):
            raise OptionError(
                f"{name}: got {shown(value)}, expected text: Terraform passes every value as text",
                option=name,
                value=value,
            )
    needs = [name for name in ("zones", "format", "token", "data_dir", "tls_dir") if document.get(name)]
    if needs and not document.get("hosts"):
        raise OptionError(f"{needs[0]}: cannot be used without hosts; add hosts", option=needs[0])
    for name in _OF_NODES:
        if document.get(name) and not document.get("kubernetes_nodes"):
            raise OptionError(f"{name}: cannot be used without kubernetes_nodes; add kubernetes_nodes", option=name)
    further = [*map(_key, LOAD_OPTIONS.values()), "tls"]
    if not any(document.get(name) for name in ("clients", "requests_per_second", "data", "kubernetes_nodes", *further)):
        raise OptionError(
            "query: got no load, expected at least one of clients, requests_per_second, data and kubernetes_nodes, or "
            "another key of a load",
            option="query",
        )
    return {name: value for name, value in document.items() if value}


def _further(asked: dict[str, str]) -> dict[str, Any]:
    """Return what is known of a load besides the dimensions, by the fields of `Profile`."""
    found: dict[str, Any] = {}
    for field, option in LOAD_OPTIONS.items():
        key = _key(option)
        if key in asked:
            found[field] = parse_option(key, asked[key], functools.partial(Amount.of, unit=FIELD_UNITS[field]))
    if "tls" in asked:
        found["tls"] = _is_true("tls", asked)
    return found


def _of_nodes(nodes: int, asked: dict[str, str]) -> Profile:
    """Return the load of a Kubernetes cluster."""
    apiservers = parse_option("apiservers", asked.get("apiservers"), parse_whole)
    return kubernetes_profile(
        nodes,
        parse_option("pods", asked.get("pods"), Amount.of),
        apiservers=3 if apiservers is None else apiservers,
        events=not _is_true("events_elsewhere", asked),
        rollout_seconds=parse_option("rollout", asked.get("rollout"), parse_duration),
    )


def _is_true(key: str, asked: dict[str, str]) -> bool:
    return one_of(key, asked.get(key, "false"), ("true", "false")) == "true"


def _flags(text: str) -> dict[str, Any]:
    """Return the flags of the key `set`."""
    try:
        reject_repeats(text)
        flags = json.loads(text)
    except TableError as error:
        raise OptionError(f"set: {error}", option="set", value=text) from None
    except (ValueError, RecursionError):
        flags = None
    if not isinstance(flags, dict):
        raise OptionError(
            f'set: got {shown(text)}, expected a JSON object such as {{"max-learners": 2}}', option="set", value=text
        )
    return flags


def _pairs(asked: dict[str, str], name: str) -> dict[str, str]:
    texts = filter(None, (part.strip() for part in asked.get(name, "").split(",")))
    return pairs_of(name, texts, "NAME=VALUE such as a=10.0.0.1")
