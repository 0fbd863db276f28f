"""`observe` on real etcd: it agrees with the load that ran and with etcdctl, and names every member that breaks."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from certificates import Certificates
from etcds import ENDS, MINORS, LoneMember, etcdctl, free_ports, needed, unplanned
from needs import leave_out

from etcdsize import ClientTls, MemberLoad, Observation, observe, read_endpoint_status, read_metrics, size

HERE = Path(__file__).parents[1] / "support"
RATE = 40  # of one client [1/s]


def codes(observation: Observation) -> list[str]:
    return [notice.code for notice in observation.notices]


def url_of(member: LoneMember) -> str:
    return member.client


@contextmanager
def clients(*urls: str, rate: float = RATE) -> Iterator[list[subprocess.Popen]]:
    """Run a client for every URL, each a process with one connection, until the block ends."""
    started = []
    try:
        for url in urls:
            command = [sys.executable, "-I", HERE / "etcd_client.py", url, str(rate)]
            started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))
        for process in started:
            assert process.stdout.readline() == "begun\n"
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


def done(working: list[subprocess.Popen]) -> list[int]:
    """Return how many requests each client has made so far, by its own count."""
    for process in working:
        process.send_signal(signal.SIGUSR1)
    return [int(process.stdout.readline()) for process in working]


def observed_each(
    urls: list[str], working: list[subprocess.Popen], interval: float, **options: float
) -> tuple[Observation, list[int], float]:
    """Return the observation, how many requests each client made around it, and the seconds that this took."""
    before, start = done(working), time.monotonic()
    observation = observe(urls, interval=interval, **options)
    after, seconds = done(working), time.monotonic() - start
    return observation, [count - one for one, count in zip(before, after)], seconds


def observed(
    urls: list[str], working: list[subprocess.Popen], leases: int, interval: float = 1
) -> tuple[Observation, float]:
    """Return the observation, and the rate that it should have: of the clients' own counts, and of the leases.

    It is made again, at most thrice and each time twice as long, while a busy machine keeps the clients from their
    rate: whatever they missed before comes then at some moment between the client's own count and the scrape.
    """
    for attempt in range(4):
        observation, made, seconds = observed_each(urls, working, interval * 2**attempt)
        rate = sum(made) / seconds + leases / 10
        steady = rate == pytest.approx(RATE * len(working), rel=0.03)
        if steady and observation.requests_per_second == pytest.approx(rate, rel=0.05):
            break
    return observation, rate


def no_more_than_made(observation: Observation, loads: list[MemberLoad], made: list[int]) -> bool:
    """Whether each member counted some requests, and no more than its client made: that counts before and after."""
    counted = [load.requests_per_second * observation.interval_seconds for load in loads]
    # A request that the client has no answer to may have been counted.
    return all(0 < one <= most + 1.5 for one, most in zip(counted, made, strict=True))


@contextmanager
def holding(minor: str, urls: list[str], watches: int, leases: int) -> Iterator[None]:
    """Run `etcdctl watch` and `etcdctl lease keep-alive`, spread over the members, until the block ends."""
    program = etcdctl(minor)
    env = {**os.environ, "ETCDCTL_API": "3"}
    started = []
    try:
        for number in range(watches):
            command = [program, f"--endpoints={urls[number % len(urls)]}", "watch", "--prefix", "unused"]
            started.append(subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL))
        for number in range(leases):
            endpoints = f"--endpoints={urls[number % len(urls)]}"
            granted = subprocess.run(
                [program, endpoints, "lease", "grant", "30"], env=env, capture_output=True, text=True, check=True
            )
            command = [program, endpoints, "lease", "keep-alive", granted.stdout.split()[1]]
            started.append(subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL))
        deadline = time.monotonic() + 30
        while True:
            now = observe(urls, interval=0)
            if (now.watch_streams, now.lease_streams) == (watches, leases):
                break
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield
    finally:
        for process in started:
            process.terminate()
            process.wait()


def endpoint_status(minor: str, urls: list[str]) -> str:
    return subprocess.run(
        [etcdctl(minor), f"--endpoints={','.join(urls)}", "endpoint", "status", "--write-out=json"],
        env={**os.environ, "ETCDCTL_API": "3"},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    ).stdout


def put(url: str, key: str, value: bytes) -> None:
    body = {"key": base64.b64encode(key.encode()).decode(), "value": base64.b64encode(value).decode()}
    request = urllib.request.Request(f"{url}/v3/kv/put", data=json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()


def scrapes(url: str) -> int:
    """Return how often a member was scraped before now."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return int(re.search(r'^promhttp_metric_handler_requests_total{code="200"} (\d+)', text, re.M)[1])


