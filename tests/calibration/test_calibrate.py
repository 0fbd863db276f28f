"""etcdsize calibrate: what it refuses, and that nothing of it is left, however it ends."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import product
from pathlib import Path

import pytest
from etcds import is_healthy, needed
from needs import leave_out
from program import ENVIRONMENT
from signals import restore_signals
from wrong_values import WRONG, is_ours

from etcdsize import CalibratedModel, CalibrationError, MissingDependencyError, OptionError, calibrate, load_model
from etcdsize.calibration import calibrate as module
from etcdsize.calibration import member
from etcdsize.calibration.experiments import EXPERIMENTS
from etcdsize.calibration.guard import Guard
from etcdsize.reports.model import render_model

DATE = "2026-11-27"
COMMAND = [sys.executable, "-m", "etcdsize", "calibrate"]


def script(folder: Path, body: str) -> Path:
    """Return a program in a folder of its own that says it is an etcd, and otherwise does what the body says."""
    folder.mkdir()
    file = folder / "etcd"
    file.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then echo "etcd Version: 3.6.16"; exit; fi\n{body}\n')
    file.chmod(0o755)
    return file


def processes_with(word: str) -> list[int]:
    """Return the processes that run and have a word among their arguments."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode(errors="replace")
            state = (folder / "stat").read_text().rpartition(") ")[2][0]
        except OSError:
            continue
        if word in words and state != "Z" and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


