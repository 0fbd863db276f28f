"""Stop every command that writes an output at random moments, and check what each leaves behind."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from etcdsize.cli import main
from tests.support.servers import answering, serving
from tests.support.writers import METRICS, Writer, writers

SIGNALS = (signal.SIGKILL, signal.SIGTERM)
TEMPORARY = re.compile(r"\..{0,40}\.[0-9a-f]{16}\.part", re.DOTALL)
"""The names of temporary files and directories, as docs/bootstrap.md and docs/cli/fleet.md describe them."""
MOMENTS = ("start", "first write", "change")
"""Whence a moment is drawn: in the whole run; while there is a temporary file; as soon as the output has changed."""
PATIENCE = 30
"""How long a command may take to end after a signal before it counts as hanging. [seconds]"""

Content = bytes | dict[str, bytes] | None
"""What an output is: a file, a directory of files, or nothing."""


@dataclass
class Case:
    """A command, and whether its output exists before."""

    writer: Writer
    over: bool
    complete: Content = None
    """The output of a run that nobody stopped."""
    seconds: float = 0.0
    """How long that run took."""
    writing: float = 0.0
    """For how long it had a temporary file. [seconds]"""
    outcomes: Counter[str] = field(default_factory=Counter)
    signals: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.writer.name}{' over an old one' if self.over else ''}"

    @property
    def old(self) -> Content:
        """The output before the run."""
        if not self.over:
            return None
        return dict.fromkeys(self.complete, b"old") if isinstance(self.complete, dict) else b"old"


@dataclass
class Results:
    """What a campaign found."""

    cases: list[Case]

    @property
    def kills(self) -> int:
        return sum(case.outcomes.total() for case in self.cases)

    @property
    def findings(self) -> list[str]:
        return [finding for case in self.cases for finding in case.findings]

    def figures(self) -> dict[str, Any]:
        """Return the counts, for JSON."""
        signals = sum((case.signals for case in self.cases), Counter[str]())
        return {
            "kills": self.kills,
            "signals": dict(sorted(signals.items())),
            "commands": {
                case.name: {
                    "runs": case.outcomes.total(),
                    "outcomes": dict(sorted(case.outcomes.items())),
                    "findings": case.findings,
                }
                for case in self.cases
            },
        }


def campaign(folder: Path, *, count: int, seed: int) -> Results:
    """Stop commands in a folder until so many were running when their signal came; every command gets its share."""
    inputs, work = folder / "inputs", folder / "work"
    inputs.mkdir()
    with serving(answering(METRICS.read_text())) as port:
        found = writers(inputs, port, rows=4_000, machines=200, members=100).values()
        cases = [Case(writer, over) for writer in found for over in (False, True)]
        for new, over in zip(cases[::2], cases[1::2], strict=True):
            _measure(new, work)
            over.complete, over.seconds, over.writing = new.complete, new.seconds, new.writing
        random = Random(seed)
        attempts = 0
        while sum(case.outcomes.total() for case in cases) < count and attempts < 4 * count:
            # A command that had ended before its signal came gets another.
            _stop(min(cases, key=lambda case: (case.outcomes.total(), random.random())), work, random)
            attempts += 1
    return Results(sorted(cases, key=lambda case: case.name))


def _measure(case: Case, work: Path) -> None:
    """Run a command to its end, and note its output and its times."""
    with _empty(work):
        start = time.monotonic()
        process = _start(case, work)
        while process.poll() is None and not _temporaries(work):
            time.sleep(0.002)
        begun = time.monotonic()
        while process.poll() is None and _temporaries(work):
            time.sleep(0.002)
        written = time.monotonic()
        stdout, stderr = process.communicate(timeout=2 * PATIENCE)
        case.complete = _content(work / case.writer.output)
        case.seconds, case.writing = time.monotonic() - start, written - begun
        if process.returncode not in (0, 1) or case.complete is None:
            raise RuntimeError(f"{case.name}: exit code {process.returncode}: {stdout}{stderr}")


def _stop(case: Case, work: Path, random: Random) -> None:
    """Run a command, send it a signal, and check what is left; then run it again."""
    number, moment = random.choice(SIGNALS), random.choice(MOMENTS)
    delay = {"start": random.uniform(0, case.seconds), "first write": random.uniform(0, case.writing)}.get(moment, 0.0)
    with _empty(work):
        _put(work / case.writer.output, case.old)
        before = _identity(case, work)
        process = _start(case, work)
        while moment == "first write" and process.poll() is None and not _temporaries(work):
            time.sleep(0.001)
        while moment == "change" and process.poll() is None and _identity(case, work) == before:
            time.sleep(0.0001)
        time.sleep(delay)
        running = process.poll() is None
        process.send_signal(number)
        try:
            stdout, stderr = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            case.findings.append(f"{case.name}: hangs {PATIENCE} s after {number.name}")
            return
        # A run that has done everything may end as usual, though the signal came first.
        running = running and process.returncode not in (0, 1)
        left = _content(work / case.writer.output)
        faults = list(faults_of(case, work, number if running else None, process.returncode, stdout + stderr))
        faults += _run_again(case, work, left)
    case.findings += [f"{case.name}: {number.name} {delay:.4f} s after the {moment}: {fault}" for fault in faults]
    if running:
        case.signals[number.name] += 1
        case.outcomes[_outcome(case, left)] += 1


def faults_of(case: Case, work: Path, number: signal.Signals | None, code: int, printed: str) -> Iterator[str]:
    """Yield what is wrong after a signal, or after a run that ended before it."""
    output = work / case.writer.output
    left = _content(output)
    expected = {None: {0, 1}, signal.SIGKILL: {-signal.SIGKILL}, signal.SIGTERM: {128 + signal.SIGTERM}}[number]
    if number == signal.SIGTERM and left in (case.old, case.complete):
        # Python itself was starting or ending: a shell shows the same code.
        expected = {*expected, -signal.SIGTERM}
    if code not in expected:
        yield f"exit code {code}"
    if re.search("Traceback|Exception|Error", printed):
        yield f"printed {printed[:300]!r}"
    if isinstance(left, dict):
        for name, content in left.items():
            known = [content for content in (case.complete, case.old) if isinstance(content, dict)]
            allowed = {content[name] for content in known if name in content}
            if content not in allowed:
                yield f"{name} has neither the old nor the new content"
        if case.old is None and left != case.complete:
            yield "the new directory is not complete"
        if isinstance(case.old, dict) and not case.old.keys() <= left.keys():
            yield "an old file is missing"
    elif left not in (case.complete, case.old):
        yield "the output is neither as before nor complete"
    temporaries = _temporaries(work)
    most = len(case.complete) if isinstance(case.complete, dict) else 1
    if len(temporaries) > (most if number == signal.SIGKILL else 0):
        yield f"left {', '.join(path.name for path in temporaries)}"
    others = [path.name for path in work.iterdir() if path != output and not TEMPORARY.fullmatch(path.name)]
    if others:
        yield f"left {', '.join(others)}"


def _run_again(case: Case, work: Path, left: Content) -> Iterator[str]:
    """Yield what is wrong with the next run, which has to complete the output."""
    output = work / case.writer.output
    exists = left is not None
    if isinstance(left, dict) and isinstance(case.complete, dict):
        differ = {name for name in case.complete if name in left and left[name] != case.complete[name]}
        exists = bool(differ)
        code, printed = _run(case.writer.to(output))
        named = re.search(": ([^:]*) already exists? with other content", printed)
        if code != (2 if exists else 0) or set(named[1].split(", ") if named else ()) != differ:
            yield f"the next run exits with {code}: {printed[:300]!r}"
    code, printed = _run(case.writer.to(output, force=exists))
    if code not in (0, 1) or _content(output) != case.complete:
        yield f"the next run exits with {code}, and the output is not complete: {printed[:300]!r}"


def _run(words: list[str]) -> tuple[int, str]:
    """Run a command in this process, which has loaded everything."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        code = main(words)
    return code, printed.getvalue()


