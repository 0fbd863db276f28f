"""One cluster of many that cannot be observed is that row's problem: the run goes on, and the file is written."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import socket
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from examples import examples
from hypothesis import Phase, given
from hypothesis import strategies as st
from members import alone, captured
from servers import Handler, answering, serving
from wrong_values import WRONG, is_ours

from etcdsize import ClientCount, EtcdSizeError, MemberLoad, Observation, observe
from etcdsize.base.text import one_line
from etcdsize.observation import observe as module
from etcdsize.observation.fleet import observe_fleet
from etcdsize.observation.http import Answer, MetricsClient
from etcdsize.observation.targets import ClusterTargets, read_targets

# Each waits for servers that misbehave.
pytestmark = pytest.mark.slow

METRICS, LATER = (alone(captured(0, when)) for when in ("before", "after"))
CLUSTERS, BAD = 7, 3


def started(method: str, value: object, service: str = "etcdserverpb.KV") -> str:
    return f'grpc_server_started_total{{grpc_method="{method}",grpc_service="{service}",grpc_type="x"}} {value}\n'


def with_metric(name: str, value: object) -> str:
    """Return the metrics with another value of one of them."""
    lines = [line for line in METRICS.splitlines(keepends=True) if not line.startswith(f"{name} ")]
    return "".join(lines) + f"{name} {value}\n"


def falling() -> Handler:
    """Return a handler that answers with counters that fall."""
    texts = iter([LATER, METRICS])
    return lambda connection: answering(next(texts))(connection)


BEYOND = "expected less than 2^64, as etcd counts in 64 bits"
FINITE = "expected a finite number of 0 or more"
CLOCKS = "a single scrape gives no rate without its time, which is unknown if the scrape was saved, or if the clocks of"
MEMBERS = {
    "Date before 1970": (
        answering(METRICS, headers="Date: Wed, 31 Dec 1969 23:59:59 GMT\r\n"),
        CLOCKS,
    ),
    "Date in the year 9999": (answering(METRICS, headers="Date: Fri, 31 Dec 9999 23:59:59 GMT\r\n"), CLOCKS),
    "start after its date": (
        answering(with_metric("process_start_time_seconds", 9e9)),
        "it was scraped before it started, by its own clock, which gives no rate",
    ),
    "Date of 1970": (
        answering(METRICS, headers="Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"),
        CLOCKS,
    ),
    "sums beyond floats": (
        answering(METRICS + "".join(started(f"Other{number}", 9e299) for number in range(20))),
        BEYOND,
    ),
    "sum beyond floats": (answering(METRICS + started("Range", 1e300, "v3lockpb.Lock")), BEYOND),
    "2**70 watches": (answering(METRICS + started("Other", 2**70, "etcdserverpb.Watch")), BEYOND),
    "infinite": (answering(with_metric("etcd_mvcc_db_total_size_in_bytes", "+Inf")), f"got inf, {FINITE}"),
    "NaN": (answering(with_metric("etcd_mvcc_db_total_size_in_bytes", "NaN")), f"got nan, {FINITE}"),
    "negative": (answering(with_metric("etcd_mvcc_db_total_size_in_bytes", -1)), f"got -1, {FINITE}"),
    "tiny": (
        answering(with_metric("etcd_server_quota_backend_bytes", "5e-324")),
        "got 5e-324, expected a whole number of bytes",
    ),
    "method that is no name": (
        answering(METRICS + started("Ra\x1b[31mnge\\n\u202e", 4)),
        r'got grpc_method="Ra\x1b[31mnge\n\u202e", expected the name of a method',
    ),
    "many methods": (
        answering(METRICS + "".join(started(f"Method{number}", 4) for number in range(200))),
        "got more than 100 methods, of which etcd has 20",
    ),
    "version of 3 MB": (
        answering(METRICS + f'etcd_server_version{{server_version="{"3" * 3_000_000}"}} 1\n'),
        "characters, expected at most 4096",
    ),
    "version with controls": (
        answering(METRICS.replace('server_version="3.5.1"', 'server_version="3.5.1\x1b[31m"')),
        r'got "3.5.1\x1b[31m", expected one server_version',
    ),
    "many lines": (
        answering(METRICS + "etcd_server_has_leader 1\n" * 100_000),
        "bytes of etcd's metrics, or in one line; etcd's own are about 150 kB",
    ),
    "peer that is no ID": (
        answering(captured(0).replace('To="', 'To="\x1b[31m')),
        r'got To="\x1b[31m',
    ),
}  # fmt: skip


def run_with(run, tmp_path: Path, bad: dict, *more: str, interval: str = "0") -> tuple[int, list[dict], str]:
    """Observe good clusters and a bad one; return the exit code, the rows and the report."""
    with serving(answering(METRICS)) as port:
        groups = [
            {"targets": [f"127.0.0.1:{port}"], "labels": {"cluster": f"c{number}", "provider": "aws"}}
            for number in range(CLUSTERS)
        ]
        groups[BAD] = bad
        (tmp_path / "t.json").write_text(json.dumps(groups))
        code, out, err = run(
            "observe",
            "--targets",
            str(tmp_path / "t.json"),
            "--interval",
            interval,
            "-o",
            str(tmp_path / "o.jsonl"),
            *more,
        )
    assert err == ""
    assert "Traceback" not in out
    return code, [json.loads(line) for line in (tmp_path / "o.jsonl").read_text().splitlines()], out


def assert_others_are_good(rows: list[dict]) -> dict:
    """Fail if a row other than the bad one has no answer, and return the bad one."""
    assert [row["cluster"] for row in rows if row["cluster"]] == [
        f"c{n}" for n in range(CLUSTERS) if rows[n]["cluster"]
    ]
    for number, row in enumerate(rows):
        assert number == BAD or (row["tier"] == "small" and row["observed_problem"] is None)
    assert len(rows) == CLUSTERS
    return rows[BAD]


@pytest.mark.parametrize("kind", MEMBERS)
def test_a_bad_member(run, tmp_path, kind):
    handler, problem = MEMBERS[kind]
    with serving(handler) as port:
        bad = {"targets": [f"127.0.0.1:{port}"], "labels": {"cluster": f"c{BAD}", "provider": "aws"}}
        code, rows, out = run_with(run, tmp_path, bad)
        row = assert_others_are_good(rows)
        if problem is None:
            assert (code, row["observed_problem"]) == (0, None)
            return
        assert code == 1
        assert row["observed_problem"].startswith(f"http://127.0.0.1:{port}: ")
        assert problem in row["observed_problem"]
        assert row["observed_problem"].isprintable()
        assert len(row["observed_problem"]) < 400
        assert f"row {BAD + 1}: c{BAD}: " in out
        # One cluster alone ends in the same problem, not in a traceback.
        (member,) = observe(f"127.0.0.1:{port}", interval=0).members
        assert problem in member.problem


DATES = ("soon", "", "\xff", "0", "1e400", "Fri, 31 Dec 9999 23:59:59 GMT", "Sat, 01 Jan 0000 00:00:00 GMT",
         "Wed, 99 Foo 2026 99:99:99 GMT", "Mon, 01 Jan 0001 00:00:00 -0000")  # fmt: skip


@pytest.mark.parametrize("date", DATES)
def test_any_date_gives_an_answer(date):
    with serving(answering(METRICS, headers=f"Date: {date}\r\n")) as port:
        (member,) = observe(f"127.0.0.1:{port}", interval=0).members
    assert member.problem is None or member.requests_per_second is None
    assert member.data_bytes == 1_110_016


def test_counters_that_fall_are_a_restart(run, tmp_path):
    with serving(falling()) as port:
        bad = {"targets": [f"127.0.0.1:{port}"], "labels": {"cluster": f"c{BAD}", "provider": "aws"}}
        _, rows, _ = run_with(run, tmp_path, bad, interval="0.1s")
    row = assert_others_are_good(rows)
    assert "member-restarted" in row["observed_notices"]
    assert row["requests_bound"] == "lower"
    assert row["requests_per_second"] >= 0


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ({"labels": {"cluster": "c3", "rack": 5}}, "row 4, labels.rack: got 5, expected a label name with a text"),
        ({"labels": {"cluster": "c3", "rack": ["a"]}}, "row 4, labels.rack: got a list of 1, expected a label"),
        ({"labels": {"cluster": "c3", "rack": "\ud800"}}, r'row 4, labels.rack: got "\ud800", expected a label name'),
        ({"labels": {"cluster": 5}}, "row 4, labels.cluster: got 5, expected a label name"),
        ({"labels": {"cluster": "c3", "clients": "many"}}, 'row 4, labels.clients: got "many", expected a count'),
        ({"labels": {"cluster": "c3", "clients": 1e308}}, "row 4, labels.clients: got 1e+308"),
        ({"labels": {"cluster": "c3", "a b": "c"}}, 'row 4, labels.a b: got "c", expected a label name'),
        ({"labels": {"cluster": "c3", "\x1b[31m" * 99: "c"}}, r"row 4, labels.\x1b[31m\x1b[31m"),
        ({"labels": 5}, "row 4, labels: got 5, expected an object"),
        ({"targets": [5], "labels": {"cluster": "c3"}}, "row 4, targets: got 5 as target 1, expected text"),
        ({"targets": ["a"], "labels": {"cluster": "c3"}}, 'row 4, targets: got "http://a", expected a port as well'),
        ({"targets": ["\x1b\ud800:1"], "labels": {"cluster": "c3"}}, r'row 4, targets: got "http://\x1b\ud800:1"'),
        ({"target": [], "labels": {"cluster": "c3"}}, "row 4, target: unknown field; expected targets and labels"),
        ({"labels": {"cluster": "c3", "__scheme__": "ftp"}}, 'row 4, labels.__scheme__: got "ftp"'),
        (5, "row 4: got 5, expected an object with targets"),
    ],
)  # fmt: skip
def test_a_bad_group(run, tmp_path, bad, problem):
    """It is named with its row, and its labels that are text are kept."""
    if isinstance(bad, dict) and "target" not in bad:
        bad = {"targets": ["127.0.0.1:1"], **bad}
    code, rows, out = run_with(run, tmp_path, bad, "--provider", "aws")
    row = assert_others_are_good(rows)
    assert code == 1
    assert row["observed_problem"].startswith(problem)
    assert row["observed_problem"].isprintable()
    assert (row["tier"], row["members"]) == (None, None)
    assert row["cluster"] == ("c3" if isinstance(bad, dict) and bad["labels"] not in (5, {"cluster": 5}) else None)
    assert f"{CLUSTERS} clusters observed: {CLUSTERS - 1} complete, 0 partial, 1 unreachable" in out


def test_a_bad_group_of_a_good_cluster(run, tmp_path):
    """The members of its other groups are observed."""
    with serving(answering(METRICS)) as port:
        groups = [
            {"targets": [f"127.0.0.1:{port}"], "labels": {"cluster": "a", "provider": "aws"}},
            {"targets": ["b"], "labels": {"cluster": "a", "rack": "r"}},
            {"targets": [f"127.0.0.1:{port}"], "labels": {"provider": "aws"}},
        ]
        (tmp_path / "t.json").write_text(json.dumps(groups))
        code, _, _ = run(
            "observe", "--targets", str(tmp_path / "t.json"), "--interval", "0", "-o", str(tmp_path / "o.jsonl")
        )
    first, _ = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text().splitlines()]
    assert code == 1
    assert (first["rack"], first["tier"], first["data_bytes"]) == ("r", "small", 1_110_016)
    assert first["observed_problem"].startswith("row 2, targets: got ")


class TestUnforeseen:
    """An unforeseen error is the row's problem too; what ends a run still ends it."""

    @staticmethod
    def failing(monkeypatch, error: BaseException, where: str) -> None:
        """Raise an error for one cluster of the run: while it is asked, or while its answers are combined."""
        if where == "asked":
            fetch = MetricsClient.fetch

            async def fail(self, url: str) -> Answer:
                if ":1/" in f"{url}/":
                    raise error
                return await fetch(self, url)

            monkeypatch.setattr(MetricsClient, "fetch", fail)
        else:
            combine = module._combine

            def fail_too(first, *rest, **options):
                if "http://127.0.0.1:1" in first:
                    raise error
                return combine(first, *rest, **options)

            monkeypatch.setattr(module, "_combine", fail_too)

    BAD = {"targets": ["127.0.0.1:1"], "labels": {"cluster": f"c{BAD}", "provider": "aws"}}  # noqa: RUF012

    @pytest.mark.parametrize("where", ["asked", "combined"])
    @pytest.mark.parametrize(
        ("error", "problem"),
        [
            (ZeroDivisionError("a\x1b[31m\nb"), r"ZeroDivisionError: a\x1b[31m\nb; this is a fault of etcdsize"),
            (RecursionError(), "RecursionError: ; this is a fault of etcdsize: please report it"),
            (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "no"), "UnicodeEncodeError: 'utf-8' codec can't encode"),
            (EtcdSizeError("ours"), "ours"),
            (OSError("x" * 5_000), f"OSError: {'x' * 288}...; this is a fault of etcdsize"),
            (pa.ArrowInvalid("bad"), "ArrowInvalid: bad; this is a fault of etcdsize"),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_error_is_the_rows_problem(self, run, tmp_path, monkeypatch, error, problem, where):
        self.failing(monkeypatch, error, where)
        code, rows, out = run_with(run, tmp_path, self.BAD)
        assert code == 1
        assert assert_others_are_good(rows)["observed_problem"].startswith(problem)
        assert f"{CLUSTERS - 1} complete, 0 partial, 1 unreachable" in out

    @pytest.mark.parametrize("where", ["asked", "combined"])
    @pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt, SystemExit, asyncio.CancelledError])
    def test_the_end_of_a_run_is_not_swallowed(self, tmp_path, monkeypatch, error, where):
        self.failing(monkeypatch, error(), where)
        targets = [ClusterTargets(endpoints=("http://127.0.0.1:1",), labels={"provider": "aws"})]
        with pytest.raises(error):
            observe_fleet(targets, tmp_path / "o.csv", source=tmp_path / "t.json", interval=0)
        assert not list(tmp_path.iterdir())


