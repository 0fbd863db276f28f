"""Damaged Parquet files of several writers: bytes changed, cut, added and spliced, and fields of the metadata changed.

A damaged file is sized or rejected. If it is sized, the answers are those of the load that PyArrow reads, and every
column that PyArrow can read stays what it is.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq

from etcdsize.batches.columns import ANSWERS
from etcdsize.files.thrift import (
    BINARY,
    I16,
    I32,
    I64,
    LIST,
    STRUCT,
    List,
    Struct,
    begin_struct,
    read_struct,
    write_struct,
)
from etcdsize.frames.size_frame import size_frame
from tests.fuzz.outcome import command
from tests.support.paths import ROOT

ROWS = 60
NUMBERS = (0, 1, 2, 3, 7, 8, 63, 64, 255, 2**15 - 1, 2**16, 2**20, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**62, 2**63 - 1)
_SPAN = {I16: 2**15, I32: 2**31, I64: 2**63}


def table() -> pa.Table:
    """Return a fleet with columns of many types."""
    draw = Random(1)
    rows = range(ROWS)
    return pa.table(
        {
            "clients": pa.array([draw.choice((None, 90, 300, 700, 2000)) for _ in rows], pa.int64()),
            "rps": pa.array([draw.choice((150.0, 800.0, 9e3, float("nan"))) for _ in rows]),
            "db_size": [draw.choice(("80MB", "400MB", "1GB", "8 GBs", None)) for _ in rows],
            "cloud": [draw.choice(("aws", "gcp", "asw")) for _ in rows],
            "note": [f"note {row} {'x' * draw.randrange(20)}" for row in rows],
            "kind": pa.array([draw.choice("ab") for _ in rows]).dictionary_encode(),
            "tags": [[draw.choice("xyz")] * draw.randrange(3) for _ in rows],
            "place": [{"zone": draw.choice("ab"), "racks": [draw.randrange(9)]} for _ in rows],
            "flag": [draw.choice((True, False, None)) for _ in rows],
        }
    )


@cache
def originals() -> tuple[bytes, ...]:
    """Return whole files of several writers and options."""
    fleet = table()
    plain = fleet.select(["clients", "rps", "db_size", "cloud", "note"])
    machines = plain.append_column("current_machine", pa.array((["m5.large", "m5.xlarge", "=x"] * ROWS)[:ROWS]))
    small_pages = {"data_page_size": 64, "write_batch_size": 8, "dictionary_pagesize_limit": 30}
    encodings = {
        **{"clients": "DELTA_BINARY_PACKED", "rps": "BYTE_STREAM_SPLIT"},
        **{"db_size": "DELTA_BYTE_ARRAY", "note": "DELTA_LENGTH_BYTE_ARRAY"},
    }
    options: list[tuple[pa.Table, dict[str, Any]]] = [
        (fleet, {"row_group_size": 25}),
        (fleet, {"data_page_version": "2.0", "compression": "zstd", "write_page_index": True}),
        (plain, {"use_dictionary": False, "compression": "none"}),
        (plain, {"version": "1.0", "compression": "gzip", "store_schema": False, "write_statistics": False}),
        (plain, {"compression": "brotli", **small_pages}),
        (plain, {"compression": "lz4", "bloom_filter_options": {"clients": {"ndv": 10}}}),
        (machines, {"compression": "snappy", "write_page_checksum": True}),
        (plain, {"use_dictionary": False, "column_encoding": encodings}),
    ]
    found = []
    for rows, how in options:
        written = io.BytesIO()
        pq.write_table(rows, written, **how)
        found.append(written.getvalue())
    for kind in ("zstd", "uncompressed"):
        written = io.BytesIO()
        polars.from_arrow(fleet).write_parquet(written, row_group_size=20, compression=kind)
        found.append(written.getvalue())
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(config={"threads": 1}) as connection:
        connection.register("fleet", plain)
        connection.sql("select * from fleet").write_parquet(f"{folder}/duck.parquet")
        found.append(Path(folder, "duck.parquet").read_bytes())
    return tuple(found)


@cache
def corpus() -> tuple[bytes, ...]:
    """Return what once did harm."""
    return tuple(path.read_bytes() for path in sorted((ROOT / "tests" / "corpus" / "parquet").glob("*.parquet")))


def parquet(random: Random, folder: Path) -> str:
    """Size a damaged Parquet file."""
    data = random.choice((*originals(), *corpus()) if random.random() < 0.3 else originals())
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        data = random.choice(
            (flipped, flipped, footer_changed, footer_changed, header_changed, header_changed, resized)
        )(random, data)
    return size(data, folder, random)


def size(data: bytes, folder: Path, random: Random) -> str:
    """Size a file, and compare the output with what PyArrow reads of the input."""
    (folder / "in.parquet").write_bytes(data)
    kind = random.choice(("parquet", "parquet", "parquet", "csv", "jsonl", ""))
    words = ["fleet", "in.parquet", "--json", *(["-o", f"out.{kind}"] if kind else [])]
    if random.random() < 0.2:
        words += ["--provider", "aws"]
    ran = command(words)
    output = folder / f"out.{kind}"
    assert (ran.code != 2) == output.exists() or not kind, "a file without success, or success without a file"
    if ran.code != 2 and kind == "parquet":
        compare(folder / "in.parquet", output, "aws" if "--provider" in words else None)
    return f"{kind or 'summary'}: {ran.outcome}"


def compare(source: Path, target: Path, provider: str | None) -> None:
    """Compare the answers with those of a frame, and the other columns with the input's."""
    written = pq.ParquetFile(target, pre_buffer=False)
    before = pq.ParquetFile(source, pre_buffer=False)
    names = before.schema_arrow.names
    if len(set(names)) < len(names) or any("." in name for name in names):
        return
    columns = {}
    for name in names:
        try:
            columns[name] = before.read(columns=[name])[name]
        except (pa.ArrowException, OSError, UnicodeDecodeError):
            continue
        found = written.read(columns=[name])[name]
        # The text shows NaN as equal.
        assert found.equals(columns[name]) or str(found.to_pylist()) == str(columns[name].to_pylist()), (
            f"{name} changed"
        )
    answers = [name for name in ANSWERS if name in written.schema_arrow.names]
    if "current_machine" in columns or not {"clients", "rps", "db_size"} <= columns.keys():
        return
    loads = pa.table({name: columns[name] for name in ("clients", "rps", "db_size")})
    if provider is None:
        loads = loads.append_column("cloud", columns["cloud"])
    expected = size_frame(loads, provider=provider)
    for name in answers:
        assert written.read(columns=[name])[name].to_pylist() == expected[name].to_pylist(), f"{name} differs"


