"""Capacity sizing for etcd: which machine a cluster needs, and why.

The public names are imported when they are first used, so `import etcdsize` loads neither numpy nor pydantic.
"""

from __future__ import annotations

# Type checkers treat this as true. Importing it from typing would double the import time of etcdsize.
TYPE_CHECKING = False

__all__ = [
    "INVALID",
    "Advice",
    "Amount",
    "ApiServerLoad",
    "Assumption",
    "AssumptionEffect",
    "Bound",
    "CalibratedDisk",
    "CalibratedModel",
    "CalibrationError",
    "Candidate",
    "Catalog",
    "ClientCount",
    "ClientTls",
    "ClusterAudit",
    "ClusterPlan",
    "ColumnError",
    "Command",
    "ComparedFigure",
    "Cost",
    "CpuResources",
    "Disk",
    "DiskChoice",
    "DiskKind",
    "DiskKindPrice",
    "DiskLimit",
    "DiskNeed",
    "DiskPrice",
    "DiskResources",
    "Dropped",
    "Erratum",
    "EtcdDowngrade",
    "EtcdFlag",
    "EtcdFlaw",
    "EtcdSettings",
    "EtcdSizeError",
    "EtcdUpgrade",
    "EtcdVersion",
    "EtcdVersions",
    "Figure",
    "FileResources",
    "Fit",
    "FleetAudit",
    "FleetFileError",
    "FleetResources",
    "FleetSizing",
    "FsyncNeed",
    "Histogram",
    "Horizon",
    "Imported",
    "InvalidWorkloadError",
    "LeftOut",
    "LocalCandidate",
    "Machine",
    "MachinePrice",
    "MeasuredDisk",
    "Member",
    "MemberLoad",
    "MemberStatus",
    "MemoryResources",
    "MissingDependencyError",
    "ModelledMember",
    "Nearest",
    "Need",
    "NetworkResources",
    "Notice",
    "NoticeDetail",
    "ObjectKind",
    "Observation",
    "OptionError",
    "PlanError",
    "Price",
    "PriceStep",
    "Priced",
    "Profile",
    "Rejected",
    "Resources",
    "Runbook",
    "Scrape",
    "ScrapeError",
    "SecondsResources",
    "Setting",
    "Sizing",
    "Span",
    "Step",
    "TableError",
    "Term",
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
    "calibrate",
    "classify",
    "combine_scrapes",
    "failure_tolerance",
    "fit",
    "fleet_resources",
    "format_bytes",
    "kubernetes_profile",
    "load_catalog",
    "load_model",
    "load_tiers",
    "load_versions",
    "need_for",
    "observe",
    "parse_bytes",
    "parse_duration",
    "parse_fraction",
    "parse_rate",
    "quorum",
    "read_apiserver_metrics",
    "read_endpoint_status",
    "read_fio",
    "read_listing",
    "read_metrics",
    "read_price_list",
    "read_prices",
    "read_profile",
    "render",
    "resources_for",
    "runbook",
    "settings_for",
    "size",
    "size_fleet",
    "size_frame",
    "tier_for_kubernetes_nodes",
]

__version__ = "0.1.0"

