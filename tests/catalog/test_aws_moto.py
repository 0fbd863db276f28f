"""All of EC2's types, requested with boto3 from a moto server on this machine: every figure is kept.

moto and boto3 are in the extra `test`; where CI is set they must be there.
"""

from __future__ import annotations

import json
from importlib import import_module

import pytest
from needs import leave_out

from etcdsize import load_catalog, read_listing

# The server takes its time to list all types.
pytestmark = pytest.mark.slow


def needed(module: str):
    try:
        return import_module(module)
    except ImportError:
        leave_out(f"{module} is not installed; pip install -e '.[test]'")


@pytest.fixture(scope="session")
def answer() -> dict:
    """Return all pages of DescribeInstanceTypes, combined as the aws command combines them."""
    server = needed("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        client = needed("boto3").client(
            "ec2",
            region_name="us-east-1",
            endpoint_url=f"http://{host}:{port}",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )
        pages = client.get_paginator("describe_instance_types").paginate()
        types = [fields for page in pages for fields in page["InstanceTypes"]]
        client.close()
    finally:
        server.stop()
    return {"InstanceTypes": types}


@pytest.fixture(scope="session")
def imported(answer):
    return read_listing("aws", json.dumps(answer), date="2026-11-25")


def test_every_type_is_accounted_for(answer, imported):
    names = [fields["InstanceType"] for fields in answer["InstanceTypes"]]
    assert len(names) > 1_000
    assert imported.found == len(names)
    assert [machine.machine_type for machine in imported.catalog.machines] == names
    assert (imported.dropped, imported.repeats, imported.truncated) == ((), 0, False)


def test_every_figure_is_that_of_the_source(answer, imported):
    for fields, machine in zip(answer["InstanceTypes"], imported.catalog.machines, strict=True):
        assert machine.vcpus == fields["VCpuInfo"]["DefaultVCpus"]
        assert machine.memory_gib * 1_024 == fields["MemoryInfo"]["SizeInMiB"]
        ebs = fields["EbsInfo"].get("EbsOptimizedInfo", {})
        for what, baseline, burst in (
            ("Iops", machine.concurrent_iops, machine.burst_concurrent_iops),
            ("ThroughputInMBps", machine.disk_mb_per_second, machine.burst_disk_mb_per_second),
        ):
            assert baseline == ebs.get(f"Baseline{what}")
            assert (burst if burst is not None else baseline) == ebs.get(f"Maximum{what}")
        listed = fields["ProcessorInfo"]["SupportedArchitectures"]
        assert (machine.arch in listed) if machine.arch else not {"x86_64", "arm64"} & set(listed)
        assert machine.bare_metal == fields["BareMetal"]
        if fields["BurstablePerformanceSupported"]:
            assert machine.burstable
        storage = fields.get("InstanceStorageInfo")
        if storage is None:
            assert machine.local_nvme_gb == 0
        elif storage["NvmeSupport"] == "required" and {disk["Type"] for disk in storage["Disks"]} == {"ssd"}:
            assert machine.local_nvme_gb == storage["TotalSizeInGB"]
        else:
            assert machine.local_nvme_gb == 0


def test_types_without_figures_burstable_types_and_macs(imported):
    machines = imported.catalog.machines
    no_figures = [machine.machine_type for machine in machines if machine.concurrent_iops is None]
    assert {"t2.micro", "c3.large", "m1.small"} <= set(no_figures)
    assert len(no_figures) == 19
    # AWS's own flag is false for these.
    burstable = {machine.family for machine in machines if machine.burstable}
    assert "t8i" in burstable
    assert {"m7i-flex", "c7i-flex", "r8i-flex"} <= {machine.family for machine in machines if machine.flex}
    assert {"g4dn", "p5"} <= {machine.family for machine in machines if machine.gpu}
    assert {machine.family.partition("-")[0] for machine in machines if machine.arch is None} == {"mac", "mac1", "mac2"}


def test_the_guides_machines_have_these_figures(imported):
    for named in load_catalog("guide").machines:
        if named.provider == "aws":
            machine = imported.catalog.machine("aws", named.machine_type)
            for field in ("vcpus", "memory_gib", "concurrent_iops", "disk_mb_per_second", "arch", "lifecycle"):
                assert getattr(machine, field) == getattr(named, field)


def test_the_current_catalog_has_these_figures(imported):
    """The AWS rows of `current` agree with EC2 to nine digits, except for price and source."""
    rows = [machine for machine in load_catalog("current").machines if machine.provider == "aws"]
    assert len(rows) > 300
    for row in rows:
        machine = imported.catalog.machine("aws", row.machine_type)
        assert machine.disk_mb_per_second == pytest.approx(row.disk_mb_per_second, rel=1e-9)
        same = {"disk_mb_per_second": row.disk_mb_per_second, "price": row.price, "source": row.source}
        assert machine.model_copy(update=same) == row
