"""What a test needs of its machine: where it is missing, the test is left out, or in CI fails."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def leave_out(missing: str) -> NoReturn:
    """Skip a test for a reason that names what is missing and how to get it.

    Where CI is set the test fails instead, so that nothing passes by being left out.
    """
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


def program(name: str, package: str) -> str:
    """Return the path of a program that a Debian package brings; without it the test is left out."""
    found = shutil.which(name)
    if found is None:
        leave_out(f"{name} is not installed; apt-get install {package}")
    return found
