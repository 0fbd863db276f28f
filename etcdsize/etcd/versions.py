"""etcd's versions: which flags each has, with which default, and which versions are still safe to run.

The table is data, `data/etcd-flags.json`; a test holds it to the `--help` of real etcd. This module imports pydantic,
never numpy.
"""

import functools
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from etcdsize.base.model import Model, Name, read_table
from etcdsize.base.text import nearest, shown
from etcdsize.errors import OptionError, TableError

__all__ = ["EtcdFlag", "EtcdVersion", "EtcdVersions", "load_versions"]

_VERSION = re.compile(r"v?(\d{1,4}\.\d{1,4})(?:\.(\d{1,4}))?")


def _plain(value: object) -> object:
    # Pydantic would read true as 1, and 1 as true.
    if isinstance(value, (bool, int, str)):
        return value
    raise ValueError(f"got {shown(value)}, expected a boolean, an integer or text")


Value = Annotated[
    bool | int | str,
    PlainValidator(_plain),
    WithJsonSchema({"type": ["boolean", "integer", "string"]}),
]
Patch = Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]


class EtcdFlag(Model):
    """One flag of etcd: what it takes, what it is called in a config file, and its default in every version."""

    name: Annotated[Name, Field(description="The flag, without its two hyphens.")]
    kind: Annotated[
        Literal["bool", "bytes", "duration", "features", "int", "list", "milliseconds", "string", "urls"],
        Field(
            description="What it takes. duration: such as 10m, and in a config file an integer of nanoseconds. list: "
            "joined by commas, and in a config file a list. urls: joined by commas in both."
        ),
    ]
    config_key: Annotated[
        str | None,
        Field(
            description="Its key in a config file; a dot stands for a map within. None: a config file cannot set it."
        ),
    ]
    defaults: Annotated[
        dict[Name, Value], Field(min_length=1, description="Its default, by version. Other versions lack the flag.")
    ]
    choices: Annotated[
        dict[Name, tuple[str, ...]],
        Field(default_factory=dict, description="All that it takes, by version, where etcd refuses everything else."),
    ]
    since: Annotated[
        dict[Name, Patch],
        Field(default_factory=dict, description="The first patch that has it, where a version got it later."),
    ]
    no_config_key_in: Annotated[
        tuple[Name, ...], Field(description="Versions that have the flag, and pass its config key over in silence.")
    ] = ()
    deprecated_in: Annotated[tuple[Name, ...], Field(description="Versions that warn where it is set.")] = ()
    instead: Annotated[str | None, Field(description="What takes its place.")] = None
    note: Annotated[str | None, Field(description="What else to know.")] = None

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions that have it."""
        return tuple(self.defaults)

    @property
    def environment(self) -> str:
        """Its environment variable; etcd does not start where both are set."""
        return "ETCD_" + self.name.upper().replace("-", "_")

    @model_validator(mode="after")
    def _check(self) -> "EtcdFlag":
        for field in ("choices", "since", "no_config_key_in", "deprecated_in"):
            for version in getattr(self, field):
                if version not in self.defaults:
                    raise TableError(f"got {shown(version)}, a version that lacks the flag", field=field)
        return self


class EtcdVersion(Model):
    """One minor version of etcd, and the patch where one was asked for."""

    name: Annotated[Name, Field(description="The minor version, such as 3.5.")]
    patch: Annotated[int | None, Field(ge=0, description="The patch that was asked for. None: the minor version.")] = (
        None
    )
    status: Annotated[Literal["supported", "out-of-support"], Field(description="On the date of the table.")]
    until: Annotated[str | None, Field(description="When support ends or ended. None: no date is known.")]
    least_safe: Annotated[
        Patch | None, Field(description="The oldest patch without a published flaw. None: there is none any more.")
    ]
    least_safe_date: Annotated[str | None, Field(description="When that was released.")]
    ran: Annotated[
        Patch | None, Field(description="The patch that our settings and flags were run on. None: none was run.")
    ]
    source: Annotated[str, Field(description="Where the support status comes from.")]

    @property
    def evidence(self) -> str:
        """How we know its flags: `3.5.1 ran`, or `from source, not run`."""
        return f"{self.ran} ran" if self.ran else "from source, not run"

    def __str__(self) -> str:
        return self.name if self.patch is None else f"{self.name}.{self.patch}"

    def flag(self, name: str) -> EtcdFlag:
        """Return one of its flags.

        Parameters
        ----------
        name : str
            The flag, without its two hyphens.

        Raises
        ------
        OptionError
            For a flag that this version lacks, naming those that have it, and for one that no version has.

        Examples
        --------
        >>> load_versions().version("3.6").flag("snapshot-count").defaults["3.6"]
        10000
        >>> load_versions().version("3.5.1").flag("max-concurrent-streams")
        Traceback (most recent call last):
        etcdsize.errors.OptionError: etcd 3.5.1 has no flag "max-concurrent-streams"; those that have it: 3.4 from \
