"""Size one cluster: `size` returns a `Sizing`, with the reasons for it and its notices.

This path does not use NumPy: `TierTable.tier_codes` classifies a single load.
"""

import contextlib
import functools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, computed_field, model_validator

from etcdsize.base.checks import whole_number
from etcdsize.base.model import Answer
from etcdsize.base.notice import Notice
from etcdsize.base.text import one_line, shown
from etcdsize.catalog.catalog import Catalog, providers_of
from etcdsize.catalog.machines import Machine
from etcdsize.errors import InvalidWorkloadError, OptionError, TableError, WorkloadTypeError
from etcdsize.etcd.quota import SUGGESTED_QUOTA_BYTES
from etcdsize.etcd.version_names import DEFAULT_VERSION, version_names
from etcdsize.fitting.need import Need, find_guide_need
from etcdsize.fitting.today import machine_today
from etcdsize.resources.calibrated_model import CalibratedModel, model_of
from etcdsize.resources.profile import Profile
from etcdsize.sizing.basis import Basis, NeedOf, basis_of, compare_needs, further_fields, need_by
from etcdsize.sizing.load_profile import profile_for
from etcdsize.sizing.machines import TierMachines
from etcdsize.sizing.notices import (
    inexact_notice,
    load_notices,
    member_notices,
    nodes_notice,
    open_tier_notice,
    value_notices,
)
from etcdsize.sizing.options import catalog_of, headroom_of, members_of, tiers_of
from etcdsize.sizing.quorum import failure_tolerance, quorum
from etcdsize.tiers import Bound, TierTable
from etcdsize.units import DIMENSIONS, Dimension, format_bytes, format_number, format_percent
from etcdsize.workload import CERTAINTY_PREFIXES, Certainty, Workload

if TYPE_CHECKING:
    from etcdsize.resources.resources import Resources

Load = int | float | str | None

__all__ = ["Sizing", "size"]

_LARGEST_FLOAT = 1.7976931348623157e308


