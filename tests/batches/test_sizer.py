"""One record batch: loads of every Arrow type, and a problem for every row that has one."""

import decimal
import functools
import struct

import numpy as np
import pyarrow as pa
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from strategies import EDGES

from etcdsize import ColumnError, EtcdSizeError, OptionError, Workload, load_catalog, load_tiers, size, size_fleet
from etcdsize.batches.cells import PADDING
from etcdsize.batches.columns import ANSWERS
from etcdsize.batches.options import BatchOptions
from etcdsize.batches.sizer import BatchSizer
from etcdsize.units import DIMENSIONS, parse_count


def sizer(names, *, unknown=(), chosen=None, missing="problem", tiers="guide", headroom=0.0, provider="aws"):
    """Return a sizer of batches with columns of these names."""
    options = BatchOptions.of(
        provider=provider,
        columns=chosen,
        unknown=unknown,
        on_missing=missing,
        on_invalid="mark",
        catalog="guide",
        tiers=tiers,
        headroom=headroom,
        answers=ANSWERS,
    )
    return BatchSizer.of(options, names)


def sized(columns, **options):
    """Return the answers of named columns, and the sizer that counted them."""
    batch = pa.record_batch(list(columns.values()), names=list(columns))
    one = sizer(list(columns), **options)
    answers = one(batch)
    assert tuple(answers.schema.names) == ANSWERS
    assert answers.num_rows == batch.num_rows
    return answers.to_pydict(), one


def one_dimension(column, name="clients", **options):
    return sized({name: column}, unknown=[other for other in DIMENSIONS if other != name], **options)


VALUES = [0, 1, 99, 100, 101, 120, 127]
INTEGERS = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
FLOATS = [pa.float16(), pa.float32(), pa.float64()]
TEXTS = [pa.string(), pa.large_string(), pa.string_view()]
OTHERS = [
    pa.decimal128(10, 2),
    pa.decimal256(40, 3),
    pa.dictionary(pa.int8(), pa.string()),
    pa.dictionary(pa.int32(), pa.large_string()),
    pa.dictionary(pa.uint16(), pa.int64()),
    pa.dictionary(pa.int64(), pa.float64()),
]


def column_of(values, kind):
    """Return an Arrow array of any of the types, None for null."""
    if pa.types.is_dictionary(kind):
        return pa.DictionaryArray.from_arrays(
            pa.array([None if value is None else place for place, value in enumerate(values)], kind.index_type),
            column_of([value or 0 for value in values], kind.value_type),
        )
    if kind in TEXTS or pa.types.is_large_string(kind):
        return pa.array([None if value is None else str(value) for value in values], kind)
    if pa.types.is_decimal(kind):
        return pa.array([None if value is None else decimal.Decimal(value) for value in values], kind)
    if pa.types.is_float16(kind):
        return pa.array([None if value is None else np.float16(value) for value in values], kind)
    return pa.array(values, kind)


@pytest.mark.parametrize("kind", INTEGERS + FLOATS + TEXTS + OTHERS, ids=str)
class TestTypes:
    def test_agrees_with_size_fleet(self, kind):
        answers, _ = one_dimension(column_of(VALUES, kind))
        fleet = size_fleet(np.array(VALUES), None, None, provider="aws")
        assert answers["tier"] == fleet.tier_names.tolist()
        assert answers["machine_type"] == fleet.machine_types.tolist()
        assert answers["forced_by"] == ["", "", "", "", *["clients"] * 3]
        assert answers["tightest"] == ["clients"] * 7
        assert answers["problem"] == [None] * 7

    def test_nulls(self, kind):
        answers, one = one_dimension(column_of([1, None, 120, None], kind))
        assert answers["tier"] == ["small", None, "medium", None]
        assert answers["problem"] == [None, "clients: missing", None, "clients: missing"]
        assert one.first_problems == [(2, None, "clients: missing"), (4, None, "clients: missing")]

    def test_unknown_where_null(self, kind):
        columns = {"clients": column_of([None, 120, None], kind), "rps": column_of([1, None, None], kind)}
        answers, _ = sized(columns, unknown=["data_bytes"], missing="unknown")
        assert answers["tier"] == ["small", "medium", None]
        assert answers["tightest"] == ["requests_per_second", "clients", None]
        assert answers["problem"] == [None, None, "nothing known: every dimension is missing"]

    def test_slice(self, kind):
        whole = column_of([120, None, 1, 120, None, 100, 7], kind)
        for start in range(7):
            for stop in range(start, 8):
                answers, _ = one_dimension(whole.slice(start, stop - start))
                expected = ["medium", None, "small", "medium", None, "small", "small"][start:stop]
                assert answers["tier"] == expected

    def test_no_rows(self, kind):
        answers, one = one_dimension(column_of([], kind))
        assert answers == {name: [] for name in ANSWERS}
        assert (one.rows, one.machine_counts.sum()) == (0, 0)

    def test_all_null(self, kind):
        assert one_dimension(column_of([None, None], kind))[0]["problem"] == ["clients: missing"] * 2

    def test_as_provider(self, kind):
        """Providers are text."""
        columns = {"clients": pa.array([1]), "provider": column_of([11], kind)}
        value = kind.value_type if pa.types.is_dictionary(kind) else kind
        if value in TEXTS or pa.types.is_large_string(value):
            answers, one = sized(columns, unknown=DIMENSIONS[1:], provider=None)
            assert (answers["machine_type"], answers["problem"]) == ([None], [None])
            assert one.elsewhere == {"11": 1}
        else:
            with pytest.raises(ColumnError) as caught:
                sized(columns, unknown=DIMENSIONS[1:], provider=None)
            assert str(caught.value) == f'column "provider": got the type {value}, expected text'


