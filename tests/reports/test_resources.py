"""The report of what a load takes: the whole text of an answer made by hand, and every figure of real ones."""

from __future__ import annotations

import re

import pytest

from etcdsize import Profile, Resources, kubernetes_profile, resources_for
from etcdsize.reports.resources import render_resources
from etcdsize.resources.model import GROUPS
from etcdsize.resources.resources_text import digits_text, quantity_text


def text(name: str, value: float) -> str:
    return f"{digits_text(value / 2**30)} GiB" if name == "file.quota_bytes" else quantity_text(name, value)


ANSWERS = [
    resources_for(Profile(keys=40_000, value_bytes="1kB..3kB", writes_per_second=50)),
    resources_for(Profile(clients=300), etcd_version="3.5", quota_bytes=2**31),
    resources_for(kubernetes_profile(1000, 30_000), etcd_version="3.4", disk_mb_per_second=125, fsync_seconds=0.002),
]


class TestReport:
    @pytest.mark.parametrize("resources", ANSWERS)
    def test_has_every_figure_with_its_range_and_its_need(self, resources: Resources) -> None:
        """Read back row by row, in the order of the model."""
        rows = [re.split(r"  +", line) for line in render_resources(resources).splitlines()]
        rows = [row for row in rows if len(row) == 6 and row[1:5] != ["low", "likely", "high", "provide"]]
        for row, (group, figure) in zip(rows, [(g, f) for g in GROUPS for f in GROUPS[g]], strict=True):
            found = getattr(getattr(resources, group), figure)
            values = (found.low, found.likely, found.high, found.need)
            assert row[1:5] == [text(f"{group}.{figure}", value) for value in values]

    @pytest.mark.parametrize("resources", ANSWERS)
    def test_lists_assumptions_with_the_largest_effect_first(self, resources: Resources) -> None:
        short, long = render_resources(resources), render_resources(resources, explain=True)
        fields = [one.field for one in resources.assumptions]
        listed = re.findall(rf"^({'|'.join(map(re.escape, fields))})  ", short.partition("\nassumed ")[2], re.M)
        assert len(listed) == min(len(fields), 10)
        assert ("--explain lists them" in short) == (len(fields) > 10)
        assert {*re.findall(rf"^({'|'.join(map(re.escape, fields))}):$", long, re.M)} == {*fields}
        for one in resources.assumptions:
            assert re.sub(r"\s", "", one.why) in re.sub(r"\s", "", long)

    @pytest.mark.parametrize("resources", ANSWERS)
    def test_explains_every_term(self, resources: Resources) -> None:
        long = render_resources(resources, explain=True)
        for name, terms in resources.terms.items():
            for term in terms:
                line = f"  {term.name}: {text(name, term.need)}, {term.known}\n"
                assert (line in long) == bool(term.high), line
        assert len(long) > 3 * len(render_resources(resources))

    @pytest.mark.parametrize("resources", ANSWERS)
    def test_has_the_advice_and_the_notices(self, resources: Resources) -> None:
        report = render_resources(resources)
        assert len(re.findall(r"^advice: ", report, re.M)) == len(resources.advice)
        for one in resources.advice:
            assert f"[{one.code}]" in report
        assert report.splitlines()[-len(resources.notices) :] == [one.line for one in resources.notices] or (
            not resources.notices
        )


