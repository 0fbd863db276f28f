"""A column's numbers become the dimension's own unit, and no rounding moves a load across a bound."""

from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize.batches.cells import CellRules
from etcdsize.batches.columns import Source, pick_columns
from etcdsize.batches.loads import numbers
from etcdsize.units import DIMENSIONS

SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


def loads(name, values, dimension="requests_per_second"):
    """Return the loads of a column of this name."""
    others = [other for other in DIMENSIONS if other != dimension]
    source = pick_columns([name], unknown=others, provider_given=True)[dimension]
    return numbers(pa.array(values), dimension, source, CellRules()).values


def near(number: float) -> list[float]:
    below, above = np.nextafter(number, 0.0), np.nextafter(number, np.inf)
    return [float(np.nextafter(below, 0.0)), float(below), number, float(above), float(np.nextafter(above, np.inf))]


class TestRates:
    """A rate by another time is divided exactly: it meets a bound as the fraction does, whatever binary makes of it."""

    @given(
        time=st.sampled_from(sorted(SECONDS)),
        bound=st.sampled_from([200, 1000, 10_000]) | st.integers(1, 10**6) | st.floats(0.001, 1e6),
        step=st.integers(0, 4),
    )
    def test_at_a_bound(self, time, bound, step):
        bound = float(bound)
        if float(bound * SECONDS[time]) != Fraction(bound) * SECONDS[time]:
            bound = float(round(bound) or 1)
        value = near(bound * SECONDS[time])[step]
        (load,) = loads(f"requests_per_{time}", [value])
        exact = Fraction(value) / SECONDS[time]
        assert (load < bound, load == bound, load > bound) == (exact < bound, exact == bound, exact > bound)
        assert load == float(exact)

    @given(st.integers(0, 2**53), st.sampled_from(sorted(SECONDS)), st.booleans())
    def test_whole_numbers_and_text_give_the_nearest_float(self, value, time, as_text):
        (load,) = loads(f"requests_per_{time}", [str(value) if as_text else value])
        assert load == float(Fraction(value) / SECONDS[time])

    @given(st.decimals(0, 10**6, places=3), st.booleans())
    def test_thousands_of_a_decimal_number_are_whole(self, value, as_text):
        (load,) = loads("rps_k", [str(value) if as_text else float(value)])
        assert load == int(value * 1000)

    @pytest.mark.parametrize(
        ("name", "value", "load"), [("rps_k", 0.2, 200), ("k req/min", 60, 1000), ("QPS/h", 3, 1 / 1200)]
    )
    def test_examples(self, name, value, load):
        assert loads(name if name != "k req/min" else "requests per minute (k)", [value]) == [load]


class TestBytes:
    @given(
        st.sampled_from(["kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"]),
        st.decimals(0, 10**4, places=3),
        st.booleans(),
    )
    def test_to_the_nearest_byte(self, unit, value, as_text):
        factor = (1000 if len(unit) == 2 else 1024) ** ("kMGT".index(unit[0].replace("K", "k")) + 1)
        (load,) = loads(f"DB Size ({unit})", [str(value) if as_text else float(value)], "data_bytes")
        exact = Fraction(value) * factor
        assert abs(Fraction(float(load)) - exact) <= max(Fraction(1, 2), exact / 2**51)
        assert load < 1 or load == int(load)


def test_a_column_without_a_unit_is_not_copied():
    column = pa.array([1.0, 2.0])
    found = numbers(column, "clients", Source(0, "clients"), CellRules()).values
    assert np.shares_memory(found, column.to_numpy())
