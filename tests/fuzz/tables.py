"""Tables of one's own: tiers, catalogs, providers' listings and prices, with any part of them changed."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import etcdsize
from tests.fuzz.material import changed, damaged, json_bytes, number, text
from tests.fuzz.options import write_files
from tests.fuzz.outcome import command
from tests.support.paths import DATA, DOCS, ROOT

HERE = ROOT / "etcdsize" / "data"


@cache
def tables_of(kind: str) -> tuple[Any, ...]:
    """Return sound tables of a kind."""
    if kind == "tiers":
        return tuple(_named(HERE / f"tiers-{name}.json") for name in ("guide", "etcd.io"))
    current = etcdsize.load_catalog("current").restrict(families=["m8i", "n1", "i4i"])
    return (
        _named(HERE / "machines-guide.json"),
        json.loads(current.model_dump_json(exclude_defaults=True)) | {"name": "ours"},
    )


def _named(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) | {"name": "ours"}


LOAD = ("--clients", "300", "--rps", "800", "--data", "400MB")
WITH_TIERS = (
    ["tiers"],
    ["tiers", "--json"],
    ["size", *LOAD],
    ["size", *LOAD, "--json", "--headroom", "30%"],
    ["fit", *LOAD],
    ["fit", "--tier", "medium", "--json"],
    ["fleet", "fleet.csv", "--json"],
    ["fleet", "running.csv", "-o", "out.csv"],
)
WITH_CATALOG = (
    ["machines"],
    ["machines", "--json", "--sort", "price"],
    ["machines", "--sort", "iops"],
    ["size", *LOAD],
    ["size", *LOAD, "--json"],
    ["fit", "--tier", "small", "--rejected", "--arch", "any"],
    ["fit", *LOAD, "--json", "--limit", "100"],
    ["fleet", "running.csv", "-o", "out.csv"],
    ["fleet", "fleet.csv", "-o", "out.jsonl", "--json"],
)


def tables(random: Random, folder: Path) -> str:
    """Use a table of one's own in a command."""
    write_files(folder)
    kind = random.choice(("tiers", "catalog", "import"))
    if kind == "import":
        return import_listing(random, folder)
    table = changed(random, random.choice(tables_of(kind)))
    (folder / "ours.json").write_bytes(json_bytes(random, table))
    words = [*random.choice(WITH_TIERS if kind == "tiers" else WITH_CATALOG), f"--{kind}", "ours.json"]
    ran = command(words)
    if kind == "tiers" and ran.code != 2:
        one_rule(random)
    return f"{kind}: {ran.outcome}"


def one_rule(random: Random) -> None:
    """Check that an array and one cluster have the same tier, by whatever table."""
    table = etcdsize.load_tiers("ours.json")
    for _ in range(3):
        load = [random.choice((0, 0.5, 100, 200, 1e8, 5e8, 2**53, random.uniform(0, 2e9))) for _ in range(3)]
        one = table.names[max(code for code in table.tier_codes(tuple(load)) if code is not None)]
        code = int(etcdsize.classify(*([value] for value in load), tiers=table)[0])
        assert table.names[code] == one, f"{load}: {table.names[code]} in an array, {one} alone"


def import_listing(random: Random, folder: Path) -> str:
    """Import a listing; the catalog that is written is one."""
    origin, path = random.choice(
        (
            ("aws", DATA / "aws-describe-instance-types.json"),
            ("aws", DOCS / "examples" / "instance-types.json"),
            ("gcloud", DATA / "gcloud-machine-types.json"),
        )
    )
    document = json.loads(path.read_text(encoding="utf-8"))
    document = changed(random, document) if random.random() < 0.8 else document
    (folder / "list.json").write_bytes(json_bytes(random, document))
    words = ["catalog", "import", "--from", origin, "list.json", "-o", "ours.json"]
    ran = command(words)
    assert (folder / "ours.json").exists() == (ran.code != 2), "a file without success, or success without a file"
    if ran.code != 2 and random.random() < 0.5:
        lines = [
            "machine_type,price_per_hour,currency,region,date,provider",
            f"m8i.large,{number(random)},{text(random)},2026-11-01,aws",
            "n1-standard-4,0.2,us-east1,2026-11-01,gce",
        ]
        written = "\n".join(lines).encode("utf-8", "replace")
        (folder / "prices.csv").write_bytes(damaged(random, written) if random.random() < 0.5 else written)
        command(
            ["catalog", "prices", "--from", "csv", "prices.csv", "--catalog", "ours.json", "-o", "ours.json", "--force"]
        )
    if ran.code != 2:
        used = command(["machines", "--catalog", "ours.json", "--json"])
        assert used.code == 0, f"what was written cannot be read: {used.err}"
        command(["fit", "--tier", "small", "--catalog", "ours.json"])
    return f"import: {ran.outcome}"
