"""Files of clusters: messy and hostile rows in every format, and damaged bytes.

Whatever a row holds, as many rows come out as went in, every format gives the same row the same answer, and a plain
row has the tier that the guide's sentences give it in exact fractions.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from etcdsize.batches.cells import PADDING
from etcdsize.batches.columns import ANSWERS
from etcdsize.units import BYTE_UNITS
from tests.fuzz.material import damaged, json_value, number, quantity, text, word
from tests.fuzz.outcome import Ran, command
from tests.support.paths import DOCS, ROOT
from tests.support.strategies import twin

NAMES = {
    "clients": ("clients", "connections", "Num-Clients"),
    "requests_per_second": ("requests_per_second", "rps", "QPS"),
    "data_bytes": ("data_bytes", "db_size", "data"),
    "provider": ("provider", "cloud"),
}
EDGES = {
    "clients": ["0", "99", "100", "101", "500", "501", "1500", "1501", "0.5", "100.5"],
    "requests_per_second": ["0", "199", "199.99", "200", "999", "1000", "9999", "10000", "1e4"],
    "data_bytes": [
        "0",
        "1",
        "16384",
        "99999999",
        "100000000",
        "100MB",
        "100000001",
        "500MB",
        "1GB",
        "1GiB",
        "8GiB",
        "400000000.5",
    ],
    "provider": ["aws", "gce", "azure", "AWS", "gcp", "google", "aliyun"],
    "current_machine": ["m5.large", "m5.xlarge", "n1-standard-4", "m9.huge", "aws"],
}
PLAIN = re.compile(r"([0-9]+)(\.[0-9]+)?(MB|GB|GiB)?")

Table = tuple[list[str], list[list[str]]]


def cell(random: Random, what: str) -> str:
    if what in EDGES and random.random() < 0.8:
        return random.choice(EDGES[what])
    found = random.choice((number, quantity, word, text) if what in EDGES else (text, word))(random)
    # No format but JSON lines can hold half of a surrogate pair, and that refuses it.
    return found.encode("utf-8", "replace").decode()


def table(random: Random) -> Table:
    """Return the names of columns, and rows of text."""
    whats = {what: random.choice(names) for what, names in NAMES.items()}
    if random.random() < 0.2:
        whats["current_machine"] = "current_machine"
    for other in ("cluster", "note", "=x", "a,b", 'q"q', " ", "żółw", "a\nb")[: random.randrange(9)]:
        whats[other] = other
    order = random.sample(sorted(whats), len(whats))
    rows = [[cell(random, what) for what in order] for _ in range(random.choice((0, 1, 2, 5, 30)))]
    # A row of empty cells is a blank line.
    return [whats[what] for what in order], [row for row in rows if any(cell.strip(PADDING) for cell in row)]


def as_csv(found: Table, delimiter: str = ",", newline: str = "\n", quoting: int = csv.QUOTE_MINIMAL) -> bytes:
    written = io.StringIO(newline="")
    if any("\r" in cell for row in found[1] for cell in row):
        quoting = csv.QUOTE_ALL  # Python's writer does not see the line end in it
    csv.writer(written, delimiter=delimiter, lineterminator=newline, quoting=quoting).writerows([found[0], *found[1]])
    return written.getvalue().encode()


JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def as_jsonl(found: Table) -> bytes:
    """Write JSON lines, with numbers as numbers in every other row."""
    lines = []
    for place, row in enumerate(found[1]):
        cells = [
            cell if place % 2 and JSON_NUMBER.fullmatch(cell) else json.dumps(cell, ensure_ascii=False) for cell in row
        ]
        lines.append("{" + ", ".join(f"{json.dumps(name)}: {cell}" for name, cell in zip(found[0], cells)) + "}\n")
    return "".join(lines).encode()


def as_parquet(found: Table) -> bytes:
    columns = [pa.array([row[place] for row in found[1]], pa.string()) for place in range(len(found[0]))]
    written = pa.BufferOutputStream()
    pq.write_table(pa.table(columns, names=found[0]), written, row_group_size=7)
    return written.getvalue().to_pybytes()


WRITERS: dict[str, Callable[[Table], bytes]] = {
    "csv": as_csv,
    "tsv": lambda found: as_csv(found, "\t"),
    "jsonl": as_jsonl,
    "parquet": as_parquet,
}


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file that `fleet` wrote, read by other programs' readers."""
    match path.suffix:
        case ".jsonl":
            lines = path.read_bytes().decode().split("\n")
            assert lines.pop() == "", "the last line does not end"
            # Numbers as they are written, however many digits they have.
            return [json.loads(line, parse_int=str, parse_float=str) for line in lines]
        case ".parquet":
            read = pq.ParquetFile(path).read()
            columns = [column.to_pylist() for column in read.columns]
            return [dict(zip(read.column_names, row)) for row in zip(*columns)]
        case _:
            content = re.sub(r"\A\ufeff?sep=[^\r\n]*(?:\r\n|\n|\r)", "", path.read_bytes().decode())
            # The answers show the delimiter, which is that of the input where both have one format.
            joined = re.search(r"\btier(.)machine_type\b", content)
            delimiter = joined[1] if joined else "\t" if path.suffix == ".tsv" else ","
            limit = csv.field_size_limit(2**30)  # it holds for the whole process
            try:
                header, *rows = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter)
            finally:
                csv.field_size_limit(limit)
            rows = [row for row in rows if row]
            assert all(len(row) == len(header) for row in rows), "rows of different lengths"
            return [dict(zip(header, row)) for row in rows]


