"""Run a command on real descriptors, and check what every command promises, whatever its input.

The exit code is 0, 1 or 2; an error is one line that names the program, or with --json one object; no traceback and no
unforeseen error; nothing that controls a terminal; JSON that matches its schema.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from unittest import mock

from etcdsize.cli import main
from etcdsize.cli.answers import ANSWERS
from etcdsize.cli.argument_parser import asks_for_json
from tests.support.json_answers import validator

# All but the line end; what has no width; what changes the direction of text or ends a line; halves of surrogate pairs.
CONTROLS = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
FOR_PROGRAMS = {"bootstrap", "runbook", "schema", "terraform-external"}


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: bytes
    err: str

    @property
    def outcome(self) -> str:
        return f"exit {self.code}"


def command(words: Sequence[str], *, stdin: bytes = b"", encoding: str = "utf-8", data: bool = False) -> Ran:
    """Run a command in this process, whose standard descriptors it replaces, and return what it did.

    With `data`, the rows that it writes hold cells that pass unchanged, so that they are not checked.
    """
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(os.fdopen(os.memfd_create(name), "w+b")) for name in ("in", "out", "err")]
        files[0].write(stdin)
        files[0].seek(0)
        for descriptor, file in enumerate(files):
            saved = os.dup(descriptor)
            # The last callback runs first.
            stack.callback(os.close, saved)
            stack.callback(os.dup2, saved, descriptor)
            os.dup2(file.fileno(), descriptor)
        streams = [
            stack.enter_context(open(0, encoding="utf-8", closefd=False)),
            stack.enter_context(open(1, "w", encoding=encoding, closefd=False)),
            stack.enter_context(open(2, "w", encoding=encoding, closefd=False, errors="backslashreplace")),
        ]
        with mock.patch.multiple(sys, stdin=streams[0], stdout=streams[1], stderr=streams[2]):
            try:
                code = main(list(words))
            except SystemExit as left:
                code = left.code
            finally:
                for stream in streams[1:]:
                    stream.flush()
        for file in files:
            file.seek(0)
        # What programs read is UTF-8 in every locale.
        out, err = files[1].read(), files[2].read().decode("utf-8" if asks_for_json(words) else encoding)
    check(words, code, out, err, encoding=encoding, data=data)
    return Ran(code, out, err)


def check(words: Sequence[str], code: object, out: bytes, err: str, *, encoding: str, data: bool) -> None:
    """Check what every command promises."""
    assert code in (0, 1, 2), f"exit code {code!r}"
    assert "this is a fault of etcdsize" not in err, err.splitlines()[-1]
    assert "memory ran out" not in err, "memory ran out"
    assert not CONTROLS.search(err), f"standard error has {CONTROLS.search(err)[0]!r}"
    if code == 2:
        lines = err.splitlines()
        assert lines, "exit 2 without a word"
        if asks_for_json(words):
            validator("error").validate(json.loads(lines[-1]))
        else:
            assert lines[-1].startswith("etcdsize"), f"standard error ends with {lines[-1][:100]!r}"
        # An error, after the notices of what was done until then.
        assert len(lines) <= 5 or "--debug" in words, f"{len(lines)} lines of standard error"
    assert "Traceback" not in err or "--debug" in words, "a traceback"
    if data or not out:
        return
    is_json = "--json" in words and not {"-h", "--help"} & set(words)
    printed = out.decode("utf-8" if is_json or FOR_PROGRAMS & set(words) else encoding)
    assert not CONTROLS.search(printed), f"standard output has {CONTROLS.search(printed)[0]!r}"
    if is_json and code != 2:
        answer = json.loads(printed, parse_constant=_reject)
        name = next(word for word in words if word in ANSWERS)
        # The catalogs take too long.
        if name != "machines":
            validator("observe-targets" if "fleet" in answer else name).validate(answer)


def _reject(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")