def made_by_hand() -> Resources:
    """Return an answer whose figures are no measurement: a thousand, a million, a billion, and so on."""
    of_bytes = {"low": 1e3, "likely": 1.5e6, "high": 2e9, "need": 1.8e9}
    others = {
        "file.quota_bytes": {"low": 2**31, "likely": 3 * 2**30, "high": 2**33, "need": 2**32},
        "disk.fsyncs_per_second": {"low": 1, "likely": 20, "high": 300, "need": 40},
        "disk.fsync_p99_seconds": {"low": 0.0005, "likely": 0.002, "high": 0.01, "need": 0.01},
        "disk.sequential_iops": {"low": 1, "likely": 20, "high": 30_000, "need": 40},
        **{f"cpu.{name}": {"low": 0.01, "likely": 0.5, "high": 12, "need": 1} for name in GROUPS["cpu"]},
        **{f"seconds.{name}": {"low": 0, "likely": 0.0251, "high": 9000, "need": 2} for name in GROUPS["seconds"]},
    }
    groups = {
        group: {name: others.get(f"{group}.{name}", of_bytes) for name in names} for group, names in GROUPS.items()
    }
    terms = {}
    for group, figures in groups.items():
        for name, figure in figures.items():
            term = {**figure, "name": "a term", "known": "measured on 3.6.16", "source": "index_per_key 168 B: a run"}
            choice = {**figure, "name": "another", "known": "our choice", "source": "a reason"}
            nothing = {**term, "name": "nothing", "low": 0, "likely": 0, "high": 0, "need": 0}
            terms[f"{group}.{name}"] = [term, choice, nothing]
    never = dict.fromkeys(("soonest_hours", "likely_hours", "latest_hours"))
    real = resources_for(Profile(keys=40_000, value_bytes="1kB..3kB"), quota_bytes=2**31)
    return Resources.model_validate(
        {
            **real.model_dump(),
            "measured_on": "3.6.16",
            **groups,
            "file": {
                **groups["file"],
                "full_without_compaction": {"soonest_hours": 0.5, "likely_hours": 12, "latest_hours": None},
                "full": never,
            },
            "disk": {
                **groups["disk"],
                "writes_possible_per_second": {"low": 400, "likely": 5000, "high": 20_000},
            },
            "cpu": {**groups["cpu"], "machine": {"cpu": "AMD EPYC", "cores": "2"}},
            "terms": terms,
            "advice": [
                {"code": "lists-in-pages", "text": "List in pages.", "figure": "memory.limit_bytes", "before": 4e9,
                 "after": 1e9},
            ],
            "assumptions": [
                {"field": "key_bytes", "value": {"low": 16, "likely": 50, "high": 256}, "why": "Nobody said.",
                 "source": "our choice"},
                {"field": "tls", "value": {"low": 0, "likely": 0, "high": 0}, "why": "Usual.", "source": "our choice"},
                {"field": "watchers", "value": {"low": 0, "likely": 50, "high": 100}, "why": "So.", "source": "a page"},
            ],
            "assumption_effects": [
                {"field": "key_bytes", "quota_low_bytes": 2e9, "quota_high_bytes": 2e9, "limit_low_bytes": 8e8,
                 "limit_high_bytes": 9e8},
                {"field": "watchers", "quota_low_bytes": 2e9, "quota_high_bytes": 8e9, "limit_low_bytes": 8e8,
                 "limit_high_bytes": 9e8},
            ],
            "notices": [{"code": "quota-too-small", "severity": "warning", "text": "Too small.", "source": "x"}],
        }
    )  # fmt: skip


class TestWholeText:
    def test_is_short(self) -> None:
        assert render_resources(made_by_hand()) == SHORT

    def test_explains(self) -> None:
        text = render_resources(made_by_hand(), explain=True)
        assert text.startswith(SHORT.partition("\nassumed ")[0])
        assert FILE_IN_FULL in text
        assert text.endswith(ASSUMED_IN_FULL)


