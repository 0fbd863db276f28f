"""Compare the machine of every cluster with its load: `audit` returns a `FleetAudit`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from etcdsize.base.checks import instance_of, one_of
from etcdsize.catalog.catalog import Catalog
from etcdsize.catalog.loading import catalog_for
from etcdsize.errors import InvalidWorkloadError, OptionError
from etcdsize.fleet.audit_columns import Needs
from etcdsize.fleet.auditor import NO_MACHINE, NO_TIER, Auditor, Figures
from etcdsize.fleet.bounds import Bounds, Mask, bounds_of
from etcdsize.fleet.classify import look_up_codes, wrong_region
from etcdsize.fleet.fleet_audit import FleetAudit
from etcdsize.fleet.kernel import INVALID, Codes
from etcdsize.fleet.load_fit import Running, load_fit
from etcdsize.fleet.loads import array_of, classify_arrays, fleet_codes, fleet_columns
from etcdsize.fleet.machine_names import stated_figures
from etcdsize.fleet.resource_columns import FleetResources
from etcdsize.sizing.markets import Markets
from etcdsize.sizing.options import headroom_of, margin_of, members_of, tiers_of, with_tiers
from etcdsize.tiers import TierTable
from etcdsize.units import DIMENSIONS

__all__ = ["audit", "audit_codes"]


def audit_codes(
    auditor: Auditor,
    machine_codes: NDArray[np.uint16],
    columns: Sequence[NDArray[Any] | None],
    load_codes: Codes,
    unknown: Sequence[NDArray[np.bool_] | None] = (None, None, None),
    *,
    tiers: Codes | None = None,
    bounds: Bounds | None = None,
    figures: Figures | None = None,
    names: NDArray[Any] | None = None,
    resources: FleetResources | None = None,
    running: Running | None = None,
    markets: NDArray[np.uint16] | None = None,
) -> FleetAudit:
    """Return the audit of clusters whose machines and tiers are given as indices. The arguments are not checked.

    `load_codes` are the tiers that the loads need, and `tiers` those that the clusters need, where something else than
    the load counts too.
    """
    shape = load_codes.shape
    tiers = load_codes if tiers is None else tiers
    roomy = np.empty(shape, np.uint8)
    classify_arrays(columns, shape, roomy, auditor.tiers, auditor.margin_headroom, None)
    if tiers is not load_codes:
        # What else counts leaves no smaller machine.
        np.copyto(roomy, tiers, where=tiers > np.maximum(load_codes, roomy))
    least = load_codes
    if bounds is not None and any(part.less is not False for part in bounds.parts):
        loads = bounds.least(columns)
        least = np.zeros(shape, np.uint8)
        if any(load is not None for load in loads):
            classify_arrays(loads, shape, least, auditor.tiers, auditor.headroom, None)
    if figures is not None:
        places = np.minimum(machine_codes, len(auditor.capacities))
        counts = auditor.by_figures[places]
        figures = figures._replace(tiers=np.where(counts, figures.tiers, np.int8(NO_TIER)))
    needs = Needs(tiers, load_codes, least, roomy)
    fit = None
    if resources is not None:
        least_load = resources
        if bounds is not None and any(part.less is not False for part in bounds.parts):
            # A load that may be less never shows that a machine is too small.
            may_be_less: dict[str, Mask] = {name: part.less for name, part in zip(DIMENSIONS, bounds.parts)}
            least_load = resources._without(may_be_less)
        how = running or Running()
        fit = load_fit(auditor, machine_codes, figures, tiers, roomy, resources, least_load, how, markets)
    return FleetAudit(
        auditor,
        machine_codes,
        needs,
        columns,
        unknown,
        bounds=bounds,
        figures=figures,
        names=names,
        fit=fit,
        markets=markets,
    )


def audit(
    machine_types: ArrayLike,
    clients: ArrayLike | None,
    requests_per_second: ArrayLike | None,
    data_bytes: ArrayLike | None,
    *,
    lower: Mapping[str, ArrayLike] | None = None,
    upper: Mapping[str, ArrayLike] | None = None,
    partial: ArrayLike = False,
    vcpus: ArrayLike | None = None,
    memory_gib: ArrayLike | None = None,
    provider: str | None = None,
    region: str | ArrayLike | None = None,
    catalog: str | Path | Catalog = "current",
    tiers: str | Path | TierTable = "guide",
    headroom: float = 0.0,
    margin: float = 0.2,
    members: int = 3,
    on_invalid: str = "raise",
    resources: FleetResources | None = None,
    quota_bytes: ArrayLike | None = None,
    volume_gib: ArrayLike | None = None,
    disk_mb_per_second: ArrayLike | None = None,
) -> FleetAudit:
    """Return whether the machines that clusters run on are too small, right or too big.

    A machine counts as the largest tier that it is enough for by its sustained performance (see `fit`). A cluster is
    `under` as soon as its load exceeds a bound of that tier. On a machine of the largest tier it is `beyond` as soon as
    its load exceeds the last published bound. It is `over` only if it would fit a smaller tier with a margin to spare,
    so that a resize does not have to be undone the next day.

    A verdict is given only where it is known. `right` and `over` need all three dimensions, exactly or as upper bounds;
    `under` and `beyond` need a dimension that is exact or a lower bound. Otherwise the verdict is `unknown`.

    Parameters
    ----------
    machine_types : array_like of str, shape (n,)
        The provider's name for the machine that each cluster's members run on.
    clients : array_like, shape (n,), or None
        Concurrent client connections. [count] Scalars broadcast; None means unknown.
    requests_per_second : array_like, shape (n,), or None
        Requests per second. [1/s]
    data_bytes : array_like, shape (n,), or None
        Data stored. [bytes]
    lower, upper : mapping, optional
        Dimension -> True, or booleans of shape (n,), where the load is only a lower or an upper bound: `lower` where it
        may be more, `upper` where it may be less. Both are true of an estimate, which decides nothing.
    partial : array_like of bool, shape (n,)
        Clusters of which only a part was observed, so that the load may be more in every dimension.
    vcpus : array_like, shape (n,), optional
        Virtual CPUs of each machine. [count] With `memory_gib`, they judge a machine that the catalog does not have, or
        whose limits for disks it does not know. NaN where they are unknown.
    memory_gib : array_like, shape (n,), optional
        Memory of each machine. [GiB]
    provider : str, optional
        The provider of every machine; None looks up a machine type in the whole catalog.
    region : str or array_like of str, shape (n,), optional
        The region whose prices count: one for all clusters, which implies their provider, or one per cluster. None is
        the prices that the catalog has.
    catalog : str, Path or Catalog
        The machines in use, and the ones to recommend.
    tiers, headroom, members
        As for `size`.
    margin : float
        The headroom that a smaller tier must still have before a cluster is reported as `over`, in [0, 1).
    on_invalid : {"raise", "mark"}
        What to do about a load that cannot be sized, an unknown machine, or a region that the provider does not have:
        raise an error, or mark the cluster `unknown`.
    resources : FleetResources, optional
        What the loads take by the measured model, from `fleet_resources`. Where it knows more of a load than its three
        dimensions and its nodes, a machine is `under` as soon as its memory or its disk does not hold the low end, and
        `over` only if the smaller machine holds the high end.
    quota_bytes : array_like, shape (n,), optional
        The quota with which each cluster runs, NaN where it is unknown; 0 is etcd's default. [bytes] With `resources`,
        a cluster whose file grows beyond it, at the low end, is `under`.
    volume_gib : array_like, shape (n,), optional
        The size of a member's volume, NaN where it is unknown. [GiB] With `resources`, a cluster whose file and
        write-ahead log are larger, at the low end, is `under`.
    disk_mb_per_second : array_like, shape (n,), optional
        What that volume takes, NaN where it is unknown. [MB/s] With `resources`, a cluster that writes more, at the low
        end, is `under`.

    Raises
    ------
    InvalidWorkloadError, WorkloadTypeError, OptionError
        As for `size_fleet`. `InvalidWorkloadError` is also raised for a machine that is not in the catalog; it suggests
        the nearest name.

    Notes
    -----
    Price differences are for the machines of all members in one region; disks are not included. `reasons` says why a
    verdict is `unknown` or `beyond`, what it rests on, and why a recommended machine is not the one that sizing gives.

    Examples
    --------
    >>> fleet = audit(["m6a.large", "m6a.4xlarge", "m6a.large"], [70, 70, 400], 150, 80e6)
    >>> fleet.verdicts.tolist()
    ['right', 'over', 'under']
    >>> fleet.recommended_machines.tolist()
    ['m6a.large', 'm6a.large', 'm6a.xlarge']
    >>> one = fleet[2]
    >>> one.decided_by, one.utilization, one.tier
    ('clients', 4.0, 'medium')
    """
    one_of("on_invalid", on_invalid, ("raise", "mark"))
    one_region = region if isinstance(region, str) else None
    found, wanted = catalog_for(catalog, provider, one_region)
    if one_region is not None:
        (provider,) = wanted
    auditor = Auditor(
        found,
        tiers_of(tiers),
        provider=provider,
        headroom=headroom_of(headroom),
        margin=margin_of(margin),
        members=members_of(members),
    )
    names = np.asarray(machine_types)
    if names.dtype.kind not in "OUT":
        raise OptionError(
            f"machine_types: got dtype {names.dtype}, expected names of machines", option="machine_types", value=None
        )
    regions = None if region is None or one_region is not None else np.asarray(region, dtype=object)
    other = ("machine_types", names.shape) if regions is None or names.ndim else ("region", regions.shape)
    columns, shape = fleet_columns((clients, requests_per_second, data_bytes), other)
    needs = fleet_codes(columns, shape, auditor.tiers, auditor.headroom, on_invalid)
    bounds = bounds_of(columns, shape, lower, upper, partial)
    names = np.broadcast_to(names, shape)
    codes = look_up_codes(names, auditor.code_of, np.uint16)
    figures = _figures(auditor, vcpus, memory_gib, shape, _stated(names, codes))
    if resources is not None and len(instance_of("resources", resources, FleetResources)) != shape[0]:
        raise InvalidWorkloadError(
            f"resources: got {len(resources)} rows, expected one for each of {shape[0]} clusters"
        )
    running = Running(
        _running("quota_bytes", quota_bytes, shape, resources),
        _running("volume_gib", volume_gib, shape, resources),
        _running("disk_mb_per_second", disk_mb_per_second, shape, resources),
    )
    if on_invalid == "raise" and len(codes) and codes.max() == NO_MACHINE:
        wrong = codes == NO_MACHINE
        if figures is not None:
            wrong &= figures.tiers == NO_TIER
        _reject_unknown(auditor, names, wrong)
    return audit_codes(
        auditor,
        codes,
        columns,
        needs,
        markets=None if regions is None else _markets(auditor, found, regions, codes, needs, on_invalid),
        bounds=bounds,
        figures=figures,
        names=names,
        resources=resources,
        running=running,
    )


def _markets(
    auditor: Auditor,
    catalog: Catalog,
    regions: NDArray[Any],
    machine_codes: NDArray[np.uint16],
    needs: Codes,
    on_invalid: str,
) -> NDArray[np.uint16]:
    """Return the auditor's number of every cluster's market, and mark clusters whose region is not known."""
    try:
        names = np.broadcast_to(regions, needs.shape)
    except ValueError:
        raise InvalidWorkloadError(
            f"region: got the shape {regions.shape}, expected one name, or one per cluster: {needs.shape}",
            dimension="region",
        ) from None
    markets = Markets(catalog, with_tiers(catalog, auditor.tiers), auditor.tiers, catalog.providers)
    number_of = {name: number for number, name in enumerate(catalog.providers)}
    none = len(number_of)
    of = np.array([*(number_of.get(machine.provider, none) for machine in auditor.catalog.machines), none])
    texts: list[Any] = []

    def place_of(name: Any) -> int:
        texts.append(name)
        return len(texts) - 1

    places = look_up_codes(names, place_of, np.uint32).astype(np.int64)
    # Each pair of a region and a provider is looked up once.
    pairs, rows = np.unique(places * (none + 1) + of[np.minimum(machine_codes, len(of) - 1)], return_inverse=True)
    numbers = np.zeros(len(pairs), np.uint16)
    problems: dict[int, str] = {}
    for pair, (place, provider) in enumerate(zip(*np.divmod(pairs, none + 1))):
        name = texts[place]
        if name is None or name != name:
            continue
        there = markets.look_up(None if provider == none else int(provider), name)
        if there.problem:
            problems[pair] = there.problem
        elif there.number is not None:
            # The catalog may have no machine of the provider that a region implies.
            numbers[pair] = auditor.market_numbers([markets.found[there.number].place])[0]
    found = numbers[rows]
    wrong = np.isin(rows, list(problems))
    if on_invalid == "raise" and wrong.any():
        raise wrong_region(names, wrong, problems[int(rows[int(wrong.argmax())])], "audits")
    needs[wrong] = INVALID
    return found


def _running(
    name: str, figures: ArrayLike | None, shape: tuple[int, ...], resources: FleetResources | None
) -> NDArray[np.float64] | None:
    """Return a figure with which clusters run, None if nothing is known of it."""
    array = array_of(name, figures)
    if array is None:
        return None
    if resources is None:
        raise OptionError(f"{name}: needs resources beside it, from fleet_resources", option=name)
    values = array.astype(np.float64)
    if (values < 0).any() or np.isinf(values).any():
        raise InvalidWorkloadError(
            f"{name}: got {values[(values < 0) | np.isinf(values)].flat[0]:g}, expected numbers of 0 or more, and "
            "NaN where it is unknown",
            dimension=name,
        )
    try:
        return np.broadcast_to(values, shape)
    except ValueError:
        raise InvalidWorkloadError(
            f"{name}: got the shape {array.shape}, expected one value, or one per cluster: {shape}", dimension=name
        ) from None


def _reject_unknown(auditor: Auditor, names: NDArray[Any], wrong: NDArray[np.bool_]) -> None:
    """Reject the first machine that is not in the catalog."""
    count = int(np.count_nonzero(wrong))
    if count:
        index = int(wrong.argmax())
        raise InvalidWorkloadError(
            f"machine_types[{index}]: {auditor.unknown_machine(names[index])}"
            f'{"" if count == 1 else f" ({count} clusters)"}; on_invalid="mark" audits the rest',
            dimension="machine_types",
            index=index,
            value=str(names[index]),
            count=count,
        )


def _stated(names: NDArray[Any], codes: NDArray[np.uint16]) -> NDArray[np.float64] | None:
    """Return the vCPUs and the memory that names state which are no machines of the catalog; None if none does."""
    rows = np.flatnonzero(codes == NO_MACHINE)
    found = [stated_figures(name) if isinstance(name, str) else None for name in names[rows].tolist()]
    if not any(found):
        return None
    stated = np.full((2, len(names)), np.nan)
    stated[:, rows] = np.array([one or (np.nan, np.nan) for one in found]).T
    return stated


def _figures(
    auditor: Auditor,
    vcpus: ArrayLike | None,
    memory_gib: ArrayLike | None,
    shape: tuple[int, ...],
    stated: NDArray[np.float64] | None,
) -> Figures | None:
    """Return what the stated figures of the machines say; None if nothing states both of them."""
    columns = []
    for name, given in (("vcpus", vcpus), ("memory_gib", memory_gib)):
        array = array_of(name, given)
        if array is None:
            continue
        values = array.astype(np.float64)
        if (values <= 0).any() or np.isinf(values).any():
            raise InvalidWorkloadError(
                f"{name}: got {values[(values <= 0) | np.isinf(values)].flat[0]:g}, expected numbers above 0, and NaN "
                "where a figure is unknown",
                dimension=name,
            )
        try:
            columns.append(np.broadcast_to(values, shape))
        except ValueError:
            raise InvalidWorkloadError(
                f"{name}: got the shape {array.shape}, expected one value, or one per cluster: {shape}", dimension=name
            ) from None
    if len(columns) == 1:
        raise OptionError("vcpus, memory_gib: got one of the two, expected both or neither", option="vcpus", value=None)
    if stated is not None:
        columns = [np.where(np.isnan(a), b, a) for a, b in zip(columns, stated)] if columns else [*stated]
    return auditor.figures(*columns) if columns else None
