"""The report of a sizing, in full."""

import pytest

from etcdsize import size
from etcdsize.etcd.quota import quota_text
from etcdsize.reports.layout import aligned
from etcdsize.reports.sizing import render_sizing
from etcdsize.resources.resources_text import quantity_text

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
MEASURE = (
    "info: The disk figures are for concurrent operations, but etcd waits for each write: measure the disk with fio "
    "before you rely on it. [measure-disk]\n"
)
HEAD = ("vCPUs", "memory (GiB)", "concurrent IOPS", "disk (MB/s)")


def table(*rows, right):
    return "\n".join(aligned(rows, right=right)) + "\n\n"


def needs(sizing):
    """The part of the report that has the figures of the model: the tests of the model hold these."""
    guide, load = sizing.needs["guide"], sizing.needs["load"]
    rows = [("each member needs", *HEAD, "disk (GiB)")]
    for name, need in ((f"the guide, {guide.tier}", guide), ("the load, etcd 3.6", load)):
        figures = (need.vcpus, need.memory_gib, need.concurrent_iops, need.disk_mb_per_second, need.disk.size_gib)
        rows.append((name, *(f"{figure:g}" for figure in figures)))
    memory, file = sizing.resources.memory.limit_bytes, sizing.resources.file.high_water_bytes
    spreads = [[quantity_text("_bytes", end) for end in (one.likely, one.low, one.high)] for one in (memory, file)]
    (memory, *low), (file, *low_file) = spreads
    return table(*rows, right=(1, 2, 3, 4, 5))[:-1] + (
        f"The load likely takes {memory} ({' to '.join(low)}) of memory and a file of {file} "
        f"({' to '.join(low_file)}); its quota is {quota_text(sizing.resources.quota_bytes)}.\n\n"
    )


def today(sizing):
    """The machines of today with their costs, whose disks depend on the model too."""
    rows, costs = [("provider", "machine today", *HEAD)], []
    for provider, machine in sizing.machines_today.items():
        figures = (machine.vcpus, machine.memory_gib, machine.concurrent_iops, machine.disk_mb_per_second)
        rows.append((provider, str(machine), *(f"{figure:.9g}" for figure in figures)))
        cost = machine.cost
        usd = (cost.machine_per_month, cost.disk_per_month, sizing.cost_per_month[provider])
        money = (f"{one:,.2f}" for one in usd)
        costs.append((provider, machine.machine_type, *money, f"{cost.region}, {cost.date}"))
    members = f"{sizing.members} members ($/month)"
    head = ("provider", "machine", "machine ($/month)", "disk ($/month)", members, "region, date")
    return table(*rows, right=(2, 3, 4, 5)) + table(head, *costs, right=(2, 3, 4))


def last(sizing):
    return f"{sizing.comparison.line}\n"


MACHINES = """\
provider  machine                        vCPUs  memory (GiB)  concurrent IOPS  disk (MB/s)
aws       m4.xlarge                          4            16             6000        93.75
gce       n1-standard-4 + 150 GB PD SSD      4            15             4500           75

"""


class TestSizing:
    def test_every_provider(self):
        one = size(clients=300, requests_per_second=800, data_bytes="400MB")
        assert render_sizing(one) == (
            """\
tier       medium
forced by  requests_per_second, data_bytes, clients
tightest   requests_per_second
members    3 (quorum 2, failure tolerance 1)

load            bound           utilization  headroom  tier alone
300 clients     at most 500             60%       40%  medium
800 requests/s  below 1000              80%       20%  medium
400 MB of data  at most 500 MB          80%       20%  medium

"""
            + needs(one) + MACHINES + today(one) + ERRATUM + PREVIOUS + MEASURE + DEDICATED + last(one)
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

load                    bound         utilization  headroom  tier alone
clients unknown
20000 requests/s        below 10000          200%      none  xlarge
9.663676416 GB of data  at most 1 GB       966.4%      none  xlarge

"""
            + needs(one)
            + """\
provider  machine     vCPUs  memory (GiB)  concurrent IOPS  disk (MB/s)
aws       m4.4xlarge     16            64            16000          250

"""
            + today(one)
            + "warning: 4 members tolerate no more failures than 3. [even-members]\n"
            'info: m4.4xlarge is a previous-generation machine; the catalog "current" has newer ones. '
            "[previous-generation]\n"
            + MEASURE
            + DEDICATED
            + "warning: Unknown: clients. The other dimensions decide, so the tier is a lower bound. "
            "[unknown-dimension]\n"
            "beyond-guide: 9.663676416 GB of data is above the 8 GiB that etcd suggests as a maximum. "
            "[beyond-suggested-quota]\n"
            "beyond-guide: xlarge has no upper bound, and requests_per_second, data_bytes exceed the last bound of "
            "the table: no published figure says that this machine is enough. Utilization is relative to that bound. "
            "[open-tier]\n" + last(one)
        )

    def test_kubernetes_nodes_alone(self):
        one = size(kubernetes_nodes=51)
        assert render_sizing(one) == (
            """\
tier              medium
Kubernetes nodes  51 (medium alone)
forced by         kubernetes_nodes
members           3 (quorum 2, failure tolerance 1)

"""
            + needs(one) + MACHINES + today(one) + ERRATUM + PREVIOUS + MEASURE + DEDICATED +
            "warning: The number of nodes is a proxy, not a measurement: etcd's clients are the API servers. The "
            "examples (small 50, medium 250, large 1000, xlarge 3000) are read as upper limits; measure clients, "
            "requests and data instead. [kubernetes-estimate]\n" + last(one)
        )  # fmt: skip

    def test_the_smallest_tier(self):
        text = render_sizing(size(clients=0, requests_per_second=0.5, data_bytes=0, provider="gce"))
        assert text.startswith(
            """\
tier       small
forced by  nothing: it is the smallest tier
tightest   requests_per_second
members    3 (quorum 2, failure tolerance 1)

load            bound           utilization  headroom  tier alone
0 clients       at most 100              0%      100%  small
0.5 requests/s  below 200              0.2%     99.8%  small
0 B of data     at most 100 MB           0%      100%  small
"""
        )

    def test_a_cluster_of_one_member_is_in_the_singular(self):
        assert "1 member ($/month)" in render_sizing(size(clients=10, members=1))

    def test_one_dimension_that_decides_against_the_others(self):
        one = size(kubernetes_nodes=120, requests_per_second=900, data_bytes="1.3GiB", provider="aws")
        assert render_sizing(one).startswith(
            """\
tier              xlarge
Kubernetes nodes  120 (medium alone)
forced by         data_bytes alone; the rest needs medium
tightest          data_bytes
members           3 (quorum 2, failure tolerance 1)

load                     bound         utilization  headroom  tier alone
clients unknown
900 requests/s           below 10000            9%       91%  medium
1.3958643712 GB of data  at most 1 GB       139.6%      none  xlarge
"""
        )

    @pytest.mark.parametrize("load", [0, 1e-300, 99.999999, 100, 1e300, 2**64 - 1, 1.7e308])
    def test_any_load_is_aligned(self, load):
        """Every line of the table ends in the column of its head."""
        one = size(clients=load, requests_per_second=load, data_bytes=load)
        head, *lines = render_sizing(one).split("\n\n")[1].splitlines()
        assert len(lines) == 3
        for line, tier in zip(lines, one.tier_alone.values(), strict=True):
            assert line[head.index("tier alone") :] == tier
