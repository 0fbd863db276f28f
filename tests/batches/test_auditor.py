"""The audit of files: the verdicts of `audit` in every format, with every row kept and the worst summarized."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import EtcdSizeError, FleetFileError, InvalidWorkloadError, OptionError, audit, load_catalog, size_frame
from etcdsize.batches.columns import ANSWERS, AUDIT_ANSWERS
from etcdsize.catalog.loading import catalog_for
from etcdsize.files.fleet_file import open_fleet
from etcdsize.files.summary import FleetSummary

ADDED, AUDITED = [*ANSWERS], [*AUDIT_ANSWERS]
FLEET = """cluster,clients,rps,data_mb,current_machine,note
a,10,20,30,m5.large,007
b,300,800,400,m5.large,1.10
c,10,20,30,m5.4xlarge,NA
d,10,20,30,m5.lage,x
e,2000,20000,3000,m5.large,y
f,nan,1,1,m5.large,z
g,10,20,30,e2-standard-16,
h,10,20,30,,
i,10,20,30,c4-standard-4,
"""
VERDICTS = ["right", "under", "over", "unknown", "under", "unknown", "over", "unknown", "unknown"]


def run(text, kind="csv", to=None, columns=None, **options):
    written = io.BytesIO()
    with open_fleet(Path(f"fleet.{kind}"), io.BytesIO(text), format=kind, **options) as fleet:
        summary = fleet.run(stream=written, format=to, columns=columns)
    return summary, written.getvalue()


def encoded(kind):
    """Return the fleet in a format."""
    lines = [line.split(",") for line in FLEET.splitlines()]
    if kind in ("csv", "tsv"):
        return ("\n".join(("," if kind == "csv" else "\t").join(line) for line in lines) + "\n").encode()
    objects = [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
    if kind == "jsonl":
        return "".join(json.dumps(one) + "\n" for one in objects).encode()
    written = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(objects), written)
    return written.getvalue()


class TestFiles:
    @pytest.mark.parametrize("to", ["csv", "tsv", "jsonl", "parquet"])
    @pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
    def test_every_format(self, kind, to):
        summary, written = run(encoded(kind), kind, to)
        if to == "parquet":
            rows = pq.read_table(io.BytesIO(written)).to_pylist()
        elif to == "jsonl":
            rows = [json.loads(line) for line in written.decode().splitlines()]
        else:
            lines = written.decode().splitlines()
            assert lines[0].split("," if to == "csv" else "\t")[-len(ADDED + AUDITED) :] == [*ADDED, *AUDITED]
            assert len(lines) == 10
            rows = [{"verdict": next(word for word in line.replace("\t", ",").split(",") if word in (*VERDICTS,))}
                    for line in lines[1:]]  # fmt: skip
        assert [row["verdict"] for row in rows] == VERDICTS
        if len(rows[0]) > 1:
            assert list(rows[0])[-len(ADDED + AUDITED) :] == [*ADDED, *AUDITED]
            assert [row["note"] for row in rows][:3] == ["007", "1.10", "NA"]
            assert [row["recommended_machine"] for row in rows] == [
                "m5.large", "m6a.xlarge", "m6a.large", None, "m6a.4xlarge", None, "e2-standard-2", None, None
            ]  # fmt: skip
            assert rows[1]["utilization"] == 4.0
            assert rows[1]["cost_difference_per_month"] == pytest.approx(3 * 730 * (0.1728 - 0.096), abs=0.01)
            assert [row["tier"] for row in rows][3] == "small"
        assert summary.audit.verdicts == {"under": 2, "beyond": 0, "right": 1, "over": 2, "unknown": 4}
        assert summary.not_sized == 1
        assert FleetSummary.model_validate_json(summary.model_dump_json()) == summary

    def test_complete_csv_output(self):
        _, written = run(FLEET.encode(), columns=["cluster", "verdict", "problem", "cost_difference_per_month"])
        assert written.decode() == (
            "cluster,verdict,problem,cost_difference_per_month\n"
            "a,right,,0\n"
            "b,under,,168.19\n"
            "c,over,,-1492.7\n"
            'd,unknown,"current_machine: got ""m5.lage"", expected a machine of the catalog ""current""; did you mean '
            '""m5.large""?",\n'
            "e,under,,1303.49\n"
            'f,unknown,"clients: got ""nan"", expected a count such as ""300""",\n'
            "g,over,,-1027.29\n"
            "h,unknown,current_machine: missing,\n"
            "i,unknown,current_machine: c4-standard-4: its own limit for network disks is not published,\n"
        )

    def test_agrees_with_audit(self):
        """Batches get the verdicts of `audit` for every machine of the catalog."""
        machines = [machine.machine_type for machine in catalog_for("current", None)[0].machines] * 40
        random = np.random.default_rng(3)
        clients, rps, data = (
            (10 ** random.uniform(low, high, len(machines))).astype(np.int64)
            for low, high in ((0.5, 3.7), (0.5, 4.5), (6, 9.5))
        )
        written = io.BytesIO()
        table = pa.table({"clients": clients, "rps": rps, "data_bytes": data, "current_machine": machines})
        pq.write_table(table, written, row_group_size=5000)
        summary, sized = run(written.getvalue(), "parquet")
        found = pq.read_table(io.BytesIO(sized))
        fleet = audit(machines, clients, rps, data)
        assert found["verdict"].to_pylist() == fleet.verdicts.tolist()
        assert found["recommended_machine"].to_pylist() == fleet.recommended_machines.tolist()
        np.testing.assert_allclose(found["utilization"].to_numpy(), np.round(fleet.utilization, 4))
        np.testing.assert_allclose(
            found["cost_difference_per_month"].to_numpy(), np.round(fleet.cost_difference_per_month, 2)
        )
        assert summary.audit.verdicts == fleet.counts()
        assert summary.audit.savings_per_month == pytest.approx(fleet.savings_per_month)
        assert [row.row - 1 for row in summary.audit.at_risk] == fleet.at_risk().tolist()
        assert [row.row - 1 for row in summary.audit.savings] == fleet.savings().tolist()
        # The answers that any fleet has are what the catalog says, of the provider of each machine.
        assert set(found["machine_type"].to_pylist()) <= {*(m.machine_type for m in load_catalog("current").machines)}

    def test_without_the_column_nothing_changes(self):
        text = b"clients,rps,data_mb,cloud\n1,1,1,aws\n"
        summary, written = run(text)
        assert written.decode().splitlines()[0] == "clients,rps,data_mb,cloud," + ",".join(ADDED)
        assert summary.audit is None
        assert summary.machines[0].machine_type == "m4.large"

    def test_a_column_of_another_name(self):
        text = b"clients,rps,data_mb,instance\n300,1,1,m5.large\n"
        written = io.BytesIO()
        with open_fleet(Path("f.csv"), io.BytesIO(text), columns={"current_machine": "instance"}) as fleet:
            summary = fleet.run(stream=written)
        assert summary.audit.verdicts["under"] == 1

    def test_a_provider_column_still_decides_what_a_tier_needs(self):
        text = b"clients,rps,data_mb,current_machine,cloud\n300,1,1,m5.large,gcp\n1,1,1,nope,aws\n"
        summary, written = run(text, columns=["tier", "machine_type", "recommended_machine", "verdict"])
        assert written.decode().splitlines()[1:] == [
            "medium,e2-standard-4,m6a.xlarge,under",
            "small,m6a.large,,unknown",
        ]
        assert summary.not_sized == 0

    def test_a_catalog_that_is_given(self):
        summary, _ = run(b"clients,rps,data_mb,current_machine\n300,1,1,m4.large\n", catalog="guide")
        assert summary.audit.catalog == "guide"
        assert summary.audit.at_risk[0].recommended_machine == "m4.xlarge"
        assert summary.audit.at_risk[0].cost_difference_per_month is None

    def test_a_catalog_with_machines_for_some_tiers(self):
        """A row without a machine is sized and reported."""
        ours = load_catalog("current").restrict(machine_types=["m8i.large", "m8i.xlarge"])
        text = b"clients,rps,data_mb,current_machine\n5,1,1,m8i.large\n1000,1,1,m8i.xlarge\n"
        summary, written = run(text, catalog=ours, columns=["tier", "machine_type", "verdict", "recommended_machine"])
        assert written.decode().splitlines()[1:] == ["small,m8i.large,right,m8i.large", "large,,under,"]
        assert (summary.not_sized, summary.not_fitted) == (0, 1)
        # Nothing is said of xlarge, which no row needs.
        (reason,) = summary.unfit
        assert reason.startswith('aws: no machine in the catalog "current" is enough for the tier "large"; ')
        plain = b"clients,rps,data_mb\n5,1,1\n1000,1,1\n"
        _, written = run(plain, catalog=ours, provider="aws", columns=["problem"])
        told = written.decode().splitlines()[2]
        assert told.startswith('"catalog: aws: no machine in the catalog ""current"" is enough for the tier')

    def test_missing_is_unknown(self):
        summary, _ = run(b"clients,rps,data_mb,current_machine\n,1,1,m5.large\n300,,1,m5.large\n", on_missing="unknown")
        assert summary.audit.verdicts == {"under": 1, "beyond": 0, "right": 0, "over": 0, "unknown": 1}
        assert summary.audit.without_verdict[0].reason == "clients is unknown: it may need a larger machine"