class Sizing(Answer):
    """What one cluster needs, and why. It converts to JSON and back without loss."""

    workload: Annotated[
        Workload | Profile | None, Field(description="The load. None if only Kubernetes nodes were given.")
    ]
    kubernetes_nodes: Annotated[int | None, Field(description="Nodes of the Kubernetes cluster, if given.")]
    tier: Annotated[str, Field(description="The tier's name, by the guide.")]
    basis: Annotated[Basis, Field(description="What may decide the machine, as asked.")]
    load_decides: Annotated[
        bool, Field(description="Whether what the load takes counts for the machine, and not the tier alone.")
    ]
    machine_tier: Annotated[
        str,
        Field(description="The tier whose machines these are: `tier`, or the smallest that is enough for the load."),
    ]
    etcd_version: Annotated[str, Field(description="The version of etcd for what the load takes.")]
    model: Annotated[
        CalibratedModel | None,
        Field(description="The calibrated model for what the load takes, as given. None: the model of etcdsize."),
    ]
    machines: Annotated[dict[str, Machine], Field(description="The machine to run each member on, by provider.")]
    machines_today: Annotated[
        dict[str, Machine],
        Field(
            description="What to run each member on today, by provider: the same machine, or in place of a previous "
            "generation that the source lists, the one that `fit` recommends for the tier, with its disk and cost."
        ),
    ]
    usd_month: Annotated[
        dict[str, float | None],
        Field(
            description="What the whole cluster costs per month on machines_today, by provider: the machine and disk "
            "of every member, in the region and on the date of the machine's cost. [US dollars] None if unknown. "
            "Without the providers for which there are no prices."
        ),
    ]
    members: Annotated[int, Field(ge=1, description="Members of the cluster. [count]")]
    quorum: Annotated[int, Field(ge=1, description="Members that must agree on every write. [count]")]
    failure_tolerance: Annotated[
        int, Field(ge=0, description="Members that may fail while the cluster still writes. [count]")
    ]
    bounds: Annotated[
        dict[Dimension, Bound],
        Field(description="The tier's bound in each dimension; for the open tier, the last bound of the table."),
    ]
    is_open_tier: Annotated[bool, Field(description="Whether this is the last tier, which has no bounds of its own.")]
    utilization: Annotated[
        dict[Dimension, float], Field(description="Load / bound, without headroom, for each known dimension.")
    ]
    headroom: Annotated[dict[Dimension, float], Field(description="1 - utilization.")]
    headroom_asked: Annotated[float, Field(ge=0, lt=1, description="The share of every bound to keep free, as asked.")]
    forced_by: Annotated[
        tuple[Literal["clients", "requests_per_second", "data_bytes", "kubernetes_nodes"], ...],
        Field(
            description="The dimensions that need this tier on their own, highest utilization first. Empty for the "
            "smallest tier."
        ),
    ]
    tier_alone: Annotated[
        dict[Literal["clients", "requests_per_second", "data_bytes", "kubernetes_nodes"], str],
        Field(description="The tier that each known dimension needs on its own."),
    ]
    tier_of_the_rest: Annotated[
        str | None,
        Field(
            description="If one dimension alone needs this tier, the tier that is enough for the other known ones. "
            "None otherwise."
        ),
    ]
    tightest: Annotated[Dimension | None, Field(description="The dimension nearest its bound.")]
    tiers: Annotated[str, Field(description="The name of the tier table.")]
    catalog: Annotated[str, Field(description="The name of the catalog.")]
    notices: Annotated[tuple[Notice, ...], Field(description="What to know before you rely on this answer.")]

    @model_validator(mode="before")
    @classmethod
    def _without_computed(cls, value: Any) -> Any:
        """Leave out what follows from the other fields."""
        if isinstance(value, dict):
            return {name: part for name, part in value.items() if name not in cls.model_computed_fields}
        return value

    @property
    def machine(self) -> Machine:
        """The machine, if there is only one provider.

        Raises
        ------
        OptionError
            If there are several: use one of `machines`, or call `size(..., provider=...)`.
        """
        if len(self.machines) != 1:
            raise OptionError(
                f"machine: got {len(self.machines)} machines, one for each provider ({', '.join(self.machines)}), "
                'expected one; use machines["aws"], for example, or call size(..., provider="aws")',
                option="provider",
                value=tuple(self.machines),
            )
        return next(iter(self.machines.values()))

    @property
    def machine_today(self) -> Machine | None:
        """What to run each member on today, if there is only one provider; None if that is unknown.

        Raises
        ------
        OptionError
            If there are several: use one of `machines_today`, or call `size(..., provider=...)`.
        """
        return self.machines_today.get(self.machine.provider)

    @property
    def tier_data_bytes(self) -> int | float:
        """The most data that the tier is for; for the open tier, the 8 GiB that etcd suggests as a maximum. [bytes]"""
        return SUGGESTED_QUOTA_BYTES if self.is_open_tier else self.bounds["data_bytes"].limit

    @property
    def profile(self) -> Workload:
        """The load with everything that is known of it; for Kubernetes nodes alone, the load of such a cluster."""
        return profile_for(self.workload, self.kubernetes_nodes)

    @functools.cached_property
    def resources(self) -> "Resources":
        """What the load takes, by the measured model."""
        from etcdsize.resources.resources import resources_for

        return resources_for(self.profile, etcd_version=self.etcd_version, model=self.model)

    def _find_needs(self) -> dict[NeedOf, Need]:
        """Return what each member needs: by the guide for the tier, and for the load itself by the measured model."""
        # Imported here because they take time to load and few callers need them.
        from etcdsize.fitting.load_need import disk_need_for, load_need

        found: dict[NeedOf, Need] = {}
        guide = find_guide_need(self.tier, self.tier_data_bytes)
        if guide is not None:
            loads = (self.bounds["clients"].limit, self.bounds["requests_per_second"].limit)
            found["guide"] = guide.model_copy(update={"disk": disk_need_for(self.tier_data_bytes, *loads)})
        data = None if self.workload is None else self.workload.loads[2]
        # Of a load of 1e300 bytes, not even the quota is a number.
        with contextlib.suppress(InvalidWorkloadError, TableError):
            found["load"] = load_need(self.tier, self.tier_data_bytes if data is None else data, self.resources)
        return found

    def _find_comparison(self) -> Notice:
        return compare_needs(self.needs, self.basis, self.load_decides, self.workload, self.kubernetes_nodes)

    needs: ClassVar[functools.cached_property[dict[NeedOf, Need]]] = computed_field(
        description="What each member needs: by the guide for the tier, and for the load itself. Without the guide's "
        "for a tier of which it has no machine, and without the load's if that is too large for a number."
    )(functools.cached_property(_find_needs))
    comparison: ClassVar[functools.cached_property[Notice]] = computed_field(
        description="Which need decides and why, and where the two differ."
    )(functools.cached_property(_find_comparison))

    @property
    def need(self) -> Need:
        """What every member needs: the guide's need, the load's, or the larger of the two, by the basis.

        Raises
        ------
        InvalidWorkloadError
            If the load decides, and is so large that what it takes is no longer a number.
        """
        if self.load_decides and "load" not in self.needs:
            # It says why.
            _ = self.resources
        return need_by(self.tier, self.basis, self.needs, self.load_decides)

    @property
    def is_beyond_guide(self) -> bool:
        """Whether no published figure says that this machine is enough."""
        return any(notice.severity == "beyond-guide" for notice in self.notices)

    def explain(self) -> str:
        """Return the answer and its reasons in a few plain sentences, one on each line."""
        sentences = [f"{self._load_and_verb()} the {self.tier} tier."]
        if self.forced_by:
            sentences.append(self._reason())
        elif self.workload is not None:
            sentences.append("It is the smallest tier.")
        if self.tightest is not None:
            shares = [
                f"{_WORDS[name]} {format_percent(share)} ({bound_text(name, self.bounds[name])})"
                for name, share in self.utilization.items()
            ]
            sentences.append(f"Utilization: {', '.join(shares)}. The tightest dimension is {_WORDS[self.tightest]}.")
        if self.headroom_asked:
            sentences.append(f"{format_percent(self.headroom_asked)} of every bound is kept free as headroom.")
        for name, machine in self.machines.items():
            sentences.append(f"On {name}, run each member on {machine} ({figures_text(machine)}).")
            today, total = self.machines_today.get(name), self.usd_month.get(name)
            if today is not None and today != machine:
                sentences.append(f"On {name}, the machine of today is {today} ({figures_text(today)}).")
            if today is not None and total is not None:
                sentences.append(f"On {name}, the cluster costs {cost_text(today, total)}.")
        members = "1 member" if self.members == 1 else f"{self.members} members"
        may_fail = {0: "no member", 1: "1 member"}.get(self.failure_tolerance, f"{self.failure_tolerance} members")
        sentences.append(f"With {members}, the quorum is {self.quorum} and {may_fail} may fail.")
        notices = (*self.notices, self.comparison)
        sentences.extend(f"Notice ({notice.code}): {notice.text}" for notice in notices)
        return "\n".join(map(one_line, sentences))

    def _load_and_verb(self) -> str:
        """Return the load as the subject of a sentence, such as `300 clients and 400 MB of data need`."""
        loads = dict(zip(DIMENSIONS, self.workload.loads)) if self.workload is not None else {}
        bounds = dict(zip(DIMENSIONS, self.workload.certainties)) if self.workload is not None else {}
        loads = {name: load for name, load in loads.items() if name in self.utilization}
        parts = [load_text(name, load, bounds[name]) for name, load in loads.items() if load is not None]
        plural = loads.get("requests_per_second") is not None or loads.get("clients") not in (None, 1)
        if self.kubernetes_nodes is not None:
            nodes = "node" if self.kubernetes_nodes == 1 else "nodes"
            parts.append(f"a Kubernetes cluster of {self.kubernetes_nodes} {nodes}")
        return f"{_sentence_start(parts)} {'need' if plural or len(parts) > 1 else 'needs'}"

    def _reason(self) -> str:
        """Return the sentence that names the dimensions which need this tier on their own."""
        subject = _sentence_start([f"the {_WORDS[name]}" for name in self.forced_by])
        if len(self.forced_by) > 1:
            return f"{subject} each need this tier on their own."
        reason = f"{subject} alone {'needs' if self.forced_by[0] == 'data_bytes' else 'need'} this tier"
        return f"{reason}." if self.tier_of_the_rest is None else f"{reason}; the rest needs {self.tier_of_the_rest}."


