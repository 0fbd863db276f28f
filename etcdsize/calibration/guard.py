"""A process that cleans up behind a member of ours, however we end.

It holds one end of a pipe. When we end, even by SIGKILL, the pipe closes: it then kills what we started and removes the
folder that this wrote to.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

__all__ = ["Guard"]

_SHELL = "/bin/sh"
# Each line is the number of the group of processes that runs, or empty if none does. What is killed may still write for
# a moment, so the folder is removed until it is gone.
_WAIT = """\
trap '' HUP INT TERM
group=
while read -r line; do group=$line; done
[ -z "$group" ] || kill -KILL "-$group" 2>/dev/null
tries=0
while [ -e "$1" ] && [ "$tries" -lt 100 ]; do
  rm -rf -- "$1" 2>/dev/null || sleep 0.1
  tries=$((tries + 1))
done"""
# The program itself reports its number before it runs: there is no moment at which it runs unknown to the guard.
_REPORT = 'echo "$$" >&0; exec "$@" </dev/null'
_SECONDS = 60


class Guard:
    """Makes a folder and starts one program at a time in a group of its own; in the end it removes and kills both."""

    def __init__(self, parent: Path) -> None:
        self.folder: Path = parent.absolute() / f"etcdsize-{os.urandom(8).hex()}"
        # It starts before the folder exists, so that there is no moment at which the folder could be left behind.
        self._process = subprocess.Popen(
            [_SHELL, "-c", _WAIT, "guard", str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
        try:
            self.folder.mkdir(mode=0o700)
        except BaseException:
            self.close()
            raise

    def start(
        self, command: Sequence[str], output: BinaryIO, environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Start a program, which is ended with all that it starts."""
        return subprocess.Popen(
            [_SHELL, "-c", _REPORT, "start", *command],
            stdin=self._process.stdin,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=environment,
        )

    def ended(self) -> None:
        """Note that what was started has ended: its number may become that of another process."""
        if self._process.stdin is not None:
            self._process.stdin.write(b"\n")
            self._process.stdin.flush()

    def close(self) -> None:
        """End and remove everything, and wait until that is done."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(_SECONDS)
