"""Run the command line: `python -m etcdsize`."""

from __future__ import annotations

import sys

from etcdsize.cli import program

if __name__ == "__main__":
    sys.exit(program())
