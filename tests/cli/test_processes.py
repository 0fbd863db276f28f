"""The command as a process: pipes, signals, full disks, terminals, what it imports, and how much memory it takes."""

import fcntl
import json
import os
import pty
import resource
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from etcds import needed
from needs import leave_out
from paths import ROOT, SUPPORT
from signals import restore_signals

from etcdsize import __version__

# Each starts programs of its own.
pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "etcdsize"]
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{SUPPORT / 'bin'}{os.pathsep}{os.environ['PATH']}",
    "PYTHON": sys.executable,
    "PYTHONPATH": str(ROOT),
    "PYTHONWARNINGS": "default",
}
HEADER = "name,clients,rps,data,cloud,note\n"
BLOCK = "".join(
    f'cluster-{row},{row * 37 % 2000},{row * 91 % 12000},{row * 79 % 1200}MB,{["aws", "gcp"][row % 2]},"note, {row}"\n'
    for row in range(5000)
)


def run(*arguments, **options):
    options = {"capture_output": True, "text": True, "env": ENVIRONMENT, "timeout": 60} | options
    return subprocess.run([*COMMAND, *arguments], check=False, **options)


def shell(command, cwd, **options):
    """Run a line of shell in which `etcdsize` is the package under test."""
    return subprocess.run(
        ["bash", "-c", command],
        cwd=cwd,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fleets")
    (folder / "small.csv").write_text(HEADER + BLOCK[: BLOCK.index("\n", 2000) + 1])
    with (folder / "big.csv").open("w") as file:
        file.write(HEADER)
        for _ in range(8):
            file.write(BLOCK)
    (folder / "bad.csv").write_text(HEADER + BLOCK + "ragged\n")
    return folder


class TestPrograms:
    def test_module(self):
        done = run("--version")
        assert (done.returncode, done.stdout, done.stderr) == (0, f"etcdsize {__version__}\n", "")

    @pytest.mark.parametrize("command", [[], ["size"], ["fleet"], ["fit"], ["tiers"], ["machines"], ["schema"]])
    def test_help_is_light(self, command):
        """--help loads neither numpy nor pydantic nor pyarrow."""
        code = (
            "import sys\nfrom etcdsize.cli import main\ntry: main(sys.argv[1:])\nexcept SystemExit as left: "
            "assert not left.code\n"
            "heavy = {'numpy', 'pydantic', 'pyarrow', 'tqdm'} & set(sys.modules)\nsys.exit(str(heavy) if heavy else 0)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, *command, "--help"],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("usage: etcdsize")

    def test_without_pyarrow(self, folder, tmp_path):
        (tmp_path / "pyarrow.py").write_text("raise ImportError('no pyarrow here')")
        path = f"{tmp_path}{os.pathsep}{ENVIRONMENT['PYTHONPATH']}"
        done = run("fleet", str(folder / "small.csv"), env=ENVIRONMENT | {"PYTHONPATH": path})
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "etcdsize: pyarrow is not installed; run: pip install 'etcdsize[fleet]'\n"
        one = run("size", "--clients", "1", env=ENVIRONMENT | {"PYTHONPATH": path})
        assert one.returncode == 0

    def test_any_locale(self):
        """What a terminal cannot show is escaped; JSON stays JSON."""
        bare = ENVIRONMENT | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
        done = run("size", "--clients", "żółw", env=bare)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert json.loads(run("size", "--clients", "300", "--json", env=bare).stdout)["tier"] == "medium"


class TestStreams:
    @pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
    def test_standard_input_and_output(self, folder, kind):
        steps = [
            f"cat small.csv | etcdsize fleet - --format csv -o - --output-format {kind} 2>err1 >piped.{kind}",
            f"etcdsize fleet small.csv -o named.{kind} --force >err2",
            f"cmp piped.{kind} named.{kind} && cmp err1 err2",
            f"cat named.{kind} | etcdsize fleet - --format {kind}",
        ]
        done = shell(" && ".join(steps[:3]), folder)
        assert (done.returncode, done.stderr) == (0, "")
        again = shell(steps[3], folder)
        assert again.returncode == 2
        assert again.stderr.startswith("etcdsize: standard input: ")
        assert 'a field "tier", which' in again.stderr or 'a column "tier", which' in again.stderr

    def test_in_a_pipeline(self, folder):
        sized = "etcdsize fleet small.csv -o - --output-format tsv 2>err"
        done = shell(f"{sized} | cut -f1-6 | etcdsize fleet - --format tsv", folder)
        assert (done.returncode, done.stdout) == (0, (folder / "err").read_text())

    @pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "PYTHONUNBUFFERED"])
    @pytest.mark.parametrize("arguments", ["fleet big.csv -o -", "fleet big.csv -o - --output-format jsonl"])
    def test_a_reader_that_goes_away(self, folder, arguments, unbuffered):
        done = shell(f"PYTHONUNBUFFERED={unbuffered} etcdsize {arguments} | head -1; echo ${{PIPESTATUS[0]}}", folder)
        assert done.stderr == ""
        assert done.stdout.count("\n") == 2
        assert done.stdout.endswith("\n141\n")

    @pytest.mark.parametrize(
        "arguments", ["--help", "--version", "tiers", "size --clients 1", "fit --tier small", "schema"]
    )
    def test_nobody_reads_a_short_answer(self, arguments):
        reading, writing = os.pipe()
        os.close(reading)
        try:
            done = run(*arguments.split(), capture_output=False, stdout=writing, stderr=subprocess.PIPE)
        finally:
            os.close(writing)
        assert (done.returncode, done.stderr) == (141, "")

    @pytest.mark.parametrize(
        "arguments",
        [
            "size --clients 1",
            "tiers",
            "fleet small.csv",
            "fleet small.csv -o -",
            "fleet bad.csv -o -",
            "fit --tier small",
            "fit --tier xlarge --family c5 --rejected",
            "schema size",
        ],
    )
    def test_a_full_or_closed_standard_output(self, folder, arguments):
        full = shell(f"etcdsize {arguments} >/dev/full", folder)
        closed = shell(f"etcdsize {arguments} >&-", folder)
        assert full.returncode == closed.returncode == 2
        assert full.stderr.count("\n") == closed.stderr.count("\n") == 1
        assert full.stderr.endswith('line 5002: got 1 cells, expected 6 as in the header: "ragged"\n') or (
            full.stderr == "etcdsize: standard output: cannot be written: No space left on device\n"
        )
        assert closed.stderr == "etcdsize: standard output: cannot be written: Bad file descriptor\n"

    def test_closed_standard_error_and_input(self, folder):
        done = shell("etcdsize size --clients x 2>&-", folder)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", "")
        done = shell("etcdsize fleet small.csv 2>&- | head -1", folder)
        assert done.stdout.partition(" ")[2].startswith("clusters: ")
        done = shell("etcdsize fleet - --format csv <&-", folder)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "etcdsize: standard input: cannot be read: it is closed\n"

    def test_standard_output_that_is_the_input(self, folder):
        """It would never end."""
        (folder / "loop.csv").write_text(HEADER)
        done = shell("etcdsize fleet loop.csv -o - >>loop.csv", folder)
        assert (done.returncode, (folder / "loop.csv").read_text()) == (2, HEADER)
        assert done.stderr == "etcdsize: loop.csv: is both the input and standard output; write to another file\n"

    def test_what_was_sized_before_an_error_is_written(self, folder):
        done = shell("etcdsize fleet bad.csv -o -", folder)
        assert done.returncode == 2
        assert done.stderr.endswith('bad.csv: line 5002: got 1 cells, expected 6 as in the header: "ragged"\n')
        assert done.stdout == "" or done.stdout.endswith("\n")


