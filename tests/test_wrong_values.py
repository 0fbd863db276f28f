"""Every public function and model refuses what it cannot use with an error of etcdsize, and accepts NumPy's numbers."""

from __future__ import annotations

import inspect
import tempfile
from functools import partial
from itertools import product
from pathlib import Path

import pyarrow
import pytest
from api_server import api_server_page
from calibrated import write_model
from wrong_values import WRONG, is_ours

import etcdsize
from etcdsize.base.model import Model
from etcdsize.fleet.fleet_resources import FIGURES

AWS = (
    '{"InstanceTypes": [{"InstanceType": "m8i.large", "VCpuInfo": {"DefaultVCpus": 2}, '
    '"MemoryInfo": {"SizeInMiB": 8192}}]}'
)
GCLOUD = '[{"name": "n2-standard-4", "guestCpus": 4, "memoryMb": 16384}]'
METRICS = (Path(__file__).parent / "data" / "metrics-3.4.23-before.txt").read_text()
STATUS = (Path(__file__).parent / "data" / "endpoint-status-3.4.23.json").read_text()
PROFILE = '[load]\nkeys = "200..900"\nvalue_bytes = "1kB"'
API_SERVER = api_server_page()
FOLDER = tempfile.TemporaryDirectory()
MODEL = write_model(Path(FOLDER.name) / "my-model.json")
FIO = (Path(__file__).parent / "data" / "fio-3.33.json").read_text()
AZURE_PRICES = (Path(__file__).parent / "data" / "azure-retail-prices-vm.json").read_text()
PRICES = "machine_type,price_per_hour,currency,region,date\nm8i.large,0.1,USD,us-east-1,2026-11-01\n"


