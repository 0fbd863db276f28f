"""Measure an etcd on this machine: `calibrate` returns the model with what was measured in place of ours."""

from __future__ import annotations

import http.client
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etcdsize.base.checks import number_of
from etcdsize.base.model import date_of
from etcdsize.base.text import shown
from etcdsize.errors import CalibrationError, MissingDependencyError, OptionError
from etcdsize.units import format_bytes

if TYPE_CHECKING:
    from etcdsize.calibration.experiments import Experiment
    from etcdsize.resources.calibrated_model import CalibratedModel

__all__ = ["calibrate"]

_NEEDED_BYTES = 10**9
"""What the experiments write at once, at most (our choice: they take 0.6 GB). [bytes]"""
_LONGEST_MINUTES = 600


def calibrate(
    etcd: str | Path,
    *,
    date: str,
    data_dir: str | Path = ".",
    minutes: float = 3,
    progress: Callable[[int], object] | None = None,
) -> CalibratedModel:
    """Return the model of etcd with the coefficients that are measured on this machine, its disk and this etcd.

    It starts members of its own, one at a time, on free ports of 127.0.0.1, with a new folder in `data_dir` that is
    removed at the end, however that comes. It needs Linux, and nothing else should keep the machine busy meanwhile.

    Parameters
    ----------
    etcd : str or Path
        The etcd to measure, or a script that runs one.
    date : str
        The day, such as `"2026-11-27"`, which stands in the model.
    data_dir : str or Path
        A folder on the disk that etcd is to use.
    minutes : number
        How long to measure. [min] A round of all experiments takes about a minute on a fast disk; more rounds make the
        ranges of the model better. What there is no time for stays as it is in etcdsize.
    progress : callable, optional
        Called with the whole seconds that have passed since the last call.

    Raises
    ------
    CalibrationError
        If the etcd cannot be run or measured, or is none.
    OptionError
        If the folder has a member in it, too little space, or does not exist; or for minutes that are not above 0.
    MissingDependencyError
        If the extra `calibrate` is not installed.

    Examples
    --------
    >>> calibrate("/bin/true", date="2026-11-27")
    Traceback (most recent call last):
    etcdsize.errors.CalibrationError: /bin/true: got a program whose --version prints no version, expected an etcd
    """
    try:
        import grpc

        from etcdsize.calibration.experiments import EXPERIMENTS
        from etcdsize.calibration.member import version_of
    except ImportError as error:
        raise MissingDependencyError(package=error.name or "aetcd", extra="calibrate") from error
    from etcdsize.calibration.fitted import disk_of, fitted
    from etcdsize.resources.calibrated_model import calibrated_model
    from etcdsize.resources.coefficients import load_coefficients

    program = str(_path("etcd", etcd))
    date = _date(date)
    seconds = 60 * number_of("minutes", minutes, positive=True)
    if seconds > 60 * _LONGEST_MINUTES:
        raise OptionError(
            f"minutes: got {shown(minutes)}, expected at most {_LONGEST_MINUTES}", option="minutes", value=minutes
        )
    folder = _folder(data_dir)
    if progress is not None and not callable(progress):
        raise OptionError(f"progress: got {shown(progress)}, expected a function", option="progress", value=progress)
    if not Path("/proc/self/stat").exists():
        raise CalibrationError("calibrate: reads processor times from /proc; run it on Linux")
    version = version_of(program)
    ours = load_coefficients(version)
    runs: dict[str, list[float]] = {}
    try:
        for experiment in _in_time(tuple(EXPERIMENTS.values()), seconds, progress):
            for name, value in experiment.measure(program, folder).items():
                runs.setdefault(name, []).append(value)
    except (grpc.RpcError, http.client.HTTPException) as error:
        raise CalibrationError(f"{program}: a request failed: {_details(error)}", program=program) from error
    except OSError as error:
        raise CalibrationError(
            f"{folder}: cannot be used: {error.strerror or error}; choose another folder", program=program
        ) from error
    return calibrated_model(
        version, fitted(runs, ours, version, date), date=date, machine=_machine(), disk=disk_of(runs)
    )


def _in_time(
    experiments: tuple[Experiment, ...], seconds: float, progress: Callable[[int], object] | None
) -> Iterator[Experiment]:
    """Yield experiments in rounds, each that is likely to end in time."""
    began, told = time.monotonic(), 0
    took: dict[str, float] = {}
    while True:
        left = len(experiments)
        for one in experiments:
            start = time.monotonic()
            if start - began + took.get(one.about, 0.0) >= seconds:
                left -= 1
                continue
            yield one
            took[one.about] = time.monotonic() - start
            passed = int(time.monotonic() - began)
            if progress is not None:
                progress(passed - told)
            told = passed
        if not left:
            return


def _path(option: str, value: Any) -> Path:
    if not isinstance(value, (str, Path)) or "\0" in str(value) or not str(value):
        raise OptionError(
            f"{option}: got {shown(value)} of type {type(value).__name__}, expected a path", option=option, value=value
        )
    return Path(value)


def _date(value: Any) -> str:
    try:
        return date_of(value)
    except (TypeError, ValueError) as error:
        raise OptionError(
            f'date: got {shown(value)}, expected a date such as "2026-11-25"', option="date", value=value
        ) from error


def _folder(data_dir: Any) -> Path:
    """Return the folder, if nothing in it can be harmed and there is room."""
    folder = _path("data_dir", data_dir)

    def rejected(what: str) -> OptionError:
        return OptionError(f"data_dir: got {folder}, {what}", option="data_dir", value=str(folder))

    try:
        if not folder.is_dir():
            raise rejected("expected a folder that exists, on the disk that etcd is to use")
        # A data directory, the one within, and the log's.
        if any((folder / name).exists() for name in ("member", "snap/db")) or any(folder.glob("*.wal")):
            raise rejected(
                "which holds a member of etcd, expected a folder without one; make a new folder on the same disk"
            )
        if not os.access(folder, os.W_OK | os.X_OK):
            raise rejected("which cannot be written; choose another folder")
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise rejected(f"which cannot be read: {error.strerror}") from error
    if free < _NEEDED_BYTES:
        raise rejected(
            f"whose disk has {format_bytes(free)} free, expected {format_bytes(_NEEDED_BYTES)}; free some space"
        )
    return folder


def _details(error: Any) -> str:
    """Return what gRPC says of a request that failed."""
    details = getattr(error, "details", None)
    return str(details() if callable(details) else error) or "no reason is given"


def _machine() -> dict[str, str]:
    """Return what is known of this machine."""
    text = Path("/proc/cpuinfo").read_text(errors="replace")
    models = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return {
        "cpu": models[0] if models else "unknown",
        "cores": str(len(os.sched_getaffinity(0))),
        "system": f"{os.uname().sysname} {os.uname().release}",
    }
