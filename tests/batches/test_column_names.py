"""A name says what it holds and in which unit, however it is written; a unit that we do not know is kept as text."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize.batches.column_names import Unit, read_name

BYTES = {
    **{"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12},
    **{"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40},
}
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
TIMES = {
    "second": ("s", "sec", "second", "seconds"),
    "minute": ("min", "mins", "minute", "minutes"),
    "hour": ("h", "hr", "hour", "hours"),
    "day": ("d", "day", "days"),
}
STEMS = [("db", "size"), ("data",), ("data", "size"), ("etcd", "db", "size")]
CASES = st.sampled_from([str, str.lower, str.upper, str.title])


@st.composite
def names_with_bytes(draw):
    """Return a name with a unit of bytes, its words and the unit."""
    words, unit = draw(st.sampled_from(STEMS)), draw(st.sampled_from(sorted(BYTES)))
    text = draw(st.sampled_from([" ", "_", "-", "  ", "."])).join(words)
    name = draw(
        st.sampled_from(
            [
                *(f"{text} ({unit})", f"{text} [{unit}]", f"{text}({unit})", f"{text}_({unit}, max)", f"{text}/{unit}"),
                *(f"{text} in {unit}", f"{text}_in_{unit}", f"{text} (in {unit})"),
                *(f"{text}_{unit}", f"{text} {unit}", f"{text}-{unit}", f"{text}, {unit}", f"  {text}_{unit} "),
            ]
        )
    )
    return draw(CASES)(name), words, unit


class TestBytes:
    """A unit of bytes counts in brackets, after a slash or "in", and as a word, in upper and lower case."""

    @given(names_with_bytes())
    def test_the_unit_is_read_and_the_words_stay(self, drawn):
        name, words, unit = drawn
        read = read_name(name)
        assert read.unit("data_bytes") == Unit(unit, Fraction(BYTES[unit]))
        assert [word for word in read.words if word != "max"] == list(words)

    @pytest.mark.parametrize("unit", sorted(BYTES.keys() - {"B"}))
    def test_camel_case_and_words_without_a_gap(self, unit):
        for name in (f"DbSize{unit[:1].upper() + unit[1:]}", f"dbsize{unit.lower()}", f"DBSIZE{unit.upper()}"):
            read = read_name(name)
            assert (read.compact, read.unit("data_bytes")) == ("dbsize", Unit(unit, Fraction(BYTES[unit])))

    @pytest.mark.parametrize(
        ("name", "unit"),
        [
            ("DB size in megabytes", "MB"),
            ("db_size_gibibytes", "GiB"),
            ("DbSizeMBytes", "MB"),
            ("DB Size (M Bytes)", "MB"),
            ("db_size_k_bytes", "kB"),
            ("data (Gi)", "GiB"),
            ("db_size_mb_max", "MB"),
            ("max_db_size_gb", "GB"),
            ("DB size per cluster (MB)", "MB"),
            ("DB size used GB", "GB"),
            ("etcd_mvcc_db_total_size_in_use_in_bytes", "B"),
        ],
    )
    def test_other_ways_to_write_it(self, name, unit):
        assert read_name(name).unit("data_bytes") == Unit(unit, Fraction(BYTES[unit]))

    @pytest.mark.parametrize(
        "name", ["data", "DB SIZE", "db_size_p99", "DB Size (peak)", "DB SIZE IN USE", "Data in etcd"]
    )
    def test_no_unit(self, name):
        assert read_name(name).unit("data_bytes") is None


class TestRates:
    """Requests are counted by the second, minute, hour or day, and in thousands."""

    @given(
        st.sampled_from(["requests", "QPS", "request_rate", "Etcd Requests", "reqs"]),
        st.sampled_from(sorted(TIMES)).flatmap(lambda time: st.tuples(st.just(time), st.sampled_from(TIMES[time]))),
        st.sampled_from(["_per_", " per ", "/", " / ", " (per ", " [1/", " (req/"]),
        CASES,
    )
    def test_the_time_is_read(self, stem, time, joint, case):
        word, written = time
        name = case(f"{stem}{joint}{written}{')' if '(' in joint else ']' if '[' in joint else ''}")
        unit = read_name(name).unit("requests_per_second")
        assert unit == Unit(f"requests per {word}", Fraction(1, SECONDS[word]))

    @pytest.mark.parametrize(
        ("name", "factor"),
        [
            *(("rps", 1), ("QPS", 1), ("RPM", Fraction(1, 60)), ("qps (avg)", 1), ("QPS (prod)", 1)),
            *(("rps_k", 1000), ("QPS (thousands)", 1000), ("kQPS", 1000), ("Rate (k/s)", 1000), ("kreq/s", 1000)),
            *(("k requests per minute", Fraction(50, 3)), ("thousands of requests per hour", Fraction(5, 18))),
            *(("requestsPerMinute", Fraction(1, 60)), ("requestspersecond", 1)),
            *(("Request rate (rpm)", Fraction(1, 60)), ("requests per second per cluster", 1)),
            ("million requests per day", Fraction(625, 54)),
        ],
    )  # fmt: skip
    def test_factors(self, name, factor):
        assert read_name(name).unit("requests_per_second").factor == factor

    @pytest.mark.parametrize("name", ["requests", "request_rate", "Requests (total)"])
    def test_no_unit(self, name):
        assert read_name(name).unit("requests_per_second") is None


class TestNoUnitOfTheDimension:
    """What stands in the place of a unit and is none of the dimension's is returned as text, for a message."""

    @pytest.mark.parametrize(
        ("dimension", "name", "text"),
        [
            ("data_bytes", "Data (blocks)", "blocks"),
            ("data_bytes", "Data in pages", "pages"),
            ("data_bytes", "data (%)", "%"),
            ("data_bytes", "db_size_pct", "pct"),
            ("data_bytes", "size_kb8", "kb8"),
            ("data_bytes", "db_size_k", "k"),
            ("data_bytes", "db_size_mbit", "mbit"),
            ("data_bytes", "db_size_pb", "pb"),
            ("data_bytes", "DB size (x1000 bytes)", "x1000"),
            ("data_bytes", "DB size (1024 bytes)", "1024"),
            *(
                ("data_bytes", f"db_size_{end}", end)
                for end in ("gbs", "megs", "pages", "blocks", "keys", "ratio", "x1000")
            ),
            *(("requests_per_second", f"rps_{end}", end) for end in ("mm", "hundreds", "1000s", "x100", "g", "pct")),
            ("data_bytes", "Taille (Go)", "go"),
            ("requests_per_second", "rps in hundreds", "hundreds"),
            ("data_bytes", "data_mb_per_s", "per second"),
            ("data_bytes", "db_mb_gb", "MB and GB"),
            ("requests_per_second", "requests_per_node", "per node"),
            ("requests_per_second", "QPS / member", "per member"),
            ("requests_per_second", "requests_mb", "MB"),
            ("requests_per_second", "requests_min", "min"),
            ("requests_per_second", "requests_daily", "daily"),
            ("requests_per_second", "requests_5m", "5m"),
            ("requests_per_second", "requests per 5 min", "per 5"),
            ("requests_per_second", "rps_m", "m"),
            ("requests_per_second", "QPS (M)", "m"),
            ("requests_per_second", "Mreq/s", "mreq"),
            ("requests_per_second", "QPS (x1000)", "x1000"),
            ("requests_per_second", "qps per minute per hour", "per minute and per hour"),
            ("clients", "clients (k)", "k"),
            ("clients", "clients_k", "k"),
            ("clients", "connections/min", "per minute"),
            ("clients", "connections_per_node", "per node"),
            ("clients", "clients_mb", "MB"),
        ],
    )
    def test_text(self, dimension, name, text):
        assert read_name(name).unit(dimension) == text

    @pytest.mark.parametrize(
        "name", ["Clients #", "#clients", "clients/connections", "Clients (API servers)", "Number of clients"]
    )
    def test_a_count_states_none(self, name):
        assert read_name(name).unit("clients") is None


@given(st.text(max_size=40) | st.text("DdBbSs ize(MGK)[/]per_in%1#", max_size=40))
def test_every_name_is_read(name):
    """Whatever the name is, it is read, and the case of a name without camel case changes nothing."""
    read = read_name(name)
    assert all(word == word.lower() for word in read.words)
    assert read_name(name.lower() if name.islower() else name) == read
    for dimension in ("clients", "requests_per_second", "data_bytes"):
        unit = read.unit(dimension)
        assert unit is None or isinstance(unit, str) or unit.factor > 0