_WORDS = {
    "clients": "clients",
    "requests_per_second": "requests per second",
    "data_bytes": "data",
    "kubernetes_nodes": "Kubernetes nodes",
}


def _sentence_start(parts: list[str]) -> str:
    """Return the parts as a list in words, such as `A, b and c`, with a capital letter."""
    text = " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
    return text[:1].upper() + text[1:]


def inexact_deciders(workload: Workload, codes: Sequence[int | None]) -> dict[Dimension, Certainty]:
    """Return the loads that alone need the tier, if each of them may be lower than it seems; none otherwise."""
    highest = max((code for code in codes if code is not None), default=0)
    deciding = {name: bound for name, bound, code in zip(DIMENSIONS, workload.certainties, codes) if code == highest}
    return deciding if highest and {"upper", "estimate"}.issuperset(deciding.values()) else {}


def load_text(dimension: str, load: int | float, certainty: Certainty = "exact") -> str:
    """Return a load with its unit, such as `300 clients`, `400 MB of data` or `about 9 clients`."""
    prefix = CERTAINTY_PREFIXES[certainty]
    if dimension == "data_bytes":
        return f"{prefix}{format_bytes(load)} of data"
    unit = "clients" if dimension == "clients" else "requests/s"
    return f"{prefix}{format_number(load)} {unit[:-1] if load == 1 and unit == 'clients' else unit}"


