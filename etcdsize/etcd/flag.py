"""A flag of etcd in every version, and how the files of `data/etcd` change it from version to version."""

from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from etcdsize.base.checks import whole_number
from etcdsize.base.model import Model, Name
from etcdsize.base.text import shown
from etcdsize.errors import TableError
from etcdsize.etcd.patch import Patch

__all__ = ["EtcdFlag", "FlagChange", "Value", "add_version", "environment_of"]


def _plain(value: object) -> object:
    # Pydantic would read true as 1, and 1 as true.
    if isinstance(value, (bool, int, str)):
        return value
    # NumPy's integers are none of Python's.
    whole = whole_number(value)
    if whole is not None:
        return whole
    raise ValueError(f"got {shown(value)}, expected a boolean, an integer or text")


Value = Annotated[
    bool | int | str,
    PlainValidator(_plain),
    WithJsonSchema({"type": ["boolean", "integer", "string"]}),
]
Kind = Literal["bool", "bytes", "duration", "features", "int", "list", "milliseconds", "string", "urls"]
Patches = dict[Name, Patch]

# The fields that are by version, with patches of that version.
_BY_PATCH = ("since", "config_key_since", "config_list_since", "deprecated_since", "deprecated_before")


class EtcdFlag(Model):
    """A flag of etcd: the values it accepts, its key in a config file, and its default in every version."""

    name: Annotated[Name, Field(description="The flag, without the two hyphens.")]
    kind: Annotated[
        Kind,
        Field(
            description="The values it accepts. duration: text such as 10m, and in a config file an integer of "
            "nanoseconds. features: feature gates such as A=true,B=false. list: joined by commas, and in a config file "
            "a list. urls: joined by commas in both."
        ),
    ]
    config_key: Annotated[
        str | None,
        Field(
            description="Its key in a config file; a dot stands for a nested map. None: a config file cannot set it."
        ),
    ]
    defaults: Annotated[
        dict[Name, Value], Field(min_length=1, description="Its default, by version. Other versions lack the flag.")
    ]
    choices: Annotated[
        dict[Name, tuple[str, ...]],
        Field(
            description="The only values that have a meaning, by version, where they are few: etcd rejects any other, "
            "or takes it for one of these."
        ),
    ] = Field(default_factory=dict)
    choices_since: Annotated[
        dict[Name, Patches],
        Field(description="The first patch that accepts a value, by version and value, for values of later patches."),
    ] = Field(default_factory=dict)
    gates: Annotated[
        dict[Name, dict[Name, bool]], Field(description="The feature gates with their defaults, by version.")
    ] = Field(default_factory=dict)
    since: Annotated[
        Patches, Field(description="The first patch with the flag, for versions that got it in a patch.")
    ] = Field(default_factory=dict)
    no_config_key_in: Annotated[
        tuple[Name, ...], Field(description="Versions that have the flag but silently ignore its config key.")
    ] = ()
    config_key_since: Annotated[
        Patches,
        Field(description="The first patch whose config files can set it, for versions where that is not the first."),
    ] = Field(default_factory=dict)
    config_list_since: Annotated[
        Patches, Field(description="The first patch whose config files have a list. Before, they have text.")
    ] = Field(default_factory=dict)
    no_config_default_in: Annotated[
        tuple[Name, ...], Field(description="Versions in which a config file without the key turns the default off.")
    ] = ()
    deprecated_in: Annotated[
        tuple[Name, ...], Field(description="Versions that warn if the flag is set: all patches, or those below.")
    ] = ()
    deprecated_since: Annotated[
        Patches, Field(description="The first patch that warns, for versions that began to warn in a patch.")
    ] = Field(default_factory=dict)
    deprecated_before: Annotated[
        Patches, Field(description="The first patch that no longer warns, for versions that stopped in a patch.")
    ] = Field(default_factory=dict)
    ignored: Annotated[bool, Field(description="Whether etcd accepts the flag and ignores it.")] = False
    instead: Annotated[str | None, Field(description="The flag that replaces it.")] = None
    note: Annotated[str | None, Field(description="What else to know.")] = None

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions that have it."""
        return tuple(self.defaults)

    @property
    def environment(self) -> str:
        """Its environment variable. etcd does not start if both the flag and the variable are set."""
        return environment_of(self.name)

    @model_validator(mode="after")
    def _check(self) -> "EtcdFlag":
        by_version = ("choices", "choices_since", "gates", "no_config_key_in", "no_config_default_in", "deprecated_in")
        for field in (*by_version, *_BY_PATCH):
            for version in getattr(self, field):
                if version not in self.defaults:
                    raise TableError(f"got {shown(version)}, a version that lacks the flag", field=field)
        patches = [(field, version, patch) for field in _BY_PATCH for version, patch in getattr(self, field).items()]
        for version, found in self.choices_since.items():
            patches += [("choices_since", version, patch) for patch in found.values()]
        for field, version, patch in patches:
            if not patch.startswith(f"{version}."):
                raise TableError(f"got {shown(patch)}, expected a patch of {version}", field=field)
        return self


def environment_of(name: str) -> str:
    """Return the environment variable of a flag, whether our table has the flag or not."""
    return "ETCD_" + name.upper().replace("-", "_")


class FlagChange(Model):
    """What a version changes about a flag. A field that is left out keeps its value from the version before."""

    name: Name
    kind: Kind | None = None
    config_key: str | None = None
    default: Value | None = None
    choices: tuple[str, ...] | None = None
    choices_since: Patches | None = None
    gates: dict[Name, bool] | None = None
    since: Patch | None = None
    no_config_key: bool = False
    config_key_since: Patch | None = None
    config_list_since: Patch | None = None
    no_config_default: bool = False
    deprecated: bool = False
    deprecated_since: Patch | None = None
    deprecated_before: Patch | None = None
    ignored: bool = False
    instead: str | None = None
    note: str | None = None


def add_version(flag: dict[str, Any], version: str, facts: dict[str, Any]) -> None:
    """Add the facts about a flag in one version to the fields of its `EtcdFlag`."""
    for field in ("name", "kind", "config_key", "ignored", "instead", "note"):
        if field in facts:
            flag[field] = facts[field]
    flag.setdefault("defaults", {})[version] = facts["default"]
    for field in ("choices", "gates"):
        if field in facts:
            flag.setdefault(field, {})[version] = facts[field]
    # A patch carried over from the version before does not apply to this one.
    own = f"{version}."
    for field in _BY_PATCH:
        if facts.get(field, "").startswith(own):
            flag.setdefault(field, {})[version] = facts[field]
    values = {value: patch for value, patch in facts.get("choices_since", {}).items() if patch.startswith(own)}
    if values:
        flag.setdefault("choices_since", {})[version] = values
    for field in ("no_config_key", "no_config_default", "deprecated"):
        if facts.get(field):
            flag[f"{field}_in"] = (*flag.get(f"{field}_in", ()), version)
