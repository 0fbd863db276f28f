"""The whole report of a fit, for made-up machines and disks, so that only a change of the report changes it."""

import pytest

from etcdsize import Catalog, DiskKind, DiskPrice, Machine, Price, WriteLatency, fit, load_tiers, size
from etcdsize.fitting.load_need import tier_disk
from etcdsize.reports.fit import render_fit


def machine(name, vcpus, memory_gib, iops, usd, **more):
    price = None if usd is None else Price(per_hour=usd, currency="USD", region="eu-1", date="2026-11-02")
    fields = {"provider": "aws", "family": "f", "arch": "x86_64", "disk_mb_per_second": 100} | more
    return Machine(
        machine_type=name, vcpus=vcpus, memory_gib=memory_gib, concurrent_iops=iops, price=price, **fields
    )  # fmt: skip


def disk(provider, kind, usd):
    takes = WriteLatency(low_ms=1.2, usual_ms=2, high_ms=4, statistic="of ours") if kind == "gp3" else None
    return DiskKind(
        provider=provider, kind=kind, media="ssd", max_size_gib=1000, included_iops=0, iops_per_gib=300, max_iops=9000,
        included_mb_per_second=200, mb_per_second_per_gib=0, mb_per_second_per_iops=0, max_mb_per_second=200,
        write_latency=takes,
        price=None if usd is None else DiskPrice(per_gib_month=usd, currency="USD", region="eu-1", date="2026-11-01"),
    )  # fmt: skip


MACHINES = (
    machine("old.large", 4, 16, 5000, 0.1, lifecycle="previous"),
    machine("new.large", 8, 32, 6000, 2, arch="arm64"),
    machine("small", 2, 16, 5000, 0.01),
    machine("weak", 4, 16, 3600, 0.01, burst_concurrent_iops=9000, local_nvme_gb=300),
    machine("Standard", 4, 16, 9000, 0.2, provider="azure"),
)
CATALOG = Catalog(name="mine", machines=MACHINES, disk_kinds=[disk("aws", "gp3", 0.1), disk("azure", "ssd-v2", None)])
NEED = "4 vCPUs, 15 GiB of memory, 4500 concurrent IOPS, 75 MB/s, room for 500 MB of data"
SOURCE = "the guide, section 中型集群 (medium cluster)"
FIO = "fio --name=etcd --directory=DIR --rw=write --ioengine=sync --fdatasync=1 --size=22m --bs=2300"
# The model computes it, and its own tests hold it.
DISK = {tier: tier_disk(tier, load_tiers("guide")) for tier in ("medium", "large")}
LOCAL = (
    "Alternatives with local NVMe: its latency is lower than that of a network disk, but its data is lost when the "
    "machine stops, and no catalog states its IOPS:"
)


EACH = f"""\
each needs  {NEED}
source      {SOURCE}
"""
MEASURE = f"measure     {FIO}\n"
SEQUENTIAL = "sequential  50 IOPS; p99 of wal_fsync below 10 ms, backend_commit below 25 ms; no catalog states them\n"
GP3 = (
    "            gp3: its 4500 IOPS are for writes at the same time; one after the other about 500 are expected, "
    "because a write takes 2 ms (1.2 to 4): of ours\n"
)
WEAK = f"""\
{LOCAL}

provider  machine  arch    vCPUs  memory (GiB)  NVMe (GB)  machine ($/month)  region, date
aws       weak     x86_64      4            16        300               7.30  eu-1, 2026-11-02
"""


def test_every_part_of_the_report():
    """Two architectures, an unknown price, a previous generation, disks that their IOPS make larger, local NVMe."""
    assert render_fit(fit("medium", CATALOG, arch=None)) == (
        f"""\
tier        medium
members     3
{EACH}
3 sufficient machines in the catalog mine, cheapest first, with the figures for each member:

provider  machine                  arch    vCPUs  memory (GiB)  concurrent IOPS  disk (MB/s)  member ($/month)  \
3 members ($/month)  region, date      note
aws       old.large + 15 GB GP3    x86_64      4            16             4500          100             74.50  \
             223.50  eu-1, 2026-11-01  previous generation
aws       new.large + 15 GB GP3    arm64       8            32             4500          100          1,461.50  \
           4,384.50  eu-1, 2026-11-01
azure     Standard + 15 GB SSD V2  x86_64      4            16             4500          100           unknown  \
            unknown

unknown: Standard: no price for the disk; the machine alone costs $146.00 a month (eu-1, 2026-11-02)

disk        {DISK["medium"].because}
            gp3: {DISK["medium"].size_gib} GiB hold the data; gp3 needs 15 GiB for 4500 IOPS and 75 MB/s
            ssd-v2: {DISK["medium"].size_gib} GiB hold the data; ssd-v2 needs 15 GiB for 4500 IOPS and 75 MB/s
recovery    500 MB in about 8 s: 1.5 times as long as the disk takes to transfer it
{SEQUENTIAL}{GP3}            ssd-v2: unknown
{MEASURE}
{WEAK}
rejected: 2 of 5 machines: 1 too little, 1 burst only
"""
    )


