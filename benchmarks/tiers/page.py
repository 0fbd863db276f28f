"""The page: what was measured, beside what the guide's machine has and what the model predicts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from benchmarks.resources.experiment import Row
from benchmarks.tiers.carried import predicted
from etcdsize import load_catalog
from etcdsize.resources.resources_text import quantity_text

__all__ = ["PAGE", "ROWS", "rows_of", "table_of"]

ROWS = Path(__file__).parent / "rows"
PAGE = Path(__file__).parents[2] / "docs" / "tiers-measured.md"

_COMPARED = (
    ("CPU of the leader", "leader_cores", "cpu.leader_cores"),
    ("memory of the leader, without the file", "leader_memory_bytes", "memory.steady_bytes"),
    ("database file", "file_bytes", "file.high_water_bytes"),
)
"""What was measured, by its name on the page and in the rows, and the model's figure."""


def rows_of(folder: Path) -> list[Row]:
    """Return all rows, by tier and version."""
    rows = [row for file in sorted(folder.glob("*.jsonl")) for row in Row.read(file)]
    tiers = ["small", "medium", "large"]
    return sorted(rows, key=lambda row: (tiers.index(row.inputs["tier"]), [*map(int, row.etcd_version.split("."))]))


def table_of(folder: Path, page: str) -> str:
    """Return the page with the tables of all rows."""
    text = "\n".join(_tables(rows_of(folder)))
    return re.sub(
        r"(?<=<!-- begin tables -->\n).*?(?=<!-- end tables -->)", lambda _: f"{text}\n", page, flags=re.DOTALL
    )


def _tables(rows: list[Row]) -> Iterator[str]:
    for tier in dict.fromkeys(row.inputs["tier"] for row in rows):
        its = [row for row in rows if row.inputs["tier"] == tier]
        yield from (f"## {tier}", "", _load_text(its[0]), "", *_clients_table(its), "", *_members_table(its), "")
    machines = dict.fromkeys(
        f"{row.machine['cores']} cores of {row.machine['cpu']}, {row.date}"
        for row in sorted(rows, key=lambda r: r.date)
    )
    yield f"Measured on {'; '.join(machines)}."


def _load_text(row: Row) -> str:
    inputs, machine = row.inputs, load_catalog("guide").machine_for("aws", row.inputs["tier"])
    asked = inputs["requests"]
    rate = f"{asked[0]:,} requests/s" if len(asked) == 1 else f"up to {asked[-1]:,} requests/s, in steps of 8 s each"
    return (
        f"{inputs['clients']:,} clients, {rate}, {quantity_text('_bytes', inputs['data_bytes'])} of data. The guide's "
        f"machine on AWS, {machine.machine_type}, has {machine.vcpus} vCPUs, {machine.memory_gib:g} GiB and "
        f"{machine.concurrent_iops:,} concurrent IOPS."
    )


def _clients_table(rows: list[Row]) -> Iterator[str]:
    yield (
        "| etcd | rate asked | rate carried | reads: median, 99 %, longest | writes: median, 99 %, longest "
        "| failed requests | rate tried in vain |"
    )
    yield "|---|---|---|---|---|---|---|"
    for row in rows:
        found = row.outputs
        more = found.get("not_carried_per_second")
        cells = (
            row.etcd_version,
            f"{found['asked_per_second']:,}/s",
            f"{found['requests_per_second']:,.0f}/s",
            *(
                ", ".join(_milliseconds(found[f"{kind}_{name}_ms"]) for name in ("p50", "p99", "longest"))
                for kind in ("read", "write")
            ),
            f"{found['failed']:,}",
            "" if more is None else f"{more:,}/s",
        )
        yield _line(cells)


def _members_table(rows: list[Row]) -> Iterator[str]:
    heads = [head for name, _, _ in _COMPARED for head in (name, "predicted by the model")]
    yield _line(("etcd", *heads, "CPU of a follower", "WAL fsyncs", "99 % of the fsyncs within", "CPU of the clients"))
    yield "|" + "---|" * (len(heads) + 5)
    for row in rows:
        found, model = row.outputs, predicted(row.etcd_version, row.inputs, row.outputs)
        cells = [row.etcd_version]
        for _, name, path in _COMPARED:
            group, _, figure = path.partition(".")
            amount = getattr(getattr(model, group), figure)
            low, likely, high = (quantity_text(figure, end) for end in (amount.low, amount.likely, amount.high))
            cells += [quantity_text(figure, found[name]), f"{likely} ({low} to {high})"]
        cells += [
            quantity_text("_cores", found["follower_cores"]),
            f"{found['wal_fsyncs_per_second']:,.0f}/s",
            _milliseconds(found["wal_fsync_p99_ms"]),
            quantity_text("_cores", found["client_cores"]),
        ]
        yield _line(cells)


def _milliseconds(value: float) -> str:
    return f"{value:,.3g} ms" if value < 1000 else f"{value / 1000:,.3g} s"


def _line(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")
