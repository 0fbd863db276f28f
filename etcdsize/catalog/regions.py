"""The regions of providers: their names, where they are, and which one a user's text means.

`data/regions.csv` has a region a row, with the names of its place and its continent. A region belongs to one provider,
which it therefore implies; a name that several providers have is asked about.
"""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from etcdsize.base.checks import names_of
from etcdsize.base.text import in_words, nearest, shown
from etcdsize.catalog.providers import find_provider
from etcdsize.errors import OptionError

__all__ = ["Region", "known_regions", "near_region", "region_named", "regions_of"]

_FILE = Path(__file__).parents[1] / "data" / "regions.csv"
# Regions that a message lists, of all providers together (our choice).
_MOST_LISTED = 12


class Region(NamedTuple):
    """A region of a provider."""

    provider: str
    name: str
    places: tuple[str, ...]
    """What people call the place, in one or two languages."""
    continent: str

    def __str__(self) -> str:
        return f"{self.provider}={self.name}"


@functools.cache
def known_regions() -> dict[str, dict[str, Region]]:
    """Return the regions by provider and name."""
    found: dict[str, dict[str, Region]] = {}
    with _FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            region = Region(row["provider"], row["region"], tuple(row["places"].split(";")), row["continent"])
            found.setdefault(region.provider, {})[region.name] = region
    return found


def regions_of(
    asked: str | Iterable[str],
    named: Sequence[str] | None,
    usual: Sequence[str],
    others: Mapping[str, Iterable[str]] | None = None,
) -> dict[str, str]:
    """Return the region of each provider that a user asks for.

    Parameters
    ----------
    asked : str or iterable of str
        Regions such as `"eu-west-1"`, or `"aws=eu-west-1"` with the provider.
    named : sequence of str or None
        The providers that the user names; None if there are none.
    usual : sequence of str
        The providers that answer if none is named.
    others : mapping, optional
        Provider -> further regions, such as those of a user's own prices.

    Raises
    ------
    OptionError
        For a region that no provider has, that several have, or that is not one of the named provider; and for two
        regions of one provider.

    Examples
    --------
    >>> regions_of("eu-west-1", None, ("aws", "azure", "gce"))
    {'aws': 'eu-west-1'}
    >>> regions_of(["gce=europe-west4", "West Europe"], None, ("aws", "azure", "gce"))
    {'gce': 'europe-west4', 'azure': 'westeurope'}
    """
    if named is not None and not named:
        raise OptionError("provider: got no name, expected one or more", option="provider", value=named)
    found: dict[str, str] = {}
    for text in names_of("region", asked):
        provider, name = _region_of(text, named, usual, others or {})
        if found.get(provider, name) != name:
            raise OptionError(
                f"region: got {shown(found[provider])} and {shown(name)} of {provider}, expected one region of a "
                "provider",
                option="region",
                value=text,
            )
        found[provider] = name
    if not found:
        raise OptionError("region: got no name, expected one or more", option="region", value=asked)
    return found


def _region_of(
    text: str, named: Sequence[str] | None, usual: Sequence[str], others: Mapping[str, Iterable[str]]
) -> tuple[str, str]:
    prefix, equals, rest = text.partition("=")
    if equals:
        provider = find_provider(prefix)
        if provider is None:
            raise OptionError(
                f"region: got {shown(text)}, expected a region such as eu-west-1, or aws=eu-west-1 with its provider",
                option="region",
                value=text,
            )
        if named is not None and provider not in named:
            raise OptionError(
                f"region: got {shown(text)}, expected a region of {in_words(named, 'or')}, as the provider is named",
                option="region",
                value=text,
            )
        name = region_named(rest, provider, others.get(provider, ()))
        if name is None:
            raise _unknown(text, rest, (provider,), others)
        return provider, name
    every = tuple(dict.fromkeys((*known_regions(), *others)))
    # The providers that would answer anyway come before the others, which may have a region of the same name.
    for providers in (usual, every) if named is None else (named,):
        has = {
            provider: name
            for provider in providers
            if (name := region_named(text, provider, others.get(provider, ()))) is not None
        }
        if len(has) > 1:
            choices = [f"{provider}={name}" for provider, name in has.items()]
            raise OptionError(
                f"region: got {shown(text)}, which {in_words(has)} both have; write {in_words(choices, 'or')}",
                option="region",
                value=text,
            )
        if has:
            return next(iter(has.items()))
    raise _unknown(text, text, usual if named is None else named, others)


