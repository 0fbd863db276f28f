"""Columns of any Arrow type, in Parquet and in frames: a file and a frame give each row the same answer."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import polars
import pyarrow as pa
import pyarrow.parquet as pq

import etcdsize
from etcdsize.batches.columns import ANSWERS
from etcdsize.errors import EtcdSizeError
from tests.fuzz.files import EDGES
from tests.fuzz.material import quantity, text
from tests.fuzz.outcome import command
from tests.support.strategies import exactly, result, twin

BOUNDS = (
    0,
    1,
    99,
    100,
    101,
    199,
    200,
    500,
    501,
    1000,
    1500,
    1501,
    10**4,
    10**8,
    10**8 + 1,
    5 * 10**8,
    10**9,
    10**9 + 1,
)
INTEGERS = {f"{sign}int{bits}": getattr(pa, f"{sign}int{bits}")() for sign in ("", "u") for bits in (8, 16, 32, 64)}


def integers(kind: pa.DataType) -> Callable[[Random], Any]:
    signed = pa.types.is_signed_integer(kind)
    top = 2 ** (kind.bit_width - signed) - 1

    def draw(random: Random) -> int:
        value = random.choice((*BOUNDS, top, -1 if signed else top, random.randrange(top)))
        return min(value, top)

    return draw


def floats(random: Random) -> float:
    odd = (float("nan"), float("inf"), -0.0, -1.0, 5e-324, 1.7e308, 99.99999999999999, 100.00000000000001, 1e9)
    return random.choice((*map(float, BOUNDS), *odd, random.uniform(0, 2e9)))


def texts(random: Random) -> str:
    sound = [one for name in ("clients", "requests_per_second", "data_bytes") for one in EDGES[name]]
    found = random.choice((random.choice(sound), quantity(random), text(random)))
    return found.encode("utf-8", "replace").decode()


KINDS: tuple[tuple[pa.DataType, Callable[[Random], Any]], ...] = (
    *((kind, integers(kind)) for kind in INTEGERS.values()),
    *((kind, floats) for kind in (pa.float64(), pa.float64(), pa.float32())),
    *((kind, texts) for kind in (pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string()))),
    (pa.decimal128(20, 3), lambda random: decimal.Decimal(random.choice(BOUNDS)) + decimal.Decimal("0.001")),
    (pa.bool_(), lambda random: random.random() < 0.5),
    (pa.date32(), lambda random: datetime.date(2026, 1, 1)),
    (pa.timestamp("ns"), lambda random: random.randrange(2**62)),
    (pa.binary(), lambda random: b"5"),
    (pa.list_(pa.int64()), lambda random: [5]),
    (pa.struct([("a", pa.int64())]), lambda random: {"a": 5}),
    (pa.null(), lambda random: None),
)
NUMERIC = KINDS[: len(INTEGERS) + 3]


def table(random: Random) -> pa.Table:
    """Return a fleet whose columns have any type."""
    rows = random.choice((0, 1, 3, 40))
    found = {}
    for name in ("clients", "rps", "data"):
        kind, draw = random.choice(NUMERIC if random.random() < 0.7 else KINDS)
        nulls = random.choice((0, 0, 0.3))
        found[name] = pa.array([None if random.random() < nulls else draw(random) for _ in range(rows)], kind)
    found["provider"] = pa.array([random.choice(("aws", "gcp", "nobody", None, "")) for _ in range(rows)], pa.string())
    for name in ("note", "=x")[: random.randrange(3)]:
        kind, draw = random.choice(KINDS)
        found[name] = pa.array([draw(random) for _ in range(rows)], kind)
    order = random.sample(sorted(found), len(found))
    return pa.table({name: found[name] for name in order})


def columns(random: Random, folder: Path) -> str:
    """Size a table as a file of Parquet and as a frame."""
    fleet = table(random)
    pq.write_table(fleet, "in.parquet", row_group_size=random.choice((1, 7, 1000)))
    missing = random.choice(("problem", "unknown"))
    ran = command(["fleet", "in.parquet", "-o", "out.parquet", "--missing", missing])
    framed = random.choice((fleet, polars.from_arrow(fleet)))
    sized = result(lambda: etcdsize.size_frame(framed, on_missing=missing))
    assert isinstance(sized, EtcdSizeError) == (ran.code == 2), f"exit {ran.code}, but as a frame {sized!r}"
    if ran.code == 2:
        return ran.outcome
    written = pq.ParquetFile("out.parquet").read()
    assert written.select(fleet.column_names).equals(pq.read_table("in.parquet")) or has_nan(fleet), "a column changed"
    rows = written.select(ANSWERS).to_pylist()
    of_frame = pa.table({name: pa.array(sized[name]) for name in ANSWERS}).to_pylist()
    assert rows == of_frame, f"{next(pair for pair in zip(rows, of_frame) if pair[0] != pair[1])}"
    check_twin(fleet, [row["tier"] for row in rows])
    return ran.outcome


def has_nan(fleet: pa.Table) -> bool:
    return any(value != value for column in fleet.columns for value in column.to_pylist())


def check_twin(fleet: pa.Table, tiers: list[str | None]) -> None:
    """Check every row of numbers against the guide's sentences."""
    for row, tier in zip(fleet.to_pylist(), tiers):
        loads = [row[name] for name in ("clients", "rps", "data")]
        numeric = all(type(load) in (int, float) and 0 <= load < float("inf") for load in loads)
        if numeric and row["provider"] in ("aws", "gcp"):
            assert tier == ("small", "medium", "large", "xlarge")[twin("guide", *map(exactly, loads))], row
