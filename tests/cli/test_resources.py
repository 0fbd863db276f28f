"""`etcdsize resources`: the answer of the library, as text and as JSON, and one line for every error."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from paths import DOCS

from etcdsize import Amount, Profile, Resources, kubernetes_profile, read_apiserver_metrics, resources_for, size
from etcdsize.reports.resources import render_resources
from tests.test_safe_output import HOSTILE, assert_safe

LOADS = [
    (["--clients", "300"], Profile(clients=300), {}),
    (["--data", "1.3GiB", "--rps", "50"], Profile(data_bytes="1.3GiB", requests_per_second=50), {}),
    (
        ["--keys", "5.7e6", "--value-size", "1kB", "--etcd-version", "3.5"],
        Profile(keys=5_700_000, value_bytes=1000),
        {"etcd_version": "3.5"},
    ),
    (
        ["--keys", "2000", "--value-size", "3MB", "--writes", "0.5..0.85..2", "--snapshot-count", "100000"],
        Profile(keys=2000, value_bytes=3e6, writes_per_second=(0.5, 0.85, 2)),
        {"snapshot_count": 100_000},
    ),
    (
        ["--keys", "1e4..2e4", "--writes", "9", "--quota", "8GiB", "--disk-mb-per-second", "125", "--fsync", "2ms"],
        Profile(keys=(1e4, 2e4), writes_per_second=9),
        {"quota_bytes": 8 * 2**30, "disk_mb_per_second": 125, "fsync_seconds": 0.002},
    ),
    (
        ["--keys", "2000", "--value-size", "20kB", "--snapshot-catchup-entries", "500"],
        Profile(keys=2000, value_bytes=20_000),
        {"snapshot_catchup_entries": 500},
    ),
    (["--nodes", "100", "--pods", "3000", "--etcd-version", "3.6.14"], kubernetes_profile(100, 3000),
     {"etcd_version": "3.6.14"}),
]  # fmt: skip


@pytest.fixture
def run(run):
    return partial(run, "resources")


@pytest.mark.parametrize(("words", "profile", "options"), LOADS, ids=[" ".join(words) for words, _, _ in LOADS])
def test_options_reach_the_library(run, words: list[str], profile: Profile, options: dict) -> None:
    expected = resources_for(profile, **options)
    assert run(*words) == (0, render_resources(expected), "")
    assert run(*words, "--explain") == (0, render_resources(expected, explain=True), "")
    code, out, err = run(*words, "--json")
    assert (code, err) == (0, "")
    assert Resources.model_validate_json(out) == expected
    answer = json.loads(out)
    assert answer["terms"].keys() == expected.terms.keys()
    assert len(answer["assumptions"]) == len(expected.assumptions)


class TestNodesAndALoad:
    """What is known counts before what nodes suggest, as in every command; a contradiction is a notice."""

    def test_data_that_nodes_do_not_explain_counts_alone(self, run) -> None:
        sizing = size(kubernetes_nodes=10, data_bytes="5GB")
        code, out, err = run("--kubernetes-nodes", "10", "--data", "5GB", "--json")
        found = Resources.model_validate_json(out)
        assert (code, err) == (0, "")
        assert (found.file, found.memory) == (sizing.resources.file, sizing.resources.memory)
        (notice,) = [one for one in found.notices if one.code == "nodes-left-out"]
        assert notice.text in sizing.comparison.text
        assert "data_bytes: got 5 GB, expected at most " in notice.text

    def test_data_that_nodes_explain_stands_beside_them(self, run) -> None:
        sizing = size(kubernetes_nodes=10, data_bytes="50MB")
        assert run("--kubernetes-nodes", "10", "--data", "50MB") == (0, render_resources(sizing.resources), "")
        assert len(sizing.profile.objects) > 1


class TestWhatDoesNotFit:
    """The exit code is 1, and a notice says why: a quota below the file, or a disk too slow for the writes."""

    @pytest.mark.parametrize(
        ("words", "code"),
        [
            (["--keys", "5.7e6", "--value-size", "1kB", "--quota", "4GiB"], "quota-too-small"),
            (["--keys", "5e6", "--value-size", "1kB", "--writes", "2000", "--fsync", "200ms"], "fsync-too-slow"),
            (["--data", "1GB", "--disk-mb-per-second", "0.001"], "disk-too-slow"),
        ],
    )
    def test_exits_with_1(self, run, words: list[str], code: str) -> None:
        found, out, err = run(*words)
        assert (found, err) == (1, "")
        assert f"[{code}]" in out.splitlines()[-1]
        assert run(*words, "--json")[0] == 1
        assert run(*words[:-2])[0] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "--data: missing; add a load: one or more of --clients, --requests-per-second, --data and "
         "--kubernetes-nodes, or --profile"),
        (["--explain"], "--data: missing; add a load: "),
        (["--keys", "5", "--etcd-version", "2.3"], '--etcd-version: got "2.3", expected one of 3.4, 3.5, 3.6, 3.7'),
        (["--keys", "5", "--quota", "0"], "--quota: got 0, expected an integer of 1 or more"),
        (["--keys", "5", "--quota", "8 GBs"], '--quota: got "8 GBs", expected bytes or a size such as "8GB" or "8GiB"; '
         'did you mean "8GB"?'),
        (["--keys", "5", "--snapshot-count", "0"], "--snapshot-count: got 0, expected an integer of 1 or more"),
        (["--keys", "5", "--snapshot-catchup-entries", "9", "--etcd-version", "3.5.13"],
         "--snapshot-catchup-entries: got 9 for etcd 3.5.13, which has no such setting and keeps 5000; leave it out, "
         "or ask for 3.5.14 or later"),
        (["--keys", "5", "--fsync", "0"], "--fsync: got 0, expected a finite number above 0"),
        (["--keys", "5", "--fsync", "2us"], '--fsync: got "2us", expected seconds or a duration such as "10s"'),
        (["--keys", "5", "--disk-mb-per-second", "0"], "--disk-mb-per-second: got 0, expected a finite number above 0"),
        (["--keys", "9e299", "--value-size", "9e299"], "--keys: got 9e+299, expected an amount of at most 1e+50"),
        (["--keys", "9..5"], '--keys: got "9..5", expected a count such as "300", "2.5k" or "5.7M", or a range such as '
         '"200..900"; did you mean "5..9"?'),
        (["--profile", "no.toml"], "no.toml: cannot be read: No such file or directory"),
    ],
)  # fmt: skip
def test_others_are_refused(run, words: list[str], message: str) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert err.startswith(f"etcdsize: {message}")
    assert len(err.splitlines()) == 1


class TestApiServerMetrics:
    """The load that API servers of Kubernetes report, of one page or of two, with the notices about it."""

    before, after = DOCS / "examples" / "apiserver-before.txt", DOCS / "examples" / "apiserver-after.txt"

    def test_one_page(self, run) -> None:
        load = read_apiserver_metrics(self.after.read_text(), apiservers=3)
        code, out, err = run("--apiserver-metrics", str(self.after), "--apiservers", "3", "--json")
        found = Resources.model_validate_json(out)
        expected = resources_for(load.profile)
        assert (code, err) == (0, "")
        assert found.notices == (*load.notices, *expected.notices)
        assert found.model_copy(update={"notices": expected.notices}) == expected
        _, out, _ = run("--apiserver-metrics", str(self.after), "--apiservers", "3")
        assert out.endswith("".join(f"{one.line}\n" for one in found.notices))

    def test_two_pages(self, run) -> None:
        load = read_apiserver_metrics(self.after.read_text(), self.before.read_text(), seconds=600)
        words = ["--apiserver-metrics", str(self.after), "--before", str(self.before), "--seconds", "10m"]
        expected = resources_for(load.profile)
        assert load.notices == ()
        assert run(*words) == (0, render_resources(expected), "")

    def test_other_options_replace_what_is_assumed(self, run) -> None:
        code, out, _ = run("--apiserver-metrics", str(self.after), "--watchers", "7", "--json")
        found = Resources.model_validate_json(out)
        assert (code, found.profile.watchers) == (0, Amount.of(7))
        assert "watchers" not in {one.field for one in found.assumptions}

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["--before", "b.txt"], "--before: cannot be used without --apiserver-metrics; add it"),
            (["--seconds", "10m"], "--seconds: cannot be used without --before; add it"),
            (["--apiserver-metrics", "a.txt", "--before", "b.txt"], "--before: cannot be used without --seconds; "
             "add it"),
            (["--nodes", "5", "--rollout", "0"], "--rollout: got 0, expected at least a second"),
            (["--data", "1GB", "--apiservers", "3"], "--apiservers: cannot be used without --kubernetes-nodes or "
             "--apiserver-metrics; add it"),
            (["--apiserver-metrics", "a.txt", "a.txt"], "--apiserver-metrics: got a.txt more than once, expected a "
             "page of each API server"),
            (["--apiserver-metrics", "no.txt"], "no.txt: cannot be read: No such file or directory"),
            (["--apiserver-metrics", "etcd.txt"], "etcd.txt: "),
            (["--apiserver-metrics", "a.txt", "--before", "a0.txt", "b.txt", "--seconds", "9"], "b.txt, before: is "
             "of the same API server as a0.txt"),
            (["--apiserver-metrics", "a.txt", "--before", "later.txt", "--seconds", "9"], "a.txt: got a page that is "
             "older than the page before it"),
            (["--apiserver-metrics", "a.txt", "--nodes", "5"], "--kubernetes-nodes: cannot be used with "
             "--apiserver-metrics; choose one of the two"),
            (["--apiserver-metrics", "a.txt", "--keys", "5"], "--keys: cannot be used with --apiserver-metrics: "
             "got 5, expected none: every kind of objects has a count of its own"),
        ],
    )  # fmt: skip
    def test_others_are_refused(self, run, tmp_path: Path, monkeypatch, words: list[str], message: str) -> None:
        monkeypatch.chdir(tmp_path)
        for name, source in (("a", self.before), ("a0", self.before), ("b", self.before), ("later", self.after)):
            Path(f"{name}.txt").write_text(source.read_text())
        Path("etcd.txt").write_text("etcd_server_has_leader 1\n")
        code, out, err = run(*words)
        assert (code, out) == (2, "")
        assert err.startswith(f"etcdsize: {message}")
        assert len(err.splitlines()) == 1


class TestFile:
    def test_an_option_replaces_its_field_and_says_so(self, run, tmp_path: Path) -> None:
        path = tmp_path / "load.toml"
        path.write_text('[load]\nkeys = 5\nvalue_bytes = "1kB..3kB"\n')
        expected = resources_for(Profile(keys=7, value_bytes="1kB..3kB"))
        line = f"etcdsize: --keys replaces keys of {path}\n"
        assert run("--profile", str(path), "--keys", "7") == (0, render_resources(expected), line)
        code, out, err = run("--profile", str(path), "--keys", "7", "--json")
        assert (code, Resources.model_validate_json(out), err) == (0, expected, line)

    @pytest.mark.parametrize("options", [[], ["--explain"], ["--json"]])
    def test_names_from_outside_control_no_terminal(self, run, tmp_path: Path, options: list[str]) -> None:
        path = tmp_path / "load.toml"
        name = json.dumps(HOSTILE, ensure_ascii=False)
        path.write_text(f"[[load.objects]]\nname = {name}\ncount = 300\nvalue_bytes = '1kB..3kB'\n", encoding="utf-8")
        code, out, err = run("--profile", str(path), *options)
        assert (code, err) == (0, "")
        assert_safe(out)
        assert "evil" in out

    def test_is_never_the_output_too(self, tmp_path: Path) -> None:
        import subprocess
        import sys

        from program import ENVIRONMENT

        path = tmp_path / "load.toml"
        path.write_text("[load]\nkeys = 5\n")
        with path.open("a") as stream:
            done = subprocess.run(
                [sys.executable, "-m", "etcdsize", "resources", "--profile", str(path)],
                stdout=stream,
                stderr=subprocess.PIPE,
                text=True,
                env=ENVIRONMENT,
                check=False,
            )
        assert (done.returncode, path.read_text()) == (2, "[load]\nkeys = 5\n")
        assert done.stderr.startswith(f"etcdsize: {path}: is both the input and standard output")
