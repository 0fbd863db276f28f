"""The built-in tier tables, the tier of a single load, and the rules that a table must follow."""

from __future__ import annotations

import json
import math
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import EDGES, HEADROOMS, MB, twin

from etcdsize import Bound, OptionError, TableError, Tier, TierTable, classify, load_tiers, size
from etcdsize.base.text import shown

HARDWARE = "etcd-io/website op-guide/hardware.md"


class TestBuiltIn:
    """Guide, the four cluster sections; etcd-io/website content/en/docs/v3.5/op-guide/hardware.md, the same four."""

    @pytest.mark.parametrize(("table", "clients_inclusive"), [("guide", True), ("etcd.io", False)])
    def test_every_cell(self, table, clients_inclusive):
        rows = [
            (
                tier.name,
                *(
                    None if bound is None else (bound.limit, bound.inclusive)
                    for bound in (tier.clients, tier.requests_per_second, tier.data_bytes)
                ),
                tier.kubernetes_nodes,
            )
            for tier in load_tiers(table).tiers
        ]
        assert rows == [
            ("small", (100, clients_inclusive), (200, False), (100 * MB, True), 50),
            ("medium", (500, clients_inclusive), (1_000, False), (500 * MB, True), 250),
            ("large", (1_500, clients_inclusive), (10_000, False), (1_000 * MB, True), 1_000),
            ("xlarge", None, None, None, 3_000),
        ]

    @pytest.mark.parametrize("name", ["guide", "etcd.io"])
    def test_names_its_sources(self, name):
        table = load_tiers(name)
        assert table.name == name
        assert table.title
        assert table.source
        assert table.date
        for tier in table.tiers:
            assert tier.source.startswith("the guide, section" if name == "guide" else HARDWARE)

    def test_loaded_once(self):
        assert load_tiers("guide") is load_tiers("guide")

    def test_reference(self):
        table = load_tiers("guide")
        assert [table.reference(code, "clients").limit for code in range(4)] == [100, 500, 1_500, 1_500]


class TestTierCodes:
    """A load past any bound of a tier needs the next tier. The comparison is exact for Python's own numbers."""

    NUMBERS = (
        st.integers(0, 2**64 - 1)
        | st.floats(0, sys.float_info.max)
        | st.sampled_from([-0.0, 5e-324, sys.float_info.min, sys.float_info.max, 2**64 - 1, 2**53 + 1])
    )

    @given(st.data(), st.sampled_from(["guide", "etcd.io"]), HEADROOMS)
    def test_equals_twin_and_arrays(self, data, name, headroom):
        kept = 1 - Fraction(str(headroom))
        loads = []
        for edges in EDGES.values():
            limits = [*edges, *(limit * kept for limit in edges)]
            near = [
                n
                for limit in limits
                for n in (math.floor(limit), math.ceil(limit), float(limit), math.nextafter(limit, 0))
            ]
            near += [math.nextafter(limit, math.inf) for limit in limits]
            loads.append(data.draw(st.none() | self.NUMBERS | st.sampled_from(near)))
        codes = load_tiers(name).tier_codes(tuple(loads), headroom)
        for index, load in enumerate(loads):
            alone: list = [None, None, None]
            alone[index] = load
            if load is None:
                assert codes[index] is None
            else:
                assert codes[index] == twin(name, *alone, headroom) == classify(*alone, tiers=name, headroom=headroom)

    @pytest.mark.parametrize("headroom", [0, 0.1, 0.3, 1 / 3, 0.7, 0.9, 0.999, 0.123456789, 1e-17, 1 - 2**-53])
    @pytest.mark.parametrize("name", ["guide", "etcd.io"])
    def test_every_bound_and_its_neighbours(self, name, headroom):
        kept = 1 - Fraction(str(headroom))
        for index, edges in enumerate(EDGES.values()):
            for edge in edges:
                limit = float(edge * kept)
                near = [
                    math.floor(limit),
                    math.ceil(limit),
                    limit,
                    math.nextafter(limit, 0),
                    math.nextafter(limit, math.inf),
                ]
                for load in near:
                    loads: list = [None, None, None]
                    loads[index] = load
                    expected = twin(name, *loads, headroom)
                    assert load_tiers(name).tier_codes(tuple(loads), headroom)[index] == expected
                    loads[index] = [load]
                    assert classify(*loads, tiers=name, headroom=headroom) == [expected]

    @given(st.floats(5e-324, 1e299), HEADROOMS, st.booleans(), st.integers(-2, 2))
    def test_any_bound(self, limit, headroom, inclusive, steps):
        exact = Fraction(limit) * (1 - Fraction(str(headroom)))
        load = float(exact)
        for _ in range(abs(steps)):
            load = math.nextafter(load, math.inf if steps > 0 else 0)
        bound = Bound(limit=limit, inclusive=inclusive)
        table = TierTable(
            name="one",
            tiers=[
                Tier(name="in", clients=bound, requests_per_second=bound, data_bytes=bound, kubernetes_nodes=1),
                Tier(name="out", kubernetes_nodes=2),
            ],
        )
        past = load > exact if inclusive else load >= exact
        assert table.tier_codes((load, None, None), headroom) == (int(past), None, None)
        assert classify(load, None, None, tiers=table, headroom=headroom) == past


