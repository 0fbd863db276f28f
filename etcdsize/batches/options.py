"""The options for sizing record batches, checked once, for files, frames and engines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from etcdsize.base.checks import list_of, names_of, one_of, true_or_false
from etcdsize.base.text import shown
from etcdsize.batches.cells import CellRules
from etcdsize.batches.columns import ANSWERS, AUDIT_ANSWERS, RESOURCE_ANSWERS, Columns, has_column_for, pick_columns
from etcdsize.batches.missing_columns import PYTHON, Options
from etcdsize.catalog.catalog import Catalog
from etcdsize.catalog.loading import catalog_for, load_catalog, names_of_providers
from etcdsize.errors import OptionError
from etcdsize.etcd.version_names import DEFAULT_VERSION
from etcdsize.resources.calibrated_model import CalibratedModel, model_of
from etcdsize.resources.coefficients import minor_version
from etcdsize.sizing.options import headroom_of, margin_of, tiers_of, with_tiers
from etcdsize.tiers import TierTable

if TYPE_CHECKING:
    from etcdsize.fleet.auditor import Auditor

__all__ = ["MEMBERS", "BatchOptions", "LoadOptions", "SizeOptions"]

MEMBERS = 3
"""Members of every cluster in a file or a frame: the smallest number that tolerates a failure."""


class LoadOptions(TypedDict, total=False):
    """The options of `size_frame` that files have as well, for the functions that pass them on."""

    provider: str | None
    region: str | Iterable[str] | None
    columns: Mapping[str, str] | None
    unknown: Iterable[str]
    on_missing: str
    tiers: str | Path | TierTable
    headroom: float
    margin: float
    na: Iterable[str]
    decimal: str
    thousands: str | None
    resources: bool
    etcd_version: str
    model: str | Path | CalibratedModel | None


class SizeOptions(LoadOptions, total=False):
    """The options of `size_frame`, for the functions that pass them on."""

    on_invalid: str
    catalog: str | Path | Catalog | None
    answers: Iterable[str] | None


@dataclass(frozen=True)
class BatchOptions:
    """Checked options for sizing batches. They pickle, so that every process can build its own sizer."""

    provider: str | None
    chosen: Mapping[str, str]
    unknown: tuple[str, ...]
    missing_is_unknown: bool
    raise_problems: bool
    asked: Catalog
    """The catalog as it was asked for, at the prices of the region that was."""
    region_given: bool
    catalog: Catalog
    """The same with a machine for every tier."""
    tiers: TierTable
    headroom: float
    answers: tuple[str, ...]
    cells: CellRules
    auditor: Auditor | None
    resources: bool
    etcd_version: str
    model: CalibratedModel | None

    @classmethod
    def of(cls, names: Iterable[Any] = (), **options: Unpack[SizeOptions]) -> BatchOptions:
        """Check the options of `size_frame` and return them, with defaults for those that are not given.

        If one of the columns names the machines in use, they are audited, by default with the catalog `current`.

        Raises
        ------
        OptionError
            For the first option that is not valid.
        """
        unexpected = options.keys() - (SizeOptions.__required_keys__ | SizeOptions.__optional_keys__)
        if unexpected:
            raise TypeError(f"got an unexpected keyword argument {min(unexpected)!r}")
        table = tiers_of(options.get("tiers", "guide"))
        headroom, margin = headroom_of(options.get("headroom", 0.0)), margin_of(options.get("margin", 0.2))
        chosen = _chosen(options.get("columns"))
        audited = "current_machine" in chosen or has_column_for(map(_text, names), "current_machine")
        asked = options.get("catalog")
        if asked is None and audited:
            asked = "current"
        provider, region = options.get("provider"), options.get("region")
        if provider is not None:
            (provider, *_) = names_of_providers(provider)
        by_row = ("provider",) if region is not None else ("provider", "region")
        if provider is None and (not chosen.keys().isdisjoint(by_row) or _has_any(names, by_row)):
            # The rows name their providers, which are not known yet.
            catalog = asked if isinstance(asked, Catalog) else load_catalog("guide" if asked is None else asked)
            catalog = catalog if region is None else catalog.in_region(region)
        else:
            catalog, there = catalog_for(asked, provider, region)
            if region is not None and len(there) == 1:
                (provider,) = there
        machines = with_tiers(catalog, table)
        on_missing = one_of("on_missing", options.get("on_missing", "problem"), ("problem", "unknown"))
        on_invalid = one_of("on_invalid", options.get("on_invalid", "mark"), ("mark", "raise"))
        resources = true_or_false("resources", options.get("resources", False))
        version = options.get("etcd_version", DEFAULT_VERSION)
        minor_version(version)
        model = model_of(options.get("model"), version)
        if not (resources or audited):
            _reject_without_model(version, model)
        every = (*ANSWERS, *(AUDIT_ANSWERS if audited else ()), *(RESOURCE_ANSWERS if resources else ()))
        wanted = options.get("answers")
        answers = [one_of("answers", name, every) for name in list_of("answers", every if wanted is None else wanted)]
        unknown = names_of("unknown", list_of("unknown", options.get("unknown", ())))
        return cls(
            provider=provider,
            chosen=chosen,
            unknown=tuple(dict.fromkeys(unknown)),
            missing_is_unknown=on_missing == "unknown",
            raise_problems=on_invalid == "raise",
            asked=catalog,
            region_given=region is not None,
            catalog=machines,
            tiers=table,
            headroom=headroom,
            answers=tuple(dict.fromkeys(answers)),
            cells=CellRules.of(options.get("na", ()), options.get("decimal", "."), options.get("thousands")),
            auditor=_auditor(catalog, table, provider, headroom, margin) if audited else None,
            resources=resources,
            etcd_version=version,
            model=model,
        )

    @property
    def added(self) -> tuple[str, ...]:
        """All answers that there are with these options."""
        audited = AUDIT_ANSWERS if self.auditor is not None else ()
        return (*ANSWERS, *audited, *(RESOURCE_ANSWERS if self.resources else ()))

    def columns(self, names: Iterable[Any], *, also: Iterable[str] = (), spelling: Options = PYTHON) -> Columns:
        """Return the columns that hold the load, and further ones; messages spell the options as `spelling` does.

        Raises
        ------
        ColumnError
            For columns that are missing or ambiguous.
        """
        return pick_columns(
            [_text(name) for name in names],
            self.chosen,
            self.unknown,
            provider_given=self.provider is not None,
            region_given=self.region_given,
            audited=self.auditor is not None,
            resources=self.resources,
            also=also,
            providers=self.catalog.providers,
            spelling=spelling,
        )


def _auditor(catalog: Catalog, tiers: TierTable, provider: str | None, headroom: float, margin: float) -> Auditor:
    # Imported here because most files and frames are not audited.
    from etcdsize.fleet.auditor import Auditor

    return Auditor(catalog, tiers, provider=provider, headroom=headroom, margin=margin, members=MEMBERS)


def _has_any(names: Iterable[Any], keys: Iterable[str]) -> bool:
    return any(has_column_for(map(_text, names), key) for key in keys)


def _reject_without_model(version: str, model: CalibratedModel | None) -> None:
    """Reject a model or a version of etcd where nothing asks the measured model."""
    expected = "expected resources as well, or a column with the machines in use: nothing else asks the measured model"
    if model is not None:
        got = f"one that was calibrated on etcd {model.calibrated_on}"
        raise OptionError(f"model: got {got}, {expected}", option="model", value=model.calibrated_on)
    if version != DEFAULT_VERSION:
        raise OptionError(f"etcd_version: got {shown(version)}, {expected}", option="etcd_version", value=version)


def _text(name: Any) -> str:
    return name if isinstance(name, str) else ""


def _chosen(columns: Any) -> dict[str, str]:
    """Return the columns that were chosen by name."""
    if columns is None:
        return {}
    if not isinstance(columns, Mapping) or not all(isinstance(text, str) for pair in columns.items() for text in pair):
        raise OptionError(
            f'columns: got {shown(columns)}, expected a mapping of names such as {{"clients": "connections"}}',
            option="columns",
            value=columns,
        )
    return dict(columns)
