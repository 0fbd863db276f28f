"""The examples run as their page says: the scripts, and the fleet with its broken rows."""

from __future__ import annotations

import csv
import re
import subprocess
import sys

from paths import DOCS
from program import ENVIRONMENT

EXAMPLES = DOCS / "examples"


def run_example(*arguments: str, **variables: str) -> tuple[str, str, int]:
    """Run a script of the examples. Return standard output, standard error and the exit code."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=EXAMPLES,
        env=ENVIRONMENT | variables,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    return done.stdout, done.stderr, done.returncode


class TestProvision:
    """docs/examples/provision.py: its whole output."""

    def test_output(self) -> None:
        stdout, stderr, code = run_example("provision.py", "wanted.json")
        assert stdout == PROVISIONED
        assert stderr == PROVISION_ERRORS
        assert code == 1


PROVISIONED = """\
{
  "etcd_clusters": {
    "orders": {
      "tier": "small",
      "members": 3,
      "machine_type": "m6a.large",
      "disk": {
        "type": "gp3",
        "size_gib": 8,
        "iops": 3000,
        "throughput_mib_s": 125
      }
    },
    "stock": {
      "tier": "large",
      "members": 3,
      "machine_type": "e2-standard-8",
      "disk": {
        "type": "pd-ssd",
        "size_gib": 50
      }
    },
    "tickets": {
      "tier": "xlarge",
      "members": 5,
      "machine_type": "m6a.4xlarge",
      "disk": {
        "type": "gp3",
        "size_gib": 61,
        "iops": 15000,
        "throughput_mib_s": 239
      }
    }
  }
}
"""

PROVISION_ERRORS = """\
history: beyond the guide: 12.884901888 GB of data is above the 8 GiB that etcd suggests as a maximum.
badges: data_bytes: got "2 GBs", expected bytes or a size such as "8GB" or "8GiB"; did you mean "2GB"?
"""


class TestCheckJson:
    """docs/examples/check_json.py: a program that uses only the command and the schema."""

    def test_output(self) -> None:
        expected = (CHECKED, "", 0)
        assert run_example("check_json.py", "etcdsize") == expected
        command = f'"{sys.executable}" -m etcdsize'
        assert run_example("check_json.py", ETCDSIZE=command) == expected

    def test_it_does_not_import_etcdsize(self) -> None:
        text = (EXAMPLES / "check_json.py").read_text(encoding="utf-8")
        assert not re.search(r"^\s*(import|from) etcdsize", text, re.M)

    def test_a_command_that_fails_is_reported(self) -> None:
        stdout, stderr, code = run_example("check_json.py", "etcdsize", "fleet")
        assert (stdout, code) == ("", 1)
        assert stderr.startswith("etcdsize exited 2: etcdsize fleet: unknown option --clients")
        assert stderr.endswith("See 'etcdsize fleet --help' [usage]\n")

    def test_an_answer_that_does_not_match_the_schema_is_reported(self) -> None:
        program = "import json; print(json.dumps({'tier': 'medium'}))"
        stdout, stderr, code = run_example("check_json.py", sys.executable, "-c", program)
        assert (stdout, code) == ("", 1)
        assert stderr.startswith("the answer does not match the schema at $: ")


CHECKED = """\
the answer matches size.json
tier medium, forced by requests_per_second, data_bytes, clients
aws: m4.xlarge, 4 vCPUs, 16 GiB
gce: n1-standard-4, 4 vCPUs, 15 GiB
3 members, of which 1 may fail
notices: erratum (info), previous-generation (info), measure-disk (info), dedicated-machine (info)
"""


class TestExampleFleet:
    """docs/examples/fleet.csv: a few dozen made-up clusters, five of which cannot be sized."""

    path = EXAMPLES / "fleet.csv"

    def test_says_that_it_is_made_up(self) -> None:
        with self.path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert 30 <= len(rows) <= 60
        assert "made up" in rows[0]["notes"]
        assert "made up" in (EXAMPLES / "README.md").read_text(encoding="utf-8")

    def test_the_listed_cells_are_the_broken_ones(self) -> None:
        done = subprocess.run(
            ["etcdsize", "fleet", self.path, "-o", "-"],
            env=ENVIRONMENT,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 1
        rows = list(csv.DictReader(done.stdout.splitlines()))
        broken = {number: row["cluster"] for number, row in enumerate(rows, 1) if row["problem"]}
        text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
        listed = {int(number): name for number, name in re.findall(r"^\| (\d+) \| `([^`]+)` \|", text, re.M)}
        assert broken == listed

    def test_every_dimension_forces_every_tier(self) -> None:
        done = subprocess.run(
            ["etcdsize", "fleet", self.path, "-o", "-"],
            env=ENVIRONMENT,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        rows = list(csv.DictReader(done.stdout.splitlines()))
        met = {(row["tier"], dimension) for row in rows for dimension in row["forced_by"].split(";") if dimension}
        dimensions = ("clients", "requests_per_second", "data_bytes")
        assert met == {(tier, name) for tier in ("medium", "large", "xlarge") for name in dimensions}
        assert {row["tier"] for row in rows} == {"small", "medium", "large", "xlarge", ""}
        with self.path.open(encoding="utf-8", newline="") as file:
            before = list(csv.DictReader(file))
        assert [{name: row[name] for name in before[0]} for row in rows] == before
