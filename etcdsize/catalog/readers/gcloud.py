"""The reader of Google Cloud's own list, as `gcloud compute machine-types list --format=json` prints it."""

from __future__ import annotations

import functools

from etcdsize.base.json_text import documents
from etcdsize.catalog.gce_limits import disk_limits
from etcdsize.catalog.listing import Entry, Imported, collect, not_a_listing
from etcdsize.catalog.machines import Machine
from etcdsize.catalog.provider_file import read_provider

__all__ = ["NAME", "read", "read_gcloud_machine_types"]

NAME = "gcloud"
"""What `catalog import --from` calls this listing."""

_COMMAND = "gcloud compute machine-types list"
_EXPECTED = f"a list, as {_COMMAND} --format=json prints"
_SHARED_CORE = ("f1-micro", "g1-small", "e2-micro", "e2-small", "e2-medium")
# One bundled partition has 375 GB in these families; it may be larger in others.
_PARTITION_GB = {"c3": 375, "c3d": 375}
_ARCHITECTURES = {"X86_64": "x86_64", "ARM64": "arm64"}


def read_gcloud_machine_types(source: object, *, date: str = "") -> Imported:
    """Return the machines of Google Cloud's own list, and what became of each entry.

    The list has each type once for each zone; the repeats are counted. It does not cover network disks: a machine's
    limits for them come from a table of rules, and are unknown for a family that is not in it.

    Parameters
    ----------
    source : str, bytes or list
        What `gcloud compute machine-types list --format=json` prints, as text or parsed JSON: one list, or several
        one after the other.
    date : str, optional
        When the list was made.

    Returns
    -------
    Imported
        A type without vCPUs or memory is dropped, with the reason.

    Raises
    ------
    TableError
        For input that is not such a list, for an impossible figure, and for a type with two different figures. The
        message names row and field.

    Examples
    --------
    >>> listed = '[{"name": "n2-standard-2", "guestCpus": 2, "memoryMb": 8192, "zone": "us-central1-a"}]'
    >>> machine = read_gcloud_machine_types(listed).catalog.machines[0]
    >>> machine.memory_gib, machine.limits_for("pd-ssd")
    (8, (15000, 251.65824))
    """
    found = documents(source)
    entries: list[Entry] = []
    for document in found:
        if not isinstance(document, list) or any(not isinstance(fields, dict) for fields in document[:1]):
            raise not_a_listing(document, _EXPECTED)
        if document and "name" not in document[0]:
            raise not_a_listing(document, _EXPECTED)
        entries += (Entry(fields, row, "name") for row, fields in enumerate(document, len(entries) + 1))
    return collect(entries, _machine, provider="gce", command=_COMMAND, date=date, pages=len(found))


def _machine(entry: Entry) -> Machine | str:
    vcpus = entry.whole("guestCpus")
    memory = entry.whole("memoryMb")
    if vcpus is None:
        return "no number of vCPUs"
    if memory is None:
        return "no memory"
    name = entry.machine_type
    family = name.partition("-")[0]
    shared_core = bool(entry.flag("isSharedCpu")) or name in _SHARED_CORE
    arch, lifecycle = _families().get(family, (None, None))
    stated = entry.text("architecture")
    state = entry.text("deprecated.state")
    return Machine(
        provider="gce",
        machine_type=name,
        family=family,
        vcpus=vcpus,
        # The field is called memoryMb, but counts MiB.
        memory_gib=memory // 1024 if memory % 1024 == 0 else memory / 1024,
        disk_limits=disk_limits(family, name, vcpus, shared_core=shared_core),
        local_nvme_gb=_local_nvme(entry, family),
        arch=arch if stated in (None, "ARCHITECTURE_UNSPECIFIED") else _ARCHITECTURES.get(stated),
        lifecycle="previous" if state not in (None, "ACTIVE") else lifecycle,
        shared_core=shared_core,
        bare_metal=name.endswith("-metal"),
        source=_COMMAND,
    )


def _local_nvme(entry: Entry, family: str) -> float | None:
    """Return the local disks that come with the type; those that can be added to it do not count."""
    partitions = entry.whole("bundledLocalSsds.partitionCount")
    interface = entry.text("bundledLocalSsds.defaultInterface")
    if partitions is None:
        return None if entry.machine_type.endswith("-lssd") else 0
    if interface not in (None, "NVME"):
        return 0
    size = _PARTITION_GB.get(family)
    return None if size is None else size * partitions


@functools.cache
def _families() -> dict[str | None, tuple[str | None, str | None]]:
    """Return architecture and lifecycle by family: the list has no lifecycle, and no architecture for some."""
    return {machine.family: (machine.arch, machine.lifecycle) for machine in read_provider("gce").machines}


read = read_gcloud_machine_types
