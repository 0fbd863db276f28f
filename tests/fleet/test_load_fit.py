"""Audits by the measured model: under where even its low end does not fit, over only where its high end does."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from etcdsize import (
    FleetFileError,
    InvalidWorkloadError,
    OptionError,
    Profile,
    audit,
    fleet_resources,
    load_catalog,
    resources_for,
)
from etcdsize.catalog.loading import catalog_for
from etcdsize.files.fleet_file import open_fleet

SMALL = {"clients": 50, "requests_per_second": 100, "data_bytes": 50e6}
COLUMNS = ("clients", "requests_per_second", "data_bytes")


RUNNING = ("quota_bytes", "volume_gib", "disk_mb_per_second")


def one(machine, *, load=SMALL, **figures):
    running = {name: figures.pop(name) for name in RUNNING if name in figures}
    resources = fleet_resources(*([load[name]] for name in COLUMNS), **figures)
    found = audit([machine], *([load[name]] for name in COLUMNS), resources=resources, **running)
    return found[0], resources


class TestUnder:
    """The guide's three figures fit a small machine, and the load does not."""

    @pytest.mark.parametrize(
        ("figures", "by", "reason", "recommended"),
        [
            (
                {"value_bytes": 3e6, "writes_per_second": 0.85},
                "memory_gib",
                "the raft log takes more memory than the machine has, because it holds thousands of these values: "
                "split them into keys of at most 10 kB, or keep them outside etcd",
                "m6a.4xlarge",
            ),
            (
                {"leases": 1, "keys_per_lease": 150_000},
                "keys_per_lease",
                "the end of a lease deletes so many keys at once that all writes wait: attach at most 1,000 keys "
                "to a lease",
                "m6a.large",
            ),
            (
                {"leases": 10_000, "lease_revokes_per_second": 400},
                "concurrent_iops",
                "leases end faster than the disk commits, because each end is a commit of its own: let them live "
                "longer, share one among several keys, or delete the keys in a transaction",
                "m6a.4xlarge",
            ),
            (
                {"watch_streams": 200_000},
                "memory_gib",
                "the watch streams take more memory than the machine has: let the watches of a client share one",
                "m6a.2xlarge",
            ),
        ],
    )
    def test_what_the_guide_does_not_count(self, figures, by, reason, recommended):
        cluster, _ = one("m6a.large", **figures)
        assert (cluster.verdict, cluster.tier, cluster.decided_by) == ("under", "small", by)
        assert cluster.reason == reason
        assert cluster.utilization > 1
        assert cluster.recommended_machine.machine_type == recommended
        assert one("m6a.large")[0].verdict == "right"

    def test_lists_that_keep_more_vcpus_busy_than_the_machine_has(self):
        """As `size` counts them: a list keeps a vCPU busy for a tenth of the time, or all of it."""
        few, resources = one("m6a.large", concurrent_lists=15, list_keys=100)
        assert resources._lowest.leader_cores[0] < 2 < resources._needed.leader_cores[0] < 16
        assert (few.verdict, few.recommended_machine.machine_type) == ("right", "m6a.large")
        assert few.reason == (
            "by the measured model, the load takes at least 1.5 vCPUs (16 to provide), as writes_per_second, "
            "reads_per_second and watch_streams are unknown, and only the low end fits what the machine has: fill in "
            "these columns"
        )
        cluster, resources = one("m6a.large", concurrent_lists=25, list_keys=100)
        assert (cluster.verdict, cluster.decided_by) == ("under", "vcpus")
        assert cluster.reason.startswith("the catalog has no machine")
        assert "the load takes more processor time than the machine has: serve fewer lists" in cluster.reason
        cores = resources_for(Profile(**SMALL, concurrent_lists=25, list_keys=100)).cpu.leader_cores
        assert resources._needed.leader_cores[0] == pytest.approx(cores.need)
        assert cluster.utilization == pytest.approx(cores.low / 2)

    def test_the_recommended_machine_holds_the_need(self):
        cluster, resources = one("m6a.large", value_bytes=3e6, writes_per_second=0.85)
        assert cluster.recommended_machine.memory_gib >= resources.need.memory_limit_bytes[0] / 2**30 + 1
        cluster, _ = one("m6a.large", value_bytes=30e6, writes_per_second=0.85)
        assert (cluster.verdict, cluster.recommended_machine) == ("under", None)
        assert "the catalog has no machine of this provider and architecture that is enough" in cluster.reason

    def test_forty_five_thousand_streams_are_too_many_for_two_gibibytes(self):
        """etcd-io/etcd#13122; what they take without TLS, with which nobody knows that the clients connect."""
        catalog = load_catalog("current")
        small = next(one for one in catalog.machines if one.machine_type == "m6a.large")
        tiny = catalog.model_copy(
            update={"machines": (small.model_copy(update={"memory_gib": 2.5, "machine_type": "tiny"}), small)}
        )
        resources = fleet_resources(*([SMALL[name]] for name in COLUMNS), watch_streams=[45_000])
        found = audit(["tiny"], *([SMALL[name]] for name in COLUMNS), resources=resources, catalog=tiny)[0]
        assert found.verdict == "under"
        assert "let the watches of a client share one" in found.reason

    def test_a_quota_below_the_file(self):
        cluster, resources = one("m6a.large", quota_bytes=2**25)
        assert (cluster.verdict, cluster.decided_by) == ("under", "quota_bytes")
        assert cluster.reason == (
            "the file grows beyond the quota, and then etcd rejects writes: raise --quota-backend-bytes, or compact "
            "more often"
        )
        assert cluster.recommended_machine.machine_type == "m6a.large"
        assert cluster.cost_difference_per_month == 0
        file_bytes = resources._lowest.file_bytes[0]
        assert one("m6a.large", quota_bytes=file_bytes)[0].verdict == "right"
        assert one("m6a.large", quota_bytes=np.nextafter(file_bytes, 0))[0].verdict == "under"
        # 0 is etcd's default of 2 GiB.
        assert one("m6a.large", quota_bytes=0)[0].verdict == "right"

    def test_where_only_a_setting_or_a_volume_changes_the_machine_stays(self):
        """Also one that sizing would not give."""
        cluster, _ = one("m5.large", quota_bytes=2**25)
        assert (cluster.recommended_machine.machine_type, cluster.cost_difference_per_month) == ("m5.large", 0)
        assert cluster.reason.startswith(
            "the current machine is enough, so it is kept; the file grows beyond the quota"
        )

    def test_a_volume_below_the_file_and_its_log(self):
        _, resources = one("m5.large")
        least = (resources._lowest.file_bytes[0] + resources._lowest.wal_bytes[0]) / 2**30
        assert one("m5.large", volume_gib=least * 1.001)[0].verdict == "right"
        cluster, _ = one("m5.large", volume_gib=least / 1.001)
        assert (cluster.verdict, cluster.decided_by) == ("under", "volume_gib")
        assert "the file and the write-ahead log are larger than the volume" in cluster.reason
        assert cluster.recommended_machine.machine_type == "m5.large"

    def test_a_volume_that_takes_less_than_is_written(self):
        """A hundred values of 100 kB a second are written twice: to the log, and to the file."""
        figures = {"value_bytes": 1e5, "writes_per_second": 100}
        _, resources = one("m6a.4xlarge", **figures)
        least = resources._lowest.written_bytes[0] / 1e6
        assert least == pytest.approx(20, rel=0.01)
        cluster, _ = one("m6a.4xlarge", disk_mb_per_second=least / 1.01, **figures)
        assert (cluster.verdict, cluster.decided_by) == ("under", "disk_mb_per_second")
        assert "the load writes more a second than the volume takes" in cluster.reason
        assert cluster.recommended_machine.machine_type == "m6a.4xlarge"
        assert one("m6a.4xlarge", disk_mb_per_second=least * 1.01, **figures)[0].verdict != "under"

    def test_a_machine_that_lets_a_disk_take_less_than_is_written(self):
        figures = {"value_bytes": 100_000, "writes_per_second": 400, "history_seconds": 120}
        catalog = load_catalog("current")
        small = next(one for one in catalog.machines if one.machine_type == "m6a.2xlarge")
        slow = small.model_copy(update={"disk_mb_per_second": 60.0, "machine_type": "slow", "memory_gib": 64.0})
        resources = fleet_resources(*([{**SMALL, "requests_per_second": 450}[name]] for name in COLUMNS), **figures)
        assert resources._lowest.written_bytes[0] / 1e6 == pytest.approx(80, rel=0.02)
        found = audit(
            ["slow"],
            *([{**SMALL, "requests_per_second": 450}[name]] for name in COLUMNS),
            resources=resources,
            catalog=catalog.model_copy(update={"machines": (slow, *catalog.machines)}),
        )[0]
        assert (found.verdict, found.decided_by) == ("under", "disk_mb_per_second")
        assert "the load writes more a second than the machine lets a disk take" in found.reason
        recommended = found.recommended_machine
        assert recommended is None or recommended.disk_mb_per_second >= resources._needed.written_bytes[0] / 1e6

    def test_a_load_that_may_be_less_shows_nothing(self):
        large = {**SMALL, "data_bytes": 90e6}
        resources = fleet_resources(*([large[name]] for name in COLUMNS))
        options = {"resources": resources, "quota_bytes": 2**25}
        columns = [[large[name]] for name in COLUMNS]
        assert audit(["m6a.large"], *columns, **options)[0].verdict == "under"
        assert audit(["m6a.large"], *columns, **options, upper={"data_bytes": True})[0].verdict == "right"


