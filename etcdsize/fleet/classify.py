"""Size many loads at once: `classify`, `size_fleet` and `tier_for_kubernetes_nodes` take and return arrays.

`classify` returns tier codes and `size_fleet` returns a `FleetSizing`. This module needs NumPy; sizing a single cluster
does not.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from etcdsize.base.checks import one_of
from etcdsize.base.text import shown
from etcdsize.catalog.catalog import Catalog
from etcdsize.catalog.loading import catalog_for, load_catalog
from etcdsize.catalog.providers import find_provider, misspelt_provider
from etcdsize.errors import InvalidWorkloadError, OptionError, WorkloadTypeError
from etcdsize.fleet.kernel import INVALID, Codes
from etcdsize.fleet.loads import array_of, broadcast, classify_arrays, fleet_codes, fleet_columns, invalid_load
from etcdsize.fleet.sizing import ELSEWHERE, FleetSizing
from etcdsize.sizing.markets import Markets
from etcdsize.sizing.options import headroom_of, members_of, threads_of, tiers_of, with_tiers
from etcdsize.tiers import TierTable
from etcdsize.units import DIMENSIONS

__all__ = [
    "INVALID",
    "classify",
    "look_up_codes",
    "size_fleet",
    "tier_for_kubernetes_nodes",
    "wrong_region",
]

CodeT = TypeVar("CodeT", bound=np.unsignedinteger[Any])


_LARGEST_FLOAT = float(np.finfo(np.float64).max)
# Names that are looked up at a time (our choice).
_BLOCK = 65_536
# The code of a provider that is not given.
_NO_PROVIDER = 253


def classify(
    clients: ArrayLike | None,
    requests_per_second: ArrayLike | None,
    data_bytes: ArrayLike | None,
    *,
    tiers: str | Path | TierTable = "guide",
    headroom: float = 0.0,
    on_invalid: str = "raise",
    out: Codes | None = None,
    threads: int | None = None,
) -> Any:
    """Return the tier of every load, as an index into the tier table.

    Parameters
    ----------
    clients : array_like or None
        Concurrent client connections. [count] The three broadcast; None means unknown.
    requests_per_second : array_like or None
        Requests per second. [1/s]
    data_bytes : array_like or None
        Data stored. [bytes]
    tiers : str, Path or TierTable
        The bounds: `"guide"`, `"etcd.io"`, a file, or a table.
    headroom : float
        The share of every bound to keep free, in [0, 1).
    on_invalid : {"raise", "mark"}
        Whether NaN, infinite and negative loads raise, or are marked with 255 while the rest is sized.
    out : array of uint8, optional
        Array of the broadcast shape to write to. Its contents are undefined after an error.
    threads : int, optional
        Maximum number of threads; None chooses by the size of the input, and 1 starts none.

    Returns
    -------
    array of uint8, or uint8
        The codes, in the broadcast shape: 0 is the smallest tier, 255 (`INVALID`) a load that cannot be sized.

    Raises
    ------
    InvalidWorkloadError
        For a load that cannot be sized, with its dimension, first index, value and count; and for shapes that do not
        broadcast.
    WorkloadTypeError
        For booleans, complex numbers, text, objects and dates.
    OptionError
        For an invalid table, headroom, `on_invalid`, `threads` or `out`.

    Notes
    -----
    Every comparison is exact in the data's own dtype. Besides the output, the call needs less than 16 MB whatever the
    size of the input, or one more byte per row if `out` shares memory with a load.

    Examples
    --------
    >>> classify([90, 300, 2000], [150, 800, 15_000], [80e6, 400e6, 3e9])
    array([0, 1, 3], dtype=uint8)
    """
    table = tiers_of(tiers)
    headroom = headroom_of(headroom)
    one_of("on_invalid", on_invalid, ("raise", "mark"))
    threads = threads_of(threads)
    if out is None:
        found = _single(table, headroom, (clients, requests_per_second, data_bytes))
        if found is not None:
            return found
    arrays = [array_of(name, load) for name, load in zip(DIMENSIONS, (clients, requests_per_second, data_bytes))]
    shape = broadcast(arrays)
    codes = _output(out, shape)
    first = classify_arrays(arrays, shape, codes, table, headroom, threads, spare_loads=on_invalid == "raise")
    if first is not None and on_invalid == "raise":
        raise invalid_load(arrays, shape, first)
    return codes[()] if out is None and not shape else codes


def _single(table: TierTable, headroom: float, loads: tuple[Any, ...]) -> Codes | np.uint8 | None:
    """Return the code of a single load by the scalar rule, which is faster; None if the array path has to decide."""
    numbers: list[int | float | None] = []
    shaped = False
    for load in loads:
        if type(load) is np.ndarray and load.shape == (1,) and load.dtype.kind in "iuf" and load.itemsize <= 8:
            shaped = True
            load = load.item()
        kind = type(load)
        if load is not None and not (
            (kind is float and 0 <= load <= _LARGEST_FLOAT) or (kind is int and 0 <= load < 2**64)
        ):
            return None
        numbers.append(load)
    codes = [code for code in table.tier_codes(tuple(numbers), headroom) if code is not None]
    if not codes:
        return None
    return np.array([max(codes)], np.uint8) if shaped else np.uint8(max(codes))


def _output(out: Any, shape: tuple[int, ...]) -> Codes:
    if out is None:
        return np.empty(shape, np.uint8)
    if not isinstance(out, np.ndarray) or out.dtype != np.uint8 or out.shape != shape or not out.flags.writeable:
        got = f"{out.dtype} of shape {out.shape}" if isinstance(out, np.ndarray) else type(out).__name__
        if isinstance(out, np.ndarray) and not out.flags.writeable:
            got += ", read-only"
        raise OptionError(
            f"out: got {got}, expected a writeable uint8 array of shape {shape}", option="out", value=None
        )
    return out


def tier_for_kubernetes_nodes(nodes: ArrayLike, *, tiers: str | Path | TierTable = "guide") -> Any:
    """Return the name of the tier whose example Kubernetes cluster has at least this many nodes.

    Parameters
    ----------
    nodes : int or array_like of int
        Nodes of the Kubernetes cluster. [count]
    tiers : str, Path or TierTable
        The tier table.

    Returns
    -------
    str, or array of str
        One name for a number, an array of names for an array. More nodes than in any example need the last tier.

    Raises
    ------
    InvalidWorkloadError
        For negative numbers, NaN and infinity.

    Examples
    --------
    >>> tier_for_kubernetes_nodes(200)
    'medium'
    >>> tier_for_kubernetes_nodes([50, 51, 5000]).tolist()
    ['small', 'medium', 'xlarge']

    Notes
    -----
    The guide's examples (50, 250, 1000 and 3000 nodes) are read as "at most" (our choice). Nodes are a poor
    measure of load: etcd's clients are the API servers.
    """
    table = tiers_of(tiers)
    array = array_of("kubernetes_nodes", nodes)
    if array is None:
        raise WorkloadTypeError("kubernetes_nodes: got None, expected a number of nodes", dimension="kubernetes_nodes")
    bad = ~((array >= 0) & np.isfinite(array))
    if bad.any():
        value = array[bad].flat[0]
        raise InvalidWorkloadError(
            f"kubernetes_nodes: got {value}, expected a number of 0 or more",
            dimension="kubernetes_nodes",
            value=value.item(),
            count=int(bad.sum()),
        )
    examples = [tier.kubernetes_nodes for tier in table.tiers[:-1]]
    names = np.array(table.names, dtype=object)[np.searchsorted(examples, array)]
    return names if array.ndim else str(names)


def size_fleet(
    clients: ArrayLike | None,
    requests_per_second: ArrayLike | None,
    data_bytes: ArrayLike | None,
    *,
    provider: str | ArrayLike | None = None,
    region: str | ArrayLike | None = None,
    catalog: str | Path | Catalog | None = None,
    tiers: str | Path | TierTable = "guide",
    headroom: float = 0.0,
    members: int = 3,
    on_invalid: str = "raise",
) -> FleetSizing:
    """Return the sizing of a whole fleet as a structure of arrays.

    Parameters
    ----------
    clients : array_like, shape (n,), or None
        Concurrent client connections. [count] Scalars broadcast; None means unknown.
    requests_per_second : array_like, shape (n,), or None
        Requests per second. [1/s]
    data_bytes : array_like, shape (n,), or None
        Data stored. [bytes]
    provider : str or array_like of str, shape (n,), optional
        The provider: one name for all clusters, or a name per cluster, such as aws, alibaba or one of your own.
        Clusters of a provider without machines get a tier. With None, the machines are known only if the catalog has
        one provider.
    region : str or array_like of str, shape (n,), optional
        The region whose prices count: one for all clusters, or one per cluster, None for the prices that the catalog
        has. Without a provider, the region implies it.
    catalog, tiers, headroom, members
        As for `size`.
    on_invalid : {"raise", "mark"}
        Whether a load that cannot be sized, a misspelt provider, or a region that the provider does not have, raises or
        is marked.

    Raises
    ------
    InvalidWorkloadError, WorkloadTypeError, OptionError
        As for `classify` and `size`.

    Examples
    --------
    >>> fleet = size_fleet([90, 300], [150, 800], [80e6, 400e6], provider=["aws", "gcp"])
    >>> fleet.tier_names.tolist(), fleet.machine_types.tolist()
    (['small', 'medium'], ['m4.large', 'n1-standard-4'])
    >>> fleet.counts()
    {'small': 1, 'medium': 1, 'large': 0, 'xlarge': 0}
    >>> size_fleet([90, 300], [150, 800], [80e6, 400e6], region=["eu-central-1", "europe-west4"]).price_regions.tolist()
    ['eu-central-1', 'europe-west4']
    """
    table = tiers_of(tiers)
    places = None if region is None or isinstance(region, str) else np.asarray(region, dtype=object)
    one_region = region if isinstance(region, str) else None
    if (provider is None or isinstance(provider, str)) and (provider is not None or places is None):
        found, wanted = catalog_for(catalog, provider, one_region)
        provider = wanted[0] if one_region is not None and len(wanted) == 1 else provider
    else:
        found = catalog if isinstance(catalog, Catalog) else load_catalog("guide" if catalog is None else catalog)
        found = found if one_region is None else found.in_region(one_region)
    machines = with_tiers(found, table)
    headroom, members = headroom_of(headroom), members_of(members)
    one_of("on_invalid", on_invalid, ("raise", "mark"))
    names = None if provider is None or isinstance(provider, str) else np.asarray(provider)
    other = None if names is None else ("provider", names.shape)
    if places is not None and (other is None or places.ndim):
        other = ("region", places.shape)
    columns, shape = fleet_columns((clients, requests_per_second, data_bytes), other)
    codes = fleet_codes(columns, shape, table, headroom, on_invalid)
    if isinstance(provider, str):
        has = wanted[0] in machines.providers
        providers: str | Codes | None = wanted[0] if has else np.full(shape, ELSEWHERE, np.uint8)
    elif names is None:
        providers = None
    else:
        providers = _provider_codes(np.broadcast_to(names, shape), machines, codes, on_invalid)
    if places is None:
        return FleetSizing(columns, codes, providers, machines, table, headroom, members)
    markets = Markets(found, machines, table, (providers,) if isinstance(providers, str) else machines.providers)
    given = providers if isinstance(providers, np.ndarray) else None
    numbers = _market_codes(np.broadcast_to(places, shape), given, markets, codes, on_invalid)
    return FleetSizing(columns, codes, numbers, machines, table, headroom, members, markets=markets.found)


def _market_codes(
    names: NDArray[Any], providers: Codes | None, markets: Markets, codes: Codes, on_invalid: str
) -> Codes:
    """Return the number of every cluster's market, and mark clusters whose provider or region is not known."""
    given = np.full(len(names), _NO_PROVIDER, np.uint8) if providers is None else providers
    problems: dict[tuple[Any, int], str] = {}

    def code_of(pair: Any) -> int:
        name, provider = pair
        if provider in (INVALID, ELSEWHERE):
            return int(provider)
        place = markets.look_up(None if provider == _NO_PROVIDER else provider, name)
        problems[pair] = place.problem
        return place.number if place.number is not None else ELSEWHERE if place.elsewhere else INVALID

    pairs = np.empty(len(names), object)
    pairs[:] = list(zip(names.tolist(), given.tolist(), strict=True))
    found = look_up_codes(pairs, code_of, np.uint8)
    # A provider that is misspelt is marked already.
    bad = (found == INVALID) & (given != INVALID)
    codes[found == INVALID] = INVALID
    if on_invalid == "raise" and bad.any():
        raise wrong_region(names, bad, problems[pairs[int(bad.argmax())]], "sizes")
    return found


