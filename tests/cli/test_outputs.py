"""Every command that writes an output: what cannot be written is named, what is there stays, pipes and devices work."""

import os
import shlex
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest
from needs import leave_out
from program import ENVIRONMENT
from servers import answering, serving
from writers import METRICS, writers

# Each starts programs of its own.
pytestmark = pytest.mark.slow

NAMES = (
    *(f"fleet to {kind}" for kind in ("csv", "tsv", "jsonl", "json", "parquet", "csv.gz", "csv.zst")),
    *("fleet, JSON lines", "fleet, Parquet copied", "fleet, audit"),
    *("catalog import", "observe to csv", "observe to parquet", "bootstrap"),
)
FILES = NAMES[:-1]


@pytest.fixture(scope="module")
def known():
    """The commands by their names; their inputs can be read by everybody."""
    with tempfile.TemporaryDirectory() as name, serving(answering(METRICS.read_text())) as port:
        Path(name).chmod(0o755)
        yield writers(Path(name), port)


@pytest.fixture
def mounted(open_path):
    """Mount a file system in memory with these options."""
    if os.geteuid() != 0:
        leave_out("mounting is not permitted here; that takes root")
    mounts = []

    def mount(options):
        folder = open_path / "disk"
        folder.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            leave_out("mounting is not permitted here; that takes root")
        mounts.append(folder)
        return folder

    yield mount
    for folder in mounts:
        subprocess.run(["umount", str(folder)], check=True)


def old_output(writer, folder):
    """Write an old output, and return its path and the file that the command replaces first."""
    output = folder / writer.output
    if writer.is_folder:
        output.mkdir()
    first = output / "infra0.env" if writer.is_folder else output
    first.write_text("old")
    return output, first


def fails(run, writer, output, message, **options):
    """Run a command that cannot write its output, and check that it says so."""
    before = tree(output.parent)
    assert run(*writer.to(output, **options)) == (2, "", f"etcdsize: {message}\n")
    assert tree(output.parent) == before


def tree(folder):
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.X_OK):
        return []
    return sorted((str(path), path.is_file() and path.stat().st_ino) for path in folder.rglob("*"))


@pytest.mark.parametrize("name", NAMES)
class TestNamed:
    """What cannot be written is named, before anything is read or asked."""

    def test_a_missing_directory(self, run, known, open_path, name):
        output = open_path / "no" / known[name].output
        fails(run, known[name], output, f"{output}: there is no directory {output.parent}; create it first")

    def test_a_name_that_is_too_long(self, run, known, open_path, name):
        output = open_path / ("n" * 256 + known[name].output)
        fails(run, known[name], output, f"{output}: cannot be written: File name too long")

    def test_a_directory_that_may_not_be_searched(self, run, known, open_path, unprivileged, name):
        (open_path / "closed").mkdir(mode=0)
        output = open_path / "closed" / known[name].output
        fails(run, known[name], output, f"{output}: cannot be written: Permission denied")

    @pytest.mark.parametrize("state", ["new", "old"])
    def test_a_directory_that_may_not_be_written(self, run, known, open_path, request, name, state):
        writer = known[name]
        output = named = open_path / writer.output
        if state == "old":
            output, named = old_output(writer, open_path)
        for folder in (output, open_path):
            if folder.is_dir():
                folder.chmod(0o555)
        request.getfixturevalue("unprivileged")
        fails(run, writer, output, f"{named}: cannot be written: Permission denied", force=True)
        assert state == "new" or named.read_text() == "old"

    def test_a_read_only_file_system(self, run, known, mounted, name):
        writer = known[name]
        disk = mounted("size=1m")
        output, first = old_output(writer, disk)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        fails(run, writer, output, f"{first}: cannot be written: Read-only file system", force=True)
        other = disk / f"other-{writer.output}"
        fails(run, writer, other, f"{other}: cannot be written: Read-only file system")

    def test_a_full_disk(self, run, known, mounted, name):
        writer = known[name]
        disk = mounted("size=64k")
        output, first = old_output(writer, disk)
        filled = subprocess.run(["dd", "if=/dev/zero", f"of={disk / 'ballast'}"], capture_output=True, check=False)
        assert b"No space left" in filled.stderr
        fails(run, writer, output, f"{first}: cannot be written: No space left on device", force=True)
        assert first.read_text() == "old"

    def test_a_device(self, run, known, name):
        writer = known[name]
        output = Path("/dev/full")
        if writer.is_folder:
            message = "/dev/full: is not a directory, expected the name of one"
        else:
            message = "/dev/full: cannot be written: No space left on device"
        assert run(*writer.to(output)) == (2, "", f"etcdsize: {message}\n")


class TestTemporaryFiles:
    """What does not fit into the directory for temporary files is not blamed on the output or the input."""

    @pytest.mark.parametrize("name", ["observe to csv", "fleet, Parquet copied"])
    def test_a_full_directory_is_named(self, known, open_path, mounted, name):
        disk = mounted("size=4k")
        writer = known[name]
        words = writer.to(open_path / writer.output)
        command = line(words)
        if name.startswith("fleet"):
            command = f"cat {words[1]} | {line(['fleet', '-', '--format', 'parquet', *words[2:]])}"
        done = bash(command, open_path, TMPDIR=str(disk))
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"etcdsize: {disk}: cannot be written: No space left on device\n"
        assert [path.name for path in open_path.iterdir()] == ["disk"]


