"""A profile is a workload in which nearly everything may be known, roughly or not at all."""

from __future__ import annotations

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import Amount, Assumption, InvalidWorkloadError, ObjectKind, OptionError, Profile, WorkloadTypeError, size
from etcdsize.resources.fields import FIELD_UNITS
from etcdsize.resources.profile import known_field

PODS = {"name": "pods", "count": 3_000, "value_bytes": "5kB..20kB"}
KEYS_AND_SIZES = "the number of keys times the size of a key and its value; correct one of them"


class TestFields:
    """Every field is optional; an amount is a number, text with the field's units, or a range."""

    def test_every_amount_has_its_unit(self):
        amounts = [name for name, field in Profile.model_fields.items() if field.annotation == Amount | None]
        assert amounts == list(FIELD_UNITS)
        for name in amounts:
            assert (FIELD_UNITS[name] == "bytes") == name.endswith("_bytes")
            assert (FIELD_UNITS[name] == "rate") == name.endswith("_per_second")
            assert (FIELD_UNITS[name] == "duration") == name.endswith("_seconds")

    @pytest.mark.parametrize("field", [name for name in FIELD_UNITS if not name.startswith(("lease_", "keys_per"))])
    @pytest.mark.parametrize("value", [7, "7..9", (7, 8, 9), Amount(low=7, likely=8, high=9)])
    def test_every_amount_may_be_a_range(self, field, value):
        assert getattr(Profile(**{field: value}), field) == Amount.of(value)

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            (
                {"value_bytes": "1,000MB"},
                'value_bytes: got "1,000MB", expected bytes or a size such as "8GB" or "8GiB", or a range such as '
                '"1kB..3kB"; did you mean "1000MB"?',
            ),
            (
                {"history_seconds": "1h..2"},
                'history_seconds: got "1h..2", expected seconds or a duration such as "10s", "500ms", "5m" or "1h", '
                'or a range such as "1h..2h"',
            ),
            ({"keys": -1}, "keys: got -1, expected a number of 0 or more"),
            ({"keys": 1e51}, "keys: got 1e+51, expected an amount of at most 1e+50"),
            ({"puts_per_commit": 0.5}, "puts_per_commit: got 0.5, expected an amount of 1 or more"),
            ({"puts_per_transaction": "0..1"}, 'puts_per_transaction: got "0..1", expected an amount of 0.001 or more'),
            ({}, "nothing known of the load, expected at least one field of Profile"),
            ({"clients_bound": "upper"}, "nothing known of the load, expected at least one field of Profile"),
            (
                {"clients": 5, "objects": [{**PODS, "cuont": 5}]},
                "objects, row 1: cuont: unknown field; expected name, count, value_bytes, writes_per_second, "
                'key_bytes; did you mean "count"?',
            ),
            (
                {"objects": [PODS, {**PODS, "value_bytes": "x"}]},
                'objects, row 2: value_bytes: got "x", expected bytes or a size such as "8GB" or "8GiB", or a range '
                'such as "1kB..3kB"',
            ),
        ],
    )
    def test_wrong_values_are_rejected(self, fields, message):
        with pytest.raises(InvalidWorkloadError) as caught:
            Profile(**fields)
        assert str(caught.value) == message

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"keys": True}, "keys: got True of type bool, expected a number of 0 or more"),
            ({"tls": 1}, "tls: got 1, expected true or false"),
            ({"objects": 3}, "objects: got 3, expected a list of kinds"),
            ({"objects": [3]}, "objects, row 1: got 3, expected a kind with name, count and value_bytes"),
        ],
    )
    def test_wrong_types_are_rejected(self, fields, message):
        with pytest.raises(WorkloadTypeError) as caught:
            Profile(**fields)
        assert str(caught.value) == message

    @pytest.mark.parametrize(
        ("dimension", "bound"),
        [("clients", "clients_bound"), ("requests_per_second", "requests_bound"), ("data_bytes", "data_bound")],
    )
    @pytest.mark.parametrize("value", ["1..3", (1, 3), [1, 2, 3], Amount.of((1, 3)), {"low": 1, "high": 3}])
    def test_the_dimensions_stay_single_numbers(self, dimension, bound, value):
        with pytest.raises(InvalidWorkloadError) as caught:
            Profile(**{dimension: value})
        assert str(caught.value).endswith(f'; for a range, give its high end, and {bound}="upper"')

    def test_an_unknown_field_is_rejected_with_the_nearest(self):
        with pytest.raises(InvalidWorkloadError, match=r'^Profile: valu_bytes: unknown field; .*"value_bytes"\?$'):
            Profile(valu_bytes=3)

    @pytest.mark.parametrize("name", ["", " pods", "a" * 318, 5, None])
    def test_names_of_kinds(self, name):
        with pytest.raises(InvalidWorkloadError, match=r"^ObjectKind: name: got .*, expected a name of 1 to 317 char"):
            ObjectKind(**{**PODS, "name": name})

    def test_json(self):
        profile = Profile(clients=5, keys="200..900", tls=False, history_seconds=3_600)
        kinds = Profile(objects=[ObjectKind(**PODS, writes_per_second="1..2", key_bytes=50)], data_bytes="20MB")
        for one in (profile, kinds):
            text = one.model_dump_json()
            assert Profile.model_validate_json(text) == one
            for mode in ("validation", "serialization"):
                jsonschema.validate(json.loads(text), Profile.model_json_schema(mode=mode))
        assert repr(profile).startswith("Profile(clients=5, keys=Amount(")


