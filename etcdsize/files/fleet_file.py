"""Size a file of clusters batch by batch, in memory that does not grow with the file.

`open_fleet` opens the input and finds its columns. `Fleet.run` sizes it and returns a `FleetSummary`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Unpack

from etcdsize.base.checks import one_of
from etcdsize.base.output_file import check_output, is_stream
from etcdsize.base.text import nearest, shown
from etcdsize.batches.columns import NUMBERS, Columns, columns_to_read, earlier_answers, has_column_for
from etcdsize.batches.columns import Source as Column
from etcdsize.batches.implied_loads import implied_dimensions
from etcdsize.batches.missing_columns import COMMAND_LINE
from etcdsize.batches.usual_names import USUAL_NAMES, Names
from etcdsize.catalog.catalog import Catalog
from etcdsize.catalog.loading import load_catalog
from etcdsize.catalog.money import sums
from etcdsize.errors import ColumnError, FleetFileError, MissingDependencyError
from etcdsize.fitting.today import cluster_cost_per_month, cost_currency
from etcdsize.sizing.options import headroom_of, margin_of, tiers_of
from etcdsize.units import DIMENSIONS

try:
    from etcdsize.batches.answers import answer_schema
    from etcdsize.batches.options import MEMBERS, BatchOptions, LoadOptions
    from etcdsize.batches.sizer import BatchSizer
    from etcdsize.batches.time_series import TimeSeries
    from etcdsize.files.background import in_background, read_ahead
    from etcdsize.files.compression import open_compressed
    from etcdsize.files.fold import Fold, FoldedReader, numbered
    from etcdsize.files.format import Format, Noting, Reader, Rows, Wanted, file_size
    from etcdsize.files.registry import find_format, format_named
    from etcdsize.files.row_names import names_of_rows
    from etcdsize.files.source import Source, open_source
    from etcdsize.files.summary import FleetSummary, MachineCount, Problem
except ImportError as _error:
    raise MissingDependencyError(package="pyarrow", extra="fleet") from _error

__all__ = ["Fleet", "open_fleet"]

# Where columns are not copied, each takes memory in every batch, and in the description of a Parquet file (our choice).
_MOST_COLUMNS = 10_000


@contextlib.contextmanager
def open_fleet(
    source: Path,
    stream: BinaryIO | None = None,
    *,
    format: str | None = None,  # noqa: A002 - the option's name
    delimiter: str | None = None,
    sheet: str | None = None,
    catalog: str | Path | Catalog | None = None,
    name_column: str | None = None,
    fold: Fold | None = None,
    **options: Unpack[LoadOptions],
) -> Iterator[Fleet]:
    """Open a file of clusters.

    Parameters
    ----------
    source : Path
        The file, or `-` with `stream`.
    stream : binary file, optional
        The stream to read instead of opening `source`.
    format : str, optional
        The name of a format, such as "csv"; None goes by the ending of the file's name, or by its content where that
        is sure.
    delimiter : str, optional
        What separates the cells of CSV or TSV: a comma, a semicolon, a vertical bar or a tab. None goes by the header.
    sheet : str, optional
        The sheet of an Excel workbook. None means the first that is not hidden.
    catalog : str, Path, Catalog or None
        As for `size`. None means `"guide"`, or `"current"` if a column names the machines in use, because those are
        audited.
    name_column : str, optional
        The column with the names of the clusters, by which a summary names them. None looks for a usual name.
    fold : {"latest", "peak"}, optional
        Which row to size where a cluster has several: the newest by a column of time stamps, or the newest with the
        largest value of each load. None sizes every row.
    **options
        As for `size_frame`: provider, columns, unknown, on_missing, tiers, headroom, margin, na, decimal, thousands,
        resources, etcd_version, model.

    Raises
    ------
    FleetFileError
        For a file that cannot be read (with the line), and for missing columns.
    OptionError
        For an option that is not valid.
    """
    if format is not None:
        format_named(format)
    name = "standard input" if str(source) == "-" else str(source)
    options["tiers"] = tiers_of(options.get("tiers", "guide"))
    options["headroom"] = headroom_of(options.get("headroom", 0.0))
    options["margin"] = margin_of(options.get("margin", 0.2))
    if catalog is not None and not isinstance(catalog, Catalog):
        catalog = load_catalog(catalog)
    if name_column is not None:
        options["columns"] = {**(options.get("columns") or {}), "name": name_column}
    with contextlib.ExitStack() as stack:
        with _reading(name):
            opened = stack.enter_context(open_source(source, stream, name, format, delimiter=delimiter, sheet=sheet))
        reader = opened.reader
        with _naming_columns(name):
            checked = BatchOptions.of(reader.names, **options, on_invalid="mark", catalog=catalog)
            timed = fold is not None or "timestamp" in checked.chosen or has_column_for(reader.names, "timestamp")
            also = ("name", "timestamp") if timed else ("name",)
            earlier = earlier_answers(reader.names, checked.added)
            names = ["" if place in earlier else name for place, name in enumerate(reader.names)]
            found = checked.columns(names, also=also, spelling=COMMAND_LINE)
            if fold is not None:
                one_of("fold", fold, ("latest", "peak"))
                if "timestamp" not in found:
                    raise ColumnError(
                        f"has no column of time stamps (expected {', '.join(USUAL_NAMES['timestamp'])}), which "
                        f"--{fold} needs; name it with --column timestamp=NAME"
                    )
        again = partial(open_source, source, None, name, format, delimiter=delimiter, sheet=sheet)
        # An audit names clusters that are found only at the end, and what is not a file cannot be read again.
        is_a_file = stream is None and (source.is_file() or source.is_dir())
        named = found.pop("name", None) if is_a_file and not timed and checked.auditor is None else None
        yield Fleet(source, name, opened, checked, found, named, again, fold)


@contextlib.contextmanager
def _reading(name: str) -> Iterator[None]:
    """Turn an error of the operating system into a `FleetFileError`."""
    try:
        yield
    except OSError as error:
        raise FleetFileError(f"{name}: cannot be read: {error.strerror or error}", file=name) from error


@contextlib.contextmanager
def _naming_columns(name: str) -> Iterator[None]:
    """Add the name of the file to an error about its columns."""
    try:
        yield
    except ColumnError as error:
        raise FleetFileError(f"{name}: {error}", file=name) from None


@dataclass(frozen=True)
class Fleet:
    """An open file of clusters, ready to be sized once."""

    source: Path
    name: str
    opened: Source
    options: BatchOptions
    columns: Columns
    named: Column | None
    """The column with the names of the clusters, if it is read only for the rows with a problem."""
    again: Callable[[], contextlib.AbstractContextManager[Source]]
    """Opens the input once more."""
    fold: Fold | None = None

    @property
    def reader(self) -> Reader:
        """The reader of the file."""
        return self.opened.reader

    @property
    def notes(self) -> tuple[str, ...]:
        """What the input is besides what is read of it, one line each."""
        return self.reader.notes if isinstance(self.reader, Noting) else ()

    @property
    def work(self) -> tuple[int | None, str]:
        """The total that `progress` counts up to, None if unknown, and its unit."""
        return self.reader.work if self.opened.file is None else (self.opened.size, "B")

    def run(
        self,
        output: Path | None = None,
        stream: BinaryIO | None = None,
        *,
        format: str | None = None,  # noqa: A002 - the option's name
        columns: Sequence[str] | None = None,
        escape: bool = False,
        force: bool = False,
        progress: Callable[[int], object] | None = None,
    ) -> FleetSummary:
        """Size the fleet and return its summary; if there is an output, write every row with its answers to it.

        Parameters
        ----------
        output : Path, optional
            The file to write. None writes nothing.
        stream : binary file, optional
            The stream to write to instead of opening `output`.
        format : str, optional
            None goes by the ending of the output's name; a stream, a pipe or a device has the format of the input, or
            CSV if that is only read. An output whose name ends in `.gz`, `.zst` or `.bz2` besides is compressed.
        columns : sequence of str, optional
            The columns to write: names of the file's columns, `*` for all of them, and names of answers. Answers come
            last. None writes everything.
        escape : bool
            Whether text in the file's columns is escaped in CSV and TSV, as it is in the answers, where a spreadsheet
            would run it as a formula. Otherwise it passes unchanged.
        force : bool
            Whether an existing file may be replaced.
        progress : callable, optional
            Called after every batch with the amount of `work` done by it.

        Raises
        ------
        FleetFileError
            For an input that ends early, and for an output that cannot be written. An existing output then stays
            unchanged.
        """
        if stream is not None:
            kind = find_format(Path("-"), format, default=self.opened.format)
            return self._summary(*self._size(stream, kind, columns, escape, progress))
        if output is None:
            return self._summary(*self._size(None, self.opened.format, None, escape, progress))
        kind = find_format(output, format, default=self.opened.format if is_stream(output) else None)
        self._reject_inside(output)
        check_output(output, None if str(self.source) == "-" else self.source, force=force)
        with open_compressed(output) as file:
            sized = self._size(file, kind, columns, escape, progress)
        return self._summary(*sized)

    def _reject_inside(self, output: Path) -> None:
        """Reject an output in the folder that is the input: it would be part of the input from then on."""
        if self.source.is_dir() and not is_stream(output):
            folder = Path(os.path.realpath(self.source))
            if folder in Path(os.path.realpath(output)).parents:
                raise FleetFileError(f"{output}: is in the input folder {self.name}; write elsewhere", file=str(output))

    def _size(
        self,
        stream: BinaryIO | None,
        kind: Format,
        columns: Sequence[str] | None,
        escape: bool,
        progress: Callable[[int], object] | None,
    ) -> tuple[BatchSizer, TimeSeries, FoldedReader | None]:
        """Size every batch and write it. Reading and writing overlap with sizing if they use files on a disk."""
        folded = None if self.fold is None else FoldedReader(self.reader, self.fold, self.columns, self.options.cells)
        # The newest row can be copied as it is; a row with peaks is a new one.
        copied = self.fold is None or (self.fold == "latest" and self.opened.format.text)
        kept, answers = self._select_columns(columns) if stream is not None else ([], ())
        schema = answer_schema(answers, typed=kind.typed)
        writer = None
        if stream is not None:
            with _naming_columns(self.name):
                writer = kind.writer(stream, self.reader if folded is None or copied else folded, kept, schema)
            writer.escape = escape
            writer.decimal = self.options.cells.decimal
        # Read the columns of the load, and those that are written from their values.
        copies = writer is not None and writer.copies
        written = [] if copies else kept
        if writer is not None and len(written) > _MOST_COLUMNS:
            writer.abandon()
            raise FleetFileError(
                f"{self.name}: has {len(written):,} columns to write in another format, expected at most "
                f"{_MOST_COLUMNS:,}; choose fewer, or write the format of the input",
                file=self.name,
            )
        positions, places = columns_to_read(self.columns, written)
        sizer = BatchSizer(self.options, places, schema, totals=True)
        # Columns to write keep their text; columns that are only read may come as numbers, or as dictionaries.
        loads = {key: source.position for key, source in self.columns.items()}
        # The names of clusters are all different.
        coded = {position for key, position in loads.items() if key != "name"}.difference(written)
        parsed = {position for key, position in loads.items() if key in NUMBERS}
        cells = self.options.cells
        # Where a number may mean a missing value, its text tells.
        numbers = set() if cells.na_numbers else parsed & coded
        everything = bool(written) and len(positions) == len(self.reader.names)
        series = TimeSeries({} if folded is not None else places)
        reserved = [] if earlier_answers(self.reader.names, self._added) else self._added
        batches = self._batches(
            self.reader if folded is None else folded,
            Wanted(None if everything else positions, numbers, coded, reserved, parsed, cells.decimal),
        )
        work = self._work_of()
        place_of = {position: place for place, position in enumerate(positions)}
        selected = [place_of[position] for position in written]
        try:
            with contextlib.ExitStack() as stack:
                write = None if writer is None else writer.write
                if write is not None and stream is not None and file_size(stream) is not None:
                    write = stack.enter_context(in_background(write))
                source = read_ahead(batches) if self.opened.on_disk else batches
                for rows in stack.enter_context(contextlib.closing(source)):
                    series.look_at(rows.batch)
                    with _naming_columns(self.name):
                        sized = sizer(rows.batch if rows.loads is None else rows.loads)
                    if write is not None:
                        write(rows if copies else Rows(rows.batch.select(selected), rows.work, rows.records), sized)
                    if progress is not None:
                        progress(work(rows))
            if writer is not None and stream is not None:
                writer.close()
                # What cannot be written fails here, before the summary is shown.
                stream.flush()
        except BaseException:
            if writer is not None:
                writer.abandon()
            raise
        return sizer, series, folded

    def _work_of(self) -> Callable[[Rows], int]:
        """Return a function that returns how much of `work` the next rows are."""
        file = self.opened.file
        if file is None:
            return lambda rows: rows.work
        done = 0

        def read_since(_rows: Rows) -> int:
            nonlocal done
            before, done = done, file.count
            return done - before

        return read_since

    def _batches(self, reader: Reader | FoldedReader, wanted: Wanted) -> Generator[Rows]:
        batches = iter(reader.read(wanted))
        while True:
            with _reading(self.name), _naming_columns(self.name):
                rows = next(batches, None)
            if rows is None:
                return
            yield rows

    @property
    def _added(self) -> tuple[str, ...]:
        """The answer columns that a run can add."""
        return self.options.added

    def _select_columns(self, columns: Sequence[str] | None) -> tuple[list[int], tuple[str, ...]]:
        """Return the positions of the file's columns to write, and the answers to write."""
        names = self.reader.names
        added = self._added
        earlier = earlier_answers(names, added)
        every = [place for place in range(len(names)) if place not in earlier]
        if columns is None:
            return every, added
        kept: dict[int, None] = {}
        answers: dict[str, None] = {}
        places_of: dict[str, list[int]] = {"*": every}
        for place, name in enumerate(names):
            places_of.setdefault(name, []).append(place)
        for name in columns:
            places = places_of.get(name, [])
            if name in added:
                answers[name] = None
                continue
            if not places or (len(places) > 1 and name != "*"):
                what = f"has {shown(name)} {len(places)} times" if places else f"has no column {shown(name)}"
                raise FleetFileError(
                    f"{self.name}: {what}; expected one of its columns, * for all of them, or one of "
                    f"{', '.join(added)}{'' if places else nearest(name, (*names, *added))}",
                    file=self.name,
                    column=name,
                )
            kept |= dict.fromkeys(places)
        return list(kept), tuple(answers)

    @property
    def _unused_machine_columns(self) -> tuple[str, ...]:
        """The columns that look like those of the machines in use, but are not used."""
        names = self.reader.names
        used = {source.position for source in self.columns.values()} | earlier_answers(names, self._added)
        return tuple(names[place] for place in Names(names).like_machines() if place not in used)

    def _first_problems(self, sizer: BatchSizer) -> tuple[Problem, ...]:
        """Return the first rows that cannot be sized, each with the name of its cluster."""
        late: dict[int, str | None] = {}
        if self.named is not None and sizer.first_problems:
            with _reading(self.name), self.again() as opened:
                rows = [row for row, _, _ in sizer.first_problems]
                late = names_of_rows(opened.reader, self.named, rows, self.options.cells)
        return tuple(
            Problem(row=row, cluster=late.get(row, cluster), problem=problem)
            for row, cluster, problem in sizer.first_problems
        )

    def _summary(self, sizer: BatchSizer, series: TimeSeries, folded: FoldedReader | None) -> FleetSummary:
        options = self.options
        tiers = {name: int(count) for name, count in zip(options.tiers.names, sizer.tier_counts)}
        machines = []
        for provider, tier, machine, today, clusters in sizer.counted:
            if clusters:
                cost = None if today is None else today.cost
                each = cluster_cost_per_month(today, MEMBERS)
                machines.append(
                    MachineCount(
                        provider=provider,
                        tier=tier,
                        machine_type=machine.machine_type,
                        disk=machine.disk,
                        clusters=clusters,
                        machine_today=None if today is None else today.machine_type,
                        disk_today=None if today is None else today.disk,
                        limit_known=today is None or today.limit_known,
                        cost_per_month=None if each is None else each * clusters,
                        currency=cost_currency(today),
                        region=None if cost is None else cost.region,
                        date=None if cost is None else cost.date,
                    )
                )
        priced = sum(one.clusters for one in machines if one.cost_per_month is not None)
        summary = FleetSummary(
            clusters=sizer.rows,
            not_sized=sizer.rows - sum(tiers.values()),
            tiers=tiers,
            machines=tuple(machines),
            first_problems=self._first_problems(sizer),
            notices=() if sizer.notices is None else sizer.notices.summary,
            beyond_guide=0 if sizer.notices is None else sizer.notices.beyond_guide,
            unfit=tuple(sizer.unfit),
            not_fitted=sizer.unfit.total(),
            without_machines=dict(sizer.elsewhere),
            unknown=tuple(
                name
                for name in dict.fromkeys((*options.unknown, *DIMENSIONS))
                if name in DIMENSIONS and name not in self.columns and name not in implied_dimensions(self.columns)
            ),
            unused_machine_columns=self._unused_machine_columns,
            headroom_asked=options.headroom,
            audit=None if sizer.audit is None else sizer.audit.summary,
            cost_per_month=sums((one.cost_per_month, one.currency) for one in machines),
            clusters_without_cost=sum(tiers.values()) - priced,
            time_series=series.text if folded is None else "",
        )
        return summary if folded is None else numbered(summary, folded)