def calls() -> dict[str, dict[str, object]]:
    """Return a sound call of every public function, by the function's name."""
    sizing = etcdsize.size(clients=5)
    plan = etcdsize.ClusterPlan.local(1)
    return {
        "audit": {
            "machine_types": ["m8i.large"],
            "clients": [5],
            "requests_per_second": [5],
            "data_bytes": [5e6],
            "provider": "aws",
            "catalog": "current",
            "tiers": "guide",
            "headroom": 0.1,
            "margin": 0.1,
            "members": 3,
            "on_invalid": "mark",
            "resources": etcdsize.fleet_resources([5], keys=[1000]),
            "quota_bytes": [2**30],
            "volume_gib": [20.0],
            "disk_mb_per_second": [125.0],
        },
        "classify": {
            "clients": [5],
            "requests_per_second": [5],
            "data_bytes": [5e6],
            "tiers": "guide",
            "headroom": 0.1,
            "on_invalid": "mark",
            "out": None,
            "threads": 1,
        },
        "combine_scrapes": {
            "first": {"a": etcdsize.read_metrics(METRICS)},
            "second": {"a": etcdsize.read_metrics(METRICS)},
            "seconds": 5,
            "status": etcdsize.read_endpoint_status(STATUS),
            "clients": 5,
            "sockets": 5,
        },
        "failure_tolerance": {"members": 3},
        "fit": {
            "what": "small",
            "catalog": "current",
            "tiers": "guide",
            "provider": "aws",
            "arch": "any",
            "family": "m8i",
            "region": None,
            "disk": "gp3",
            "newest": True,
            "limit": 2,
        },
        "fleet_resources": {
            **{name: [5.0] for name in FIGURES if name not in ("pods", "largest_value_bytes", "kubernetes_nodes")},
            "tls": [1.0],
            "model": None,
            "data_bytes": [1000.0],
            "keys": [100.0],
            "requests_per_second": [10.0],
            "largest_value_bytes": [5.0],
            "kubernetes_nodes": [5],
            "pods": [5],
            "etcd_version": "3.6",
            "on_invalid": "mark",
            "threads": 1,
        },
        "format_bytes": {"value": 5},
        "kubernetes_profile": {
            "nodes": 5,
            "pods": 50,
            "objects": {"secrets": 5},
            "apiservers": 3,
            "events": True,
            "rollout_seconds": 600,
        },
        "load_catalog": {"name_or_path": "guide"},
        "load_model": {"path": MODEL},
        "load_tiers": {"name_or_path": "guide"},
        "load_versions": {},
        # Nothing listens there: a member that does not answer is no error.
        "observe": {
            "endpoints": ["127.0.0.1:1"],
            "interval": 0,
            "clients": 5,
            "tls": None,
            "timeout": 5,
            "status": etcdsize.read_endpoint_status(STATUS),
        },
        "need_for": {"tier": "small", "tiers": "guide"},
        "parse_bytes": {"text": "5MB"},
        "parse_duration": {"text": "5s"},
        "parse_fraction": {"text": "5%"},
        "parse_rate": {"text": "5k"},
        "quorum": {"members": 3},
        "read_apiserver_metrics": {
            "pages": API_SERVER,
            "before": api_server_page(requests={}),
            "seconds": 60,
            "apiservers": 3,
            "events": True,
        },
        "read_endpoint_status": {"source": STATUS},
        "read_listing": {"origin": "gcloud", "source": GCLOUD, "date": "2026-11-01", "provider": "gce"},
        "read_metrics": {"source": METRICS, "taken_unix_seconds": 2e9},
        "read_fio": {"source": FIO},
        "read_price_list": {
            "origin": "azure-prices",
            "source": AZURE_PRICES,
            "catalog": "current",
            "region": "westeurope",
            "date": "2026-11-01",
        },
        "read_prices": {"text": PRICES},
        "read_profile": {"text": PROFILE, "file": "load.toml"},
        "render": {"plan": plan, "format": "flags"},
        "resources_for": {
            "profile": etcdsize.Profile(keys=1000, value_bytes=500),
            "etcd_version": "3.5",
            "quota_bytes": 2**31,
            "snapshot_count": 1000,
            "snapshot_catchup_entries": 1000,
            "disk_mb_per_second": 100,
            "fsync_seconds": 0.01,
            "model": None,
        },
        "runbook": {"plan": plan, "tier": "small", "kubernetes": True, "snapshot": "snapshot.db"},
        "settings_for": {
            "sizing": sizing,
            "etcd_version": "3.5",
            "kubernetes": True,
            "peer_rtt_ms": 5,
            "extra_flags": {"max-wals": 5},
        },
        "size": {
            "workload": None,
            "clients": 5,
            "requests_per_second": 5,
            "data_bytes": 5e6,
            "kubernetes_nodes": 5,
            "provider": "aws",
            "catalog": "guide",
            "tiers": "guide",
            "headroom": 0.1,
            "members": 3,
            "basis": "measured",
            "etcd_version": "3.5",
            "model": None,
        },
        "size_fleet": {
            "clients": [5],
            "requests_per_second": [5],
            "data_bytes": [5e6],
            "provider": "aws",
            "catalog": "guide",
            "tiers": "guide",
            "headroom": 0.1,
            "members": 3,
        },
        "size_frame": {
            "frame": pyarrow.table({"clients": [5], "rps": [5], "data_bytes": [5e6]}),
            "provider": "aws",
            "columns": {"requests_per_second": "rps"},
            "unknown": [],
            "on_missing": "problem",
            "on_invalid": "mark",
            "catalog": "guide",
            "tiers": "guide",
            "headroom": 0.1,
            "answers": ["tier"],
        },
        "tier_for_kubernetes_nodes": {"nodes": 5},
    }


# It measures for minutes; tests/calibration has its wrong values.
MEASURES = {"calibrate"}
FUNCTIONS = [name for name in set(etcdsize.__all__) - MEASURES if inspect.isfunction(getattr(etcdsize, name))]
# An interval of 2.5 or 5 seconds is a sound one, and takes as long.
WAITS = {("observe", "interval", "2.5"), ("observe", "interval", "np.array 0-d")}


