"""The audit of files: the verdicts of `audit` in every format, with every row kept and the worst summarized."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etcdsize import FleetFileError, OptionError, audit, load_catalog
from etcdsize.batches.columns import ANSWERS, AUDIT_ANSWERS
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
            assert rows[1]["usd_month_difference"] == pytest.approx(3 * 730 * (0.1728 - 0.096), abs=0.01)
            assert [row["tier"] for row in rows][3] == "small"
        assert summary.audit.verdicts == {"under": 2, "beyond": 0, "right": 1, "over": 2, "unknown": 4}
        assert summary.not_sized == 1
        assert FleetSummary.model_validate_json(summary.model_dump_json()) == summary

    def test_complete_csv_output(self):
        _, written = run(FLEET.encode(), columns=["cluster", "verdict", "problem", "usd_month_difference"])
        assert written.decode() == (
            "cluster,verdict,problem,usd_month_difference\n"
            "a,right,,0\n"
            "b,under,,168.19\n"
            "c,over,,-1492.7\n"
            'd,unknown,"current_machine: got ""m5.lage"", expected a machine of the catalog ""current""; did you mean '
            '""m5.large""?",\n'
            "e,under,,1303.49\n"
            'f,unknown,"clients: got ""nan"", expected a count such as ""300""",\n'
            "g,over,,-1027.29\n"
            "h,unknown,current_machine: missing,\n"
            "i,unknown,current_machine: c4-standard-4: its limits for network disks are unknown,\n"
        )

    def test_agrees_with_audit(self):
        """Batches get the verdicts of `audit` for every machine of the catalog."""
        machines = [machine.machine_type for machine in load_catalog("current").machines] * 40
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
        np.testing.assert_allclose(found["usd_month_difference"].to_numpy(), np.round(fleet.usd_month_difference, 2))
        assert summary.audit.verdicts == fleet.counts()
        assert summary.audit.usd_month_to_save == pytest.approx(fleet.usd_month_to_save)
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
        assert summary.audit.at_risk[0].usd_month_difference is None

    def test_a_catalog_with_machines_for_some_tiers(self):
        """A row without a machine is sized and reported."""
        ours = load_catalog("current").restrict(machine_types=["m8i.large", "m8i.xlarge"])
        text = b"clients,rps,data_mb,current_machine\n5,1,1,m8i.large\n1000,1,1,m8i.xlarge\n"
        summary, written = run(text, catalog=ours, columns=["tier", "machine_type", "verdict", "recommended_machine"])
        assert written.decode().splitlines()[1:] == ["small,m8i.large,right,m8i.large", "large,,under,"]
        assert (summary.not_sized, summary.not_fitted) == (0, 1)
        assert summary.unfit[0].startswith('aws: no machine in the catalog "current" is enough for the tier "large"; ')
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
