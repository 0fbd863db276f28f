"""The arguments that choose how to size: which are accepted, and the message for each that is not."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from etcdsize import OptionError, load_catalog, load_tiers
from etcdsize.sizing.options import headroom_of, margin_of, members_of, threads_of, tiers_of, with_tiers

GUIDE = load_catalog("guide")
TIERS = load_tiers("guide")


def message_of(call, *args) -> str:
    with pytest.raises(OptionError) as caught:
        call(*args)
    assert caught.value.option
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


class TestTables:
    """A table is used as it is; a name or a path is loaded."""

    def test_a_table_or_its_name(self):
        table = load_tiers("etcd.io")
        assert tiers_of(table) is table
        assert tiers_of("etcd.io") is table
        assert with_tiers(GUIDE, TIERS) is GUIDE

    @pytest.mark.parametrize("value", [5, None, ["guide"], np.array(["guide", "x"]), Path("nowhere.json"), "x" * 5_000])
    def test_other_values_are_rejected(self, value):
        assert message_of(tiers_of, value).startswith("tiers: got ")


class TestHeadroom:
    """A number from 0 to below 1, of any real kind."""

    @pytest.mark.parametrize(
        ("value", "headroom"),
        [
            (0, 0.0),
            (-0.0, 0.0),
            (0.3, 0.3),
            (math.nextafter(1, 0), math.nextafter(1, 0)),
            (np.float64(0.3), 0.3),
            (np.float16(0.25), 0.25),
            (np.int8(0), 0.0),
            (np.array(0.5), 0.5),
            (Decimal("0.1"), 0.1),
            (Fraction(1, 4), 0.25),
        ],
    )
    def test_becomes_a_float(self, value, headroom):
        found = headroom_of(value)
        assert (type(found), found) == (float, headroom)
        assert math.copysign(1, found) == 1

    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            (1.5, "1.5, expected a number from 0 to below 1; for 1.5 percent use 0.015"),
            (30, "30, expected a number from 0 to below 1; for 30 percent use 0.3"),
            (100, "100, expected a number from 0 to below 1"),
            (-0.1, "-0.1, expected a number from 0 to below 1"),
            (math.nan, "nan, expected a number from 0 to below 1"),
            (math.inf, "inf, expected a number from 0 to below 1"),
            ("0.3", '"0.3", expected a number from 0 to below 1'),
            (True, "True, expected a number from 0 to below 1"),
            (False, "False, expected a number from 0 to below 1"),
            (None, "None, expected a number from 0 to below 1"),
            ([0.3], "[0.3], expected a number from 0 to below 1"),
            (np.bool_(False), "np.False_, expected a number from 0 to below 1"),
            (np.complex64(0.5), "np.complex64(0.5+0j), expected a number from 0 to below 1"),
            (np.array([0.5]), "array([0.5]), expected a number from 0 to below 1"),
            (np.bytes_(b"x"), "np.bytes_(b'x'), expected a number from 0 to below 1"),
            (Decimal("sNaN"), "Decimal('sNaN'), expected a number from 0 to below 1"),
            (10**400, "1" + "0" * 56 + "..., expected a number from 0 to below 1"),
        ],
    )
    def test_other_values_are_rejected(self, value, shown):
        assert message_of(headroom_of, value) == f"headroom: got {shown}"

    def test_margin_is_checked_alike(self):
        assert margin_of(0.3) == 0.3
        assert message_of(margin_of, 30) == (
            "margin: got 30, expected a number from 0 to below 1; for 30 percent use 0.3"
        )

    def test_a_fraction_that_rounds_up_to_one_is_rejected(self):
        message_of(headroom_of, Fraction(10**30 - 1, 10**30))


class TestWholeNumbers:
    """Members and threads are integers of 1 or more."""

    @pytest.mark.parametrize("value", [3, np.int8(3), np.uint64(3), np.array(3)])
    def test_integers_of_python_and_numpy(self, value):
        for found in (members_of(value), threads_of(value)):
            assert (type(found), found) == (int, 3)

    def test_threads_may_be_none(self):
        assert threads_of(None) is None

    @pytest.mark.parametrize(
        "value",
        [0, -1, True, np.bool_(1), 3.0, np.float64(3), "3", None, [3], np.array([3]), Decimal(3), math.nan],
    )
    def test_other_values_are_rejected(self, value):
        message = message_of(members_of, value)
        assert message.startswith("members: got ")
        assert message.endswith(", expected an integer of 1 or more")
        if value is not None:
            assert message_of(threads_of, value) == message.replace("members", "threads", 1)
