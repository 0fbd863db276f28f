"""The flags that etcd refuses together: each is accepted alone, but not with the other, or with its value."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from etcdsize.base.text import shown
from etcdsize.errors import OptionError
from etcdsize.etcd.flag import Value
from etcdsize.etcd.flags import flag_text, nanoseconds
from etcdsize.etcd.versions import EtcdVersion, load_versions
from etcdsize.plan.flag_values import LOG_STREAMS, feature_gates

__all__ = ["LONGEST_ELECTION_MS", "check_combinations", "setting_of"]

# etcd-io/etcd server/embed/config.go, Validate.
LONGEST_ELECTION_MS = 50_000
"""The longest election timeout that etcd accepts. [ms]"""
_HEARTBEATS_PER_ELECTION = 5
_MOST_SAMPLES = 1_000_000
*_STREAMS, _JOURNAL = LOG_STREAMS
# zap, which writes the log, opens no other URL than that of a file of this machine.
_SCHEME = re.compile(r"(?!file://(?:localhost)?/)[A-Za-z][A-Za-z0-9+.-]*:")
# The fields of lumberjack.Logger, which the JSON configures.
_ROTATION = {"filename": str, "maxsize": int, "maxage": int, "maxbackups": int, "localtime": bool, "compress": bool}
# Go's int, on machines of 64 bits.
_LIMIT_OF_INT = 2**63
_PERSISTENT = "experimental-enable-lease-checkpoint-persist"
_GATE = "feature-gates "


def setting_of(version: EtcdVersion, flags: Mapping[str, Value], name: str) -> Value:
    """Return the value of a flag, or the version's default if it is not set.

    Raises
    ------
    OptionError
        If it is not set and the version lacks it.
    """
    if isinstance(name, str) and name in flags:
        return flags[name]
    return version.flag(name).defaults[version.name]


def _value_of(version: EtcdVersion, flags: Mapping[str, Value], name: str) -> Value | None:
    """Return what `setting_of` returns, or None if the version lacks the flag."""
    has_value = name in flags or version.has(load_versions().flags_by_name[name])
    return setting_of(version, flags, name) if has_value else None


def check_combinations(version: EtcdVersion, flags: Mapping[str, Value]) -> None:
    """Reject flags that etcd would refuse together. Each value has been checked alone.

    Raises
    ------
    OptionError
        The message names the flags.
    """
    for check in (_timing, _retention, _tls, _replaced, _checkpoints, _log_outputs, _v2, _tracing, _certificates):
        check(version, flags)


def _timing(version: EtcdVersion, flags: Mapping[str, Value]) -> None:
    heartbeat, election = (int(_value_of(version, flags, name) or 0) for name in _TIMING)
    if heartbeat < 1 or election < 1:
        raise _rejected(_TIMING, "got 0", "1 ms or more for both")
    if election < _HEARTBEATS_PER_ELECTION * heartbeat:
        raise _rejected(
            _TIMING,
            f"got an election timeout of {election} ms with a heartbeat of {heartbeat} ms",
            f"at least {_HEARTBEATS_PER_ELECTION * heartbeat} ms, which is five heartbeats; ten are recommended",
        )
    if election > LONGEST_ELECTION_MS:
        raise _rejected(_TIMING, f"got an election timeout of {election} ms", f"at most {LONGEST_ELECTION_MS}")


_TIMING = ("heartbeat-interval", "election-timeout")


def _retention(version: EtcdVersion, flags: Mapping[str, Value]) -> None:
    name, way = "auto-compaction-retention", "auto-compaction-mode"
    mode = _value_of(version, flags, way)
    if name not in flags:
        if mode == "revision":
            # etcd would start, and never compact.
            raise OptionError(
                f"--{way}: got revision without --{name}, expected both: set the number of revisions to keep",
                option=way,
                value=mode,
            )
        return
    value = str(flags[name])
    # A bare number means hours, or revisions. etcd reads 64 bits, and counts hours in nanoseconds.
    whole = value.isascii() and value.isdigit() and len(value) < 20 and int(value) < 2**63
    is_valid = whole if mode == "revision" else nanoseconds(f"{value}h" if whole else value) is not None
    if not is_valid:
        expected = "a number of revisions" if mode == "revision" else "a duration such as 1h"
        raise OptionError(f"--{name}: got {shown(value)}, expected {expected}", option=name, value=value)


def _tls(version: EtcdVersion, flags: Mapping[str, Value]) -> None:
    names = ("tls-min-version", "tls-max-version")
    least, most = (_value_of(version, flags, name) for name in names)
    if most and least and str(least) > str(most):
        raise _rejected(names, f"got {least} and {most}", "a minimum that is not above the maximum")
    if least == "TLS1.3" and flags.get("cipher-suites"):
        raise _excluded("cipher-suites", "tls-min-version=TLS1.3", "Go chooses the suites of TLS 1.3 itself")


def _replaced(version: EtcdVersion, flags: Mapping[str, Value]) -> None:
    """Reject an experimental flag beside the flag or the feature gate that replaced it."""
    text = str(flags.get("feature-gates", ""))
    gates = set(feature_gates(version, text))
    for everything, default in (("AllAlpha", False), ("AllBeta", True)):
        if everything in gates:
            # It sets every gate of its stage. In 3.6, which alone has both kinds of names, beta gates are those that
            # are on by default.
            gates |= {gate for gate, is_on in version.feature_gates.items() if is_on is default}
    for name in flags:
        instead = version.flag(name).instead if name.startswith("experimental-") else None
        if instead in flags:
            raise _excluded(name, str(instead), "it is the old name of the same setting")
        # etcd looks for the name in a text, so LeaseCheckpoint is also found in LeaseCheckpointPersist.
        if instead and instead.startswith(_GATE) and any(instead.removeprefix(_GATE) in gate for gate in gates):
            raise _excluded(name, f"feature-gates={text}", "it is the old name of the same setting")


def _checkpoints(version: EtcdVersion, flags: Mapping[str, Value]) -> None:
    """Reject lease checkpoints that are persisted but not made."""
    gates = feature_gates(version, str(flags.get("feature-gates", "")))
    # A gate for all alpha features sets those that are not set themselves.
    everything = gates.get("AllAlpha", False)
    made = flags.get(_PERSISTENT.removesuffix("-persist"), gates.get("LeaseCheckpoint", everything))
    persisted = flags.get(_PERSISTENT, gates.get("LeaseCheckpointPersist", everything))
    if persisted and not made:
        by_gate = "LeaseCheckpointPersist" in gates or everything
        where = "feature-gates" if by_gate and _PERSISTENT not in flags else _PERSISTENT
        needed = "feature-gates=LeaseCheckpoint=true" if version.feature_gates else _PERSISTENT.removesuffix("-persist")
        raise OptionError(
            f"--{where}: lease checkpoints cannot be persisted unless they are on; add --{needed}", option=where
        )


def _log_outputs(version: EtcdVersion, flags: Mapping[str, Value]) -> None:
    outputs = set(str(_value_of(version, flags, "log-outputs")).split(","))
    old = set(str(_value_of(version, flags, "log-output") or "default").split(","))
    # 3.4 has both, and takes the one with more outputs.
    if len(old) == len(outputs) and old != {"default"} and (len(old) > 1 or old == outputs):
        raise _excluded("log-output", "log-outputs", "it is the old name of the same setting")
    outputs = max(outputs, old, key=len)
    rotates = bool(flags.get("enable-log-rotation", False))
    where = ("log-outputs",)
    if _value_of(version, flags, "logger") == "capnslog":
        if len(outputs) > 1 or not outputs <= set(_STREAMS):
            raise _rejected(
                where, f"got {shown(','.join(sorted(outputs)))}", f"one of {', '.join(_STREAMS)}, or --logger=zap too"
            )
        return
    for alone in ("default", _JOURNAL):
        if alone in outputs and len(outputs) > 1:
            raise _rejected(where, f"got {shown(','.join(sorted(outputs)))}", f"{alone} alone, or outputs without it")
    for output in outputs:
        if not output or (not rotates and _SCHEME.match(output)):
            raise _rejected(where, f"got {shown(output)}", f"{', '.join(_STREAMS)}, {_JOURNAL} or a path")
    if rotates:
        _check_rotation(outputs, str(_value_of(version, flags, "log-rotation-config-json")))


def _check_rotation(outputs: set[str], config: str) -> None:
    files = outputs - set(_STREAMS)
    if len(files) != 1:
        raise _rejected(
            ("enable-log-rotation",), f"got {len(files)} files in --log-outputs", "exactly one, which is rotated"
        )
    try:
        fields = json.loads(config, parse_constant=lambda word: [word])
    except (ValueError, RecursionError):
        fields = None
    found = {name.lower(): value for name, value in fields.items()} if isinstance(fields, dict) else {}
    for name, kind in _ROTATION.items():
        # Python counts true as an integer.
        value = found.get(name)
        is_too_large = isinstance(value, int) and not -_LIMIT_OF_INT <= value < _LIMIT_OF_INT
        if value is not None and (type(value) is not kind or is_too_large):
            found = {}
    if not found.keys() & _ROTATION.keys():
        raise _rejected(
            ("log-rotation-config-json",),
            f"got {shown(config)}",
            'a JSON object of maxsize, maxage, maxbackups, localtime and compress, such as {"maxsize": 100}',
        )


def _v2(version: EtcdVersion, flags: Mapping[str, Value]) -> None:
    stage = flags.get("v2-deprecation", "not-yet")
    if flags.get("enable-v2") and stage != "not-yet":
        raise _excluded("enable-v2", f"v2-deprecation={stage}", f"etcd {version.name} then turns the v2 API off")


def _tracing(_version: EtcdVersion, flags: Mapping[str, Value]) -> None:
    prefixes = ("", "experimental-")
    rates = [f"{prefix}distributed-tracing-sampling-rate" for prefix in prefixes]
    if any(flags.get(f"{prefix}enable-distributed-tracing") for prefix in prefixes):
        for name in rates:
            if int(flags.get(name, 0)) > _MOST_SAMPLES:
                raise _rejected((name,), f"got {flag_text(flags[name])}", f"at most {_MOST_SAMPLES} of a million spans")


def _certificates(_version: EtcdVersion, flags: Mapping[str, Value]) -> None:
    for prefix in ("", "peer-"):
        names = (f"{prefix}client-cert-file", f"{prefix}client-key-file")
        if len([name for name in names if flags.get(name)]) == 1:
            raise _rejected(names, "got one of the two", "both or neither")
    names = ("peer-cert-allowed-cn", "peer-cert-allowed-hostname")
    if all(flags.get(name) for name in names):
        raise _rejected(names, "got both", "one of the two")


def _rejected(names: tuple[str, ...], got: str, expected: str) -> OptionError:
    where = ", ".join(f"--{name}" for name in names)
    return OptionError(f"{where}: {got}, expected {expected}", option=names[0])


def _excluded(name: str, other: str, why: str) -> OptionError:
    return OptionError(f"--{name}: cannot be used with --{other}: {why}; leave it out", option=name)
