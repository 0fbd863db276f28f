"""Signals for the processes that tests start."""

from __future__ import annotations

import signal


def restore_signals() -> None:
    """Undo in a new process (as its `preexec_fn`) what `nohup` and a shell's `&` leave ignored."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
