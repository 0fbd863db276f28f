"""Known flaws of etcd: what each allows, and the patches that fix it.

The rows are those of `data/etcd/flaws.json`: etcd's own advisories, those of the libraries through which clients reach
etcd, and bugs that lose data. Which patches are safe follows from them.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from etcdsize.base.model import Model, Name, read_table
from etcdsize.base.text import shown
from etcdsize.errors import TableError
from etcdsize.etcd.patch import Patch, patch_number

__all__ = ["Effect", "EtcdFlaw", "read_flaws"]

Effect = Literal["data", "access", "overload", "none"]
"""What a flaw leads to, the gravest first."""


class EtcdFlaw(Model):
    """A known flaw of etcd, and the patches that fix it."""

    id: Annotated[Name, Field(description="The ID of its advisory; if there is no advisory, that of its issue.")]
    aliases: Annotated[tuple[Name, ...], Field(description="Its other ids.")] = ()
    effect: Annotated[
        Effect,
        Field(
            description="data: it may lose or corrupt data. access: it gives access that was not granted. overload: it "
            "can stop a member, or keep it busy. none: it does no harm to a member."
        ),
    ]
    allows: Annotated[Name, Field(description="What it allows or causes, and under which condition.")]
    since: Annotated[
        dict[Name, Patch], Field(description="The first patch with the flaw, for versions that got it in a patch.")
    ] = Field(default_factory=dict)
    fixed_in: Annotated[
        dict[Name, Patch | None],
        Field(
            min_length=1,
            description="The first patch without it, by version. None: no patch of the version. Other versions never "
            "had it.",
        ),
    ]
    source: Annotated[Name, Field(description="Where it is described and fixed.")]

    @model_validator(mode="after")
    def _check(self) -> "EtcdFlaw":
        for field, patches in (("since", self.since), ("fixed_in", self.fixed_in)):
            for version, patch in patches.items():
                if patch is not None and not patch.startswith(f"{version}."):
                    raise TableError(f"got {shown(patch)}, expected a patch of {version}", field=field)
                if version not in self.fixed_in:
                    raise TableError(f"got {shown(version)}, a version that is not in fixed_in", field=field)
        for version, first in self.since.items():
            fixed = self.fixed_in[version]
            if fixed is not None and patch_number(first) >= patch_number(fixed):
                raise TableError(f"got {shown(first)}, expected a patch before {fixed}", field="since")
        return self


class _FlawFile(Model):
    flaws: tuple[EtcdFlaw, ...]

    @model_validator(mode="after")
    def _check(self) -> "_FlawFile":
        seen: set[str] = set()
        for row, flaw in enumerate(self.flaws, 1):
            for name in (flaw.id, *flaw.aliases):
                if name in seen:
                    raise TableError(f"{shown(name)} is listed more than once", row=row, field="id")
                seen.add(name)
        return self


def read_flaws(folder: Path) -> tuple[EtcdFlaw, ...]:
    """Return the flaws that the file `flaws.json` of a folder lists, those that were fixed last first.

    Raises
    ------
    TableError
        If the file cannot be read. The message names the file and the row.
    """
    return read_table(_FlawFile, folder / "flaws.json").flaws
