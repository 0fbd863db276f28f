"""The outermost frame: no command ends in a traceback, whatever happens, and no signal leaves anything behind."""

from __future__ import annotations

import ast
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from program import ENVIRONMENT
from signals import restore_signals

import etcdsize.cli.fleet
import etcdsize.cli.terraform_external
import etcdsize.cli.tiers
from etcdsize import __version__

PACKAGE = Path(etcdsize.__file__).parent
COMMAND = [sys.executable, "-m", "etcdsize"]


def raising(error):
    def run(options):
        raise error

    return run


class TestFaults:
    """What no message of ours describes is one line that says how to report it."""

    ADVICE = (
        f"this is a fault of etcdsize {__version__}: please report it with the command and with what --debug adds to it"
    )

    @pytest.mark.parametrize(
        ("error", "kind"),
        [
            (OverflowError("too\nlarge"), "OverflowError: too\\nlarge"),
            (RecursionError(), "RecursionError"),
            (OSError(5, "Input/output error"), "OSError: [Errno 5] Input/output error"),
            (KeyError("\x1b[31m"), "KeyError: '\\x1b[31m'"),
            (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"), None),
            (BaseException("of a library"), "BaseException: of a library"),
            (ValueError("x" * 5000), "ValueError: " + "x" * 188),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_one_line(self, run, monkeypatch, error, kind):
        monkeypatch.setattr(etcdsize.cli.tiers, "run", raising(error))
        code, out, err = run("tiers")
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert err.endswith(f"; {self.ADVICE}\n")
        assert err.startswith(f"etcdsize: {kind or 'UnicodeEncodeError: '}")

    @pytest.mark.parametrize("words", [["--debug", "tiers"], ["tiers", "--debug"]])
    def test_debug_shows_the_traceback(self, run, monkeypatch, words):
        monkeypatch.setattr(etcdsize.cli.tiers, "run", raising(OverflowError("\x1b[31m")))
        code, out, err = run(*words)
        lines = err.splitlines()
        assert (code, out, lines[0]) == (2, "", "Traceback (most recent call last):")
        assert lines[-2] == "OverflowError: \\x1b[31m"
        assert lines[-1].startswith("etcdsize: OverflowError: \\x1b[31m; this is a fault")
        assert "\x1b" not in err

    def test_debug_of_options_that_cannot_be_read(self, run):
        code, out, err = run("size", "--clients", "x", "--debug")
        assert (code, out, err.splitlines()[0]) == (2, "", "Traceback (most recent call last):")
        assert err.endswith('\netcdsize: --clients: got "x", expected a count such as "300"\n')

    def test_debug_changes_no_answer(self, run):
        assert run("--debug", "tiers") == run("tiers", "--debug") == run("tiers")

    @pytest.mark.parametrize("error", [MemoryError(), OSError(12, "Cannot allocate memory")], ids=["python", "system"])
    def test_memory_that_ran_out(self, run, monkeypatch, error):
        monkeypatch.setattr(etcdsize.cli.tiers, "run", raising(error))
        assert run("tiers") == (2, "", "etcdsize: memory ran out; give the command more, or split its input\n")

    @pytest.mark.slow
    def test_too_little_memory(self, tmp_path):
        """One line, or the answer. With more memory, a thread of PyArrow's may be what runs out, and it aborts."""
        rows = "".join(f"c{row},{row % 2000},10,1MB,aws,{'x' * 500}\n" for row in range(20_000))
        (tmp_path / "big.csv").write_text("name,clients,rps,data,provider,note\n" + rows)
        codes = set()
        for kilobytes in range(150_000, 1_300_000, 230_000):
            line = f"ulimit -v {kilobytes}; exec '{sys.executable}' -m etcdsize fleet big.csv -o out.csv --force"
            done = subprocess.run(
                ["bash", "-c", line],
                cwd=tmp_path,
                env=ENVIRONMENT | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                capture_output=True,
                text=True,
                check=False,
            )
            codes.add(done.returncode)
            assert "Traceback" not in done.stderr
            assert not list(tmp_path.glob(".*"))
        assert codes <= {0, 2}

    def test_terraform_expects_1(self, run, monkeypatch):
        assert run("terraform-external", "--none")[0] == 1
        monkeypatch.setattr(etcdsize.cli.terraform_external, "run", raising(OverflowError()))
        code, out, err = run("terraform-external")
        assert (code, out, err.count("\n")) == (1, "", 1)

    def test_a_package_that_does_not_load(self, tmp_path):
        (tmp_path / "pydantic.py").write_text("raise RuntimeError('broken')")
        path = f"{tmp_path}{os.pathsep}{ENVIRONMENT['PYTHONPATH']}"
        done = subprocess.run(
            [*COMMAND, "tiers"],
            env=ENVIRONMENT | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert done.stderr.startswith("etcdsize: RuntimeError: broken; ")

    def test_only_two_places_catch_everything(self):
        """The outermost frame, and one cluster of many; others may clean up and raise again."""
        found = []
        for path in sorted(PACKAGE.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ExceptHandler) and catches_everything(node.type):
                    last = node.body[-1]
                    if not (isinstance(last, ast.Raise) and last.exc is None):
                        found.append(path.relative_to(PACKAGE).as_posix())
                elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
                    assert not any(map(catches_everything, node.args)), path
        assert found == ["cli/__init__.py", "observation/observe.py"]


def catches_everything(kind):
    if kind is None:
        return True
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(isinstance(one, ast.Name) and one.id in ("Exception", "BaseException") for one in kinds)


def handles_signals(process):
    """Return whether a process has come as far as to handle SIGHUP itself, which it does last."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = int(re.search(r"SigCgt:\s*(\w+)", status).group(1), 16)
    return bool(caught >> (signal.SIGHUP - 1) & 1)


class TestSignals:
    """At any moment from the first line of the command on, whatever runs then."""

    @pytest.fixture
    def listing(self, tmp_path):
        entry = {"VCpuInfo": {"DefaultVCpus": 4}, "MemoryInfo": {"SizeInMiB": 16384}}
        types = [{"InstanceType": f"m{number}.large", **entry} for number in range(3000)]
        (tmp_path / "types.json").write_text(json.dumps({"InstanceTypes": types}))
        rows = "".join(f"c{row},{row % 2000},10,1MB,aws\n" for row in range(20_000))
        (tmp_path / "fleet.csv").write_text("name,clients,rps,data,provider\n" + rows)
        return tmp_path

    COMMANDS = (
        ["catalog", "import", "--from", "aws", "types.json", "-o", "out", "--force"],
        ["fleet", "fleet.csv", "-o", "out.csv", "--force"],
        ["fleet", "fleet.csv", "-o", "out.parquet", "--force"],
        ["bootstrap", "--local", "3", "--data", "4GB", "-o", "out.d", "--force"],
        ["observe", "127.0.0.1:1", "--interval", "0"],
    )

    def stop(self, words, number, delay, cwd):
        """Run a command, send a signal after a delay from the first moment, and return its code and its last words."""
        process = subprocess.Popen(
            [*COMMAND, *words],
            cwd=cwd,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=restore_signals,
        )
        while process.poll() is None and not handles_signals(process):
            time.sleep(0.0005)
        time.sleep(delay)
        process.send_signal(number)
        return process.wait(20), process.communicate()[1]

    @pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words[:2]))
    @pytest.mark.parametrize(
        ("number", "code", "message"),
        [(signal.SIGINT, 130, "etcdsize: interrupted\n"), (signal.SIGTERM, 143, ""), (signal.SIGHUP, 129, "")],
    )
    def test_during_the_first_imports(self, listing, words, number, code, message):
        before = sorted(listing.rglob("*"))
        assert self.stop(words, number, 0, listing) == (code, message)
        assert sorted(listing.rglob("*")) == before

    @pytest.mark.slow
    @pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words))
    def test_at_any_moment(self, listing, words):
        start = time.monotonic()
        _, said = self.stop(words, 0, 0, listing)
        span = time.monotonic() - start
        moments = random.Random(14)
        stopped = 0
        for number, code, message in [(signal.SIGINT, 130, "etcdsize: interrupted\n"), (signal.SIGTERM, 143, "")] * 2:
            found = self.stop(words, number, moments.uniform(0, span), listing)
            stopped += found[0] == code
            if found[0] == code:  # Some or all of its lines may have been written by then.
                assert found[1].endswith(message)
                assert said.startswith(found[1].removesuffix(message))
            else:  # The command had ended before.
                assert found[0] in (0, 1)
                assert "interrupted" not in found[1]
            assert not list(listing.rglob(".*"))
        assert stopped
