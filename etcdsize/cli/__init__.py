"""The command line: arguments, exit codes and printing; no sizing logic.

Exit codes: 0 done; 1 done, but the answer is incomplete, no machine is enough, or a strict answer is beyond the guide;
2 bad usage, unreadable input, or a fault of etcdsize; 130 on Ctrl-C; 141 if the reader of the output goes away; 129 on
SIGHUP; 143 on SIGTERM.

Nothing but this module is loaded before signals are handled and errors are caught. Commands import heavy modules only
when they run, so that `--help` loads neither numpy nor pydantic.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence

from etcdsize.base.unfinished import remove_unfinished
from etcdsize.errors import EtcdSizeError

__all__ = ["main", "program"]


def program(arguments: Sequence[str] | None = None) -> int:
    """Run one command in a process of its own, and return its exit code."""
    # A signal that nohup or a shell ignores stays ignored.
    numbers = [
        number
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler)
    ]
    _handle(numbers, _stopped)
    if sys.stderr is None:
        # Standard error is closed. The next file to be opened would take its place.
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    sys.meta_path.insert(0, _NoPandas())
    # Looking for plugins of Pydantic, which we have none of, reads the metadata of every installed package.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # Imported modules never become garbage, and scanning them takes 5 % of a short command's time (measured).
    gc.set_threshold(100_000)
    try:
        return main(arguments)
    finally:
        # Nor does Python scan them once more when it ends, which takes a tenth of a short command's time (measured).
        gc.freeze()
        # Everything is done, and Python would restore the default handlers while it ends.
        _handle(numbers, signal.SIG_IGN)


def _handle(numbers: Iterable[int], handler: Callable[[int, object], None] | int) -> None:
    # Only the main thread can set a handler.
    with contextlib.suppress(ValueError):
        for number in numbers:
            signal.signal(number, handler)


def _stopped(number: int, _frame: object) -> None:
    """End the process at once. An exception could be swallowed on its way, by an import or a destructor."""
    remove_unfinished()
    if number == signal.SIGINT:
        with contextlib.suppress(OSError):
            # A terminal has echoed ^C and may show a progress bar.
            os.write(2, b"\n" * os.isatty(2) + b"etcdsize: interrupted\n")
    os._exit(128 + number)


class _NoPandas:
    """Hides pandas.

    pyarrow imports pandas, if it is installed, to check whether an argument is a Series. etcdsize passes no Series, and
    hiding pandas saves a third of a second and 60 MB.
    """

    def find_spec(self, name: str, path: object, target: object = None) -> None:  # noqa: ARG002 - the finders' protocol
        if name == "pandas":
            raise ModuleNotFoundError("pandas is not needed here", name=name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. An error is one line on standard error, whatever it is."""
    words = sys.argv[1:] if arguments is None else arguments
    error_code = 2
    parser = None
    try:
        from etcdsize.cli.arguments import reject_own_options
        from etcdsize.cli.clock import VARIABLE, today
        from etcdsize.cli.parser import build_parser

        options = build_parser().parse_args(words)
        error_code, parser = options.error_code, options.parser
        reject_own_options(options)
        if VARIABLE in os.environ:
            # An invalid value is an error before the command does anything.
            today()
        code: int = options.run(options)
        return code
    except (SystemExit, KeyboardInterrupt):
        raise
    except BrokenPipeError:
        # The reader of the output went away, as head does.
        return 141
    except BaseException as error:
        if parser is not None and isinstance(error, EtcdSizeError):
            parser.name_option(error)
        _report(error, words)
        return error_code


def _report(error: BaseException, words: Sequence[str]) -> None:
    """Report an error: on one line, with its traceback before it if the words ask for it, or as JSON."""
    import traceback

    from etcdsize.cli.argument_parser import asks_for_json
    from etcdsize.cli.streams import report, write_data

    lines = [line for part in traceback.format_exception(error) for line in part.splitlines()]
    debug = "--debug" in words
    ours = error if isinstance(error, EtcdSizeError) else _unforeseen(error)
    if asks_for_json(words):
        from etcdsize.cli.error_report import error_json

        write_data(error_json(ours, lines if debug else None), aside=True)
        return
    for line in lines if debug else ():
        report(line)
    report(f"etcdsize: {ours}")


def _unforeseen(error: BaseException) -> EtcdSizeError:
    """Return an error of ours for one that is not."""
    import traceback

    from etcdsize import __version__
    from etcdsize.cli.error_report import FaultError, OutOfMemoryError

    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return OutOfMemoryError("memory ran out; give the command more, or split its input")
    kind = "".join(traceback.format_exception_only(error)).strip()
    return FaultError(
        f"{kind[:200]}; this is a fault of etcdsize {__version__}: please report it with the command and with what "
        "--debug adds to it"
    )
