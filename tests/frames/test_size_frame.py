"""Frames: the caller's own kind comes back, with the answer's columns added and nothing else changed."""

from __future__ import annotations

import re
import subprocess
import sys

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from row_answers import ANSWERS

from etcdsize import ColumnError, InvalidWorkloadError, OptionError, WorkloadTypeError, size
from etcdsize.frames.size_frame import size_frame

ROWS = {
    "cluster": ["a", "b", "c", "d", "e"],
    "clients": [90, 300, 1500, 2000, 10],
    "rps": [150.0, 800.0, 9999.0, 10.0, 10.0],
    "db_size": [80_000_000, 400_000_000, 1_000_000_000, 3_000_000_000, 10_000_000_000],
    "cloud": ["aws", "gcp", "AWS", "google", "gce"],
}


def pandas_numpy(data: dict) -> pd.DataFrame:
    return pd.DataFrame(data)


def pandas_arrow(data: dict) -> pd.DataFrame:
    return pd.DataFrame(data).convert_dtypes(dtype_backend="pyarrow")


def pandas_nullable(data: dict) -> pd.DataFrame:
    return pd.DataFrame(data).convert_dtypes()


def polars_frame(data: dict) -> pl.DataFrame:
    return pl.DataFrame(data)


def polars_lazy(data: dict) -> pl.LazyFrame:
    return pl.LazyFrame(data)


def arrow_table(data: dict) -> pa.Table:
    return pa.table(data)


def arrow_chunked(data: dict) -> pa.Table:
    whole = pa.table(data)
    return pa.concat_tables([whole.slice(0, 2), whole.slice(2)])


def arrow_batch(data: dict) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(data)


def arrow_reader(data: dict) -> pa.RecordBatchReader:
    return pa.table(data).to_reader(max_chunksize=2)


MAKERS = [
    pandas_numpy,
    pandas_arrow,
    pandas_nullable,
    polars_frame,
    polars_lazy,
    arrow_table,
    arrow_chunked,
    arrow_batch,
    arrow_reader,
]


@pytest.fixture(params=MAKERS, ids=lambda maker: maker.__name__)
def make(request):
    return request.param


def rows(frame) -> dict[str, list]:
    """Return any frame as lists, its nulls as None."""
    if isinstance(frame, pl.LazyFrame):
        frame = frame.collect(engine="streaming")
    if isinstance(frame, pd.DataFrame):
        return {
            name: [None if pd.isna(cell) else cell for cell in frame[name].astype(object)] for name in frame.columns
        }
    if isinstance(frame, pa.RecordBatchReader):
        frame = frame.read_all()
    return frame.to_dict(as_series=False) if isinstance(frame, pl.DataFrame) else frame.to_pydict()


def names(frame) -> list[str]:
    if isinstance(frame, pl.LazyFrame):
        return frame.collect_schema().names()
    return list(frame.columns) if isinstance(frame, (pd.DataFrame, pl.DataFrame)) else frame.schema.names