def meanwhile(url: str, work: Callable[[], object]) -> threading.Thread:
    """Run a function in a thread, a moment after the first scrape of a member that is not this thread's own."""
    own = scrapes(url) + 1

    def wait_and_work() -> None:
        nonlocal own
        deadline = time.monotonic() + 60
        while scrapes(url) == own:
            assert time.monotonic() < deadline
            own += 1
            time.sleep(0.05)
        time.sleep(0.2)
        work()

    thread = threading.Thread(target=wait_and_work)
    thread.start()
    return thread


@pytest.fixture(scope="module", params=MINORS)
def three(request, tmp_path_factory):
    """Three members that are shared by the tests that break nothing."""
    etcd, _ = needed(request.param)
    folder = tmp_path_factory.mktemp("three")
    # The check accepts new members only when all have been connected for five seconds.
    with unplanned(etcd, folder, 3, ["--strict-reconfig-check=false"]) as members:
        yield request.param, members
    shutil.rmtree(folder)


@pytest.fixture(scope="class", params=ENDS)
def trio(request, tmp_path_factory):
    """Three members that are shared by the tests that break some of them."""
    etcd, _ = needed(request.param)
    folder = tmp_path_factory.mktemp("trio")
    with unplanned(etcd, folder) as members:
        yield members
    shutil.rmtree(folder)


def restarted(members: list[LoneMember]) -> list[LoneMember]:
    """Start the members that were killed, wait until the cluster is whole, and return all members, the leader first."""
    for member in members:
        if member.process.poll() is not None:
            member.start()
    for member in members:
        member.wait()
    deadline = time.monotonic() + 60
    while True:
        observation = observe(map(url_of, members), interval=0)
        leads = {one.endpoint: one.is_leader for one in observation.members}
        if not observation.incomplete and list(leads.values()).count(True) == 1:
            return sorted(members, key=lambda member: not leads[member.client])
        assert time.monotonic() < deadline, observation.incomplete
        time.sleep(0.05)


@pytest.fixture
def breakable(trio):
    """Three members that run, the leader first: when the leader breaks, the others wait for an election."""
    return restarted(trio)


@pytest.mark.slow
class TestData:
    """The size of the data. These tests run first, before anything else is written."""

    def test_data_agrees_with_the_puts_and_with_etcdctl(self, three):
        """20 values of a megabyte, each once: within 1 % of 20 MB more than before, and of what etcdctl prints."""
        minor, members = three
        urls = list(map(url_of, members))
        before = observe(urls, interval=0)
        for number in range(20):
            put(urls[number % 3], f"value-{number}", os.urandom(1_000_000))
        # A member commits to its database ten times a second, and writes the last page anew each time. What that sets
        # free is in use until the next commit: megabytes, as long as the last page is one of large values.
        deadline = time.monotonic() + 30
        while True:
            put(urls[0], "small", b"")
            time.sleep(0.12)
            observation = observe(urls, interval=0)
            if observation.data_bytes - before.data_bytes == pytest.approx(20e6, rel=0.01):
                break
            assert time.monotonic() < deadline, observation.data_bytes - before.data_bytes
        status = read_endpoint_status(endpoint_status(minor, urls))
        assert observation.data_bytes == pytest.approx(max(one.data_bytes for one in status), rel=0.01)
        assert observation.total_bytes == pytest.approx(max(one.total_bytes for one in status), rel=0.01)
        assert [one.member_id for one in status] == [member.member_id for member in observation.members]


@pytest.fixture(scope="module")
def busy(three):
    minor, members = three
    urls = list(map(url_of, members))
    with holding(minor, urls, watches=9, leases=3), clients(*urls, *urls) as working:
        yield minor, urls, working


@pytest.fixture(scope="module")
def known(busy):
    """An observation of the whole load, and the rate that it should have."""
    _, urls, working = busy
    return observed(urls, working, leases=3, interval=2)