TEXT = st.text(max_size=20)
NUMBER = st.one_of(st.none(), st.integers(0, 2**80), st.floats(0, 1e299), st.just(10**298))
LOAD = st.builds(
    MemberLoad,
    endpoint=TEXT,
    problem=st.none() | TEXT,
    version=st.none() | TEXT,
    requests_per_second=NUMBER,
    data_bytes=NUMBER,
)


@examples(12, phases=[Phase.explicit, Phase.generate])  # shrinking whole runs takes minutes
@given(
    st.builds(
        Observation,
        members=st.lists(LOAD, max_size=8).map(tuple),
        clients=st.builds(ClientCount, count=NUMBER),
        requests_per_second=NUMBER,
        data_bytes=NUMBER,
        total_bytes=NUMBER,
        quota_bytes=NUMBER,
        wal_fsync_p99_seconds=NUMBER,
        member_count=st.integers(1, 10_000),
    ),
    st.dictionaries(st.sampled_from(["cluster", "provider", "current_machine", "members", "a"]), TEXT),
)
def test_any_observation_is_a_row(tmp_path_factory, observation, labels):
    """Whatever a model accepts is written, and read back."""
    folder = tmp_path_factory.mktemp("row")
    good = Observation(members=(), clients=ClientCount(count=5), data_bytes=5e6, member_count=1)
    answers = iter([good, observation, good])
    targets = [ClusterTargets(endpoints=("http://127.0.0.1:1",), labels=one) for one in ({}, labels, {})]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_combine", lambda *_answers, **_options: next(answers))
        found = observe_fleet(
            targets, folder / "o.parquet", source=folder / "t.json", interval=0, provider="aws", catalog="guide"
        )
    rows = pq.read_table(folder / "o.parquet").to_pylist()
    assert found.clusters == len(rows) == 3
    assert rows[0]["tier"] == rows[2]["tier"] == "small"
    problem = rows[1]["observed_problem"]
    assert problem is None or (one_line(problem) == problem and len(problem) <= 1_000)
    if observation.data_bytes is not None:
        assert math.isclose(rows[1]["data_bytes"], observation.data_bytes)


