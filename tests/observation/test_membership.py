"""Whether the members that answered are one cluster, the whole of it, and which of them vote."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from members import aged, alone, captured, member
from servers import answering, serving

from etcdsize import MemberStatus, Observation, combine_scrapes, read_metrics
from etcdsize.observation import observe as module
from etcdsize.observation.membership import Links

# Most start servers, one for each member.
pytestmark = pytest.mark.slow

THREE = ("a1", "b2", "c3")
OTHERS = ("d4", "e5", "f6")


def trio(number: int, ids: tuple[str, ...] = THREE, **figures) -> str:
    """Return the metrics of one of three members that know one another; the first leads."""
    peers = [one for one in ids if one != ids[number]]
    return member(ids[number], peers, leader=number == 0, **figures)


def combined(*texts: str) -> Observation:
    scrapes = {f"m{number}": read_metrics(text) for number, text in enumerate(texts)}
    return combine_scrapes(scrapes, scrapes, seconds=10)


def codes(observation: Observation) -> list[str]:
    return [notice.code for notice in observation.notices]


@contextlib.contextmanager
def served(*texts: str) -> Iterator[list[str]]:
    """Serve every text on a port of its own; yield the targets."""
    with contextlib.ExitStack() as stack:
        yield [f"127.0.0.1:{stack.enter_context(serving(answering(text)))}" for text in texts]


def observed(run, tmp_path: Path, groups: list[dict]) -> tuple[int, list[dict], str, dict]:
    """Observe targets; return the exit code, the rows, the report, and the summary as JSON."""
    (tmp_path / "t.json").write_text(json.dumps(groups))
    options = ["--targets", str(tmp_path / "t.json"), "--interval", "0.02s", "--provider", "aws"]
    code, out, err = run("observe", *options, "-o", str(tmp_path / "o.jsonl"), "--force")
    # Only clusters that were mixed are reported beside the summary.
    assert all(re.match(r"etcdsize: row \d+: .*the endpoints are not one cluster", line) for line in err.splitlines())
    again, summary, _ = run("observe", *options, "--json")
    assert again == code
    assert len(err.splitlines()) == len(json.loads(summary)["several_clusters"])
    rows = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text().splitlines()]
    return code, rows, out, json.loads(summary)


class TestOneCluster:
    def test_three_members_that_know_one_another_are_whole(self):
        observation = combined(*map(trio, range(3)))
        assert (observation.incomplete, observation.other_peers) == ((), ())
        assert (observation.requests_bound, observation.data_bound) == ("exact", "exact")
        assert (observation.member_count, observation.voting_members) == (3, 3)

    def test_members_that_were_not_asked_make_it_incomplete(self, run):
        observation = combined(trio(0))
        assert observation.other_peers == ("b2", "c3")
        assert observation.incomplete == ("the members know others that were not observed: b2, c3; name all members",)
        with served(trio(0)) as (url,):
            assert run("observe", url, "--interval", "0.02s")[0] == 1
        with served(*map(trio, range(3))) as urls:
            assert run("observe", *urls, "--interval", "0.02s")[0] == 0

    def test_members_that_are_down_are_known_since_3_6(self):
        """3.6 names the members of the cluster, itself included, and not only those it is connected to."""
        known = "".join(f'etcd_network_known_peers{{Local="a1",Remote="{one}"}} 1\n' for one in THREE)
        gone = 'etcd_network_known_peers{Local="a1",Remote="d4"} 0\n'
        observation = combined(member("a1", leader=True, more=known + gone))
        assert (observation.other_peers, observation.member_count) == (("b2", "c3"), 3)

    @pytest.mark.parametrize("asked", [1, 3])
    def test_member_without_a_leader_makes_it_incomplete(self, asked):
        """Two of three members are killed: what the third knows may be old."""
        scrapes = {"m0": read_metrics(member("a1", has_leader=False)), **dict.fromkeys(["m1", "m2"], "is down")}
        first = dict(list(scrapes.items())[:asked])
        observation = combine_scrapes(first, first, seconds=10)
        assert observation.incomplete[-1] == "m0: no leader"
        assert observation.data_bound == "lower"


SEVERAL = {
    "three and one": [*map(trio, range(3)), member("d4", leader=True)],
    "three and three": [*map(trio, range(3)), *(trio(number, OTHERS) for number in range(3))],
    "followers of two": [trio(1), trio(2, OTHERS)],
    "two of one member": [member("a1", leader=True), member("d4", leader=True)],
    "two leaders that name one another": [trio(0), member("b2", ["a1", "c3"], leader=True), trio(2)],
    "made alike, so that IDs are the same": [trio(0), *map(trio, range(1, 3)), trio(0, started=1.6e9)],
}


class TestSeveralClusters:
    """Members of two clusters under one name are never summed."""

    @pytest.mark.parametrize("texts", SEVERAL.values(), ids=SEVERAL)
    def test_they_are_named_and_nothing_is_summed(self, run, tmp_path, texts):
        observation = combined(*texts)
        assert (observation.requests_per_second, observation.data_bytes, observation.clients.count) == (None,) * 3
        assert observation.incomplete[0].startswith("the endpoints are not one cluster, so nothing is summed: ")
        assert "several-clusters" in codes(observation)
        assert not {"clients-unknown", "members-disagree"} & set(codes(observation))
        with served(*texts) as targets:
            groups = [{"targets": [one], "labels": {"cluster": "etcd", "zone": one}} for one in targets]
            code, (row,), out, summary = observed(run, tmp_path, groups)
            alone_code, printed, _ = run("observe", *targets, "--interval", "0.02s")
        assert (code, alone_code) == (1, 1)
        assert "\n  row 1: etcd: the endpoints are not one cluster, so nothing is summed: " in out
        assert row["observed_problem"].startswith("the endpoints are not one cluster")
        assert (row["tier"], row["data_bytes"], row["requests_per_second"]) == (None, None, None)
        assert (summary["complete"], summary["partial"]) == (0, 1)
        assert summary["several_clusters"] == summary["first_problems"]
        assert "[several-clusters]" in printed

    @pytest.mark.parametrize(("second", "mixed"), [(trio(0), True), ("is down", False)])
    def test_a_leader_that_died_is_no_sign(self, second, mixed):
        """The first scrape of a leader that did not answer again is from before another was elected."""
        texts = {"x": (trio(0), second), "y": (trio(1), member("b2", ["a1", "c3"], leader=True)), "z": (trio(2),) * 2}
        first, after = (
            {name: one if one == "is down" else read_metrics(one) for name, one in each}
            for each in zip(*([(name, one) for one in pair] for name, pair in texts.items()), strict=True)
        )
        observation = combine_scrapes(first, after, seconds=10)
        assert ("several-clusters" in codes(observation)) == mixed
        assert ("x, y lead at the same time" in observation.incomplete[0]) == mixed

    def test_same_id_of_one_process_is_one_member(self):
        observation = combined(trio(0), trio(0), *map(trio, range(1, 3)))
        assert observation.incomplete == ()
        assert "same-member-twice" in codes(observation)

    def test_metrics_without_peers_do_not_tell_clusters_apart(self):
        """A proxy or a profile of monitoring may drop them: then one leads and the others do not."""
        observation = combined(member("a1", leader=True), member("b2"), member("c3"))
        assert (observation.incomplete, observation.requests_bound) == ((), "exact")

    @pytest.mark.parametrize(
        ("other", "mixed"), [({}, False), ({"cluster_id": "2"}, True), ({"cluster_id": "2", "leader_id": None}, True)]
    )
    def test_statuses_of_two_clusters(self, other, mixed):
        first = MemberStatus(endpoint="http://a:1", member_id="a1", cluster_id="1", leader_id="a1")
        second = MemberStatus(endpoint="http://b:1", member_id="b2", **{"cluster_id": "1", "leader_id": "a1"} | other)
        one = read_metrics(member("a1", leader=True))
        observation = combine_scrapes({"x": one}, {"x": one}, seconds=1, status=[first, second])
        assert ("several-clusters" in codes(observation)) == mixed

    def test_status_of_another_cluster_than_the_metrics(self):
        one = MemberStatus(endpoint="http://z:1", member_id="9", cluster_id="1", leader_id="9", total_bytes=10**10)
        scrapes = {"x": read_metrics(trio(0))}
        observation = combine_scrapes(scrapes, scrapes, seconds=1, status=[one])
        assert "they belong to 2 clusters: x; http://z:1" in observation.incomplete[0]
        assert observation.total_bytes is None


class TestRows:
    """A targets file that lists the members of one cluster as groups of their own: the rows are one cluster."""

    def test_groups_of_one_member_each(self, run, tmp_path):
        """Nobody is asked again; the row stands where the first of them stands."""
        texts = [*(trio(number, OTHERS) for number in range(3)), member("9", leader=True), *map(trio, range(3))]
        with served(*texts) as targets:
            groups = [{"targets": [one], "labels": {"cls": "orders", "ins": one}} for one in targets]
            code, rows, out, summary = observed(run, tmp_path, groups)
        assert code == 0
        assert "3 clusters observed: 3 complete, 0 partial, 0 unreachable\n" in out
        assert (
            "\nClusters 1, 2 and 3 of the targets are one cluster with one row, as their members know one another: "
            "give their groups the same label cluster\nClusters 5, 6 and 7 of the targets are one cluster"
        ) in out
        assert summary["one_cluster"] == [[1, 2, 3], [5, 6, 7]]
        assert [row["members"] for row in rows] == [3, 1, 3]
        assert [row["ins"] for row in rows] == [";".join(targets[:3]), targets[3], ";".join(targets[4:])]
        assert [(row["cls"], row["requests_bound"], row["observed_problem"]) for row in rows] == [
            ("orders", "exact", None)
        ] * 3

    def test_they_are_what_one_group_of_them_is(self, run, tmp_path):
        with served(*(captured(number) for number in range(3)), member("9", leader=True)) as targets:
            *three, other = targets
            apart = [*({"targets": [one], "labels": {"clients": "9"}} for one in three), {"targets": [other]}]
            code, rows, _, _ = observed(run, tmp_path, apart)
            together = [{"targets": three, "labels": {"clients": "9"}}, {"targets": [other]}]
            joined_code, joined_rows, joined_out, summary = observed(run, tmp_path, together)
        assert (code, joined_code) == (0, 0)
        assert rows == joined_rows
        assert "are one cluster with one row" not in joined_out
        assert summary["one_cluster"] == []

    def test_one_that_lacks_a_member_stays_partial(self, run, tmp_path):
        ids = (*THREE, "d4")
        with served(trio(0, ids), trio(1, ids), trio(2, ids)) as targets:
            code, (row,), out, summary = observed(run, tmp_path, [{"targets": [one]} for one in targets])
        assert (code, summary["complete"], summary["partial"]) == (1, 0, 1)
        assert row["observed_problem"] == "the members know others that were not observed: d4; name all members"
        assert "\n  row 1: the members know others" in out

    def test_clusters_that_were_made_alike_stay_apart(self, run, tmp_path):
        """Members of theirs have the same IDs, so that nobody can tell which of them know one another."""
        texts = [trio(0), trio(1), trio(0, started=1.6e9), trio(1, started=1.6e9)]
        with served(*texts) as targets:
            code, rows, _, summary = observed(run, tmp_path, [{"targets": [one]} for one in targets])
        assert (code, len(rows), summary["one_cluster"], summary["partial"]) == (1, 4, [], 4)
        assert all(row["requests_bound"] == "lower" for row in rows)
        reason = "; clusters 1, 2, 3, 4 of the targets name one another's members as peers, but have a row each: "
        assert all(reason in row["observed_problem"] for row in rows)
        assert all("two processes with the member ID" in row["observed_problem"] for row in rows)
        assert reason in summary["first_problems"][0]["problem"]

    @pytest.mark.parametrize("names", [("prod", "staging"), ("", "")])
    @pytest.mark.parametrize("leads", [True, False])
    def test_parts_of_clusters_that_were_made_alike_stay_apart(self, run, tmp_path, names, leads):
        """Two leaders are two clusters, and so are two names: the members of each complete those of the other."""
        texts = [trio(0), member("b2", ["a1", "c3"], leader=leads), trio(2)]
        with served(*texts) as targets:
            groups = [{"targets": targets[:1]}, {"targets": targets[1:]}]
            groups = [one | {"labels": {"cluster": name}} for one, name in zip(groups, names, strict=True)]
            code, rows, _, summary = observed(run, tmp_path, groups)
        apart = leads or all(names)
        assert (code, summary["complete"], summary["partial"]) == ((1, 0, 2) if apart else (0, 1, 0))
        assert [row["members"] for row in rows] == ([3, 3] if apart else [3])
        assert {row["requests_bound"] for row in rows} == {"lower" if apart else "exact"}
        why = "they have different names" if all(names) else "lead at the same time"
        assert all((why in (row["observed_problem"] or "")) == apart for row in rows)

    @pytest.mark.parametrize("order", [1, -1])
    def test_a_member_of_a_whole_cluster_that_is_listed_again(self, run, tmp_path, order):
        with served(*map(trio, range(3)), member("9", leader=True)) as targets:
            groups = [{"targets": targets[:3]}, {"targets": targets[:1]}, {"targets": targets[3:]}][::order]
            code, rows, _, summary = observed(run, tmp_path, groups)
        assert (code, summary["complete"], summary["partial"], summary["one_cluster"]) == (1, 2, 1, [])
        whole, again, other = rows[::order]
        assert (whole["observed_problem"], other["observed_problem"]) == (None, None)
        number = 1 if order == 1 else 3
        assert again["observed_problem"].endswith(
            f"; cluster {number} of the targets has a member a1 too; if they are one cluster, it is counted twice: "
            "list it once"
        )

    def test_rows_that_cannot_be_joined_say_why(self, run, tmp_path, monkeypatch):
        def fail(*_arguments, **_options):
            raise ZeroDivisionError("at once")

        real = module.combine_scrapes
        monkeypatch.setattr(
            module, "combine_scrapes", lambda first, *a, **b: (fail if len(first) > 1 else real)(first, *a, **b)
        )
        with served(*map(trio, range(3))) as targets:
            code, rows, _, summary = observed(run, tmp_path, [{"targets": [one]} for one in targets])
        assert (code, len(rows), summary["partial"]) == (1, 3, 3)
        assert all("ZeroDivisionError: at once" in row["observed_problem"] for row in rows)

    def test_clients_that_differ_are_a_problem(self, run, tmp_path):
        with served(*map(trio, range(3))) as targets:
            groups = [{"targets": [one], "labels": {"clients": str(n)}} for n, one in enumerate(targets)]
            code, (row,), _, _ = observed(run, tmp_path, groups)
        assert (code, row["clients"]) == (1, None)
        assert row["observed_problem"].startswith("labels.clients: differs between groups of one cluster")

    def test_many_are_not_all_listed(self, run, tmp_path):
        ids = tuple(f"{number:x}" for number in range(16, 29))
        with served(*(trio(number, ids) for number in range(len(ids)))) as targets:
            _, rows, out, _ = observed(run, tmp_path, [{"targets": [one]} for one in targets])
        assert "\nClusters 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 3 more of the targets are one cluster" in out
        assert [row["members"] for row in rows] == [13]

    def test_a_row_that_lacks_members_of_no_other_row_stands_alone(self, run, tmp_path):
        with served(trio(0), member("9", leader=True)) as targets:
            _, _, out, summary = observed(run, tmp_path, [{"targets": [one]} for one in targets])
        assert "one cluster" not in out
        assert summary["one_cluster"] == []


class TestLearners:
    """A learner has the data and does not vote: three voters and a learner have a quorum of two."""

    LEARNER = "etcd_server_is_learner 1\n"

    def test_quorum_and_notices(self, run, tmp_path):
        ids = (*THREE, "d4")
        texts = [trio(number, ids) for number in range(3)]
        learner = member("d4", THREE, more=self.LEARNER)
        observation = combined(*texts, learner)
        assert (observation.member_count, observation.learner_count, observation.voting_members) == (4, 1, 3)
        assert observation.incomplete == ()
        with served(*texts, learner) as targets:
            code, out, _ = run("observe", *targets, "--interval", "0.02s", "--provider", "aws")
            _, (row,), _, _ = observed(run, tmp_path, [{"targets": targets}])
        assert code == 0
        assert out.startswith("members   4, of which 1 does not vote, leader ")
        assert "members    3 (quorum 2, failure tolerance 1)" in out
        assert "even-members" not in out
        assert (row["members"], row["learners"]) == (4, 1)

    def test_of_the_status_alone(self):
        learner = MemberStatus(endpoint="http://z:1", member_id="d4", cluster_id="1", leader_id="a1", is_learner=True)
        scrapes = {"x": read_metrics(member("a1", ["d4"], leader=True))}
        observation = combine_scrapes(scrapes, scrapes, seconds=1, status=[learner])
        assert (observation.member_count, observation.voting_members) == (2, 1)


class TestFailures:
    """How many more voters may fail while the cluster still writes: those that serve, less the quorum."""

    @staticmethod
    def left(voters: int, down: int, learners: int = 0, without_leader: int = 0) -> Observation:
        ids = [f"{number + 10:x}" for number in range(voters + learners)]
        first = {}
        for number, one in enumerate(ids):
            others = [other for other in ids if other != one]
            more = "etcd_server_is_learner 1\n" if number >= voters else ""
            has_leader = not down <= number < down + without_leader
            text = member(one, others, leader=number == voters - 1, more=more, has_leader=has_leader)
            first[one] = read_metrics(text) if number >= down else "is down"
        return combine_scrapes(first, first, seconds=10)

    @pytest.mark.parametrize("learners", [0, 1, 2])
    @pytest.mark.parametrize(("voters", "down"), [(n, down) for n in range(1, 8) for down in range(n)])
    def test_voters_that_serve_less_the_quorum(self, voters, down, learners):
        observation = self.left(voters, down, learners)
        # The slow twin lets one after the other fail.
        left, serving = 0, voters - down
        while serving - left - 1 > voters / 2:
            left += 1
        assert observation.failures_left == left

    def test_member_without_a_leader_does_not_serve(self):
        assert self.left(5, 1).failures_left == 1
        assert self.left(5, 1, without_leader=1).failures_left == 0

    def test_nobody_answers(self):
        assert combine_scrapes({"a": "is down", "b": "is down"}).failures_left is None

    def test_members_that_were_not_asked(self):
        assert combined(trio(0)).failures_left is None

    def test_member_that_fails_between_the_scrapes(self):
        scrapes = {f"m{number}": read_metrics(trio(number)) for number in range(3)}
        observation = combine_scrapes(scrapes, scrapes | {"m2": "is down"}, seconds=10)
        assert observation.failures_left == 0
        assert observation.members[2].member_id == "c3"

    def test_report_and_row(self, run, tmp_path):
        ids = ("a1", "b2", "c3", "d4", "e5")
        with served(*(trio(number, ids) for number in range(4))) as targets:
            targets = [*targets, "127.0.0.1:1"]
            _, out, _ = run("observe", *targets, "--interval", "0.02s")
            _, printed, _ = run("observe", *targets, "--interval", "0.02s", "--json")
            _, (row,), _, _ = observed(run, tmp_path, [{"targets": targets}])
        assert "\nfailures  4 of 5 voters serve, if those that did not answer have failed; 1 more may fail\n" in out
        assert json.loads(printed)["observation"]["failures_left"] == row["failures_left"] == 1

    def test_report_without_a_quorum(self, run):
        with served(trio(0, has_leader=False)) as (target,):
            _, out, _ = run("observe", target, "127.0.0.1:1", "127.0.0.2:1", "--interval", "0.02s")
        serve = "0 of 3 voters serve, if those that did not answer have failed, fewer than the quorum of 2: no writes"
        assert f"\nfailures  {serve}\n" in out

    def test_whole_cluster_has_no_such_line(self, run):
        with served(*map(trio, range(3))) as targets:
            assert "failures " not in run("observe", *targets, "--interval", "0.02s")[1].partition("\ntier ")[0]


class TestVerdicts:
    """A verdict is money and risk: nothing is called too large unless the whole cluster and its load are known."""

    DEAD = "127.0.0.1:1"

    @staticmethod
    def row(run, tmp_path: Path, targets: list[str], **labels: str) -> dict:
        group = {"targets": targets, "labels": {"current_machine": "m6a.4xlarge", **labels}}
        _, (row,), _, _ = observed(run, tmp_path, [group])
        return row

    def test_whole_cluster_is_judged(self, run, tmp_path):
        with served(*map(trio, range(3))) as targets:
            row = self.row(run, tmp_path, targets, clients="50")
        assert (row["verdict"], row["observed_problem"]) == ("over", None)
        assert row["cost_difference_per_month"] < 0

    def test_file_as_an_upper_bound_of_the_data_is_enough(self, run, tmp_path):
        with served(*(trio(number, data_bytes=None) for number in range(3))) as targets:
            row = self.row(run, tmp_path, targets, clients="50")
        assert (row["verdict"], row["data_bound"]) == ("over", "upper")

    def test_upper_bound_of_the_requests_is_enough(self, run, tmp_path):
        """gRPC does not count every call of the leader, so that etcd's own counts stand for it, which are no less."""
        more = 'etcd_server_client_requests_total{type="unary"} 90000\netcd_debugging_lease_renewed_total 0\n'
        with served(trio(0, more=more), trio(1), trio(2)) as targets:
            row = self.row(run, tmp_path, targets, clients="50")
        assert (row["verdict"], row["requests_bound"]) == ("over", "upper")

    @pytest.mark.parametrize("listed", [1, 3])
    def test_two_of_three_members_killed(self, run, tmp_path, listed):
        with served(member("a1", has_leader=False)) as (alive,):
            row = self.row(run, tmp_path, [alive, self.DEAD, "127.0.0.2:1"][:listed], clients="50")
        assert row["verdict"] == "unknown"
        assert row["cost_difference_per_month"] is None
        assert "no leader" in row["observed_problem"]

    @pytest.mark.parametrize(
        ("asked", "clients"),
        [
            ([trio(0), trio(1)], "50"),
            ([*map(trio, range(3)), member("d4", leader=True)], "50"),
            ([*map(trio, range(3))], None),
        ],
        ids=["a member was not asked", "two clusters", "clients are unknown"],
    )
    def test_what_is_not_known_is_not_judged(self, run, tmp_path, asked, clients):
        with served(*asked) as targets:
            row = self.row(run, tmp_path, targets, **({} if clients is None else {"clients": clients}))
        assert row["verdict"] == "unknown"
        assert row["cost_difference_per_month"] is None

    def test_lower_bound_may_still_be_too_much(self, run, tmp_path):
        """One of three members is down, and what the others hold is more than the machine is for."""
        texts = [trio(number, data_bytes=2 * 10**9, file_bytes=2 * 10**9) for number in range(2)]
        with served(*texts) as targets:
            group = {"targets": [*targets, self.DEAD], "labels": {"current_machine": "m6a.large", "clients": "50"}}
            _, (row,), _, _ = observed(run, tmp_path, [group])
        assert row["verdict"] == "under"


@given(st.lists(st.tuples(st.integers(0, 9), st.lists(st.integers(0, 9), max_size=3)), max_size=12))
def test_links_against_sets(steps):
    """The slow twin merges sets."""
    links, sets = Links(), [{number} for number in range(10)]
    for one, others in steps:
        links.join(str(one), map(str, others))
        for other in others:
            merged = next(each for each in sets if one in each) | next(each for each in sets if other in each)
            sets = [each for each in sets if each.isdisjoint(merged)] + [merged]
    for each in sets:
        assert len({links.first(str(number)) for number in each}) == 1
    assert len({links.first(str(number)) for number in range(10)}) == len(sets)


def test_helpers_make_what_they_say():
    """The tests stand on them."""
    assert read_metrics(alone(captured(0))).peers == ()
    assert read_metrics(captured(0)).peers == ("c6633392c0f2e19c", "cc83f3473f979d84")
    assert read_metrics(aged(captured(0), 10)).started_unix_seconds > read_metrics(captured(0)).started_unix_seconds