class TestInvalidInput:
    def test_a_column_named_like_an_answer_is_rejected(self):
        with pytest.raises(FleetFileError, match='has a column "verdict", which the answer adds'):
            run(b"clients,rps,data_mb,current_machine,verdict\n1,1,1,m5.large,x\n")
        # Without an audit it is a column like any other.
        assert run(b"clients,rps,data_mb,cloud,verdict\n1,1,1,aws,x\n")[0].clusters == 1

    @pytest.mark.slow
    def test_a_json_field_named_like_an_answer_is_rejected(self):
        line = b'{"clients": 1, "rps": 1, "data_mb": 1, "current_machine": "m5.large"}\n'
        with pytest.raises(FleetFileError, match='has a field "verdict", which the answer adds'):
            run(line * 70_000 + line.replace(b"}", b', "verdict": 1}'), "jsonl")

    def test_machines_must_be_text(self):
        table = io.BytesIO()
        pq.write_table(pa.table({"clients": [1], "rps": [1], "data_mb": [1], "current_machine": [5]}), table)
        with pytest.raises(FleetFileError, match='column "current_machine": got the type int64, expected text'):
            run(table.getvalue(), "parquet")

    def test_margin_must_be_a_share(self):
        with pytest.raises(OptionError, match=r"^margin: got 3"):
            run(FLEET.encode(), margin=3)


