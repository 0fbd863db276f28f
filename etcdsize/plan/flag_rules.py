"""The rules for the flags that a plan sets beyond its own: which they may be, and with which values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from etcdsize.base.checks import whole_number
from etcdsize.base.text import shown
from etcdsize.errors import EtcdSizeError, OptionError, PlanError
from etcdsize.etcd.flag import Value
from etcdsize.etcd.flags import read_value
from etcdsize.etcd.versions import EtcdVersion, load_versions
from etcdsize.plan.flag_combinations import check_combinations
from etcdsize.plan.flag_values import check_flag

__all__ = ["bare_name", "check_flags", "read_extra_flags"]

# The flags that a plan sets itself: the argument that sets each, and the option of the command line, if there is one.
_MEMBERS = ("members=", "--host NAME=HOST")
_TLS = ("tls=", "--tls-dir")
_SET_BY_THE_PLAN = {
    "name": ("Member(name=)", "--host NAME=HOST"),
    "data-dir": ("data_dir=", "--data-dir"),
    "listen-peer-urls": ("Member(listen_peer_urls=)", "--peer-port"),
    "listen-client-urls": ("Member(listen_client_urls=)", "--client-port"),
    "initial-advertise-peer-urls": ("Member(peer_urls=)", "--host NAME=HOST"),
    "advertise-client-urls": ("Member(client_urls=)", "--host NAME=HOST"),
    "initial-cluster": _MEMBERS,
    "initial-cluster-state": ("state=", None),
    "initial-cluster-token": ("token=", "--token"),
    **dict.fromkeys(
        (
            *("cert-file", "key-file", "trusted-ca-file", "client-cert-auth", "auto-tls"),
            *("peer-cert-file", "peer-key-file", "peer-trusted-ca-file", "peer-client-cert-auth", "peer-auto-tls"),
        ),
        _TLS,
    ),
}
# The flags that contradict a plan, and why.
_CONTRADICT_THE_PLAN = {
    "config-file": 'etcd would ignore every other flag; render(plan, "config") writes a config file',
    **dict.fromkeys(
        ("discovery", "discovery-endpoints", "discovery-srv", "discovery-token"),
        "the plan lists its members, and etcd rejects both together",
    ),
    "force-new-cluster": "it drops all other members; use it by hand, for one start after a disaster",
    "help": "etcd would print its help and exit",
    "proxy": "a proxy is not a member",
    "version": "etcd would print its version and exit",
}
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def bare_name(name: str) -> str:
    """Return the name of a flag without its hyphens."""
    return name.removeprefix("--")


def read_extra_flags(flags: Any) -> dict[str, Value]:
    """Return flags by their names without hyphens, with the values that their texts stand for.

    A flag that no version of our table has keeps its value as it is.

    Raises
    ------
    PlanError
        For anything but a mapping of flags to values, and for a flag that is named more than once.
    """
    if not isinstance(flags, Mapping):
        raise _invalid(f'got {shown(flags)}, expected flags and values such as {{"max-learners": 2}}', flags)
    known = load_versions().flags_by_name
    found: dict[str, Value] = {}
    for given, value in flags.items():
        name = bare_name(given) if isinstance(given, str) else given
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise _invalid(
                f"got the flag {shown(given)}, expected a name of lower-case letters, digits and hyphens, such as "
                "max-learners",
                given,
            )
        if name in found:
            raise _invalid(f"got {shown(name)} more than once, expected it once", name)
        if isinstance(value, str) and name in known:
            try:
                value = read_value(known[name], value)
            except OptionError as error:
                raise _invalid(str(error), value) from None
        # NumPy's integers are none of Python's.
        whole = whole_number(value)
        found[name] = value if whole is None else whole
    return found


def check_flags(version: EtcdVersion, settings: Mapping[str, Value], extra_flags: Mapping[str, Value]) -> None:
    """Reject flags that etcd would reject, and those that a plan sets itself or that contradict it.

    A flag that no version of our table has is accepted in `extra_flags`, which override `settings`.
    """
    known = load_versions().flags_by_name
    for field, flags in (("settings", settings), ("extra_flags", extra_flags)):
        for name, value in flags.items():
            expected = _expected_instead(name)
            if expected is not None:
                raise PlanError(f"{field}: got {shown(name)}, expected {expected}", field=field, value=name)
            if field == "extra_flags" and name not in known:
                _check_unknown(name, value)
                continue
            try:
                check_flag(version, name, value)
            except EtcdSizeError as error:
                raise PlanError(f"{field}: {error}", field=field, value=getattr(error, "value", None)) from None
    together = {name: value for name, value in {**settings, **extra_flags}.items() if name in known}
    field = "extra_flags" if extra_flags else "settings"
    try:
        check_combinations(version, together)
    except OptionError as error:
        raise PlanError(f"{field}: {error}", field=field, value=error.value) from None


def _expected_instead(name: str) -> str | None:
    """Return what is expected instead of a flag that a plan refuses, and None if it does not refuse it."""
    flag = load_versions().flags_by_name.get(name)
    if flag is not None and flag.ignored:
        return "flags that etcd reads: it accepts this one and ignores it"
    if name in _SET_BY_THE_PLAN:
        argument, option = _SET_BY_THE_PLAN[name]
        reason = f"set it with {argument}" + ("" if option is None else f", or {option} on the command line")
    elif name in _CONTRADICT_THE_PLAN:
        reason = _CONTRADICT_THE_PLAN[name]
    else:
        return None
    return f"flags that the plan does not set itself; {reason}"


def _check_unknown(name: str, value: object) -> None:
    if not isinstance(value, (bool, int, str)) or (isinstance(value, str) and not value.isprintable()):
        raise _invalid(f"--{name}: got {shown(value)}, expected printable text, an integer or a boolean", value)
    # Go's integers have 64 bits, with or without a sign.
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise _invalid(f"--{name}: got {shown(value)}, expected an integer of 64 bits", value)


def _invalid(message: str, value: object) -> PlanError:
    return PlanError(f"extra_flags: {message}", field="extra_flags", value=value)