def test_every_function_has_a_sound_call():
    sound = calls()
    assert set(sound) == set(FUNCTIONS)
    for name, arguments in sound.items():
        getattr(etcdsize, name)(**arguments)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions(name):
    sound = calls()[name]
    for parameter, wrong in product(sound, WRONG):
        if (name, parameter, wrong) not in WAITS:
            changed = {**sound, parameter: WRONG[wrong]}
            is_ours(partial(getattr(etcdsize, name), **changed), f"{parameter}: {wrong}")


def methods() -> dict[str, tuple[object, dict[str, object]]]:
    """Return an object and a sound call of every public method that has arguments, by class and method."""
    catalog, tiers, versions = etcdsize.load_catalog("current"), etcdsize.load_tiers("guide"), etcdsize.load_versions()
    plan, kind = etcdsize.ClusterPlan.local(1), catalog.disk_kind("aws", "gp3")
    histogram = etcdsize.Histogram(upper_bounds_seconds=(1,), counts=(1, 2))
    audited = etcdsize.audit(["m8i.large"], [5], [5], [5e6], provider="aws")
    bound, version = etcdsize.Bound(limit=100, inclusive=True), versions.version("3.5.1")
    price = catalog.machine("aws", "m8i.large").price
    command = etcdsize.Command(words=("etcdctl", "compaction", "REVISION"), fill_in=("REVISION",))
    amounts = {"size_gib": 50, "provisioned_iops": 3000, "provisioned_mb_per_second": 131.072}
    how = {"data_dir": "/data", "token": "t", "settings": {}, "etcd_version": "3.5", "tls": None}
    return {
        "Amount.of": (etcdsize.Amount, {"value": "200..900", "unit": "count"}),
        "Bound.fits": (bound, {"load": 5}),
        "Bound.exact": (bound, {"headroom": 0.1}),
        "Catalog.find_for": (etcdsize.load_catalog("guide"), {"provider": "aws", "tier": "small"}),
        "Catalog.machine_for": (etcdsize.load_catalog("guide"), {"provider": "aws", "tier": "small"}),
        "Command.filled": (command, {"REVISION": "512"}),
        "Cost.of": (
            etcdsize.Cost,
            {"machine": price, "disk_per_month": 5, "disk": kind.price, "region": "us-east-1"},
        ),
        "Catalog.machine": (catalog, {"provider": "aws", "machine_type": "m8i.large"}),
        "Catalog.in_region": (catalog, {"region": "eu-central-1", "providers": ["aws"]}),
        "Catalog.find_known_type": (catalog, {"machine_type": "t3.medium", "providers": ["aws"]}),
        "Catalog.with_known_types": (catalog, {"machine_types": ["t3.medium"]}),
        "Catalog.disk_kind": (catalog, {"provider": "aws", "kind": "gp3"}),
        "Catalog.merge": (catalog, {"prices": etcdsize.read_prices(PRICES)}),
        "Catalog.restrict": (
            catalog,
            {"machine_types": ["m8i.large"], "families": ["m8i"], "architectures": ["x86_64"]},
        ),
        "ClusterPlan.setting": (plan, {"name": "snapshot-count"}),
        "ClusterPlan.member": (plan, {"name": "infra0"}),
        "ClusterPlan.data_dir_of": (plan, {"name": "infra0"}),
        "ClusterPlan.flags": (plan, {"name": "infra0"}),
        "ClusterPlan.local": (etcdsize.ClusterPlan, {"members": 3, "base_port": 2379, **how}),
        "ClusterPlan.from_hosts": (
            etcdsize.ClusterPlan,
            {"hosts": ["a=10.0.0.1"], "zones": {"a": "z"}, "client_port": 2379, "peer_port": 2380, **how},
        ),
        "DiskKind.figures": (kind, amounts),
        "DiskKind.per_month": (kind, amounts),
        "DiskKind.on_nitro": (kind, {}),
        "DiskKind.smallest": (kind, {"size_gib": 50, "concurrent_iops": 3000, "mb_per_second": 100}),
        "EtcdSettings.setting": (etcdsize.settings_for(etcdsize.size(clients=5)), {"name": "quota-backend-bytes"}),
        "EtcdVersion.flag": (versions.version("3.5"), {"name": "snapshot-count"}),
        "EtcdVersion.has": (version, {"flag": version.flags[0]}),
        "EtcdVersion.is_supported_on": (version, {"date": "2026-11-25"}),
        "EtcdVersion.reaches": (version, {"patch": "3.5.4"}),
        "EtcdVersions.successor": (versions, {"version": version}),
        "EtcdVersions.version": (versions, {"text": "3.5"}),
        "FleetAudit.at_risk": (audited, {"most": 1}),
        "FleetAudit.beyond": (audited, {"most": 1}),
        "FleetAudit.savings": (audited, {"most": 1}),
        "FleetResources.problem": (etcdsize.fleet_resources([5], [5], [5e6]), {"index": 0}),
        "FleetSizing.utilization": (etcdsize.size_fleet([5], [5], [5e6], provider="aws"), {"dimension": "clients"}),
        "Histogram.since": (histogram, {"before": histogram}),
        "Histogram.quantile": (histogram, {"share": 0.5}),
        "Machine.limits_for": (catalog.machines[0], {"kind": "gp3"}),
        "Resources.arithmetic": (
            etcdsize.resources_for(etcdsize.Profile(keys=1000, value_bytes=500)),
            {"figure": "memory.limit_bytes"},
        ),
        "Runbook.step": (etcdsize.runbook(plan), {"code": "health"}),
        "Tls.from_dir": (etcdsize.Tls, {"folder": "/pki"}),
        "Tier.bound": (tiers.tiers[0], {"dimension": "clients"}),
        "TierTable.bounds": (tiers, {"dimension": "clients"}),
        "TierTable.reference": (tiers, {"code": 0, "dimension": "clients"}),
        "TierTable.tier_codes": (tiers, {"loads": (5, None, 5e6), "headroom": 0.1}),
    }