@pytest.mark.slow
class TestKnownLoad:
    """18 clients: six do 40 requests a second each, nine watch, three keep a lease alive ten times in 100 seconds."""

    def test_rate_agrees_with_the_clients(self, busy, known):
        minor = busy[0]
        observation, rate = known
        assert rate == pytest.approx(6 * RATE, rel=0.4)  # less where the disk is busy
        assert observation.requests_per_second == pytest.approx(rate, rel=0.05)
        for method in ("Put", "Range", "Txn"):
            assert observation.calls_per_second[f"KV.{method}"] == pytest.approx(rate / 3, rel=0.1)
        assert (observation.requests_bound, observation.requests_over) == ("exact", "interval")
        assert observation.problems == ()
        assert observation.member_count == 3
        assert [member.is_leader for member in observation.members].count(True) == 1
        assert {member.version for member in observation.members} == {str(needed(minor)[1])}

    def test_clients_counted_by_sockets_are_an_upper_bound(self, busy):
        clients = observe(busy[1], interval=0.2).clients
        assert (clients.counted_by, clients.bound) == ("sockets", "upper")
        # The members' own connections and ours are left out, and there are no others.
        assert clients.count == 18

    def test_given_clients_are_exact(self, busy):
        clients = observe(busy[1], interval=0.2, clients=18).clients
        assert (clients.count, clients.counted_by, clients.bound) == (18, "given", "exact")

    def test_clients_counted_by_streams_are_an_estimate(self, busy, another_user):
        """The processes of another user cannot be seen, like those of another machine."""
        observation = observe(busy[1], interval=0.2)
        clients = observation.clients
        assert (clients.count, clients.counted_by, clients.bound) == (9, "streams", "estimate")
        assert "clients-estimated" in codes(observation)

    def test_observing_some_of_the_members_yields_a_lower_bound(self, busy):
        _, urls, working = busy
        # The clients are spread over the members in turn: every third client uses the third member.
        observation, rate = observed(urls[:2], [working[number] for number in (0, 1, 3, 4)], leases=2)
        assert observation.requests_per_second == pytest.approx(rate, rel=0.05)
        assert (observation.requests_bound, observation.member_count) == ("lower", 3)
        # The connections to a member that was not asked are not known.
        assert observation.clients.counted_by == "streams"
        assert "member-not-asked" in codes(observation)

    def test_a_member_listed_more_than_once_is_counted_once(self, busy):
        _, urls, working = busy
        repeated = [*urls, *(url.replace("127.0.0.1", "localhost") for url in urls)]
        observation, rate = observed(repeated, working, leases=3)
        assert observation.requests_per_second == pytest.approx(rate, rel=0.05)
        assert observation.clients.count == 18
        assert (observation.watch_streams, observation.member_count) == (9, 3)
        assert codes(observation).count("same-member-twice") == 3

    def test_observation_is_sized(self, known):
        sizing = size(known[0].workload(), provider="aws")
        assert (sizing.tier, sizing.forced_by) == ("medium", ("requests_per_second",))


@pytest.mark.slow
class TestLifetime:
    def test_one_scrape_yields_an_average_with_a_notice(self, busy):
        observation = observe(busy[1], interval=0)
        assert observation.requests_over == "lifetime"
        assert "lifetime-average" in codes(observation)
        assert 0 < observation.requests_per_second < 6 * RATE


@pytest.mark.slow
@pytest.mark.parametrize("minor", ["3.7"])
def test_streamed_ranges_are_requests(minor, tmp_path):
    """Only 3.7 has this call."""
    with unplanned(needed(minor)[0], tmp_path, 1) as (member,):
        for _ in range(3):
            words = [etcdctl(minor), f"--endpoints={member.client}", "get", "--stream", "--prefix", "key"]
            subprocess.run(words, check=True, capture_output=True, timeout=30)
        with urllib.request.urlopen(f"{member.client}/metrics", timeout=10) as answer:
            assert read_metrics(answer.read()).calls["KV.RangeStream"] == 3
    shutil.rmtree(tmp_path)


