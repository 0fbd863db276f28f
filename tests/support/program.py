"""The environment in which `etcdsize` runs the package under test, installed or not."""

import os
import sys
from pathlib import Path

from paths import SUPPORT

import etcdsize

ENVIRONMENT = {
    **os.environ,
    "PATH": f"{SUPPORT / 'bin'}{os.pathsep}{os.environ['PATH']}",
    "PYTHON": sys.executable,
    "PYTHONPATH": str(Path(etcdsize.__file__).resolve().parent.parent),
    "PYTHONUTF8": "1",
    "COLUMNS": "80",
}