def line(words):
    """Return a command of etcdsize as a line of shell."""
    return shlex.join(["etcdsize", *words])


def bash(command, folder, **variables):
    """Run a line of shell in which `etcdsize` is the package under test."""
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=folder,
        env={**ENVIRONMENT, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def slow_after_the_first(names):
    return [names[0], *(pytest.param(name, marks=pytest.mark.slow) for name in names[1:])]


@pytest.mark.parametrize("name", slow_after_the_first(("fleet to csv", "fleet, Parquet copied", "catalog import")))
class TestStreams:
    """An output may be a pipe, a device or an open descriptor; no --force is needed, because nothing is replaced."""

    def test_standard_output_by_its_name(self, known, open_path, name):
        words = {output: line(known[name].to(output)) for output in ("-", "/dev/stdout")}
        expected = bash(words["-"] + " > expected", open_path)
        assert expected.returncode in (0, 1)
        rows = (open_path / "expected").read_bytes()
        for command in (f"{words['/dev/stdout']} | cat > got", f"{words['/dev/stdout']} > got"):
            done = bash(command, open_path)
            assert (done.returncode, done.stdout, done.stderr) == (expected.returncode, "", expected.stderr)
            assert (open_path / "got").read_bytes() == rows
        # What others write to the same file stays.
        done = bash(f"(echo before; {words['/dev/stdout']}; echo after) >> log", open_path)
        assert done.stderr == expected.stderr
        assert (open_path / "log").read_bytes() == b"before\n" + rows + b"after\n"

    def test_another_program(self, known, open_path, name):
        done = bash(f"{line(known[name].to('-'))} > expected 2> summary", open_path)
        words = line(known[name].to("OUT")).replace("OUT", ">(cat > got)")
        again = bash(f"{words}; code=$?; wait $!; exit $code", open_path)
        assert again.returncode == done.returncode
        assert again.stdout + again.stderr == (open_path / "summary").read_text()
        assert (open_path / "got").read_bytes() == (open_path / "expected").read_bytes()

    def test_a_program_that_goes_away(self, known, open_path, name):
        """As if it had read standard output: no message."""
        done = bash(line(known[name].to("OUT")).replace("OUT", ">(exit 0)"), open_path)
        assert (done.returncode, done.stdout, done.stderr) == (141, "", "")
        done = bash(f"{line(known[name].to('/dev/stdout'))} | true", open_path)
        assert (done.returncode, done.stdout, done.stderr) == (141, "", "")

    def test_closed_standard_output(self, known, open_path, name):
        done = bash(f"{line(known[name].to('/dev/stdout'))} >&-", open_path)
        message = "etcdsize: standard output: cannot be written: Bad file descriptor\n"
        assert (done.returncode, done.stderr) == (2, message)


@pytest.mark.parametrize("name", FILES)
class TestNamedStreams:
    def test_the_null_device(self, run, known, name):
        code, _, _ = run(*known[name].to("/dev/null"))
        assert code in (0, 1)

    def test_a_named_pipe(self, run, known, open_path, name):
        writer = known[name]
        assert run(*writer.to(open_path / writer.output))[0] in (0, 1)
        pipe = open_path / "pipe"
        os.mkfifo(pipe)
        named = open_path / f"pipe{Path(writer.output).suffix}"
        os.mkfifo(named)
        got = []
        reader = threading.Thread(target=lambda: got.append(named.read_bytes()))
        reader.start()
        assert run(*writer.to(named))[0] in (0, 1)
        reader.join(10)
        assert got == [(open_path / writer.output).read_bytes()]


class TestBootstrap:
    def test_a_refused_run_creates_nothing(self, run, known, open_path):
        """A plan that is rejected, and a file that would be replaced."""
        output, first = old_output(known["bootstrap"], open_path)
        before = tree(open_path)
        words = known["bootstrap"].to(output)
        assert run(*words) == (
            2,
            "",
            f"etcdsize: {output}: infra0.env already exists with other content (missing: infra1.env, infra2.env); use "
            "--force to replace it\n",
        )
        assert run("bootstrap", "--local", "0", "-o", str(open_path / "new"))[0] == 2
        assert run("bootstrap", "--host", f"{'n' * 300}=10.0.0.1", "-o", str(open_path / "new"))[0] == 2
        assert tree(open_path) == before
        assert first.read_text() == "old"

    def test_the_next_run_completes_what_a_kill_left(self, run, known, open_path):
        writer = known["bootstrap"]
        output = open_path / writer.output
        assert run(*writer.to(output))[0] == 0
        (output / "infra1.env").unlink()
        code, out, err = run(*writer.to(output))
        assert (code, out) == (0, "")
        assert err.splitlines()[:3] == [
            f"etcdsize: {output}/infra0.env is up to date",
            f"etcdsize: wrote {output}/infra1.env",
            f"etcdsize: {output}/infra2.env is up to date",
        ]
