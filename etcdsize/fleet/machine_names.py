"""Names of machines that a catalog does not have: what is known of them, and which machine a name may mean."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path

from etcdsize.base.text import nearest, shown
from etcdsize.catalog import providers
from etcdsize.catalog.catalog import Catalog
from etcdsize.catalog.machines import Machine
from etcdsize.catalog.provider_file import PartialCpu, read_folder

__all__ = ["find_partial_cpu", "near_machine", "unknown_machine"]


def find_partial_cpu(name: str) -> PartialCpu | None:
    """Return what is known of a machine that does not have its full CPU all the time, None if it is no such machine."""
    return _partial_cpu(providers.FOLDER).get(name.lower())


def unknown_machine(name: str, catalog: Catalog, machines: Iterable[Machine]) -> str:
    """Return why a name that is not one of the machines of a catalog gets no verdict.

    Parameters
    ----------
    name : str
        The name.
    catalog : Catalog
        The catalog.
    machines : iterable of Machine
        Those of its machines that the name may mean.
    """
    partial = find_partial_cpu(name)
    if partial is not None:
        return f"{partial.machine_type} is {partial}; etcd needs its CPU all the time, so it gets no verdict"
    problem = f"got {shown(name)}, expected a machine of the catalog {shown(catalog.name)}"
    near = near_machine(name, machines)
    if near:
        return problem + near
    if catalog.name != "current" and name.lower() in _current_types(providers.FOLDER):
        return f'{problem}; the catalog "current" has it (--catalog current)'
    return problem


def near_machine(name: str, machines: Iterable[Machine]) -> str:
    """Return a suggestion for a misspelt name, or an empty string.

    It is a machine of the same family, so also of the same provider and architecture, and of the same numbers: another
    number is another size, and no typing error.

    Examples
    --------
    >>> from etcdsize import load_catalog
    >>> machines = load_catalog("current").machines
    >>> near_machine("m5.lage", machines), near_machine("Standard_D4_sv5", machines)
    ('; did you mean "m5.large"?', '; did you mean "Standard_D4s_v5"?')
    >>> near_machine("t3.medium", machines), near_machine("m5.24xlarge", machines)
    ('', '')
    """
    family, numbers = _family(name), re.findall(r"[0-9]+", name)
    if family is None:
        return ""
    types = (machine.machine_type for machine in machines if _is_near(machine.machine_type, family, numbers))
    return nearest(name, types)


def _is_near(machine_type: str, family: str, numbers: list[str]) -> bool:
    return _family(machine_type) == family and re.findall(r"[0-9]+", machine_type) == numbers


@functools.lru_cache(maxsize=4096)
def _family(name: str) -> str | None:
    """Return the part of a name that says provider, architecture and family; None if the name is of no known form."""
    lowered = name.lower()
    azure = re.fullmatch(r"standard[ _-]?([a-z]+)[0-9]+[ _-]?([a-z]*)[ _-]?(v[0-9]+)?", lowered)
    if azure is not None:
        return "standard " + " ".join(part or "" for part in azure.groups())
    family, _, size = re.sub(r"[ ._-]+", ".", lowered.strip()).rpartition(".")
    return family if family and size else None


@functools.cache
def _partial_cpu(folder: Path) -> dict[str, PartialCpu]:
    return {one.machine_type.lower(): one for file in read_folder(folder) for one in file.partial_cpu}


@functools.cache
def _current_types(folder: Path) -> frozenset[str]:
    return frozenset(machine.machine_type.lower() for file in read_folder(folder) for machine in file.machines)