class TestAnyFrame:
    """The answer is the same in every kind of frame, and is that of `size`, row by row."""

    def test_answers_are_those_of_size(self, make):
        got = rows(size_frame(make(ROWS)))
        for index in range(5):
            one = size(
                clients=ROWS["clients"][index],
                requests_per_second=ROWS["rps"][index],
                data_bytes=ROWS["db_size"][index],
                provider=ROWS["cloud"][index],
            )
            assert got["tier"][index] == one.tier
            assert got["machine_type"][index] == one.machine.machine_type
            assert set(filter(None, got["forced_by"][index].split(";"))) == set(one.forced_by)
            assert got["tightest"][index] == one.tightest
            assert got["machine_today"][index] == one.machine_today.machine_type
            assert got["cost_per_month"][index] == round(next(iter(one.cost_per_month.values())), 2)
        assert got["problem"] == [None] * 5

    def test_same_kind_comes_back_and_other_columns_stay(self, make):
        frame = make(ROWS)
        before = names(frame)
        sized = size_frame(frame)
        assert type(sized) is type(frame)
        assert names(sized) == [*before, *ANSWERS]
        got = rows(sized)
        assert {name: got[name] for name in ROWS} == ROWS

    def test_callers_frame_is_unchanged(self, make):
        frame = make(ROWS)
        size_frame(frame)
        assert names(frame) == list(ROWS)

    def test_null_is_a_problem_of_its_row(self, make):
        data = {**ROWS, "clients": [90, None, 1500, 2000, 10]}
        got = rows(size_frame(make(data)))
        assert got["problem"] == [None, "clients: missing", None, None, None]
        assert got["tier"] == ["small", None, "large", "xlarge", "xlarge"]
        assert got["machine_type"][1] is None

    def test_null_may_be_unknown(self, make):
        data = {**ROWS, "clients": [90, None, 1500, 2000, 10]}
        got = rows(size_frame(make(data), on_missing="unknown"))
        assert got["problem"] == [None] * 5
        assert got["tier"][1] == "medium"
        assert got["tightest"][1] == "requests_per_second"

    def test_what_cannot_be_sized_keeps_its_row(self, make):
        data = {**ROWS, "rps": [150.0, -1.0, float("inf"), 10.0, 10.0], "cloud": ["aws", "aws", "aws", "asw", "aws"]}
        got = rows(size_frame(make(data)))
        assert got["tier"] == ["small", None, None, None, "xlarge"]
        assert got["problem"] == [
            None,
            "rps: got -1.0, expected a finite number of 0 or more",
            "rps: got inf, expected a finite number of 0 or more",
            'cloud: got "asw", expected the name of a provider; did you mean "aws"?',
            None,
        ]

    def test_raise_names_column_and_row(self, make):
        data = {**ROWS, "rps": [150.0, 800.0, -1.5, 10.0, 10.0]}
        with pytest.raises((InvalidWorkloadError, pl.exceptions.ComputeError)) as caught:
            rows(size_frame(make(data), on_invalid="raise"))
        assert "row 2: rps: got -1.5, expected a finite number of 0 or more" in str(caught.value)

    def test_no_rows(self, make):
        empty = {name: cells[:0] for name, cells in ROWS.items()}
        if make in (arrow_table, arrow_chunked, arrow_reader, arrow_batch):
            frame = make(ROWS).slice(0, 0) if make is not arrow_reader else pa.table(ROWS).slice(0, 0).to_reader()
        else:
            frame = make(empty)
        assert rows(size_frame(frame))["tier"] == []

    def test_text_and_units(self, make):
        data = {
            "clients": ["90", "300"],
            "qps": ["150", "0.8k"],
            "data_mb": [80.0, 400.0],
            "provider": ["aws", "aws"],
        }
        assert rows(size_frame(make(data)))["tier"] == ["small", "medium"]

    def test_cells_as_people_write_them(self, make):
        data = {
            "clients": [" 90", "1.200", "n/a", "x"],
            "rps": ["150,5", "9.500", "-", "1"],
            "data_gb": ["0,08", "1", "1", "1"],
        }
        options = {"decimal": ",", "thousands": ".", "na": ["X"], "on_missing": "unknown", "provider": "aws"}
        assert rows(size_frame(make(data), **options))["tier"] == ["small", "large", "large", "large"]
        problem = rows(size_frame(make(data), provider="aws"))["problem"][0]
        assert '--decimal "," reads it as 150.5' in problem

    def test_only_the_answers_asked_for(self, make):
        sized = size_frame(make(ROWS), answers=["tier"])
        assert names(sized) == [*ROWS, "tier"]

    def test_provider_for_all(self, make):
        assert rows(size_frame(make(ROWS), provider="aws"))["machine_type"][1] == "m4.xlarge"

    def test_chosen_columns_and_unknown(self, make):
        data = {"conns": [600, 1], "load": [1.0, 1.0], "cloud": ["aws", "aws"]}
        sized = size_frame(
            make(data), columns={"clients": "conns", "requests_per_second": "load"}, unknown=["data_bytes"]
        )
        assert rows(sized)["tier"] == ["large", "small"]

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            ({**ROWS, "tier": ["x"] * 5}, 'has a column "tier", which the answer adds'),
            ({name: ROWS[name] for name in ("clients", "rps", "cloud")}, "has no column for data_bytes"),
            ({name: ROWS[name] for name in ("clients", "rps", "db_size")}, "has no column for provider"),
            ({**ROWS, "qps": ROWS["rps"]}, 'requests_per_second: has "rps" and "qps", expected one column'),
            ({**ROWS, "clients": [True] * 5}, 'column "clients": got the type bool, expected numbers or text'),
        ],
    )
    def test_missing_and_invalid_columns_are_rejected(self, make, data, message):
        with pytest.raises((ColumnError, pl.exceptions.ComputeError)) as caught:
            rows(size_frame(make(data)))
        assert message in str(caught.value)