def bound_text(dimension: str, bound: Bound) -> str:
    """Return a bound in words, such as `at most 100` or `below 200`."""
    limit = format_bytes(bound.limit) if dimension == "data_bytes" else format_number(bound.limit)
    return f"{'at most' if bound.inclusive else 'below'} {limit}"


def figures_text(machine: Machine) -> str:
    """Return a machine's figures in one line."""
    parts = [f"{machine.vcpus} vCPU{'s' if machine.vcpus > 1 else ''}", f"{format_number(machine.memory_gib)} GiB"]
    iops, bandwidth = machine.concurrent_iops, machine.disk_mb_per_second
    parts.append("unknown IOPS" if iops is None else f"{format_number(iops)} concurrent IOPS")
    parts.append("unknown MB/s" if bandwidth is None else f"{format_number(bandwidth)} MB/s")
    return ", ".join(parts)


def cost_text(machine: Machine, usd_month: float) -> str:
    """Return a monthly cost, with the region and the date of the machine's cost."""
    where = "" if machine.cost is None else f" ({machine.cost.region}, {machine.cost.date})"
    return f"${usd_month:,.2f} a month{where}"


def size(
    workload: Workload | None = None,
    *,
    clients: Load = None,
    requests_per_second: Load = None,
    data_bytes: Load = None,
    kubernetes_nodes: int | None = None,
    provider: str | Iterable[str] | None = None,
    catalog: str | Path | Catalog = "guide",
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
        aws, azure or gce. None means every provider of the catalog.
    catalog : str, Path or Catalog
        The machines: `"guide"`, `"guide-as-printed"`, `"current"`, a file, or a catalog. If the catalog does not
        assign machines to tiers, each tier gets the cheapest machine that is enough, with its disk; `fit` explains
        the choice.
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
        For an unknown provider, table or catalog, a headroom outside [0, 1), fewer than one member, or a model of
        another version.

    Examples
    --------
    >>> sizing = size(clients=300, requests_per_second=800, data_bytes="400MB", provider="aws")
    >>> sizing.tier, sizing.machine.machine_type, sizing.tightest
    ('medium', 'm4.xlarge', 'requests_per_second')
    """
    table = tiers_of(tiers)
    machines = catalog_of(catalog, table)
    providers = providers_of(machines, provider)
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
    notices: tuple[Notice, ...] = ()
    inexact = inexact_deciders(workload, codes) if workload is not None and nodes_code < code else {}
    if inexact:
        notices += (inexact_notice(inexact, tier.name, names[max(lower)] if lower else None),)
    if code == len(table.tiers) - 1:
        if kubernetes_nodes is not None and kubernetes_nodes > tier.kubernetes_nodes:
            past.append("kubernetes_nodes")
        notices += (open_tier_notice(table, past),)
    if kubernetes_nodes is not None:
        notices += (nodes_notice(table),)
    by_load = basis == "measured" or (basis == "larger" and bool(further_fields(workload)))
    # The guide's machine for the open tier is for the data that etcd suggests at most.
    much_data = loads[2] is not None and loads[2] > SUGGESTED_QUOTA_BYTES
    past_bounds = much_data or bool(set(past) - {"data_bytes"})
    found = _machines_for_tier(machines, providers, tier.name, table)
    about_values = value_notices(workload)

    def fields(found: TierMachines) -> dict[str, Any]:
        """Return the fields that depend on the machines."""
        pairs = (*found.chosen, *found.today)
        about_load = load_notices(loads if workload is not None else (), pairs, is_inexact=bool(inexact))
        costs = {name: machine.cost.usd_month for name, machine in found.today if machine.cost is not None}
        return {
            "machines": dict(found.chosen),
            "machines_today": dict(found.today),
            "usd_month": {name: None if cost is None else cost * members for name, cost in costs.items()},
            "notices": (*member_notices(members), *found.notices, *about_load, *about_values, *notices),
        }

    sizing = Sizing(
        workload=workload,
        kubernetes_nodes=kubernetes_nodes,
        tier=tier.name,
        basis=basis,
        load_decides=by_load or (basis == "larger" and past_bounds),
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
    if not by_load:
        return sizing
    # Imported here because most sizings do not need it.
    from etcdsize.sizing.load_machines import machines_for_load

    machine_tier, found = machines_for_load(sizing.need, catalog, machines, providers, table, code, basis)
    return sizing.model_copy(update={**fields(found), "machine_tier": machine_tier})


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
    chosen = tuple((name, catalog.machine_for(name, tier)) for name in providers)
    found = ((name, machine_today(machine, tiers)) for name, machine in chosen)
    return TierMachines.of(chosen, tuple((name, machine) for name, machine in found if machine is not None))