def test_a_sizing_adds_its_reasons_and_notices():
    """The report has the reasons and notices of the load, without those of the guide's machines."""
    one = size(clients=70, headroom=0.5, data_bytes=1e6, members=4)
    assert {"previous-generation", "erratum"} <= {notice.code for notice in one.notices}
    assert render_fit(fit(one, CATALOG, limit=1, arch=None), one) == (
        f"""\
tier            medium
forced by       clients alone; the rest needs small
headroom asked  50%
members         4
each needs      {NEED}
source          {SOURCE}

1 of the 3 sufficient machines in the catalog mine, cheapest first, with the figures for each member:

provider  machine                arch    vCPUs  memory (GiB)  concurrent IOPS  disk (MB/s)  member ($/month)  \
4 members ($/month)  region, date      note
aws       old.large + 15 GB GP3  x86_64      4            16             4500          100             74.50  \
             298.00  eu-1, 2026-11-01  previous generation

disk        {one.needs["load"].disk.because}; {DISK["medium"].size_gib} GiB have room for the largest load of medium
            gp3: {DISK["medium"].size_gib} GiB hold the data; gp3 needs 15 GiB for 4500 IOPS and 75 MB/s
recovery    500 MB in about 8 s: 1.5 times as long as the disk takes to transfer it
{SEQUENTIAL}{GP3}{MEASURE}
{WEAK}
rejected: 2 of 5 machines: 1 too little, 1 burst only

warning: 4 members tolerate no more failures than 3. [even-members]
info: The guide assumes machines that run nothing but etcd, and its figures are a starting point, not hard rules: test \
with a load like your own. [dedicated-machine]
warning: Unknown: requests_per_second. The other dimensions decide, so the tier is a lower bound. [unknown-dimension]
{one.comparison.line}
"""
    )


def test_the_smallest_tier_is_forced_by_nothing():
    one = size(clients=1)
    assert "\nforced by   nothing: it is the smallest tier\n" in render_fit(fit(one, CATALOG), one)


def test_no_sufficient_machine_names_the_nearest():
    """The report says what the nearest machine lacks, and on request each machine's reason."""
    assert render_fit(fit("large", CATALOG), members=1, rejected=True) == (
        f"""\
tier        large
members     1
each needs  8 vCPUs, 30 GiB of memory, 7500 concurrent IOPS, 125 MB/s, room for 1 GB of data
source      the guide, section 大型集群 (large cluster)

No machine in the catalog "mine" is enough for the tier "large"; the nearest, Standard, lacks 4 vCPUs (4 of 8), \
14 GiB of memory (16 of 30), 25 MB/s of disk (100 of 125).

disk        {DISK["large"].because}
{SEQUENTIAL.replace("50 IOPS", "500 IOPS")}{MEASURE}
rejected: 5 of 5 machines: 4 too little, 1 architecture

provider  machine    reason        details
aws       old.large  too-little    4 vCPUs (4 of 8), 14 GiB of memory (16 of 30), 2500 concurrent IOPS (5000 of 7500), \
25 MB/s of disk (100 of 125)
aws       new.large  architecture  is arm64, requested: x86_64
aws       small      too-little    6 vCPUs (2 of 8), 14 GiB of memory (16 of 30), 2500 concurrent IOPS (5000 of 7500), \
25 MB/s of disk (100 of 125)
aws       weak       too-little    4 vCPUs (4 of 8), 14 GiB of memory (16 of 30), 3900 concurrent IOPS (3600 of 7500, \
more only in a burst), 25 MB/s of disk (100 of 125)
azure     Standard   too-little    4 vCPUs (4 of 8), 14 GiB of memory (16 of 30), 25 MB/s of disk (100 of 125)

warning: A cluster of 1 member tolerates no failure. [no-failure-tolerance]
"""
    )


def test_an_unknown_price_of_local_nvme_has_no_region():
    nvme = machine("nvme", 4, 16, 5000, None, local_nvme_gb=75, arch=None)
    catalog = Catalog(name="mine", machines=[nvme], disk_kinds=CATALOG.disk_kinds)
    text = render_fit(fit("medium", catalog, arch=None))
    assert "\naws       nvme     unknown      4            16         75               unknown\n" in text
    assert "\nunknown: nvme: no price for the machine\n" in text
    assert "\n1 sufficient machine in the catalog mine" in text
    assert "\nrejected" not in text


@pytest.mark.parametrize("tier", ["small", "medium", "large", "xlarge"])
def test_a_cost_always_has_its_region_and_date(tier):
    """This holds for each sufficient machine of today."""
    found = fit(tier, arch=None, limit=None)
    table = render_fit(found).split("\n\n")[2].splitlines()[1:]
    assert len(table) == found.feasible
    for line, candidate in zip(table, found.candidates, strict=True):
        cost = candidate.cost
        assert line.split()[1] == candidate.machine.machine_type
        assert (f"  {cost.region}, {cost.date}" in line) == (cost.per_month is not None)


class TestSequentialWrites:
    """How many writes one after the other are expected, and why they are fewer than the IOPS that are bought."""

    @pytest.mark.parametrize(
        ("disk", "line"),
        [
            ("gp3", "gp3: its 7500 IOPS are for writes at the same time; one after the other about 500 are expected, "
             "because a write takes 2 ms (1.2 to 4): Netflix's figures for 16 KiB"),
            ("io2", "io2: its 7500 IOPS are for writes at the same time; one after the other about 2000 or more are "
             "expected, because a write takes 0.5 ms at most: average of 16 KiB"),
            ("io1", "io1: unknown"),
        ],
    )  # fmt: skip
    def test_the_line_of_a_disk_of_aws(self, disk, line):
        assert f"            {line}\n" in render_fit(fit("large", provider="aws", disk=disk))

    def test_a_disk_that_is_faster_than_its_iops(self):
        takes = WriteLatency(usual_ms=0.1, statistic="of ours")
        kind = disk("aws", "gp3", 0.1).model_copy(update={"write_latency": takes})
        found = fit("medium", CATALOG.model_copy(update={"disk_kinds": (kind,)}), provider="aws")
        assert "            gp3: about 10000 expected: a write takes 0.1 ms: of ours\n" in render_fit(found)