@pytest.mark.slow
class TestMembership:
    """Whose member is whose: by what real members report."""

    @staticmethod
    def rows(run, tmp_path: Path, groups: list[dict], *, mixed: bool = False) -> tuple[int, list[dict], dict]:
        (tmp_path / "t.json").write_text(json.dumps(groups))
        options = ["--targets", str(tmp_path / "t.json"), "--interval", "0.2s", "--provider", "aws"]
        code, summary, err = run("observe", *options, "-o", str(tmp_path / "o.jsonl"), "--json")
        assert ("the endpoints are not one cluster" in err) == mixed
        return code, [json.loads(line) for line in (tmp_path / "o.jsonl").read_text().splitlines()], json.loads(summary)

    def test_groups_of_one_member_each_are_one_cluster(self, three, run, tmp_path):
        _, members = three
        groups = [{"targets": [one.client], "labels": {"ins": one.client}} for one in members]
        code, rows, summary = self.rows(run, tmp_path, groups)
        assert (code, summary["complete"], summary["one_cluster"]) == (0, 1, [[1, 2, 3]])
        assert [(row["members"], row["observed_problem"]) for row in rows] == [(3, None)]

    def test_two_clusters_of_one_name_are_not_summed(self, three, run, tmp_path):
        minor, members = three
        with unplanned(needed(minor)[0], tmp_path, 1) as (other,):
            labels = {"cluster": "etcd"}
            groups = [{"targets": [one.client], "labels": labels} for one in (*members, other)]
            code, (row,), summary = self.rows(run, tmp_path, groups, mixed=True)
        assert (code, summary["partial"], row["data_bytes"], row["tier"]) == (1, 1, None, None)
        assert "they belong to 2 clusters: " in row["observed_problem"]

    def test_own_counter_of_calls_agrees_with_that_of_grpc(self, busy):
        _, urls, _ = busy
        for url in urls:
            with urllib.request.urlopen(f"{url}/metrics", timeout=5) as answer:
                scrape = read_metrics(answer.read())
            # 3.4.23 has no such counter.
            assert scrape.client_requests is None or scrape.unary_calls == pytest.approx(
                scrape.client_requests, rel=0.1
            )
            assert scrape.counts_every_call

    def test_learner_does_not_vote(self, three, tmp_path):
        """Three voters and a learner have a quorum of two. The learner is removed again, as others share the voters."""
        minor, voters = three
        client, peer, metrics = (f"http://127.0.0.1:{port}" for port in free_ports(3))
        control = [etcdctl(minor), f"--endpoints={voters[0].client}", "member"]
        env = {**os.environ, "ETCDCTL_API": "3"}
        added = subprocess.run(
            [*control, "add", "l", "--learner", f"--peer-urls={peer}"],
            env=env,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        flags = [f"--listen-client-urls={client}", f"--advertise-client-urls={client}", "--name=l"]
        flags += [f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}"]
        (known,) = [line.partition("=")[2].strip('"') for line in added.splitlines() if "INITIAL_CLUSTER=" in line]
        flags += [f"--initial-cluster={known}", "--initial-cluster-state=existing"]
        # It serves its clients only seconds later if it does not know the leader at once.
        flags.append(f"--listen-metrics-urls={metrics}")
        learner = LoneMember(needed(minor)[0], tmp_path, flags, client)
        learner.start()
        try:
            deadline = time.monotonic() + 60
            urls = [*(voter.client for voter in voters), metrics]
            # It says that it is a learner only once it has the log.
            while (observation := observe(urls, interval=0)).incomplete or not observation.members[3].is_learner:
                assert time.monotonic() < deadline, observation
                time.sleep(0.2)
        finally:
            learner.kill()
            subprocess.run([*control, "remove", added.split()[1]], env=env, capture_output=True, check=True)
            shutil.rmtree(tmp_path)
        assert [member.is_learner for member in observation.members] == [False, False, False, True]
        assert (observation.member_count, observation.voting_members) == (4, 3)
        assert size(observation.workload(), members=observation.voting_members).quorum == 2


@pytest.mark.slow
class TestBroken:
    """One of three members breaks during the observation: it is named, and no rate is negative or doubled."""

    def observed(
        self, members: list[LoneMember], working: list[subprocess.Popen], interval: float, **options: float
    ) -> Observation:
        """Return the observation while the second member breaks; the others have the requests of their clients."""
        urls = list(map(url_of, members))
        observation, made, _ = observed_each(urls, [working[0], working[2]], interval, **options)
        one, broken, other = observation.members
        assert no_more_than_made(observation, [one, other], made)
        for member in (one, other):
            assert (member.problem, member.restarted, member.requests_bound) == (None, False, "exact")
        assert broken.endpoint == urls[1]
        assert observation.requests_bound == "lower"
        known = [member.requests_per_second or 0 for member in observation.members]
        assert observation.requests_per_second == pytest.approx(sum(known))
        return observation

    def test_restarted_member_has_a_lower_bound(self, breakable):
        urls = list(map(url_of, breakable))
        ended = threading.Event()
        begun = 0.0

        def restart() -> None:
            nonlocal begun
            breakable[1].kill()
            breakable[1].start()
            breakable[1].wait()
            with clients(urls[1]):
                begun = time.monotonic()
                ended.wait(60)

        # A start that moves by a second and a half at most is none.
        age = time.time() - psutil.Process(breakable[1].process.pid).create_time()
        time.sleep(max(0.0, 2.0 - age))
        # On a busy machine it may be back only after the second scrape.
        for interval in (2, 5, 10, 20):
            with clients(*urls) as working:
                ended.clear()
                restarting = meanwhile(urls[1], restart)
                start = time.monotonic()
                observation = self.observed(breakable, working, interval)
                ended.set()
                restarting.join()
            if begun < start + interval - 0.5:
                break
        broken = observation.members[1]
        assert (broken.restarted, broken.requests_bound, broken.problem) == (True, "lower", None)
        assert 0 < broken.requests_per_second <= RATE
        assert all(rate >= 0 for rate in broken.calls_per_second.values())
        assert "member-restarted" in codes(observation)

    def test_killed_member_is_named(self, breakable):
        with clients(*map(url_of, breakable)) as working:
            breaking = meanwhile(url_of(breakable[1]), breakable[1].kill)
            observation = self.observed(breakable, working, 1.5)
            breaking.join()
        assert observation.members[1].problem == "nothing listens there; is the member down, or the port wrong?"
        assert observation.members[1].requests_per_second is None
        assert "member-unknown" in codes(observation)

    def test_paused_member_costs_no_more_than_the_timeout(self, breakable):
        """A process that hangs does not delay the observation for longer than the timeout."""
        with clients(*map(url_of, breakable)) as working:
            pausing = meanwhile(url_of(breakable[1]), lambda: breakable[1].process.send_signal(signal.SIGSTOP))
            start = time.monotonic()
            try:
                observation = self.observed(breakable, working, 1, timeout=1.5)
                assert time.monotonic() - start < 1 + 1.5 + 5
            finally:
                pausing.join()
                breakable[1].process.send_signal(signal.SIGCONT)
        assert observation.members[1].problem == "no answer within 1.5 s; is it overloaded, or cut off?"

    @pytest.mark.parametrize("minor", ENDS)
    def test_member_cut_off_from_the_network_is_named(self, minor, tmp_path):
        """Every packet to the third member is dropped; the cluster runs in a network namespace of its own."""
        etcd, _ = needed(minor)
        alone = ["unshare", "--net", "--map-root-user"]
        try:
            subprocess.run([*alone, "ip", "link", "add", "x", "type", "veth"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            leave_out("no network can be made here; it needs unshare, iproute2 and a kernel that permits them")
        done = subprocess.run(
            [*alone, sys.executable, HERE / "cut_network.py", etcd, tmp_path],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parents[1])])},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        shutil.rmtree(tmp_path)
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        observation = Observation.model_validate(result["observation"])
        assert result["took"] < 1 + 1.5 + 5
        assert [member.problem for member in observation.members] == [
            *(None, None, "no answer within 1.5 s; is it overloaded, or cut off?")
        ]
        assert observation.member_count == 3
        assert all(member.requests_per_second == 0 for member in observation.members[:2])
        assert "member-unknown" in codes(observation)

    def test_killed_leader_is_named(self, breakable):
        """The clients of the other members wait for the election, and send what they missed as fast as they can."""
        # On a busy machine the others may elect one only after the second scrape.
        for interval in (2.5, 5, 10):
            members = restarted(breakable)
            with clients(*map(url_of, members)) as working:
                breaking = meanwhile(url_of(members[0]), members[0].kill)
                observation, made, _ = observed_each(list(map(url_of, members)), working[1:], interval)
                breaking.join()
            if "leader-changed" in codes(observation):
                break
        leader, *others = observation.members
        assert leader.requests_per_second is None
        assert no_more_than_made(observation, others, made)
        assert observation.requests_bound == "lower"
        assert "leader-changed" in codes(observation)

    def test_missing_leader_is_noticed(self, breakable):
        for member in breakable[1:]:
            member.kill()
        # It notices that when no other member answers its election.
        deadline = time.monotonic() + 30
        while "no-leader" not in codes(observation := observe(map(url_of, breakable), interval=0)):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert len(observation.problems) == 2
        # Whoever asks the third alone gets no whole cluster either. Only since 3.6 a member still names those it lost.
        alone = observe(breakable[0].client, interval=0)
        assert alone.incomplete[-1] == f"{breakable[0].client}: no leader"
        names_others = alone.members[0].version.startswith(("3.6.", "3.7."))
        assert (len(alone.other_peers), len(alone.incomplete)) == ((2, 2) if names_others else (0, 1))
        assert alone.data_bound == "lower"


