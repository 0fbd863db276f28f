"""The known providers and their names: one data file for each, `data/machines-current/<provider>.json`."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator

from etcdsize.base.text import nearest, shown
from etcdsize.errors import OptionError

__all__ = ["FOLDER", "Provider", "find_provider", "known_providers", "provider_name", "unknown_provider"]

FOLDER = Path(__file__).parents[1] / "data" / "machines-current"


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
    >>> provider_name("AWS"), provider_name("gcp")
    ('aws', 'gce')
    """
    found = find_provider(name)
    if found is None:
        raise OptionError(f"provider: {unknown_provider(name)}", option="provider", value=name)
    return found


def find_provider(name: object) -> str | None:
    """Return the provider that a name or an alias means, whatever its case, or None."""
    lowered = name.lower() if isinstance(name, str) else ""
    return lowered if lowered in _names(FOLDER) else _aliases(FOLDER).get(lowered)


def unknown_provider(name: object, *, suggest: bool = True) -> str:
    """Return the problem of a provider that is not known, with the nearest one that is if `suggest`."""
    names, aliases = _names(FOLDER), _aliases(FOLDER)
    others = {known: [alias for alias, of in aliases.items() if of == known] for known in names}
    listed = [f"{known} ({', '.join(others[known])})" if others[known] else known for known in names]
    expected = " or ".join(filter(None, (", ".join(listed[:-1]), listed[-1])))
    near = nearest(name.lower(), (*names, *aliases)) if suggest and isinstance(name, str) else ""
    return f"got {shown(name)}, expected {expected}{near}"


# A canonical name needs no file to be read; the aliases are read once a name is not one.
@functools.cache
def _names(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in folder.iterdir() if path.suffix == ".json"))


@functools.cache
def _aliases(folder: Path) -> dict[str, str]:
    files = {name: json.loads((folder / f"{name}.json").read_bytes()) for name in _names(folder)}
    return {alias: name for name, file in files.items() for alias in file.get("aliases", ())}


Provider = Annotated[str, BeforeValidator(provider_name)]
"""A provider's name, however it is written, as the name of a known provider."""
