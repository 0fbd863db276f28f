"""The plain text of every answer, in full."""

import pytest

from etcdsize import Catalog, Imported, Machine, Price, load_catalog, load_tiers, size
from etcdsize.files.summary import FleetSummary, MachineCount, Problem
from etcdsize.reports.sizing import render_fleet, render_import, render_machines, render_sizing, render_tiers

PREVIOUS = (
    'info: m4.xlarge and n1-standard-4 are previous-generation machines; the catalog "current" has newer ones. '
    "[previous-generation]\n"
)
ERRATUM = (
    "info: gce n1-standard-4, vcpus: the guide prints 5, which should be 4: an n1-standard-4 has 4 vCPUs. [erratum]\n"
)
DEDICATED = (
    "info: The guide assumes machines that run nothing but etcd, and its figures are a starting point, not hard rules: "
    "test with a load like your own. [dedicated-machine]\n"
)
MACHINES = """\
provider  machine                        vCPUs  memory (GiB)  concurrent IOPS  disk (MB/s)
aws       m4.xlarge                          4            16             6000        93.75
gce       n1-standard-4 + 150 GB PD SSD      4            15             4500           75

"""


class TestSizing:
    def test_every_provider(self):
        text = render_sizing(size(clients=300, requests_per_second=800, data_bytes="400MB"))
        assert text == (
            """\
tier       medium
forced by  requests_per_second, data_bytes, clients
tightest   requests_per_second
members    3 (quorum 2, failure tolerance 1)

load            bound           utilization  headroom
300 clients     at most 500             60%       40%
800 requests/s  below 1000              80%       20%
400 MB of data  at most 500 MB          80%       20%

"""
            + MACHINES + ERRATUM + PREVIOUS + DEDICATED
        )  # fmt: skip

    def test_past_the_last_bound_with_an_unknown_dimension(self):
        one = size(requests_per_second=20_000, data_bytes=9 * 2**30, provider="aws", headroom=0.3, members=4)
        assert render_sizing(one) == (
            """\
tier            xlarge
forced by       data_bytes, requests_per_second
tightest        data_bytes
headroom asked  30%
members         4 (quorum 3, failure tolerance 1)

load                    bound         utilization  headroom
clients unknown
20000 requests/s        below 10000          200%      none
9.663676416 GB of data  at most 1 GB       966.4%      none

provider  machine     vCPUs  memory (GiB)  concurrent IOPS  disk (MB/s)
aws       m4.4xlarge     16            64            16000          250

"""
            "warning: 4 members tolerate no more failures than 3. [even-members]\n"
            'info: m4.4xlarge is a previous-generation machine; the catalog "current" has newer ones. '
            "[previous-generation]\n"
            + DEDICATED
            + "warning: Unknown: clients. The other dimensions decide, so the tier is a lower bound. "
            "[unknown-dimension]\n"
            "beyond-guide: 9.663676416 GB of data is above the 8 GiB that etcd suggests as a maximum. "
            "[beyond-suggested-quota]\n"
            "beyond-guide: xlarge has no upper bound, and requests_per_second, data_bytes exceed the last bound of "
            "the table: no published figure says that this machine is enough. Utilization is relative to that bound. "
            "[open-tier]\n"
        )

    def test_kubernetes_nodes_alone(self):
        assert render_sizing(size(kubernetes_nodes=51)) == (
            """\
tier              medium
Kubernetes nodes  51
forced by         kubernetes_nodes
members           3 (quorum 2, failure tolerance 1)

"""
            + MACHINES + ERRATUM + PREVIOUS + DEDICATED +
            "warning: The number of nodes is a proxy, not a measurement: etcd's clients are the API servers. The "
            "examples (small 50, medium 250, large 1000, xlarge 3000) are read as upper limits; measure clients, "
            "requests and data instead. [kubernetes-estimate]\n"
        )  # fmt: skip

    def test_the_smallest_tier(self):
        text = render_sizing(size(clients=0, requests_per_second=0.5, data_bytes=0, provider="gce"))
        assert text.startswith(
            """\
tier       small
forced by  nothing: it is the smallest tier
tightest   requests_per_second
members    3 (quorum 2, failure tolerance 1)

load            bound           utilization  headroom
0 clients       at most 100              0%      100%
0.5 requests/s  below 200              0.2%     99.8%
0 B of data     at most 100 MB           0%      100%
"""
        )

    @pytest.mark.parametrize("load", [0, 1e-300, 99.999999, 100, 1e300, 2**64 - 1, 1.7e308])
    def test_any_load_is_aligned(self, load):
        """Every line of the table ends where its head does."""
        table = render_sizing(size(clients=load, requests_per_second=load, data_bytes=load)).split("\n\n")[1]
        lines = table.splitlines()
        assert len({len(line) for line in lines}) == 1


