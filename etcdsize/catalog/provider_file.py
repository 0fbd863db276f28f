"""A provider's data file: its machines and its network disks.

The file is named after the provider. `read_provider` reads it.
"""

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from etcdsize.base.model import Date, Model, Name, read_table
from etcdsize.base.text import shown
from etcdsize.catalog import providers
from etcdsize.catalog.disks import DiskKind
from etcdsize.catalog.machines import Machine
from etcdsize.catalog.providers import Provider
from etcdsize.errors import TableError

__all__ = ["CatalogHeader", "ProviderFile", "read_folder", "read_provider"]


class ProviderFile(Model):
    """The contents of a provider's data file.

    Raises
    ------
    TableError
        Where a row names another provider than the file.
    """

    provider: Annotated[Provider, Field(description="The provider's name, which is the file's name too.")]
    title: Annotated[Name, Field(description="The provider's name as prose writes it.")]
    aliases: Annotated[tuple[Name, ...], Field(description="Other names of the provider, in lower case.")] = ()
    order: Annotated[
        int | None, Field(description="Its place among the providers of a catalog. None: after those that have one.")
    ] = None
    disk_kinds: Annotated[tuple[DiskKind, ...], Field(description="The rules of its network disks.")] = ()
    machines: Annotated[tuple[Machine, ...], Field(min_length=1, description="Its machines.")]

    @model_validator(mode="after")
    def _check(self) -> "ProviderFile":
        for field in ("disk_kinds", "machines"):
            for row, entry in enumerate(getattr(self, field), 1):
                if entry.provider != self.provider:
                    raise TableError(
                        f"got {shown(entry.provider)}, expected {shown(self.provider)}, whose file this is",
                        row=row,
                        field=f"{field}.provider",
                    )
        return self


class CatalogHeader(Model):
    """Name, title and source of the catalog of all data files; `{providers}` in its title stands for their titles."""

    name: Annotated[Name, Field(description="The catalog's name.")]
    title: Annotated[str, Field(description="What the catalog is, in one line.")]
    source: Annotated[str, Field(description="Where the figures come from.")]
    date: Annotated[Date, Field(description="When the sources were read.")]
    default_providers: Annotated[
        tuple[Provider, ...], Field(description="The providers that an answer is for if none is named.")
    ]


def read_provider(provider: str) -> ProviderFile:
    """Return a known provider's data file."""
    return _read(providers.FOLDER / f"{provider}.json")


def read_folder(folder: Path, names: Iterable[str] | None = None) -> tuple[ProviderFile, ...]:
    """Return the data files of some providers in a folder, by default of all, in the order of a catalog."""
    paths = folder.glob("*.json") if names is None else (folder / f"{name}.json" for name in names)
    return tuple(sorted(map(_read, paths), key=lambda file: (file.order is None, file.order or 0, file.provider)))


@functools.cache
def _read(path: Path) -> ProviderFile:
    file = read_table(ProviderFile, path)
    if file.provider != path.stem:
        raise TableError(
            f"{path}: provider: got {shown(file.provider)}, expected {shown(path.stem)}, as the file is named",
            file=str(path),
            field="provider",
        )
    return file
