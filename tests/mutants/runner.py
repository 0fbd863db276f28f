"""Run the tests against each mutant, in a process of its own.

Starting Python and importing the tests takes far longer than the test that notices a change. So the tests are collected
once. For a change inside a function, a forked process gives the function its new code and runs the tests that call it,
the fastest first. A change that acts on import, and each change that survived the first way, is installed before the
package is imported, in a process that was forked before that, and all the tests of the room run.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib.machinery
import importlib.util
import json
import math
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest
from hypothesis import Phase, settings

from .operators import Mutant

KILLED, TIMEOUT, SURVIVED = "killed", "timeout", "survived"
_MEMORY = 8 * 1024**3
# Processor time that the tests of every mutant may take, whatever they take without a change. [s]
_LEAST = 2
# Imported once, because every forked process needs them and none changes them.
_GUESTS = ("hypothesis.strategies", "numpy", "pydantic", "_pytest.doctest")


@dataclass(frozen=True)
class Room:
    """Files that are changed, and the tests that have to notice; both relative to the project's folder."""

    name: str
    files: tuple[str, ...]
    tests: tuple[str, ...]
    options: tuple[str, ...] = ()

    @property
    def arguments(self) -> list[str]:
        ours = ["-q", "-x", "-n0", "-p", "no:cacheprovider", "--assert=plain", "--hypothesis-profile=mutants"]
        return [*ours, *self.options, *self.tests, *self.files]


@dataclass
class _Baseline:
    """How long each test takes without a change, by its node id. [s]"""

    seconds: dict[str, float]

    def limit(self, tests: Iterable[str]) -> int:
        """Return the processor time that the tests may take. [s]"""
        return math.ceil(_LEAST + 5 * sum(self.seconds[test] for test in tests))


def run(room: Room, mutants: list[Mutant], confirmed: Callable[[Mutant], bool]) -> Iterator[tuple[Mutant, str]]:
    """Yield every mutant with what became of it; one that is `confirmed` to survive is run in one way only.

    Raises
    ------
    RuntimeError
        If a test fails without any change.
    """
    if not mutants:
        return
    for guest in _GUESTS:
        importlib.import_module(guest)
    baseline = _Baseline({})
    left = {index for index, mutant in enumerate(mutants) if mutant.scope is None}
    for message in _messages(lambda send: pytest.main(room.arguments, plugins=[_Collected(mutants, send)])):
        if "seconds" in message:
            baseline = _Baseline(message["seconds"])
        elif message["outcome"] == SURVIVED and not confirmed(mutants[message["mutant"]]):
            left.add(message["mutant"])
        else:
            yield mutants[message["mutant"]], message["outcome"]
    if not baseline.seconds:
        raise RuntimeError(f"{room.name}: the tests fail, or there are none: {' '.join(room.arguments)}")
    # To import the package and the tests takes its time as well.
    limit = 10 + baseline.limit(baseline.seconds)
    # Without a change, in the way that the rest is run: what survives here did not fail for another reason.
    if left and _outcome(functools.partial(_run_all, room, baseline, None), limit) != SURVIVED:
        raise RuntimeError(f"{room.name}: a test fails in a process that is forked before the package is imported")
    for index in sorted(left):
        yield mutants[index], _outcome(functools.partial(_run_all, room, baseline, mutants[index]), limit)