def test_tiers():
    assert render_tiers(load_tiers("guide")).rpartition("\n\nSource: ")[0] == (
        """\
The guide's four tiers

tier    clients       requests/s     data            example: Kubernetes
small   at most 100   below 200      at most 100 MB  50 nodes
medium  at most 500   below 1000     at most 500 MB  250 nodes
large   at most 1500  below 10000    at most 1 GB    1000 nodes
xlarge  above 1500    10000 or more  above 1 GB      3000 nodes"""
    )
    table = load_tiers("etcd.io")
    assert render_tiers(table) == (
        """\
The four tiers of etcd's own hardware page

tier    clients       requests/s     data            example: Kubernetes
small   below 100     below 200      at most 100 MB  50 nodes
medium  below 500     below 1000     at most 500 MB  250 nodes
large   below 1500    below 10000    at most 1 GB    1000 nodes
xlarge  1500 or more  10000 or more  above 1 GB      3000 nodes

"""
        f"Source: {table.source}, read on {table.date}\n"
    )


class TestMachines:
    ERRATA = (
        "* gce, small, machine_type: printed n1-standard-1, should be n1-standard-2: the row's own 2 vCPUs and 7.5 GB "
        'are an n1-standard-2; an n1-standard-1 has 1 vCPU and 3.75 GB (etcd-io/etcd commit cb3a38944 ("Typo instance '
        'type GCE", 2018-01-23); etcd-io/website v3.3 and later print n1-standard-2)\n'
        "** gce, medium, vcpus: printed 5, should be 4: an n1-standard-4 has 4 vCPUs (etcd-io/website "
        "content/en/docs/v3.5/op-guide/hardware.md prints 4, as does every version of the page)\n"
    )

    def test_guide(self):
        catalog = load_catalog("guide")
        assert render_machines(catalog, catalog.machines) == (
            """\
The guide's machines, with its two misprints corrected

tier    provider  machine                         vCPUs  memory (GiB)  concurrent IOPS  disk (MB/s)
small   aws       m4.large                            2             8             3600        56.25
small   gce       n1-standard-2 + 50 GB PD SSD*       2           7.5             1500           25
medium  aws       m4.xlarge                           4            16             6000        93.75
medium  gce       n1-standard-4 + 150 GB PD SSD     4**            15             4500           75
large   aws       m4.2xlarge                          8            32             8000          125
large   gce       n1-standard-8 + 250 GB PD SSD       8            30             7500          125
xlarge  aws       m4.4xlarge                         16            64            16000          250
xlarge  gce       n1-standard-16 + 500 GB PD SSD     16            60            15000          250

"""
            f"{self.ERRATA}\nSource: {catalog.source}, read on {catalog.date}\n"
        )

    def test_as_printed(self):
        catalog = load_catalog("guide-as-printed")
        chosen = [machine for machine in catalog.machines if machine.provider == "gce"]
        assert render_machines(catalog, chosen).split("\n\n")[:3] == [
            "The guide's machines, cell for cell as printed",
            """\
tier    provider  machine                      vCPUs  memory (GiB)  concurrent IOPS  disk (MB/s)
small   gce       n1-standard-1+50GB PD SSD*       2           7.5             1500           25
medium  gce       n1-standard-4+150GB PD SSD     5**            15             4500           75
large   gce       n1-standard-8+250GB PD SSD       8            30             7500          125
xlarge  gce       n1-standard-16+500GB PD SSD     16            60            15000          250""",
            self.ERRATA.rstrip(),
        ]

    def test_unknown_figures(self):
        """What nobody verified is said to be unknown, never 0."""
        machine = load_catalog("guide").machines[0]
        figures = {"concurrent_iops": None, "disk_mb_per_second": None, "errata": ()}
        text = render_machines(load_catalog("guide"), [machine.model_copy(update=figures)])
        assert "small  aws       m4.large      2             8          unknown      unknown\n" in text


