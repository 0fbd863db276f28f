"""A profile file is TOML with one table, [load]."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import result

from etcdsize import Amount, ObjectKind, Profile, TableError, read_profile

WHOLE = """\
# What our shop's etcd holds.
[load]
clients = 40
requests_per_second = "2k"
requests_bound = "upper"
writes_per_second = [20, 50]
history_seconds = "1h..2h"
tls = true

[[load.objects]]
name = "carts"
count = "200000..300000"
value_bytes = "1kB..3kB"

[[load.objects]]
name = "shops"
count = 500
key_bytes = 40
value_bytes = 900
writes_per_second = { low = 0, likely = 1, high = 5 }
"""


class TestReadProfile:
    """The table has every field of a profile that is a load; the kinds are tables of their own."""

    def test_a_whole_file(self):
        expected = Profile(
            clients=40,
            requests_per_second=2_000,
            requests_bound="upper",
            writes_per_second=(20, 50),
            history_seconds=(3_600, 7_200),
            tls=True,
            objects=[
                ObjectKind(name="carts", count=(200_000, 300_000), value_bytes=(1_000, 3_000)),
                ObjectKind(
                    name="shops",
                    count=500,
                    key_bytes=40,
                    value_bytes=900,
                    writes_per_second=Amount(low=0, likely=1, high=5),
                ),
            ],
        )
        assert read_profile(WHOLE) == expected
        assert read_profile("\ufeff" + WHOLE) == expected
        assert read_profile(WHOLE.encode()) == expected
        assert read_profile(WHOLE.encode("utf-16")) == expected

    @pytest.mark.parametrize(
        ("text", "field", "message"),
        [
            ("", None, "got no table, expected the table [load]; write [load] above the fields"),
            ("[lod]\nkeys = 5", "lod", 'got the table "lod", expected the table [load] alone; did you mean "load"?'),
            ("[load]\nkeys = 5\n[plan]", "plan", 'got the table "plan", expected the table [load] alone'),
            ("keys = 5", "keys", 'got "keys" outside a table, expected the table [load] alone'),
            (
                "load = 5",
                "load",
                'got "load" outside a table, expected the table [load] alone; write [load] above its fields',
            ),
            ("[load]\nkeys = ", None, "not TOML: invalid value, at the end"),
            (
                "[load]\nkeys = 5\nkeys = 6\n",
                None,
                "not TOML: a field or a table is in it more than once, line 3, column 9",
            ),
            ("[load]\nkeys = nan", "keys", "load: keys: got nan, expected a number of 0 or more"),
            (
                "[load]\nkeys = 2026-11-27",
                "keys",
                "load: keys: got datetime.date(2026, 11, 27) of type date, expected a number of 0 or more",
            ),
            (
                '[load]\nclients = "1..3"',
                "clients",
                'load: clients: got "1..3", expected a number of 0 or more, not text; for a range, give its high end, '
                'and clients_bound="upper"',
            ),
            (
                '[load]\n[[load.objects]]\nname = "a"\ncount = 3\nvalue_bytes = "5kBs"',
                "objects.value_bytes",
                'load: objects, row 1: value_bytes: got "5kBs", expected bytes or a size such as "8GB" or "8GiB", or a '
                'range such as "1kB..3kB"; did you mean "5kB"?',
            ),
            (
                "[load]\nkeys = 4\nlist_keys = 5",
                "list_keys",
                "load: list_keys: got 5, expected at most 4: there are no more keys; correct one of them",
            ),
            *(
                (
                    f"[load]\nkeys = 4\nassumptions = {given}",
                    "assumptions",
                    f"load: assumptions: got {got}, expected no such field in a file: what is left out is assumed; "
                    "leave it out",
                )
                for given, got in (('["x"]', "['x']"), ("[]", "[]"), ("5", "5"))
            ),
            (b"\xff\xff", None, "not text: byte 0 is not utf-8"),
        ],
    )
    def test_what_is_wrong_is_rejected(self, text, field, message):
        with pytest.raises(TableError) as caught:
            read_profile(text, file="load.toml")
        assert str(caught.value) == f"load.toml: {message}"
        assert (caught.value.file, caught.value.field) == ("load.toml", field)

    def test_a_misspelt_field(self):
        with pytest.raises(TableError, match=r'^load.toml: load: kyes: unknown field; .*; did you mean "keys"\?$'):
            read_profile("[load]\nkyes = 4", file="load.toml")

    @pytest.mark.parametrize("text", ["[load]\nkeys = " + "9" * 5_000, "[load]\nkeys = " + "[" * 50_000])
    def test_hostile_text(self, text):
        with pytest.raises(TableError, match=r"^profile: not TOML: "):
            read_profile(text)

    @given(st.text() | st.from_regex(r"\[load\]\n(keys|tls|objects|clients) = .{0,9}", fullmatch=True))
    def test_any_text_is_a_profile_or_an_error(self, text):
        found = result(read_profile, text)
        assert isinstance(found, (Profile, TableError))
        assert str(found).isprintable()
