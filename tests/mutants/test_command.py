"""The runner tells a change that the tests notice from one that they do not; the command reports both."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import ClassVar

import pytest
from paths import ROOT

from .__main__ import EQUIVALENT, ROOMS, Score, key_of, read_equivalent
from .operators import mutants_of

CODE = """\
import functools

STEP = 1


def larger(one, other):
    while one < 0:
        one += STEP
    return one if one > other else other


@functools.cache
def unused(number):
    return number + 1
"""
TESTS = """\
from code_under_test import larger


class TestLarger:
    def test_larger(self):
        assert larger(2, 1) == 2
        assert larger(1, 2) == 2
        assert larger(-2, -9) == 0
"""
RUN = """\
from pathlib import Path
from tests.mutants.operators import mutants_of
from tests.mutants import runner
from tests.mutants.runner import Room, run

# These tests take no time.
runner._LEAST = 0
room = Room("small", ("code_under_test.py",), ("test_code.py",), ("-o", "addopts=", "--doctest-modules"))
mutants = mutants_of("code_under_test.py", Path("code_under_test.py").read_text())
for mutant, outcome in run(room, mutants, confirmed=lambda mutant: False):
    print(outcome, mutant.operator, mutant.text, sep="|")
"""


def python(*arguments, cwd, check=True):
    environment = {"PYTHONPATH": f"{ROOT}:{cwd}", "PATH": "/usr/bin:/bin"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=check).stdout


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    (folder / "code_under_test.py").write_text(CODE)
    (folder / "test_code.py").write_text(TESTS)
    (folder / "conftest.py").write_text("")
    lines = python("-c", RUN, cwd=folder).splitlines()
    return {(operator, text): outcome for outcome, operator, text in (line.split("|") for line in lines)}


@pytest.mark.slow
class TestRunner:
    """A mutant that the tests notice is killed, one that never ends is stopped, and any other survives."""

    @pytest.mark.parametrize(
        ("outcome", "operator", "text"),
        [
            ("killed", "comparison", "one if one > other else other -> one if one <= other else other"),
            ("killed", "return", "return one if one > other else other -> return None"),
            ("killed", "statement", "one += STEP -> pass"),
            # Two equal numbers, and a function that no test calls.
            ("survived", "boundary", "one if one > other else other -> one if one >= other else other"),
            ("survived", "return", "return number + 1 -> return None"),
            # It acts on import.
            ("survived", "number", "STEP = 1 -> STEP = 2"),
        ],
    )
    def test_outcome(self, outcomes, outcome, operator, text):
        if text == "one += STEP -> pass":
            outcome = "timeout"
        assert outcomes[operator, text] == outcome

    def test_every_mutant_has_one(self, outcomes):
        assert len(outcomes) == len(mutants_of("code_under_test.py", CODE))


class TestEquivalent:
    """What is listed as equivalent is a mutant of the code as it stands, and has a reason."""

    def test_no_entry_is_stale(self):
        listed = read_equivalent(EQUIVALENT.read_text())
        files = [file for room in ROOMS for file in room.files]
        keys = {key_of(mutant) for file in files for mutant in mutants_of(file, (ROOT / file).read_text())}
        assert listed.keys() <= keys
        assert all(len(reason) > 20 for reason in listed.values())


class TestAgain:
    """Survivors that are run again leave the counts of the others as they were."""

    EARLIER: ClassVar = {
        "mutants": 9,
        "run": 8,
        "killed": 4,
        "timeouts": 1,
        "equivalent": 1,
        "survivors": ["a", "b"],
        "seconds": 5,
    }

    def test_the_counts_of_both_runs(self):
        again = Score(9, run=2, killed=1, equivalent=1, seconds=2)
        assert again.after(self.EARLIER) == Score(9, run=8, killed=5, timeouts=1, equivalent=2, seconds=7)
        assert Score(9, run=2, killed=1, survivors=["b"]).after(self.EARLIER).share == 100 * 6 / 7

    @pytest.mark.parametrize("again", [Score(8, run=2), Score(9, run=1), Score(9, run=3)])
    def test_other_mutants_are_rejected(self, again):
        with pytest.raises(ValueError, match="expected all survivors of the earlier run"):
            again.after(self.EARLIER)


@pytest.mark.slow
def test_the_command_runs_a_sample(tmp_path):
    """A few mutants of a small module, so that the command works when it is needed; other modules keep their counts."""
    counts = tmp_path / "counts.json"
    counts.write_text(json.dumps({"modules": {"tiers": {"seconds": 9}, "fleet/kernel": {"seconds": 5.0}}}))
    arguments = ("--sample", "8", "--at-least", "50", "--json", str(counts))
    printed = python("-m", "tests.mutants", "tiers", *arguments, cwd=ROOT)
    written = json.loads(counts.read_text())
    score = written["modules"]["tiers"]
    assert written["modules"] == {"fleet/kernel": {"seconds": 5.0}, "tiers": score}
    assert written["seconds"] == round(5 + score["seconds"], 1)
    assert score["run"] == 8
    assert score["run"] == score["killed"] + score["timeouts"] + score["equivalent"] + len(score["survivors"])
    assert f"tiers: {score['share']:.1f}% of " in printed
