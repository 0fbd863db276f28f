"""The readers of providers' lists that there are: every module of `catalog/readers/` and `catalog/price_readers/`."""

from __future__ import annotations

import functools
import pkgutil
from importlib import import_module
from pathlib import Path
from types import ModuleType

from etcdsize.base.checks import one_of, text_of
from etcdsize.catalog import price_readers as price_folder
from etcdsize.catalog import readers as folder
from etcdsize.catalog.catalog import Catalog
from etcdsize.catalog.entries import entries_of
from etcdsize.catalog.listing import Imported, collect
from etcdsize.catalog.loading import load_catalog
from etcdsize.catalog.price_lists import Priced, apply_prices
from etcdsize.catalog.providers import provider_name
from etcdsize.errors import OptionError

__all__ = ["listing_readers", "price_origin", "price_readers", "read_listing", "read_price_list"]


@functools.cache
def listing_readers() -> dict[str, ModuleType]:
    """Return every reader by the name that `catalog import --from` calls it: that of its module."""
    return _modules(folder)


@functools.cache
def price_readers() -> dict[str, ModuleType]:
    """Return every reader of a price list by the name that `catalog prices --from` calls it."""
    return {name.replace("_", "-"): module for name, module in _modules(price_folder).items()}


def price_origin(provider: str) -> str:
    """Return the name of the list that has a provider's prices: csv where none is known."""
    return {reader.PROVIDER: name for name, reader in price_readers().items()}.get(provider, "csv")


def _modules(package: ModuleType) -> dict[str, ModuleType]:
    names = [found.name for found in pkgutil.iter_modules(package.__path__)]
    return {name: import_module(f"{package.__name__}.{name}") for name in names}


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


def read_price_list(
    origin: str, source: object, catalog: str | Path | Catalog = "current", *, region: str | None = None, date: str = ""
) -> Priced:
    """Return a catalog with the prices of a provider's list, and what became of each entry of the list.

    Parameters
    ----------
    origin : str
        What the list is: aws-prices, azure-prices, cyclenerd or gce-skus.
    source : str, bytes, dict or list
        The list as text, or as parsed JSON: one page, or several one after the other.
    catalog : str, Path or Catalog, optional
        The machines and disks to be priced, as for `load_catalog`. What the list has no price for keeps its own.
    region : str, optional
        The provider's name of the region; it may be left out where the list has prices of one region alone.
    date : str, optional
        When the list was made; it may be left out where the list says it, as that of AWS does.

    Returns
    -------
    Priced
        Prices on demand of Linux machines, and of network disks. A machine of Google costs what its vCPUs and its
        memory do. Where a list has two different prices for something, neither is taken.

    Raises
    ------
    OptionError
        For an unknown origin, a region that is not in the list, and a missing date.
    TableError
        For input that is not such a list, an impossible price, and prices in two currencies.

    Examples
    --------
    >>> page = '''{"Items": [{"type": "Consumption", "productName": "Virtual Machines Dsv5 Series",
    ...     "meterName": "D2s v5", "armSkuName": "Standard_D2s_v5", "armRegionName": "westeurope", "retailPrice": 0.115,
    ...     "unitOfMeasure": "1 Hour", "currencyCode": "USD"}]}'''
    >>> priced = read_price_list("azure-prices", page, date="2026-11-27")
    >>> priced.catalog.machine("azure", "Standard_D2s_v5").price.per_hour, priced.region, priced.used
    (0.115, 'westeurope', 1)
    """
    readers = price_readers()
    reader = readers[one_of("origin", origin, readers)]
    priced = catalog if isinstance(catalog, Catalog) else load_catalog(catalog)
    region = None if region is None else text_of("region", region)
    reading = reader.reading_of(source)
    return apply_prices(
        [reading], priced, provider=reader.PROVIDER, region=region, date=text_of("date", date), source=reader.COMMAND
    )
