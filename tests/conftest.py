"""What every test shares: Hypothesis' profiles, the command line in this process, what was left out."""

import os
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from checkout import stray_files
from etcds import ETCDS
from hypothesis import HealthCheck, settings
from json_answers import check_json
from needs import leave_out
from paths import ROOT
from program import SOURCE_DATE_EPOCH

from etcdsize.cli import main

# The commands' answers do not depend on the day of the run.
os.environ["SOURCE_DATE_EPOCH"] = SOURCE_DATE_EPOCH

# The same examples on every run, so that a failure in CI is a failure here; more of them take CI longer than it has.
settings.register_profile(
    "default",
    deadline=None,
    derandomize=True,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
# What has passed with all examples on one Python, seen on another.
settings.register_profile("brief", settings.get_profile("default"), max_examples=10)
settings.register_profile("thorough", deadline=None, max_examples=2_000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")


@pytest.fixture
def open_path():
    """A new directory in which every user may write, unlike `tmp_path`."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


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
def another_user(unprivileged):
    """As somebody to whom our processes belong to another user, which only root can become."""
    if os.getuid() != 0:
        leave_out("only root can become another user; run the tests as root")


@pytest.fixture
def run(capsys):
    """The command line in this process: arguments to exit code, standard output and standard error.

    An answer with --json matches its schema, whatever the test is about.
    """

    def run(*arguments):
        try:
            code = main(list(arguments))
        except SystemExit as left:
            code = left.code
        printed = capsys.readouterr()
        check_json(arguments, code, printed.out, printed.err)
        return code, printed.out, printed.err

    return run


GROUPS = {
    "engines": "on Apache Spark and Dask; to run them: install Java 17, pip install -e '.[test-engines]', "
    "python -m pytest -m engines",
    "bench": "that compare times; to run them: python -m pytest -m bench",
    "slow": "that take long; to run them: python -m pytest -m slow",
}
"""The groups that a plain run leaves out (`addopts` in pyproject.toml), and how to run each."""
ENGINES = ("tests/engines/", "etcdsize/frames/spark.py", "etcdsize/frames/dask.py")
LEFT_OUT = pytest.StashKey[Counter[str]]()
STRAY_BEFORE, STRAY_AFTER = pytest.StashKey[set[str] | None](), pytest.StashKey[set[str]]()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """Use every core for a whole run; what is named on the command line runs in this process.

    A third of the time of the slow tests passes in waiting for etcd, for intervals and for ends of programs.
    """
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return 0
    cores = os.cpu_count() or 1
    return cores if "not slow" in config.option.markexpr else cores * 3 // 2


def pytest_make_parametrize_id(val, argname):
    """Name a long text by its length: some have a megabyte, and every process of a run is sent every name."""
    return f"{argname} of {len(val)}" if isinstance(val, str | bytes) and len(val) > 300 else None


def group_of(item):
    """Return the tests that run in one process with this one: by default its file, and of it those on the same etcd."""
    marked = item.get_closest_marker("xdist_group")
    if marked is not None:
        return marked.args[0]
    file = Path(item.path).relative_to(item.config.rootpath).as_posix()
    alone = next((group for group in ("engines", "bench") if item.get_closest_marker(group)), file)
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    etcd = next((f" etcd {value}" for value in parameters if isinstance(value, str) and value in ETCDS), "")
    return f"{alone}{etcd}"


def seconds_of(item):
    """Return about how long a test takes in this run."""
    slow = None if "not slow" in item.config.option.markexpr else item.get_closest_marker("slow")
    return 0.02 if slow is None else slow.kwargs.get("seconds", 2)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Mark what needs an engine, keep in one process what must not run beside its like, and begin with the longest.

    What takes long does not begin when all else has ended.
    """
    for item in items:
        file = Path(item.path).relative_to(config.rootpath).as_posix()
        if file.startswith(ENGINES):
            item.add_marker("engines")
    groups = {item: group_of(item) for item in items}
    seconds = Counter()
    for item, group in groups.items():
        item.add_marker(pytest.mark.xdist_group(group))
        seconds[group] += seconds_of(item)
    items.sort(key=lambda item: (-seconds[groups[item]], groups[item]))


def pytest_deselected(items):
    """Count what is left out, by group; what has no group was left out on the command line."""
    for item in items:
        group = next((name for name in GROUPS if item.get_closest_marker(name)), "")
        item.config.stash.setdefault(LEFT_OUT, Counter())[group] += 1


def pytest_sessionstart(session):
    if not hasattr(session.config, "workerinput"):
        session.config.stash[STRAY_BEFORE] = stray_files(ROOT)


def pytest_sessionfinish(session):
    """Fail a run whose tests wrote into the checkout, and hand the counts of a worker to the process that reports."""
    config = session.config
    if hasattr(config, "workeroutput"):
        config.workeroutput["left_out"] = dict(config.stash.get(LEFT_OUT, {}))
        return
    before, after = config.stash.get(STRAY_BEFORE, None), stray_files(ROOT)
    if before is not None and after is not None and after - before:
        config.stash[STRAY_AFTER] = after - before
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    # Every worker collects the same tests. One that crashed has no counts.
    node.config.stash[LEFT_OUT] = Counter(getattr(node, "workeroutput", {}).get("left_out", {}))


def tests(count):
    return f"{count} test{'s' if count > 1 else ''}"


def pytest_terminal_summary(terminalreporter, config):
    """Name each group that was left out, one line each, and what the tests left in the checkout."""
    counts = config.stash.get(LEFT_OUT, Counter())
    if not counts[""]:
        for group, how in GROUPS.items():
            if counts[group]:
                terminalreporter.write_line(f"left out: {tests(counts[group])} {how}")
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in terminalreporter.getreports("skipped"))
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"left out: {tests(count)}: {reason}")
    stray = config.stash.get(STRAY_AFTER, set())
    if stray:
        terminalreporter.write_line(f"left in the checkout: {', '.join(sorted(stray))}; a test writes to tmp_path only")
