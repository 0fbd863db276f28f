"""`etcdsize observe`: what it passes on, what it prints, its exit codes, and one line for every error."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from email.utils import formatdate
from functools import partial
from pathlib import Path

import pytest
from calibrated import model_with, write_model
from members import aged, captured
from paths import OBSERVED
from servers import answering, serving
from signals import restore_signals

from etcdsize import Observation, Sizing, combine_scrapes, read_metrics, size
from etcdsize.reports.observation import render_observation
from etcdsize.reports.sizing import render_sizing


@pytest.fixture
def run(run):
    return partial(run, "observe")


@pytest.fixture
def urls():
    """Three members that always say the same."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        texts = [aged(captured(number), 46) for number in range(3)]
        date = f"Date: {formatdate(usegmt=True)}\r\n"
        ports = [stack.enter_context(serving(answering(text, headers=date))) for text in texts]
        yield [f"http://127.0.0.1:{port}" for port in ports]


class TestAnswer:
    def test_json_is_the_model(self, run, urls):
        code, out, err = run(*urls, "--interval", "0.2s", "--json")
        assert (code, err) == (0, "")
        said = json.loads(out)
        observation = Observation.model_validate(said["observation"])
        sizing = Sizing.model_validate(said["sizing"])
        assert observation.requests_per_second == 0
        assert sizing == size(observation.profile, etcd_version=observation.etcd_version)
        assert sizing.members == 3

    def test_text_is_the_rendered_report(self, run, urls):
        observation = Observation.model_validate(json.loads(run(*urls, "--interval", "0", "--json")[1])["observation"])
        code, out, err = run(*urls, "--interval", "0", "--provider", "aws")
        sizing = size(observation.profile, etcd_version=observation.etcd_version, provider="aws")
        assert (code, err) == (0, "")
        assert out == render_observation(observation) + "\n" + render_sizing(sizing)
        assert sizing.tier == "medium"

    def test_options_reach_the_library(self, run, urls):
        out = run(",".join(urls), "--interval", "0", "--clients", "400", "--headroom", "30%", "--json")[1]
        said = json.loads(out)
        assert said["observation"]["clients"] == {"count": 400, "counted_by": "given", "bound": "exact"}
        assert (said["sizing"]["tier"], said["sizing"]["headroom_asked"]) == ("large", 0.3)

    def test_todays_machines(self, run, urls):
        out = run(*urls, "--interval", "0", "--catalog", "current", "--provider", "aws", "--json")[1]
        assert json.loads(out)["sizing"]["cost_per_month"]["aws"] > 0


class TestExitCodes:
    def test_a_member_that_is_down(self, run, urls):
        code, out, err = run(*urls[:2], "127.0.0.1:1", "--interval", "0")
        assert (code, err) == (1, "")
        assert "  http://127.0.0.1:1: nothing listens there; is the member down, or the port wrong?\n" in out
        assert "\ntier " in out

    def test_all_are_down(self, run):
        code, out, err = run("127.0.0.1:1", "--interval", "0")
        assert (code, err) == (1, "")
        assert "nothing listens there" in out
        assert "\ntier " not in out
        code, out, _ = run("127.0.0.1:1", "--interval", "0", "--json")
        assert (code, json.loads(out)["sizing"]) == (1, None)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ([], "endpoints: got none, expected a member's client URL such as http://10.0.0.1:2379"),
            (["http://a"], 'endpoints: got "http://a", expected a port as well, such as http://a:2379'),
            (
                ["a:1", "--interval", "10sec"],
                '--interval: got "10sec", expected seconds or a duration such as "10s", "500ms", "5m" or "1h"; did you '
                'mean "10s"?',
            ),
            (["a:1", "--timeout", "0"], "--timeout: got 0, expected seconds above 0"),
            (["a:1", "--clients", "many"], '--clients: got "many", expected a count such as "300"'),
            (["a:1", "--cert", "x.crt"], "--cert: cannot be used without key; give both"),
            (["a:1", "--cacert", "/no/such"], "--cacert: /no/such: cannot be read: No such file or directory"),
            (
                ["a:1", "--provider", "alibab"],
                '--provider: got "alibab", expected the name of a provider; did you mean "alibaba"?',
            ),
            (["a:1", "--headroom", "30"], None),
            (["a:1", "--tiers", "gide"], None),
        ],
    )
    def test_bad_usage(self, run, arguments, message):
        """Before anybody is asked."""
        start = time.monotonic()
        code, out, err = run(*arguments)
        assert (code, out) == (2, "")
        assert len(err.splitlines()) == 1
        assert message is None or err.startswith(f"etcdsize: {message}")
        assert time.monotonic() - start < 3

    def test_without_the_extra(self, run, monkeypatch):
        monkeypatch.setitem(sys.modules, "httpx", None)
        assert run("a:1") == (2, "", "etcdsize: httpx is not installed; run: pip install 'etcdsize[observe]'\n")

    @pytest.mark.slow
    def test_interrupted(self, urls):
        command = [sys.executable, "-m", "etcdsize", "observe", *urls, "--interval", "1m"]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=restore_signals
        )
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
        assert (process.returncode, out, err) == (130, "", "etcdsize: interrupted\n")

    def test_a_closed_standard_output(self, urls):
        command = f'"{sys.executable}" -m etcdsize observe {urls[0]} --interval 0 >&-'
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, env=os.environ)
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1


