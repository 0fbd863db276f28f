"""What a GCE machine lets through to a kind of network disk: a table of rules by family and vCPUs."""

import functools
from pathlib import Path
from typing import Annotated

from pydantic import Field

from etcdsize.base.model import Date, Model, Name, Positive, read_table
from etcdsize.catalog.disks import DiskLimit

__all__ = ["disk_limits"]

_LIMITS = Path(__file__).parents[1] / "data" / "disk-limits-gce.json"


class _Rule(DiskLimit):
    """The limits for a kind of disk of a family's machines in a range of vCPUs, or of one type."""

    family: Annotated[Name, Field(description="The family.")]
    machine_type: Annotated[Name | None, Field(description="The only type that the rule is for.")] = None
    min_vcpus: Annotated[Positive | None, Field(description="The fewest vCPUs. [count]")] = None
    max_vcpus: Annotated[Positive | None, Field(description="The most vCPUs. [count] None: no limit.")] = None


class _Rules(Model):
    """The table of all rules."""

    name: Annotated[Name, Field(description="The table's name.")]
    source: Annotated[str, Field(description="Where the figures come from.")]
    date: Annotated[Date, Field(description="When the source was read.")]
    rules: Annotated[tuple[_Rule, ...], Field(description="The rules.")]


@functools.cache
def _rules() -> _Rules:
    return read_table(_Rules, _LIMITS)


def disk_limits(family: str, name: str, vcpus: int, *, shared_core: bool) -> tuple[DiskLimit, ...]:
    """Return the limits of a machine. A rule that names the machine goes before the rule of its family.

    A machine that shares its cores has only the limits of rules that name it.
    """
    found: dict[str, _Rule] = {}
    for rule in _rules().rules:
        in_range = rule.family == family and (rule.min_vcpus or 1) <= vcpus <= (rule.max_vcpus or vcpus)
        if rule.machine_type == name:
            found[rule.kind] = rule
        elif rule.machine_type is None and in_range and not shared_core:
            found.setdefault(rule.kind, rule)
    return tuple(DiskLimit(**rule.model_dump(include=set(DiskLimit.model_fields))) for rule in found.values())