@pytest.mark.parametrize(
    "column",
    [
        pa.array([True]),
        pa.array([1], pa.date32()),
        pa.array([1], pa.timestamp("ns")),
        pa.array([1], pa.duration("s")),
        pa.array([[1]]),
        pa.array([{"a": 1}]),
        pa.array([b"1"]),
        pa.array([True]).dictionary_encode(),
    ],
    ids=lambda column: str(column.type),
)
def test_other_types_are_rejected(column):
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    with pytest.raises(ColumnError) as caught:
        one_dimension(column, "clients")
    assert str(caught.value) == f'column "clients": got the type {kind}, expected numbers or text'


def test_a_column_of_the_null_type_is_missing():
    assert one_dimension(pa.nulls(2))[0]["problem"] == ["clients: missing"] * 2
    columns = {"clients": pa.array([1, 2]), "cloud": pa.nulls(2)}
    assert sized(columns, unknown=DIMENSIONS[1:], provider=None)[0]["problem"] == ["cloud: missing"] * 2


class TestProblems:
    @pytest.mark.parametrize(
        ("column", "problem"),
        [
            (pa.array([float("nan")]), "clients: got nan, expected a finite number of 0 or more"),
            (pa.array([float("inf")], pa.float32()), "clients: got inf, expected a finite number of 0 or more"),
            (pa.array([np.float16("-inf")]), "clients: got -inf, expected a finite number of 0 or more"),
            (pa.array([-1]), "clients: got -1, expected a finite number of 0 or more"),
            (pa.array(["-1"]), 'clients: got "-1", expected a count such as "300"'),
            (pa.array(["nan"]), 'clients: got "nan", expected a count such as "300"'),
            (
                pa.array(["1,000"]),
                'clients: got "1,000", expected a count such as "300"; --decimal "," reads it as 1.000, '
                '--thousands "," reads it as 1000',
            ),
            (pa.array(["\n1"]), 'clients: got "\\n1", expected a count such as "300"; did you mean "1"?'),
            (pa.array([str(2**64)]), f'clients: got "{2**64}", expected at most 2^64 - 1 for an integer'),
            (pa.array([f"{2**64}.0"]), f'clients: got "{2**64}.0", expected at most 2^64 - 1 for an integer'),
            (pa.array(["9" * 500]), f'clients: got "{"9" * 57}...", expected a count such as "300"'),
            (pa.array(["1.2.3"]), 'clients: got "1.2.3", expected a count such as "300"'),
            (pa.array(["."]), 'clients: got ".", expected a count such as "300"'),
            (pa.array(["1\n2"]), 'clients: got "1\\n2", expected a count such as "300"'),
            (pa.array([""]), "clients: missing"),
        ],
    )
    def test_problem_of_a_cell(self, column, problem):
        answers, one = one_dimension(column)
        assert answers["problem"][0].startswith(problem) if "999" in problem else answers["problem"] == [problem]
        assert [answers[name] for name in ANSWERS if name != "problem"] == [[None]] * (len(ANSWERS) - 1)
        assert one.machine_counts.sum() == 0

    @pytest.mark.parametrize(
        ("name", "value", "problem"),
        [
            (
                "data_bytes",
                "8 GBs",
                'data_bytes: got "8 GBs", expected bytes or a size such as "8GB" or "8GiB"; did you mean "8GB"?',
            ),
            ("data_mb", "400MB", 'data_mb: got "400MB", expected a number of MB'),
            ("data_gib", "x", 'data_gib: got "x", expected a number of GiB'),
            ("data_gb", -1.5, "data_gb: got -1.5, expected a finite number of 0 or more"),
            ("data_mb", float("nan"), "data_mb: got nan, expected a finite number of 0 or more"),
            ("data_mb", 1.7e308, "data_mb: got inf, expected a finite number of 0 or more"),
        ],
    )  # fmt: skip
    def test_data(self, name, value, problem):
        answers, _ = sized({name: pa.array([value])}, unknown=DIMENSIONS[:2])
        assert answers["problem"] == [problem]

    def test_several_in_a_row_are_joined(self):
        columns = {"clients": ["x", "1"], "rps": ["", "2"], "data": ["-5", "3"], "cloud": ["asw", "gcp"]}
        answers, one = sized({name: pa.array(texts) for name, texts in columns.items()}, provider=None)
        told = (
            'clients: got "x", expected a count such as "300"; '
            'data: got "-5", expected bytes or a size such as "8GB" or "8GiB"; rps: missing; '
            'cloud: got "asw", expected the name of a provider; did you mean "aws"?'
        )
        assert answers["problem"] == [told, None]
        assert one.first_problems == [(1, None, told)]
        assert one.counted[4][:3] == ("gce", "small", load_catalog("guide").machine_for("gce", "small"))
        assert one.counted[4].rows == 1

    def test_the_first_ten_by_number_over_batches(self):
        one = sizer(["clients"], unknown=DIMENSIONS[1:])
        for start in range(0, 40, 5):
            one(
                pa.record_batch([pa.array([-1 if row % 3 == 0 else 1 for row in range(start, start + 5)])], ["clients"])
            )
        assert one.rows == 40
        assert [row for row, _, _ in one.first_problems] == [1 + 3 * place for place in range(10)]
        assert one.machine_counts.tolist() == [26, 0, 0, 0]

    def test_a_provider_that_the_catalog_lacks(self):
        columns = {"clients": pa.array([1, 2, 3]), "provider": pa.array(["azure", None, "Google"])}
        answers, one = sized(columns, unknown=DIMENSIONS[1:], provider=None)
        assert answers["problem"] == [None, "provider: missing", None]
        assert answers["tier"] == ["small", None, "small"]
        assert answers["machine_type"] == [None, None, "n1-standard-2"]
        assert one.elsewhere == {"azure": 1}
        assert one.machine_counts.sum() == 1

    def test_one_provider_that_the_catalog_lacks(self):
        columns = {"clients": pa.array([1, 300])}
        answers, one = sized(columns, unknown=DIMENSIONS[1:], provider="Our Racks")
        assert answers["tier"] == ["small", "medium"]
        assert answers["machine_type"] == answers["machine_today"] == [None, None]
        assert answers["notices"] == ["no-machines;unknown-dimension"] * 2
        assert one.elsewhere == {"our-racks": 2}
        with pytest.raises(OptionError, match=r'^provider: got "azuer", .* did you mean "azure"\?$'):
            sizer(["clients"], unknown=DIMENSIONS[1:], provider="azuer")


