"""The plan of a cluster: its members, their URLs, and the flags that each of them starts with.

A plan rejects whatever etcd would reject, and settings that etcd accepts but nobody intends. The modules of `formats`
render it.
"""

import os.path
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from etcdsize.base.notice import Notice
from etcdsize.base.text import nearest, shown
from etcdsize.errors import OptionError, PlanError
from etcdsize.etcd.flag import Value
from etcdsize.etcd.notices import quota_notices, version_notices
from etcdsize.etcd.urls import parse_url
from etcdsize.etcd.version_names import DEFAULT_VERSION
from etcdsize.etcd.versions import EtcdVersion, load_versions
from etcdsize.plan.chosen_settings import choose_timing
from etcdsize.plan.flag_combinations import setting_of
from etcdsize.plan.flag_rules import bare_name, check_flags, read_extra_flags
from etcdsize.plan.hosts import integer_of, member_at, name_hosts
from etcdsize.plan.listener_rules import check_listeners, check_log_folder
from etcdsize.plan.member_rules import check_members
from etcdsize.plan.members import Member, hosts_of
from etcdsize.plan.notices import flag_notices, plan_notices, timing_notices
from etcdsize.plan.settings import EtcdSettings
from etcdsize.plan.tls import PlanModel, Tls, check_path, check_text
from etcdsize.sizing.notices import member_notices
from etcdsize.sizing.quorum import failure_tolerance

__all__ = ["ClusterPlan"]

CLIENT_PORT = 2379
PEER_PORT = 2380
DATA_DIR = "/var/lib/etcd"
TOKEN = "etcd-cluster-1"  # noqa: S105 - etcd's name for it; it is not a secret


def _parse_version(value: Any) -> Any:
    # Pydantic reads a version that is a model, or the fields of one.
    if isinstance(value, (EtcdVersion, Mapping)):
        return value
    try:
        return load_versions().version(value)
    except OptionError as error:
        raise PlanError(str(error), field="etcd_version", value=value) from None


