"""Files of clusters in, files with answers out, batch by batch in memory that does not grow with the file.

`open_fleet` opens the input and finds its columns; `Fleet.run` sizes it and gives a `FleetSummary`. This module does
the work of `etcdsize fleet`; it never prints.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, Literal

from etcdsize.base.checks import one_of
from etcdsize.base.text import nearest, shown
from etcdsize.batches.columns import ANSWERS, AUDIT_ANSWERS, names_any, narrowed
from etcdsize.catalog.catalog import Catalog
from etcdsize.errors import ColumnError, FleetFileError, MissingDependencyError
from etcdsize.tiers import TierTable

try:
    import pyarrow as pa

    from etcdsize.base.output_file import check_output, naming, open_output
    from etcdsize.batches.sizer import MEMBERS, BatchOptions, BatchSizer
    from etcdsize.files.csv import CsvReader, CsvWriter
    from etcdsize.files.format import Rows
    from etcdsize.files.jsonlines import JsonLinesReader, JsonLinesWriter
    from etcdsize.files.parquet import ParquetCopier, ParquetReader, ParquetWriter
    from etcdsize.files.summary import FleetSummary, MachineCount, Problem
    from etcdsize.fleet.auditor import Auditor
except ImportError as _error:
    raise MissingDependencyError(package="pyarrow", extra="fleet") from _error

__all__ = ["FORMATS", "Fleet", "format_of", "open_fleet"]

FORMATS = ("csv", "tsv", "jsonl", "parquet")
_ENDINGS = {".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
_DELIMITERS = {"csv": ",", "tsv": "\t"}

Reader = CsvReader | JsonLinesReader | ParquetReader
Writer = CsvWriter | JsonLinesWriter | ParquetCopier | ParquetWriter


def format_of(path: Path, option: str | None) -> str:
    """Return the format of a file: what was asked for, or what its name ends with.

    Raises
    ------
    FleetFileError
        Where the name does not tell.
    """
    if option is not None:
        return one_of("format", option, FORMATS)
    found = _ENDINGS.get(path.suffix.lower())
    if found is None:
        name = "standard input or output" if str(path) == "-" else str(path)
        raise FleetFileError(
            f"{name}: the name does not tell the format; give it, one of {', '.join(FORMATS)}", file=str(path)
        )
    return found


@contextlib.contextmanager
def open_fleet(
    source: Path,
    stream: BinaryIO | None = None,
    *,
    format: str | None = None,  # noqa: A002 - the option's name
    provider: str | None = None,
    columns: Mapping[str, str] | None = None,
    unknown: Iterable[str] = (),
    missing: str = "problem",
    catalog: str | Path | Catalog | None = None,
    tiers: str | Path | TierTable = "guide",
    headroom: float = 0.0,
    margin: float = 0.2,
) -> Iterator[Fleet]:
    """Give the fleet that a file holds, ready to run.

    Parameters
    ----------
    source : Path
        The file, or `-` with `stream`.
    stream : binary file, optional
        What to read instead of opening `source`.
    format : {"csv", "tsv", "jsonl", "parquet"}, optional
        None takes it from the file's name.
    provider : str, optional
        The provider of every cluster; None where a column says.
    columns : mapping, optional
        Dimension, "provider" or "current_machine" -> the column's name, for names that are not known.
    unknown : iterable of str
        Dimensions that the file lacks.
    missing : {"problem", "unknown"}
        What an empty cell is.
    catalog : str, Path, Catalog or None
        As for `size`. None is `"guide"`, and `"current"` where a column says which machines run now: those are
        audited.
    tiers, headroom
        As for `size`.
    margin : float
        As for `audit`.

    Raises
    ------
    FleetFileError
        For a file that cannot be read, with the line, and for columns that are not there.
    OptionError
        For everything else that is not known.
    """
    kind = format_of(source, format)
    unknown = tuple(dict.fromkeys(unknown))
    name = "standard input" if str(source) == "-" else str(source)
    one_of("missing", missing, ("problem", "unknown"))
    chosen = dict(columns or {})

    def options_with(catalog: str | Path | Catalog) -> BatchOptions:
        return BatchOptions.of(
            provider=provider,
            columns=chosen,
            unknown=unknown,
            on_missing=missing,
            on_invalid="mark",
            catalog=catalog,
            tiers=tiers,
            headroom=headroom,
            answers=ANSWERS,
        )

    options = options_with(catalog or "guide")
    margin = Auditor.margin_of(margin)
    with contextlib.ExitStack() as stack:
        if stream is None:
            try:
                stream = stack.enter_context(source.open("rb"))
            except OSError as error:
                raise FleetFileError(f"{name}: cannot be read: {error.strerror}", file=name) from error
        with _reading(name):
            if kind == "parquet" and not stream.seekable():
                # The description of a Parquet file is at its end: a pipe has to be kept first.
                kept = stack.enter_context(tempfile.TemporaryFile())
                shutil.copyfileobj(stream, kept)
                stream = kept
            reader = _open_reader(stream, name, kind)
        auditor = None
        if "current_machine" in chosen or names_any(reader.names, "current_machine"):
            catalog = catalog or "current"
            if isinstance(reader, JsonLinesReader):
                reader.reserved = (*ANSWERS, *AUDIT_ANSWERS)
            options = options_with(catalog)
            auditor = Auditor(
                catalog, options.tiers, provider=provider, headroom=options.headroom, margin=margin, members=MEMBERS
            )
        try:
            sizer = options.sizer(reader.names, auditor)
        except ColumnError as error:
            raise FleetFileError(f"{name}: {error}", file=name) from None
        yield Fleet(source, name, kind, stream, reader, sizer, options.tiers, unknown)


@contextlib.contextmanager
def _reading(name: str) -> Iterator[None]:
    """Tell an error of the operating system as one of the file."""
    try:
        yield
    except OSError as error:
        raise FleetFileError(f"{name}: cannot be read: {error.strerror or error}", file=name) from error


def _open_reader(stream: BinaryIO, name: str, kind: str) -> Reader:
    if kind == "parquet":
        return ParquetReader(stream, name)
    if kind == "jsonl":
        return JsonLinesReader(stream, name, ANSWERS)
    return CsvReader(stream, name, _DELIMITERS[kind])


@dataclasses.dataclass
class Fleet:
    """A file of clusters that was opened, and how to size it."""

    source: Path
    name: str
    format: Literal["csv", "tsv", "jsonl", "parquet"] | str
    stream: BinaryIO
    reader: Reader
    sizer: BatchSizer
    tiers: TierTable
    unknown: tuple[str, ...]

    @property
    def work(self) -> tuple[int | None, str]:
        """How much there is to do, where it is known, and in which unit: what `progress` counts."""
        if isinstance(self.reader, ParquetReader):
            return self.reader.rows, " rows"
        size = self.source.stat().st_size if self.source.is_file() else None
        return size, "B"

    def run(
        self,
        output: Path | None = None,
        stream: BinaryIO | None = None,
        *,
        format: str | None = None,  # noqa: A002 - the option's name
        columns: Sequence[str] | None = None,
        force: bool = False,
        progress: Callable[[int], object] | None = None,
    ) -> FleetSummary:
        """Return what the fleet needs, counted; write every row with its answers where an output is given.

        Parameters
        ----------
        output : Path, optional
            The file to write; None writes no rows.
        stream : binary file, optional
            What to write to instead of opening `output`.
        format : {"csv", "tsv", "jsonl", "parquet"}, optional
            None takes it from the output's name; for a stream, from the input.
        columns : sequence of str, optional
            What to write: names of the file's columns, `*` for all of them, and names of the answer's, which come
            last. None writes everything.
        force : bool
            Whether an existing file may be replaced.
        progress : callable, optional
            Called after every batch with how much of `work` was done.

        Raises
        ------
        FleetFileError
            For an input that breaks off or an output that cannot be written; an old file stays as it was.
        """
        if output is None and stream is None:
            self._pass(None, None, None, progress)
        elif stream is not None:
            kind = self.format if format is None else one_of("format", format, FORMATS)
            self._pass(stream, kind, columns, progress)
        else:
            assert output is not None  # noqa: S101 - the branches above
            kind = format_of(output, format)
            with naming(output):
                check_output(output, None if str(self.source) == "-" else self.source, force=force)
                with open_output(output) as file:
                    self._pass(file, kind, columns, progress)
        return self._summary()

    def _pass(
        self,
        stream: BinaryIO | None,
        kind: str | None,
        columns: Sequence[str] | None,
        progress: Callable[[int], object] | None,
    ) -> None:
        """Size every batch, and write it; where both are files, reading, sizing and writing overlap."""
        kept, answers = self._chosen(columns) if stream is not None else ([], ())
        description = None
        if stream is not None and kind == "parquet" and isinstance(self.reader, ParquetReader):
            description = self.reader.description()
        whole_records = kind == self.format != "parquet" and kept == list(range(len(self.reader.names)))
        as_it_stands = whole_records or description is not None
        positions, self.sizer.columns = narrowed(self.sizer.columns, () if as_it_stands else kept)
        self.sizer.give(answers)
        places = [] if as_it_stands else [positions.index(position) for position in kept]
        if description is not None and stream is not None and isinstance(self.reader, ParquetReader):
            writer: Writer | None = ParquetCopier(stream, self.reader, description, kept, self.sizer.schema)
        else:
            writer = None if stream is None else self._writer(stream, str(kind), kept, as_it_stands=whole_records)
        everything = stream is not None and not as_it_stands and len(positions) == len(self.reader.names)
        # What is written keeps its text; what is only read may come as numbers.
        numbers = {positions[place.position] for key, place in self.sizer.columns.items() if key != "provider"}
        batches = self._batches(None if everything else positions, numbers.difference(() if as_it_stands else kept))
        try:
            with contextlib.ExitStack() as stack:
                if writer is None:
                    write = None
                elif _is_file(stream):
                    write = stack.enter_context(_behind(writer.write))
                else:
                    write = writer.write
                source = _ahead(batches) if _is_file(self.stream) else batches
                for rows in stack.enter_context(contextlib.closing(source)):
                    sized = self._sized(rows.batch)
                    if write is not None:
                        write(rows if as_it_stands else Rows(rows.batch.select(places), rows.work), sized)
                    if progress is not None:
                        progress(rows.work)
            if isinstance(writer, (ParquetCopier, ParquetWriter)):
                writer.close()
        except BaseException:
            if isinstance(writer, (ParquetCopier, ParquetWriter)):
                writer.abandon()
            raise

    def _batches(self, positions: list[int] | None, numbers: Collection[int]) -> Generator[Rows]:
        if isinstance(self.reader, CsvReader):
            batches = self.reader.read(positions, numbers)
        else:
            batches = self.reader.read(positions)
        while True:
            with _reading(self.name):
                rows = next(batches, None)
            if rows is None:
                return
            yield rows

    def _chosen(self, columns: Sequence[str] | None) -> tuple[list[int], tuple[str, ...]]:
        """Return the positions of the file's columns that are written, and the answers."""
        names = self.reader.names
        added = ANSWERS if self.sizer.audit is None else (*ANSWERS, *AUDIT_ANSWERS)
        if columns is None:
            return list(range(len(names))), added
        kept: list[int] = []
        answers: dict[str, None] = {}
        for name in columns:
            places = [place for place, known in enumerate(names) if name in (known, "*")]
            if name in added:
                answers[name] = None
            elif not places or (len(places) > 1 and name != "*"):
                what = f"has {shown(name)} {len(places)} times" if places else f"has no column {shown(name)}"
                raise FleetFileError(
                    f"{self.name}: {what}; expected one of its columns, * for all of them, or one of "
                    f"{', '.join(added)}{'' if places else nearest(name, (*names, *added))}",
                    file=self.name,
                    column=name,
                )
            kept += [place for place in places if place not in kept]
        return kept, tuple(answers)

    def _sized(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        try:
            return self.sizer(batch)
        except ColumnError as error:
            raise FleetFileError(f"{self.name}: {error}", file=self.name) from None

    def _writer(self, stream: BinaryIO, kind: str, kept: Sequence[int], *, as_it_stands: bool) -> Writer:
        names = [self.reader.names[position] for position in kept]
        answers = self.sizer.schema
        if kind == "jsonl":
            repeated = sorted({name for name in names if names.count(name) > 1})
            if repeated:
                raise FleetFileError(
                    f"{self.name}: has several columns {', '.join(repeated)}, which one JSON object cannot hold; "
                    "write CSV or Parquet",
                    file=self.name,
                )
            return JsonLinesWriter(stream, names, answers.names)
        if kind == "parquet":
            if isinstance(self.reader, ParquetReader):
                return ParquetWriter(stream, self.reader.kept_schema(kept), answers, self.reader)
            return ParquetWriter(stream, pa.schema([(name, pa.string()) for name in names]), answers, None)
        like = self.reader if as_it_stands and isinstance(self.reader, CsvReader) else None
        return CsvWriter(stream, names, answers.names, _DELIMITERS[kind], like)

    def _summary(self) -> FleetSummary:
        sizer = self.sizer
        tiers = {name: int(count) for name, count in zip(self.tiers.names, sizer.tier_counts)}
        machines = []
        for provider, tier, machine, clusters in sizer.counted:
            cost = machine.cost
            if clusters:
                machines.append(
                    MachineCount(
                        provider=provider,
                        tier=tier,
                        machine_type=machine.machine_type,
                        disk=machine.disk,
                        clusters=clusters,
                        usd_month=None
                        if cost is None or cost.usd_month is None
                        else cost.usd_month * MEMBERS * clusters,
                        region=None if cost is None else cost.region,
                        date=None if cost is None else cost.date,
                    )
                )
        costs = [machine.usd_month for machine in machines]
        return FleetSummary(
            clusters=sizer.rows,
            not_sized=sizer.rows - sum(tiers.values()),
            tiers=tiers,
            machines=tuple(machines),
            first_problems=tuple(Problem(row=row, problem=problem) for row, problem in sizer.first_problems),
            implausibly_small=sizer.implausibly_small,
            unfit=tuple(one.reason for one in sizer.catalog.unfit) if sizer.unfit else (),
            not_fitted=sizer.unfit,
            unknown=self.unknown,
            headroom_asked=sizer.headroom,
            audit=None if sizer.audit is None else sizer.audit.summary,
            usd_month=None if not costs or None in costs else sum(cost for cost in costs if cost is not None),
        )


def _is_file(stream: BinaryIO | None) -> bool:
    """Return whether a stream is a file on a disk: what waits for nobody, so that a thread may wait for it."""
    try:
        return stream is not None and stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        return False


def _ahead(batches: Generator[Rows]) -> Generator[Rows]:
    """Give batches that a thread reads while the last is worked on."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, batches, None)
        while (rows := coming.result()) is not None:
            coming = reader.submit(next, batches, None)
            yield rows


@contextlib.contextmanager
def _behind(write: Callable[..., None]) -> Iterator[Callable[..., None]]:
    """Give what has a thread write while the next batch is worked on; an error comes with the next call or the end."""
    with ThreadPoolExecutor(1) as writer:
        last: Future[None] | None = None

        def behind(*batch: object) -> None:
            nonlocal last
            if last is not None:
                last.result()
            last = writer.submit(write, *batch)

        yield behind
        if last is not None:
            last.result()