class TestUnitsOfColumns:
    """data_mb, data_mib, data_gb and data_gib convert, to the nearest whole byte."""

    @pytest.mark.parametrize("as_text", [True, False], ids=["text", "numbers"])
    @pytest.mark.parametrize(
        ("name", "value", "tier"),
        [
            ("data_mb", 100, "small"),
            ("data_mb", 100.000001, "medium"),
            ("data_gb", 0.1, "small"),
            ("data_gb", 0.100000001, "medium"),
            ("data_gb", 1.0, "large"),
            ("data_gb", 1.000000001, "xlarge"),
            ("data_mib", 95.36, "small"),
            ("data_mib", 95.37, "medium"),
            ("data_gib", 0.0931322574, "small"),
            ("data_gib", 1, "xlarge"),
            ("data_bytes", 100_000_000, "small"),
        ],
    )
    def test_at_the_bounds(self, name, value, tier, as_text):
        assert sized({name: pa.array([str(value) if as_text else value])}, unknown=DIMENSIONS[:2])[0]["tier"] == [tier]

    @pytest.mark.parametrize("megabytes", range(1, 101))
    def test_headroom(self, megabytes):
        """With the headroom that leaves exactly this much, this much is small, whatever binary makes of it."""
        headroom = float(f"{(100 - megabytes) / 100:.2f}")
        for name, value in [("data_mb", megabytes), ("data_gb", megabytes / 1000), ("data_gb", f"{megabytes / 1000}")]:
            column = pa.array([value])
            assert sized({name: column}, unknown=DIMENSIONS[:2], headroom=headroom)[0]["tier"] == ["small"]


