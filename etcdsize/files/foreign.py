"""Files that are not read: how each is recognized, and the command that converts it."""

from __future__ import annotations

import codecs
import re
import shlex
from pathlib import Path
from typing import NamedTuple

from etcdsize.files.compression import Compression, split_name

__all__ = ["FOREIGN", "Foreign", "conversion", "foreign_by_content", "foreign_by_name", "foreign_folder", "unpacking"]


class Foreign(NamedTuple):
    """A kind of file that is not read."""

    title: str
    endings: tuple[str, ...]
    """The endings of file names, in lower case."""
    content: re.Pattern[bytes] | None
    """What the first bytes of a file match, None if they do not tell."""
    command: str
    """The command that converts it, as `conversion` takes it: names in braces stand for the file and what comes out."""
    is_text: bool = False
    """Whether `content` is printable. Other marks count only where there are control characters as well."""


def conversion(path: Path, command: str) -> str:
    """Return the command that converts a file, ready for a shell.

    >>> print(conversion(Path("my fleet.csv.xz"), "xz -dc {file} > {stem}"))
    xz -dc 'my fleet.csv.xz' > 'my fleet.csv'
    >>> print(conversion(Path("fleet.json.gz"), "jq -c '.[]' {file} > {jsonl}"))
    gzip -dc fleet.json.gz > fleet.json && jq -c '.[]' fleet.json > fleet.jsonl
    """
    if str(path) == "-":
        path = Path("FILE")
    inner, compression = split_name(path)
    new = _new(inner)
    names = {"file": inner, "new": new, "stem": inner.with_suffix("")}
    names |= {kind: inner.with_suffix(f".{kind}") for kind in ("csv", "json", "jsonl", "parquet")}
    # No command writes over what it reads.
    written = {kind: new if kind != "file" and name == inner else name for kind, name in names.items()}
    converting = command.format(**{kind: shlex.quote(str(name)) for kind, name in written.items()})
    return converting if compression is None else f"{unpacking(path, compression)} && {converting}"


def unpacking(path: Path, compression: Compression) -> str:
    """Return the command that writes the content of a compressed file, ready for a shell."""
    inner = split_name(path)[0]
    unpacked = _new(path) if inner == path else inner
    return f"{compression.name} -dc {shlex.quote(str(path))} > {shlex.quote(str(unpacked))}"


def _new(path: Path) -> Path:
    return path.with_name(f"new-{path.name}")


def _at(place: int, *texts: bytes) -> re.Pattern[bytes]:
    return re.compile(b"(?s:.{%d})(?:%s)" % (place, b"|".join(map(re.escape, texts))))


# What text does not have: all of C0 but tab, line feed, form feed, carriage return and escape.
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_OFFICE = "libreoffice --headless --convert-to csv {file}"
_ARROW = (
    "python3 -c 'import sys, pyarrow as a, pyarrow.parquet as p; "
    "p.write_table(a.ipc.open_file(sys.argv[1]).read_all(), sys.argv[2])' {file} {parquet}"
)
_ORC = (
    "python3 -c 'import sys, pyarrow.orc as o, pyarrow.parquet as p; "
    "p.write_table(o.read_table(sys.argv[1]), sys.argv[2])' {file} {parquet}"
)
_FEATHER = (
    "python3 -c 'import sys, pyarrow.feather as f, pyarrow.parquet as p; "
    "p.write_table(f.read_table(sys.argv[1]), sys.argv[2])' {file} {parquet}"
)
_HTML = (
    "python3 -c 'import sys, pandas as p; p.read_html(sys.argv[1])[0].to_csv(sys.argv[2], index=False)' {file} {csv}"
)
_UTF32 = "iconv -f UTF-32 -t UTF-8 {file} > {new}"
_SELECT = "'SELECT * FROM clusters' > {csv}"
_ODS = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MARK = rb"(?:\xef\xbb\xbf)?"
_PAGE = re.compile(_MARK + rb"\s*<(?i:!doctype\s+html|html|table)\b")
_YAML = re.compile(_MARK + rb"(?:#[^\n]*\n)*(?:---\s*\n|- \w+:)")

