"""The notices of rows: for every row, the codes of `size` by the guide; and the clusters that have each, counted."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import FleetFileError, Profile, load_catalog, size
from etcdsize.base.notice import KINDS
from etcdsize.batches.options import BatchOptions
from etcdsize.batches.row_notices import NoticeTotals, RowNotices
from etcdsize.batches.sizer import BatchSizer
from etcdsize.files.fleet_file import open_fleet
from etcdsize.units import DIMENSIONS

GIB = 2**30
EDGES = {
    "clients": [0, 100, 500, 1_500, 100_000],
    "requests_per_second": [0, 200, 1_000, 10_000, 185_758],
    "data_bytes": [0, 1, 16_384, 10**8, 10**9, 7.5 * GIB, 8 * GIB, 60 * GIB, 64 * GIB, 10**11, 84 * 10**12],
}


def codes_of(sizing) -> set[str]:
    """Return the codes that a row has: those of the notices that are more than information."""
    return {notice.code for notice in sizing.notices if notice.severity != "info"}


def by_load(**load) -> set[str]:
    """Return the code of a row where `size` names a machine for the load."""
    return {"guide-machine"} if size(**load).load_decides else set()


def near(name):
    """Return loads at the edges and beside them, whole and with a fraction, and unknown ones."""
    edges = [edge + step for edge in EDGES[name] for step in (-1, -0.5, 0, 0.5, 1) if edge + step >= 0]
    return st.none() | st.sampled_from(edges) | st.integers(0, 2 * int(EDGES[name][-1])).map(float)


LOADS = st.tuples(*map(near, DIMENSIONS))


NODES = st.none() | st.sampled_from([0, 50, 51, 3_000, 3_001])


@examples(40)
@given(
    rows=st.lists(st.tuples(LOADS, NODES, st.sampled_from(["aws", "gce"])), min_size=1, max_size=20),
    catalog=st.sampled_from(["guide", "current"]),
    headroom=st.sampled_from([0.0, 0.3]),
    dtype=st.sampled_from([pa.float64(), pa.float32()]),
)
def test_a_row_has_the_notices_of_size(rows, catalog, headroom, dtype):
    columns = [pa.array([loads[index] for loads, _, _ in rows], pa.float64()).cast(dtype) for index in range(3)]
    columns += [pa.array([nodes for _, nodes, _ in rows], pa.int64()), pa.array([name for *_, name in rows])]
    batch = pa.record_batch(columns, [*DIMENSIONS, "kubernetes_nodes", "provider"])
    options = BatchOptions.of(catalog=catalog, headroom=headroom, on_missing="unknown")
    answers = BatchSizer.of(options, batch.schema.names)(batch)
    for row, answer in zip(batch.to_pylist(), answers.to_pylist(), strict=True):
        if all(row[name] is None for name in (*DIMENSIONS, "kubernetes_nodes")):
            assert (answer["tier"], answer["notices"]) == (None, None)
            continue
        sizing = size(**row, catalog=catalog, headroom=headroom, basis="guide")
        assert answer["tier"] == sizing.tier
        assert answer["machine_today"] == sizing.machine_today.machine_type
        assert set(filter(None, (answer["notices"] or "").split(";"))) == codes_of(sizing) | by_load(**row)


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i4", "u8", "f2", "f4", "f8"])
def test_limits_beyond_a_dtype_do_not_matter(dtype):
    """A limit that a dtype cannot hold is above all of its numbers."""
    top = np.iinfo(dtype).max if dtype[0] in "ui" else float(np.finfo(dtype).max)
    column = pa.array(np.array([0, 1, 100, top], dtype))
    for name in DIMENSIONS:
        options = BatchOptions.of(provider="aws", unknown=[other for other in DIMENSIONS if other != name])
        batch = pa.record_batch([column], [name])
        found = BatchSizer.of(options, [name])(batch).column("notices").to_pylist()
        for value, codes in zip(column.to_pylist(), found, strict=True):
            sizing = size(**{name: value}, provider="aws", basis="guide")
            assert set(codes.split(";")) == codes_of(sizing) | by_load(**{name: value})


def test_a_row_of_which_more_is_known_has_the_notice():
    text = "clients,rps,data_mb,kubernetes_nodes,keys,tls,pods\n5,5,5,,,,\n5,5,5,,1000,,\n5,5,5,,,yes,\n5,5,5,9,,,30\n"
    for resources, expected in ((True, [False, True, True, True]), (False, [False] * 4)):
        options = {"provider": "aws", "on_missing": "unknown", "resources": resources}
        written = io.BytesIO()
        with open_fleet(Path("f.csv"), io.BytesIO(text.encode()), format="csv", **options) as fleet:
            summary = fleet.run(stream=written, columns=["notices"])
        rows = written.getvalue().decode().splitlines()[1:]
        assert ["guide-machine" in row for row in rows] == expected
        counts = {one.code: one for one in summary.notices}
        assert ("guide-machine" in counts) == resources
    load = {"clients": 5, "requests_per_second": 5, "data_bytes": 5e6}
    assert [size(Profile(**load, **more)).load_decides for more in ({}, {"keys": 1000}, {"tls": True})] == [
        *(False, True, True),
    ]


class TestColumn:
    """The codes are in alphabetical order. A row without notices is null."""

    def test_codes_are_joined(self):
        notices = RowNotices(4)
        notices.add(KINDS["open-tier"], np.array([True, True, False, True]))
        notices.add(KINDS["implausibly-small"], np.array([False, True, False, False]))
        notices.add(KINDS["implausibly-small"], np.array([False, False, False, True]))
        notices.keep(np.array([True, True, True, False]))
        assert notices.column().to_pylist() == ["open-tier", "implausibly-small;open-tier", None, None]

    def test_no_rows_and_no_notices(self):
        assert RowNotices(0).column().to_pylist() == []
        notices = RowNotices(2)
        notices.add(KINDS["open-tier"], np.zeros(2, np.bool_))
        assert notices.column().to_pylist() == [None, None]
        assert notices.column().type == pa.dictionary(pa.int32(), pa.string())

    def test_every_kind_at_once(self):
        kinds = [kind for kind in KINDS.values() if kind.clusters]
        notices = RowNotices(3)
        for kind in kinds:
            notices.add(kind, np.array([True, False, True]))
        joined = ";".join(sorted(kind.code for kind in kinds))
        assert notices.column().to_pylist() == [joined, None, joined]

    def test_a_column_of_this_name_is_refused(self):
        text = b"clients,rps,data,cloud,notices\n1,1,1,aws,mine\n"
        with (
            pytest.raises(FleetFileError, match='has a column "notices", which the answer adds'),
            open_fleet(Path("f.csv"), io.BytesIO(text)),
        ):
            pass


class TestTotals:
    """Clusters are counted by notice, with their first rows, over all batches."""

    def test_batches_add_up(self):
        totals = NoticeTotals()
        for before in range(0, 40, 4):
            notices = RowNotices(4)
            notices.add(KINDS["open-tier"], np.array([True, False, True, False]))
            notices.add(KINDS["beyond-suggested-quota"], np.array([True, True, False, False]))
            notices.add(KINDS["fractional-clients"], np.array([False, False, False, before == 36]))
            totals.count(notices, before)
        assert totals.beyond_guide == 30
        assert [(one.code, one.severity, one.clusters, one.first_rows) for one in totals.summary] == [
            ("beyond-suggested-quota", "beyond-guide", 20, (1, 2, 5, 6, 9)),
            ("open-tier", "beyond-guide", 20, (1, 3, 5, 7, 9)),
            ("fractional-clients", "warning", 1, (40,)),
        ]
        assert all(one.text for one in totals.summary)


def sized(text, to="csv", **options):
    """Return the summary of a file, and its notices as they are written in some format."""
    with open_fleet(Path("f.csv"), io.BytesIO(text.encode()), **options) as fleet:
        written = io.BytesIO()
        summary = fleet.run(stream=written, format=to, columns=["notices"])
    if to == "parquet":
        return summary, [codes or "" for codes in pq.read_table(written)["notices"].to_pylist()]
    if to == "jsonl":
        return summary, [json.loads(line)["notices"] or "" for line in written.getvalue().splitlines()]
    return summary, [line.strip('"') for line in written.getvalue().decode().splitlines()[1:]]


class TestFiles:
    """What is implausible or beyond the guide is sized, named in its row and counted in the summary."""

    @pytest.mark.parametrize("to", ["csv", "tsv", "jsonl", "parquet"])
    def test_every_format(self, to):
        text = "clients,rps,data,cloud\n10,10,100GB,aws\n2000000,10,1MB,gcp\n1,1,1MB,aws\n,1,1MB,aws\n"
        summary, notices = sized(text, to)
        assert notices == [
            "beyond-suggested-quota;data-above-memory;disk-for-less-data;guide-machine;open-tier",
            "guide-machine;implausible-clients;open-tier",
            "",
            "",
        ]
        assert (summary.beyond_guide, summary.not_sized) == (2, 1)

    @pytest.mark.parametrize(
        ("cells", "codes"),
        [
            (
                "10,10,84000000MB",
                "beyond-suggested-quota;data-above-memory;disk-for-less-data;guide-machine;implausibly-large;open-tier",
            ),
            ("10,10,100GB", "beyond-suggested-quota;data-above-memory;disk-for-less-data;guide-machine;open-tier"),
            ("2000000,10,1MB", "guide-machine;implausible-clients;open-tier"),
            ("10,185759,1MB", "guide-machine;implausible-requests;open-tier"),
            ("10,185758,1MB", "guide-machine;open-tier"),
            ("1.200,9.5,1MB", "fractional-clients"),
            ("10,10,4096", "implausibly-small"),
            ("10,10,1MB", ""),
        ],
    )
    def test_a_row(self, cells, codes):
        summary, notices = sized(f"clients,rps,data\n{cells}\n", provider="aws")
        assert notices == [codes]
        assert {one.code for one in summary.notices} == set(filter(None, codes.split(";")))
        assert (summary.clusters, summary.not_sized, summary.beyond_guide) == (1, 0, int("open-tier" in codes))

    def test_a_row_that_cannot_be_sized_has_none(self):
        summary, notices = sized("clients,rps,data\n1.5,-1,100GB\n", provider="aws")
        assert (summary.notices, summary.beyond_guide, summary.not_sized, notices) == ((), 0, 1, [""])

    def test_a_machine_of_ones_own_with_little_memory(self):
        ours = load_catalog("guide").model_copy(
            update={
                "machines": tuple(
                    machine.model_copy(update={"memory_gib": 0.25}) for machine in load_catalog("guide").machines
                )
            }
        )
        summary, notices = sized("clients,rps,data\n1,1,1GB\n1,1,0.1GB\n", provider="aws", catalog=ours)
        assert notices == ["data-above-memory", ""]
        assert summary.beyond_guide == 1
