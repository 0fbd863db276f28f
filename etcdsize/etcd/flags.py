"""The flags of one version of etcd: the values that it accepts, and how a command line and a config file write them."""

from __future__ import annotations

import re
from fractions import Fraction

from etcdsize.base.text import in_words, nearest, shown
from etcdsize.errors import OptionError, UnitError
from etcdsize.etcd.flag import EtcdFlag, Value
from etcdsize.etcd.versions import EtcdVersion
from etcdsize.units import parse_bytes

__all__ = [
    *("BOOLEANS", "CATCH_UP_FLAGS", "check_value", "choices", "config_key", "config_value"),
    *("flag_text", "is_deprecated", "nanoseconds", "read_value"),
]

# Go's time.ParseDuration, without a sign. The number of nanoseconds in 64 bits has 19 digits; the limit keeps hostile
# text from becoming an enormous integer.
_DURATION = re.compile(r"([0-9]{1,25}(?:\.[0-9]{0,25})?|\.[0-9]{1,25})(ns|us|µs|μs|ms|s|m|h)")
_NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_LARGEST = 2**63 - 1
BOOLEANS = {
    **dict.fromkeys(("1", "t", "T", "true", "True", "TRUE"), True),
    **dict.fromkeys(("0", "f", "F", "false", "False", "FALSE"), False),
}
"""The texts that Go reads as true or false (strconv.ParseBool)."""
CATCH_UP_FLAGS = ("experimental-snapshot-catchup-entries", "snapshot-catchup-entries")
"""The old and the new name of the entries of the raft log that stay in memory for followers that fall behind."""
# Go would read 010 as 8, and 0x10 as 16.
_INTEGER = re.compile(r"0|[1-9][0-9]{0,18}")
_KINDS = {
    "bool": "true or false",
    "bytes": "an integer of bytes, 0 or more",
    "int": "an integer of 0 or more",
    "milliseconds": "an integer of milliseconds, 0 or more",
    "duration": "a duration such as 10m or 500ms",
}


def check_value(version: EtcdVersion, flag: EtcdFlag, value: object) -> Value:
    """Return the value if the flag accepts it.

    Raises
    ------
    OptionError
        If etcd would reject the value, and for text with control characters, which would break its line.
    """
    if not isinstance(value, (bool, int, str)) or not _is_of_kind(flag, value):
        raise _rejected(flag, value, _KINDS.get(flag.kind, "text"))
    if isinstance(value, str):
        if not value.isprintable():
            raise _rejected(flag, value, "printable text")
        known = choices(version, flag)
        if known is not None and value not in known:
            raise _rejected(
                flag, value, f"{in_words((one or 'nothing' for one in known), 'or')}{nearest(value, known)}"
            )
    return value


def read_value(flag: EtcdFlag, text: str) -> Value:
    """Return a value that was written as text: true and false, sizes such as 8GiB, and integers are read as such.

    Text that is of another kind than the flag is returned as it is; `check_value` rejects it.

    Raises
    ------
    OptionError
        For a flag of bytes, if the text is no size.

    Examples
    --------
    >>> from etcdsize import load_versions
    >>> version = load_versions().version("3.6")
    >>> read_value(version.flag("quota-backend-bytes"), "8GiB"), read_value(version.flag("pre-vote"), "false")
    (8589934592, False)
    """
    if flag.kind == "bool":
        return BOOLEANS.get(text, text)
    if flag.kind == "bytes":
        try:
            size = parse_bytes(text)
        except UnitError as error:
            raise OptionError(f"--{flag.name}: {error}", option=flag.name, value=text) from None
        # Part of a byte is left as it is written, and rejected.
        return size if isinstance(size, int) else text
    if flag.kind in ("int", "milliseconds") and _INTEGER.fullmatch(text):
        return int(text)
    return text


def choices(version: EtcdVersion, flag: EtcdFlag) -> tuple[str, ...] | None:
    """Return the only values that have a meaning for a flag of a version, None if they are not few."""
    known = flag.choices.get(version.name)
    if known is None:
        return None
    first = flag.choices_since.get(version.name, {})
    return tuple(value for value in known if value not in first or version.reaches(first[value]))


def is_deprecated(version: EtcdVersion, flag: EtcdFlag) -> bool:
    """Return whether a version warns if the flag is set. A version without a patch does what its newest patch does."""
    first, after = (patches.get(version.name) for patches in (flag.deprecated_since, flag.deprecated_before))
    return (
        version.name in flag.deprecated_in
        and (first is None or version.reaches(first))
        and (after is None or not version.reaches(after))
    )


def config_key(version: EtcdVersion, flag: EtcdFlag) -> str | None:
    """Return the key of a flag in a config file of a version, None if a config file cannot set the flag."""
    first = flag.config_key_since.get(version.name)
    if version.name in flag.no_config_key_in or (first is not None and not version.reaches(first)):
        return None
    return flag.config_key


def _is_of_kind(flag: EtcdFlag, value: Value) -> bool:
    if flag.kind == "bool":
        return isinstance(value, bool)
    if flag.kind in ("bytes", "int", "milliseconds"):
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST
    return isinstance(value, str) and (flag.kind != "duration" or nanoseconds(value) is not None)


def nanoseconds(text: str) -> int | None:
    """Return a duration in Go's notation in nanoseconds, None if it is not a duration or too long for Go."""
    if text == "0":
        return 0
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    total = sum(Fraction(number) * _NANOSECONDS[unit] for number, unit in parts)
    return int(total) if total <= _LARGEST else None


def flag_text(value: Value) -> str:
    """Return a value as the text of a flag or an environment variable."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def config_value(version: EtcdVersion, flag: EtcdFlag, value: Value) -> bool | int | str | list[str]:
    """Return a value for a config file, where a duration is a number of nanoseconds and a list is a list."""
    if flag.kind == "duration":
        return nanoseconds(str(value)) or 0
    first = flag.config_list_since.get(version.name)
    if flag.kind == "list" and (first is None or version.reaches(first)):
        return [part for part in str(value).split(",") if part]
    return value


def _rejected(flag: EtcdFlag, value: object, expected: str) -> OptionError:
    return OptionError(f"--{flag.name}: got {shown(value)}, expected {expected}", option=flag.name, value=value)
