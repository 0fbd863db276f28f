"""Load catalogs: by name or from a file, or with the machines of the providers and the region that are asked for."""

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etcdsize.base.model import read_table
from etcdsize.base.text import in_words
from etcdsize.catalog import providers
from etcdsize.catalog.catalog import Catalog
from etcdsize.catalog.providers import known_providers, misspelt_provider, provider_name
from etcdsize.errors import OptionError
from etcdsize.tiers import find_file

if TYPE_CHECKING:
    from etcdsize.catalog.provider_file import CatalogHeader

__all__ = ["BUILT_IN", "catalog_for", "load_catalog", "names_of_providers", "usual_providers"]

_DATA = Path(__file__).parents[1] / "data"
BUILT_IN = ("guide", "guide-as-printed", "current")


def load_catalog(name_or_path: str | Path) -> Catalog:
    """Return a catalog: a built-in one by name, or a user's own JSON file.

    Parameters
    ----------
    name_or_path : str or Path
        `"guide"`, `"guide-as-printed"`, `"current"`, or the path of a file with the fields of `Catalog`, such as
        `etcdsize/data/machines-guide.json`.

    Raises
    ------
    OptionError
        For a name that is neither a built-in catalog nor a file.
    TableError
        For a file that breaks a rule of `Catalog`. The message names file, row and field.

    Examples
    --------
    >>> [machine.machine_type for machine in load_catalog("guide").machines][:2]
    ['m4.large', 'n1-standard-2']
    """
    if isinstance(name_or_path, str) and name_or_path in BUILT_IN:
        return _current(providers.FOLDER) if name_or_path == "current" else _built_in(str(name_or_path))
    return read_table(Catalog, find_file("catalog", name_or_path, BUILT_IN), is_own=True)


def usual_providers() -> tuple[str, ...]:
    """Return the providers that the catalog `current` answers for if none is named."""
    return _header().default_providers


def names_of_providers(provider: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return the providers that an argument names; none for None."""
    if provider is None:
        return ()
    names: tuple[Any, ...]
    try:
        names = (provider,) if isinstance(provider, str) else tuple(provider)
    except TypeError:
        names = (provider,)  # rejected below, by its name
    if not names:
        raise OptionError("provider: got no name, expected one or more", option="provider", value=provider)
    return tuple(dict.fromkeys(map(provider_name, names)))


def catalog_for(
    catalog: str | Path | Catalog | None,
    provider: str | Iterable[str] | None,
    region: str | Iterable[str] | None = None,
) -> tuple[Catalog, tuple[str, ...]]:
    """Return a catalog with the machines of the requested providers, at the prices of a region, and the providers.

    Without a request they are those of the region, or those that the catalog answers for by default. Of the built-in
    catalog `current`, the files of other providers are not read. A provider may be one of which the catalog has no
    machines: then those that it has are of others.

    Parameters
    ----------
    catalog : str, Path, Catalog or None
        As for `load_catalog`. None is `guide`, or `current` for a provider of which only that has machines.
    provider : str or iterable of str, optional
        The names.
    region : str or iterable of str, optional
        As for `Catalog.in_region`.

    Raises
    ------
    OptionError, TableError
        As for `load_catalog` and `Catalog.in_region`; and for what is no name, or looks like a misspelt one.
    """
    names, regions = names_of_providers(provider), dict[str, str]()
    if region is not None and (catalog is None or catalog == "current"):
        # Imported here because most answers are about no region.
        from etcdsize.catalog.regions import regions_of

        regions = regions_of(region, names or None, _header().default_providers)
        names = names or tuple(regions)
    if catalog is None:
        known = set(names).intersection(known_providers())
        catalog = "guide" if known.issubset(load_catalog("guide").providers) else "current"
    if isinstance(catalog, str) and catalog == "current":
        header = _header()
        wanted = tuple(name for name in names or header.default_providers if name in known_providers())
        found = _current(providers.FOLDER, wanted or header.default_providers)
    else:
        found = catalog if isinstance(catalog, Catalog) else load_catalog(catalog)
        if region is not None and not regions:
            regions = found._regions_named(region, names or None)
            names = names or tuple(regions)
    for name in names:
        problem = "" if name in found.providers else misspelt_provider(name, found.providers)
        if problem:
            raise OptionError(f"provider: {problem}", option="provider", value=name)
    names = names or found.default_providers or found.providers
    found = _of_providers(found, names)
    return _at_prices_of(found, tuple(regions.items())) if regions else found, names


@functools.lru_cache(maxsize=16)
def _at_prices_of(catalog: Catalog, regions: tuple[tuple[str, str], ...]) -> Catalog:
    """Return a catalog at the prices of regions, which are given with their providers."""
    return catalog._at_prices_of(dict(regions))


@functools.lru_cache(maxsize=64)
def _of_providers(catalog: Catalog, providers: tuple[str, ...]) -> Catalog:
    """Return a catalog with the machines and the disks of some providers, if it has any and assigns no tiers."""
    has = set(catalog.providers)
    if catalog.has_tiers or has.isdisjoint(providers) or has.issubset(providers):
        return catalog
    return catalog.model_copy(
        update={
            "default_providers": (),
            "machines": tuple(machine for machine in catalog.machines if machine.provider in providers),
            "disk_kinds": tuple(kind for kind in catalog.disk_kinds if kind.provider in providers),
            "unfit": tuple(unfit for unfit in catalog.unfit if unfit.provider in providers),
        }
    )


@functools.cache
def _built_in(name: str) -> Catalog:
    return read_table(Catalog, _DATA / f"machines-{name}.json")


@functools.cache
def _header() -> "CatalogHeader":
    # Imported here because most sizings need neither the module nor the files: they use the guide's catalog.
    from etcdsize.catalog.provider_file import CatalogHeader

    return read_table(CatalogHeader, _DATA / "machines-current.json")


@functools.cache
def _current(folder: Path, names: tuple[str, ...] | None = None) -> Catalog:
    """Return the machines and disks of providers with a data file in a folder, by default of all of them."""
    from etcdsize.catalog.provider_file import read_folder

    header, files = _header(), read_folder(folder, names)
    # Each file is validated. A test holds that they make a valid catalog: to check it here would take a quarter longer.
    return Catalog.model_construct(
        name=header.name,
        title=header.title.replace("{providers}", in_words([file.title for file in files])),
        source=header.source,
        date=header.date,
        default_providers=header.default_providers if names is None else (),
        machines=tuple(machine for file in files for machine in file.machines),
        disk_kinds=tuple(kind for file in files for kind in file.disk_kinds),
    )