def region_named(text: str, provider: str, others: Iterable[str] = ()) -> str | None:
    """Return the region of a provider that a text names; None if it has no such region.

    Case does not matter, and neither do the spaces of a name such as `West Europe`.
    """
    word = _word(text)
    return next((name for name in (*known_regions().get(provider, ()), *others) if _word(name) == word), None)


def _word(name: str) -> str:
    return "".join(name.lower().split())


def near_region(text: str, providers: Iterable[str]) -> str:
    """Return the regions that a wrong name may mean, as a suggestion; an empty string if there is none.

    They are the regions of a place of that name, the region of a zone of that name, or else the nearest name. Names
    that begin differently, and one-word names with another country, may lie on another continent, so they are not
    suggested.

    Examples
    --------
    >>> near_region("Frankfurt", ("aws", "gce"))
    '; did you mean aws=eu-central-1 or gce=europe-west3?'
    >>> near_region("europe-west4-b", ("gce",)), near_region("eu-wset-1", ("aws",))
    ('; did you mean gce=europe-west4?', '; did you mean aws=eu-west-1?')
    """
    word = _word(text)
    candidates = [region for name in providers for region in known_regions().get(name, {}).values()]
    found = [region for region in candidates if word in map(_word, region.places)]
    if not found:
        starts = [region for region in candidates if word.startswith(region.name)]
        longest = max((len(region.name) for region in starts), default=0)
        found = [region for region in starts if len(region.name) == longest]
    if not found:
        alike = {region.name: region for region in candidates if _start(region.name) == _start(word)}
        if not _start(word):
            alike = {name: region for name, region in alike.items() if _country(name) in _ends(word)} or alike
        near = nearest(word, alike)
        found = [region for name, region in alike.items() if f'"{name}"' in near]
    return f"; did you mean {in_words([*map(str, found)], 'or')}?" if found else ""


def _start(name: str) -> str:
    """Return the part of a region's name before the first hyphen; names without one have none in common."""
    start, hyphen, _ = name.partition("-")
    return start if hyphen else ""


def _country(name: str) -> str:
    """Return the country of a region's name that is one word, such as westus2: what is left without the rest."""
    return re.sub("north|south|east|west|central|[0-9]", "", name)


def _ends(word: str) -> set[str]:
    """Return all that a name begins or ends with, whatever its number."""
    word = word.rstrip("0123456789")
    return {part for size in range(1, len(word) + 1) for part in (word[:size], word[-size:])}


def _unknown(text: str, name: str, providers: Sequence[str], others: Mapping[str, Iterable[str]]) -> OptionError:
    # A place is suggested with every provider that is there, unless one is named.
    every = (region for regions in known_regions().values() for region in regions.values())
    is_place = any(_word(name) in map(_word, region.places) for region in every)
    near = "" if is_place and len(providers) > 1 else near_region(name, providers)
    near = near or near_region(name, known_regions())
    most = max(_MOST_LISTED // len(providers), 2)
    lists = "; ".join(_listed(provider, others.get(provider, ()), most) for provider in providers)
    # The suggestion comes first, because the list is long.
    meant = f" ({near.removeprefix('; ')})" if near else ""
    return OptionError(
        f"region: got {shown(text)}{meant}, expected a region of {lists}",
        option="region",
        value=text,
    )


def _listed(provider: str, others: Iterable[str], most: int) -> str:
    names = sorted({*known_regions().get(provider, ()), *others})
    if not names:
        return f"{provider}, which has no known regions"
    return f"{provider} ({', '.join(names[:most])}{', ...' if len(names) > most else ''})"
