"""Where only the low end of a load fits what runs, the reason says so, and which columns would say more."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from etcdsize import audit, fleet_resources, load_catalog
from etcdsize.files.fleet_file import open_fleet
from etcdsize.fleet.doubts import DOUBTS, Doubtful, columns_of, doubt_codes, doubt_text

LOADS = {"clients": 10.0, "requests_per_second": 50.0, "data_bytes": 90e6}
RUNNING = ("quota_bytes", "volume_gib", "disk_mb_per_second")


def audited(machines, **figures):
    running = {name: figures.pop(name) for name in RUNNING if name in figures}
    loads = {name: figures.pop(name, [value] * len(machines)) for name, value in LOADS.items()}
    resources = fleet_resources(*loads.values(), **figures)
    return audit(machines, *loads.values(), resources=resources, **running), resources


class TestReason:
    """A machine that only the low end fits is kept, and is not called enough."""

    def test_large_values_and_writes_that_nobody_knows(self):
        found, _ = audited(["m5.large"], keys=[30], value_bytes=[3e6])
        assert (found[0].verdict, found[0].recommended_machine.machine_type) == ("right", "m5.large")
        assert found[0].reason == (
            "the current machine is kept; by the measured model, the load takes at least 1.4 GiB of memory (49 to "
            "provide), as writes_per_second and puts_per_transaction are unknown, and only the low end fits what the "
            "machine has: fill in these columns"
        )

    def test_it_is_said_of_the_machine_that_sizing_gives_as_well(self):
        found, _ = audited(["m6a.large"], keys=[30], value_bytes=[3e6])
        assert found[0].reason.startswith("by the measured model, the load takes at least 1.4 GiB of memory")

    def test_where_the_figures_are_known_there_is_no_doubt(self):
        for writes, verdict in ((0.0, "right"), (5.0, "under")):
            found, _ = audited(["m5.large"], keys=[30], value_bytes=[3e6], writes_per_second=[writes])
            assert (found[0].verdict, "low end" in found[0].reason) == (verdict, False)

    @pytest.mark.parametrize(
        ("machine", "figures", "reason"),
        [
            (
                "m5.large",
                {"watch_streams": 90_000},
                "the current machine is kept; by the measured model, the load takes at least 4.5 GiB of memory (14 to "
                "provide), as tls is unknown, and only the low end fits what the machine has: fill in this column",
            ),
            (
                "m6a.large",
                {"quota_bytes": 2.0**27, "volume_gib": 0.5},
                "by the measured model, the load takes at least 0.08 GiB for the file (0.23 to provide), as "
                "history_seconds, writes_per_second and value_bytes are unknown, and only the low end fits what the "
                "quota allows: fill in these columns; the size of the volume is in doubt too",
            ),
            (
                "m5.large",
                {"value_bytes": 1e5, "disk_mb_per_second": 0.5},
                "the current machine is enough, so it is kept; by the measured model, the load takes at least 0 MB/s "
                "written to the disk (1.2 to provide), as writes_per_second and puts_per_transaction are unknown, and "
                "only the low end fits what the volume allows: fill in these columns",
            ),
        ],
    )
    def test_other_figures(self, machine, figures, reason):
        found, _ = audited([machine], **{name: [value] for name, value in figures.items()})
        assert (found[0].verdict, found[0].reason) == ("right", reason)

    def test_a_figure_that_does_not_fit_stands_beside_one_in_doubt(self):
        """The machine stays, as only the quota has to change; it is not called enough."""
        found, _ = audited(["m5.large"], keys=[30], value_bytes=[3e6], quota_bytes=2.0**24)
        assert (found[0].verdict, found[0].recommended_machine.machine_type) == ("under", "m5.large")
        assert "the current machine is kept; the file grows beyond the quota" in found[0].reason
        assert "49 to provide" in found[0].reason

    def test_a_machine_that_the_guide_calls_too_small_is_replaced_by_one_that_holds_the_need(self):
        found, resources = audited(["m6a.large"], clients=[400], keys=[30], value_bytes=[3e6])
        assert (found[0].verdict, found[0].decided_by) == ("under", "clients")
        assert found[0].recommended_machine.memory_gib >= resources.need.memory_limit_bytes[0] / 2**30 + 1
        assert found[0].reason == (
            "the recommended machine is larger than the tier's, because by the measured model the load takes more"
        )


class TestTwin:
    """Written out for one row after another: in doubt is what does not fit, though the low end does."""

    def test_every_row_of_a_fleet(self):
        random = np.random.default_rng(11)
        rows = 700

        def some(low, high):
            return np.where(random.random(rows) < 0.5, np.nan, 10 ** random.uniform(low, high, rows))

        catalog = load_catalog("current")
        usual = next(one for one in catalog.machines if one.machine_type == "m6a.large")
        weak = [
            usual.model_copy(update={"machine_type": "little-memory", "memory_gib": 7.5}),
            usual.model_copy(
                update={"machine_type": "slow-disk", "concurrent_iops": 1500.0, "disk_mb_per_second": 25.0}
            ),
        ]
        catalog = catalog.model_copy(update={"machines": (*weak, *catalog.machines)})
        machines = random.choice(["little-memory", "slow-disk", "m5.large"], rows).tolist()
        running = {"quota_bytes": some(7, 9), "volume_gib": some(-1, 1), "disk_mb_per_second": some(-1, 1)}
        loads = [random.uniform(1, most, rows) for most in (100, 190, 99e6)]
        resources = fleet_resources(
            *loads,
            value_bytes=some(2, 6.5),
            writes_per_second=some(-1, 2),
            watch_streams=some(1, 5),
            concurrent_lists=some(-1, 0.6),
            leases=some(1, 6.5),
            keys_per_lease=some(0, 5),
            lease_revokes_per_second=some(-1, 2),
            on_invalid="mark",
        )
        found = audit(machines, *loads, resources=resources, catalog=catalog, **running)
        bounds = {"little-memory": (7.5, 360, 81.25, 2), "slow-disk": (8, 150, 25, 2), "m5.large": (8, 360, 81.25, 2)}
        seen = set()
        for row, machine in enumerate(machines):
            ends = [
                (
                    figures.memory_limit_bytes[row] / 2**30 + 1,
                    demands.sequential_iops[row],
                    demands.written_bytes[row] / 1e6,
                    demands.leader_cores[row],
                    demands.written_bytes[row] / 1e6,
                    (demands.file_bytes[row] + demands.wal_bytes[row]) / 2**30,
                    demands.file_bytes[row] / 2**30,
                    demands.lease_end_seconds[row] * 1000,
                )
                for figures, demands in ((resources.low, resources._lowest), (resources.need, resources._needed))
            ]
            has = (
                *bounds[machine],
                running["disk_mb_per_second"][row],
                running["volume_gib"][row],
                running["quota_bytes"][row] / 2**30,
                100.0,
            )
            doubtful = [low <= bound < need for low, need, bound in zip(*ends, has, strict=True)]
            reason = found.reasons[row]
            keeps = found.recommended_machines[row] == machine
            expected = any(doubtful if keeps else doubtful[4:]) and not resources.invalid[row]
            assert ("only the low end fits" in reason) == expected, (row, reason)
            if expected and any(doubtful[:4]):
                assert "machine is enough" not in reason
            seen.update(place for place, one in enumerate(doubtful) if one and keeps)
            assert found[row].reason == reason
            new = found[row].recommended_machine
            if found.verdicts[row] == "under" and not keeps and new is not None:
                assert new.memory_gib >= ends[1][0]
                assert new.vcpus >= ends[1][3]
        assert seen == set(range(8))


class TestText:
    def rows(self, **changes):
        nothing = np.zeros(1, np.bool_)
        fields = {
            "figure": np.array([0]),
            "low": np.array([0.0]),
            "need": np.array([9.96]),
            "beside": [nothing] * 8,
            "of_nodes": nothing,
            "empty": dict.fromkeys(columns_of(), nothing),
        }
        return Doubtful(**{**fields, **changes})

    @pytest.mark.parametrize(
        ("number", "least", "most"),
        [(0.00123, "0.0012", "0.0013"), (0.0001, "0", "0"), (9.94, "9.9", "10"), (9.9, "9.9", "9.9"), (7.0, "7", "7"),
         (99.7, "99", "100"), (0.07, "0.07", "0.07"), (3.21e12, "3,200,000,000,000", "3,300,000,000,000"),
         (8.04, "8", "8.1"), (0.0, "0", "0")],
    )  # fmt: skip
    def test_two_digits(self, number, least, most):
        """What is taken at least is rounded down, and what to provide is rounded up."""
        rows = self.rows(low=np.array([number]), need=np.array([number]))
        text = doubt_text(int(doubt_codes(rows)[0]))
        assert f"the load takes at least {least} GiB of memory ({most} to provide)" in text

    def test_every_figure_and_every_column_fits_the_number(self):
        all_of_them = np.ones(1, np.bool_)
        codes = doubt_codes(
            self.rows(
                figure=np.array([len(DOUBTS) - 1]),
                beside=[all_of_them] * 8,
                low=np.array([1e30]),
                need=np.array([np.inf]),
                empty=dict.fromkeys(columns_of(), all_of_them),
            )
        )
        assert 0 < codes[0] < 2**63 - 1
        text = doubt_text(int(codes[0]))
        assert "ms for the end of a lease" in text
        assert "as keys_per_lease and leases are unknown" in text
        assert text.endswith(
            "; the memory, the writes to the disk, the machine's MB/s, the processor, the volume's MB/s, the size of "
            "the volume, the quota and the end of a lease are in doubt too"
        )

    def test_kubernetes_nodes_ask_for_what_counts_beside_them(self):
        """Further figures would take the place of what the nodes say."""
        empty = dict.fromkeys(columns_of(), np.ones(1, np.bool_))
        code = int(doubt_codes(self.rows(of_nodes=np.ones(1, np.bool_), empty=empty))[0])
        assert "as pods, data_bytes and requests_per_second are unknown" in doubt_text(code)

    def test_without_an_empty_column_a_member_says_more(self):
        assert doubt_text(int(doubt_codes(self.rows())[0])) == (
            "by the measured model, the load takes at least 0 GiB of memory (10 to provide), and only the low end "
            "fits what the machine has: observe a running member"
        )


class TestFiles:
    def test_a_file_says_what_arrays_say(self):
        text = (
            "name,clients,rps,data_mb,current_machine,keys,value_mb,running_quota\n"
            "a,10,50,90,m5.large,30,3,\n"
            "b,10,50,90,no-such-machine,30,3,\n"
            "c,10,50,90,m5.large,30,3,16MiB\n"
            "d,10,50,90,m5.large,,,\n"
        )
        written = io.BytesIO()
        with open_fleet(Path("fleet.csv"), io.BytesIO(text.encode()), format="csv") as fleet:
            summary = fleet.run(stream=written, columns=["name", "notices", "reason"])
        lines = [line.split(",", 2)[1:] for line in written.getvalue().decode().splitlines()[1:]]
        rows = [reason.strip('"') for _, reason in lines]
        assert ["low-end-only" in codes for codes, _ in lines] == [True, False, True, False]
        assert [one.first_rows for one in summary.notices if one.code == "low-end-only"] == [(1, 3)]
        expected, _ = audited(
            ["m5.large"] * 4,
            keys=[30, 30, 30, np.nan],
            value_bytes=[3e6, 3e6, 3e6, np.nan],
            quota_bytes=[np.nan, np.nan, 2**24, np.nan],
        )
        assert [rows[0], rows[2], rows[3]] == [expected.reasons[place] for place in (0, 2, 3)]
        assert "low end" in rows[0]
        assert "low end" not in rows[1] + rows[3]