def flipped(random: Random, data: bytes) -> bytes:
    """Return a file with some bytes changed, mostly in its metadata."""
    changed = bytearray(data)
    start = 0 if random.random() < 0.5 else _footer(data)
    for _ in range(random.choice((1, 1, 2, 8))):
        if len(changed) > start:
            at = random.randrange(start, len(changed))
            changed[at] = random.choice((random.randrange(256), changed[at] ^ 1 << random.randrange(8), 0, 255))
    return bytes(changed)


def resized(random: Random, data: bytes) -> bytes:
    """Return a file that is cut, extended, or spliced with another."""
    at = random.randrange(len(data) + 1)
    match random.randrange(4):
        case 0:
            return data[:at] + data[-random.randrange(1, 200) :]
        case 1:
            return data[:at] + random.randbytes(random.choice((1, 4, 100))) + data[at:]
        case 2:
            return data[:at]
        case _:
            other = random.choice(originals())
            return data[:at] + other[random.randrange(len(other)) :]


def footer_changed(random: Random, data: bytes) -> bytes:
    """Return a file with a field of its description changed."""
    start = _footer(data)
    try:
        description = read_struct(data[start:-8])
    except ValueError:
        return data
    for _ in range(random.choice((1, 1, 2))):
        change(random, description)
    written = write_struct(description)
    return data[:start] + written + len(written).to_bytes(4, "little") + data[-4:]


def header_changed(random: Random, data: bytes) -> bytes:
    """Return a file with a field of a page header changed; a longer header overwrites what follows it."""
    places = list(_headers(data))
    if not places:
        return data
    start, length = random.choice(places)
    header, _ = begin_struct(data[start : start + length])
    change(random, header)
    written = write_struct(header)
    return data[:start] + written + data[start + len(written) :]


def change(random: Random, struct: Struct) -> None:
    """Change a field of a structure, at any depth."""
    spots = list(_spots(struct))
    if not spots:
        return
    owner, key = random.choice(spots)
    if isinstance(owner, list):
        match random.randrange(4):
            case 0:
                del owner[key]
            case 1:
                owner.insert(key, owner[key])
            case _ if isinstance(owner[key], int):
                owner[key] = random.choice(NUMBERS) % 2**31
            case _ if isinstance(owner[key], bytes):
                owner[key] = random.randbytes(random.randrange(9))
        return
    kind, value = owner[key]
    match random.randrange(8):
        case 0:
            del owner[key]
        case 1:
            owner[random.randrange(-1, 20)] = (kind, value)
        case 2:
            owner[key] = random.choice(
                (
                    (I32, random.choice(NUMBERS) % 2**31),
                    (I64, 5),
                    (BINARY, b"x"),
                    (STRUCT, {}),
                    (LIST, List(I32, [1, 2])),
                )
            )
        case _ if kind in _SPAN:
            near = value + random.choice((-1, 1, -2, 2, 8, 100)), value * 2, -value, random.choice(NUMBERS)
            owner[key] = (kind, (random.choice(near) + _SPAN[kind]) % (2 * _SPAN[kind]) - _SPAN[kind])
        case _ if kind == BINARY:
            owner[key] = (kind, random.choice((b"", b"clients", b"\xff", value * 2, random.randbytes(5))))


def _spots(struct: Struct) -> Iterator[tuple[Any, int]]:
    for number, (kind, value) in struct.items():
        yield struct, number
        if kind == STRUCT:
            yield from _spots(value)
        elif kind == LIST:
            for place, item in enumerate(value.values):
                yield value.values, place
                if value.kind == STRUCT:
                    yield from _spots(item)


def _footer(data: bytes) -> int:
    """Return where the description of a file begins, or 0."""
    return max(0, len(data) - 8 - int.from_bytes(data[-8:-4], "little")) if len(data) > 12 else 0


def _headers(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the position and the size of the page headers of a file that may be damaged."""
    try:
        description = read_struct(data[_footer(data) : -8])
        columns = [column[3][1] for group in description[4][1].values for column in group[1][1].values]
        for column in columns:
            at = min(column[number][1] for number in (9, 11) if number in column and column[number][1] > 0)
            end = at + column[7][1]
            while 0 <= at < end:
                header, length = begin_struct(data[at:])
                yield at, length
                at += length + header[3][1]
    except (ArithmeticError, AttributeError, EOFError, LookupError, TypeError, ValueError):
        return
