"""Read a folder of Parquet files as one file, as Spark and others write it.

Folders in it are named `region=eu`: they are columns of text, which the files do not have.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from etcdsize.base.text import shown
from etcdsize.errors import FleetFileError
from etcdsize.files.foreign import foreign_folder
from etcdsize.files.format import Rows, Wanted
from etcdsize.files.parquet_description import MAGIC
from etcdsize.files.parquet_reader import ParquetReader

__all__ = ["ParquetFolder"]

# Folders in folders (our choice): a link may lead back to where it stands.
_DEEPEST = 20
# The name of a folder for a null, in Hive and all that follow it.
_NULL = "__HIVE_DEFAULT_PARTITION__"


class ParquetFolder:
    """Reads all Parquet files of a folder, in the order of their names.

    As in Spark, names that begin with a dot or an underscore are not read, unless they are columns such as `_day=1`.

    Raises `FleetFileError`, with the file, for a file that is not Parquet or has other columns than the first.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._reject_table()
        self._files = sorted(_files(folder, {}), key=lambda found: found[0].relative_to(folder).parts)
        if not self._files:
            raise FleetFileError(
                f"{name}: a folder without files, expected Parquet files in it, such as part-0.parquet", file=name
            )
        self._rows = 0
        with _opened(self._files[0][0]) as first:
            self.codec: str = first.codec
            """The compression of the columns."""
            self.coded: list[str] = first.coded
            """The columns that are dictionary-encoded."""
            self._schema = first.kept_schema(range(len(first.names)))
            self._own = first.names
            # What the files have themselves counts.
            self._added = [key for key in self._files[0][1] if key not in first.names]
        for path, values in self._files:
            with _opened(path) as reader:
                self._check(path, values, reader)
                self._rows += reader.description.rows
        self.names: list[str] = [*self._own, *self._added]
        """The columns' names: those of the files, then those of the folders."""

    def _reject_table(self) -> None:
        """Reject a table whose files also hold rows that are no longer in it."""
        foreign = foreign_folder(self._folder)
        if foreign is not None:
            title, hint = foreign
            raise FleetFileError(
                f"{self._name}: got {title}, whose files may hold rows that were deleted, expected a folder of Parquet "
                f"files; {hint}",
                file=self._name,
            )

    def _check(self, path: Path, values: Mapping[str, str | None], reader: ParquetReader) -> None:
        """Reject a file that does not have the columns of the first."""
        first, keys = self._files[0]
        what = None
        missing = [name for name in self._own if name not in reader.names]
        other = [name for name in reader.names if name not in self._own]
        if list(values) != list(keys):
            what = f"the folders {_listed(values)}, expected {_listed(keys)}"
        elif missing:
            what = f"no column {shown(missing[0])}, expected it"
        elif other or len(reader.names) != len(self._own):
            what = f"a column {shown((other or reader.names)[0])}, expected the columns"
        else:
            places = self._places(reader)
            for position, name in enumerate(self._own):
                kind, wanted = reader.schema.field(places[position]).type, self._schema.field(position).type
                if kind != wanted:
                    what = f"the column {shown(name)} as {kind}, expected {wanted}"
                    break
        if what is not None:
            raise FleetFileError(f"{path}: has {what} as in {first}; write all files with one schema", file=str(path))

    def _places(self, reader: ParquetReader) -> Sequence[int]:
        """Return the place in a file of every column of the files."""
        if reader.names == self._own:
            return range(len(self._own))
        return [reader.names.index(name) for name in self._own]

    def kept_schema(self, positions: Sequence[int]) -> pa.Schema:
        """Return the schema of the columns at these positions."""
        own = len(self._own)
        fields = [
            self._schema.field(position) if position < own else pa.field(self.names[position], pa.string())
            for position in positions
        ]
        return pa.schema(fields, metadata=self._schema.metadata)

    @property
    def work(self) -> tuple[int | None, str]:
        """The number of rows."""
        return self._rows, " rows"

    def read(self, wanted: Wanted) -> Iterator[Rows]:
        """Yield the wanted columns batch by batch, file by file."""
        positions = range(len(self.names)) if wanted.positions is None else wanted.positions
        own = [position for position in positions if position < len(self._own)]
        for path, values in self._files:
            with _opened(path) as reader:
                places = self._places(reader)
                coded = {places[position] for position in wanted.coded if position < len(places)}
                inner = dataclasses.replace(wanted, positions=[places[position] for position in own], coded=coded)
                for rows in reader.read(inner):
                    columns = dict(zip(own, rows.batch.columns, strict=True))
                    for position in positions:
                        if position >= len(places):
                            value = values[self.names[position]]
                            columns[position] = _repeated(value, rows.work, coded=position in wanted.coded)
                    arrays = [columns[position] for position in positions]
                    yield Rows(pa.RecordBatch.from_arrays(arrays, [str(position) for position in positions]), rows.work)


def _files(folder: Path, values: Mapping[str, str | None]) -> Iterator[tuple[Path, Mapping[str, str | None]]]:
    """Yield the files of a folder, each with the columns that the folders above it stand for."""
    if len(values) > _DEEPEST:
        raise FleetFileError(f"{folder}: more than {_DEEPEST} folders deep; is it a link to itself?", file=str(folder))
    for path in folder.iterdir():
        key, equals, value = path.name.partition("=")
        if path.name.startswith(".") or (path.name.startswith("_") and not equals):
            continue
        if not path.is_dir():
            yield path, values
            continue
        key = _unescaped(key, path)
        if not equals or not key or key in values:
            raise FleetFileError(
                f"{path}: a folder in a folder of Parquet files, expected the name of a column and its value, such as "
                "region=eu; rename it, or size it by itself",
                file=str(path),
            )
        yield from _files(path, {**values, key: None if value == _NULL else _unescaped(value, path)})


def _unescaped(text: str, path: Path) -> str:
    """Return a part of a folder's name, in which Hive escapes characters such as a slash as `%2F`."""
    try:
        return re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes([int(match[1], 16)]), text.encode()).decode()
    except UnicodeError:
        raise FleetFileError(
            f"{path}: its name is not UTF-8, expected the name of a column and its value in UTF-8; rename it",
            file=str(path),
        ) from None


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[ParquetReader]:
    try:
        with path.open("rb") as stream:
            head = stream.read(len(MAGIC))
            if head and head != MAGIC:
                raise FleetFileError(
                    f"{path}: not a Parquet file, expected nothing else in a folder that is read; move it away, or "
                    "size it by itself",
                    file=str(path),
                )
            yield ParquetReader(stream, str(path))
    except OSError as error:
        raise FleetFileError(f"{path}: cannot be read: {error.strerror or error}", file=str(path)) from error


def _repeated(value: str | None, rows: int, *, coded: bool) -> pa.Array:
    """Return a column that holds one text, or null, in every row."""
    column = pa.repeat(pa.scalar(value, pa.string()), 1 if coded else rows)
    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), rows), column) if coded else column


def _listed(values: Mapping[str, str | None]) -> str:
    return " and ".join(f"{key}=…" for key in values) or "none"
