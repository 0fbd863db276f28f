"""Servers of one's own: whether their own disks, as measured, are enough."""

from etcdsize.catalog.costs import Cost, Price
from etcdsize.catalog.figures import rounded_text
from etcdsize.catalog.machines import Machine
from etcdsize.fitting.disks import Shortfall
from etcdsize.fitting.fsync import sequential_iops_for
from etcdsize.fitting.need import Need

__all__ = ["UNMEASURED", "measured_shortfalls", "measured_text", "own_cost", "own_disk_reason"]

UNMEASURED = "has a disk that was not measured: etcdsize catalog from-fio --help says how to measure it"


def measured_shortfalls(machine: Machine, need: Need) -> list[Shortfall]:
    """Return in what the measured fsyncs of a machine's own disk are not enough; none where nothing is measured."""
    found = []
    iops = sequential_iops_for(need.vcpus)
    if machine.sequential_iops is not None and machine.sequential_iops < iops:
        found.append(Shortfall("sequential_iops", machine.sequential_iops, iops))
    if machine.fsync_p99_ms is not None and machine.fsync_p99_ms > need.fsync_p99_ms:
        found.append(Shortfall("fsync_p99_ms", machine.fsync_p99_ms, need.fsync_p99_ms))
    return found


def measured_text(machine: Machine) -> str:
    """Return what is measured of the fsyncs of a machine's own disk."""
    found = []
    if machine.sequential_iops is not None:
        found.append(f"{rounded_text(machine.sequential_iops)} sequential IOPS")
    if machine.fsync_p99_ms is not None:
        found.append(f"p99 of fsync {rounded_text(machine.fsync_p99_ms)} ms")
    return ", ".join(found) + " measured" if found else "fsync not measured"


def own_disk_reason(machine: Machine, size_gib: int) -> str:
    """Return what is known of a machine's own disk, and how much room it needs."""
    return f"{size_gib} GiB of its own disk hold the data; {measured_text(machine)}"


def own_cost(price: Price | None, region: str | None) -> Cost:
    """Return what a server of one's own costs in a month; its disk is a part of it."""
    if price is None:
        return Cost(per_month=None, unknown=f"no price for the machine{f' in {region}' if region else ''}")
    return Cost(
        per_month=price.per_month,
        machine_per_month=price.per_month,
        currency=price.currency,
        region=price.region,
        date=price.date,
    )