3.4.20, 3.5 from 3.5.5, 3.6, 3.7
        """
        known = load_versions().flags_by_name
        if not isinstance(name, str) or name not in known:
            raise OptionError(
                f"etcd {self}: got the flag {shown(name)}, expected one of the {len(known)} that the table has"
                f"{nearest(str(name), known)}",
                option="flag",
                value=name,
            )
        flag = known[name]
        if not self.has(flag):
            having = [f"{one} from {flag.since[one]}" if one in flag.since else one for one in flag.versions]
            instead = f"; instead: {flag.instead}" if flag.instead else ""
            raise OptionError(
                f"etcd {self} has no flag {shown(name)}; those that have it: {', '.join(having)}{instead}",
                option="flag",
                value=name,
            )
        return flag

    def has(self, flag: EtcdFlag) -> bool:
        """Return whether it has a flag. Without a patch it is taken to be the newest patch."""
        if self.name not in flag.defaults:
            return False
        first = flag.since.get(self.name)
        return first is None or self.patch is None or self.patch >= _patch_of(first)

    @property
    def flags(self) -> tuple[EtcdFlag, ...]:
        """Every flag of the table that it has."""
        return tuple(flag for flag in load_versions().flags if self.has(flag))

    @property
    def is_unsafe(self) -> bool:
        """Whether the patch that was asked for is older than the least safe one."""
        return self.patch is not None and self.least_safe is not None and self.patch < _patch_of(self.least_safe)


class EtcdVersions(Model):
    """The versions of etcd that we know, and their flags."""

    title: Annotated[str, Field(description="What the table is.")]
    date: Annotated[str, Field(description="When it was read.")]
    source: Annotated[str, Field(description="Where it was read.")]
    versions: Annotated[tuple[EtcdVersion, ...], Field(min_length=1, description="Rising.")]
    flags: Annotated[tuple[EtcdFlag, ...], Field(min_length=1, description="Their flags. Others may exist.")]

    @model_validator(mode="after")
    def _check(self) -> "EtcdVersions":
        names = [version.name for version in self.versions]
        if names != sorted(set(names), key=lambda name: [int(part) for part in name.split(".")]):
            raise TableError("expected versions that rise", field="versions")
        seen: set[str] = set()
        for row, flag in enumerate(self.flags, 1):
            if flag.name in seen:
                raise TableError(f"got {shown(flag.name)} twice", row=row, field="name")
            seen.add(flag.name)
            for version in flag.versions:
                if version not in names:
                    raise TableError(f"got {shown(version)}, expected {', '.join(names)}", row=row, field="defaults")
        return self

    @functools.cached_property
    def flags_by_name(self) -> dict[str, EtcdFlag]:
        """The flags by name."""
        return {flag.name: flag for flag in self.flags}

    def version(self, text: str) -> EtcdVersion:
        """Return a version by name, with or without its patch.

        Parameters
        ----------
        text : str
            Such as `"3.5"`, `"3.5.33"` or `"v3.5.33"`.

        Raises
        ------
        OptionError
            For a version that the table does not have.

        Examples
        --------
        >>> version = load_versions().version("v3.5.21")
        >>> version.name, version.patch, version.is_unsafe
        ('3.5', 21, True)
        """
        match = _VERSION.fullmatch(text) if isinstance(text, str) else None
        found = next((one for one in self.versions if match and one.name == match[1]), None)
        if match is None or found is None:
            raise OptionError(
                f"etcd_version: got {shown(text)}, expected one of {', '.join(one.name for one in self.versions)}, "
                'also with its patch, such as "3.5.33"',
                option="etcd_version",
                value=text,
            )
        return found if match[2] is None else found.model_copy(update={"patch": int(match[2])})


def _patch_of(version: str) -> int:
    return int(version.rpartition(".")[2])


def load_versions() -> EtcdVersions:
    """Return the versions of etcd and their flags.

    Examples
    --------
    >>> for version in load_versions().versions:
    ...     print(version, version.status, version.least_safe, version.evidence)
    3.4 out-of-support None 3.4.23 ran
    3.5 supported 3.5.33 3.5.1 ran
    3.6 supported 3.6.14 from source, not run
    3.7 supported 3.7.1 from source, not run
    """
    return _table()


@functools.cache
def _table() -> EtcdVersions:
    return read_table(EtcdVersions, Path(__file__).parents[1] / "data" / "etcd-flags.json")