def audited_rows(text, **options):
    """Return the rows of a CSV with their audit, and the summary."""
    summary, written = run(text.encode(), to="jsonl", **options)
    return [json.loads(line) for line in written.decode().splitlines()], summary


class TestKnownOnly:
    """A verdict is given only where it is known, and any other row has its reason."""

    def test_the_size_of_the_file_is_an_upper_bound(self):
        """It gives no `under` by itself; `right` and `over` hold whatever part of the file is in use."""
        rows, _ = audited_rows("clients,rps,db_size_mb,current_machine\n10,10,400,m5.large\n10,10,60,m5.large\n"
                               "10,10,70,m5.4xlarge\n300,10,400,m5.large\n10,10,40000,m6a.4xlarge\n")  # fmt: skip
        assert [row["verdict"] for row in rows] == ["unknown", "right", "over", "under", "unknown"]
        assert rows[0]["reason"] == "data_bytes is an upper bound: a smaller machine may be enough"
        assert rows[3]["decided_by"] == "clients"

    def test_what_observe_writes(self):
        header = "clients,clients_bound,rps,requests_bound,data,data_bound,observed_problem,current_machine\n"
        rows, _ = audited_rows(
            f"{header}10,exact,10,exact,5000000,exact,,m5.4xlarge\n"
            "10,upper,10,exact,5000000,upper,,m5.4xlarge\n"
            "10,exact,10,lower,5000000,exact,,m5.4xlarge\n"
            "10,estimate,10,exact,5000000,exact,,m5.4xlarge\n"
            "10,exact,10,exact,5000000,exact,infra1: nothing listens there,m5.4xlarge\n"
            "300,exact,10,lower,5000000,exact,infra1: nothing listens there,m5.large\n"
            "300,estimate,10,exact,5000000,exact,,m5.large\n"
        )
        assert [row["verdict"] for row in rows] == [
            "over", "over", "unknown", "unknown", "unknown", "under", "unknown",
        ]  # fmt: skip
        assert [row["reason"] for row in rows[2:5]] == [
            "requests_per_second is a lower bound: it may need a larger machine",
            "clients is an estimate: it may need a larger machine",
            "a part of the cluster was not observed: it may need a larger machine",
        ]

    def test_kubernetes_nodes_give_no_verdict(self):
        rows, _ = audited_rows("kubernetes_nodes,current_machine\n40,m5.4xlarge\n900,m5.large\n")
        assert [row["verdict"] for row in rows] == ["unknown", "unknown"]
        rows, _ = audited_rows(
            "clients,rps,data_mb,nodes,current_machine\n10,10,9,900,m5.large\n10,10,9,900,m5.2xlarge\n"
        )
        assert [row["verdict"] for row in rows] == ["unknown", "right"]
        assert "the Kubernetes nodes need a larger tier than the load" in rows[0]["reason"]


