"""etcd's versions: the flags of each with their defaults, what its tools do, and whether it is still safe to run.

A version is a file of `data/etcd`. It lists what changed since the version before: flags that were removed, and flags
that are new or have a new default. A flag carries over until a later file changes or removes it, so adding a version
takes one file. Tests compare the flags of each version with a real etcd of it.
"""

import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from etcdsize.base.checks import instance_of, text_of
from etcdsize.base.model import Date, Model, Name, date_of, read_table
from etcdsize.base.text import in_words, nearest, shown
from etcdsize.errors import OptionError, TableError
from etcdsize.etcd.flag import EtcdFlag, FlagChange, add_version
from etcdsize.etcd.flaws import EtcdFlaw, read_flaws
from etcdsize.etcd.patch import Patch, patch_number
from etcdsize.etcd.upgrade import EtcdDowngrade, EtcdUpgrade
from etcdsize.etcd.version_names import FOLDER, version_files

__all__ = ["EtcdVersion", "EtcdVersions", "load_versions", "read_versions", "replacement_of"]

_VERSION = re.compile(r"v?([0-9]{1,4}\.[0-9]{1,4})(?:\.([0-9]{1,4}))?")
NOT_RUN = "from source, not run"


class EtcdVersion(Model):
    """A minor version of etcd, or one patch of it."""

    name: Annotated[Name, Field(description="The minor version, such as 3.6.")]
    patch: Annotated[
        int | None, Field(ge=0, description="The patch. None: the minor version, at its newest patch.")
    ] = None
    date: Annotated[Date, Field(description="When this was read.")]
    status: Annotated[Literal["supported", "out-of-support"], Field(description="On that date.")] = "supported"
    until: Annotated[
        Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}(-[0-9]{2})?$")] | None,
        Field(description="The day or the month in which support ends or ended. None: no date is known."),
    ]
    until_policy: Annotated[
        str | None, Field(description="What etcd's policy says of the end of support, if no date is known.")
    ]
    oldest_safe_patch: Annotated[
        Patch | None, Field(description="The oldest patch without a known flaw. None: every patch has one.")
    ] = None
    oldest_safe_patch_date: Annotated[Date | None, Field(description="When that patch was released.")] = None
    newest_patch: Annotated[Patch | None, Field(description="The newest patch on that date.")] = None
    newest_patch_date: Annotated[Date | None, Field(description="When that patch was released.")] = None
    ran: Annotated[
        tuple[Patch, ...],
        Field(description="The patches that our settings and flags were run on. Empty: none was run."),
    ]
    source: Annotated[str, Field(description="The source of the support status.")]
    flags_source: Annotated[str, Field(description="The source of the flags.")]
    offline_tool: Annotated[
        Literal["etcdctl", "etcdutl"], Field(description="The program that checks and restores a snapshot.")
    ]
    etcdctl_has_api_2: Annotated[bool, Field(description="Whether ETCDCTL_API=2 makes etcdctl use API version 2.")]
    health_reports_alarms: Annotated[
        bool, Field(description="Whether `etcdctl endpoint health` fails for a member with an alarm.")
    ]
    member_list_needs_quorum: Annotated[bool, Field(description="Whether `etcdctl member list` needs a quorum.")]
    restore_bumps_revision_from: Annotated[
        Patch | None, Field(description="The first patch that can raise the revision in a restore. None: none can.")
    ]
    upgrade: Annotated[
        EtcdUpgrade | None, Field(description="How the previous version is upgraded to it. None: it is the oldest.")
    ]
    downgrade: Annotated[
        EtcdDowngrade | None,
        Field(description="How it is downgraded to the previous version. None: etcd cannot, or we do not describe it."),
    ]

    @property
    def evidence(self) -> str:
        """How we know its flags: `run on 3.5.1 and 3.5.35`, or `from source, not run`."""
        return f"run on {in_words(self.ran)}" if self.ran else NOT_RUN

    def __str__(self) -> str:
        return self.name if self.patch is None else f"{self.name}.{self.patch}"

    def flag(self, name: str) -> EtcdFlag:
        """Return one of its flags.

        Parameters
        ----------
        name : str
            The flag, without the two hyphens.

        Raises
        ------
        OptionError
            If no version has the flag, or this one lacks it. The message names the versions that have it.

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
            replacement = replacement_of(self, flag)
            instead = f"; instead: {replacement}" if replacement else ""
            raise OptionError(
                f"etcd {self} has no flag {shown(name)}; those that have it: {', '.join(having)}{instead}",
                option="flag",
                value=name,
            )
        return flag

    def has(self, flag: EtcdFlag) -> bool:
        """Return whether it has a flag. A version without a patch has what its newest patch has.

        Raises
        ------
        OptionError
            For anything but a flag.
        """
        flag = instance_of("flag", flag, EtcdFlag)
        if self.name not in flag.defaults:
            return False
        first = flag.since.get(self.name)
        return first is None or self.reaches(first)

    @property
    def flags(self) -> tuple[EtcdFlag, ...]:
        """Its flags."""
        return tuple(flag for flag in load_versions().flags if self.has(flag))

    def is_supported_on(self, date: str) -> bool:
        """Return whether it is supported on a day, by the end of support that its row gives.

        Parameters
        ----------
        date : str
            Written like 2026-11-25.

        Raises
        ------
        OptionError
            For anything but a date.

        Examples
        --------
        >>> version = load_versions().version("3.5")
        >>> version.until, version.is_supported_on("2027-07-31"), version.is_supported_on("2027-08-01")
        ('2027-07', True, False)
        """
        text_of("date", date)
        try:
            day = date_of(date)
        except ValueError as error:
            raise OptionError(f"date: {error}", option="date", value=date) from None
        return self.until is None or day[: len(self.until)] <= self.until

    @property
    def feature_gates(self) -> dict[str, bool]:
        """Its feature gates with their defaults; versions before 3.6 have none."""
        return {gate: default for flag in self.flags for gate, default in flag.gates.get(self.name, {}).items()}

    @property
    def flaws(self) -> tuple[EtcdFlaw, ...]:
        """The known flaws that it has, those that were fixed last first."""
        return tuple(flaw for flaw in load_versions().flaws if self._has_flaw(flaw))

    def _has_flaw(self, flaw: EtcdFlaw) -> bool:
        if self.name not in flaw.fixed_in:
            return False
        first, fixed = flaw.since.get(self.name), flaw.fixed_in[self.name]
        return (first is None or self.reaches(first)) and (fixed is None or not self.reaches(fixed))

    @property
    def is_unsafe(self) -> bool:
        """Whether it has a known flaw."""
        return bool(self.flaws)

    @property
    def is_newer_than_known(self) -> bool:
        """Whether its patch is newer than the newest that the table has."""
        return self.patch is not None and self.newest_patch is not None and self.patch > patch_number(self.newest_patch)

    @property
    def restore_bumps_revision(self) -> bool:
        """Whether its offline tool can raise the revision in a restore."""
        first = self.restore_bumps_revision_from
        return first is not None and self.reaches(first)

    def reaches(self, patch: str) -> bool:
        """Return whether it is at least a patch of its own minor version.

        Raises
        ------
        OptionError
            For anything but such a patch.
        """
        number = patch.removeprefix(f"{self.name}.") if isinstance(patch, str) else ""
        if not re.fullmatch(r"[0-9]{1,9}", number) or f"{self.name}.{number}" != patch:
            raise OptionError(
                f"patch: got {shown(patch)}, expected a patch of etcd {self.name} such as {self.name}.1",
                option="patch",
                value=patch,
            )
        return self.patch is None or self.patch >= patch_number(patch)


class EtcdVersions(Model):
    """The versions of etcd and their flags."""

    versions: Annotated[tuple[EtcdVersion, ...], Field(min_length=1, description="Oldest first.")]
    flags: Annotated[tuple[EtcdFlag, ...], Field(min_length=1, description="The flags we know. etcd may have others.")]
    flaws: Annotated[
        tuple[EtcdFlaw, ...], Field(description="The flaws we know, those that were fixed last first.")
    ] = ()

    @model_validator(mode="after")
    def _check(self) -> "EtcdVersions":
        names = [version.name for version in self.versions]
        if names != sorted(set(names), key=lambda name: [int(part) for part in name.split(".")]):
            raise TableError("expected versions in ascending order, each once", field="versions")
        seen: set[str] = set()
        for row, flag in enumerate(self.flags, 1):
            if flag.name in seen:
                raise TableError(f"{shown(flag.name)} is listed more than once", row=row, field="name")
            seen.add(flag.name)
            for version in flag.versions:
                if version not in names:
                    raise TableError(f"got {shown(version)}, expected {', '.join(names)}", row=row, field="defaults")
        for row, flaw in enumerate(self.flaws, 1):
            for version in flaw.fixed_in:
                if version not in names:
                    raise TableError(f"got {shown(version)}, expected {', '.join(names)}", row=row, field="fixed_in")
        return self

    def successor(self, version: EtcdVersion) -> EtcdVersion | None:
        """Return the version that a version is upgraded to, None for the newest.

        Raises
        ------
        OptionError
            For anything but a version.
        """
        version = instance_of("version", version, EtcdVersion)
        return next((one for one in self.versions if one.upgrade and one.upgrade.version == version.name), None)

    @functools.cached_property
    def flags_by_name(self) -> dict[str, EtcdFlag]:
        """The flags by name."""
        return {flag.name: flag for flag in self.flags}

    def version(self, text: str) -> EtcdVersion:
        """Return a version by name, with or without its patch.

        Parameters
        ----------
        text : str
            Such as `"3.6"`, `"3.6.16"` or `"v3.6.16"`.

        Raises
        ------
        OptionError
            If the version is not known.

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
                'also with its patch, such as "3.6.16"',
                option="etcd_version",
                value=text,
            )
        return found if match[2] is None else found.model_copy(update={"patch": int(match[2])})


