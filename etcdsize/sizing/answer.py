"""`Sizing`, the answer of `size` for one cluster, and the words for its loads, bounds and machines."""

import contextlib
import functools
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, computed_field, model_validator

from etcdsize.base.model import Answer
from etcdsize.base.notice import Notice
from etcdsize.base.text import in_words, one_line, shown
from etcdsize.catalog.machines import Machine
from etcdsize.catalog.money import Currency, money_text
from etcdsize.errors import InvalidWorkloadError, OptionError, TableError
from etcdsize.etcd.quota import SUGGESTED_QUOTA_BYTES
from etcdsize.fitting.need import Need, find_guide_need, larger_disk
from etcdsize.resources.calibrated_model import CalibratedModel
from etcdsize.resources.profile import Profile
from etcdsize.sizing.basis import Basis, NeedOf, compare_needs, further_fields, need_by
from etcdsize.sizing.load_profile import profile_for
from etcdsize.sizing.notices import NO_MACHINE_FITS
from etcdsize.tiers import Bound
from etcdsize.units import DIMENSIONS, Dimension, format_bytes, format_number, format_percent
from etcdsize.workload import CERTAINTY_PREFIXES, Certainty, Workload

if TYPE_CHECKING:
    from etcdsize.resources.resources import Resources

__all__ = ["Sizing", "bound_text", "cost_text", "figures_text", "load_text", "needs_with"]


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
    machines: Annotated[
        dict[str, Machine],
        Field(
            description="The machine to run each member on, by provider. A provider without a sufficient machine is "
            "left out, and a notice says why."
        ),
    ]
    machines_today: Annotated[
        dict[str, Machine],
        Field(
            description="What to run each member on today, by provider: the same machine, or in place of a previous "
            "generation that the source lists, the one that `fit` recommends for the tier, with its disk and cost."
        ),
    ]
    cost_per_month: Annotated[
        dict[str, float | None],
        Field(
            description="What the whole cluster costs per month on machines_today, by provider: the machine and disk "
            "of every member, in the region and on the date of the machine's cost. [currency] None if unknown. "
            "Without the providers for which there are no prices."
        ),
    ]
    currency: Annotated[
        dict[str, Currency], Field(description="The currency of each cost_per_month that is known, by provider.")
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
            If there are several: use one of `machines`, or call `size(..., provider=...)`; and if there is none.
        """
        if not self.machines:
            raise OptionError(
                f"machine: got none: the catalog {shown(self.catalog)} has no machine of the requested providers that "
                "is enough; the notices say why, and machines is empty",
                option="provider",
                value=(),
            )
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
        # Imported here because it takes time to load and few callers need it.
        from etcdsize.fitting.load_need import load_need

        data = None if self.workload is None else self.workload.loads[2]
        load = None
        # Of a load of 1e300 bytes, not even the quota is a number.
        with contextlib.suppress(InvalidWorkloadError, TableError):
            load = load_need(self.tier, self.tier_data_bytes if data is None else data, self.resources)
        return needs_with(self, load)

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
        known = "writes_per_second" in further_fields(self.workload)
        return need_by(self.tier, self.basis, self.needs, self.load_decides, writes_known=known)

    @property
    def is_beyond_guide(self) -> bool:
        """Whether no published figure says that this machine is enough."""
        return any(notice.severity == "beyond-guide" for notice in self.notices)

    @property
    def lacks_machine(self) -> bool:
        """Whether a provider has machines in the catalog, but none that is enough."""
        return any(notice.code == NO_MACHINE_FITS.code for notice in self.notices)

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
            today, total = self.machines_today.get(name), self.cost_per_month.get(name)
            if today is not None and today != machine:
                sentences.append(f"On {name}, the machine of today is {today} ({figures_text(today)}).")
            if today is not None and total is not None:
                sentences.append(f"On {name}, the cluster costs {cost_text(today, total, self.currency[name])}.")
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


def needs_with(sizing: Sizing, load: Need | None) -> dict[NeedOf, Need]:
    """Return what each member needs by the guide and for a load; None is a load whose need is no number."""
    # Imported here because it takes time to load and few callers need it.
    from etcdsize.fitting.load_need import disk_need_for

    found: dict[NeedOf, Need] = {}
    guide = find_guide_need(sizing.tier, sizing.tier_data_bytes)
    if guide is not None:
        loads = (sizing.bounds["clients"].limit, sizing.bounds["requests_per_second"].limit)
        guide = guide.model_copy(update={"disk": disk_need_for(sizing.tier_data_bytes, *loads)})
        # The guide's disk is for the largest load of the tier, and a load without bound takes more.
        found["guide"] = guide if load is None else guide.model_copy(update={"disk": larger_disk(guide, load)})
    if load is not None:
        found["load"] = load
    return found


_WORDS = {
    "clients": "clients",
    "requests_per_second": "requests per second",
    "data_bytes": "data",
    "kubernetes_nodes": "Kubernetes nodes",
}


def _sentence_start(parts: list[str]) -> str:
    """Return the parts as a list in words, such as `A, b and c`, with a capital letter."""
    text = in_words(parts)
    return text[:1].upper() + text[1:]


def load_text(dimension: str, load: int | float, certainty: Certainty) -> str:
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


def cost_text(machine: Machine, cost_per_month: float, currency: str) -> str:
    """Return a monthly cost, with the region and the date of the machine's cost."""
    where = "" if machine.cost is None else f" ({machine.cost.region}, {machine.cost.date})"
    return f"{money_text(cost_per_month, currency)} a month{where}"
