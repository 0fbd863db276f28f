"""The fuzzing campaign finds nothing with the seed of CI, and names what an input does to its process."""

import json
import os
import subprocess
import sys
import time

import pytest
from paths import ROOT

from tests.fuzz.__main__ import TARGETS
from tests.fuzz.runner import run_target


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    """Half of the default campaign, in half a minute; `python -m tests.fuzz --times 100 --seed N` runs for hours."""
    file = tmp_path_factory.mktemp("fuzz") / "found.json"
    words = [sys.executable, "-m", "tests.fuzz", "--times", "0.5", "--json", file]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    return done, json.loads(file.read_text(encoding="utf-8"))["targets"] if file.exists() else {}


@pytest.mark.slow(seconds=5)
@pytest.mark.parametrize("target", TARGETS)
def test_finds_nothing(target, campaign):
    done, targets = campaign
    assert target in targets, done.stdout[-5000:] + done.stderr[-2000:]
    found = targets[target]
    assert found["findings"] == [], done.stdout[-5000:] + done.stderr[-2000:]
    assert found["inputs"] == sum(found["outcomes"].values()) == TARGETS[target][1] / 2


@pytest.mark.slow
def test_the_command_tells_that_nothing_was_found(campaign):
    done, targets = campaign
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert set(targets) == set(TARGETS)


class TestRunner:
    """Whatever an input does, it is named, and the next one runs."""

    def outcomes(self, target, tmp_path, count=3):
        result = run_target("test", target, seed=1, first=0, count=count, folder=tmp_path / "input")
        assert result.inputs == count
        return {found["input"]: found["outcome"] for found in result.findings}

    def test_an_abort(self, tmp_path):
        def target(random, folder):
            if not counted(folder.parent):
                os.abort()
            return "done"

        assert self.outcomes(target, tmp_path) == {0: "died of SIGABRT"}

    def test_an_input_without_an_end(self, tmp_path, monkeypatch):
        monkeypatch.setattr("tests.fuzz.runner.SECONDS", 0.2)

        def target(random, folder):
            if not counted(folder.parent):
                time.sleep(60)
            return "done"

        assert self.outcomes(target, tmp_path) == {0: "no end within 0.2 s"}

    def test_too_much_memory(self, tmp_path, monkeypatch):
        monkeypatch.setattr("tests.fuzz.runner.RESIDENT", 50_000_000)

        def target(random, folder):
            if not counted(folder.parent):
                bytearray(b"x") * 200_000_000
            return "done"

        assert self.outcomes(target, tmp_path) == {0: "too much memory"}

    def test_an_exception_and_a_broken_promise(self, tmp_path):
        def target(random, folder):
            if counted(folder.parent):
                raise KeyError("a")
            raise AssertionError("b")

        assert self.outcomes(target, tmp_path, 2) == {
            0: "broken promise: AssertionError b",
            1: "exception: KeyError 'a'",
        }

    def test_an_input_is_made_from_seed_target_and_number_alone(self, tmp_path):
        def target(random, folder):
            raise AssertionError(random.random())

        def found(first, count):
            result = run_target("test", target, seed=7, first=first, count=count, folder=tmp_path / "input")
            return [finding["outcome"] for finding in result.findings]

        assert found(0, 5)[3:] == found(3, 2)
        assert len(set(found(0, 5))) == 5


def counted(folder):
    """Return how often this was called for a folder, in whichever process, this time not included."""
    calls = folder / "calls"
    before = calls.stat().st_size if calls.exists() else 0
    with calls.open("ab") as file:
        file.write(b"x")
    return before
