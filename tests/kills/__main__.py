"""Stop every command that writes an output, with SIGKILL and SIGTERM, and count what is left.

    python -m tests.kills                             60 kills, a minute in all
    python -m tests.kills --count 600 --json FILE     for long

Exit code 1 if there is a finding: an output that is neither as before nor complete, a temporary file after SIGTERM, a
wrong exit code, a traceback, a command that hangs, or a next run that does not succeed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.kills.campaign import campaign
from tests.results import write_results


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=60, help="kills in all (default: 60)")
    parser.add_argument("--seed", type=int, default=14, help="default: 14")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the counts to this file")
    arguments = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        results = campaign(Path(folder), count=arguments.count, seed=arguments.seed)
    seconds = time.monotonic() - start
    figures = results.figures()
    print(f"{results.kills} kills in {seconds:.0f} s: {figures['signals']}")
    for name, found in figures["commands"].items():
        print(f"  {name}: {found['outcomes']}")
    for finding in results.findings:
        print(finding)
    if arguments.json:
        write_results(arguments.json, campaign="kills", seconds=seconds, seed=arguments.seed, **figures)
    return 1 if results.findings else 0


if __name__ == "__main__":
    sys.exit(main())