class TestMachinesWithPrices:
    """A catalog with families or prices: what is unknown, what to beware of, and of which disks the figures are."""

    def test_whole(self):
        one = {"vcpus": 2, "memory_gib": 8}
        price = Price(usd_hour=0.1, region="eu-west-1", date="2026-11-01")
        limits = [{"kind": "pd-ssd", "concurrent_iops": 15_000}, {"kind": "pd-balanced", "concurrent_iops": 9}]
        machines = [
            Machine(provider="aws", machine_type="m8i.large", concurrent_iops=3_600, arch="x86_64", price=price, **one),
            Machine(provider="gce", machine_type="n2-a", disk_limits=limits, lifecycle="previous", family="n2", **one),
            Machine(provider="gce", machine_type="x", local_nvme_gb=375, shared_core=True, bare_metal=True, **one),
            Machine(provider="aws", machine_type="t3.large", burstable=True, local_nvme_gb=0, **one),
        ]
        catalog = Catalog(name="mine", title="Mine", source="our own", date="2026-11-02", machines=machines)
        assert render_machines(catalog, machines) == (
            """\
Mine

provider  machine    arch     vCPUs  memory (GiB)  concurrent IOPS  disk (MB/s)  of disk  NVMe (GB)  USD/hour  \
region     read on     beware
aws       m8i.large  x86_64       2             8             3600      unknown  any        unknown       0.1  \
eu-west-1  2026-11-01
gce       n2-a       unknown      2             8            15000      unknown  pd-ssd     unknown   unknown  \
                       previous generation
gce       x          unknown      2             8          unknown      unknown                 375   unknown  \
                       shared core, bare metal
aws       t3.large   unknown      2             8          unknown      unknown                   0   unknown  \
                       burstable

Source: our own, read on 2026-11-02
"""
        )


class TestImport:
    """The account of an import: only what there is to say."""

    def test_nothing_to_say(self):
        machine = Machine(provider="aws", machine_type="m8i.large", concurrent_iops=3_600, arch="x86_64", vcpus=2,
                          memory_gib=8, price=Price(usd_hour=0.1, region="r", date="d"))  # fmt: skip
        catalog = Catalog(name="mine", machines=[machine])
        assert render_import(Imported(catalog=catalog, found=1)) == "1 entry: 1 imported, 0 dropped\n"


TIERS = {"small": 2, "medium": 0, "large": 10, "xlarge": 0}


class TestFleet:
    def test_a_problem_stays_on_its_line(self):
        summary = self.summary(clusters=1, not_sized=1, first_problems=(Problem(row=1, problem="a\nb\x1b: missing"),))
        assert render_fleet(summary).endswith("\n  row 1: a\\nb\\x1b: missing\n")

    def summary(self, **fields):
        empty = {
            "clusters": 0, "not_sized": 0, "tiers": dict.fromkeys(TIERS, 0), "machines": (), "first_problems": (),
            "implausibly_small": 0,
        }  # fmt: skip
        return FleetSummary(**(empty | fields))

    def test_none(self):
        assert render_fleet(self.summary()) == (
            "0 clusters: 0 sized, 0 not\n\n"
            "tier    clusters\nsmall          0\nmedium         0\nlarge          0\nxlarge         0\n"
        )

    def test_everything(self):
        machines = [("aws", "small", "m4.large", 2), ("gce", "large", "n1-standard-8", 10)]
        summary = self.summary(
            clusters=25,
            not_sized=13,
            tiers=TIERS,
            machines=tuple(
                MachineCount(provider=provider, tier=tier, machine_type=machine, clusters=count)
                for provider, tier, machine, count in machines
            ),
            first_problems=(Problem(row=3, problem="clients: missing"), Problem(row=1000, problem="rps: missing")),
            implausibly_small=1,
            unknown=("clients", "data_bytes"),
            headroom_asked=0.3,
        )
        assert render_fleet(summary) == (
            """\
25 clusters: 12 sized, 13 not

tier    clusters
small          2
medium         0
large         10
xlarge         0

provider  tier   machine        clusters
aws       small  m4.large              2
gce       large  n1-standard-8        10

30% of every bound was kept free.
Unknown: clients, data_bytes. The rest decides, so every tier is a lower bound.
1 cluster with less data than an empty etcd file: are these megabytes in a column of bytes?

Not sized: 13 clusters; the first of them
  row 3: clients: missing
  row 1000: rps: missing
"""
        )

    def test_all_problems_shown(self):
        summary = self.summary(clusters=1, not_sized=1, first_problems=(Problem(row=1, problem="clients: missing"),))
        assert render_fleet(summary).startswith("1 cluster: 0 sized, 1 not\n")
        assert render_fleet(summary).endswith("\n\nNot sized: 1 cluster\n  row 1: clients: missing\n")