class TestStatedFigures:
    """A machine that the catalog does not have is judged by the vCPUs and the memory of its row, which says so."""

    TEXT = (
        "name,clients,rps,data_mb,vcpus,memory_gib,current_machine\n"
        "a,300,10,5,2,8,flavor-1\nb,10,10,5,2,8,flavor-1\nc,10,10,5,16,64,flavor-9\nd,10,10,5,,64,flavor-9\n"
        "e,10,10,5,8,32,t3.2xlarge\nf,10,10,5,1,2,flavor-0\ng,10,10,5,2,8,m5.4xlarge\nh,10,10,5,2,8,\n"
    )

    def test_verdicts(self):
        rows, summary = audited_rows(self.TEXT)
        assert [row["verdict"] for row in rows] == [
            "under", "right", "over", "unknown", "unknown", "under", "over", "right",
        ]  # fmt: skip
        judged = "judged by its vCPUs and memory alone, as its limits for disks and network are unknown"
        assert [judged in (row["reason"] or "") for row in rows] == [True] * 3 + [False] * 2 + [True, False, True]
        assert [row["problem"] is None for row in rows] == [True] * 3 + [False] * 2 + [True] * 3
        assert (rows[5]["decided_by"], rows[5]["utilization"]) == ("memory_gib", 3.75)
        assert [row["recommended_machine"] for row in rows[:6]] == [None] * 6
        assert summary.audit.over_without_price == 1

    def test_they_are_those_of_audit(self):
        names = ["flavor-1", "flavor-1", "flavor-9", "flavor-9", "t3.2xlarge", "flavor-0", "m5.4xlarge"]
        fleet = audit(
            names, [300, 10, 10, 10, 10, 10, 10], 10, 5e6, vcpus=[2, 2, 16, np.nan, 8, 1, 2],
            memory_gib=[8, 8, 64, 64, 32, 2, 8], on_invalid="mark",
        )  # fmt: skip
        rows, _ = audited_rows(self.TEXT)
        assert fleet.verdicts.tolist() == [row["verdict"] for row in rows[:7]]
        assert [one.verdict for one in fleet] == fleet.verdicts.tolist()

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"vcpus": [2]}, "vcpus, memory_gib: got one of the two"),
            ({"vcpus": [0], "memory_gib": [1]}, "vcpus: got 0, expected numbers above 0"),
            ({"lower": {"data": True}}, 'lower: got "data", expected clients'),
            ({"upper": ["data_bytes"]}, "upper: got "),
            ({"upper": {"data_bytes": 1}}, "upper[data_bytes]: got 1, expected true, false or an array of booleans"),
            ({"partial": [True, False]}, "partial: got the shape (2,)"),
        ],
    )
    def test_invalid_arguments(self, options, message):
        with pytest.raises(EtcdSizeError) as caught:
            audit(["m5.large"], [1], [1], [1], **options)
        assert str(caught.value).startswith(message)


