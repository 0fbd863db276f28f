"""Names of machines that nobody knows: which machine of a catalog one may mean."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from etcdsize.base.text import nearest, shown
from etcdsize.catalog.catalog import Catalog
from etcdsize.catalog.machines import Machine

__all__ = ["near_machine", "stated_figures", "unknown_machine"]

# At most four digits of vCPUs and six of memory, so that no serial number is taken for a machine (our choice).
_STATED = re.compile(
    r"([1-9][0-9]{0,3})\s?-?(?:c|cores?|v?cpus?|vc|核)\s?[-/,+_|*x×]?\s?([1-9][0-9]{0,5}(?:\.[0-9]{1,3})?)\s?"
    r"(?:g|gb|gib)(?:\s?(?:ram|memory|mem|内存))?",
    re.IGNORECASE | re.ASCII,
)


def unknown_machine(name: str, catalog: Catalog, machines: Iterable[Machine], provider: str | None = None) -> str:
    """Return why a name that is not one of the machines of a catalog gets no verdict.

    Parameters
    ----------
    name : str
        The name.
    catalog : Catalog
        The catalog.
    machines : iterable of Machine
        Those of its machines that the name may mean.
    provider : str, optional
        The provider whose machine it is, if that is known.
    """
    problem = f"got {shown(name)}, expected a machine of the catalog {shown(catalog.name)}"
    what_to_do = "; add columns with its vCPUs and its memory"
    if provider is not None and provider not in catalog.providers:
        return f"{problem}, which has no machine of {provider}{what_to_do}"
    return problem + (near_machine(name, machines) or what_to_do)


def stated_figures(name: str) -> tuple[float, float] | None:
    """Return the vCPUs and the memory that a name states, None if it is not a name such as `8C16G`. [count, GiB]

    The memory of machines is in GiB, also where people write GB.

    Examples
    --------
    >>> stated_figures("8C16G"), stated_figures("8 vCPU / 32 GB"), stated_figures("8核16G")
    ((8.0, 16.0), (8.0, 32.0), (8.0, 16.0))
    >>> stated_figures("c7.large"), stated_figures("8C")
    (None, None)
    """
    found = _STATED.fullmatch(name.strip())
    return None if found is None else (float(found[1]), float(found[2]))


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