def _reject(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


def files(random: Random, folder: Path) -> str:
    """Size a file of clusters."""
    return random.choice((same_answers, hostile, hostile))(random, folder)


def same_answers(random: Random, folder: Path) -> str:
    """Size the same rows in every format."""
    found = table(random)
    answers, codes = [], []
    for kind, write in WRITERS.items():
        (folder / f"in.{kind}").write_bytes(write(found))
        ran = command(["fleet", f"in.{kind}", "--json", "-o", f"out.{kind}"])
        codes.append(ran.code)
        if ran.code != 2:
            rows = rows_of(folder / f"out.{kind}")
            assert len(rows) == len(found[1]) == json.loads(ran.out)["clusters"]
            if kind in ("csv", "tsv", "jsonl"):
                assert [[row[name] for name in found[0]] for row in rows] == found[1], "a cell changed"
            answers.append([[str(row[name] or "") for name in ANSWERS] for row in rows])
    if not found[1]:
        # A file of JSON lines without a line has no fields.
        return "same: no rows"
    assert len(set(codes)) == 1, f"exit {codes}"
    assert all(one == answers[0] for one in answers), "formats disagree"
    for row, answer in zip(found[1], answers[0] if answers else []):
        check_twin(dict(zip(found[0], row)), answer[0])
    return f"same: exit {codes[0]}"


def check_twin(row: dict[str, str], tier: str) -> None:
    """Check a plain row of known providers against the guide's sentences."""
    loads = []
    for names in list(NAMES.values())[:3]:
        plain = PLAIN.fullmatch(next(row[name] for name in names if name in row))
        if plain is None or len(plain[1]) > 18 or (plain[3] and "data_bytes" not in names):
            return
        exact = Fraction(plain[1] + (plain[2] or "")) * BYTE_UNITS[plain[3] or "B"]
        if exact >= 2**64:
            return
        loads.append(exact if exact.denominator == 1 else Fraction(float(exact)))
    if next(row[name] for name in NAMES["provider"] if name in row).lower() in ("aws", "gce", "gcp"):
        expected = ("small", "medium", "large", "xlarge")[twin("guide", *loads)]
        assert tier == expected or "current_machine" in row, f"{tier}, by exact fractions {expected}: {row}"


OPTIONS = (
    ["--missing", "unknown"],
    ["--unknown", "clients"],
    ["--unknown", "data", "--unknown", "rps"],
    ["--provider", "aws"],
    ["--headroom", "30%"],
    ["--tiers", "etcd.io"],
    ["--catalog", "current"],
    ["--columns", "*"],
    ["--columns", "tier"],
    ["--columns", "tier,*"],
    ["--column", "clients=note"],
    ["--delimiter", ";"],
    ["--delimiter", "tab"],
    ["--decimal", ","],
    ["--decimal", ",", "--thousands", "."],
    ["--thousands", "space"],
    ["--na", "x", "--na", "0"],
    ["--json"],
)


@cache
def seeds() -> tuple[tuple[str, bytes], ...]:
    """Return the files that damaged ones are made from: examples, and what was found before."""
    paths = [*(DOCS / "examples").glob("*.csv"), *(ROOT / "tests" / "corpus" / "fleet").iterdir()]
    kept = [path for path in sorted(paths) if path.suffix[1:] in WRITERS and path.stat().st_size < 200_000]
    return tuple((path.suffix[1:], path.read_bytes()) for path in kept)


def hostile(random: Random, folder: Path) -> str:
    """Size a file with odd quotes, line ends and values, or with damaged bytes."""
    if random.random() < 0.3:
        kind, content = random.choice(seeds())
    else:
        kind = random.choice(("csv", "csv", "tsv", "jsonl"))
        content = unusual(random, kind)
    if random.random() < 0.7:
        content = damaged(random, content)
    source, target = f"in.{kind}", f"out.{random.choice(list(WRITERS))}"
    (folder / source).write_bytes(content)
    chosen = [word for option in random.sample(OPTIONS, random.choice((0, 0, 1, 2))) for word in option]
    ran = command(["fleet", source, "-o", target, "--json", *chosen])
    check_written(folder / target, ran)
    if random.random() < 0.2:
        streamed = ["fleet", "-", "--format", kind, "-o", "-", "--output-format", target.partition(".")[2], *chosen]
        again = command(streamed, stdin=content, data=True)
        assert again.code == ran.code, f"exit {ran.code}, but {again.code} from standard input"
        if ran.code != 2:
            rows = rows_of(folder / target)
            (folder / target).write_bytes(again.out)
            assert rows_of(folder / target) == rows, "another output from standard input"
    return f"{kind}: {ran.outcome}"


def check_written(path: Path, ran: Ran) -> None:
    """Check that a file appears only when it is complete, and then holds every row."""
    left = sorted(one.name for one in path.parent.iterdir() if one.name not in (path.name, "in" + Path(path).suffix))
    assert not [name for name in left if name.endswith(".part")], f"left behind: {left}"
    assert path.exists() == (ran.code != 2), "a file without success, or success without a file"
    if ran.code != 2:
        clusters = json.loads(ran.out)["clusters"]
        rows = rows_of(path)
        assert len(rows) == clusters, f"{len(rows)} rows of {clusters} clusters"


def unusual(random: Random, kind: str) -> bytes:
    """Return a file as other programs write it, or as nobody does."""
    names, rows = table(random)
    if kind == "jsonl":
        lines = []
        for row in rows or [[]]:
            fields: dict[str, Any] = dict(zip(names, row))
            for name in fields:
                if random.random() < 0.3:
                    fields[name] = json_value(random)
            lines.append(json.dumps(fields, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass"))
        return random.choice((b"\n", b"\r\n", b"\n\n")).join(lines) + random.choice((b"", b"\n"))
    if random.random() < 0.2:
        names[random.randrange(len(names))] = (
            random.choice((*names, *ANSWERS, "", word(random))).encode("utf-8", "replace").decode()
        )
    newline = random.choice(("\n", "\r\n", "\r", "\n\n", "\n \n"))
    quoting = random.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC))
    found = as_csv(
        (names, rows),
        random.choice((",", "\t", ";")) if random.random() < 0.1 else "\t" if kind == "tsv" else ",",
        newline,
        quoting,
    )
    return random.choice((b"", b"", b"\xef\xbb\xbf", b"\n")) + found[: random.choice((None, None, -1))]
