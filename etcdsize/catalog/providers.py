"""The known providers and their names: one data file for each, `data/machines-current/<provider>.json`.

Providers without a data file are known by name only (`data/other-providers.json`), so that none is taken for a typing
error.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator

from etcdsize.base.text import in_words, shown
from etcdsize.errors import OptionError

__all__ = ["FOLDER", "Provider", "find_provider", "known_providers", "misspelt_provider", "provider_name"]

_DATA = Path(__file__).parents[1] / "data"
FOLDER = _DATA / "machines-current"

# More than this is another word (our choice).
_MOST_EDITS = 2


def known_providers() -> tuple[str, ...]:
    """Return the known providers, in alphabetical order: a provider is known once it has a data file."""
    return _names(FOLDER)


def provider_name(name: object) -> str:
    """Return the provider that a name or an alias means, whatever its case.

    Raises
    ------
    OptionError
        For any other name.

    Examples
    --------
    >>> provider_name("AWS"), provider_name("Google Cloud Platform")
    ('aws', 'gce')
    """
    found = find_provider(name)
    if found is None:
        is_another = isinstance(name, str) and _word(name) in _others(FOLDER)
        near = "" if is_another or not isinstance(name, str) else _near(_word(name), _words(FOLDER))
        raise OptionError(f"provider: {_not_a_provider(name)}{near}", option="provider", value=name)
    return found


def find_provider(name: object) -> str | None:
    """Return the provider that a name or an alias means, or None. Case, hyphens and underscores do not matter."""
    if not isinstance(name, str):
        return None
    word = _word(name)
    return word if word in _names(FOLDER) else _words(FOLDER).get(word)


def misspelt_provider(name: str) -> str:
    """Return the problem of a name that is within two edits of a known one, or an empty string.

    Any other name may be that of a provider that we do not know.

    Examples
    --------
    >>> misspelt_provider("asw")
    'got "asw", expected aws, azure or gce; did you mean "aws"?'
    >>> misspelt_provider("on-prem"), misspelt_provider("alibaba")
    ('', '')
    """
    word = _word(name)
    words = [*_words(FOLDER), *_others(FOLDER)]
    if word in words:
        return ""
    near = _near(word, words)
    return f"{_not_a_provider(name)}{near}" if near else ""


def _near(word: str, known: Iterable[str]) -> str:
    """Return a suggestion, or an empty string if no known word is near."""
    found = [(edits, each) for each in known if (edits := _edits(word, each)) is not None and edits < len(each)]
    # Of words equally near, one with the same letters.
    near = min(found, key=lambda one: (one[0], sorted(one[1]) != sorted(word)), default=None)
    return "" if near is None else f'; did you mean "{near[1]}"?'


def _not_a_provider(name: object) -> str:
    return f"got {shown(name)}, expected {in_words(_names(FOLDER), 'or')}"


def _word(name: str) -> str:
    """Return a name as the aliases are written."""
    return " ".join(name.replace("-", " ").replace("_", " ").lower().split())


def _edits(one: str, other: str) -> int | None:
    """Return how many letters have to be added, dropped or replaced to get one word from another; None for too many."""
    if abs(len(one) - len(other)) > _MOST_EDITS:
        return None
    above = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        here = [row]
        for column, known in enumerate(other, 1):
            here.append(min(above[column] + 1, here[-1] + 1, above[column - 1] + (letter != known)))
        if min(here) > _MOST_EDITS:
            return None
        above = here
    return above[-1] if above[-1] <= _MOST_EDITS else None


# A canonical name needs no file to be read; the aliases are read once a name is not one.
@functools.cache
def _names(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in folder.iterdir() if path.suffix == ".json"))


@functools.cache
def _words(folder: Path) -> dict[str, str]:
    """Return the names and aliases of the providers that have a data file, each with the provider."""
    files = {name: json.loads((folder / f"{name}.json").read_bytes()) for name in _names(folder)}
    aliases = {alias: name for name, file in files.items() for alias in file.get("aliases", ())}
    return {name: name for name in files} | aliases


@functools.cache
def _others(folder: Path) -> tuple[str, ...]:
    """Return the names and aliases of the providers that have none."""
    others = json.loads((_DATA / "other-providers.json").read_bytes())
    words = (word for name, aliases in others.items() for word in (name, *aliases))
    return tuple(word for word in words if word not in _words(folder))


Provider = Annotated[str, BeforeValidator(provider_name)]
"""A provider's name, however it is written, as the name of a known provider."""
