"""The output of `etcdctl endpoint status` is read, and invalid output is rejected."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import result

from etcdsize import MemberStatus, ScrapeError, read_endpoint_status

OLD = (Path(__file__).parents[1] / "data" / "endpoint-status-3.4.23.json").read_text()
NEW = (Path(__file__).parents[2] / "docs" / "examples" / "observed" / "status.json").read_text()


def entry(**status) -> list:
    header = {"cluster_id": 1, "member_id": 255, "revision": 3, "raft_term": 2}
    return [{"Endpoint": "http://127.0.0.1:2379", "Status": {"header": header, "version": "3.6.14", **status}}]


class TestCaptured:
    """What etcdctl 3.4.23 and 3.5 printed of three members."""

    def test_3_4(self):
        statuses = read_endpoint_status(OLD)
        assert len(statuses) == 3
        assert len({status.cluster_id for status in statuses}) == 1
        assert [status.is_leader for status in statuses].count(True) == 1
        assert {status.version for status in statuses} == {"3.4.23"}
        assert statuses[0].member_id == "2d74bddf197d625"
        assert all(0 < status.data_bytes <= status.total_bytes for status in statuses)

    def test_3_5(self):
        leaders = [status.endpoint for status in read_endpoint_status(NEW.encode()) if status.is_leader]
        assert leaders == ["http://127.0.0.1:47057"]

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig"])
    def test_what_powershell_writes(self, encoding):
        assert read_endpoint_status(NEW.replace("\n", "\r\n").encode(encoding)) == read_endpoint_status(NEW)


class TestFields:
    """etcd leaves out what is zero; 3.6 adds the quota."""

    def test_3_6(self):
        (status,) = read_endpoint_status(entry(dbSizeQuota=2**31, leader=255, isLearner=True, errors=["NOSPACE"]))
        assert (status.quota_bytes, status.is_leader, status.is_learner) == (2**31, True, True)
        assert status.errors == ("NOSPACE",)

    def test_zero_is_left_out(self):
        (status,) = read_endpoint_status(entry())
        assert (status.leader_id, status.is_learner, status.errors, status.data_bytes) == (None, False, (), None)


class TestInvalidOutput:
    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ("", 'endpoint status: got "", expected the list that etcdctl endpoint status --write-out=json prints'),
            ("[]", 'endpoint status: got "[]", expected the list that etcdctl endpoint status --write-out=json prints'),
            ("<html>", "endpoint status: not JSON: Expecting value, line 1, column 1"),
            (NEW[:200], "endpoint status: not JSON: "),
            (
                [5],
                "endpoint status: row 1, the entry: got 5, expected an object, as etcdctl endpoint status "
                "--write-out=json prints it",
            ),
            ([{"Status": {}}], "endpoint status: row 1, Endpoint: got None, expected text"),
            (
                entry(dbSize="5"),
                'endpoint status: row 1 (http://127.0.0.1:2379), dbSize: got "5", expected a whole number of 0 or more',
            ),
            (
                entry(header={"cluster_id": 1}),
                "endpoint status: row 1 (http://127.0.0.1:2379), member_id: missing, although every member reports it",
            ),
            (entry(errors="x"), 'endpoint status: row 1 (http://127.0.0.1:2379), errors: got "x", expected a list'),
            (entry(isLearner=1), "endpoint status: row 1 (http://127.0.0.1:2379), isLearner: got 1, expected true"),
        ],
    )
    def test_names_the_endpoint_and_the_field(self, source, message):
        with pytest.raises(ScrapeError) as caught:
            read_endpoint_status(source)
        assert str(caught.value).startswith(message)
        assert len(str(caught.value).splitlines()) == 1

    @given(st.integers(0, len(NEW.rstrip()) - 1))
    def test_cut_off_anywhere(self, end):
        assert isinstance(result(read_endpoint_status, NEW[:end]), ScrapeError)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["Endpoint", "Status", "header", "cluster_id", "member_id", "version", "leader"]),
                    inner,
                    max_size=5,
                )
            ),
            max_leaves=10,
        )
    )
    def test_any_json(self, value):
        for source in (value, [value], json.dumps([value])):
            found = result(read_endpoint_status, source)
            assert isinstance(found, ScrapeError) or all(isinstance(one, MemberStatus) for one in found)


def digits_of_jq(number: int) -> int:
    """Return a number as jq before 1.7 prints it: 17 digits, then zeros."""
    if number < 10**16:
        return int(float(number))
    return int(f"{float(number):.16e}".replace(".", "").split("e")[0]) * 10 ** max(len(str(number)) - 17, 0)


def digits_of_javascript(number: int) -> int:
    """Return a number as JSON.stringify prints it: the fewest digits that name the float, then zeros."""
    if number < 10**16:
        return int(float(number))
    mantissa, _, exponent = repr(float(number)).partition("e+")
    return int(mantissa.replace(".", "").ljust(int(exponent) + 1, "0"))


class TestRoundedIds:
    """A program that keeps 53 bits of a number rounds IDs. Members would then be counted twice, under two IDs each."""

    @staticmethod
    def text(cluster: int, members: list[int], leader: int) -> str:
        return json.dumps(
            [
                {
                    "Endpoint": f"http://m{number}:2379",
                    "Status": {
                        "header": {"cluster_id": cluster, "member_id": member},
                        "version": "3.5.33",
                        "leader": leader,
                    },
                }
                for number, member in enumerate(members)
            ]
        )

    @staticmethod
    def ids(seed: int, count: int) -> list[int]:
        """Return IDs as etcd makes them: parts of a hash, of which every bit is as likely."""
        drawn = random.Random(seed)
        return [drawn.getrandbits(64) for _ in range(count)]

    @pytest.mark.parametrize("change", [digits_of_jq, digits_of_javascript, lambda number: int(float(number - 1024))])
    @given(st.integers(0, 10_000), st.integers(3, 7))
    def test_they_are_rejected(self, change, seed, count):
        cluster, *members = self.ids(seed, count + 1)
        changed = [change(member) for member in members]
        with pytest.raises(ScrapeError) as caught:
            read_endpoint_status(self.text(change(cluster), changed, changed[0]))
        assert "expected all of their digits: a program that rounds large numbers, such as jq before 1.7" in str(
            caught.value
        )
        assert str(caught.value).endswith("use what etcdctl endpoint status --write-out=json prints, unchanged")

    @given(st.integers(0, 10_000), st.integers(1, 7))
    def test_ids_of_etcd_are_read(self, seed, count):
        cluster, *members = self.ids(seed, count + 1)
        statuses = read_endpoint_status(self.text(cluster, members, members[0]))
        assert [int(one.member_id, 16) for one in statuses] == members

    def test_some_zeros_are_chance(self):
        members = [14158842764320888000, 14736889893021523123, 14295326347599470477]
        assert len(read_endpoint_status(self.text(3000504276416486000, members, members[0]))) == 3
        assert len(read_endpoint_status(self.text(1, [255], 255))) == 1


def test_other_output_of_etcdctl_is_named():
    """The table and the simple form have no IDs that can be trusted, or none at all."""
    for text in ("+----------+\n| ENDPOINT |\n", "http://127.0.0.1:2379, 8e9e05c52164694d, 3.5.33, 20 kB, true\n"):
        with pytest.raises(ScrapeError) as caught:
            read_endpoint_status(text)
        assert str(caught.value).endswith("; use what etcdctl endpoint status --write-out=json prints")