SHORT = """\
etcd                     3.6 (measured on 3.6.16)
load                     keys 40000, value 1 kB..3 kB
quota                    2 GiB (given)
memory limit             1.8 GB
volume                   1.8 GB
full without compaction  12 h (1,800 s to never)
full with compaction     never

database file                low  likely   high  provide  evidence
in use after a compaction   1 kB  1.5 MB   2 GB   1.8 GB  measured on 3.6.16, our choice
history                     1 kB  1.5 MB   2 GB   1.8 GB  measured on 3.6.16, our choice
at its largest              1 kB  1.5 MB   2 GB   1.8 GB  measured on 3.6.16, our choice
quota needed               2 GiB   3 GiB  8 GiB    4 GiB  measured on 3.6.16, our choice

memory                        low  likely  high  provide  evidence
key index                    1 kB  1.5 MB  2 GB   1.8 GB  measured on 3.6.16, our choice
raft log                     1 kB  1.5 MB  2 GB   1.8 GB  measured on 3.6.16, our choice
connections                  1 kB  1.5 MB  2 GB   1.8 GB  measured on 3.6.16, our choice
watches                      1 kB  1.5 MB  2 GB   1.8 GB  measured on 3.6.16, our choice
leases                       1 kB  1.5 MB  2 GB   1.8 GB  measured on 3.6.16, our choice
largest commit               1 kB  1.5 MB  2 GB   1.8 GB  measured on 3.6.16, our choice
live heap                    1 kB  1.5 MB  2 GB   1.8 GB  measured on 3.6.16, our choice
lists                        1 kB  1.5 MB  2 GB   1.8 GB  measured on 3.6.16, our choice
garbage                      1 kB  1.5 MB  2 GB   1.8 GB  measured on 3.6.16, our choice
stacks                       1 kB  1.5 MB  2 GB   1.8 GB  measured on 3.6.16, our choice
during defragmentation       1 kB  1.5 MB  2 GB   1.8 GB  measured on 3.6.16, our choice
not reclaimable, under load  1 kB  1.5 MB  2 GB   1.8 GB  measured on 3.6.16, our choice
not reclaimable, at peak     1 kB  1.5 MB  2 GB   1.8 GB  measured on 3.6.16, our choice
page cache                   1 kB  1.5 MB  2 GB   1.8 GB  measured on 3.6.16, our choice
limit to set                 1 kB  1.5 MB  2 GB   1.8 GB  measured on 3.6.16, our choice
GOMEMLIMIT                   1 kB  1.5 MB  2 GB   1.8 GB  measured on 3.6.16, our choice

disk                                low    likely      high   provide  evidence
written to the WAL               1 kB/s  1.5 MB/s    2 GB/s  1.8 GB/s  measured on 3.6.16, our choice
written to the file              1 kB/s  1.5 MB/s    2 GB/s  1.8 GB/s  measured on 3.6.16, our choice
fsyncs                              1/s      20/s     300/s      40/s  measured on 3.6.16, our choice
fsync, 99th percentile, at most  0.5 ms      2 ms     10 ms     10 ms  measured on 3.6.16, our choice
sequential IOPS                     1/s      20/s  30,000/s      40/s  measured on 3.6.16, our choice
volume                             1 kB    1.5 MB      2 GB    1.8 GB  measured on 3.6.16, our choice

network                     low    likely    high   provide  evidence
leader to its followers  1 kB/s  1.5 MB/s  2 GB/s  1.8 GB/s  measured on 3.6.16, our choice
to a follower            1 kB/s  1.5 MB/s  2 GB/s  1.8 GB/s  measured on 3.6.16, our choice
clients, without lists   1 kB/s  1.5 MB/s  2 GB/s  1.8 GB/s  measured on 3.6.16, our choice

CPU              low     likely      high  provide  evidence
leader    0.01 cores  0.5 cores  12 cores   1 core  measured on 3.6.16, our choice
follower  0.01 cores  0.5 cores  12 cores   1 core  measured on 3.6.16, our choice
measured on 2 cores of AMD EPYC

time                            low   likely   high  provide  evidence
restart                         0 s  25.1 ms  2.5 h      2 s  measured on 3.6.16, our choice
new member                      0 s  25.1 ms  2.5 h      2 s  measured on 3.6.16, our choice
snapshot                        0 s  25.1 ms  2.5 h      2 s  measured on 3.6.16, our choice
restore                         0 s  25.1 ms  2.5 h      2 s  measured on 3.6.16, our choice
defragmentation, requests wait  0 s  25.1 ms  2.5 h      2 s  measured on 3.6.16, our choice
compaction                      0 s  25.1 ms  2.5 h      2 s  measured on 3.6.16, our choice
CPU of a list                   0 s  25.1 ms  2.5 h      2 s  measured on 3.6.16, our choice
end of a lease, writes wait     0 s  25.1 ms  2.5 h      2 s  measured on 3.6.16, our choice

assumed    value              effect
watchers   0..50..100         quota 1.86 GiB to 7.45 GiB, memory limit 800 MB to 900 MB
key_bytes  16 B..50 B..256 B  memory limit 800 MB to 900 MB
tls        no                 none: no other value is likely

advice: List in pages. [lists-in-pages]
  memory, limit to set: 4 GB to 1 GB

warning: Too small. [quota-too-small]
"""
FILE_IN_FULL = """\
database file, in use after a compaction: 1.8 GB
  a term: 1.8 GB, measured on 3.6.16
    index_per_key 168 B: a run
  another: 1.8 GB, our choice
    a reason
database file, history: 1.8 GB
  a term: 1.8 GB, measured on 3.6.16
    index_per_key 168 B: a run
  another: 1.8 GB, our choice
    a reason
database file, at its largest: 1.8 GB
  a term: 1.8 GB, measured on 3.6.16
    index_per_key 168 B: a run
  another: 1.8 GB, our choice
    a reason
database file, quota needed: 4 GiB
  a term: 4 GiB, measured on 3.6.16
    index_per_key 168 B: a run
  another: 4 GiB, our choice
    a reason
"""
ASSUMED_IN_FULL = """\
assumed    value              effect
watchers   0..50..100         quota 1.86 GiB to 7.45 GiB, memory limit 800 MB to 900 MB
key_bytes  16 B..50 B..256 B  memory limit 800 MB to 900 MB
tls        no                 none: no other value is likely
watchers:
  So. [a page]
key_bytes:
  Nobody said. [our choice]
tls:
  Usual. [our choice]

advice: List in pages. [lists-in-pages]
  memory, limit to set: 4 GB to 1 GB

warning: Too small. [quota-too-small]
"""


def test_large_figures_have_no_exponent():
    """Nobody reads 4.81e+03 GiB."""
    shown = render_resources(resources_for(Profile(data_bytes=1e9)))
    assert "e+" not in shown
    assert quantity_text("cpu.leader_cores", 6_123.4) == "6,123 cores"
    assert quantity_text("cpu.leader_cores", 0.321) == "0.32 cores"