class TestOver:
    """A machine is too large only if the smaller one holds the high end."""

    def test_streams_of_which_more_may_need_the_memory(self):
        cluster, _ = one("m6a.4xlarge", watch_streams=45_000)
        assert cluster.verdict == "right"
        assert cluster.reason == (
            "the current machine is enough, so it is kept; at the high end of the measured model, the load does not "
            "fit a smaller machine"
        )
        assert cluster.recommended_machine.machine_type == "m6a.4xlarge"

    def test_a_load_that_is_known_well(self):
        cluster, resources = one(
            "m6a.4xlarge", keys=40_000, value_bytes=1000, writes_per_second=5, list_keys=100, concurrent_lists=1
        )
        assert resources.high.memory_limit_bytes[0] / 2**30 + 1 <= 8
        assert (cluster.verdict, cluster.recommended_machine.machine_type) == ("over", "m6a.large")


class TestOthers:
    def test_without_further_figures_audits_stay_as_they_are(self):
        random = np.random.default_rng(5)
        machines = [machine.machine_type for machine in catalog_for("current", None)[0].machines][::9]
        loads = [10 ** random.uniform(low, high, len(machines)) for low, high in ((0.5, 3.7), (0.5, 4.5), (6, 9.5))]
        plain = audit(machines, *loads)
        modelled = audit(machines, *loads, resources=fleet_resources(*loads))
        assert modelled.verdicts.tolist() == plain.verdicts.tolist()
        assert modelled.reasons.tolist() == plain.reasons.tolist()
        assert modelled.recommended_machines.tolist() == plain.recommended_machines.tolist()
        np.testing.assert_array_equal(modelled.utilization, plain.utilization)

    def test_one_cluster_is_its_row(self):
        columns = {"value_bytes": [1000, 3e6, np.nan], "writes_per_second": [5, 0.85, np.nan]}
        loads = [[SMALL[name]] * 3 for name in COLUMNS]
        fleet = audit(["m6a.large"] * 3, *loads, resources=fleet_resources(*loads, **columns))
        assert [cluster.verdict for cluster in fleet] == fleet.verdicts.tolist() == ["right", "under", "right"]
        assert fleet[1].reason == fleet.reasons[1]

    def test_wrong_arguments(self):
        loads = [[SMALL[name]] for name in COLUMNS]
        two = fleet_resources([1, 2])
        with pytest.raises(InvalidWorkloadError, match="resources: got 2 rows, expected one for each of 1 clusters"):
            audit(["m6a.large"], *loads, resources=two)
        with pytest.raises(OptionError, match="resources: got 5 of type int, expected FleetResources"):
            audit(["m6a.large"], *loads, resources=5)
        with pytest.raises(OptionError, match="quota_bytes: needs resources beside it"):
            audit(["m6a.large"], *loads, quota_bytes=5)
        for name in RUNNING:
            with pytest.raises(InvalidWorkloadError, match=f"{name}: got -1, expected numbers of 0 or more"):
                audit(["m6a.large"], *loads, resources=fleet_resources([1]), **{name: -1})