def rows() -> list[dict]:
    """Return the tiers of a valid table, for tests to make invalid."""
    return [
        {
            "name": name,
            "clients": {"limit": clients, "inclusive": True},
            "requests_per_second": {"limit": 10.5 * clients, "inclusive": False},
            "data_bytes": {"limit": clients * MB, "inclusive": True},
            "kubernetes_nodes": nodes,
        }
        for name, clients, nodes in [("small", 10, 5), ("medium", 20, 6)]
    ] + [{"name": "large", "kubernetes_nodes": 7}]


def changed(row: int, **fields) -> list[dict]:
    tiers = rows()
    tiers[row - 1].update(fields)
    return [{key: value for key, value in tier.items() if value is not ...} for tier in tiers]


def limit(value) -> dict:
    return {"limit": value, "inclusive": True}


NUMBER = "expected a finite number above 0"
INVALID_TABLES = {
    "duplicate name": (
        changed(3, name="small"), 3, "name",
        'got "small", which is already the name of row 1; give each tier its own name'),
    "falling bound": (
        changed(2, clients=limit(9)), 2, "clients",
        'got 9, expected more than the 10 of "small": bounds must increase from tier to tier'),
    "equal bounds": (
        changed(2, data_bytes=limit(10 * MB)), 2, "data_bytes",
        'got 10000000, expected more than the 10000000 of "small": bounds must increase from tier to tier'),
    "missing bound": (
        changed(1, requests_per_second=None), 1, "requests_per_second",
        'got no bound in "small", expected one: only the last tier is open'),
    "absent bound": (
        changed(2, data_bytes=...), 2, "data_bytes",
        'got no bound in "medium", expected one: only the last tier is open'),
    "bound in the last": (
        changed(3, clients=limit(99)), 3, "clients",
        'got a bound in the last tier "large", expected none: every load fits the last tier'),
    "falling nodes": (
        changed(3, kubernetes_nodes=6), 3, "kubernetes_nodes",
        'got 6, expected more than the 6 of "medium": nodes must increase from tier to tier'),
    "no nodes": (changed(2, kubernetes_nodes=...), 2, "kubernetes_nodes", "missing; the field is required"),
    "no name": (changed(2, name=...), 2, "name", "missing; the field is required"),
    "no nodes at all": (
        changed(1, kubernetes_nodes=0), 1, "kubernetes_nodes", "got 0, expected greater than 0"),
    "nodes are whole": (
        changed(1, kubernetes_nodes=1.5), 1, "kubernetes_nodes", "got 1.5, expected a valid integer"),
    "nodes are no text": (
        changed(1, kubernetes_nodes="1"), 1, "kubernetes_nodes", 'got "1", expected a valid integer'),
    "one tier": (rows()[2:], None, "tiers", "got 1 row, expected at least 2"),
    "unknown field": (
        changed(2, data_byte=limit(1)), 2, "data_byte",
        "unknown field; expected name, clients, requests_per_second, data_bytes, kubernetes_nodes, source; "
        'did you mean "data_bytes"?'),
    "unknown field of a bound": (
        changed(2, clients={"limit": 20, "inclusive": True, "inclusiv": 1}), 2, "clients.inclusiv",
        'unknown field; expected limit, inclusive; did you mean "inclusive"?'),
    "text limit": (changed(2, clients=limit("20")), 2, "clients.limit", f'got "20", {NUMBER}'),
    "boolean limit": (changed(2, clients=limit(True)), 2, "clients.limit", f"got True, {NUMBER}"),
    "negative": (changed(2, clients=limit(-1)), 2, "clients.limit", f"got -1, {NUMBER}"),
    "zero": (changed(1, clients=limit(0)), 1, "clients.limit", f"got 0, {NUMBER}"),
    "NaN": (changed(1, clients=limit(math.nan)), 1, "clients.limit", f"got nan, {NUMBER}"),
    "infinite": (changed(2, clients=limit(math.inf)), 2, "clients.limit", f"got inf, {NUMBER}"),
    "no inclusive": (changed(1, clients={"limit": 1}), 1, "clients.inclusive", "missing; the field is required"),
    "inclusive is no number": (
        changed(1, clients={"limit": 1, "inclusive": 1}), 1, "clients.inclusive", "got 1, expected a valid boolean"),
}  # fmt: skip