def wrong_region(names: NDArray[Any], wrong: NDArray[np.bool_], problem: str, does: str) -> InvalidWorkloadError:
    """Return the error about the first of some wrong regions; `does` is what is done with the rest if asked to."""
    index, count = int(wrong.argmax()), int(np.count_nonzero(wrong))
    how_many = "" if count == 1 else f" ({count} clusters)"
    return InvalidWorkloadError(
        f'region[{index}]: {problem}{how_many}; on_invalid="mark" {does} the rest',
        dimension="region",
        index=index,
        value=str(names[index]),
        count=count,
    )


def look_up_codes(names: NDArray[Any], code_of: Callable[[Any], int], dtype: type[CodeT]) -> NDArray[CodeT]:
    """Return the code of every name, looking up each distinct name only once."""

    class Known(dict[Any, int]):
        def __missing__(self, name: Any) -> int:
            code = self[name] = code_of(name)
            return code

    known = Known()
    found = np.empty(len(names), dtype)
    for start in range(0, len(names), _BLOCK):
        block = names[start : start + _BLOCK].tolist()
        try:
            codes = np.fromiter(map(known.__getitem__, block), dtype, len(block))
        except TypeError:
            # Something that cannot be a key is no name either; `code_of` says so.
            codes = np.fromiter(map(code_of, block), dtype, len(block))
        found[start : start + _BLOCK] = codes
    return found


