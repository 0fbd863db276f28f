"""An error about missing columns says what to add, and nothing that it suggests would be read wrongly."""

import json
import re
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import ColumnError
from etcdsize.batches.column_names import Unit, read_name
from etcdsize.batches.columns import pick_columns
from etcdsize.batches.missing_columns import COMMAND_LINE
from etcdsize.units import DIMENSIONS

STEMS = (
    *("Database", "db sizes", "Datas", "size", "storage", "etcd_storage", "disk", "clinets", "Clients avg", "client"),
    *("qsp", "requests", "req", "Request rates", "queries", "rsp", "date", "name", "cost"),
)
UNITS = ("", "_mb", " (GiB)", " [kB]", "/min", " per hour", "_k", " (blocks)", "_pct", " per node", " $(rm x)")
NAMES = st.tuples(st.sampled_from(STEMS), st.sampled_from(UNITS)).map("".join)


def error_of(names):
    try:
        pick_columns(names)
    except ColumnError as error:
        return str(error)
    return ""


@given(st.lists(NAMES, min_size=1, max_size=6, unique=True))
def test_a_suggested_column_is_read_as_the_suggestion_says(names):
    """In the unit of the option, or of the column's own name; a column of a unit that is not known is not suggested."""
    for pair in re.findall(r'columns=(\{"\w+": "[^"]*"\})', error_of(names)):
        ((key, name),) = json.loads(pair).items()
        if name == "NAME":
            continue
        dimension = next(one for one in DIMENSIONS if one.startswith(key.split("_")[0]))
        others = [one for one in DIMENSIONS if one != dimension]
        found = pick_columns(names, {key: name}, others)[dimension]
        of_name, of_key = read_name(name).unit(dimension), read_name(key).unit(dimension)
        assert not isinstance(of_name, str)
        stated = of_name or (of_key if isinstance(of_key, Unit) else None)
        assert found.factor == (1 if stated is None else stated.factor)


@given(st.lists(NAMES, max_size=4, unique=True))
def test_every_missing_dimension_is_named_at_once_with_the_option_for_unknown_ones(names):
    message = error_of(names)
    if message.startswith("has no column for"):
        missing = json.loads(re.search(r"unknown=(\[.*?\])", message)[1])
        assert [one for one in DIMENSIONS if f"{one} (expected" in message] == missing
        with pytest.raises(ColumnError, match="every dimension is unknown") if len(missing) == 3 else nullcontext():
            pick_columns(names, unknown=missing)


@pytest.mark.parametrize("name", ["size" + " " * 200, "clinets" + "x" * 300])
def test_a_very_long_name_is_not_repeated_in_an_option(name):
    with pytest.raises(ColumnError) as caught:
        pick_columns([name], spelling=COMMAND_LINE)
    assert len(str(caught.value)) < 600
