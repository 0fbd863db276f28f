"""Size one cluster: `size` returns a `Sizing`, with the reasons for it and its notices.

This path does not use NumPy: `TierTable.tier_codes` classifies a single load.
"""

import functools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from etcdsize.base.checks import whole_number
from etcdsize.base.notice import Notice
from etcdsize.base.text import shown
from etcdsize.catalog.catalog import Catalog
from etcdsize.catalog.loading import catalog_for
from etcdsize.errors import InvalidWorkloadError, OptionError, WorkloadTypeError
from etcdsize.etcd.quota import SUGGESTED_QUOTA_BYTES
from etcdsize.etcd.version_names import DEFAULT_VERSION, version_names
from etcdsize.fitting.need import DiskNeed
from etcdsize.fitting.today import machine_today
from etcdsize.resources.calibrated_model import CalibratedModel, model_of
from etcdsize.resources.notices import implausible_nodes
from etcdsize.resources.profile import Profile
from etcdsize.sizing.answer import Sizing
from etcdsize.sizing.basis import Basis, basis_of, further_fields
from etcdsize.sizing.machines import TierMachines
from etcdsize.sizing.notices import (
    inexact_notice,
    load_notices,
    member_notices,
    no_machines_notice,
    nodes_notice,
    open_tier_notice,
    value_notices,
)
from etcdsize.sizing.options import headroom_of, members_of, tiers_of, with_tiers
from etcdsize.sizing.quorum import failure_tolerance, quorum
from etcdsize.tiers import Bound, TierTable
from etcdsize.units import DIMENSIONS, Dimension
from etcdsize.workload import Certainty, Workload

Load = int | float | str | None

__all__ = ["inexact_deciders", "size"]

_LARGEST_FLOAT = 1.7976931348623157e308