class TestFiles:
    TEXT = """cluster,clients,rps,data_mb,current_machine,value_bytes,write_rate,quota_bytes,keys_per_lease,leases
a,50,100,50,m6a.large,3MB,0.85,2GiB,,
b,50,100,50,m6a.large,,,32MiB,,
c,50,100,50,m6a.large,,,,150000,1
d,50,100,50,m6a.large,,,8GiB,,
"""

    def run(self, text, **options):
        written = io.BytesIO()
        with open_fleet(Path("fleet.csv"), io.BytesIO(text.encode()), format="csv", **options) as fleet:
            summary = fleet.run(stream=written, columns=["cluster", "verdict", "decided_by", "recommended_machine"])
        return summary, written.getvalue().decode().splitlines()[1:]

    def test_the_columns_of_a_file(self):
        summary, rows = self.run(self.TEXT)
        assert rows == [
            "a,under,memory_gib,m6a.4xlarge",
            "b,under,quota_bytes,m6a.large",
            "c,under,keys_per_lease,m6a.large",
            "d,right,clients,m6a.large",
        ]
        assert summary.audit.verdicts["under"] == 3

    FIVE = """cluster,current_machine,value_bytes,write_rate,leases,keys_per_lease,lease_revokes_per_second,\
watch_streams,tls,quota_bytes
values,m5.large,3MB,0.85,,,,,,
lease,m5.large,,,1,150000,,,,
expirations,m5.xlarge,,,10000,,400,,,
streams in 4 GiB,c5.large,,,,,,45000,yes,
streams,m5.large,,,,,,45000,yes,
more streams,m5.large,,,,,,100000,yes,
more streams without TLS,m5.large,,,,,,100000,no,
quota,m5.large,,,,,,,,32MiB
"""

    def test_five_loads_that_the_guide_calls_small(self):
        """On machines of 8 and 16 GiB. 45,000 streams ran out of memory on 4 GB (etcd-io/etcd#13122)."""
        header, *rows = self.FIVE.splitlines()
        text = "\n".join([f"clients,rps,data_mb,{header}", *(f"50,100,50,{row}" for row in rows), ""])
        _, written = self.run(text)
        assert written == [
            "values,under,memory_gib,m6a.4xlarge",
            "lease,under,keys_per_lease,m5.large",
            "expirations,under,concurrent_iops,m6a.4xlarge",
            "streams in 4 GiB,under,memory_gib,m6a.large",
            "streams,right,clients,m5.large",
            "more streams,under,memory_gib,m6a.xlarge",
            "more streams without TLS,right,clients,m5.large",
            "quota,under,quota_bytes,m5.large",
        ]

    def test_the_volume_in_columns_of_their_own(self):
        text = """cluster,clients,rps,data_mb,vm_type,volume_gb,volume_throughput_mb_per_second,value_kb,write_rate
a,50,100,50,m5.large,8,125,,
b,50,100,50,m5.large,0.4,125,,
c,50,100,50,m5.xlarge,100,5,100,90
d,50,100,50,m5.xlarge,,,100,90
e,50,100,50,m5.large,-8,,,
"""
        _, rows = self.run(text)
        assert [row.split(",")[:3] for row in rows] == [
            ["a", "right", "clients"],
            ["b", "under", "volume_gib"],
            ["c", "under", "disk_mb_per_second"],
            ["d", "right", "clients"],
            ["e", "unknown", ""],
        ]
        _, rows = self.run(text, unknown=["running_volume_gib", "running_disk_mb_per_second"])
        assert [row.split(",")[1] for row in rows] == ["right"] * 5
        with pytest.raises(FleetFileError, match="if it is the volume that runs now, call it running_volume_gib"):
            self.run(text.replace("volume_gb", "volume_gib"), resources=True)

    def test_the_size_of_the_file_says_nothing_of_the_least_data(self):
        text = "clients,rps,db_size_mb,current_machine,running_quota,name\n50,100,90,m6a.large,32MiB,a\n"
        assert self.run(text.replace("name", "cluster"))[1] == ["a,right,data_bytes,m6a.large"]

    def test_columns_to_leave_out(self):
        _, rows = self.run(self.TEXT, unknown=["value_bytes", "running_quota_bytes", "keys_per_lease"])
        assert [row.split(",")[1] for row in rows] == ["right"] * 4