# What is also something else comes first: an .ods file is a zip archive as well.
FOREIGN = (
    Foreign("an OpenDocument spreadsheet", (".ods", ".fods"), _at(30, _ODS), _OFFICE),
    Foreign("an Excel workbook in binary", (".xlsb",), None, _OFFICE),
    Foreign("an Excel workbook of before 2007, or with a password", (".xls",), _at(0, _OLE), _OFFICE),
    Foreign("an Avro file", (".avro",), _at(0, b"Obj\x01"), "fastavro {file} > {jsonl}"),
    Foreign("an ORC file", (".orc",), _at(0, b"ORC"), _ORC),
    Foreign("an Arrow file", (".arrow", ".feather", ".ipc"), _at(0, b"ARROW1"), _ARROW),
    Foreign("a Feather file of version 1", (), _at(0, b"FEA1"), _FEATHER),
    Foreign(
        "an SQLite database",
        (".sqlite", ".sqlite3", ".db"),
        _at(0, b"SQLite format 3\x00"),
        f"sqlite3 -header -csv {{file}} {_SELECT}",
    ),
    Foreign("a DuckDB database", (".duckdb",), _at(8, b"DUCK"), f"duckdb -csv {{file}} {_SELECT}"),
    Foreign("a tar archive", (".tar", ".tgz", ".tbz2", ".txz"), _at(257, b"ustar"), "tar -xOf {file} > {stem}"),
    Foreign("a zip archive", (".zip",), _at(0, b"PK\x03\x04", b"PK\x05\x06"), "unzip -p {file} > {stem}"),
    Foreign("a 7z archive", (".7z",), _at(0, b"7z\xbc\xaf\x27\x1c"), "7z x -so {file} > {stem}"),
    Foreign("a RAR archive", (".rar",), _at(0, b"Rar!\x1a\x07"), "unrar p -inul {file} > {stem}"),
    Foreign("an xz file", (".xz",), _at(0, b"\xfd7zXZ\x00"), "xz -dc {file} > {stem}"),
    Foreign("an lzma file", (".lzma",), _at(0, b"\x5d\x00\x00"), "xz -dc {file} > {stem}"),
    Foreign("an lz4 file", (".lz4",), _at(0, b"\x04\x22\x4d\x18"), "lz4 -dc {file} > {stem}"),
    Foreign("a file of compress", (".z",), _at(0, b"\x1f\x9d"), "gzip -dc {file} > {stem}"),
    Foreign("a brotli file", (".br",), None, "brotli -dc {file} > {stem}"),
    Foreign("a PDF document", (".pdf",), _at(0, b"%PDF-"), "java -jar tabula.jar -p all {file} > {csv}", True),
    Foreign("an HTML page", (".html", ".htm"), _PAGE, _HTML, True),
    Foreign("a YAML file", (".yaml", ".yml"), _YAML, "yq -o json {file} > {json}", True),
    Foreign("a pointer of Git LFS", (), _at(0, b"version https://git-lfs.github.com/spec/"), "git lfs pull", True),
    Foreign("UTF-32 text", (), _at(0, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE), _UTF32),
)
"""Every kind of file that is recognized and not read."""

# What is in the folder of a table, what the table is, and the function of DuckDB that reads it.
_FOLDERS = (
    ("_delta_log", "a Delta Lake table", "delta_scan"),
    ("metadata/*.metadata.json", "an Apache Iceberg table", "iceberg_scan"),
    (".hoodie", "an Apache Hudi table", None),
)


def foreign_by_content(head: bytes) -> Foreign | None:
    """Return the kind of file that begins with these bytes, or None."""
    is_binary = _CONTROL.search(head) is not None
    marked = (known for known in FOREIGN if known.content is not None and (is_binary or known.is_text))
    return next((known for known in marked if known.content is not None and known.content.match(head)), None)


def foreign_folder(folder: Path) -> tuple[str, str] | None:
    """Return the kind of table that a folder is besides its Parquet files, and what to do, or None."""
    for entry, title, program in _FOLDERS:
        if any(folder.glob(entry)):
            if program is None:
                return title, "write its current rows to one Parquet file first"
            texts = (str(name).replace("'", "''") for name in (folder, folder.with_suffix(".parquet")))
            statement = f"COPY (FROM {program}('{next(texts)}')) TO '{next(texts)}'"
            return title, f"first run: duckdb -c {shlex.quote(statement)}"
    return None


def foreign_by_name(path: Path) -> Foreign | None:
    """Return the kind of file that the ending of a name stands for, or None."""
    ending = path.suffix.lower()
    return next((known for known in FOREIGN if ending in known.endings), None)
