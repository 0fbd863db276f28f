"""Whether the tests leave the checkout as they found it."""

from __future__ import annotations

import fnmatch
import subprocess
from pathlib import Path

CACHES = ("__pycache__", ".*_cache", ".hypothesis", ".venv*", "*.egg-info")
# `make etcds` may run beside the tests.
BUILT = "tests/support/etcd-*/bin"


def stray_files(root: Path) -> set[str] | None:
    """Return what lies in a checkout and is not committed, caches aside; None where git cannot tell."""
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "status", "--porcelain", "--ignored", "-z"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):  # no git, or a checkout that another user owns
        return None
    paths = {entry[3:] for entry in done.stdout.split("\0") if entry.startswith(("?? ", "!! "))}
    paths = {path for path in paths if not fnmatch.fnmatch(path.rstrip("/"), BUILT)}
    return {path for path in paths if not any(fnmatch.fnmatch(Path(path).name, cache) for cache in CACHES)}