class TestLoads:
    """The guide's dimensions follow from the other fields where they can; what is given goes before."""

    @pytest.mark.parametrize(
        ("fields", "loads", "certainties"),
        [
            ({"clients": 3, "data_bytes": 5, "data_bound": "upper"}, (3, None, 5), ("exact", "exact", "upper")),
            ({"keys": 100, "key_bytes": 10, "value_bytes": 90}, (None, None, 10_000), ("exact", "exact", "exact")),
            ({"keys": 100, "key_bytes": 10, "value_bytes": "0..90"}, (None, None, 10_000), ("exact", "exact", "upper")),
            ({"keys": 100, "value_bytes": 90}, (None, None, 9_000), ("exact", "exact", "lower")),
            ({"keys": "1..100", "value_bytes": 90}, (None, None, 9_000), ("exact", "exact", "estimate")),
            ({"keys": 100}, (None, None, None), ("exact", "exact", "exact")),
            ({"reads_per_second": 5, "writes_per_second": 7}, (None, 12, None), ("exact", "exact", "exact")),
            ({"reads_per_second": "3..5", "writes_per_second": 7}, (None, 12, None), ("exact", "upper", "exact")),
            ({"writes_per_second": 7}, (None, 7, None), ("exact", "lower", "exact")),
            ({"writes_per_second": 7, "requests_per_second": 9}, (None, 9, None), ("exact", "exact", "exact")),
            (
                {"objects": [{**PODS, "writes_per_second": 8}], "key_bytes": 50, "puts_per_transaction": 2},
                (None, 4, 3_000 * 20_050),
                ("exact", "lower", "upper"),
            ),
            ({"objects": [PODS], "key_bytes": 50, "data_bytes": 4e7}, (None, None, 4e7), ("exact", "exact", "exact")),
            ({"tls": True}, (None, None, None), ("exact", "exact", "exact")),
        ],
    )
    def test_loads(self, fields, loads, certainties):
        profile = Profile(**fields)
        assert profile.loads == loads
        assert profile.certainties == certainties

    def test_a_profile_is_sized_like_the_workload(self):
        assert size(Profile(clients=300, watchers=5)).tier == size(clients=300).tier == "medium"