_PUBLIC_NAMES = {
    "fleet.classify": ("INVALID", "classify", "size_fleet", "tier_for_kubernetes_nodes"),
    "base.notice": ("Notice", "NoticeDetail"),
    "calibration.calibrate": ("calibrate",),
    "catalog.catalog": ("Catalog", "Unfit"),
    "plan.cluster": ("ClusterPlan",),
    "catalog.costs": ("Cost", "DiskPrice", "Price", "PriceStep"),
    "catalog.disks": ("DiskChoice", "DiskKind", "DiskKindPrice", "DiskLimit"),
    "errors": (
        "CalibrationError",
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
    "fitting.model": ("Candidate", "Fit", "LocalCandidate", "Nearest", "Rejected"),
    "fitting.need": ("DiskNeed", "Need", "need_for"),
    "fitting.fit": ("fit",),
    "fleet.audit": ("audit",),
    "fleet.fleet_audit": ("FleetAudit",),
    "fleet.fleet_resources": ("fleet_resources",),
    "fleet.resource_columns": ("FleetResources",),
    "fleet.verdicts": ("ClusterAudit",),
    "fleet.sizing": ("FleetSizing",),
    "frames.size_frame": ("size_frame",),
    "catalog.machines": ("Disk", "Erratum", "Machine", "MachinePrice"),
    "plan.members": ("Member",),
    "observation.compared": ("ComparedFigure", "ModelledMember"),
    "observation.model": ("ClientCount", "MemberLoad", "Observation"),
    "observation.api_server_load": ("ApiServerLoad", "read_apiserver_metrics"),
    "observation.combine": ("combine_scrapes",),
    "observation.observe": ("observe",),
    "observation.tls": ("ClientTls",),
    "fitting.fsync": ("FsyncNeed",),
    "catalog.write_latency": ("WriteLatency",),
    "plan.render": ("render",),
    "catalog.loading": ("load_catalog",),
    "catalog.listing": ("Dropped", "Imported"),
    "catalog.price_lists": ("LeftOut", "Priced"),
    "catalog.registry": ("read_listing", "read_price_list"),
    "observation.metrics": ("read_metrics",),
    "catalog.fio": ("MeasuredDisk", "read_fio"),
    "catalog.prices": ("read_prices",),
    "operations.runbook": ("Runbook", "runbook"),
    "observation.endpoint_status": ("read_endpoint_status",),
    "observation.scrape": ("Histogram", "MemberStatus", "Scrape"),
    "plan.settings": ("EtcdSettings", "Setting", "settings_for"),
    "resources.amount": ("Amount",),
    "resources.answer": (
        "Advice",
        "AssumptionEffect",
        "CpuResources",
        "DiskResources",
        "Figure",
        "FileResources",
        "Horizon",
        "MemoryResources",
        "NetworkResources",
        "SecondsResources",
        "Span",
        "Term",
    ),
    "resources.assumption": ("Assumption",),
    "resources.calibrated_model": ("CalibratedDisk", "CalibratedModel", "load_model"),
    "resources.object_kind": ("ObjectKind",),
    "resources.profile": ("Profile",),
    "resources.profile_file": ("read_profile",),
    "resources.resources": ("Resources", "resources_for"),
    "resources.kubernetes": ("kubernetes_profile",),
    "sizing.answer": ("Sizing",),
    "sizing.quorum": ("failure_tolerance", "quorum"),
    "sizing.size": ("size",),
    "operations.steps": ("Command", "Step"),
    "tiers": ("Bound", "Tier", "TierTable", "load_tiers"),
    "plan.tls": ("Tls", "TlsFiles"),
    "units": ("format_bytes", "parse_bytes", "parse_duration", "parse_fraction", "parse_rate"),
    "etcd.flag": ("EtcdFlag",),
    "etcd.flaws": ("EtcdFlaw",),
    "etcd.upgrade": ("EtcdDowngrade", "EtcdUpgrade"),
    "etcd.versions": ("EtcdVersion", "EtcdVersions", "load_versions"),
    "workload": ("Workload",),
}

if TYPE_CHECKING:
    from typing import Any

    from etcdsize.base.notice import Notice, NoticeDetail
    from etcdsize.calibration.calibrate import calibrate
    from etcdsize.catalog.catalog import Catalog, Unfit
    from etcdsize.catalog.costs import Cost, DiskPrice, Price, PriceStep
    from etcdsize.catalog.disks import DiskChoice, DiskKind, DiskKindPrice, DiskLimit
    from etcdsize.catalog.fio import MeasuredDisk, read_fio
    from etcdsize.catalog.listing import Dropped, Imported
    from etcdsize.catalog.loading import load_catalog
    from etcdsize.catalog.machines import Disk, Erratum, Machine, MachinePrice
    from etcdsize.catalog.price_lists import LeftOut, Priced
    from etcdsize.catalog.prices import read_prices
    from etcdsize.catalog.registry import read_listing, read_price_list
    from etcdsize.catalog.write_latency import WriteLatency
    from etcdsize.errors import (
        CalibrationError,
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
    from etcdsize.etcd.flag import EtcdFlag
    from etcdsize.etcd.flaws import EtcdFlaw
    from etcdsize.etcd.upgrade import EtcdDowngrade, EtcdUpgrade
    from etcdsize.etcd.versions import EtcdVersion, EtcdVersions, load_versions
    from etcdsize.fitting.fit import fit
    from etcdsize.fitting.fsync import FsyncNeed
    from etcdsize.fitting.model import Candidate, Fit, LocalCandidate, Nearest, Rejected
    from etcdsize.fitting.need import DiskNeed, Need, need_for
    from etcdsize.fleet.audit import audit
    from etcdsize.fleet.classify import INVALID, classify, size_fleet, tier_for_kubernetes_nodes
    from etcdsize.fleet.fleet_audit import FleetAudit
    from etcdsize.fleet.fleet_resources import fleet_resources
    from etcdsize.fleet.resource_columns import FleetResources
    from etcdsize.fleet.sizing import FleetSizing
    from etcdsize.fleet.verdicts import ClusterAudit
    from etcdsize.frames.size_frame import size_frame
    from etcdsize.observation.api_server_load import ApiServerLoad, read_apiserver_metrics
    from etcdsize.observation.combine import combine_scrapes
    from etcdsize.observation.compared import ComparedFigure, ModelledMember
    from etcdsize.observation.endpoint_status import read_endpoint_status
    from etcdsize.observation.metrics import read_metrics
    from etcdsize.observation.model import ClientCount, MemberLoad, Observation
    from etcdsize.observation.observe import observe
    from etcdsize.observation.scrape import Histogram, MemberStatus, Scrape
    from etcdsize.observation.tls import ClientTls
    from etcdsize.operations.runbook import Runbook, runbook
    from etcdsize.operations.steps import Command, Step
    from etcdsize.plan.cluster import ClusterPlan
    from etcdsize.plan.members import Member
    from etcdsize.plan.render import render
    from etcdsize.plan.settings import EtcdSettings, Setting, settings_for
    from etcdsize.plan.tls import Tls, TlsFiles
    from etcdsize.resources.amount import Amount
    from etcdsize.resources.answer import (
        Advice,
        AssumptionEffect,
        CpuResources,
        DiskResources,
        Figure,
        FileResources,
        Horizon,
        MemoryResources,
        NetworkResources,
        SecondsResources,
        Span,
        Term,
    )
    from etcdsize.resources.assumption import Assumption
    from etcdsize.resources.calibrated_model import CalibratedDisk, CalibratedModel, load_model
    from etcdsize.resources.kubernetes import kubernetes_profile
    from etcdsize.resources.object_kind import ObjectKind
    from etcdsize.resources.profile import Profile
    from etcdsize.resources.profile_file import read_profile
    from etcdsize.resources.resources import Resources, resources_for
    from etcdsize.sizing.answer import Sizing
    from etcdsize.sizing.quorum import failure_tolerance, quorum
    from etcdsize.sizing.size import size
    from etcdsize.tiers import Bound, Tier, TierTable, load_tiers
    from etcdsize.units import format_bytes, parse_bytes, parse_duration, parse_fraction, parse_rate
    from etcdsize.workload import Workload


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for module, names in _PUBLIC_NAMES.items():
        if name in names:
            value = getattr(import_module(f"{__name__}.{module}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
