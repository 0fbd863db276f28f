"""The command line: arguments, exit codes and printing; no sizing logic.

Exit codes: 0 done; 1 done, but some input could not be sized or a strict answer is beyond the guide; 2 bad usage or
unreadable input; 130 on Ctrl-C; 141 where the reader of the output went away; 143 on SIGTERM.

Nothing heavy is imported before a command needs it: `--help` loads neither numpy nor pydantic.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Sequence

from etcdsize.cli.parser import build_parser
from etcdsize.errors import EtcdSizeError

__all__ = ["build_parser", "main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    with contextlib.suppress(ValueError):
        # Only the main thread may; elsewhere the caller decides.
        signal.signal(signal.SIGTERM, _terminated)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        options = build_parser().parse_args(arguments)
        from etcdsize.cli import commands

        code: int = getattr(commands, options.command)(options)
        sys.stdout.flush()
    except EtcdSizeError as error:
        return _failed(str(error))
    except BrokenPipeError:
        # Nobody reads on: leave quietly, and give the interpreter's last flush somewhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        return _failed(f"standard output: cannot be written: {error.strerror or error}")
    except KeyboardInterrupt:
        print("etcdsize: interrupted", file=sys.stderr)  # noqa: T201
        return 130
    return code


def _failed(message: str) -> int:
    print(f"etcdsize: {message}", file=sys.stderr)  # noqa: T201
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 2


def _terminated(number: int, _frame: object) -> None:
    sys.exit(128 + number)
