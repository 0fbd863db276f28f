"""Run inputs in a child process, one after the other, so that whatever one does to its process is seen and named.

An input is made from the seed, the target and its number alone, so that each can be made again. The child says when it
begins one and what came of it. If it dies, the input that it had begun is the cause, and another child goes on behind
it. The memory of the child is limited, and so is the time of an input; the system enforces both, in C as in Python.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import resource
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

Target = Callable[[Random, Path], str]
"""Makes one input in an empty folder, the current one; runs it; returns its outcome, or raises."""

SECONDS = 20
"""For one input; all but a few take milliseconds."""
MEMORY = 3 * 1024**3
"""More address space than the child has at its start. [bytes]"""
RESIDENT = 600 * 1024**2
"""More memory than the child has at its start. [bytes]"""


@dataclass
class Result:
    """What came of the inputs of one target."""

    inputs: int = 0
    seconds: float = 0.0
    slowest: tuple[float, int] = (0.0, 0)
    """The seconds and the number of the slowest input."""
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the counts, and the findings without their tracebacks, which name paths of the machine."""
        findings = [{key: value for key, value in one.items() if key != "detail"} for one in self.findings]
        counts = {"seconds": round(self.seconds, 1), "outcomes": dict(sorted(self.outcomes.items()))}
        return asdict(self) | counts | {"findings": findings}


def run_target(name: str, target: Target, *, seed: int, first: int, count: int, folder: Path) -> Result:
    """Return what came of the inputs `first` to `first + count - 1`."""
    result = Result()
    start = time.monotonic()
    index, end = first, first + count
    while index < end:
        for report in _child(name, target, seed, range(index, end), folder):
            index = report["input"] + 1
            result.inputs += 1
            result.outcomes[report["outcome"]] += 1
            result.slowest = max(result.slowest, (report.get("seconds", 0.0), report["input"]))
            if "detail" in report:
                result.findings.append(report)
    result.seconds = time.monotonic() - start
    return result


def _child(name: str, target: Target, seed: int, inputs: range, folder: Path) -> Iterator[dict[str, Any]]:
    """Yield what comes of each input until the child ends; an input that ends it is the last."""
    reading, writing = os.pipe()
    with tempfile.TemporaryFile() as faults:
        child = os.fork()
        if child == 0:
            os.close(reading)
            code = 1
            with contextlib.suppress(BaseException):
                _work(name, target, seed, inputs, folder, writing, faults.fileno())
                code = 0
            os._exit(code)
        os.close(writing)
        begun = inputs.start
        with os.fdopen(reading, encoding="utf-8") as lines:
            for line in lines:
                report = json.loads(line)
                if "outcome" in report:
                    yield report
                else:
                    begun = report["input"]
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        if code != 0:
            faults.seek(0)
            died = f"died of {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
            outcome = f"no end within {SECONDS} s" if code == -signal.SIGALRM else died
            yield {"input": begun, "outcome": outcome, "detail": faults.read().decode("utf-8", "replace")[-2000:]}


def _work(name: str, target: Target, seed: int, inputs: range, folder: Path, pipe: int, faults: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY,) * 2)
    faulthandler.enable(faults)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    _only_this_machine()
    resident = _peak()
    for index in inputs:
        os.write(pipe, json.dumps({"input": index}).encode() + b"\n")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        os.chdir(folder)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        start = time.monotonic()
        report = {"input": index, **_one(target, Random(f"{seed} {name} {index}"), folder)}
        report["seconds"] = round(time.monotonic() - start, 3)
        signal.setitimer(signal.ITIMER_REAL, 0)
        grown = _peak() - resident
        if grown > RESIDENT and "detail" not in report:
            report |= {"outcome": "too much memory", "detail": f"{grown // 1024**2} MiB"}
        os.write(pipe, json.dumps(report).encode() + b"\n")
        if grown > RESIDENT:
            # The peak never falls: the next input begins in a process of its own.
            return


def _one(target: Target, random: Random, folder: Path) -> dict[str, Any]:
    try:
        return {"outcome": target(random, folder)}
    except AssertionError as error:
        kind = "broken promise"
        caught: BaseException = error
    except BaseException as error:
        kind, caught = "exception", error
    detail = "".join(traceback.format_exception(caught, limit=-6))
    return {"outcome": f"{kind}: {type(caught).__name__} {caught}"[:200], "detail": detail[-3000:]}


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _only_this_machine() -> None:
    """Look up no name: no input reaches another machine."""
    look_up = socket.getaddrinfo

    def numeric(host: Any, *arguments: Any, **options: Any) -> Any:
        if str(host) not in ("127.0.0.1", "::1"):
            raise socket.gaierror(socket.EAI_NONAME, "no such host")
        return look_up(host, *arguments, **options)

    socket.getaddrinfo = numeric  # type: ignore[assignment]  # for the rest of this process


def scratch() -> tempfile.TemporaryDirectory[str]:
    """Return a temporary folder, in memory where that is possible: outputs are flushed to their disk."""
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(
        prefix="fuzz-", dir=memory if sys.platform == "linux" and memory.is_dir() else None
    )