class TestCategorical:
    """Tier, machine type, forced_by and tightest are categories, in every library's own way."""

    @pytest.mark.parametrize("name", [name for name in ANSWERS if name not in ("problem", "cost_per_month")])
    def test_kinds(self, name):
        assert isinstance(size_frame(pd.DataFrame(ROWS))[name].dtype, pd.CategoricalDtype)
        assert size_frame(pl.DataFrame(ROWS))[name].dtype == pl.Categorical
        assert pa.types.is_dictionary(size_frame(pa.table(ROWS)).schema.field(name).type)


class TestPandas:
    def test_index_of_any_kind_stays(self):
        for index in ([7, 7, 8, 9, 9], list("vwxyz"), pd.MultiIndex.from_product([[1], range(5)])):
            frame = pd.DataFrame(ROWS, index=index)
            sized = size_frame(frame)
            pd.testing.assert_index_equal(sized.index, frame.index)
            assert sized["tier"].tolist() == ["small", "medium", "large", "xlarge", "xlarge"]

    def test_nan_is_missing(self):
        frame = pd.DataFrame({**ROWS, "rps": [1.0, np.nan, 1.0, 1.0, 1.0]})
        assert size_frame(frame)["problem"][1] == "rps: missing"

    def test_duplicate_columns_are_rejected(self):
        frame = pd.DataFrame([[1, 1, 1, 1]], columns=["clients", "clients", "rps", "data"])
        with pytest.raises(ColumnError, match="clients"):
            size_frame(frame, provider="aws")

    def test_mixed_objects_are_rejected_by_name(self):
        frame = pd.DataFrame({**ROWS, "rps": [1, "2", 3.0, 4, 5]}, dtype=object)
        with pytest.raises(ColumnError, match='column "rps": got mixed or unknown values'):
            size_frame(frame)

    def test_enormous_integers_are_rejected_by_name(self):
        frame = pd.DataFrame({**ROWS, "rps": [1, 2, 3, 4, 2**70]}, dtype=object)
        with pytest.raises(ColumnError, match='column "rps": has an integer of more than 64 bits'):
            size_frame(frame)

    def test_columns_that_are_no_text_pass_through(self):
        frame = pd.DataFrame({**ROWS, 5: range(5)})
        assert size_frame(frame).columns.tolist() == [*ROWS, 5, *ANSWERS]

    def test_attributes_and_other_dtypes_stay(self):
        frame = pd.DataFrame({**ROWS, "when": pd.date_range("2026-01-01", periods=5), "list": [[1]] * 5})
        sized = size_frame(frame)
        pd.testing.assert_frame_equal(sized[frame.columns.tolist()], frame)


class TestPolars:
    def test_nan_is_not_missing_but_cannot_be_sized(self):
        frame = pl.DataFrame({**ROWS, "rps": [1.0, float("nan"), 1.0, 1.0, 1.0]})
        assert size_frame(frame)["problem"][1] == "rps: got nan, expected a finite number of 0 or more"

    def test_lazy_frame_stays_lazy_with_its_schema(self):
        lazy = size_frame(pl.LazyFrame(ROWS))
        assert isinstance(lazy, pl.LazyFrame)
        assert lazy.collect_schema() == lazy.collect().schema

    def test_lazy_frame_streams(self, tmp_path):
        pl.DataFrame(ROWS).write_parquet(tmp_path / "in.parquet")
        size_frame(pl.scan_parquet(tmp_path / "in.parquet")).sink_parquet(tmp_path / "out.parquet")
        assert pl.read_parquet(tmp_path / "out.parquet")["tier"].cast(pl.String).to_list()[:2] == ["small", "medium"]


class TestArrow:
    def test_schema_metadata_stays(self):
        table = pa.table(ROWS).replace_schema_metadata({"made": "here"})
        assert size_frame(table.to_batches()[0]).schema.metadata == {b"made": b"here"}

    def test_duplicate_columns_are_rejected(self):
        table = pa.Table.from_arrays([pa.array([1])] * 4, names=["clients", "clients", "rps", "data"])
        with pytest.raises(ColumnError, match="clients"):
            size_frame(table, provider="aws")

    def test_numbers_are_not_copied(self):
        """Beside the answers, ten million rows of float64 take no memory."""
        column = pa.array(np.full(3_000_000, 5.0))
        table = pa.table({"clients": column, "rps": column, "data": column})
        before = pa.total_allocated_bytes()
        sized = size_frame(table, provider="aws", answers=["tier"])
        assert pa.total_allocated_bytes() - before < 3_000_000 * 5
        assert sized["clients"].chunk(0).buffers()[1].address == column.buffers()[1].address


