"""Capacity sizing for etcd: which machine a cluster needs, and why.

The names below are looked up when they are first used, so that importing etcdsize loads neither numpy nor pydantic.
"""

from __future__ import annotations

# At once: looked up later, the function would stand behind the module of its own name. It imports nothing heavy.
from etcdsize.quorum import failure_tolerance, quorum

# What a type checker takes for True; importing typing would double the time that importing etcdsize takes.
TYPE_CHECKING = False

__all__ = [
    "INVALID",
    "Bound",
    "Candidate",
    "Catalog",
    "ClientCount",
    "ClientTls",
    "ClusterAudit",
    "ClusterPlan",
    "ColumnError",
    "Command",
    "Cost",
    "Disk",
    "DiskChoice",
    "DiskKind",
    "DiskLimit",
    "DiskPrice",
    "Dropped",
    "Erratum",
    "EtcdFlag",
    "EtcdSettings",
    "EtcdSizeError",
    "EtcdVersion",
    "EtcdVersions",
    "Fit",
    "FleetAudit",
    "FleetFileError",
    "FleetSizing",
    "Histogram",
    "Imported",
    "InvalidWorkloadError",
    "LocalCandidate",
    "Machine",
    "MachinePrice",
    "Member",
    "MemberLoad",
    "MemberStatus",
    "Memory",
    "MissingDependencyError",
    "Nearest",
    "Need",
    "Notice",
    "Observation",
    "OptionError",
    "PlanError",
    "Price",
    "PriceStep",
    "Rejected",
    "Runbook",
    "Scrape",
    "ScrapeError",
    "SequentialDisk",
    "Setting",
    "Sizing",
    "Step",
    "Storage",
    "TableError",
    "Tier",
    "TierTable",
    "Tls",
    "TlsFiles",
    "Unfit",
    "UnitError",
    "Workload",
    "WorkloadTypeError",
    "WriteLatency",
    "__version__",
    "audit",
    "classify",
    "combine_scrapes",
    "failure_tolerance",
    "fit",
    "format_bytes",
    "load_catalog",
    "load_tiers",
    "load_versions",
    "need_for",
    "observe",
    "parse_bytes",
    "parse_duration",
    "parse_fraction",
    "parse_rate",
    "quorum",
    "read_aws_instance_types",
    "read_endpoint_status",
    "read_gcloud_machine_types",
    "read_metrics",
    "read_prices",
    "render",
    "runbook",
    "settings_for",
    "size",
    "size_fleet",
    "size_frame",
    "storage_for",
    "tier_for_kubernetes_nodes",
]

__version__ = "0.1.0"

_HOMES = {
    "arrays": ("INVALID", "classify", "size_fleet", "tier_for_kubernetes_nodes"),
    "auditing": ("audit",),
    "catalogs": ("Catalog", "Unfit", "load_catalog"),
    "cluster": ("ClusterPlan",),
    "disks": ("DiskChoice", "DiskKind", "DiskLimit", "DiskPrice", "PriceStep"),
    "errors": (
        "ColumnError",
        "EtcdSizeError",
        "FleetFileError",
        "InvalidWorkloadError",
        "MissingDependencyError",
        "OptionError",
        "PlanError",
        "ScrapeError",
        "TableError",
        "UnitError",
        "WorkloadTypeError",
    ),
    "fits": ("Candidate", "Fit", "LocalCandidate", "Nearest", "Need", "Rejected"),
    "fitting": ("fit", "need_for"),
    "fleet_audit": ("ClusterAudit", "FleetAudit"),
    "fleet_sizing": ("FleetSizing",),
    "frames": ("size_frame",),
    "machines": ("Cost", "Disk", "Erratum", "Machine", "MachinePrice", "Price"),
    "members": ("Member",),
    "notices": ("Notice",),
    "observations": ("ClientCount", "MemberLoad", "Observation", "combine_scrapes"),
    "observing": ("ClientTls", "observe"),
    "sequential": ("SequentialDisk", "WriteLatency"),
    "rendering": ("render",),
    "readers": ("Dropped", "Imported"),
    "readers.aws": ("read_aws_instance_types",),
    "readers.gcloud": ("read_gcloud_machine_types",),
    "readers.metrics": ("read_metrics",),
    "readers.prices": ("read_prices",),
    "runbooks": ("Runbook", "runbook"),
    "readers.status": ("read_endpoint_status",),
    "scrapes": ("Histogram", "MemberStatus", "Scrape"),
    "settings": ("EtcdSettings", "Memory", "Setting", "settings_for"),
    "sizing": ("Sizing", "size"),
    "steps": ("Command", "Step"),
    "storage": ("Storage", "storage_for"),
    "tiers": ("Bound", "Tier", "TierTable", "load_tiers"),
    "tls": ("Tls", "TlsFiles"),
    "units": ("format_bytes", "parse_bytes", "parse_duration", "parse_fraction", "parse_rate"),
    "versions": ("EtcdFlag", "EtcdVersion", "EtcdVersions", "load_versions"),
    "workload": ("Workload",),
}

if TYPE_CHECKING:
    from typing import Any

    from etcdsize.arrays import INVALID, classify, size_fleet, tier_for_kubernetes_nodes
    from etcdsize.auditing import audit
    from etcdsize.catalogs import Catalog, Unfit, load_catalog
    from etcdsize.cluster import ClusterPlan
    from etcdsize.disks import DiskChoice, DiskKind, DiskLimit, DiskPrice, PriceStep
    from etcdsize.errors import (
        ColumnError,
        EtcdSizeError,
        FleetFileError,
        InvalidWorkloadError,
        MissingDependencyError,
        OptionError,
        PlanError,
        ScrapeError,
        TableError,
        UnitError,
        WorkloadTypeError,
    )
    from etcdsize.fits import Candidate, Fit, LocalCandidate, Nearest, Need, Rejected
    from etcdsize.fitting import fit, need_for
    from etcdsize.fleet_audit import ClusterAudit, FleetAudit
    from etcdsize.fleet_sizing import FleetSizing
    from etcdsize.frames import size_frame
    from etcdsize.machines import Cost, Disk, Erratum, Machine, MachinePrice, Price
    from etcdsize.members import Member
    from etcdsize.notices import Notice
    from etcdsize.observations import ClientCount, MemberLoad, Observation, combine_scrapes
    from etcdsize.observing import ClientTls, observe
    from etcdsize.readers import Dropped, Imported
    from etcdsize.readers.aws import read_aws_instance_types
    from etcdsize.readers.gcloud import read_gcloud_machine_types
    from etcdsize.readers.metrics import read_metrics
    from etcdsize.readers.prices import read_prices
    from etcdsize.readers.status import read_endpoint_status
    from etcdsize.rendering import render
    from etcdsize.runbooks import Runbook, runbook
    from etcdsize.scrapes import Histogram, MemberStatus, Scrape
    from etcdsize.sequential import SequentialDisk, WriteLatency
    from etcdsize.settings import EtcdSettings, Memory, Setting, settings_for
    from etcdsize.sizing import Sizing, size
    from etcdsize.steps import Command, Step
    from etcdsize.storage import Storage, storage_for
    from etcdsize.tiers import Bound, Tier, TierTable, load_tiers
    from etcdsize.tls import Tls, TlsFiles
    from etcdsize.units import format_bytes, parse_bytes, parse_duration, parse_fraction, parse_rate
    from etcdsize.versions import EtcdFlag, EtcdVersion, EtcdVersions, load_versions
    from etcdsize.workload import Workload


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for module, names in _HOMES.items():
        if name in names:
            value = getattr(import_module(f"{__name__}.{module}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