def test_every_method_has_a_sound_call():
    ours = set()
    for name in etcdsize.__all__:
        owner = getattr(etcdsize, name)
        if not inspect.isclass(owner) or issubclass(owner, BaseException):
            continue
        for method, value in inspect.getmembers(owner, inspect.isroutine):
            written_by = getattr(value, "__module__", None) or ""
            # Python 3.14 counts cached properties among the routines.
            if callable(value) and written_by.startswith("etcdsize") and not method.startswith("_"):
                parameters = [one for one in inspect.signature(value).parameters if one != "self"]
                ours |= {f"{name}.{method}"} if parameters else set()
    assert set(methods()) >= ours


@pytest.mark.parametrize("name", sorted(methods()))
def test_methods(name):
    owner, sound = methods()[name]
    method = getattr(owner, name.partition(".")[2])
    method(**sound)
    for parameter, wrong in product(sound, WRONG):
        is_ours(partial(method, **{**sound, parameter: WRONG[wrong]}), f"{parameter}: {wrong}")


MODELS = [
    name
    for name in etcdsize.__all__
    if inspect.isclass(getattr(etcdsize, name)) and issubclass(getattr(etcdsize, name), Model)
]


@pytest.mark.parametrize("name", MODELS)
def test_models(name):
    model = getattr(etcdsize, name)
    for wrong, value in WRONG.items():
        for field in model.model_fields:
            is_ours(partial(model, **{field: value}), f"{field}: {wrong}")
        is_ours(partial(model, **dict.fromkeys(model.model_fields, value)), f"every field: {wrong}")