def test_a_thousand_dead_members_are_not_all_listed(tmp_path):
    endpoints = tuple(f"http://127.0.0.1:{port}" for port in range(1, 301))
    targets = [ClusterTargets(endpoints=endpoints, labels={"provider": "aws"})]
    with serving(answering(METRICS)):
        found = observe_fleet(targets, tmp_path / "o.csv", source=tmp_path / "t.json", interval=0, timeout=5)
    assert found.first_problems[0].problem.endswith("; and 295 more")


def slow_death(connection: socket.socket) -> None:
    connection.recv(65536)
    threading.Event().wait(2)


def test_a_cluster_that_hangs_does_not_delay_the_others(run, tmp_path):
    with serving(slow_death) as port:
        bad = {"targets": [f"127.0.0.1:{port}"], "labels": {"cluster": "c3", "provider": "aws"}}
        code, rows, _ = run_with(run, tmp_path, bad, "--timeout", "0.5s")
    assert code == 1
    assert assert_others_are_good(rows)["observed_problem"].endswith(
        "no answer within 0.5 s; is it overloaded, or cut off?"
    )


@pytest.mark.slow
@pytest.mark.parametrize("wrong", WRONG)
def test_arguments_of_a_wrong_type_are_rejected(tmp_path, monkeypatch, wrong):
    """Each in turn, before a request is made; what is sound by chance is used. An interval would be waited for."""
    monkeypatch.chdir(tmp_path)
    sound = {
        "targets": read_targets([{"targets": ["127.0.0.1:1"]}]), "output": Path("o.csv"), "stream": None,
        "source": Path("t.json"), "interval": 0, "timeout": 5, "tls": None, "format": "csv", "columns": ["tier"],
        "force": True, "progress": None, "provider": "aws", "catalog": "guide", "tiers": "guide", "headroom": 0.1,
    }  # fmt: skip
    assert observe_fleet(**sound).clusters == 1
    cases = [
        {**sound, name: WRONG[wrong]}
        for name in sound
        if name != "interval" or not isinstance(WRONG[wrong], (float, np.ndarray))
    ]
    for changed in (*cases, {**sound, "output": None, "stream": WRONG[wrong]}):
        is_ours(lambda changed=changed: observe_fleet(**changed))
    assert {path.name for path in tmp_path.iterdir()} == {"o.csv"}


@pytest.mark.parametrize(
    "wrong", [None, 5, math.nan, b"\xff", "\ud800", {}, {"a": None}, [None], [5], object(), print, "[" * 5_000]
)
def test_targets_of_a_wrong_type_are_rejected(tmp_path, wrong):
    for action in (
        lambda: read_targets(wrong),
        lambda: observe_fleet(wrong, source=tmp_path / "t.json", interval=0, provider="aws"),
        lambda: ClusterTargets(endpoints=wrong, labels=wrong, clients=wrong, problem=wrong),
    ):
        with contextlib.suppress(EtcdSizeError):
            action()
            assert wrong == {}, "there are no targets, and nothing is wrong with that"