@pytest.mark.parametrize("case", INVALID_TABLES)
class TestInvalidTables:
    """Names are unique, bounds and nodes increase strictly, and only the last tier is open, in every dimension."""

    def test_in_python(self, case):
        tiers, row, field, reason = INVALID_TABLES[case]
        with pytest.raises(TableError) as caught:
            TierTable(name="mine", tiers=tiers)
        where = ", ".join([*([f"row {row}"] if row else []), field])
        assert str(caught.value) == f"TierTable: {where}: {reason}"
        assert (caught.value.file, caught.value.row, caught.value.field) == (None, row, field)

    def test_in_a_file(self, case, tmp_path):
        tiers, row, field, reason = INVALID_TABLES[case]
        file = tmp_path / "mine.json"
        file.write_text(json.dumps({"name": "mine", "tiers": tiers}))
        with pytest.raises(TableError) as caught:
            load_tiers(file)
        where = ", ".join([*([f"row {row}"] if row else []), field])
        assert str(caught.value) == f"{file}: {where}: {reason}"
        assert (caught.value.file, caught.value.row, caught.value.field) == (str(file), row, field)


class TestModels:
    """A model rejects invalid input with an EtcdSizeError and cannot be changed."""

    @pytest.mark.parametrize(
        ("inclusive", "load", "fits"),
        [(True, 99, True), (True, 100, True), (True, 100.5, False), (False, 99.5, True), (False, 100, False)],
    )
    def test_a_bound_alone(self, inclusive, load, fits):
        """ "At most" or "below"."""
        bound = Bound(limit=100, inclusive=inclusive)
        assert bound.fits(load) is fits
        assert bound.exact() == (100, inclusive)
        assert bound.exact(0.3) == (70, inclusive)

    def test_what_is_left_out(self):
        table = TierTable(name="mine", tiers=rows())
        assert (table.title, table.source, table.date, table.tiers[0].source) == ("", "", "", "")

    def test_bounds_of_what_is_no_dimension(self):
        with pytest.raises(OptionError, match=r"^dimension: got \"client\", expected "):
            load_tiers("guide").bounds("client")

    def test_at_most_255_tiers(self):
        """The codes of the rows of a fleet are bytes, and one of them means that a row cannot be sized."""
        tiers = [changed(1, name=f"t{n}", kubernetes_nodes=n, clients=limit(n))[0] for n in range(1, 256)]
        for n, tier in enumerate(tiers, 1):
            tier |= {"requests_per_second": limit(n), "data_bytes": limit(n)}
        last = {"name": "last", "kubernetes_nodes": 1_000}
        assert len(TierTable(name="mine", tiers=[*tiers[:254], last]).tiers) == 255
        with pytest.raises(TableError, match=r"^TierTable: tiers: got 256 rows, expected at most 255$"):
            TierTable(name="mine", tiers=[*tiers, last])

    def test_a_tier_alone(self):
        with pytest.raises(TableError, match=r"^Tier: client: unknown field; .*; did you mean \"clients\"\?$"):
            Tier(name="small", client=limit(5), kubernetes_nodes=1)
        with pytest.raises(TableError, match=r"^Bound: limit: got inf, expected a finite number above 0$"):
            Bound(limit=math.inf, inclusive=True)

    def test_more_faults_are_counted(self):
        with pytest.raises(TableError, match=r"^Bound: limit: missing; the field is required \(1 more\)$"):
            Bound()

    def test_a_table_cannot_be_changed(self):
        with pytest.raises(ValueError, match="frozen"):
            load_tiers("guide").tiers[0].name = "tiny"

    @pytest.mark.parametrize("name", ["", " small", "small ", "a\nb", "x" * 201])
    def test_names_without_surrounding_spaces_or_line_breaks(self, name):
        with pytest.raises(TableError, match=r"^Tier: name: "):
            Tier(name=name, kubernetes_nodes=1)