def wait_until(happened, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, "it does not happen"
        time.sleep(0.02)


def puts_of(url: str) -> float:
    """Return how many keys a member has been sent."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=30) as answer:
        found = re.search(r"^etcd_mvcc_put_total (\S+)$", answer.read().decode(), re.M)
    return float(found[1]) if found else 0.0


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Mount a disk that holds one segment of etcd's log, and no second one."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=66m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        leave_out("mounting is not permitted here; that takes root")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


class TestWhatIsRefused:
    def test_wrong_arguments_are_refused_before_anything_runs(self, data: Path) -> None:
        sound = {"etcd": "/bin/true", "date": DATE, "data_dir": data, "minutes": 1, "progress": None}
        for parameter, wrong in product(sound, WRONG):
            is_ours(partial(calibrate, **{**sound, parameter: WRONG[wrong]}), f"{parameter}: {wrong}")
        assert not any(data.iterdir())

    @pytest.mark.parametrize(
        ("program", "message"),
        [
            ("/bin/true", "/bin/true: got a program whose --version prints no version, expected an etcd"),
            ("/no/such/etcd", "/no/such/etcd: cannot be run: No such file or directory; give the path of an etcd"),
            ("/", "/: cannot be run: Permission denied; give the path of an etcd"),
        ],
    )
    def test_what_is_no_etcd(self, data: Path, program: str, message: str) -> None:
        with pytest.raises(CalibrationError) as caught:
            calibrate(program, date=DATE, data_dir=data)
        assert str(caught.value) == message

    @pytest.mark.parametrize("package", ["aetcd.rpc", "grpc"])
    def test_without_its_extra_it_says_what_to_install(self, data: Path, monkeypatch, package: str) -> None:
        for name in [name for name in sys.modules if name.startswith("etcdsize.calibration.")]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(MissingDependencyError, match=r"pip install 'etcdsize\[calibrate\]'"):
            module.calibrate("/bin/true", date=DATE, data_dir=data)

    @pytest.mark.parametrize("body", ["sleep 1000 & sleep 1000", "yes"])
    def test_a_program_that_never_answers_is_killed_with_all_that_it_starts(
        self, tmp_path: Path, data: Path, monkeypatch, body: str
    ) -> None:
        monkeypatch.setattr(member, "_VERSION_SECONDS", 0.5)
        program = tmp_path / "hangs"
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
        with pytest.raises(CalibrationError, match=r"--version (does not end within 0\.5 s|prints no version)"):
            calibrate(program, date=DATE, data_dir=data)
        wait_until(lambda: not processes_with(str(program)))

    @pytest.mark.parametrize("holds", ["member", "snap/db", "0000000000000000-0000000000000000.wal"])
    def test_a_folder_with_a_member_in_it(self, data: Path, holds: str) -> None:
        (data / holds).mkdir(parents=True)
        with pytest.raises(OptionError, match=r"^data_dir: got .* which holds a member of etcd, expected a folder"):
            calibrate("/bin/true", date=DATE, data_dir=data)

    def test_a_folder_that_is_none(self, data: Path) -> None:
        (data / "file").touch()
        for name in ("none", "file"):
            with pytest.raises(OptionError, match="expected a folder that exists"):
                calibrate("/bin/true", date=DATE, data_dir=data / name)

    def test_a_folder_of_somebody_else(self, data: Path, another_user) -> None:
        with pytest.raises(OptionError, match=r"^data_dir: got .* which cannot be"):
            calibrate("/bin/true", date=DATE, data_dir=data)

    def test_a_disk_with_too_little_space(self, data: Path, monkeypatch) -> None:
        monkeypatch.setattr(module, "_NEEDED_BYTES", 10**18)
        with pytest.raises(OptionError, match=r"^data_dir: got .* free, expected .*; free some space"):
            calibrate("/bin/true", date=DATE, data_dir=data)

    def test_an_etcd_of_a_version_that_has_no_model(self, tmp_path: Path, data: Path) -> None:
        program = script(tmp_path / "bin", "")
        program.write_text(program.read_text().replace("3.6.16", "2.3.8"))
        with pytest.raises(OptionError, match=r"etcd_version: got .*2\.3\.8"):
            calibrate(program, date=DATE, data_dir=data)

    def test_an_output_that_exists(self, run, tmp_path: Path, data: Path) -> None:
        out = tmp_path / "my-model.json"
        out.write_text("old")
        words = ["--etcd", "/bin/true", "--data-dir", str(data), "-o", str(out)]
        code, printed, err = run("calibrate", *words)
        assert (code, printed) == (2, "")
        assert err == f"etcdsize: {out}: already exists; use --force to replace it\n"
        assert run("calibrate", *words, "--force")[2].startswith("etcdsize: /bin/true: got a program")
        assert out.read_text() == "old"

    def test_options_are_named_as_options(self, run, tmp_path: Path, data: Path) -> None:
        (data / "member").mkdir()
        code, _, err = run("calibrate", "--etcd", "/bin/true", "--data-dir", str(data), "-o", str(tmp_path / "m.json"))
        assert code == 2
        assert err.startswith(f"etcdsize: --data-dir: got {data}, which holds a member")

    def test_a_standard_output_that_is_closed(self, data: Path) -> None:
        command = shlex.join([*COMMAND, "--etcd", "/bin/true", "--data-dir", str(data), "-o", "-"])
        done = subprocess.run(
            ["sh", "-c", f"{command} >&-"], env=ENVIRONMENT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert done.stderr == "etcdsize: standard output: cannot be written: Bad file descriptor\n"


class TestAnEtcdThatDoesNotServe:
    def test_one_that_ends(self, tmp_path: Path, data: Path) -> None:
        program = script(tmp_path / "bin", 'echo "panic: a test" >&2; exit 3')
        with pytest.raises(CalibrationError) as caught:
            calibrate(program, date=DATE, data_dir=data)
        assert str(caught.value) == f"{program}: does not start: it ended with exit code 3; it logged: panic: a test"
        assert not any(data.iterdir())

    def test_one_that_never_starts(self, tmp_path: Path, data: Path, monkeypatch) -> None:
        monkeypatch.setattr(member.Member, "start_limit_seconds", 0.5)
        program = script(tmp_path / "bin", "sleep 1000")
        with pytest.raises(CalibrationError, match="does not serve within"):
            calibrate(program, date=DATE, data_dir=data)
        assert not any(data.iterdir())
        assert not processes_with(str(data))

    def test_one_whose_files_may_not_grow(self, data: Path, tmp_path: Path) -> None:
        """As on a disk with a limit: etcd cannot allocate its log."""
        etcd, _ = needed("3.6")
        words = [*COMMAND, "--etcd", etcd, "--data-dir", str(data), "-o", str(tmp_path / "m.json")]
        limited = f"ulimit -f 20000; {shlex.join(words)}"
        done = subprocess.run(["sh", "-c", limited], env=ENVIRONMENT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
        assert "file too large" in done.stderr.lower()
        assert not any(data.iterdir())
        assert not (tmp_path / "m.json").exists()


class TestStopped:
    """However it is stopped, what it started ends and what it wrote is removed."""

    @pytest.mark.parametrize(
        ("number", "code"),
        [
            pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow),
            pytest.param(signal.SIGHUP, 129, marks=pytest.mark.slow),
            (signal.SIGTERM, 143),
            (signal.SIGKILL, -signal.SIGKILL),
        ],
        ids=["SIGINT", "SIGHUP", "SIGTERM", "SIGKILL"],
    )
    def test_by_a_signal(self, tmp_path: Path, data: Path, number: int, code: int) -> None:
        # It starts a process of its own, as a wrapper does, and ignores what can be ignored.
        program = script(tmp_path / "bin", 'trap "" HUP INT TERM; sleep 1000 & wait')
        out = tmp_path / "my-model.json"
        process = subprocess.Popen(
            [*COMMAND, "--etcd", str(program), "--data-dir", str(data), "-o", str(out)],
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=restore_signals,
        )
        wait_until(lambda: len(processes_with(f"--data-dir={data}")) > 0)
        process.send_signal(number)
        printed, _ = process.communicate(timeout=20)
        assert (process.returncode, printed) == (code, "")
        wait_until(lambda: not any(data.iterdir()) and not processes_with(str(data)))
        assert not out.exists()

    def test_a_guard_removes_what_a_killed_process_leaves(self, data: Path) -> None:
        # A time that no other process sleeps for.
        seconds = f"987.{os.getpid()}"
        code = (
            "import os, subprocess, sys, time\nfrom pathlib import Path\n"
            "from etcdsize.calibration.guard import Guard\n"
            f"guard = Guard(Path({str(data)!r}))\n"
            "(guard.folder / 'file').write_text('x')\n"
            f"guard.start(['sleep', '{seconds}'], open(os.devnull, 'wb'), os.environ)\n"
            "print('ready', flush=True)\ntime.sleep(60)\n"
        )
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert any(data.iterdir())
        process.kill()
        process.communicate(timeout=20)
        wait_until(lambda: not any(data.iterdir()) and not processes_with(seconds))

    def test_a_guard_kills_nothing_after_the_end_of_what_it_started(self, data: Path) -> None:
        guard = Guard(data)
        with Path(os.devnull).open("wb") as nothing:
            guard.start(["true"], nothing, os.environ).wait()
        guard.ended()
        guard.close()
        assert not any(data.iterdir())


@pytest.mark.slow
class TestRealEtcd:
    def test_one_that_is_killed_meanwhile(self, data: Path, tmp_path: Path) -> None:
        etcd, _ = needed("3.6")
        process = subprocess.Popen(
            [*COMMAND, "--etcd", etcd, "--data-dir", str(data), "-o", str(tmp_path / "m.json")],
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_until(lambda: any(data.glob("*/data/member/snap/db")))
        (number,) = processes_with(f"--data-dir={data}")
        words = Path(f"/proc/{number}/cmdline").read_text().split("\0")
        (url,) = [word.partition("=")[2] for word in words if word.startswith("--listen-client-urls=")]
        wait_until(lambda: is_healthy(url) and puts_of(url) > 0)
        os.kill(number, signal.SIGKILL)
        printed, err = process.communicate(timeout=60)
        assert (process.returncode, printed) == (2, "")
        assert err.startswith(f"etcdsize: {etcd}: ")
        assert "ended by signal 9" in err
        assert len(err.splitlines()) == 1
        assert not any(data.iterdir())

    def test_one_that_is_killed_as_soon_as_it_serves(self, data: Path, monkeypatch) -> None:
        """Before it is asked for its name."""
        connect = member.Member.connect

        def kill_and_connect(running: member.Member) -> object:
            os.kill(running.pid, signal.SIGKILL)
            return connect(running)

        monkeypatch.setattr(member.Member, "connect", kill_and_connect)
        with pytest.raises(CalibrationError, match="ended by signal 9"):
            EXPERIMENTS["file"].measure(needed("3.6")[0], data)
        assert not any(data.iterdir())

    def test_a_disk_that_is_full_for_what_we_write(self, data: Path, monkeypatch) -> None:
        monkeypatch.setattr(module, "_NEEDED_BYTES", 0)
        with small_disk(data):
            with pytest.raises(CalibrationError) as caught:
                calibrate(needed("3.6")[0], date=DATE, data_dir=data)
            assert str(caught.value) == f"{data}: cannot be used: No space left on device; choose another folder"
            assert not any(data.iterdir())

    def test_a_disk_that_is_full_for_what_etcd_writes(self, data: Path) -> None:
        with small_disk(data):
            with pytest.raises(
                CalibrationError, match=r"(does not start|ended while it was measured): .*free some space$"
            ):
                EXPERIMENTS["file"].measure(needed("3.6")[0], data)
            assert not any(data.iterdir())

    def test_a_member_of_the_oldest_version_is_measured(self, data: Path) -> None:
        """3.4 has no flag for the entries that its log keeps."""
        found = EXPERIMENTS["member"].measure(needed("3.4")[0], data)
        assert 50 < found["index_per_key"] < 400
        assert 1e6 < found["heap_base"] < 2e7
        assert not any(data.iterdir())


class TestOutput:
    """Of a time that is enough for the first experiment alone."""

    def command(self, data: Path, out: Path | str) -> list[str]:
        etcd, _ = needed("3.6")
        return [*COMMAND, "--etcd", etcd, "--data-dir", str(data), "--minutes", "0.001", "-o", str(out)]

    def test_the_model_is_a_file_and_a_report_goes_to_standard_output(self, data: Path, tmp_path: Path) -> None:
        out = tmp_path / "my-model.json"
        done = subprocess.run(self.command(data, out), env=ENVIRONMENT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == render_model(load_model(out))
        model = load_model(out)
        assert (model.calibrated_on, model.calibrated, model.disk) == (str(needed("3.6")[1]), (), None)
        assert not any(data.iterdir())

    def test_standard_output_gets_the_model_alone(self, data: Path) -> None:
        done = subprocess.run(self.command(data, "-"), env=ENVIRONMENT, capture_output=True, text=True, check=False)
        assert done.returncode == 0
        assert done.stderr == render_model(CalibratedModel.model_validate_json(done.stdout))