class TestMachineNames:
    """What is known of a machine that the catalog does not have."""

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("t3.medium", "t3.medium: has its full CPU only in bursts and sustains 0.4 of a vCPU; etcd needs its CPU "
             "all the time"),
            ("E2-MICRO", "e2-micro: shares its cores with other machines and sustains 0.25 of a vCPU; etcd needs its "
             "CPU all the time"),
            ("standard_b2ms", "Standard_B2ms: has its full CPU only in bursts; etcd needs its CPU all the time"),
            ("t3.2xlarge", "t3.2xlarge: has its full CPU only in bursts and sustains 3.2 vCPUs; etcd needs its CPU all "
             "the time"),
            ("m7i-flex.large", "m7i-flex.large: has its full CPU most of the time, not always; etcd needs its CPU all "
             "the time"),
            ("m5.25xlarge", 'got "m5.25xlarge", expected a machine of the catalog "current"; add columns with '
             "its vCPUs and its memory"),
            ("m5.4xlage", 'got "m5.4xlage", expected a machine of the catalog "current"; did you mean "m5.4xlarge"?'),
            ("r99.large", 'got "r99.large", expected a machine of the catalog "current"; add columns with '
             "its vCPUs and its memory"),
            ("n2-standrd-4", 'got "n2-standrd-4", expected a machine of the catalog "current"; add columns with '
             "its vCPUs and its memory"),
            ("Standard_D2s_v9", 'got "Standard_D2s_v9", expected a machine of the catalog "current"; add columns with '
             "its vCPUs and its memory"),
            ("Standard-D2s-v5", 'got "Standard-D2s-v5", expected a machine of the catalog "current"; did you mean '
             '"Standard_D2s_v5"?'),
        ],
    )  # fmt: skip
    def test_reason(self, name, reason):
        fleet = audit([name], [1], 1, 1, on_invalid="mark")
        assert (fleet[0].verdict, fleet[0].reason) == ("unknown", reason)

    def test_a_known_type_is_judged_in_every_catalog(self):
        """Its figures are the same ones, and the catalog recommends its own machines."""
        for catalog, small, medium in (("current", "m6a.large", "m6a.xlarge"), ("guide", "m4.large", "m4.xlarge")):
            fleet = audit(["m5n.large", "m5n.large", "m5n.8xlarge"], [1, 400, 1], 1, 1, catalog=catalog)
            assert fleet.verdicts.tolist() == ["right", "under", "over"]
            assert fleet.recommended_machines.tolist() == ["m5n.large", medium, small]
            assert [one.machine_type for one in fleet] == ["m5n.large", "m5n.large", "m5n.8xlarge"]
        assert audit(["m5.large"], [1], 1, 1, catalog="guide").verdicts.tolist() == ["right"]

    def test_a_type_of_a_provider_without_machines_in_the_catalog(self):
        ours = load_catalog("current").restrict(families=["m6a"])
        fleet = audit(["Standard_D2s_v3", "Standard_D64s_v3"], [400, 1], 1, 1, catalog=ours)
        assert fleet.verdicts.tolist() == ["under", "over"]
        assert fleet.recommended_machines.tolist() == [None, None]
        with pytest.raises(InvalidWorkloadError, match="expected a machine of the catalog"):
            audit(["Standard_D2s_v3"], [400], 1, 1, catalog=ours, provider="aws")

    def test_a_batch_with_more_types_than_the_one_before(self):
        """The types that are looked up later leave the answers before them as they are."""
        machines = ["m5.large", "m5n.large", "a1.xlarge", "m5.large", "Standard_D2s_v3", "c2-standard-8"]
        text = FLEET.splitlines()[0] + "\n" + "".join(f"n{i},90,10,30,{name},\n" for i, name in enumerate(machines))
        rows, _ = audited_rows(text)
        alone = [audited_rows(text.splitlines()[0] + "\n" + line + "\n")[0][0] for line in text.splitlines()[1:]]
        assert rows == alone

    def test_what_a_known_type_costs(self):
        one = audit(["m5n.8xlarge"], [1], 1, 1)[0]
        assert one.cost_difference_per_month == pytest.approx((0.0864 - 1.904) * 730 * 3)