EDGE_CASES = (
    "007 1. .5 100.0 100.00000000000001 1e3 1E2 1e-400 1e400 9007199254740993 "
    "-0 +1 1_000 1,000 ١ 0x10 nan inf . 1.. 1.2.3"
)
NUMBERS = st.sampled_from(
    [
        *(str(edge + step) for edges in EDGES.values() for edge in edges for step in (-1, 0, 1)),
        *EDGE_CASES.split(),
        *(str(2**63), str(2**64 - 1), str(2**64), f"{2**64}.0", f"{2**64 - 1}.5"),
        *("0" * 300 + "1", "0" * 500 + "1", "1" * 309 + "."),
        *("", " ", "1 ", "1 1", "\x00", "1\n"),
    ]
)
UNITS = st.sampled_from(["", "", "MB", " GB", "GiB", "k", "M/s", "/s", "mb", "  MB", "B", "%"])
TEXT = NUMBERS | st.tuples(NUMBERS, UNITS).map("".join) | st.text(max_size=6)


@pytest.mark.parametrize("dimension", DIMENSIONS)
@examples(50)
@given(texts=st.lists(TEXT, max_size=20))
def test_a_cell_is_sized_as_a_workload_is(dimension, texts):
    """A cell is sized where `Workload` takes the same text, with the same tier, whatever else the column holds."""

    def tier(text):
        text = text.strip(PADDING)
        try:
            load = parse_count(text) if dimension == "clients" else text
            return size(Workload(**{dimension: load}), provider="aws").tier
        except EtcdSizeError:
            return None

    name = "data" if dimension == "data_bytes" else dimension
    expected = [tier(text) for text in texts]
    alone = [one_dimension_tier(name, dimension, [text])[0] for text in texts]
    together = one_dimension_tier(name, dimension, texts)
    assert together == alone == expected


@functools.cache
def one_dimension_sizer(name, dimension):
    return sizer([name], unknown=[other for other in DIMENSIONS if other != dimension])


def one_dimension_tier(name, dimension, texts):
    batch = pa.record_batch([pa.array(texts, pa.string())], names=[name])
    return one_dimension_sizer(name, dimension)(batch)["tier"].to_pylist()


@examples(50)
@given(
    st.lists(
        st.tuples(*(st.integers(0, 2 * edges[-1]) | st.sampled_from(edges) for edges in EDGES.values())), max_size=30
    ),
    st.sampled_from([0.0, 0.3, 0.5]),
    st.sampled_from(["guide", "etcd.io"]),
)
def test_text_is_sized_as_numbers_are(loads, headroom, tiers):
    """Plain digits, text with something else among it, and numbers: one answer, that of `size_fleet`."""
    fleet = size_fleet(*np.array(loads, np.int64).reshape(-1, 3).T, provider="gce", headroom=headroom, tiers=tiers)
    columns = dict(zip(("clients", "rps", "data"), zip(*loads, strict=True) if loads else ((),) * 3, strict=True))
    options = {"headroom": headroom, "tiers": load_tiers(tiers), "provider": "gce"}
    numbers, _ = sized({name: pa.array(column, pa.int64()) for name, column in columns.items()}, **options)
    digits = {name: pa.array(list(map(str, column)), pa.string()) for name, column in columns.items()}
    assert sized(digits, **options)[0] == numbers
    mixed = {name: pa.array([*map(str, column), "x"], pa.string()) for name, column in columns.items()}
    assert {name: column[:-1] for name, column in sized(mixed, **options)[0].items()} == numbers
    assert numbers["tier"] == fleet.tier_names.tolist()
    assert numbers["machine_type"] == fleet.machine_types.tolist()
    assert numbers["tightest"] == [DIMENSIONS[code] for code in fleet.tightest]
    bits = [sum(1 << DIMENSIONS.index(name) for name in told.split(";") if name) for told in numbers["forced_by"]]
    assert bits == fleet.forced_by.tolist()


@pytest.mark.slow
def test_float16_bits():
    """Every float16 there is, with and without nulls beside it."""
    every = np.frombuffer(struct.pack("<65536H", *range(65536)), np.float16)
    answers, _ = one_dimension(pa.array(every))
    fleet = size_fleet(every, None, None, provider="aws", on_invalid="mark")
    assert answers["tier"] == fleet.tier_names.tolist()
    assert (
        one_dimension(pa.concat_arrays([pa.array(every), pa.nulls(1, pa.float16())]))[0]["tier"][:-1] == answers["tier"]
    )
