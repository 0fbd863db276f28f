"""The reader of AWS's own list of instance types, as `aws ec2 describe-instance-types` prints it."""

from __future__ import annotations

import functools
import re
from typing import Any

from etcdsize.base.json_text import documents
from etcdsize.catalog.listing import Entry, Imported, collect, not_a_listing
from etcdsize.catalog.machines import ARCHITECTURES, Machine
from etcdsize.catalog.provider_file import read_provider

__all__ = ["NAME", "read", "read_aws_instance_types"]

NAME = "aws"
"""What `catalog import --from` calls this listing."""

_COMMAND = "aws ec2 describe-instance-types"
_EXPECTED = f"an object with InstanceTypes, as {_COMMAND} prints"
# BurstablePerformanceSupported is false for t8i and for every -flex type.
_BURSTABLE = re.compile(r"t[0-9].*|.*-flex")


def read_aws_instance_types(source: object, *, date: str = "") -> Imported:
    """Return the machines of AWS's own list, and what became of each entry.

    Parameters
    ----------
    source : str, bytes, dict or list
        What `aws ec2 describe-instance-types` prints, as text or parsed JSON: one page, several pages one after the
        other, or a list of pages or of instance types.
    date : str, optional
        When the list was made.

    Returns
    -------
    Imported
        A type without EBS figures is kept with unknown ones. A type without vCPUs or memory is dropped, with the
        reason. `truncated` says whether pages are missing.

    Raises
    ------
    TableError
        For input that is not such a list, for an impossible figure, and for a type with two different figures. The
        message names row and field.

    Examples
    --------
    >>> page = '''{"InstanceTypes": [{"InstanceType": "m4.large", "VCpuInfo": {"DefaultVCpus": 2},
    ...     "MemoryInfo": {"SizeInMiB": 8192}, "EbsInfo": {"EbsOptimizedInfo": {"BaselineIops": 3600}}}]}'''
    >>> machine = read_aws_instance_types(page).catalog.machines[0]
    >>> machine.memory_gib, machine.concurrent_iops, machine.disk_mb_per_second
    (8, 3600, None)
    """
    pages: list[Any] = []
    for document in documents(source):
        pages += document if _is_list_of_pages(document) else [document]
    entries: list[Entry] = []
    continued = 0
    for page in pages:
        listed = page.get("InstanceTypes") if isinstance(page, dict) else page
        if not isinstance(listed, list):
            raise not_a_listing(page, _EXPECTED)
        if listed and not isinstance(page, dict) and not _is_type(listed[0]):
            raise not_a_listing(page, _EXPECTED)
        continued += isinstance(page, dict) and page.get("NextToken") is not None
        entries += (Entry(fields, row, "InstanceType") for row, fields in enumerate(listed, len(entries) + 1))
    return collect(
        entries,
        _machine,
        provider="aws",
        command=_COMMAND,
        date=date,
        pages=len(pages),
        continued=continued,
    )


def _is_list_of_pages(document: object) -> bool:
    return isinstance(document, list) and bool(document) and not _is_type(document[0])


def _is_type(fields: object) -> bool:
    return isinstance(fields, dict) and "InstanceType" in fields


def _machine(entry: Entry) -> Machine | str:
    vcpus = entry.whole("VCpuInfo.DefaultVCpus")
    memory = entry.whole("MemoryInfo.SizeInMiB")
    if vcpus is None:
        return "no number of vCPUs"
    if memory is None:
        return "no memory"
    family, _, size = entry.machine_type.partition(".")
    iops, burst_iops = _baseline_and_burst(entry, "Iops", None)
    throughput, burst_throughput = _baseline_and_burst(entry, "ThroughputInMBps", "BandwidthInMbps")
    return Machine(
        provider="aws",
        machine_type=entry.machine_type,
        family=family,
        vcpus=vcpus,
        memory_gib=memory // 1024 if memory % 1024 == 0 else memory / 1024,
        concurrent_iops=iops,
        disk_mb_per_second=throughput,
        burst_concurrent_iops=burst_iops,
        burst_disk_mb_per_second=burst_throughput,
        local_nvme_gb=_local_nvme(entry),
        arch=_arch(entry),
        lifecycle=_lifecycle(entry, family),
        burstable=bool(entry.flag("BurstablePerformanceSupported")) or bool(_BURSTABLE.fullmatch(family)),
        bare_metal=bool(entry.flag("BareMetal")) or size.startswith("metal"),
        nitro=_nitro(entry),
        source=_COMMAND,
    )


def _baseline_and_burst(entry: Entry, what: str, megabits: str | None) -> tuple[float | None, float | None]:
    """Return what a machine sustains, and its maximum where that is higher."""
    figures = []
    for kind in ("Baseline", "Maximum"):
        figure = entry.number(f"EbsInfo.EbsOptimizedInfo.{kind}{what}")
        if figure is None and megabits is not None:
            bits = entry.number(f"EbsInfo.EbsOptimizedInfo.{kind}{megabits}")
            figure = None if bits is None else bits // 8 if bits % 8 == 0 else bits / 8
        figures.append(figure)
    baseline, most = figures
    if baseline is not None and most is not None and most < baseline:
        entry.reject(f"EbsInfo.EbsOptimizedInfo.Maximum{what}", f"got {most}, expected the baseline {baseline} or more")
    return baseline, None if most == baseline else most


def _nitro(entry: Entry) -> bool | None:
    """Return whether a machine is of the Nitro system; bare metal has no hypervisor, and is not told."""
    hypervisor = entry.text("Hypervisor")
    return None if hypervisor is None else hypervisor == "nitro"


def _local_nvme(entry: Entry) -> float | None:
    """Return the NVMe storage: old instance stores are SSDs without NVMe, or spinning disks."""
    disks = entry.items("InstanceStorageInfo.Disks")
    if disks is None:
        return 0 if entry.flag("InstanceStorageSupported") is False else None
    total = 0
    for index, fields in enumerate(disks):
        if not isinstance(fields, dict) or fields.get("Type") not in ("ssd", "hdd"):
            entry.reject(f"InstanceStorageInfo.Disks.{index}", "expected an object with the Type ssd or hdd")
        size, count = fields.get("SizeInGB"), fields.get("Count", 1)
        if any(not isinstance(part, int) or isinstance(part, bool) or not 0 < part < 10**9 for part in (size, count)):
            entry.reject(f"InstanceStorageInfo.Disks.{index}", "expected SizeInGB and Count as whole numbers above 0")
        total += size * count if fields["Type"] == "ssd" else 0
    nvme = entry.text("InstanceStorageInfo.NvmeSupport")
    if not total or nvme == "unsupported":
        return 0
    return None if nvme is None else total


def _arch(entry: Entry) -> str | None:
    """Return the architecture, None for that of a Mac, which is neither of the two."""
    listed = entry.items("ProcessorInfo.SupportedArchitectures")
    return next((arch for arch in ARCHITECTURES if arch in (listed or ())), None)


def _lifecycle(entry: Entry, family: str) -> str | None:
    """Return our own reading where there is one: AWS's flag is false for r7g and true for m7g."""
    flag = entry.flag("CurrentGeneration")
    known = _lifecycles().get(family)
    return known or (None if flag is None else "current" if flag else "previous")


@functools.cache
def _lifecycles() -> dict[str | None, str | None]:
    return {machine.family: machine.lifecycle for machine in read_provider("aws").machines}


read = read_aws_instance_types