class TestReasonsAndNames:
    def test_another_machine_than_that_of_the_tier_has_a_reason(self):
        rows, _ = audited_rows(FLEET + "j,90,10,30,m5.2xlarge,\nk,10,20,30,m7g.xlarge,\nl,9000,1,1,m5.4xlarge,\n")
        for row in rows:
            assert row["machine_type"] == row["recommended_machine"] or row["reason"], row
        assert rows[-3]["reason"] == "a smaller machine would leave less than 20% of its bounds free"
        assert rows[-2]["reason"] == "the recommended machine has the architecture of the current one"
        assert rows[-1]["verdict"] == "beyond"

    def test_a_machine_of_another_provider_is_mentioned(self):
        rows, _ = audited_rows(
            "clients,rps,data_mb,current_machine,cloud\n300,1,1,m5.large,gcp\n300,1,1,m5.large,aws\n"
        )
        assert [row["reason"] for row in rows] == ["the current machine is of another provider than the row", None]

    @pytest.mark.parametrize(
        ("header", "options"),
        [("cluster", {}), ("name", {}), ("ID", {}), ("key", {"name_column": "key"})],
    )
    def test_summaries_name_the_clusters(self, header, options):
        text = f"{header},clients,rps,data_mb,current_machine\na,300,1,1,m5.large\nb,1,1,1,m5.4xlarge\nc,1,1,1,x1\n"
        _, summary = audited_rows(text + "d,5000,1,1,m5.4xlarge\ne,x,1,1,m5.large\n", **options)
        found = summary.audit
        assert [(row.row, row.cluster) for row in (*found.at_risk, *found.savings, *found.beyond)] == [
            (1, "a"), (2, "b"), (4, "d"),
        ]  # fmt: skip
        assert [(one.row, one.cluster) for one in found.without_verdict] == [(3, "c"), (5, "e")]
        assert [(one.row, one.cluster) for one in summary.first_problems] == [(5, "e")]

    @pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
    def test_problems_are_named_without_an_audit(self, tmp_path, kind):
        clusters = [
            {"name": f"n{n}", "clients": "x" if n % 7 == 3 else "1", "rps": "1", "data": "1"} for n in range(50)
        ]
        path = tmp_path / f"fleet.{kind}"
        if kind == "parquet":
            pq.write_table(pa.Table.from_pylist(clusters), path, row_group_size=10)
        elif kind == "jsonl":
            path.write_text("".join(json.dumps(one) + "\n" for one in clusters))
        else:
            path.write_text(
                "\n".join(",".join(one) for one in [list(clusters[0]), *(one.values() for one in clusters)])
            )
        with open_fleet(path, provider="aws") as fleet:
            found = fleet.run().first_problems
        assert [(one.row, one.cluster) for one in found] == [(n + 1, f"n{n}") for n in range(50) if n % 7 == 3]

    def test_a_catalog_in_which_nothing_is_enough(self):
        """Verdicts are given, and no machine is recommended."""
        tiny = load_catalog("current").restrict(machine_types=["m8a.medium", "m7a.medium"])
        rows, summary = audited_rows("clients,rps,data_mb,current_machine\n1,1,1,m8a.medium\n", catalog=tiny)
        assert (rows[0]["tier"], rows[0]["verdict"], rows[0]["recommended_machine"]) == ("small", "under", None)
        assert "no machine of this provider and architecture" in rows[0]["reason"]
        assert summary.not_fitted == 1


