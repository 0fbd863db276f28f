"""Hypothesis draws the same examples on every run, so that a failure in CI is a failure here."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from etcdsize.cli import main

settings.register_profile(
    "default",
    deadline=None,
    derandomize=True,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("thorough", deadline=None, max_examples=2_000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")


@pytest.fixture
def unprivileged():
    """Without root's right to read everything; gives what was read before as usual."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def run(capsys):
    """The command line in this process: arguments to exit code, standard output and standard error."""

    def run(*arguments):
        try:
            code = main(list(arguments))
        except SystemExit as left:
            code = left.code
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


ENGINES = ("tests/engines/", "etcdsize/frames/spark.py", "etcdsize/frames/dask.py")
LEFT_OUT = pytest.StashKey[int]()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Leave out what needs an engine unless it was asked for, and remember how much."""
    for item in items:
        if Path(item.path).relative_to(config.rootpath).as_posix().startswith(ENGINES):
            item.add_marker("engines")
    if config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker("engines")]
    items[:] = [item for item in items if not item.get_closest_marker("engines")]
    config.stash[LEFT_OUT] = len(left_out)
    config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter, config):
    left_out = config.stash.get(LEFT_OUT, 0)
    if left_out:
        terminalreporter.write_line(
            f"left out: {left_out} tests on Apache Spark and Dask; to run them: install Java 17, "
            "pip install -e '.[test-engines]', python -m pytest -m engines"
        )