class _VersionFile(Model):
    """The file of one version."""

    version: EtcdVersion
    patches: Annotated[
        dict[Patch, Date], Field(min_length=1, description="When each patch was released, oldest first.")
    ]
    removed: tuple[Name, ...]
    flags: tuple[FlagChange, ...]


def replacement_of(version: EtcdVersion, flag: EtcdFlag, is_on: bool = True) -> str | None:
    """Return what replaces a flag in a version, as an argument for etcd, or None if nothing does.

    A feature gate that replaces a flag has the flag's value, which is true or false.

    Examples
    --------
    >>> table = load_versions()
    >>> flag = table.flags_by_name["experimental-compact-hash-check-enabled"]
    >>> replacement_of(table.version("3.6"), flag), replacement_of(table.version("3.5"), flag)
    ('--feature-gates=CompactHashCheck=true', None)
    """
    if flag.instead is None:
        return None
    name, _, gate = flag.instead.partition(" ")
    if not version.has(load_versions().flags_by_name[name]) or (gate and gate not in version.feature_gates):
        return None
    return f"--{name}={gate}={'true' if is_on else 'false'}" if gate else f"--{name}"


def load_versions() -> EtcdVersions:
    """Return the versions of etcd and their flags.

    Examples
    --------
    >>> for version in load_versions().versions:
    ...     print(version, version.status, version.oldest_safe_patch, version.evidence)
    3.4 out-of-support None run on 3.4.23
    3.5 supported 3.5.34 run on 3.5.1 and 3.5.35
    3.6 supported 3.6.15 run on 3.6.16
    3.7 supported 3.7.2 run on 3.7.3
    """
    return _built_in()


