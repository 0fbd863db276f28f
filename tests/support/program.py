"""The environment in which `etcdsize` runs the package under test, installed or not, on the same day for ever."""

import os
import sys
from pathlib import Path

from paths import SUPPORT

import etcdsize

# 2026-11-27. Tables that are read later are newer than that, and so never old.
SOURCE_DATE_EPOCH = "1795737600"

ENVIRONMENT = {
    **os.environ,
    "SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH,
    "PATH": f"{SUPPORT / 'bin'}{os.pathsep}{os.environ['PATH']}",
    "PYTHON": sys.executable,
    "PYTHONPATH": str(Path(etcdsize.__file__).resolve().parent.parent),
    "PYTHONUTF8": "1",
    "COLUMNS": "80",
}
