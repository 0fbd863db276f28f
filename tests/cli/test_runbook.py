"""`etcdsize runbook`: what it passes on, what it prints, its exit codes, and one line for every error."""

from __future__ import annotations

from functools import partial

import pytest

from etcdsize import ClusterPlan, Runbook, Tls, runbook
from etcdsize.reports.runbook import render_runbook

HOSTS = ("--host", "a=10.0.0.1", "--host", "b=10.0.0.2", "--host", "c=10.0.0.3")
NAMED = {"a": "10.0.0.1", "b": "10.0.0.2", "c": "10.0.0.3"}
ZONES = {"a": "z1", "b": "z2", "c": "z3"}


@pytest.fixture
def run(run):
    return partial(run, "runbook")


class TestPlan:
    @pytest.mark.parametrize(
        ("arguments", "plan"),
        [
            (HOSTS, ClusterPlan.from_hosts(NAMED)),
            (("--host", "10.0.0.1", "--host", "b=10.0.0.2"), ClusterPlan.from_hosts(["10.0.0.1", "b=10.0.0.2"])),
            ((*HOSTS, "--client-port", "1", "--peer-port", "2"),
             ClusterPlan.from_hosts(NAMED, client_port=1, peer_port=2)),
            ((*HOSTS, "--zone", "a=z1", "--zone", "b=z2", "--zone", "c=z3"),
             ClusterPlan.from_hosts(NAMED, zones=ZONES)),
            ((*HOSTS, "--token", "orders", "--data-dir", "/d", "--etcd-version", "3.6"),
             ClusterPlan.from_hosts(NAMED, token="orders", data_dir="/d", etcd_version="3.6")),
            ((*HOSTS, "--tls-dir", "/pki"), ClusterPlan.from_hosts(NAMED, tls=Tls.from_dir("/pki"))),
            (("--local", "3"), ClusterPlan.local(3)),
            (("--local", "1", "--base-port", "5000", "--data-dir", "/d", "--tls-dir", "/pki", "--token", "t"),
             ClusterPlan.local(1, base_port=5000, data_dir="/d", tls=Tls.from_dir("/pki"), token="t")),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
    )  # fmt: skip
    def test_options_reach_the_library(self, run, arguments, plan):
        assert run(*arguments) == (0, render_runbook(runbook(plan)), "")


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (["--tier", "large"], {"tier": "large"}),
        (["--kubernetes"], {"kubernetes": True}),
        (["--snapshot", "/backup/a.db"], {"snapshot": "/backup/a.db"}),
    ],
)
def test_options_reach_the_library(run, arguments, options):
    plan = ClusterPlan.local(3)
    assert run("--local", "3", *arguments) == (0, render_runbook(runbook(plan, **options)), "")


def test_json_is_the_model(run):
    code, out, err = run(*HOSTS, "--tier", "small", "--json")
    assert (code, err) == (0, "")
    assert Runbook.model_validate_json(out) == runbook(ClusterPlan.from_hosts(NAMED), tier="small")


ERRORS = [
    ([], "--host: missing; add --host a=10.0.0.1 for every member, or --local 3 for members on this machine"),
    ([*HOSTS, "--local", "3"], "--host: cannot be used with --local; choose one of the two"),
    (["--local", "three"], '--local: got "three", expected a count such as "300"'),
    (["--local", "2.5"], '--local: got "2.5", expected a whole number'),
    (["--local", "3", "--zone", "a=z"], "--zone: cannot be used with --local; it needs --host"),
    (["--local", "3", "--client-port", "1"], "--client-port: cannot be used with --local; it needs --host"),
    (["--local", "3", "--peer-port", "1"], "--peer-port: cannot be used with --local; it needs --host"),
    ([*HOSTS, "--base-port", "1"], "--base-port: cannot be used with --host; it needs --local"),
    ([*HOSTS, "--zone", "a"], '--zone: got "a", expected NAME=ZONE such as a=eu-1a'),
    ([*HOSTS, "--zone", "a=z", "--zone", "a=y"], '--zone: got "a" more than once, expected it once'),
    ([*HOSTS, "--tier", "smal"],
     '--tier: got "smal", expected small, medium, large, xlarge; did you mean "small"?'),
    ([*HOSTS, "--snapshot", "../a"], '--snapshot: got "../a", expected a path without ..'),
    (["--host"], "argument --host: expected one argument; see 'etcdsize runbook --help'"),
]  # fmt: skip
# Errors that the library raises: one line each, whatever the words.
REJECTED_BY_THE_LIBRARY = [
    ["--local", "0"],
    ["--host", "a=http://10.0.0.1"],
    ["--host", "a=10.0.0.1", "--host", "a=10.0.0.2"],
    [*HOSTS, "--zone", "d=z"],
    [*HOSTS, "--peer-port", "65536"],
    [*HOSTS, "--etcd-version", "3.3"],
    [*HOSTS, "--token", ""],
    [*HOSTS, "--data-dir", "a\nb"],
    [*HOSTS, "--tls-dir", " "],
]


@pytest.mark.parametrize(("arguments", "message"), ERRORS, ids=[" ".join(arguments) for arguments, _ in ERRORS])
def test_every_error_is_one_line(run, arguments, message):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert err.rstrip("\n").partition(": ")[2] == message


@pytest.mark.parametrize("arguments", REJECTED_BY_THE_LIBRARY, ids=" ".join)
def test_a_library_error_is_one_line(run, arguments):
    code, out, err = run(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "got " in err
