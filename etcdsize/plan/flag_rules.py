"""The rules for the settings of a plan: flags that a plan may set, with values that etcd accepts together."""

from __future__ import annotations

from collections.abc import Mapping

from etcdsize.base.text import shown
from etcdsize.errors import OptionError, PlanError
from etcdsize.etcd.flag import Value
from etcdsize.etcd.flags import check_value, nanoseconds
from etcdsize.etcd.versions import EtcdVersion

__all__ = ["check_settings", "setting_of"]

# etcd-io/etcd server/embed/config.go, Validate.
_LONGEST_ELECTION_MS = 50_000
_HEARTBEATS_PER_ELECTION = 5
# 64 TiB. When etcd opens its data it maps a tenth more than the quota (server/mvcc/backend/backend.go), and panics if
# that fails, as it does for the next power of two (a power is our choice).
_LARGEST_QUOTA_BYTES = 2**46

# The flags that a plan sets itself, and the argument that sets each.
_SET_BY_THE_PLAN = {
    "name": "Member(name=)",
    "data-dir": "data_dir=",
    "listen-peer-urls": "Member(listen_peer_urls=)",
    "listen-client-urls": "Member(listen_client_urls=)",
    "initial-advertise-peer-urls": "Member(peer_urls=)",
    "advertise-client-urls": "Member(client_urls=)",
    "initial-cluster": "members=",
    "initial-cluster-state": "state=",
    "initial-cluster-token": "token=",
    "cert-file": "tls=",
    "key-file": "tls=",
    "trusted-ca-file": "tls=",
    "client-cert-auth": "tls=",
    "peer-cert-file": "tls=",
    "peer-key-file": "tls=",
    "peer-trusted-ca-file": "tls=",
    "peer-client-cert-auth": "tls=",
    "auto-tls": "tls=",
    "peer-auto-tls": "tls=",
}
# The flags that contradict a plan, and why.
_CONTRADICT_THE_PLAN = {
    "config-file": 'etcd would ignore every other flag; render(plan, "config") writes a config file',
    "discovery": "the plan lists its members, and etcd rejects both together",
    "discovery-endpoints": "the plan lists its members, and etcd rejects both together",
    "discovery-srv": "the plan lists its members, and etcd rejects both together",
    "discovery-token": "the plan lists its members, and etcd rejects both together",
    "proxy": "a proxy is not a member",
    "version": "etcd would print its version and exit",
    "force-new-cluster": "it drops all other members; use it by hand, for one start after a disaster",
}


def setting_of(version: EtcdVersion, settings: Mapping[str, Value], name: str) -> Value:
    """Return the value of a flag, or the version's default if it is not set."""
    return settings.get(name, version.flag(name).defaults[version.name])


def check_settings(version: EtcdVersion, settings: Mapping[str, Value]) -> None:
    """Reject settings that etcd would reject, and those that the plan sets itself or that contradict it."""
    for name, value in settings.items():
        argument = _SET_BY_THE_PLAN.get(name)
        reason = f"set it with {argument}" if argument else _CONTRADICT_THE_PLAN.get(name)
        if reason:
            raise PlanError(
                f"settings: got {shown(name)}, expected flags that the plan does not set itself; {reason}",
                field="settings",
                value=name,
            )
        try:
            flag = version.flag(name)
            check_value(version, flag, value)
        except OptionError as error:
            raise PlanError(f"settings: {error}", field="settings", value=value) from None
        if flag.ignored:
            raise PlanError(
                f"settings: got {shown(name)}, expected flags that etcd reads: it accepts this one and ignores it",
                field="settings",
                value=name,
            )
    heartbeat, election = (
        int(setting_of(version, settings, name)) for name in ("heartbeat-interval", "election-timeout")
    )
    if heartbeat < 1 or election < 1:
        raise _timing("got 0", "1 ms or more for both")
    if election < _HEARTBEATS_PER_ELECTION * heartbeat:
        raise _timing(
            f"got an election timeout of {election} ms with a heartbeat of {heartbeat} ms",
            f"at least {_HEARTBEATS_PER_ELECTION * heartbeat} ms, which is five heartbeats; ten are recommended",
        )
    if election > _LONGEST_ELECTION_MS:
        raise _timing(f"got an election timeout of {election} ms", f"at most {_LONGEST_ELECTION_MS}")
    quota = int(setting_of(version, settings, "quota-backend-bytes"))
    if quota > _LARGEST_QUOTA_BYTES:
        raise PlanError(
            f"settings: --quota-backend-bytes: got {quota}, expected at most {_LARGEST_QUOTA_BYTES}: etcd maps "
            "the whole quota into its address space of 47 bits; etcd suggests at most 8 GiB",
            field="settings",
            value=quota,
        )
    _check_retention(version, settings)


def _check_retention(version: EtcdVersion, settings: Mapping[str, Value]) -> None:
    name = "auto-compaction-retention"
    if name not in settings:
        return
    value, mode = str(settings[name]), setting_of(version, settings, "auto-compaction-mode")
    # A bare number means hours, or revisions. etcd reads 64 bits, and counts hours in nanoseconds.
    whole = value.isascii() and value.isdigit() and len(value) < 20 and int(value) < 2**63
    is_valid = whole if mode == "revision" else nanoseconds(f"{value}h" if whole else value) is not None
    if not is_valid:
        expected = "a number of revisions" if mode == "revision" else "a duration such as 1h"
        raise PlanError(f"settings: --{name}: got {shown(value)}, expected {expected}", field="settings", value=value)


def _timing(got: str, expected: str) -> PlanError:
    return PlanError(f"settings: heartbeat-interval, election-timeout: {got}, expected {expected}", field="settings")
