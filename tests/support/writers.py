"""Every command that writes an output, with inputs to run it on: for tests of full disks, pipes and kills."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[2]
METRICS = ROOT / "docs" / "examples" / "observed" / "infra0-before.txt"
TYPES = ROOT / "tests" / "data" / "aws-describe-instance-types.json"


@dataclass(frozen=True)
class Writer:
    """A command that writes an output."""

    name: str
    words: tuple[str, ...]
    """The command, without its output."""
    output: str
    """The name of the output: a directory for `bootstrap`, a file for the others."""

    @property
    def is_folder(self) -> bool:
        return self.words[0] == "bootstrap"

    def to(self, output: Path | str, *, force: bool = False) -> list[str]:
        """Return the command line that writes this output."""
        return [*self.words, "-o", os.fspath(output), *(["--force"] if force else [])]


def writers(folder: Path, port: int, *, rows: int = 4_000, machines: int = 200, members: int = 3) -> dict[str, Writer]:
    """Write the inputs into a folder, and return every command that writes an output, by its name.

    A server on the port has to answer with `METRICS`.
    """
    cells = [
        (f"cluster-{row}", row * 37 % 2000, row * 91 % 12000, row * 79 % 1200 * 10**6, ("aws", "gcp")[row % 2])
        for row in range(rows)
    ]
    current = [("m5.xlarge", "n2-standard-4")[row % 2] for row in range(rows)]
    names = ["name", "clients", "rps", "db_size", "cloud"]
    lines = [",".join(map(str, row)) for row in cells]
    (folder / "fleet.csv").write_text("\n".join([",".join(names), *lines, ""]))
    header = ",".join([*names, "current_machine"])
    audited = [f"{line},{machine}" for line, machine in zip(lines, current, strict=True)]
    (folder / "running.csv").write_text("\n".join([header, *audited, ""]))
    objects = [json.dumps(dict(zip(names, row, strict=True))) for row in cells[: rows // 4]]
    (folder / "fleet.jsonl").write_text("\n".join([*objects, ""]))
    columns = dict(zip(names, map(list, zip(*cells, strict=True)), strict=True))
    pq.write_table(pa.table(columns), folder / "fleet.parquet", row_group_size=max(1, rows // 8))
    kinds = json.loads(TYPES.read_text())["InstanceTypes"]
    listing = [
        {**kinds[number % len(kinds)], "InstanceType": f"m{number}.large"} if number >= len(kinds) else kinds[number]
        for number in range(machines)
    ]
    (folder / "types.json").write_text(json.dumps({"InstanceTypes": listing}))
    groups = [
        {"targets": [f"127.0.0.1:{port}"], "labels": {"cluster": f"c{number}", "provider": "aws"}}
        for number in range(8)
    ]
    (folder / "clusters.json").write_text(json.dumps(groups))
    observe = ("observe", "--targets", str(folder / "clusters.json"), "--interval", "0.2s")
    found = (
        *(
            Writer(f"fleet to {kind}", ("fleet", str(folder / "fleet.csv")), f"out.{kind}")
            for kind in ("csv", "tsv", "jsonl", "json", "parquet", "csv.gz", "csv.zst")
        ),
        Writer("fleet, JSON lines", ("fleet", str(folder / "fleet.jsonl")), "out.jsonl"),
        Writer("fleet, Parquet copied", ("fleet", str(folder / "fleet.parquet")), "out.parquet"),
        Writer("fleet, audit", ("fleet", str(folder / "running.csv")), "out.csv"),
        Writer("catalog import", ("catalog", "import", "--from", "aws", str(folder / "types.json")), "my.json"),
        Writer("observe to csv", observe, "out.csv"),
        Writer("observe to parquet", observe, "out.parquet"),
        Writer("bootstrap", ("bootstrap", "--local", str(members), "--format", "env"), "members"),
    )
    return {writer.name: writer for writer in found}
