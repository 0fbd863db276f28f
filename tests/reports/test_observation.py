"""The whole report of an observation, complete and with missing figures."""

from __future__ import annotations

import re
from pathlib import Path

from etcdsize import Histogram, Scrape, combine_scrapes, load_versions, read_metrics
from etcdsize.etcd.notices import version_notices
from etcdsize.reports.observation import render_observation

# tests/etcd/test_flaws.py has the texts.
OF_3_5_1 = "".join(f"{notice.line}\n" for notice in version_notices(load_versions().version("3.5.1")))
OBSERVED = Path(__file__).parents[2] / "docs" / "examples" / "observed"


def captured(when: str) -> dict[str, Scrape]:
    return {
        name: read_metrics((OBSERVED / f"{name}-{when}.txt").read_text()) for name in ("infra0", "infra1", "infra2")
    }


def without_model(text: str) -> str:
    """Return a report without its comparison with the model, whose figures change with each fit."""
    before, head, rest = text.partition("worst   member  measured ")
    compared, _, after = rest.partition("\n\n")
    assert head
    assert re.fullmatch(r".*\nmemory  infra0   59\.3 MB  .* as modelled", compared)
    return before + after


def test_three_captured_members():
    text = render_observation(combine_scrapes(captured("before"), captured("after"), seconds=10.012))
    assert without_model(text) == CAPTURED


def test_a_member_that_is_down():
    first = captured("before") | {"infra2": "is down"}
    text = render_observation(combine_scrapes(first, captured("after") | {"infra2": "is down"}, seconds=10.012))
    assert without_model(text) == DOWN


def test_no_member_answers():
    assert render_observation(combine_scrapes({"a": "is\ndown"})) == NOTHING


def test_a_restarted_member_and_no_leader():
    before = Scrape(member_id="a", calls={"KV.Put": 9}, started_unix_seconds=1, version="3.6.16", has_leader=True)
    after = Scrape(member_id="a", calls={"KV.Put": 0}, started_unix_seconds=900, version="3.6.16", has_leader=False)
    assert render_observation(combine_scrapes({"a": before}, {"a": after}, seconds=1)) == RESTARTED


def pages(**calls: int) -> tuple[Scrape, Scrape]:
    """Two scrapes with two hundred WAL fsyncs, of which half are between the two."""
    fsyncs = (Histogram(upper_bounds_seconds=(0.001,), counts=(count, count)) for count in (100, 200))
    before, after = (Scrape(member_id="a", calls={"KV.Put": 1}, wal_fsync=one, **calls) for one in fsyncs)
    return before, after


class TestSinceTheStart:
    """A wait since the start says why: the member restarted, answered once, or did too little in the interval."""

    BEFORE, AFTER = pages(started_unix_seconds=1)
    FEW = BEFORE.model_copy(update={"member_id": "b"})

    def note(self, first: dict[str, Scrape | str], second: dict[str, Scrape | str] | None) -> list[str]:
        text = render_observation(combine_scrapes(first, second, seconds=None if second is None else 10))
        return [line for line in text.splitlines() if line.startswith("* ")]

    def test_enough_operations(self):
        assert self.note({"a": self.BEFORE}, {"a": self.AFTER}) == []

    def test_too_few_operations(self):
        few = "* since the member started, because too few operations were measured in the interval"
        assert self.note({"b": self.FEW}, {"b": self.FEW}) == [few]

    def test_a_restart(self):
        again = self.AFTER.model_copy(update={"started_unix_seconds": 900})
        assert self.note({"a": self.BEFORE}, {"a": again}) == ["* since the member started, because it restarted"]
        both = self.note({"a": self.BEFORE, "b": self.FEW}, {"a": again, "b": self.FEW})
        assert both == [
            "* since the member started, because it restarted or too few operations were measured in the interval"
        ]

    def test_one_answer(self):
        once = (
            "* since the member started, because it answered once or too few operations were measured in the interval"
        )
        assert self.note({"a": self.BEFORE}, {"a": "is down"}) == [once]
        assert self.note({"a": "is down"}, {"a": self.AFTER}) == [once]
        assert self.note({"a": self.AFTER}, None) == ["* since the member started"]


def test_a_scrape_whose_time_is_known_but_not_the_start_of_its_process():
    one = Scrape(member_id="a", calls={"KV.Put": 1}, taken_unix_seconds=1000)
    text = render_observation(combine_scrapes({"a": one}))
    assert "observed  once\n" in text
    assert "time" not in text.partition("\n\n")[0]
    assert (
        "  a: a single scrape gives no rate without the start of the member's process, which it does not report; add a "
        "second scrape\n"
    ) in text