class TestRejectedArguments:
    """Every method rejects what it cannot use, and says which argument that is."""

    TABLE = load_tiers("guide")
    BOUND = Bound(limit=5, inclusive=True)
    LOADS = "expected clients, requests_per_second, data_bytes, each a number or None"

    @pytest.mark.parametrize("load", [-1, math.nan, math.inf, -math.inf, "5", True])
    def test_a_load(self, load):
        message = f"load: got {shown(load)}, expected a finite number of 0 or more"
        for make in (
            lambda: self.BOUND.fits(load),
            lambda: self.TABLE.tier_codes((load, None, None)),
        ):
            with pytest.raises(OptionError) as caught:
                make()
            assert (str(caught.value), caught.value.option) == (message, "load")

    @pytest.mark.parametrize("headroom", [-0.1, 1, math.nan, "x", None])
    def test_a_headroom(self, headroom):
        for make in (
            lambda: self.BOUND.exact(headroom),
            lambda: self.TABLE.tier_codes((1, 2, 3), headroom),
        ):
            with pytest.raises(OptionError, match=r"^headroom: got ") as caught:
                make()
            assert caught.value.option == "headroom"

    @pytest.mark.parametrize("dimension", ["rps", "kubernetes_nodes", "names", None, 5])
    def test_a_dimension(self, dimension):
        for make in (
            lambda: self.TABLE.tiers[0].bound(dimension),
            lambda: self.TABLE.bounds(dimension),
            lambda: self.TABLE.reference(0, dimension),
        ):
            with pytest.raises(OptionError, match=r"^dimension: got .*, expected clients, ") as caught:
                make()
            assert caught.value.option == "dimension"

    @pytest.mark.parametrize("code", [-1, 4, 2**64, 0.5, "0", None, True])
    def test_the_index_of_a_tier(self, code):
        with pytest.raises(OptionError) as caught:
            self.TABLE.reference(code, "clients")
        assert str(caught.value) == f"code: got {shown(code)}, expected the index of a tier, from 0 to 3"
        assert (caught.value.option, caught.value.value) == ("code", code)

    @pytest.mark.parametrize("loads", [(), (1, 2), (1, 2, 3, 4), "123", {1, 2, 3}, None, 5])
    def test_loads(self, loads):
        with pytest.raises(OptionError) as caught:
            self.TABLE.tier_codes(loads)
        assert str(caught.value) == f"loads: got {shown(loads)}, {self.LOADS}"
        assert (caught.value.option, caught.value.value) == ("loads", loads)

    def test_loads_may_be_a_list(self):
        assert self.TABLE.tier_codes([100, 200, None]) == (0, 1, None)