class TestContradictions:
    """What cannot all be true is rejected; a range counts with the end that contradicts least."""

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            (
                {"requests_per_second": 1_000, "reads_per_second": 900, "writes_per_second": "200..300"},
                "requests_per_second: got 1000, expected at least 1100: 900 reads and 200..300 writes a second; "
                "correct one of them",
            ),
            (
                {"requests_per_second": 1_000, "requests_bound": "upper", "writes_per_second": 1_001},
                "requests_per_second: got 1000, expected at least 1001: 1001 writes a second; correct one of them",
            ),
            (
                {"data_bytes": 1e6, "keys": 1e6, "value_bytes": 1_000},
                f"data_bytes: got 1 MB, expected at least 1 GB: {KEYS_AND_SIZES}",
            ),
            (
                {"data_bytes": 5, "key_bytes": 0, "value_bytes": 0},
                "data_bytes: got 5 B, expected 0: there are no keys, or empty ones; correct one of them",
            ),
            (
                {"data_bytes": 5, "keys": 0},
                "data_bytes: got 5 B, expected 0: there are no keys, or empty ones; correct one of them",
            ),
            (
                {"data_bytes": 1e12, "keys": 1e6, "value_bytes": 1_000, "key_bytes": 50},
                "data_bytes: got 1 TB, expected at most 1.05 GB, or 3 times that in etcd's file: " + KEYS_AND_SIZES,
            ),
            (
                {"data_bytes": "1MB", "objects": [PODS]},
                f"data_bytes: got 1 MB, expected at least 15 MB: {KEYS_AND_SIZES}",
            ),
            (
                {"largest_value_bytes": 5, "value_bytes": 6},
                "largest_value_bytes: got 5, expected at least 6: the average value is as large",
            ),
            (
                {"list_keys": 5, "keys": 4},
                "list_keys: got 5, expected at most 4: there are no more keys; correct one of them",
            ),
            (
                {"lease_ttl_seconds": 5},
                "lease_ttl_seconds: got 5, expected leases as well: how many leases there are is unknown; give leases",
            ),
            (
                {"leases": 5, "keys_per_lease": 4, "keys": 10},
                "keys_per_lease: got 4, expected at most 2: 5 leases would have more than the 10 keys there are; "
                "correct one of them",
            ),
            (
                {"objects": [PODS, PODS]},
                'objects: got "pods" more than once, expected each kind once: add up the counts',
            ),
            (
                {"objects": [PODS], "keys": 5},
                "keys: got 5, expected none: every kind of objects has a count of its own; leave it out",
            ),
            (
                {"objects": [{**PODS, "writes_per_second": 50}], "writes_per_second": 20, "puts_per_transaction": 2},
                "objects: got 50 writes/s of all kinds, expected at most 40: writes_per_second times "
                "puts_per_transaction; correct one of them",
            ),
            (
                {"objects": [{**PODS, "writes_per_second": 5}], "writes_per_second": 20, "puts_per_transaction": 2},
                "objects: got 5 writes/s of all kinds, expected at least 40: writes_per_second times "
                "puts_per_transaction; correct one of them",
            ),
            (
                {"watchers": 4, "watch_streams": 0},
                "watch_streams: got 0, expected at least 1: 4 watchers need a stream",
            ),
            (
                {"watchers": 0, "watch_events_per_second": 3},
                "watchers: got 0, expected at least 1: 3 events a second are delivered to a watch",
            ),
        ],
    )
    def test_rejected(self, fields, message):
        with pytest.raises(InvalidWorkloadError) as caught:
            Profile(**fields)
        assert str(caught.value) == message

    @pytest.mark.parametrize(
        "fields",
        [
            {"requests_per_second": 1_000, "reads_per_second": 900, "writes_per_second": "100..300"},
            {"requests_per_second": 0.3, "reads_per_second": 0.1, "writes_per_second": 0.2},
            {"requests_per_second": 10, "requests_bound": "lower", "writes_per_second": 20},
            {"requests_per_second": 10, "requests_bound": "estimate", "writes_per_second": 20},
            # What is in use in etcd's file.
            {"data_bytes": 2e9, "keys": 1e6, "value_bytes": 1_000},
            {"data_bytes": 1e9, "data_bound": "upper", "keys": 5, "value_bytes": 1_000},
            {"largest_value_bytes": 6, "value_bytes": 6},
            {"list_keys": "4..9", "keys": 4},
            {"leases": 5, "keys_per_lease": 2, "keys": 10},
            {"objects": [{**PODS, "writes_per_second": 50}], "writes_per_second": 20},
            {"watchers": 0, "watch_streams": 0, "watch_events_per_second": 0},
        ],
    )
    def test_accepted(self, fields):
        assert Profile(**fields)

    @given(st.floats(0, 1e9), st.floats(0, 1e9), st.floats(0, 1e9))
    def test_reads_and_writes_against_requests(self, requests, reads, writes):
        fields = {"requests_per_second": requests, "reads_per_second": reads, "writes_per_second": writes}
        if reads + writes > requests * 1.000001:
            with pytest.raises(InvalidWorkloadError, match=r"^requests_per_second: got "):
                Profile(**fields)
        elif reads + writes <= requests:
            assert Profile(**fields)


class TestAssumptions:
    """A profile may say which of its fields are assumed; each names a field."""

    def test_names(self):
        profile = Profile(objects=[PODS], watchers=5, assumptions=[assumed("watchers"), assumed("objects.pods.count")])
        assert [one.field for one in profile.assumptions] == ["watchers", "objects.pods.count"]
        assert known_field("data_bytes", profile) == "data_bytes"

    @pytest.mark.parametrize(("name", "hint"), [("watcher", "watchers"), ("objects.pods.cuont", "objects.pods.count")])
    def test_a_misspelt_field(self, name, hint):
        with pytest.raises(OptionError) as caught:
            known_field(name, Profile(objects=[PODS]))
        assert str(caught.value) == (
            f'assume: got "{name}", expected a field of Profile or objects.NAME.FIELD; did you mean "{hint}"?'
        )
        with pytest.raises(InvalidWorkloadError, match="expected a field of Profile"):
            Profile(objects=[PODS], assumptions=[assumed(name)])


def assumed(field: str) -> Assumption:
    return Assumption(field=field, value=Amount.of(5), why="It usually is.", source="our choice")
