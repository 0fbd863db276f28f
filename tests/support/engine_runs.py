"""Shared by the tests of the engines: the rows of a fleet, the comparison of answers, and runs of the recipes."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from etcdsize import load_catalog, load_tiers

ROWS = 200_000
OPTIONS = [
    {},
    {"provider": "aws"},
    {"provider": "gcp", "on_missing": "unknown"},
    {"on_missing": "unknown", "headroom": 0.3},
    {"provider": "aws", "unknown": ["requests_per_second"]},
    {"provider": "aws", "columns": {"clients": "rps", "requests_per_second": "clients"}},
    {"provider": "aws", "answers": ["problem", "tier"]},
    {"tiers": "etcd.io", "answers": ["tier"]},
    {"tiers": load_tiers("guide"), "catalog": load_catalog("guide-as-printed")},
    {"answers": []},
    {"columns": {"current_machine": "box"}, "on_missing": "unknown"},
]
"""Options to size a frame with; each engine must agree with one machine."""
RECIPES = Path(__file__).parents[2] / "docs" / "recipes"


def keys_of(options: dict[str, object]) -> str:
    """Name a test by the names of its options: the value of one may be a whole table."""
    return ", ".join(options) or "none"


def part(start: int, rows: int, seed: int) -> pa.Table:
    """Return rows of every kind: nulls, NaN, negatives, infinities, every provider and none."""
    random = np.random.default_rng(seed)
    clients, requests, data = (
        10 ** random.uniform(low, high, rows) for low, high in ((0.5, 3.7), (0.5, 4.5), (6, 9.5))
    )
    for column in (clients, requests):
        for value in (np.nan, np.inf, -1.0, -0.0):
            column[random.integers(0, max(rows, 1), rows // 10_000)] = value
    clouds = np.array(["aws", "gce", "gcp", "AWS", "azure", "asw", None], object)
    boxes = np.array(["m5.large", "m5.4xlarge", "m7g.2xlarge", "e2-standard-8", "t3.medium", "m5.lage", None], object)
    return pa.table(
        {
            "box": pa.array(boxes[random.choice(7, rows)]),
            "cluster": pa.array(np.arange(start, start + rows)),
            "clients": pa.array(clients, mask=random.random(rows) < 0.001),
            "rps": pa.array(requests),
            "data_bytes": pa.array(data.astype(np.int64), mask=random.random(rows) < 0.001),
            "provider": pa.array(clouds[random.choice(7, rows, p=[0.4, 0.3, 0.2, 0.09, 0.008, 0.001, 0.001])]),
        }
    )


def comparable(table: pa.Table) -> pa.Table:
    """Return a table in the order of its clusters, categories as text."""
    texts = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        is_text = name == "provider" or pa.types.is_dictionary(column.type) or pa.types.is_null(column.type)
        texts[name] = column.cast(pa.string()) if is_text or pa.types.is_large_string(column.type) else column
    table = pa.table(texts)
    return table.sort_by("cluster").combine_chunks()


def assert_same(table: pa.Table, expected: pa.Table) -> None:
    """Assert that two tables have the same rows and columns."""
    table = comparable(table)
    assert table.column_names == expected.column_names
    assert table.num_rows == expected.num_rows
    for name in expected.column_names:
        got, want = table[name].combine_chunks(), expected[name].combine_chunks()
        # NaN is not equal to itself: compare its bits.
        if pa.types.is_floating(want.type):
            assert got.is_null().equals(want.is_null()), name
            got, want = (np.asarray(side.fill_null(0)).view(np.uint64) for side in (got, want))
            assert np.array_equal(got, want), name
        else:
            assert got.equals(want), name


def check_run(process: subprocess.Popen, sized: Path, expected: pa.Table) -> None:
    """Assert that the output and the summary of a recipe agree with one machine."""
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 1, errors[-2000:]
    assert (sized / "_SUCCESS").exists()
    assert_same(pq.read_table(sized).replace_schema_metadata(), expected)
    summary = json.loads(out.splitlines()[-1])
    counts = {row["values"]: row["counts"] for row in expected["tier"].value_counts().to_pylist()}
    assert summary == {
        "clusters": ROWS,
        "not_sized": counts.pop(None),
        "tiers": {name: counts[name] for name in load_tiers("guide").names},
    }


def descendants(pid: int) -> list[tuple[int, str]]:
    """Return every process below one, with its command line."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            try:
                line = Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
            except OSError:
                continue
            found += [(int(child), line), *descendants(int(child))]
    return found