def parts(folder):
    return [path for path in folder.iterdir() if path.suffix == ".part"]


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.002)


class TestSignals:
    """A run that is stopped leaves the old file as it was, and but for SIGKILL nothing else."""

    @pytest.fixture
    def stopped(self, tmp_path):
        """Start a run whose input is a pipe that we hold open, wait until it writes, and stop it."""
        started = []

        def stop(number, kind="csv"):
            out = tmp_path / f"out.{kind}"
            out.write_text("old")
            process = subprocess.Popen(
                [*COMMAND, "fleet", "-", "--format", "csv", "-o", str(out), "--force"],
                env=ENVIRONMENT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                preexec_fn=restore_signals,
            )
            started.append(process)
            process.stdin.write(HEADER + BLOCK * 40)
            process.stdin.flush()
            wait_for(lambda: parts(tmp_path) and parts(tmp_path)[0].stat().st_size > 0)
            process.send_signal(number)
            # The pipe stays open meanwhile: it is the signal that ends the run.
            code = process.wait(20)
            assert out.read_text() == "old"
            return code, process.stdout.read(), process.stderr.read()

        yield stop
        for process in started:
            process.kill()
            process.stdin.close()
            process.stdout.close()
            process.stderr.close()
            process.wait()

    @pytest.mark.parametrize("kind", ["csv", "parquet"])
    @pytest.mark.parametrize(
        ("number", "code", "told"),
        [(signal.SIGINT, 130, "etcdsize: interrupted\n"), (signal.SIGTERM, 143, ""), (signal.SIGHUP, 129, "")],
    )
    def test_stopped(self, stopped, tmp_path, number, code, told, kind):
        assert stopped(number, kind) == (code, "", told)
        assert parts(tmp_path) == []

    def test_killed(self, stopped, tmp_path):
        assert stopped(signal.SIGKILL)[0] == -signal.SIGKILL
        assert len(parts(tmp_path)) == 1

    def test_hangups_that_are_ignored_stay_so(self, folder, tmp_path):
        """As nohup does."""
        run = f"(cat '{folder}/small.csv'; sleep 1) | etcdsize fleet - --format csv -o out.csv"
        done = shell(f"trap '' HUP; {run} & sleep 0.7; kill -HUP $!; wait $!", tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert (tmp_path / "out.csv").exists()


class TestFullDisk:
    """No space: exit 2, one line, the old file as it was, no temporary file."""

    @pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
    def test_a_file_size_limit(self, folder, tmp_path, kind):
        out = tmp_path / f"out.{kind}"
        out.write_text("old")

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

        done = run("fleet", str(folder / "big.csv"), "-o", str(out), "--force", preexec_fn=limit)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"etcdsize: {out}: cannot be written: File too large\n"
        assert out.read_text() == "old"
        assert list(tmp_path.iterdir()) == [out]

    @pytest.mark.parametrize("kind", ["csv", "parquet"])
    def test_a_small_file_system(self, folder, tmp_path, kind):
        mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
        if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            leave_out("mounting is not permitted here; that takes root")
        try:
            out = tmp_path / f"out.{kind}"
            out.write_text("old")
            done = run("fleet", str(folder / "big.csv"), "-o", str(out), "--force")
            assert (done.returncode, done.stdout) == (2, "")
            assert done.stderr == f"etcdsize: {out}: cannot be written: No space left on device\n"
            assert out.read_text() == "old"
            assert list(tmp_path.iterdir()) == [out]
        finally:
            subprocess.run(["umount", str(tmp_path)], check=True)


def on_a_terminal(*arguments, cwd, stdin=subprocess.DEVNULL, feed=None):
    """Run with standard error on a pseudo-terminal, and return the exit code and what it showed."""
    control, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    process = subprocess.Popen(
        [*COMMAND, *arguments], cwd=cwd, env=ENVIRONMENT, stdin=stdin, stdout=subprocess.DEVNULL, stderr=terminal
    )
    os.close(terminal)
    if feed is not None:
        feed(process)
    shown = b""
    while True:
        try:
            if not select.select([control], [], [], 30)[0]:
                break
            part = os.read(control, 4096)
        except OSError:  # EIO: the other end was closed
            break
        if not part:
            break
        shown += part
    os.close(control)
    return process.wait(30), shown.decode()


class TestProgress:
    def slowly(self, process):
        process.stdin.write((HEADER + BLOCK * 40).encode())
        process.stdin.flush()
        time.sleep(1.5)
        process.stdin.write((BLOCK * 40).encode())
        process.stdin.close()

    def test_a_bar_on_a_terminal(self, tmp_path):
        code, shown = on_a_terminal(
            "fleet", "-", "--format", "csv", cwd=tmp_path, stdin=subprocess.PIPE, feed=self.slowly
        )
        assert code == 0
        assert "standard input: " in shown
        assert "B/s" in shown

    @pytest.mark.slow(seconds=14)
    def test_a_bar_of_a_calibration(self, tmp_path):
        """Of what is measured in two seconds: the disk and the writes, which take some ten."""
        words = ["--etcd", needed("3.6")[0], "--data-dir", ".", "--minutes", "0.03", "-o", "my-model.json"]
        code, shown = on_a_terminal("calibrate", *words, cwd=tmp_path)
        assert code == 0
        assert "calibrate: " in shown
        assert [path.name for path in tmp_path.iterdir()] == ["my-model.json"]

    def test_none_for_a_short_run(self, folder):
        assert on_a_terminal("fleet", "small.csv", cwd=folder) == (0, "")

    def test_none_elsewhere(self, folder):
        assert run("fleet", "big.csv", cwd=folder).stderr == ""


@pytest.mark.slow
class TestMemory:
    """It does not grow with the file."""

    def peak(self, *arguments):
        """Return the most memory that a run held. [MB]"""
        code = (
            "import resource, subprocess, sys\n"
            "done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)\n"
            "assert done.returncode == 0\n"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, *COMMAND, *arguments],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return float(done.stdout)

    def test_csv_does_not_grow_with_the_file(self, tmp_path):
        block = BLOCK.replace("note", "note " + "x" * 40) * 20
        peaks = []
        for times in (2, 12):
            source = tmp_path / f"{times}.csv"
            with source.open("w") as file:
                file.write(HEADER)
                for _ in range(times):
                    file.write(block)
            peaks.append(self.peak("fleet", str(source), "-o", str(tmp_path / "out.csv"), "--force"))
        assert source.stat().st_size > 90e6
        assert peaks[1] - peaks[0] < 60, peaks  # the file grew by 80
        assert peaks[1] < 400, peaks

    def test_parquet(self, tmp_path):
        rows = 250_000
        table = pa.table(
            {
                "name": [f"cluster-{row}" for row in range(rows)],
                "clients": [row % 2000 for row in range(rows)],
                "rps": [row % 12000 for row in range(rows)],
                "data": [row * 4000 for row in range(rows)],
                "cloud": ["aws", "gcp"] * (rows // 2),
                "note": [f"note {row} {'x' * 40}" for row in range(rows)],
            }
        )
        peaks = []
        for times in (3, 9):
            source = tmp_path / f"{times}.parquet"
            with pq.ParquetWriter(source, table.schema) as writer:
                for _ in range(times):
                    writer.write_table(table, row_group_size=100_000)
            peaks.append(self.peak("fleet", str(source), "-o", str(tmp_path / "out.parquet"), "--force"))
        assert peaks[1] - peaks[0] < 80, peaks
        assert peaks[1] < 600, peaks


def test_the_same_bytes_twice(folder):
    """Whatever the seed of Python's hashes."""
    for kind in ("csv", "jsonl", "parquet"):
        outputs = []
        for place, seed in enumerate("12"):
            out = folder / f"twice-{place}.{kind}"
            done = run("fleet", str(folder / "small.csv"), "-o", str(out), env=ENVIRONMENT | {"PYTHONHASHSEED": seed})
            assert done.returncode == 0
            outputs.append((out.read_bytes(), done.stdout))
        assert outputs[0] == outputs[1]


def test_pandas_is_not_loaded(folder):
    """pyarrow would load it, where it is installed, in every run."""
    program = (
        "import sys; from etcdsize.cli import program; "
        f"code = program(['fleet', {str(folder / 'small.csv')!r}]); "
        "print(code, 'pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].endswith(" False")