def size(
    workload: Workload | None = None,
    *,
    clients: Load = None,
    requests_per_second: Load = None,
    data_bytes: Load = None,
    kubernetes_nodes: int | None = None,
    provider: str | Iterable[str] | None = None,
    region: str | Iterable[str] | None = None,
    catalog: str | Path | Catalog | None = None,
    tiers: str | Path | TierTable = "guide",
    headroom: float = 0.0,
    members: int = 3,
    basis: Basis = "larger",
    etcd_version: str = DEFAULT_VERSION,
    model: str | Path | CalibratedModel | None = None,
) -> Sizing:
    """Return what one cluster needs: tier, machine, utilization, and why.

    Parameters
    ----------
    workload : Workload or Profile, optional
        The load. Alternatively, pass its dimensions by name.
    clients : int or float, optional
        Concurrent client connections. [count] None if unknown, as for the other dimensions.
    requests_per_second : int, float or str, optional
        Requests per second. [1/s] A number, or text such as `"2k"`.
    data_bytes : int, float or str, optional
        Data stored. [bytes] A number, or text such as `"400MB"`.
    kubernetes_nodes : int, optional
        Nodes of the Kubernetes cluster that etcd serves. [count] If there is a load as well, the larger tier wins.
    provider : str or iterable of str, optional
        The names of providers, such as aws, alibaba or one of your own. A provider that has no machine in the catalog,
        or none that is enough, gets a tier and a notice. None means the providers that the catalog answers for: all of
        them, or aws, azure and gce in `"current"`.
    region : str or iterable of str, optional
        The region whose prices count, such as `"eu-west-1"`, which implies its provider, or `"aws=eu-west-1"`. None
        means the prices that the catalog has, each with its region.
    catalog : str, Path, Catalog or None
        The machines: `"guide"`, `"guide-as-printed"`, `"current"`, a file, or a catalog. If the catalog does not
        assign machines to tiers, each tier gets the cheapest machine that is enough, with its disk; `fit` explains
        the choice. None means `"guide"`, or `"current"` for a provider of which only that has machines.
    tiers : str, Path or TierTable
        The bounds: `"guide"`, `"etcd.io"`, a file, or a table.
    headroom : float
        The share of every bound to keep free, in [0, 1).
    members : int
        Voting members of the cluster. [count]
    basis : {"larger", "guide", "measured"}
        What decides the machine: the guide's need for the tier, the load's by the measured model, or the larger of the
        two. With clients, requests and data alone, `"larger"` is the guide's; it counts the load once a further field
        of `Profile` is known, the data is past the 8 GiB that etcd suggests, or another dimension is past the last
        bound of the tiers.
    etcd_version : str
        The version for what the load takes, such as `"3.6"` or `"3.6.16"`.
    model : str, Path or CalibratedModel, optional
        What `calibrate` measured on a machine of yours, for what the load takes. None is the model of etcdsize.

    Raises
    ------
    InvalidWorkloadError
        For a load that cannot be sized, or if nothing is known of it.
    WorkloadTypeError
        For a load that is not a number.
    OptionError
        For an unknown provider, region, table or catalog, a headroom outside [0, 1), fewer than one member, or a model
        of another version.

    Examples
    --------
    >>> sizing = size(clients=300, requests_per_second=800, data_bytes="400MB", provider="aws")
    >>> sizing.tier, sizing.machine.machine_type, sizing.tightest
    ('medium', 'm4.xlarge', 'requests_per_second')
    """
    table = tiers_of(tiers)
    own, providers = catalog_for(catalog, provider, region)
    machines = with_tiers(own, table)
    missing = tuple(name for name in providers if name not in machines.providers)
    providers = tuple(name for name in providers if name not in missing)
    headroom, members = headroom_of(headroom), members_of(members)
    basis = basis_of(basis)
    etcd_version = _version(etcd_version)
    model = model_of(model, etcd_version)
    workload = _workload(workload, clients, requests_per_second, data_bytes, kubernetes_nodes)

    loads: tuple[int | float | None, ...] = (None, None, None)
    code, nodes_code = 0, -1
    codes: tuple[int | None, ...] = loads  # type: ignore[assignment]
    if workload is not None:
        loads = _known_loads(workload, kubernetes_nodes)
        codes = table.tier_codes(loads, headroom)
        code = max((alone for alone in codes if alone is not None), default=0)
    if kubernetes_nodes is not None:
        kubernetes_nodes = _checked_nodes(kubernetes_nodes)
        nodes_code = sum(kubernetes_nodes > tier.kubernetes_nodes for tier in table.tiers[:-1])
        code = max(code, nodes_code)

    bounds: dict[Any, Bound] = {dimension: table.reference(code, dimension) for dimension in DIMENSIONS}
    shares: dict[Any, float] = {}
    past: list[str] = []
    for dimension, load in zip(DIMENSIONS, loads):
        if load is not None:
            bound = bounds[dimension]
            shares[dimension] = min(float(load) / float(bound.limit), _LARGEST_FLOAT)
            if not bound.fits(load):
                past.append(dimension)
    forced_by: list[Any] = []
    if code:
        forced_by = [dimension for dimension, alone in zip(DIMENSIONS, codes) if alone == code]
        forced_by.sort(key=lambda dimension: -shares[dimension])
        if nodes_code == code:
            forced_by.append("kubernetes_nodes")

    names = table.names
    alone: dict[Any, str] = {d: names[each] for d, each in zip(DIMENSIONS, codes) if each is not None}
    if nodes_code >= 0:
        alone["kubernetes_nodes"] = names[nodes_code]
    lower = [each for each in (*codes, nodes_code) if each is not None and 0 <= each < code]

    tier = table.tiers[code]
    notices: tuple[Notice, ...] = (no_machines_notice(own, missing),) if missing else ()
    inexact = inexact_deciders(workload, codes) if workload is not None and nodes_code < code else {}
    if inexact:
        notices += (inexact_notice(inexact, tier.name, names[max(lower)] if lower else None),)
    if code == len(table.tiers) - 1:
        if kubernetes_nodes is not None and kubernetes_nodes > tier.kubernetes_nodes:
            past.append("kubernetes_nodes")
        notices += (open_tier_notice(table, past),)
    if kubernetes_nodes is not None:
        notices += (nodes_notice(table), *implausible_nodes(kubernetes_nodes))
    # The guide's machine for the open tier is for the data that etcd suggests at most.
    much_data = loads[2] is not None and loads[2] > SUGGESTED_QUOTA_BYTES
    past_bounds = much_data or bool(set(past) - {"data_bytes"})
    is_asked = basis == "measured" or (basis == "larger" and bool(further_fields(workload)))
    by_load = is_asked or (basis == "larger" and past_bounds)
    found = _machines_for_tier(machines, providers, tier.name, table)
    about_values = value_notices(workload)

    def fields(found: TierMachines, disk: DiskNeed | None = None) -> dict[str, Any]:
        """Return the fields that depend on the machines, which have this disk, or that of the tier."""
        pairs = (*found.chosen, *found.today)
        known = loads if workload is not None else ()
        about_load = load_notices(known, pairs, disk, is_inexact=bool(inexact))
        costs = {name: machine.cost for name, machine in found.today if machine.cost is not None}
        return {
            "machines": dict(found.chosen),
            "machines_today": dict(found.today),
            "cost_per_month": {
                name: None if cost.per_month is None else cost.per_month * members for name, cost in costs.items()
            },
            "currency": {name: cost.currency for name, cost in costs.items() if cost.per_month is not None},
            # The nodes may be counted among the objects of the load, too.
            "notices": tuple(
                dict.fromkeys((*member_notices(members), *found.notices, *about_load, *about_values, *notices))
            ),
        }

    # Every part is validated already, and building a schema of all of them takes longer than the answer.
    sizing = Sizing.model_construct(
        workload=workload,
        kubernetes_nodes=kubernetes_nodes,
        tier=tier.name,
        basis=basis,
        load_decides=by_load,
        machine_tier=tier.name,
        etcd_version=etcd_version,
        model=model,
        members=members,
        quorum=quorum(members),
        failure_tolerance=failure_tolerance(members),
        bounds=bounds,
        is_open_tier=code == len(table.tiers) - 1,
        utilization=shares,
        headroom={dimension: 1.0 - share for dimension, share in shares.items()},
        headroom_asked=headroom,
        forced_by=tuple(forced_by),
        tier_alone=alone,
        tier_of_the_rest=names[max(lower)] if len(forced_by) == 1 and lower else None,
        tightest=max(shares, key=shares.__getitem__) if shares else None,
        tiers=table.name,
        catalog=machines.name,
        **fields(found),
    )
    # A load past all bounds whose need is no number has the machines of its tier.
    if not by_load or not (is_asked or "load" in sizing.needs):
        return sizing
    # Imported here because most sizings do not need it.
    from etcdsize.sizing.load_machines import machines_for_load

    need = sizing.need
    machine_tier, found = machines_for_load(need, own, machines, providers, table, code, basis)
    return sizing.model_copy(update={**fields(found, need.disk), "machine_tier": machine_tier})