class TestLoad:
    """A name or the path of a file; the error for anything else says so."""

    @pytest.mark.parametrize(
        ("name", "hint"),
        [
            ("gide", '; did you mean "guide"?'),
            ("Guide", '; did you mean "guide"?'),
            ("etcd", '; did you mean "etcd.io"?'),
            ("nothing-like-it.json", ""),
            ("", ""),
            ("a\0b", ""),
        ],
    )
    def test_an_unknown_name_is_rejected(self, name, hint):
        with pytest.raises(OptionError) as caught:
            load_tiers(name)
        shown = name.replace("\0", "\\x00")
        assert str(caught.value) == f'tiers: got "{shown}", expected guide, etcd.io or the path of a JSON file{hint}'
        assert (caught.value.option, caught.value.value) == ("tiers", name)

    @pytest.mark.parametrize("name", ["x" * 5_000, Path("guide"), Path("/nowhere/tiers.json"), 5, None, ["guide"]])
    def test_other_values_are_rejected(self, name):
        with pytest.raises(OptionError, match=r"expected guide, etcd.io or the path of a JSON file"):
            load_tiers(name)

    def test_a_directory_is_rejected(self, tmp_path):
        with pytest.raises(OptionError, match=r"or the path of a JSON file"):
            load_tiers(tmp_path)

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            (b"", "not JSON: EOF while parsing a value at line 1 column 0"),
            (b'{"name": "x",', "not JSON: EOF while parsing a value at line 1 column 13"),
            (b"\xff\xfe", "not JSON: expected value at line 1 column 1"),
            (b"[]", "got [], expected an object"),
            (b"{}", "name: missing; the field is required (1 more)"),
            (b'{"name": "x", "name": "x", "tiers": []}', 'not JSON: an object has the field "name" more than once'),
            (
                b'{"name": "x", "tiers": [{"clients": {"limit": 1, "limit": 2}}]}',
                'not JSON: an object has the field "limit" more than once',
            ),
            (
                b'{"name": "x", "date": "2026", "tiers": 5}',
                'date: got "2026", expected a date such as "2026-11-25" (1 more)',
            ),
            (b'{"name": "x", "tiers": 5}', "tiers: got 5, expected a valid array"),
            (b'{"name": "x", "tiers": [5, 6]}', "row 1: got 5, expected an object (1 more)"),
        ],
    )
    def test_a_broken_file_is_rejected(self, text, reason, tmp_path):
        file = tmp_path / "broken.json"
        file.write_bytes(text)
        with pytest.raises(TableError) as caught:
            load_tiers(str(file))
        assert str(caught.value) == f"{file}: {reason}"
        assert caught.value.file == str(file)

    def test_a_users_own(self, tmp_path):
        file = tmp_path / "mine.json"
        file.write_text(json.dumps({"name": "mine", "tiers": rows()}))
        table = load_tiers(file)
        assert table == load_tiers(str(file)) == TierTable(name="mine", tiers=rows())
        assert hash(table) == hash(load_tiers(file))
        assert table.names == ("small", "medium", "large")
        assert classify([10, 11, 21], None, [0, 0, 0], tiers=file).tolist() == [0, 1, 2]
        sizing = size(clients=5, requests_per_second=105, tiers=str(file), provider="aws")
        assert (sizing.tier, sizing.tiers, sizing.machine.machine_type) == ("medium", "mine", "m4.xlarge")
        assert sizing.utilization == {"clients": 0.25, "requests_per_second": 0.5}

    def test_a_table_that_the_catalog_does_not_know(self):
        tiers = rows()
        tiers[0]["name"] = "tiny"
        table = TierTable(name="mine", tiers=tiers)
        assert classify(5, None, None, tiers=table) == 0
        sizing = size(clients=5, tiers=table)
        assert (sizing.tier, sizing.machines) == ("tiny", {})
        reasons = [notice.text for notice in sizing.notices if notice.code == "no-machine-fits"]
        for provider, reason in zip(("aws", "gce"), reasons, strict=True):
            assert reason.startswith(
                f'the catalog "guide" has no {provider} machine for the tier "tiny"; it has machines for small, '
                "medium, large, xlarge. "
            )