@functools.cache
def _built_in() -> EtcdVersions:
    return read_versions(FOLDER)


def read_versions(folder: Path) -> EtcdVersions:
    """Return the versions that a folder describes, one file a version, and the flaws that its file `flaws.json` lists.

    Raises
    ------
    TableError
        If a file cannot be read or does not follow from the file before. The message names the file.
    """
    flaws = read_flaws(folder)
    versions = []
    current: dict[str, dict[str, Any]] = {}
    flags: dict[str, dict[str, Any]] = {}
    for path in version_files(folder):
        file = read_table(_VersionFile, path)
        name = file.version.name
        if name != path.stem:
            raise TableError(f"{path}: version: got {shown(name)}, expected {shown(path.stem)}", file=str(path))
        versions.append(file.version.model_copy(update=_derived(file, flaws, path)))
        for gone in file.removed:
            if current.pop(gone, None) is None:
                raise TableError(
                    f"{path}: removed: got {shown(gone)}, which the version before does not have", file=str(path)
                )
        for change in file.flags:
            facts = current.setdefault(change.name, {})
            facts |= change.model_dump(exclude_unset=True)
            missing = [field for field in ("kind", "config_key", "default") if field not in facts]
            if missing:
                raise TableError(
                    f"{path}: flags: {shown(change.name)} is new and lacks {', '.join(missing)}", file=str(path)
                )
        for facts in current.values():
            add_version(flags.setdefault(facts["name"], {}), name, facts)
    return EtcdVersions(versions=tuple(versions), flags=tuple(EtcdFlag(**flag) for flag in flags.values()), flaws=flaws)


def _derived(file: _VersionFile, flaws: Sequence[EtcdFlaw], path: Path) -> dict[str, str | None]:
    """Return the fields of a version that follow from its end of support, its patches and the flaws."""
    name, patches = file.version.name, list(file.patches)
    if patches != [f"{name}.{number}" for number in range(len(patches))]:
        raise TableError(f"{path}: patches: expected every patch of {name} from {name}.0 on, in order", file=str(path))
    fixes = [flaw.fixed_in[name] for flaw in flaws if name in flaw.fixed_in]
    for patch in fixes:
        if patch is not None and patch not in file.patches:
            raise TableError(f"{path}: patches: lacks {shown(patch)}, which fixes a flaw", file=str(path))
    known = [patch for patch in fixes if patch is not None]
    safe = None if len(known) < len(fixes) else max([patches[0], *known], key=patch_number)
    derived = {
        "status": "supported" if file.version.is_supported_on(file.version.date) else "out-of-support",
        "oldest_safe_patch": safe,
        "oldest_safe_patch_date": None if safe is None else file.patches[safe],
        "newest_patch": patches[-1],
        "newest_patch_date": file.patches[patches[-1]],
    }
    for field in file.version.model_fields_set.intersection(derived):
        raise TableError(f"{path}: version, {field}: follows from other fields; leave it out", file=str(path))
    return derived
