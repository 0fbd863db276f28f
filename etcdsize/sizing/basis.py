"""Which of two needs decides the machine: the guide's for the tier, or the load's by the measured model.

The guide gives the tier. What the load itself takes stands beside it, and both are named.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from etcdsize.base.checks import one_of
from etcdsize.base.notice import Notice, NoticeKind
from etcdsize.base.text import in_words
from etcdsize.catalog.figures import rounded_text
from etcdsize.etcd.quota import SUGGESTED_QUOTA_BYTES
from etcdsize.fitting.need import FIGURES, Need, find_guide_need, larger_disk, larger_need, need_of_tier
from etcdsize.sizing.load_profile import nodes_left_out
from etcdsize.tiers import TierTable
from etcdsize.workload import Workload

__all__ = [
    "BASES",
    "GUIDE_MACHINE",
    "LOW_END_ONLY",
    "Basis",
    "NeedOf",
    "basis_of",
    "compare_needs",
    "further_fields",
    "load_above_machines",
    "need_by",
    "tier_for",
]

Basis = Literal["larger", "guide", "measured"]
BASES: tuple[Basis, ...] = ("larger", "guide", "measured")
"""What may decide the machine: the larger need, the guide's need, or the load's."""
NeedOf = Literal["guide", "load"]

_SOURCE = "our choice"
GUIDE_AND_LOAD = NoticeKind("guide-and-load", "info", _SOURCE)
GUIDE_MACHINE = NoticeKind(
    "guide-machine",
    "warning",
    _SOURCE,
    "the guide's machine, although more is known about the load, or it is past the last bound: etcdsize size names a "
    "machine for the load",
)
"""Of the rows of a fleet."""
LOW_END_ONLY = NoticeKind(
    "low-end-only",
    "warning",
    "the measured model",
    "a machine, a quota or a volume that is enough only for the low end of the load: the column reason says which "
    "columns to fill in",
)
"""Of the rows of a fleet that is audited."""
LOAD_ABOVE_MACHINE = NoticeKind("load-above-machine", "beyond-guide", _SOURCE)

_WORDS = {
    "vcpus": "{} vCPUs",
    "memory_gib": "{} GiB of memory",
    "concurrent_iops": "{} concurrent IOPS",
    "disk_mb_per_second": "{} MB/s",
}


def basis_of(value: Any) -> Basis:
    """Return the basis if it is one."""
    found = one_of("basis", value, BASES)
    return next(basis for basis in BASES if basis == found)


def further_fields(load: Workload | None) -> tuple[str, ...]:
    """Return which fields of a load are known besides clients, requests and data."""
    if load is None or type(load) is Workload:
        return ()
    known = load.model_fields_set - set(Workload.model_fields) - {"assumptions"}
    return tuple(name for name in type(load).model_fields if name in known and getattr(load, name) not in (None, ()))


def need_by(
    tier: str, basis: Basis, needs: Mapping[NeedOf, Need], load_decides: bool, *, writes_known: bool = False
) -> Need:
    """Return the need that decides; `needs` may lack one of the two."""
    guide, load = needs.get("guide"), needs.get("load")
    if load is None:
        return need_of_tier(tier, 0) if guide is None else guide
    if guide is None or basis == "measured":
        return load
    if load_decides:
        return larger_need(guide, load, writes_known=writes_known)
    # The guide's disk is for the largest load of the tier, and a load without bound takes more.
    return guide.model_copy(update={"disk": larger_disk(guide, load)})


def tier_for(need: Need, tiers: TierTable) -> int | None:
    """Return the index of the smallest tier whose machine in the guide is enough for a need, None where none is."""
    for index, name in enumerate(tiers.names):
        guide = find_guide_need(name, 0)
        if guide is not None and all(getattr(guide, figure) >= getattr(need, figure) for figure in FIGURES):
            return index
    return None


def compare_needs(
    needs: Mapping[NeedOf, Need],
    basis: Basis,
    load_decides: bool,
    workload: Workload | None,
    kubernetes_nodes: int | None,
) -> Notice:
    """Return the line that says which need decides and why, and where the two differ."""
    known = further_fields(workload)
    guide, load = needs.get("guide"), needs.get("load")
    if load is None:
        return GUIDE_AND_LOAD("The load is so large that what it takes is no longer a number.", severity="warning")
    if guide is None:
        why = f"The load decides, because the guide has no machine for {load.tier}"
    elif basis != "larger":
        why = f"The {'guide' if basis == 'guide' else 'load'} decides, as asked"
    elif load_decides:
        given = f"{in_words(known)} {'is' if len(known) == 1 else 'are'} known"
        why = f"The larger need decides, because {given if known else _past_what(workload)}"
    else:
        only = "clients, requests and data are"
        if kubernetes_nodes is not None:
            only = (
                "the number of nodes is" if workload is None else "clients, requests, data and the number of nodes are"
            )
        why = f"The guide decides, because only {only} known"
    left_out = nodes_left_out(workload, kubernetes_nodes)
    if left_out is not None:
        why += f". {left_out.text.removesuffix('.')}"
    text = f"{why}. Memory for the load: {load.because['memory_gib']}"
    if guide is None:
        return GUIDE_AND_LOAD(f"{text}.")
    more = [name for name in FIGURES if getattr(load, name) > getattr(guide, name)]
    text += f"; the guide's machine for {guide.tier} has {_figures(guide, ['memory_gib'])}"
    if more:
        text += f", and the load needs more: {_figures(load, more)}"
    return GUIDE_AND_LOAD(f"{text}.", severity="warning" if more and not load_decides else "info")


def _past_what(workload: Workload | None) -> str:
    """Return why the guide has no machine for a load of which no further field is known."""
    data = None if workload is None else workload.loads[2]
    if data is not None and data > SUGGESTED_QUOTA_BYTES:
        return "the data is past the 8 GiB that etcd suggests as a maximum"
    return "the load is past the last bound of the tiers"


def load_above_machines(need: Need, machines: Sequence[str]) -> Notice:
    """Return the notice about machines that have too little for the load."""
    reason = need.because.get("memory_gib")
    takes = _figures(need, FIGURES) + (f" ({reason})" if reason else "")
    return LOAD_ABOVE_MACHINE(
        f"Each member needs {takes}: {in_words(machines)} {'has' if len(machines) == 1 else 'have'} less. "
        "etcdsize fit looks for machines that are enough."
    )


def _figures(need: Need, names: Sequence[str]) -> str:
    return ", ".join(_WORDS[name].format(rounded_text(getattr(need, name))) for name in names)
