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

import pytest
from members import aged, captured
from servers import answering, serving
from signals import restore_signals

from etcdsize import Observation, Sizing, size
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
        assert sizing == size(observation.workload())
        assert sizing.members == 3

    def test_text_is_the_rendered_report(self, run, urls):
        observation = Observation.model_validate(json.loads(run(*urls, "--interval", "0", "--json")[1])["observation"])
        code, out, err = run(*urls, "--interval", "0", "--provider", "aws")
        sizing = size(observation.workload(), provider="aws")
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
        assert json.loads(out)["sizing"]["usd_month"]["aws"] > 0


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
            (["a:1", "--timeout", "0"], "timeout: got 0, expected seconds above 0"),
            (["a:1", "--clients", "many"], '--clients: got "many", expected a count such as "300"'),
            (["a:1", "--cert", "x.crt"], "cert: cannot be used without key; give both"),
            (["a:1", "--cacert", "/no/such"], "cacert: /no/such: cannot be read: No such file or directory"),
            (
                ["a:1", "--provider", "alibaba"],
                'provider: got "alibaba", expected aws, azure or gce',
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
