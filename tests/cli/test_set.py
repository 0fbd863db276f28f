"""`--set` in bootstrap, settings and runbook: how it is written, what it reaches, and one line for every error."""

from __future__ import annotations

import pytest

from etcdsize import ClusterPlan, EtcdSettings, render, runbook, settings_for, size
from etcdsize.reports.runbook import render_runbook
from etcdsize.reports.settings import render_settings

FLAGS = {"max-learners": "2", "quota-backend-bytes": "6GiB", "feature-gates": "AllBeta=true,CompactHashCheck=true"}
SET = [word for name, value in FLAGS.items() for word in ("--set", f"{name}={value}")]


@pytest.mark.parametrize("option", ["--set", "--token", "--data-dir", "--host", "--zone", "--data"])
def test_two_hyphens_are_a_value(option, run):
    """Before Python 3.13, argparse drops them, and the option counts as not given."""
    _, out, err = run("bootstrap", "--host", "a=10.0.0.1", f"{option}=--")
    assert {"--token": "cluster-token=--", "--data-dir": "--/a.etcd", "--host": '"http://--:2380"'}.get(
        option, f'{option}: got "--"'
    ) in out + err


class TestBootstrap:
    @pytest.mark.parametrize("load", [[], ["--data", "4GB"]])
    def test_flags_reach_the_plan(self, run, load):
        settings = settings_for(size(data_bytes="4GB"), extra_flags=FLAGS) if load else None
        plan = ClusterPlan.local(1, settings=settings) if load else ClusterPlan.local(1, extra_flags=FLAGS)
        code, out, _ = run("bootstrap", "--local", "1", *load, *SET)
        assert (code, out) == (0, render(plan, "flags"))
        assert "--quota-backend-bytes=6442450944" in out

    @pytest.mark.parametrize(
        "words",
        [["--set", "max-wals=3"], ["--set=max-wals=3"], ["--set", "--max-wals=3"], ["--set=--max-wals=3"]],
        ids=" ".join,
    )
    def test_a_name_with_or_without_hyphens(self, run, words):
        code, out, _ = run("bootstrap", "--local", "1", *words)
        assert (code, out.count("--max-wals=3")) == (0, 1)

    def test_an_empty_value(self, run):
        code, out, _ = run("bootstrap", "--local", "1", "--set", "tls-max-version=")
        assert code == 0
        assert "--tls-max-version=''" in out

    def test_an_unknown_flag_has_a_notice(self, run):
        code, out, err = run("bootstrap", "--local", "1", "--data", "4GB", "--set", "brand-new=1")
        assert code == 0
        assert "--brand-new=1" in out
        assert err.count("[unknown-flag]") == 1


def test_settings(run):
    expected = settings_for(size(data_bytes="4GB"), extra_flags=FLAGS)
    assert run("settings", "--data", "4GB", *SET) == (0, render_settings(expected), "")
    _, out, _ = run("settings", "--data", "4GB", *SET, "--json")
    assert EtcdSettings.model_validate_json(out) == expected


def test_runbook(run):
    plan = ClusterPlan.local(1, data_dir="/d", extra_flags={"wal-dir": "/wal"})
    code, out, _ = run("runbook", "--local", "1", "--data-dir", "/d", "--set", "wal-dir=/wal")
    assert (code, out) == (0, render_runbook(runbook(plan)))
    assert "--wal-dir=/wal" in out


ERRORS = [
    (["--set", "max-wals"], '--set: got "max-wals", expected NAME=VALUE such as max-learners=2'),
    (["--set", "=3"], '--set: got "=3", expected NAME=VALUE such as max-learners=2'),
    (["--set", "max-wals=3", "--set", "--max-wals=4"], '--set: got "max-wals" more than once, expected it once'),
    (["--set", "max-wals=many"], '--set: --max-wals: got "many", expected an integer of 0 or more'),
    (["--set", "name=x"], '--set: got "name", expected flags that the plan does not set itself; set it with '
     "Member(name=), or --host NAME=HOST on the command line"),
    (["--set", "enable-v2=true"], '--set: etcd 3.6 has no flag "enable-v2"; those that have it: 3.4, 3.5'),
    (["--set", "a\x1b[31m=1"], '--set: got the flag "a\\x1b[31m", expected a name of lower-case letters, digits '
     "and hyphens, such as max-learners"),
]  # fmt: skip


COMMANDS = [["bootstrap", "--local", "1"], ["settings", "--data", "4GB"], ["runbook", "--local", "1"]]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
@pytest.mark.parametrize(("arguments", "message"), ERRORS, ids=[" ".join(words) for words, _ in ERRORS])
def test_every_error_is_one_line(run, command, arguments, message):
    code, out, err = run(*command, *arguments)
    assert (code, out) == (2, "")
    assert err.rstrip("\n").partition(": ")[2] == message


def test_a_misspelt_option_is_still_reported(run):
    code, _, err = run("bootstrap", "--local", "1", "--st", "--max-wals=3")
    assert code == 2
    assert "unknown option --st" in err