def _workload(
    workload: Workload | None, clients: Any, requests_per_second: Any, data_bytes: Any, kubernetes_nodes: Any
) -> Workload | None:
    """Return the load, passed in one of the two ways, or None if there are only Kubernetes nodes."""
    by_name = clients is not None or requests_per_second is not None or data_bytes is not None
    if workload is not None:
        if not isinstance(workload, Workload):
            raise WorkloadTypeError(
                f"workload: got {shown(workload)} of type {type(workload).__name__}, expected a Workload; "
                "or pass clients=, requests_per_second= and data_bytes= by name"
            )
        if by_name:
            raise OptionError(
                "workload: got a workload and dimensions by name, expected only one of them", option="workload"
            )
        return workload
    if not by_name and kubernetes_nodes is not None:
        return None
    return Workload(clients=clients, requests_per_second=requests_per_second, data_bytes=data_bytes)


def _known_loads(
    workload: Workload, kubernetes_nodes: int | None
) -> tuple[int | float | None, int | float | None, int | float | None]:
    """Return the three loads; with nodes, without those that a preset assumes: the guide has examples of nodes."""
    if kubernetes_nodes is None or not isinstance(workload, Profile) or not workload.assumptions:
        return workload.loads
    assumed = {one.field for one in workload.assumptions}
    clients, requests, data = (None if name in assumed else getattr(workload, name) for name in DIMENSIONS)
    return clients, requests, data


def _checked_nodes(value: Any) -> int:
    number = whole_number(value)
    if number is None:
        raise WorkloadTypeError(
            f"kubernetes_nodes: got {shown(value)} of type {type(value).__name__}, expected an integer of 0 or more",
            dimension="kubernetes_nodes",
            value=value,
        )
    if not 0 <= number < 2**64:
        raise InvalidWorkloadError(
            f"kubernetes_nodes: got {shown(value)}, expected an integer of 0 or more",
            dimension="kubernetes_nodes",
            value=value,
        )
    return number


def _version(value: Any) -> str:
    """Return the name of a version of etcd, which may have a patch."""
    if isinstance(value, str) and value in version_names():
        return str(value)
    # Imported here because the table of versions takes time to load.
    from etcdsize.etcd.versions import load_versions

    return str(load_versions().version(value))


@functools.lru_cache(maxsize=1024)
def _machines_for_tier(catalog: Catalog, providers: tuple[str, ...], tier: str, tiers: TierTable) -> TierMachines:
    """Return every provider's machine for a tier, what to run today in its place, and the notices about both."""
    chosen = {name: catalog.find_for(name, tier) for name in providers}
    today = {
        name: machine_today(machine, tiers, catalog.regions.get(name))
        for name, machine in chosen.items()
        if machine is not None
    }
    return TierMachines.of(catalog, tier, chosen, today)


def inexact_deciders(workload: Workload, codes: Sequence[int | None]) -> dict[Dimension, Certainty]:
    """Return the loads that alone need the tier, if each of them may be lower than it seems; none otherwise."""
    highest = max((code for code in codes if code is not None), default=0)
    deciding = {name: bound for name, bound, code in zip(DIMENSIONS, workload.certainties, codes) if code == highest}
    return deciding if highest and {"upper", "estimate"}.issuperset(deciding.values()) else {}
