"""A command that is killed leaves its output as it was or complete, and the next run succeeds."""

import os
import signal
from pathlib import Path

import pytest

from tests.kills.campaign import Case, campaign, faults_of
from tests.support.writers import Writer

COUNT = int(os.environ.get("ETCDSIZE_KILLS", "28"))
"""Kills in all, one of each command with and without an old output; more for a long run."""
FILE = Writer("a file", ("fleet",), "out.csv")
FOLDER = Writer("a directory", ("bootstrap",), "members")
NEW = {"infra0.env": b"new", "infra1.env": b"new"}
HIDDEN = f".out.csv.{'0' * 16}.part"


@pytest.mark.slow(seconds=20)
def test_nothing_is_lost_when_a_command_is_killed(tmp_path):
    results = campaign(tmp_path, count=COUNT, seed=14)
    assert results.findings == []
    assert results.kills == COUNT
    figures = results.figures()
    assert set(figures["signals"]) == {"SIGKILL", "SIGTERM"}
    assert all(command["runs"] for command in figures["commands"].values())


class TestFaults:
    """The campaign finds what it looks for."""

    @pytest.mark.parametrize(
        ("case", "left", "number", "code", "printed", "fault"),
        [
            (Case(FILE, over=False, complete=b"new"), {}, signal.SIGKILL, -9, "", None),
            (Case(FILE, over=True, complete=b"new"), {"out.csv": b"old"}, signal.SIGTERM, 143, "", None),
            (Case(FILE, over=True, complete=b"new"), {"out.csv": b"new"}, None, 0, "", None),
            (Case(FILE, over=False, complete=b"new"), {HIDDEN: b""}, signal.SIGKILL, -9, "", None),
            (Case(FILE, over=False, complete=b"new"), {HIDDEN: b""}, signal.SIGTERM, 143, "", f"left {HIDDEN}"),
            (
                Case(FILE, over=False, complete=b"new"),
                {"out.csv": b"ne"},
                signal.SIGKILL,
                -9,
                "",
                "the output is neither as before nor complete",
            ),
            (
                Case(FILE, over=True, complete=b"new"),
                {},
                signal.SIGKILL,
                -9,
                "",
                "the output is neither as before nor complete",
            ),
            (Case(FILE, over=False, complete=b"new"), {"x": b""}, signal.SIGTERM, 143, "", "left x"),
            (Case(FILE, over=False, complete=b"new"), {}, signal.SIGTERM, 1, "", "exit code 1"),
            (Case(FILE, over=False, complete=b"new"), {}, signal.SIGTERM, 143, "Traceback", "printed 'Traceback'"),
            (Case(FOLDER, over=False, complete=NEW), {"members": NEW}, signal.SIGKILL, -9, "", None),
            (
                Case(FOLDER, over=False, complete=NEW),
                {"members": {"infra0.env": b"new"}},
                signal.SIGKILL,
                -9,
                "",
                "the new directory is not complete",
            ),
            (
                Case(FOLDER, over=True, complete=NEW),
                {"members": {"infra0.env": b"new", "infra1.env": b"old"}},
                signal.SIGKILL,
                -9,
                "",
                None,
            ),
            (
                Case(FOLDER, over=True, complete=NEW),
                {"members": {"infra0.env": b"ne", "infra1.env": b"old"}},
                signal.SIGKILL,
                -9,
                "",
                "infra0.env has neither the old nor the new content",
            ),
            (
                Case(FOLDER, over=True, complete=NEW),
                {"members": {"infra0.env": b"new"}},
                signal.SIGKILL,
                -9,
                "",
                "an old file is missing",
            ),
        ],
    )
    def test_each_is_found(self, tmp_path, case, left, number, code, printed, fault):
        for name, content in left.items():
            if isinstance(content, dict):
                (tmp_path / name).mkdir()
                for inner, one in content.items():
                    Path(tmp_path, name, inner).write_bytes(one)
            else:
                (tmp_path / name).write_bytes(content)
        assert list(faults_of(case, tmp_path, number, code, printed)) == ([] if fault is None else [fault])