class TestDuckDB:
    """A table is sized through Arrow without leaving the database."""

    def test_table_to_table(self):
        connection = duckdb.connect()
        connection.execute("create table clusters as select i as clients, i as rps, i as data from range(2000) t(i)")
        sized = size_frame(connection.cursor().sql("from clusters").to_arrow_reader(), provider="aws")  # noqa: F841
        connection.execute("create table sized as from sized")
        counts = dict(connection.sql("select tier, count(*) from sized group by tier").fetchall())
        # Requests: below 200, below 1000; clients: at most 100, 500, 1500.
        assert counts == {"small": 101, "medium": 400, "large": 1000, "xlarge": 499}


class TestInvalidArguments:
    @pytest.mark.parametrize("thing", [3, [1, 2], {"clients": [1]}, np.zeros((3, 3)), None, "frame"])
    def test_other_types_are_rejected(self, thing):
        with pytest.raises(WorkloadTypeError, match="expected a data frame"):
            size_frame(thing)

    @pytest.mark.parametrize(
        "options",
        [
            {"on_missing": "drop"},
            {"on_invalid": "skip"},
            {"answers": ["teir"]},
            {"headroom": 2},
            {"tiers": "none"},
            {"catalog": "none"},
            {"provider": "awz"},
            {"provider": "../moon"},
            {"decimal": ";"},
            {"thousands": "."},
            {"na": [None]},
            {"columns": {"client": "clients"}},
            {"unknown": ["clients", "requests_per_second", "data_bytes"]},
        ],
    )
    def test_invalid_options_are_rejected(self, options):
        with pytest.raises(OptionError):
            size_frame(pa.table(ROWS), **options)


def test_no_frame_library_is_imported():
    """Importing the module loads no frame library; of those, only pyarrow itself loads one, pandas."""
    program = (
        "import sys, pyarrow as pa\n"
        "from etcdsize.frames.size_frame import size_frame\n"
        "frames = {'pandas', 'polars', 'duckdb', 'dask', 'pyspark'}\n"
        "print(sorted(frames & set(sys.modules)))\n"
        "size_frame(pa.table({'clients': [1], 'rps': [1], 'data': [1]}), provider='aws')\n"
        "print(sorted(frames - {'pandas'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n[]\n"


@pytest.mark.parametrize(("engine", "package"), [("spark", "pyspark"), ("dask", "dask")])
def test_a_missing_engine_names_what_to_install(engine, package):
    program = f"import sys; sys.modules['{package}'] = None\n"
    program += f"from etcdsize.frames.{engine} import size_dataframe\nsize_dataframe(None)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert f"MissingDependencyError: {package} is not installed; run: pip install 'etcdsize[{engine}]'" in done.stderr


def test_missing_narwhals_names_what_to_install():
    program = "import sys; sys.modules['narwhals'] = None\nimport etcdsize.frames.size_frame"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "MissingDependencyError: narwhals is not installed; run: pip install 'etcdsize[frames]'" in done.stderr


@pytest.mark.parametrize("make", [pandas_numpy, pandas_arrow, pandas_nullable, polars_frame, polars_lazy, arrow_table])
def test_units_in_names_and_nodes(make):
    """The columns of a frame mean what they mean in a file."""
    rows = {
        "Clients": [90, 90, 9],
        "Requests per hour": [3_599_999, 3_600_000, 1],
        "Database": [80.0, 90.0, 1.0],
        "k8s_nodes": [None, 50, 251],
    }
    sized = size_frame(make(rows), provider="aws", columns={"data_mb": "Database"}, answers=["tier", "forced_by"])
    sized = sized.collect() if isinstance(sized, pl.LazyFrame) else sized
    assert [str(tier) for tier in list(sized["tier"])] == ["medium", "large", "large"]
    assert [str(why) for why in list(sized["forced_by"])][1:] == ["requests_per_second", "kubernetes_nodes"]
    with pytest.raises(ColumnError, match=re.escape('columns={"data_mb": "Database"}')):
        size_frame(make(rows), provider="aws")
