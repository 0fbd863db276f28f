"""Size record batches, for files, frames and engines.

`BatchSizer` sizes one batch after another. A row that cannot be sized keeps its place; its answers are empty and its
problem says why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from etcdsize.base.text import Suggestions
from etcdsize.batches.answers import CODES, FORCED_BY, answer_schema, coded, problem_column
from etcdsize.batches.cells import CellRules
from etcdsize.batches.cluster_names import ClusterNames
from etcdsize.batches.columns import AUDIT_ANSWERS, RESOURCE_ANSWERS, Columns
from etcdsize.batches.implied_loads import Loads, with_implied
from etcdsize.batches.kubernetes_nodes import read_nodes
from etcdsize.batches.load_problems import report_invalid_loads, report_missing_loads
from etcdsize.batches.loads import numbers
from etcdsize.batches.options import MEMBERS, BatchOptions
from etcdsize.batches.provider_column import ProviderColumn
from etcdsize.batches.region_column import RegionColumn
from etcdsize.batches.row_figures import RowFigures, resource_column
from etcdsize.batches.row_notices import NoticeTotals, RowNotices
from etcdsize.catalog.catalog import why_no_machine
from etcdsize.catalog.machines import Machine
from etcdsize.errors import InvalidWorkloadError
from etcdsize.fitting.today import cluster_cost_per_month, cost_currency, cost_date, cost_region, machine_today
from etcdsize.fleet.kernel import INVALID
from etcdsize.fleet.loads import classify_arrays
from etcdsize.fleet.nodes import KubernetesNodes
from etcdsize.fleet.notices import load_decides, load_notice_rows
from etcdsize.fleet.sizing import ELSEWHERE, FleetSizing
from etcdsize.sizing.basis import GUIDE_MACHINE, LOW_END_ONLY
from etcdsize.sizing.markets import Market, Markets
from etcdsize.sizing.notices import DATA_AT_MOST, UNKNOWN_DIMENSION, UNKNOWN_REGION
from etcdsize.units import DIMENSIONS

if TYPE_CHECKING:
    from etcdsize.batches.auditor import BatchAudit, Machines
    from etcdsize.fleet.auditor import Auditor
    from etcdsize.fleet.fleet_audit import FleetAudit
    from etcdsize.fleet.resource_columns import FleetResources

__all__ = ["BatchSizer", "Counted"]


class Counted(NamedTuple):
    """How many rows need a machine."""

    provider: str
    tier: str
    machine: Machine
    today: Machine | None
    """What to run today in its place."""
    rows: int


def _audit(auditor: Auditor, columns: Columns, cells: CellRules) -> BatchAudit:
    # Imported here because most files and frames are not audited.
    from etcdsize.batches.auditor import BatchAudit

    return BatchAudit(auditor, columns, cells)


class BatchSizer:
    """Sizes one record batch after another and keeps totals.

    Parameters
    ----------
    options : BatchOptions
        How to size.
    columns : Columns
        The columns of a batch that hold the load.
    schema : Schema
        The answer columns to return, from `answer_schema`; columns that are left out cost nothing.
    totals : bool
        Whether to count the notices, which takes time even if their column is left out.
    """

    def __init__(
        self,
        options: BatchOptions,
        columns: Columns,
        schema: pa.Schema,
        *,
        totals: bool = False,
    ) -> None:
        self._options = options
        self._columns = columns
        self.schema: pa.Schema = schema
        """The answer columns."""
        auditor = options.auditor
        self.audit: BatchAudit | None = None if auditor is None else _audit(auditor, columns, options.cells)
        """The audit of the machines in use, if a column names them."""
        catalog, tiers = options.catalog, options.tiers
        self._tiers = tiers
        self._provider = options.provider
        self._suggestions = {key: Suggestions() for key in columns}
        self._figures = RowFigures(columns, options.cells, self._suggestions, options.etcd_version, options.model)
        one = self._provider is not None and self._provider in catalog.providers
        self._providers = (self._provider,) if one and self._provider is not None else catalog.providers
        self._markets = Markets(options.asked, catalog, tiers, self._providers)
        named = columns.get("provider")
        self._provider_column = None if named is None else ProviderColumn(named, options.cells, self._providers)
        region = columns.get("region")
        self._regions = None if region is None else RegionColumn(region, options.cells, self._markets)
        self._places: list[tuple[Market, str]] = []
        self._machines: list[Machine | None] = []
        self._today: list[Machine | None] = []
        self.rows: int = 0
        """Rows so far."""
        self.tier_counts: NDArray[np.int64] = np.zeros(len(tiers.tiers), np.int64)
        """Rows by tier."""
        self.machine_counts: NDArray[np.int64] = np.zeros(0, np.int64)
        """Rows by market and tier."""
        self.first_problems: list[tuple[int, str | None, str]] = []
        """The first rows that cannot be sized: their numbers from 1, their clusters, their problems."""
        self.elsewhere: Counter[str] = Counter()
        """Rows by provider, for the first of the providers without machines."""
        self.unfit: Counter[str] = Counter()
        """Rows whose tier has no machine, by the reason."""
        self.notices: NoticeTotals | None = NoticeTotals() if totals else None
        """The notices of the rows, counted; None if they are not."""
        self._add_markets()

    @classmethod
    def of(cls, options: BatchOptions, names: Iterable[Any]) -> BatchSizer:
        """Return a sizer for batches with columns of these names.

        Raises
        ------
        ColumnError
            For columns that are missing or ambiguous.
        """
        return cls(options, options.columns(names), answer_schema(options.answers))

    def _add_markets(self) -> None:
        """Add the machines of the markets that are new."""
        for market in self._markets.found[len(self._places) // len(self._tiers.names) :]:
            for tier in self._tiers.names:
                # A tier without a machine is a problem of the rows that need it.
                machine = market.catalog.find_for(market.provider, tier)
                self._places.append((market, tier))
                self._machines.append(machine)
                if machine is not None:
                    self._today.append(machine_today(machine, self._tiers, market.region))
        self.machine_counts = np.pad(self.machine_counts, (0, len(self._places) - len(self.machine_counts)))

    @property
    def counted(self) -> list[Counted]:
        """How many rows need each machine that a row can need."""
        found = [
            (place, machine, int(count))
            for place, machine, count in zip(self._places, self._machines, self.machine_counts, strict=True)
            if machine is not None
        ]
        counted = [
            Counted(market.provider, tier, machine, today, rows)
            for ((market, tier), machine, rows), today in zip(found, self._today, strict=True)
        ]
        return sorted(counted, key=lambda one: self._providers.index(one.provider))

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the answers for a batch, in the columns of the schema."""
        rows = batch.num_rows
        problems: dict[int, list[str]] = {}
        values: list[NDArray[Any] | None] = [None, None, None]
        unknown: list[NDArray[np.bool_] | None] = [None, None, None]
        cells = self._options.cells
        for index, dimension in enumerate(DIMENSIONS):
            source = self._columns.get(dimension)
            if source is None:
                continue
            load = numbers(batch.column(source.position), dimension, source, cells, self._suggestions[dimension])
            values[index] = load.values
            for row, problem in load.problems.items():
                problems.setdefault(row, []).append(problem)
            if load.missing is not None:
                unknown[index] = load.missing
        nodes = self._read_nodes(batch, problems)
        given, wrong_figures, figures = Loads(values, unknown), dict[int, list[str]](), {}
        reads_figures = self._options.resources or (self.audit is not None and self._figures.are_there)
        if reads_figures:
            figures = self._figures.of_loads(batch, wrong_figures)
        values, unknown, implied = self._with_implied(given, figures)
        of_nodes = np.zeros(rows, np.bool_) if nodes is None else nodes.known
        report_missing_loads(
            self._columns, values, unknown, of_nodes, problems, missing_is_unknown=self._options.missing_is_unknown
        )
        machines = None if self.audit is None else self.audit.machines(batch)
        providers = self._provider_codes(batch, machines, problems)
        if self.audit is not None and machines is not None and providers is not None and "provider" in self._columns:
            self.audit.compare_providers(machines, providers, self._providers)
        regions = None
        if self._regions is not None:
            regions = self._regions.read(batch, providers, self.elsewhere, problems)
            providers = regions.markets
            self._add_markets()

        codes = np.empty(rows, np.uint8)
        if rows:
            classify_arrays(values, (rows,), codes, self._tiers, self._options.headroom, None)
            report_invalid_loads(self._columns, values, codes, problems)
        resources = running = None
        if reads_figures:
            running = self._figures.running(batch, problems)
            for row, texts in wrong_figures.items():
                problems.setdefault(row, []).extend(texts)
            resources = self._figures.resources(batch, figures, given.values, given.unknown, nodes, problems)
        bad = np.fromiter(problems, np.int64, len(problems))
        codes[bad] = INVALID
        load_codes = codes
        if nodes is not None:
            codes = np.maximum(codes, nodes.codes)
        named = self._columns.get("name")
        before, names = self.rows, ClusterNames(None if named is None else batch.column(named.position), cells)
        self._raise(problems)
        self._count(codes, providers, problems, names)
        audit = None
        if self.audit is not None and machines is not None:
            further = resources if self._figures.are_there else None
            markets = None if regions is None else self._audit_markets(regions.markets, self.audit)
            loads = Loads(values, unknown, implied)
            audit = self.audit.audit(batch, machines, loads, codes, load_codes, further, running, markets)
            self.audit.count(audit, machines, before, names)
            self.audit.report(audit, machines, problems)
            self._raise(problems, before)
        self._report_unfit(codes, providers, problems)
        fleet = FleetSizing(
            values,
            codes,
            self._provider if providers is None else providers,
            self._options.catalog,
            self._tiers,
            self._options.headroom,
            members=MEMBERS,
            unknown=unknown,
            nodes=nodes,
            markets=self._markets.found if self._provider is None or regions is not None else None,
        )
        notices = RowNotices(rows)
        if self.notices is not None or "notices" in self.schema.names:
            for kind, noted in load_notice_rows(fleet):
                notices.add(kind, noted)
            known = None if resources is None or not self._figures.are_there else resources._knows_further
            notices.add(GUIDE_MACHINE, load_decides(fleet, known))
            if audit is not None:
                notices.add(LOW_END_ONLY, audit.doubt_codes != 0)
            for part in implied:
                if part is not None:
                    # What follows from a part of the figures is known in part.
                    notices.add(UNKNOWN_DIMENSION, part.lower)
            if regions is not None:
                notices.add(UNKNOWN_REGION, regions.unknown)
            if "data_bytes" in self._columns and self._columns["data_bytes"].upper:
                missing = given.unknown[2]
                notices.add(DATA_AT_MOST, np.ones(rows, np.bool_) if missing is None else ~missing)
            notices.keep(codes != INVALID)
        if self.notices is not None:
            self.notices.count(notices, before)
        return self._answers(fleet, audit, machines, resources, problems, notices)

    def _audit_markets(self, markets: NDArray[np.uint8], audit: BatchAudit) -> NDArray[np.uint16]:
        """Return the auditor's number of each row's market, 0 for none."""
        numbers = np.zeros(256, np.uint16)
        numbers[: len(self._markets.found)] = audit.auditor.market_numbers(one.place for one in self._markets.found)
        return numbers[markets]

    def _read_nodes(self, batch: pa.RecordBatch, problems: dict[int, list[str]]) -> KubernetesNodes | None:
        source = self._columns.get("kubernetes_nodes")
        if source is None:
            return None
        suggestions = self._suggestions["kubernetes_nodes"]
        column = batch.column(source.position)
        return read_nodes(column, source, self._tiers, self._options.cells, suggestions, problems)

    def _with_implied(self, given: Loads, figures: Mapping[str, NDArray[np.float64]]) -> Loads:
        """Return the loads with what the figures say of the rows and dimensions that count as unknown."""
        if self._options.missing_is_unknown:
            return with_implied(given, figures)
        # An empty cell is a problem: only a dimension without a column is unknown.
        hidden = Loads(given.values, [None, None, None])
        values, unknown, implied = with_implied(hidden, figures)
        both = zip(given.values, given.unknown, unknown)
        return Loads(values, [mine if column is not None else new for column, mine, new in both], implied)

    def _provider_codes(
        self, batch: pa.RecordBatch, machines: Machines | None, problems: dict[int, list[str]]
    ) -> NDArray[np.uint8] | None:
        if self._provider is not None:
            if self._provider in self._providers:
                return None
            self.elsewhere[self._provider] += batch.num_rows
            return np.full(batch.num_rows, ELSEWHERE, np.uint8)
        if self._provider_column is None:
            if self.audit is None or machines is None:
                # The regions imply it.
                return None
            return self.audit.provider_codes(machines.codes, self._providers, INVALID)
        return self._provider_column.read(batch, self.elsewhere, problems)

    def _report_unfit(
        self, codes: NDArray[np.uint8], providers: NDArray[np.uint8] | None, problems: dict[int, list[str]]
    ) -> None:
        """Report the rows whose tier has no machine."""
        for place, (market, tier) in enumerate(self._places):
            if self._machines[place] is not None:
                continue
            name, code = divmod(place, len(self._tiers.tiers))
            rows = codes == code
            if providers is not None:
                rows &= providers == name
            found = np.flatnonzero(rows).tolist()
            if found:
                reason = why_no_machine(market.catalog, market.provider, tier)
                self.unfit[reason] += len(found)
                for row in found:
                    problems.setdefault(row, []).append(f"catalog: {reason}")

    def _count(
        self,
        codes: NDArray[np.uint8],
        providers: NDArray[np.uint8] | None,
        problems: dict[int, list[str]],
        names: ClusterNames,
    ) -> None:
        tiers = len(self._tiers.tiers)
        sized = codes != INVALID
        self.tier_counts += np.bincount(codes[sized], minlength=tiers)
        if providers is not None:
            # A provider that is not in the catalog has no machines.
            sized &= providers < ELSEWHERE
        flat = codes[sized].astype(np.int64)
        if providers is not None:
            flat += providers[sized].astype(np.int64) * tiers
        self.machine_counts += np.bincount(flat, minlength=len(self.machine_counts))
        room = 10 - len(self.first_problems)
        if problems and room > 0:
            for row in sorted(problems)[:room]:
                self.first_problems.append((self.rows + row + 1, names.of(row), "; ".join(problems[row])))
        self.rows += len(codes)

    def _raise(self, problems: dict[int, list[str]], before: int | None = None) -> None:
        """Raise the first problem of a batch, if that is wanted; `before` is the number of rows before the batch."""
        if problems and self._options.raise_problems:
            row = min(problems)
            index = row + (self.rows if before is None else before)
            raise InvalidWorkloadError(
                f'row {index}: {"; ".join(problems[row])}; on_invalid="mark" sizes the rest',
                index=index,
                count=len(problems),
            )

    def _answers(
        self,
        fleet: FleetSizing,
        audit: FleetAudit | None,
        machines: Machines | None,
        resources: FleetResources | None,
        problems: dict[int, list[str]],
        notices: RowNotices,
    ) -> pa.RecordBatch:
        """Return the columns of the schema."""
        bad = fleet.tier_codes == INVALID if problems else None

        def column(field: pa.Field) -> pa.Array:
            if field.name == "problem":
                return problem_column(problems, len(fleet))
            if field.name == "notices":
                return notices.column()
            if self.audit is not None and audit is not None and machines is not None and field.name in AUDIT_ANSWERS:
                return self.audit.column(field.name, audit, machines)
            if resources is not None and field.name in RESOURCE_ANSWERS:
                return resource_column(field, resources, bad)
            return coded(getattr(fleet, CODES[field.name]), self._values(field.name), field.type, bad)

        return pa.RecordBatch.from_arrays([column(field) for field in self.schema], schema=self.schema)

    def no_answers(self) -> pa.RecordBatch:
        """Return the answers for no rows, with the usual categories."""

        def column(field: pa.Field) -> pa.Array:
            if field.name == "problem":
                return problem_column({}, 0)
            if field.name == "notices":
                return RowNotices(0).column()
            if self.audit is not None and field.name in AUDIT_ANSWERS:
                return self.audit.no_column(field.name)
            if field.name in RESOURCE_ANSWERS:
                return pa.array([], field.type)
            return coded(np.empty(0, np.uint8), self._values(field.name), field.type)

        return pa.RecordBatch.from_arrays([column(field) for field in self.schema], schema=self.schema)

    def _values(self, answer: str) -> Sequence[str | float | None]:
        """Return what every code of an answer means, None where that is unknown."""
        if answer == "machine_type":
            return [machine.machine_type for machine in self._machines if machine is not None]
        if answer == "machine_today":
            return [None if machine is None else machine.machine_type for machine in self._today]
        if answer == "cost_per_month":
            totals = [cluster_cost_per_month(machine, MEMBERS) for machine in self._today]
            return [None if total is None else round(total, 2) for total in totals]
        if answer == "currency":
            return [cost_currency(machine) for machine in self._today]
        if answer == "price_region":
            return [cost_region(machine) for machine in self._today]
        if answer == "price_date":
            return [cost_date(machine) for machine in self._today]
        return {"tier": self._tiers.names, "forced_by": FORCED_BY, "tightest": DIMENSIONS}[answer]