def tls_of(certificates, **options) -> ClientTls:
    certificate, key = certificates.issue("client", **options)
    return ClientTls(cacert=certificates.ca, cert=certificate, key=key)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module", params=ENDS)
def port(request, certificates, tmp_path_factory):
    etcd, _ = needed(request.param)
    folder = tmp_path_factory.mktemp("tls")
    client, peer = free_ports(2)
    certificate, key = certificates.issue("server")
    flags = [
        f"--listen-client-urls=https://127.0.0.1:{client}",
        f"--advertise-client-urls=https://127.0.0.1:{client}",
    ]
    flags += [
        f"--listen-peer-urls=http://127.0.0.1:{peer}",
        f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
    ]
    flags += [f"--initial-cluster=one=http://127.0.0.1:{peer}", "--name=one", "--client-cert-auth"]
    flags += [f"--cert-file={certificate}", f"--key-file={key}", f"--trusted-ca-file={certificates.ca}"]
    member = LoneMember(etcd, folder, flags, f"https://127.0.0.1:{client}")
    member.start()
    deadline = time.monotonic() + 60
    while observe(member.client, interval=0, tls=tls_of(certificates)).problems:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    yield client
    member.kill()
    shutil.rmtree(folder)


class TestTls:
    """HTTP to TLS, TLS to HTTP, an unknown CA, and a client certificate that is missing or not trusted.

    TLS is Go's, and the versions between the ends answer as these do.
    """

    def problem(self, url: str, tls: ClientTls | None = None) -> str | None:
        (member,) = observe(url, interval=0, tls=tls, timeout=5).members
        return member.problem

    def test_trusted_certificates_are_accepted(self, port, certificates):
        assert self.problem(f"https://127.0.0.1:{port}", tls_of(certificates)) is None
        # Without a scheme, certificates mean TLS.
        assert self.problem(f"127.0.0.1:{port}", tls_of(certificates)) is None

    def test_http_to_a_tls_port_is_named(self, port):
        assert self.problem(f"http://127.0.0.1:{port}") == (
            "closed the connection without an answer; if it serves TLS, use https://; is it the client port?"
        )

    def test_unknown_ca_is_rejected(self, port):
        assert self.problem(f"https://127.0.0.1:{port}") == (
            "its certificate is not trusted: unable to get local issuer certificate; give the CA that signed it with "
            "--cacert"
        )

    def test_missing_client_certificate_is_named(self, port, certificates):
        assert self.problem(f"https://127.0.0.1:{port}", ClientTls(cacert=certificates.ca)) == (
            "requires a client certificate that it trusts; give --cert and --key"
        )

    def test_untrusted_client_certificate_is_named(self, port, certificates):
        tls = tls_of(certificates, self_signed=True)
        assert self.problem(f"https://127.0.0.1:{port}", tls) == (
            "requires a client certificate that it trusts; give --cert and --key"
        )

    def test_certificate_for_another_host_is_rejected(self, port, certificates):
        problem = self.problem(f"https://localhost:{port}", tls_of(certificates))
        assert problem.startswith("its certificate is not trusted: Hostname mismatch, certificate is not valid for")

    def test_tls_to_an_http_port_is_named(self, three):
        _, members = three
        url = members[0].client.replace("http://", "https://")
        assert self.problem(url) in (
            "does not serve TLS; use http://",
            "closed the connection without an answer; does it serve TLS?; is it the client port?",
        )

    def test_peer_port_is_named(self, three):
        _, members = three
        peer = next(flag for flag in members[0].flags if flag.startswith("--listen-peer-urls="))
        assert self.problem(peer.partition("=")[2]) == (
            "answers 404: it has no /metrics; use a client URL, or one of --listen-metrics-urls"
        )
