"""The command line: arguments, exit codes and printing; no sizing logic.

Exit codes: 0 done; 1 done, but the answer is incomplete, no machine is enough, or a strict answer is beyond the guide;
2 bad usage or unreadable input; 130 on Ctrl-C; 141 if the reader of the output goes away; 129 on SIGHUP;
143 on SIGTERM.

Commands import heavy modules only when they run, so that `--help` loads neither numpy nor pydantic.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import signal
import sys
from collections.abc import Sequence

from etcdsize.base.text import one_line
from etcdsize.cli.parser import build_parser
from etcdsize.errors import EtcdSizeError

__all__ = ["build_parser", "main", "program"]


def program(arguments: Sequence[str] | None = None) -> int:
    """Run one command in a process of its own, and return its exit code."""
    sys.meta_path.insert(0, _NoPandas())
    # Imported modules never become garbage, and scanning them takes 5 % of a short command's time (measured).
    gc.set_threshold(100_000)
    return main(arguments)


class _NoPandas:
    """Hides pandas.

    pyarrow imports pandas, if it is installed, to check whether an argument is a Series. etcdsize passes no Series, and
    hiding pandas saves a third of a second and 60 MB.
    """

    def find_spec(self, name: str, path: object, target: object = None) -> None:  # noqa: ARG002 - the finders' protocol
        if name == "pandas":
            raise ModuleNotFoundError("pandas is not needed here", name=name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        # Only the main thread can set a handler. A signal that nohup ignores stays ignored.
        with contextlib.suppress(ValueError):
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, _terminated)
    if sys.stderr is None:
        # Standard error is closed, and print() would write to standard output instead.
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    if isinstance(getattr(sys.stdout, "buffer", None), io.RawIOBase):
        # With PYTHONUNBUFFERED, standard output is a raw file, which may write only part of the text.
        sys.stdout = open(sys.stdout.fileno(), "w", encoding=sys.stdout.encoding, closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run(arguments)
    except EtcdSizeError as error:
        return _failed(str(error))
    except BrokenPipeError:
        # The reader went away, as head does: exit without a message.
        _settle_output()
        return 141
    except OSError as error:
        return _failed(f"standard output: cannot be written: {error.strerror or error}")
    except KeyboardInterrupt:
        print("etcdsize: interrupted", file=sys.stderr)  # noqa: T201
        _settle_output()
        return 130


def _run(arguments: Sequence[str] | None) -> int:
    words = sys.argv[1:] if arguments is None else arguments
    try:
        options = build_parser().parse_args(words)
    except SystemExit:
        # --help and --version have printed something.
        if sys.stdout is not None:
            sys.stdout.flush()
        raise
    code: int = options.run(options)
    if sys.stdout is not None:
        sys.stdout.flush()
    return code


def _failed(message: str) -> int:
    print(f"etcdsize: {one_line(message)}", file=sys.stderr)  # noqa: T201
    _settle_output()
    return 2


def _settle_output() -> None:
    """Flush standard output; if that fails, point it to the null device, so that the last flush of Python succeeds."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _terminated(number: int, _frame: object) -> None:
    sys.exit(128 + number)
