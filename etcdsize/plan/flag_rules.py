"""The settings of a plan: flags that are not the plan's own, with values that etcd takes together.

This module imports `versions`, `_flag_values` and `errors`.
"""

from __future__ import annotations

from collections.abc import Mapping

from etcdsize.base.text import shown
from etcdsize.errors import OptionError, PlanError
from etcdsize.etcd.flags import check_value, nanoseconds
from etcdsize.etcd.versions import EtcdVersion, Value

__all__ = ["check_settings", "setting_of"]

# etcd-io/etcd server/embed/config.go, Validate.
_LONGEST_ELECTION_MS = 50_000
_HEARTBEATS_PER_ELECTION = 5
# 64 TiB. etcd maps a tenth more than the quota when it opens its data (server/mvcc/backend/backend.go), and panics
# where that cannot be; the next power of two cannot (our choice of a power).
_LARGEST_QUOTA_BYTES = 2**46

# What the plan says itself; a setting of the same name would say it twice.
_OF_THE_PLAN = {
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
# What works against the plan: another way to find the members, or another source of flags.
_AGAINST_THE_PLAN = {
    "config-file": 'etcd passes over every other flag then; render(plan, "config") writes one',
    "discovery": "the plan names its members, and etcd refuses both",
    "discovery-endpoints": "the plan names its members, and etcd refuses both",
    "discovery-srv": "the plan names its members, and etcd refuses both",
    "discovery-token": "the plan names its members, and etcd refuses both",
    "proxy": "a proxy is no member",
    "force-new-cluster": "it throws the other members away; it is for one start by hand after a disaster",
}


def setting_of(version: EtcdVersion, settings: Mapping[str, Value], name: str) -> Value:
    """Return the value of a flag: as set, or the version's default."""
    return settings.get(name, version.flag(name).defaults[version.name])


def check_settings(version: EtcdVersion, settings: Mapping[str, Value]) -> None:
    """Refuse what etcd would refuse, and what says twice what the plan says."""
    for name, value in settings.items():
        home = _OF_THE_PLAN.get(name)
        reason = f"give it as {home}" if home else _AGAINST_THE_PLAN.get(name)
        if reason:
            raise PlanError(
                f"settings: got {shown(name)}, expected flags that the plan does not set itself; {reason}",
                field="settings",
                value=name,
            )
        try:
            check_value(version, version.flag(name), value)
        except OptionError as error:
            raise PlanError(f"settings: {error}", field="settings", value=value) from None
    heartbeat, election = (
        int(setting_of(version, settings, name)) for name in ("heartbeat-interval", "election-timeout")
    )
    if heartbeat < 1 or election < 1:
        raise _timing("got 0", "1 ms or more for both")
    if election < _HEARTBEATS_PER_ELECTION * heartbeat:
        raise _timing(
            f"got an election timeout of {election} ms with a heartbeat of {heartbeat} ms",
            f"at least five heartbeats, {_HEARTBEATS_PER_ELECTION * heartbeat} ms; ten are better",
        )
    if election > _LONGEST_ELECTION_MS:
        raise _timing(f"got an election timeout of {election} ms", f"at most {_LONGEST_ELECTION_MS}")
    quota = int(setting_of(version, settings, "quota-backend-bytes"))
    if quota > _LARGEST_QUOTA_BYTES:
        raise PlanError(
            f"settings: --quota-backend-bytes: got {quota}, expected at most {_LARGEST_QUOTA_BYTES}: etcd maps all "
            "of it into memory's addresses, and processors have 47 bits of them; etcd suggests 8 GiB as the most",
            field="settings",
            value=quota,
        )
    _check_retention(version, settings)


def _check_retention(version: EtcdVersion, settings: Mapping[str, Value]) -> None:
    name = "auto-compaction-retention"
    if name not in settings:
        return
    value, mode = str(settings[name]), setting_of(version, settings, "auto-compaction-mode")
    # A number alone is hours, or revisions; etcd reads 64 bits, and counts hours in nanoseconds.
    whole = value.isascii() and value.isdigit() and len(value) < 20 and int(value) < 2**63
    fine = whole if mode == "revision" else nanoseconds(f"{value}h" if whole else value) is not None
    if not fine:
        expected = "a number of revisions" if mode == "revision" else "a duration such as 1h"
        raise PlanError(f"settings: --{name}: got {shown(value)}, expected {expected}", field="settings", value=value)


def _timing(came: str, expected: str) -> PlanError:
    return PlanError(f"settings: heartbeat-interval, election-timeout: {came}, expected {expected}", field="settings")
