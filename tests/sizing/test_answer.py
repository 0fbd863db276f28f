"""The explanation of a sizing: the answer and its reasons in plain sentences."""

from __future__ import annotations

import pytest
from today import cost_per_month, disk_gb

from etcdsize import Catalog, kubernetes_profile, load_catalog, size
from etcdsize.sizing.answer import cost_text, figures_text


class TestExplain:
    """The answer and its reasons, a sentence on each line."""

    def test_machines_of_every_provider(self):
        found = size(clients=300, requests_per_second=800, data_bytes="400MB")
        assert found.explain() == "\n".join(
            [
                "300 clients, 800 requests/s and 400 MB of data need the medium tier.",
                "The requests per second, the data and the clients each need this tier on their own.",
                "Utilization: clients 60% (at most 500), requests per second 80% (below 1000), data 80% (at most "
                "500 MB). The tightest dimension is requests per second.",
                "On aws, run each member on m4.xlarge (4 vCPUs, 16 GiB, 6000 concurrent IOPS, 93.75 MB/s).",
                f"On aws, the machine of today is m6a.xlarge + {disk_gb('aws', 'medium')} GB GP3, 4500 IOPS (4 vCPUs, "
                "16 GiB, 4500 concurrent "
                "IOPS, 131.072 MB/s).",
                f"On aws, the cluster costs ${cost_per_month('aws', 'medium')} a month (us-east-1, 2026-07-20).",
                "On gce, run each member on n1-standard-4 + 150 GB PD SSD (4 vCPUs, 15 GiB, 4500 concurrent IOPS, "
                "75 MB/s).",
                f"On gce, the machine of today is {found.machines_today['gce']} "
                f"({figures_text(found.machines_today['gce'])}).",
                f"On gce, the cluster costs ${cost_per_month('gce', 'medium')} a month (us-central1, 2026-06-23).",
                "With 3 members, the quorum is 2 and 1 member may fail.",
                "Notice (erratum): gce n1-standard-4, vcpus: the guide prints 5, which should be 4: an n1-standard-4 "
                "has 4 vCPUs.",
                "Notice (previous-generation): m4.xlarge and n1-standard-4 are previous-generation machines; the "
                'catalog "current" has newer ones.',
                "Notice (measure-disk): The disk figures are for concurrent operations, but etcd waits for each write: "
                "measure the disk with fio before you rely on it.",
                "Notice (dedicated-machine): The guide assumes machines that run nothing but etcd, and its figures are "
                "a starting point, not hard rules: test with a load like your own.",
                f"Notice (guide-and-load): {found.comparison.text}",
            ]
        )

    def test_beyond_the_guide(self):
        sizing = size(clients=2_000, data_bytes=9 * 2**30, provider="gcp", headroom=0.3, members=4)
        assert sizing.explain() == "\n".join(
            [
                "2000 clients and 9.663676416 GB of data need the xlarge tier.",
                "The data and the clients each need this tier on their own.",
                "Utilization: clients 133.3% (at most 1500), data 966.4% (at most 1 GB). The tightest dimension is "
                "data.",
                "30% of every bound is kept free as headroom.",
                "On gce, run each member on n1-standard-16 + 500 GB PD SSD (16 vCPUs, 60 GiB, 15000 concurrent IOPS, "
                "250 MB/s).",
                "On gce, the machine of today is e2-standard-16 + 300 GB PD SSD (16 vCPUs, 64 GiB, 15000 concurrent "
                "IOPS, 402.653184 MB/s).",
                "On gce, the cluster costs $1,769.39 a month (us-central1, 2026-06-23).",
                "With 4 members, the quorum is 3 and 1 member may fail.",
                "Notice (even-members): 4 members tolerate no more failures than 3.",
                "Notice (previous-generation): n1-standard-16 is a previous-generation machine; the catalog "
                '"current" has newer ones.',
                "Notice (measure-disk): The disk figures are for concurrent operations, but etcd waits for each write: "
                "measure the disk with fio before you rely on it.",
                "Notice (dedicated-machine): The guide assumes machines that run nothing but etcd, and its figures are "
                "a starting point, not hard rules: test with a load like your own.",
                "Notice (unknown-dimension): Unknown: requests_per_second. The other dimensions decide, so the tier is "
                "a lower bound.",
                "Notice (beyond-suggested-quota): 9.663676416 GB of data is above the 8 GiB that etcd suggests as a "
                "maximum.",
                "Notice (open-tier): xlarge has no upper bound, and clients, data_bytes exceed the last bound of the "
                "table: no published figure says that this machine is enough. Utilization is relative to that bound.",
                f"Notice (guide-and-load): {sizing.comparison.text}",
            ]
        )

    def test_kubernetes_nodes_alone(self):
        found = size(kubernetes_nodes=200, provider="aws")
        assert found.explain() == "\n".join(
            [
                "A Kubernetes cluster of 200 nodes needs the medium tier.",
                "The Kubernetes nodes alone need this tier.",
                "On aws, run each member on m4.xlarge (4 vCPUs, 16 GiB, 6000 concurrent IOPS, 93.75 MB/s).",
                f"On aws, the machine of today is m6a.xlarge + {disk_gb('aws', 'medium')} GB GP3, 4500 IOPS (4 vCPUs, "
                "16 GiB, 4500 concurrent "
                "IOPS, 131.072 MB/s).",
                f"On aws, the cluster costs ${cost_per_month('aws', 'medium')} a month (us-east-1, 2026-07-20).",
                "With 3 members, the quorum is 2 and 1 member may fail.",
                "Notice (previous-generation): m4.xlarge is a previous-generation machine; the catalog "
                '"current" has newer ones.',
                "Notice (measure-disk): The disk figures are for concurrent operations, but etcd waits for each write: "
                "measure the disk with fio before you rely on it.",
                "Notice (dedicated-machine): The guide assumes machines that run nothing but etcd, and its figures are "
                "a starting point, not hard rules: test with a load like your own.",
                "Notice (kubernetes-estimate): The number of nodes is a proxy, not a measurement: etcd's clients are "
                "the API servers. The examples (small 50, medium 250, large 1000, xlarge 3000) are read as upper "
                "limits; measure clients, requests and data instead.",
                f"Notice (guide-and-load): {found.comparison.text}",
            ]
        )

    @pytest.mark.parametrize(
        ("asked", "sentence"),
        [
            ({"clients": 1}, "1 client needs the small tier."),
            ({"clients": 2}, "2 clients need the small tier."),
            ({"requests_per_second": 1}, "1 requests/s need the small tier."),
            ({"data_bytes": 50_000}, "50 kB of data needs the small tier."),
            ({"clients": 1, "data_bytes": 50_000}, "1 client and 50 kB of data need the small tier."),
            ({"kubernetes_nodes": 1}, "A Kubernetes cluster of 1 node needs the small tier."),
            (
                {"clients": 1, "kubernetes_nodes": 9},
                "1 client and a Kubernetes cluster of 9 nodes need the small tier.",
            ),
        ],
    )
    def test_the_verb_agrees_with_the_load(self, asked, sentence):
        assert size(**asked).explain().splitlines()[0] == sentence

    @pytest.mark.parametrize(
        ("asked", "sentence"),
        [
            ({"clients": 1}, "It is the smallest tier."),
            ({"clients": 300}, "The clients alone need this tier."),
            ({"data_bytes": 4e8}, "The data alone needs this tier."),
        ],
    )
    def test_the_reason_for_the_tier(self, asked, sentence):
        assert size(**asked).explain().splitlines()[1] == sentence

    @pytest.mark.parametrize(
        ("members", "sentence"),
        [
            (1, "With 1 member, the quorum is 1 and no member may fail."),
            (5, "With 5 members, the quorum is 3 and 2 members may fail."),
        ],
    )
    def test_how_many_members_may_fail(self, members, sentence):
        assert sentence in size(clients=1, members=members).explain().splitlines()

    @pytest.mark.parametrize(
        ("change", "figures"),
        [
            ({}, "2 vCPUs, 8 GiB, 3600 concurrent IOPS, 56.25 MB/s"),
            ({"vcpus": 1}, "1 vCPU, 8 GiB, 3600 concurrent IOPS, 56.25 MB/s"),
            ({"concurrent_iops": None}, "2 vCPUs, 8 GiB, unknown IOPS, 56.25 MB/s"),
            ({"disk_mb_per_second": None}, "2 vCPUs, 8 GiB, 3600 concurrent IOPS, unknown MB/s"),
        ],
    )
    def test_the_figures_of_a_machine(self, change, figures):
        (first, *_) = load_catalog("guide").machines
        ours = Catalog(name="mine", machines=[first.model_dump() | change])
        assert f"On aws, run each member on m4.large ({figures})." in size(clients=1, catalog=ours).explain()

    def test_the_cost_of_the_cluster(self):
        sizing = size(clients=5, catalog="current", provider="aws")
        cost = sizing.machine.cost
        assert (
            f"On aws, the cluster costs ${3 * cost.per_month:,.2f} a month ({cost.region}, {cost.date})."
            in sizing.explain().splitlines()
        )

    def test_a_cost_that_is_unknown_is_not_said(self):
        unpriced = load_catalog("current").restrict(families="r9g")
        sizing = size(clients=5, catalog=unpriced)
        assert sizing.cost_per_month == {"aws": None}
        assert " costs " not in sizing.explain()

    def test_what_a_preset_assumes_is_not_said_beside_its_nodes(self):
        text = size(kubernetes_profile(20), kubernetes_nodes=20).explain()
        assert text.startswith("A Kubernetes cluster of 20 nodes needs the small tier.\n")

    def test_a_cost_without_a_region_and_a_date(self):
        machine = size(clients=5, provider="aws").machine
        assert cost_text(machine, 1234.5, "USD") == "$1,234.50 a month"
        assert cost_text(machine, 1234.5, "CNY") == "CNY 1,234.50 a month"