def _provider_codes(names: NDArray[Any], catalog: Catalog, codes: Codes, on_invalid: str) -> Codes:
    """Return the index of every cluster's provider in the catalog, and mark clusters whose provider is misspelt."""
    code_of_provider = {provider: code for code, provider in enumerate(catalog.providers)}

    def code_of(name: Any) -> int:
        if not isinstance(name, str) or not name.strip():
            return INVALID
        code = code_of_provider.get(find_provider(name) or "")
        return code if code is not None else INVALID if misspelt_provider(name, catalog.providers) else ELSEWHERE

    found = look_up_codes(names, code_of, np.uint8)
    bad = found == INVALID
    codes[bad] = INVALID
    unknown = int(np.count_nonzero(bad))
    if unknown and on_invalid == "raise":
        index = int(bad.argmax())
        name = names[index]
        is_text = isinstance(name, str) and name.strip()
        reason = (
            misspelt_provider(name, catalog.providers)
            if is_text
            else f"got {shown(name)}, expected the name of a provider"
        )
        how_many = "" if unknown == 1 else f" ({unknown} clusters)"
        raise InvalidWorkloadError(
            f'provider[{index}]: {reason}{how_many}; on_invalid="mark" sizes the rest',
            dimension="provider",
            index=index,
            value=str(name),
            count=unknown,
        )
    return found