def test_a_single_scrape():
    one = Scrape(member_id="a", calls={"KV.Put": 1}, started_unix_seconds=0, taken_unix_seconds=1000, data_bytes=5)
    text = render_observation(combine_scrapes({"a": one}, clients=3))
    assert text == ONCE


CAPTURED = f"""\
members    3, leader infra0
observed   10 s
clients    9, estimated from open streams
requests   240.3/s
by method  KV.Put 80.1, KV.Txn 80, KV.Range 79.9, Lease.LeaseKeepAlive 0.3
data       1.343488 MB in use in a file of 1.343488 MB, 0.1% of the quota of 2.147483648 GB
streams    9 watch, 3 lease
watchers   9
keys       6
memory     59.256832 MB resident, of the member that uses most
health     0 slow watchers, 0 pending proposals, 0 failed proposals

member  etcd   requests/s         data         file  watch  lease  fsync p99  commit p99  RTT p99  status
infra0  3.5.1        80.1  1.343488 MB  1.343488 MB      3      1    1.85 ms    6.53 ms*
infra1  3.5.1        80.1  1.343488 MB  1.343488 MB      3      1    1.86 ms    6.62 ms*
infra2  3.5.1        80.1  1.343488 MB  1.343488 MB      3      1    1.87 ms    6.31 ms*
* since the member started, because too few operations were measured in the interval

info: Requests were counted over 10 seconds: observe when the cluster is busiest, or leave headroom. [short-observation]
warning: Clients are estimated from 9 open streams. A client without a watch or a lease is missed, and a client with \
several is counted several times: give the number if you know it. [clients-estimated]
{OF_3_5_1}"""
DOWN = f"""\
members    3, leader infra0
failures   2 of 3 voters serve, if those that did not answer have failed; no other may fail
observed   10 s
clients    6, estimated from open streams
requests   at least 160.2/s
by method  KV.Txn 53.4, KV.Put 53.3, KV.Range 53.2, Lease.LeaseKeepAlive 0.2
data       1.343488 MB in use in a file of 1.343488 MB, 0.1% of the quota of 2.147483648 GB
streams    6 watch, 2 lease
watchers   6
keys       6
memory     59.256832 MB resident, of the member that uses most
health     0 slow watchers, 0 pending proposals, 0 failed proposals

member  etcd   requests/s         data         file  watch  lease  fsync p99  commit p99  RTT p99  status
infra0  3.5.1        80.1  1.343488 MB  1.343488 MB      3      1    1.85 ms    6.53 ms*
infra1  3.5.1        80.1  1.343488 MB  1.343488 MB      3      1    1.86 ms    6.62 ms*
infra2                                                                                             unknown
* since the member started, because too few operations were measured in the interval

Members with missing figures; their requests are not counted, so the rate of requests is a lower bound
  infra2: is down

info: Requests were counted over 10 seconds: observe when the cluster is busiest, or leave headroom. [short-observation]
warning: Clients are estimated from 6 open streams. A client without a watch or a lease is missed, and a client with \
several is counted several times: give the number if you know it. [clients-estimated]
{OF_3_5_1}"""
NOTHING = """\
members   1, leader unknown
observed  once
clients   unknown
requests  unknown
data      unknown
streams   unknown

member  etcd  requests/s  data  file  watch  lease  fsync p99  commit p99  RTT p99  status
a                                                                                   unknown

Members with missing figures; their requests are not counted
  a: is\\ndown

warning: Clients are unknown: etcd does not count them, and no stream is open to estimate them from. Give the number \
if you know it. [clients-unknown]
"""
RESTARTED = """\
members   1, leader unknown
failures  0 of 1 voters serve, fewer than the quorum of 1: no writes
observed  1 s
clients   unknown
requests  at least 0/s
data      unknown
streams   unknown

member  etcd    requests/s  data  file  watch  lease  fsync p99  commit p99  RTT p99  status
a       3.6.16           0                                                            restarted, no leader

warning: a: restarted while it was observed, or its clock was set. Its requests before that are lost, so the \
rate of requests is a lower bound. [member-restarted]
info: Requests were counted over 1 second: observe when the cluster is busiest, or leave headroom. [short-observation]
warning: Clients are unknown: etcd does not count them, and no stream is open to estimate them from. Give the number \
if you know it. [clients-unknown]
warning: a: has no leader, so it accepts no writes. [no-leader]
"""
ONCE = """\
members    1, leader unknown
observed   once: requests are the average since each member started
clients    3, as given
requests   0.001/s
by method  KV.Put 0.001
data       5 B in use
streams    unknown

member  etcd  requests/s  data  file  watch  lease  fsync p99  commit p99  RTT p99  status
a                  0.001   5 B

warning: Requests are the average since each member started, which hides every peak: scrape twice, when the cluster \
is busiest. [lifetime-average]
"""