def _outcome(case: Case, left: Content) -> str:
    if left == case.complete:
        return "complete"
    if left == case.old:
        return "nothing" if left is None else "unchanged"
    return "old and new files" if isinstance(left, dict) else "damaged"


def _start(case: Case, work: Path) -> subprocess.Popen[str]:
    words = case.writer.to(work / case.writer.output, force=case.over)
    root = Path(__file__).resolve().parents[2]
    return subprocess.Popen(
        [sys.executable, "-m", "etcdsize", *words],
        cwd=work,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _identity(case: Case, work: Path) -> int | None:
    """Return what changes when the output, or the first of its files, is put in place."""
    output = work / case.writer.output
    with contextlib.suppress(FileNotFoundError):
        return (output / min(case.old) if isinstance(case.old, dict) else output).stat().st_ino
    return None


@contextlib.contextmanager
def _empty(work: Path) -> Iterator[None]:
    work.mkdir()
    try:
        yield
    finally:
        shutil.rmtree(work)


def _put(output: Path, content: Content) -> None:
    if isinstance(content, dict):
        output.mkdir()
        for name, one in content.items():
            (output / name).write_bytes(one)
    elif content is not None:
        output.write_bytes(content)


def _content(output: Path) -> Content:
    """Return what an output is, without the temporary files in it."""
    if output.is_dir():
        return {path.name: path.read_bytes() for path in output.iterdir() if not TEMPORARY.fullmatch(path.name)}
    return output.read_bytes() if output.exists() else None


def _temporaries(work: Path) -> list[Path]:
    """Return the temporary files and directories, except those within another."""
    folders = [work, *(path for path in work.iterdir() if path.is_dir() and not TEMPORARY.fullmatch(path.name))]
    return [path for folder in folders for path in folder.iterdir() if TEMPORARY.fullmatch(path.name)]