class TestSaved:
    """Scrapes that were saved: sized as the same members would be that answer now."""

    MEMBERS = ("infra0", "infra1", "infra2")

    @staticmethod
    def files(when: str) -> list[str]:
        return [str(OBSERVED / f"{name}-{when}.txt") for name in TestSaved.MEMBERS]

    def test_two_scrapes_of_each_member(self, run):
        code, out, err = run("--before", *self.files("before"), "--after", *self.files("after"), "--seconds", "10.012s")
        assert (code, err) == (0, "")
        assert "requests   240.3/s\n" in out
        assert "observed   10 s\n" in out
        assert "\ntier       medium\n" in out

    def test_json_is_that_of_the_library_in_any_order(self, run):
        before, after = self.files("before"), self.files("after")
        code, out, _ = run(
            "--before", *reversed(before), "--after", *after, "--seconds", "10.012", "--clients", "300", "--json"
        )
        said = json.loads(out)
        scrapes = [
            {name: read_metrics(Path(file).read_text()) for name, file in zip(after, files, strict=True)}
            for files in (before, after)
        ]
        expected = combine_scrapes(*scrapes, seconds=10.012, clients=300)
        assert code == 0
        assert Observation.model_validate(said["observation"]) == expected
        assert Sizing.model_validate(said["sizing"]) == size(expected.profile, members=3, etcd_version="3.5.1")

    def test_no_machine_is_enough(self, run):
        words = ("--before", *self.files("before"), "--after", *self.files("after"), "--seconds", "10.012s")
        code, out, err = run(*words, "--provider", "scaleway")
        assert (code, err) == (1, "")
        assert "\ntier       medium\n" in out
        assert "[no-machine-fits]" in out

    def test_model_of_the_user_counts(self, run, tmp_path):
        model = str(write_model(tmp_path / "my-model.json", model_with("3.5.35")))
        words = ("--after", *self.files("after"), "--clients", "300", "--json")
        ours, own = (json.loads(run(*words, *more)[1]) for more in ((), ("--model", model)))
        members = [answer["observation"]["members"][0]["modelled"] for answer in (ours, own)]
        assert members[0]["defragment_seconds"] != members[1]["defragment_seconds"]
        assert Sizing.model_validate(own["sizing"]).resources.model.calibrated_on == "3.5.35"

    def test_model_of_another_version_is_rejected(self, run, tmp_path):
        model = str(write_model(tmp_path / "my-model.json", model_with("3.6.16")))
        code, out, err = run("--after", *self.files("after"), "--model", model)
        assert (code, out) == (2, "")
        assert "got one that was calibrated on etcd 3.6.16, expected one for etcd 3.5" in err

    def test_without_the_time_rates_are_unknown(self, run):
        code, out, _ = run("--before", *self.files("before"), "--after", *self.files("after"))
        assert code == 1
        assert "observed  twice, an unknown time apart\n" in out
        assert "requests  unknown\n" in out
        assert "the time between its two scrapes is unknown, which gives no rate" in out
        assert "1.343488 MB in use" in out

    def test_one_scrape_and_its_time_give_an_average(self, run):
        code, out, _ = run("--after", *self.files("after"), "--taken", "2026-11-25T04:39:21Z")
        assert code == 0
        assert "observed   once: requests are the average since each member started\n" in out
        assert "[lifetime-average]" in out
        code, out, _ = run("--after", *self.files("after"))
        assert code == 1
        assert "observed  once\n" in out
        assert "requests  unknown\n" in out

    def test_statuses_fill_in_and_stand_alone(self, run):
        status = str(OBSERVED / "status.json")
        two = self.files("after")[:2]
        code, out, _ = run("--before", *self.files("before")[:2], "--after", status, *two, "--seconds", "10", "--json")
        observation = json.loads(out)["observation"]
        assert (code, observation["cluster_id"], observation["requests_bound"]) == (1, "29a3eebdf6d85d8c", "lower")
        assert [one["endpoint"] for one in observation["members"]] == [*two, "http://127.0.0.1:41171"]
        code, out, _ = run("--after", status)
        assert code == 1
        assert "observed  not at all: endpoint statuses do not count requests\n" in out
        assert "data      1.347584 MB in use in a file of 1.347584 MB\n" in out

    def test_standard_input(self):
        command = [sys.executable, "-m", "etcdsize", "observe", "--after", *self.files("after")[:2], "-"]
        command += ["--before", *self.files("before"), "--seconds", "10.012", "--json"]
        text = Path(self.files("after")[2]).read_bytes()
        done = subprocess.run(command, input=text, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        observation = json.loads(done.stdout)["observation"]
        assert observation["members"][2]["endpoint"] == "standard input"
        assert observation["requests_per_second"] == pytest.approx(240.3, abs=0.1)

    def test_members_that_are_missing(self, run):
        """Nothing is a whole cluster of which a page is missing."""
        code, out, _ = run("--before", *self.files("before"), "--after", *self.files("after")[:2], "--seconds", "10")
        assert code == 1
        assert "infra2-before.txt: the last scrape of this member is missing\n" in out
        assert "failures   2 of 3 voters serve, if those that did not answer have failed; no other may fail\n" in out
        status = str(OBSERVED / "status.json")
        answer = run(
            *("--before", *self.files("before"), "--after", *self.files("after")[:2], status, "--seconds", "10"),
            "--json",
        )
        observation = json.loads(answer[1])["observation"]
        assert (answer[0], observation["failures_left"]) == (1, 1)
        assert [one["answered"] for one in observation["members"]] == [True] * 3
        assert observation["requests_bound"] == "lower"
        code, out, _ = run(
            "--before", *self.files("before")[:1], "--after", *self.files("after")[:1], "--seconds", "10"
        )
        assert code == 1
        assert "[member-not-asked]" in out

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--before", "a"], "--before: cannot be used without --after; pass a single scrape with --after alone"),
            (["--seconds", "5"], "--seconds: cannot be used without --after; pass a single scrape with --after alone"),
            (["--after", "a", "--seconds", "5"], "--seconds: cannot be used without --before"),
            (["--after", "a", "--targets", "t.json"], "--after: cannot be used with --targets; save the pages of one"),
            (["x:1", "--after", "a"], "--after: cannot be used with URL; choose one of the two"),
            (["--after", "a", "--interval", "5s"], "--interval: cannot be used with --after; give --seconds"),
            (["--after", "a", "--timeout", "5s"], "--timeout: cannot be used with --after; nothing is asked"),
            (["--after", "a", "--cacert", "c"], "--cacert: cannot be used with --after; nothing is asked"),
            (["--after", "a", "-o", "x.csv"], "--output: cannot be used without --targets; one cluster has no rows"),
            (["--after", "a", "b", "--before", "a"], '--after: got "a" 2 times, expected each file once'),
            (["--after", "-", "-"], '--after: got "standard input" 2 times, expected each file once'),
            (["--after", "no-such"], "no-such: cannot be read: No such file or directory"),
            (
                ["--after", "a", "--before", "s", "--seconds", "1"],
                "s: got an endpoint status, expected metrics",
            ),
            (
                ["--after", "b", "--before", "a", "--seconds", "5"],
                "b: got a page that is older than a, the page before",
            ),
            (
                ["--after", "b", "--before", "./b", "--seconds", "5"],
                "b: got the same figures as ./b, the page before it",
            ),
            (["--after", "e"], "e: metrics: got an empty text, expected the metrics of etcd"),
            *(
                (
                    ["--after", "a", "--before", "b", "--seconds", text],
                    f"--seconds: got {shown}, expected the time between the two scrapes, from 0.000001 to 1000000000 "
                    "seconds",
                )
                for text, shown in (("0", "0"), ("0ms", "0"), ("1e-320", "1e-320"), ("1e300", "1e+300"))
            ),
            (["--after", "a", "--seconds", "soon"], '--seconds: got "soon", expected seconds or a duration'),
            (
                ["--after", "a", "--taken", "today"],
                '--taken: got "today", expected a date and time with a zone, such as',
            ),
            (
                ["--after", "a", "--taken", "2030-01-01T00:00:00Z"],
                "--taken: got 2030-01-01T00:00:00+00:00, expected a time in the past; it is now 2026-11-",
            ),
            (
                ["--before", "b", "--after", "a", "--taken", "2026-11-25T04:39:21Z"],
                "--taken: cannot be used with --before; give --seconds",
            ),
            (["--after", "a", "--taken", "2026-11-25T03:19:21"], '--taken: got "2026-11-25T03:19:21", expected a date'),
        ],
    )
    def test_bad_usage_is_one_line(self, run, tmp_path, monkeypatch, arguments, message):
        monkeypatch.chdir(tmp_path)
        for name, text in (("a", captured(0, "after")), ("b", captured(0)), ("e", "")):
            Path(name).write_text(text)
        Path("s").write_bytes((OBSERVED / "status.json").read_bytes())
        code, out, err = run(*arguments)
        assert (code, out) == (2, "")
        assert err.startswith(f"etcdsize: {message}")
        assert len(err.splitlines()) == 1