def _messages(work: Callable[[Callable[[Any], None]], object]) -> Iterator[Any]:
    """Yield what a forked process sends while it works."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with _silence(), open(writing, "w", buffering=1) as pipe:  # noqa: PTH123 - a descriptor
            work(lambda message: print(json.dumps(message), file=pipe))
        os._exit(0)
    os.close(writing)
    with open(reading) as pipe:  # noqa: PTH123 - a descriptor
        yield from map(json.loads, pipe)
    os.waitpid(child, 0)


def _outcome(passes: Callable[[], bool], limit: int) -> str:
    """Return what becomes of tests in a forked process that may use so much processor time. [s]"""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setpgid(0, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(6 * limit)
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
            with _silence():
                code = 0 if passes() else 1
        finally:
            os._exit(code)
    try:
        _, status = os.waitpid(child, 0)
    finally:
        # What the tests started, and the tests themselves if this is interrupted.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
    if os.WIFSIGNALED(status):
        late = (signal.SIGALRM, signal.SIGXCPU, signal.SIGKILL)
        return TIMEOUT if os.WTERMSIG(status) in late else KILLED
    return KILLED if os.WEXITSTATUS(status) else SURVIVED


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    sys.stdout.flush()
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    yield


class _Profile:
    """Hypothesis without shrinking: it matters that a test fails, not with which example."""

    examples = 100

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self) -> None:
        phases = (Phase.explicit, Phase.generate)
        default = settings.get_profile("default")
        settings.register_profile("mutants", default, phases=phases, max_examples=self.examples)


class _Collected(_Profile):
    """Run the tests that were collected once against every change inside a function, with fewer examples."""

    examples = 30

    def __init__(self, mutants: list[Mutant], send: Callable[[Any], None]) -> None:
        self.mutants, self.send = mutants, send

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed or not session.items:
            return True
        files = {str(Path(mutant.file).resolve()) for mutant in self.mutants}
        objects = gc.get_objects()
        caches = [one for one in objects if isinstance(one, functools._lru_cache_wrapper)]
        functions = [one for one in objects if type(one) is FunctionType and one.__code__.co_filename in files]
        del objects
        baseline = _Baseline(next(_messages(lambda send: _measure(session.items, send)), {}))
        self.send({"seconds": baseline.seconds})
        if not baseline.seconds:
            return True
        called = dict(_messages(lambda send: _trace(session.items, caches, files, send)))
        session.items.sort(key=lambda item: baseline.seconds[item.nodeid])
        for index, mutant in enumerate(self.mutants):
            if mutant.scope is None:
                continue
            file, (first, last) = str(Path(mutant.file).resolve()), mutant.scope
            items = [
                item
                for item in session.items
                if any(path == file and first <= line <= last for path, line in called[item.nodeid])
            ]
            outcome = SURVIVED
            if items:
                limit = baseline.limit(item.nodeid for item in items)
                outcome = _outcome(functools.partial(_run_items, mutant, items, caches, functions), limit)
            self.send({"mutant": index, "outcome": outcome})
        return True


def _measure(items: list[pytest.Item], send: Callable[[Any], None]) -> None:
    """Run the tests, and send how long each takes, unless one fails."""
    seconds = {}
    for item, after in zip(items, [*items[1:], None]):
        start = time.process_time()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        seconds[item.nodeid] = time.process_time() - start
    if not items[0].session.testsfailed:
        send(seconds)


def _trace(items: list[pytest.Item], caches: list[Any], files: set[str], send: Callable[[Any], None]) -> None:
    """Run the tests, and send the functions that each calls, whether it passes or is now too slow for its limit."""
    for item, after in zip(items, [*items[1:], None]):
        called: set[tuple[str, int]] = set()

        def note(frame: Any, event: str, _: Any, called: set[tuple[str, int]] = called) -> None:
            if event == "call" and frame.f_code.co_filename in files:
                called.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))

        for cache in caches:
            cache.cache_clear()
        sys.setprofile(note)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        sys.setprofile(None)
        send((item.nodeid, sorted(called)))


def _run_items(mutant: Mutant, items: list[pytest.Item], caches: list[Any], functions: list[FunctionType]) -> bool:
    """Return whether the tests pass with a function's new code."""
    mutant.apply()
    assert mutant.scope is not None
    changed = _code_at(compile(mutant.tree, mutant.file, "exec", dont_inherit=True), mutant.outermost, mutant.scope[0])
    for function in functions:
        code = function.__code__
        place = (code.co_filename, code.co_qualname, code.co_firstlineno)
        if place == (str(Path(mutant.file).resolve()), mutant.outermost, mutant.scope[0]):
            function.__code__ = changed
    for cache in caches:
        cache.cache_clear()
    for item, after in zip(items, [*items[1:], None]):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        if item.session.testsfailed:
            return False
    return True


def _code_at(code: CodeType, name: str, line: int) -> CodeType:
    """Return the code of a function in a file's code."""
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    for one in inner:
        if (one.co_qualname, one.co_firstlineno) == (name, line):
            return one
    enclosing = next(one for one in inner if name.startswith(f"{one.co_qualname}."))
    return _code_at(enclosing, name, line)


class _Sorted(_Profile):
    """The fastest tests first."""

    def __init__(self, baseline: _Baseline) -> None:
        self.baseline = baseline

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: self.baseline.seconds.get(item.nodeid, math.inf))


class _Installed(importlib.machinery.SourceFileLoader):
    """Imports a file with a change in it."""

    mutant: Mutant

    def get_code(self, fullname: str) -> CodeType:
        self.mutant.apply()
        return compile(self.mutant.tree, self.path, "exec", dont_inherit=True)


def _run_all(room: Room, baseline: _Baseline, mutant: Mutant | None) -> bool:
    """Return whether the tests pass with a change that is there before the package is imported."""
    if mutant is not None:
        changed = mutant

        class Finder:
            @staticmethod
            def find_spec(name: str, path: object = None, target: object = None) -> Any:
                if name.replace(".", "/") + ".py" != changed.file:
                    return None
                loader = _Installed(name, str(Path(changed.file).resolve()))
                loader.mutant = changed
                return importlib.util.spec_from_file_location(name, loader.path, loader=loader)

        sys.meta_path.insert(0, Finder)  # type: ignore[arg-type]  # a class with a static method will do
    return pytest.main(room.arguments, plugins=[_Sorted(baseline)]) == pytest.ExitCode.OK