class ClusterPlan(PlanModel):
    """A cluster to start: its members, and the flags that etcd needs at its first start.

    Parameters
    ----------
    members : sequence of Member
        The members.
    token : str
        Distinguishes it from other clusters.
    state : {"new", "existing"}
        `"existing"` for members that join a running cluster.
    tls : Tls, optional
        The certificates. None is plain http.
    settings : EtcdSettings or mapping of str to bool, int or str
        Other flags and their values. EtcdSettings stand for the flags that they change.
    etcd_version : str or EtcdVersion
        Such as `"3.6"` or `"3.6.16"`.
    extra_flags : mapping of str to bool, int or str, optional
        Any other flags of the version, with or without their hyphens. They override `settings`; a heartbeat among them
        brings an election timeout of ten heartbeats, unless one is given. Values may be text as for etcd, or a size
        such as `"8GiB"`. A flag that our table lacks is passed through, with a notice.
    data_dir : str
        The folder on every machine, which holds each member's data in `<name>.etcd`.

    Raises
    ------
    PlanError
        For whatever etcd would reject, and for what it accepts but nobody intends.

    Examples
    --------
    >>> plan = ClusterPlan.from_hosts(["a=10.0.0.1", "b=10.0.0.2", "c=10.0.0.3"])
    >>> plan.initial_cluster
    'a=http://10.0.0.1:2380,b=http://10.0.0.2:2380,c=http://10.0.0.3:2380'
    >>> plan.flags("b")["advertise-client-urls"]
    'http://10.0.0.2:2379'
    """

    members: Annotated[tuple[Member, ...], Field(description="The members.")]
    token: Annotated[str, Field(description="Distinguishes it from other clusters: --initial-cluster-token.")] = TOKEN
    state: Annotated[
        Literal["new", "existing"], Field(description="existing: for members that join a running cluster.")
    ] = "new"
    tls: Annotated[Tls | None, Field(description="The certificates. None: plain http.")] = None
    settings: Annotated[
        dict[str, Value],
        Field(description="Other flags and their values. EtcdSettings stand for the flags that they change."),
    ] = Field(default_factory=dict)
    etcd_version: Annotated[
        EtcdVersion,
        BeforeValidator(_parse_version),
        Field(description="Such as 3.6 or 3.6.16."),
    ] = Field(default_factory=lambda: load_versions().version(DEFAULT_VERSION))
    extra_flags: Annotated[
        dict[str, Value], Field(description="Any other flags of the version and their values. They override settings.")
    ] = Field(default_factory=dict)
    data_dir: Annotated[
        str, Field(description="The folder on every machine. It holds each member's data in `<name>.etcd`.")
    ] = DATA_DIR

    if TYPE_CHECKING:
        # Type checkers know the fields only as they are read.
        def __init__(
            self,
            *,
            members: Sequence[Member],
            token: str = TOKEN,
            state: Literal["new", "existing"] = "new",
            tls: Tls | None = None,
            settings: EtcdSettings | Mapping[str, Value] = ...,
            etcd_version: str | EtcdVersion = ...,
            extra_flags: Mapping[str, Value] = ...,
            data_dir: str = DATA_DIR,
        ) -> None: ...

    @model_validator(mode="before")
    @classmethod
    def _unpack_settings(cls, values: Any) -> Any:
        settings = values.get("settings") if isinstance(values, dict) else None
        if not isinstance(settings, EtcdSettings):
            return values
        version = values.get("etcd_version")
        if version is None:
            version = settings.etcd_version
        else:
            version = EtcdVersion.model_validate(_parse_version(version))
            if version.name != settings.etcd_version.name:
                raise PlanError(
                    f"settings: got settings for etcd {settings.etcd_version}, but etcd_version is {version}; make "
                    "them for that version",
                    field="settings",
                )
        changed = {setting.name: setting.value for setting in settings.changed if not setting.is_given}
        given = {setting.name: setting.value for setting in settings.settings.values() if setting.is_given}
        extra = values.get("extra_flags", {})
        if isinstance(extra, Mapping):
            names = {bare_name(str(name)) for name in extra}
            extra = {name: value for name, value in given.items() if name not in names} | dict(extra)
        return {**values, "settings": changed, "extra_flags": extra, "etcd_version": version}

    @field_validator("extra_flags", mode="before")
    @classmethod
    def _read_extra_flags(cls, flags: Any) -> dict[str, Value]:
        return read_extra_flags(flags)

    @model_validator(mode="after")
    def _check(self) -> "ClusterPlan":
        check_members(self.members, self.tls)
        check_text(self.token, "token")
        check_path(self.data_dir, "data_dir")
        check_flags(self.etcd_version, self._settings, self.extra_flags)
        check_listeners(self.members, self.tls, self.further_flags)
        check_log_folder({one.name: self.data_dir_of(one.name) for one in self.members}, self.further_flags)
        return self

    @property
    def _settings(self) -> dict[str, Value]:
        """`settings`, and the election timeout for a heartbeat of `extra_flags`, as `settings_for` chooses it."""
        heartbeat = self.extra_flags.get("heartbeat-interval")
        if heartbeat is None or "election-timeout" in {**self.settings, **self.extra_flags}:
            return self.settings
        _, (name, value, *_) = choose_timing(None, heartbeat)
        is_default = value == setting_of(self.etcd_version, {}, name)
        return self.settings if is_default else {**self.settings, name: value}

    @property
    def further_flags(self) -> dict[str, Value]:
        """The flags that the plan does not set itself: `settings`, overridden by `extra_flags`.

        If `extra_flags` have a heartbeat and none of them an election timeout, that is ten heartbeats.
        """
        return self._settings | self.extra_flags

    def setting(self, name: str) -> Value:
        """Return the value of a flag of `settings` or `extra_flags`, or the version's default if it is not set."""
        return setting_of(self.etcd_version, self.further_flags, name)

    @property
    def initial_cluster(self) -> str:
        """Every member with its peer URLs, for `--initial-cluster`: separated by commas, without spaces."""
        return ",".join(f"{member.name}={url}" for member in self.members for url in member.peer_urls)

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The client URLs of all members, for `etcdctl --endpoints`."""
        return tuple(url for member in self.members for url in member.client_urls)

    def member(self, name: str) -> Member:
        """Return a member by name.

        Raises
        ------
        PlanError
            If no member has that name.
        """
        found = next((member for member in self.members if isinstance(name, str) and member.name == name), None)
        if found is None:
            names = [member.name for member in self.members]
            raise PlanError(
                f"member: got {shown(name)}, expected {', '.join(map(shown, names))}{nearest(str(name), names)}",
                field="member",
                value=name,
            )
        return found

    def data_dir_of(self, name: str) -> str:
        """Return the data folder of a member.

        Examples
        --------
        >>> ClusterPlan.local(3, data_dir="/tmp/guide").data_dir_of("infra1")
        '/tmp/guide/infra1.etcd'
        """
        return os.path.join(self.data_dir, f"{self.member(name).name}.etcd")  # noqa: PTH118 - a path of another machine

    def flags(self, name: str) -> dict[str, Value]:
        """Return the flags of one member and their values. Flags that keep their default are not included.

        Parameters
        ----------
        name : str
            The member's name.

        Raises
        ------
        PlanError
            If no member has that name.
        """
        member = self.member(name)
        flags: dict[str, Value] = {
            "name": member.name,
            "data-dir": self.data_dir_of(name),
            "initial-advertise-peer-urls": ",".join(member.peer_urls),
            "listen-peer-urls": ",".join(member.listen_peer_urls),
            "listen-client-urls": ",".join(member.listen_client_urls),
            "advertise-client-urls": ",".join(member.client_urls),
            "initial-cluster-token": self.token,
            "initial-cluster": self.initial_cluster,
            "initial-cluster-state": self.state,
        }
        sides = () if self.tls is None else (("", self.tls.client), ("peer-", self.tls.peer))
        for prefix, files in sides:
            if files is not None:
                flags[f"{prefix}cert-file"] = files.cert_file
                flags[f"{prefix}key-file"] = files.key_file
                if files.trusted_ca_file is not None:
                    flags[f"{prefix}trusted-ca-file"] = files.trusted_ca_file
                if files.client_cert_auth:
                    flags[f"{prefix}client-cert-auth"] = True
        return flags | self.further_flags

    @property
    def notices(self) -> tuple[Notice, ...]:
        """The notices: what etcd accepts, but an operator should know."""
        hosts = Counter(host for member in self.members for host in hosts_of(member))
        shared = [host for host, count in hosts.items() if count > 1]
        urls = [(member, parse_url(url)) for member in self.members for url in member.peer_urls + member.client_urls]
        several = len(self.members) > 1 and not all(url.is_loopback for _, url in urls)
        loopback = [member.name for member, url in urls if url.is_loopback] if several else []
        plain = [member.name for member, url in urls if url.scheme == "http" and not url.is_loopback]
        zones = Counter(member.zone for member in self.members if member.zone is not None)
        largest, count = max(zones.items(), key=lambda item: item[1], default=("", 0))
        crowded = largest if len(self.members) > 1 and count > failure_tolerance(len(self.members)) else None
        return (
            *member_notices(len(self.members)),
            *plan_notices(shared, loopback, plain, crowded),
            *quota_notices(int(self.setting("quota-backend-bytes"))),
            *flag_notices(self.etcd_version, self.further_flags),
            *timing_notices(int(self.setting("heartbeat-interval")), int(self.setting("election-timeout"))),
            *version_notices(self.etcd_version),
        )

    @classmethod
    def local(
        cls,
        members: int = 3,
        *,
        base_port: int = CLIENT_PORT,
        data_dir: str = ".",
        token: str = TOKEN,
        settings: EtcdSettings | Mapping[str, Value] | None = None,
        etcd_version: str | None = None,
        extra_flags: Mapping[str, Value] | None = None,
        tls: Tls | None = None,
    ) -> "ClusterPlan":
        """Return a cluster like the guide's: members infra0, infra1 and so on, all on this machine.

        Parameters
        ----------
        members : int
            The number of members.
        base_port : int
            The client port of the first member. Its peer port is the next one, and so on: 2379 and 2380, 2381 and 2382,
            2383 and 2384.
        data_dir : str
            The folder that holds each member's `<name>.etcd`.
        token, settings, etcd_version, extra_flags, tls
            As in `ClusterPlan`.

        Raises
        ------
        PlanError
            If there is less than one member, or a port is above 65535.

        Examples
        --------
        >>> for member in ClusterPlan.local(3).members:
        ...     print(member.name, *member.client_urls, *member.peer_urls)
        infra0 http://127.0.0.1:2379 http://127.0.0.1:2380
        infra1 http://127.0.0.1:2381 http://127.0.0.1:2382
        infra2 http://127.0.0.1:2383 http://127.0.0.1:2384
        """
        count = integer_of(members, "members", 1, 100)
        first = integer_of(base_port, "base_port", 1, 65_536 - 2 * count)
        at = [(f"infra{index}", "127.0.0.1", first + 2 * index) for index in range(count)]
        return cls(
            members=tuple(member_at(name, host, port, port + 1, tls) for name, host, port in at),
            data_dir=data_dir,
            token=token,
            **_without_none(settings, etcd_version, extra_flags, tls),
        )

    @classmethod
    def from_hosts(
        cls,
        hosts: Iterable[str] | Mapping[str, str],
        *,
        zones: Mapping[str, str] | None = None,
        client_port: int = CLIENT_PORT,
        peer_port: int = PEER_PORT,
        data_dir: str = DATA_DIR,
        token: str = TOKEN,
        settings: EtcdSettings | Mapping[str, Value] | None = None,
        etcd_version: str | None = None,
        extra_flags: Mapping[str, Value] | None = None,
        tls: Tls | None = None,
    ) -> "ClusterPlan":
        """Return a plan with one member on each host.

        Parameters
        ----------
        hosts : iterable of str, or mapping
            Such as `["a=10.0.0.1"]` or `{"a": "10.0.0.1"}`. Hosts without a name become infra0, infra1 and so on.
        zones : mapping, optional
            The zone of every member, by name.
        client_port, peer_port : int
            The ports, the same on every host.
        data_dir, token, settings, etcd_version, extra_flags, tls
            As in `ClusterPlan`.

        Raises
        ------
        PlanError
            If etcd would reject the plan, or `zones` names an unknown member.

        Examples
        --------
        >>> plan = ClusterPlan.from_hosts({"a": "10.0.0.1", "b": "10.0.0.2"}, zones={"a": "z1", "b": "z2"})
        >>> [notice.code for notice in plan.notices if notice.severity == "warning"]
        ['even-members', 'no-failure-tolerance', 'plain-http', 'zones-not-spread']
        """
        client = integer_of(client_port, "client_port", 1, 65_535)
        peer = integer_of(peer_port, "peer_port", 1, 65_535)
        named = name_hosts(hosts)
        if zones is not None and not isinstance(zones, Mapping):
            raise PlanError(f"zones: got {shown(zones)}, expected a zone for every member", field="zones", value=zones)
        zones = dict(zones or {})
        for name in zones:
            if name not in {known for known, _ in named}:
                known = [known for known, _ in named]
                raise PlanError(
                    f"zones: got {shown(name)}, expected {', '.join(map(shown, known))}{nearest(str(name), known)}",
                    field="zones",
                    value=name,
                )
        return cls(
            members=tuple(member_at(name, host, client, peer, tls, zones.get(name)) for name, host in named),
            data_dir=data_dir,
            token=token,
            **_without_none(settings, etcd_version, extra_flags, tls),
        )


def _without_none(settings: Any, etcd_version: str | None, extra_flags: Any, tls: Tls | None) -> dict[str, Any]:
    """Return the arguments that are not None; the model has defaults for the others."""
    arguments = {"settings": settings, "etcd_version": etcd_version, "extra_flags": extra_flags, "tls": tls}
    return {field: value for field, value in arguments.items() if value is not None}