class TestFrames:
    @examples(40)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["m5.large", "M5.4xlarge", "m7g.2xlarge", "c4-standard-4", "t3.medium", "x", None]),
                st.sampled_from([0, 80, 81, 100, 101, 500, 1500, 1501]),
                st.sampled_from([0, 159, 160, 200, 1000, 10_000]),
                st.sampled_from([0, 10**8, 10**8 + 1, 10**9, 10**9 + 1]),
                st.sampled_from([None, "exact", "lower", "upper", "estimate"]),
            ),
            min_size=1,
            max_size=20,
        )
    )
    def test_a_frame_is_audited_as_arrays_are(self, rows):
        names, clients, requests, data, bounds = map(list, zip(*rows, strict=True))
        frame = pa.table(
            {
                "clients": clients,
                "rps": requests,
                "data": data,
                "clients_bound": pa.array(bounds, pa.string()),
                "current_machine": pa.array(names, pa.string()),
            }
        )
        found = size_frame(frame)
        fleet = audit(
            np.array(names, object), clients, requests, data, on_invalid="mark",
            lower={"clients": [one in ("lower", "estimate") for one in bounds]},
            upper={"clients": [one in ("upper", "estimate") for one in bounds]},
        )  # fmt: skip
        assert found["verdict"].to_pylist() == fleet.verdicts.tolist()
        assert found["recommended_machine"].to_pylist() == fleet.recommended_machines.tolist()
        reasons = [(text or "").replace("current_machine: ", "") for text in found["reason"].to_pylist()]
        assert reasons == fleet.reasons.tolist()
        utilization = [math.nan if one is None else one for one in found["utilization"].to_pylist()]
        np.testing.assert_array_equal(utilization, np.round(fleet.utilization, 4))
        costs = [math.nan if one is None else one for one in found["cost_difference_per_month"].to_pylist()]
        np.testing.assert_array_equal(costs, np.round(fleet.cost_difference_per_month, 2))

    def test_a_frame_is_audited_as_a_file_is(self):
        lines = [line.split(",") for line in FLEET.splitlines()]
        table = pa.Table.from_pylist([dict(zip(lines[0], line, strict=True)) for line in lines[1:]])
        rows, _ = audited_rows(FLEET)
        assert size_frame(table).select(AUDITED).to_pylist() == [{name: row[name] for name in AUDITED} for row in rows]
        pandas = size_frame(table.to_pandas())
        assert pandas["recommended_machine"].astype(object).where(
            pandas["recommended_machine"].notna(), None
        ).tolist() == [row["recommended_machine"] for row in rows]
        few = size_frame(table, answers=["verdict"], margin=0.9)
        assert few.column_names == [*table.column_names, "verdict"]

    def test_an_unknown_machine_raises_if_that_is_wanted(self):
        table = pa.table({"clients": [1], "rps": [1], "data": [1], "box": ["m5.lage"]})
        with pytest.raises(InvalidWorkloadError, match=r'^row 0: box: got "m5\.lage", expected a machine'):
            size_frame(table, columns={"current_machine": "box"}, on_invalid="raise")
