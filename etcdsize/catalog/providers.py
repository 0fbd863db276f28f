"""The names of providers: any name is one, and the known ones have aliases.

A known provider may have a data file, `data/machines-current/<provider>.json`, with its machines, disks and aliases.
Those without one are known by their names only (`data/other-providers.json`), so that none is taken for a typing error.
"""

from __future__ import annotations

import functools
import json
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator

from etcdsize.base.text import shown
from etcdsize.errors import OptionError

__all__ = [
    *("FOLDER", "Provider", "find_provider", "known_providers", "misspelt_provider", "provider_name"),
]

_DATA = Path(__file__).parents[1] / "data"
FOLDER = _DATA / "machines-current"

# More than this is another word (our choice).
_MOST_EDITS = 2
# Letters of a provider's name (our choice).
_LONGEST = 64


def known_providers() -> tuple[str, ...]:
    """Return the providers that have a data file, in alphabetical order."""
    return _names(FOLDER)


def provider_name(name: object) -> str:
    """Return the provider that a name or an alias means, whatever its case; any other name is kept, in lower case.

    Raises
    ------
    OptionError
        For what is no name: at most 64 letters of any script, digits, and between them spaces, -, _ and dots.

    Examples
    --------
    >>> provider_name("AWS"), provider_name("Google Cloud Platform"), provider_name("阿里云")
    ('aws', 'gce', 'alibaba')
    >>> provider_name("Our Racks"), provider_name("我们的")
    ('our-racks', '我们的')
    """
    found = find_provider(name)
    if found is None:
        raise OptionError(
            f"provider: got {shown(name)}, expected a name of at most {_LONGEST} letters, digits, spaces, hyphens, "
            "underscores and dots that begins with a letter or a digit, such as aws or our-racks",
            option="provider",
            value=name,
        )
    return found


def find_provider(name: object) -> str | None:
    """Return the provider that a name means, or None for what is no name.

    For known names, case, hyphens and underscores do not matter.
    """
    return _find(FOLDER, name) if isinstance(name, str) else None


# Every row of a catalog names its provider.
@functools.lru_cache(maxsize=256)
def _find(folder: Path, name: str) -> str | None:
    word = _word(name)
    return word if word in _names(folder) else _words(folder).get(word) or _own_name(name)


def _own_name(name: str) -> str | None:
    """Return the name of a provider that is not known, or None for what is no name."""
    text = _folded(name).strip()
    is_name = text[:1].isalnum() and text.isprintable() and len(text) <= _LONGEST and all(map(_is_accepted, text))
    return "-".join(text.split()) if is_name else None


def _is_accepted(letter: str) -> bool:
    return letter.isalnum() or letter in " -_." or unicodedata.category(letter) in ("Mn", "Mc")


def misspelt_provider(name: str, providers: Iterable[str] = ()) -> str:
    """Return the problem of a name that is nearly a known one, or nearly one of these; otherwise an empty string.

    Any other name may be that of a provider that we do not know.

    Examples
    --------
    >>> misspelt_provider("asw")
    'got "asw", expected the name of a provider; did you mean "aws"?'
    >>> misspelt_provider("on-prem"), misspelt_provider("alibaba"), misspelt_provider("idc")
    ('', '', '')
    """
    word = _word(name)
    words = [*_words(FOLDER), *map(_word, providers)]
    if word in words:
        return ""
    near = _near(word, words)
    return f"got {shown(name)}, expected the name of a provider{near}" if near else ""


def _near(word: str, known: Iterable[str]) -> str:
    """Return a suggestion, or an empty string if no known word is near."""
    # A short word is soon another one: dc is not do, and idc not oci.
    found = [(edits, each) for each in known if (edits := _edits(word, each)) is not None and 2 * edits < len(each)]
    # Of words equally near, one with the same letters.
    near = min(found, key=lambda one: (one[0], sorted(one[1]) != sorted(word)), default=None)
    return "" if near is None else f'; did you mean "{near[1]}"?'


def _word(name: str) -> str:
    """Return a name as the aliases are written."""
    return " ".join(_folded(name).replace("-", " ").replace("_", " ").split())


def _folded(name: str) -> str:
    """Return a name in lower case, with one form for each letter."""
    return (
        name.lower() if name.isascii() else unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).lower())
    )


def _edits(one: str, other: str) -> int | None:
    """Return how many edits turn one word into another, or None for too many.

    A letter is added, dropped or replaced, or two neighbours change places.
    """
    if abs(len(one) - len(other)) > _MOST_EDITS:
        return None
    before: list[int] = []
    above = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        here = [row]
        for column, known in enumerate(other, 1):
            edits = min(above[column] + 1, here[-1] + 1, above[column - 1] + (letter != known))
            if row > 1 and column > 1 and one[row - 2 : row] == known + other[column - 2]:
                edits = min(edits, before[column - 2] + 1)
            here.append(edits)
        if min(here) > _MOST_EDITS:
            return None
        before, above = above, here
    return above[-1] if above[-1] <= _MOST_EDITS else None


# A canonical name needs no file to be read; the aliases are read once a name is not one.
@functools.cache
def _names(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in folder.iterdir() if path.suffix == ".json"))


@functools.cache
def _words(folder: Path) -> dict[str, str]:
    """Return the names and aliases of the known providers, each with the provider."""
    aliases = json.loads((_DATA / "other-providers.json").read_bytes())
    for name in _names(folder):
        found = json.loads((folder / f"{name}.json").read_bytes()).get("aliases", ())
        aliases[name] = [*aliases.get(name, ()), *found]
    return {name: name for name in aliases} | {alias: name for name, of in aliases.items() for alias in of}


Provider = Annotated[str, BeforeValidator(provider_name)]
"""A provider's name: that of a known one, however it is written, or any other name in lower case."""
