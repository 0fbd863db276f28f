"""The readers of providers' listings that there are: every module of `catalog/readers/`."""

from __future__ import annotations

import functools
import pkgutil
from importlib import import_module
from types import ModuleType

from etcdsize.base.checks import one_of
from etcdsize.catalog import readers as folder
from etcdsize.catalog.entries import entries_of
from etcdsize.catalog.listing import Imported, collect
from etcdsize.catalog.providers import provider_name
from etcdsize.errors import OptionError

__all__ = ["listing_readers", "read_listing"]


@functools.cache
def listing_readers() -> dict[str, ModuleType]:
    """Return every reader by the name that `catalog import --from` calls it: that of its module."""
    names = [found.name for found in pkgutil.iter_modules(folder.__path__)]
    return {name: import_module(f"{folder.__name__}.{name}") for name in names}


def read_listing(origin: str, source: object, *, date: str = "", provider: str | None = None) -> Imported:
    """Return the machines of a provider's own list, and what became of each entry.

    Parameters
    ----------
    origin : str
        The program that printed the list: aliyun, aws, az, doctl, gcloud, hetzner, huawei, oci, openstack or tencent.
    source : str, bytes, dict or list
        What it printed, as text or parsed JSON: one page, several pages one after the other, a list of pages or of
        entries, or one entry a line. The answer of the provider's API has the same content.
    date : str, optional
        When the list was made.
    provider : str, optional
        The provider's name in the catalog, for a list whose form several providers share (openstack, huawei).

    Returns
    -------
    Imported
        A type without vCPUs or memory is dropped, with the reason. What a list does not say, such as the disk limits of
        a machine, comes from our own row of the same type, else it is unknown. `truncated` says whether pages are
        missing.

    Raises
    ------
    OptionError
        For an unknown origin, and for a provider that the list contradicts.
    TableError
        For input that is not such a list, for an impossible figure, for a field that was renamed so that its meaning is
        open, and for a type with two different figures. The message names row and field.

    Examples
    --------
    >>> page = '''{"InstanceTypes": [{"InstanceType": "m4.large", "VCpuInfo": {"DefaultVCpus": 2},
    ...     "MemoryInfo": {"SizeInMiB": 8192}, "EbsInfo": {"EbsOptimizedInfo": {"BaselineIops": 3600}}}]}'''
    >>> machine = read_listing("aws", page).catalog.machines[0]
    >>> machine.memory_gib, machine.concurrent_iops, machine.disk_mb_per_second
    (8, 3600, None)
    """
    readers = listing_readers()
    reader = readers[one_of("origin", origin, readers)]
    shape = reader.SHAPE
    named = shape.provider if provider is None else provider_name(provider)
    if named != shape.provider and not shape.other_providers:
        raise OptionError(
            f"provider: got {named}, expected {shape.provider}, whose machines {shape.command} lists",
            option="provider",
            value=provider,
        )
    others = [(name, other.SHAPE) for name, other in readers.items() if name != origin]
    entries, pages, continued = entries_of(source, shape, others)
    return collect(
        entries,
        reader.machine_of,
        provider=named,
        command=shape.command,
        date=date,
        pages=pages,
        continued=continued,
    )
