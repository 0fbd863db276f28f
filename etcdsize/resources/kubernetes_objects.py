"""What the caller says of the objects of a Kubernetes cluster."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from etcdsize.base.text import nearest, shortened, shown
from etcdsize.errors import EtcdSizeError, OptionError
from etcdsize.resources.amount import Amount
from etcdsize.resources.fields import Unit
from etcdsize.resources.kubernetes_table import NODES, OTHERS, PODS, load_kubernetes

__all__ = ["GivenObjects", "amount_of", "objects_of"]

_FIELDS: dict[str, Unit] = {"count": "count", "value_bytes": "bytes", "key_bytes": "bytes", "writes_per_second": "rate"}
# The longest name of a custom resource: 63 characters, a dot, and a group of 253.
_LONGEST_NAME = 317
# No counter of Kubernetes is larger.
_TOO_LARGE = 2**64


@dataclass(frozen=True, slots=True)
class GivenObjects:
    """What is known of a kind of object. None: unknown."""

    count: Amount | None = None
    key_bytes: Amount | None = None
    value_bytes: Amount | None = None
    writes_per_second: Amount | None = None


def objects_of(objects: object) -> dict[str, GivenObjects]:
    """Return what is known of each kind, by its name with the group.

    Raises
    ------
    OptionError
        For what is no mapping, for a kind that is unknown and has no size, and for what is no count.
    """
    if objects is None:
        return {}
    if not isinstance(objects, Mapping):
        raise OptionError(
            f"objects: got {shown(objects)} of type {type(objects).__name__}, expected a mapping from kinds to counts",
            option="objects",
            value=objects,
        )
    known = load_kubernetes().kinds_by_name
    given: dict[str, GivenObjects] = {}
    for word, value in objects.items():
        if not isinstance(word, str) or not 0 < len(word) <= _LONGEST_NAME or not word.isprintable():
            raise OptionError(
                f"objects: got the kind {shown(word)}, expected a plural name such as secrets or widgets.example.com",
                option="objects",
                value=word,
            )
        kind = known.get(word)
        name = word if kind is None else kind.name
        option = f"objects, {shortened(word)}"
        if name in given:
            raise OptionError(f"{option}: is given twice, expected each kind once", option="objects")
        one = _given_of(option, value)
        if name in (PODS, NODES) and one.count is not None:
            raise OptionError(
                f'{option}: got a count, expected the size or the writes, as in {{"value_bytes": "8kB"}}; the number '
                f"is the argument {name}",
                option="objects",
                value=value,
            )
        if one.count is None and (kind is None or kind.count_source is None):
            raise OptionError(f"{option}: count is missing, expected how many there are", option="objects", value=value)
        if kind is None and one.value_bytes is None:
            raise OptionError(
                f"{option}: got a kind whose size is unknown, expected one of {', '.join(_short_names())}, or its "
                f'size, as in {{"count": 4000, "value_bytes": "3kB"}}{nearest(word, known)}',
                option="objects",
                value=word,
            )
        given[name] = one
    return given


def _short_names() -> list[str]:
    return [kind.short_name for kind in load_kubernetes().kinds if kind.name not in (PODS, NODES, OTHERS)]


def _given_of(option: str, value: object) -> GivenObjects:
    if not isinstance(value, Mapping) or {"low", "likely", "high"}.issuperset(value):
        return GivenObjects(count=amount_of(option, value, "count"))
    for field in value:
        if field not in _FIELDS:
            raise OptionError(
                f"{option}: got the field {shown(field)}, expected {', '.join(_FIELDS)}"
                f"{nearest(field, _FIELDS) if isinstance(field, str) else ''}",
                option="objects",
                value=field,
            )
    return GivenObjects(**{field: amount_of(f"{option}, {field}", one, _FIELDS[field]) for field, one in value.items()})


def amount_of(option: str, value: Any, unit: Unit) -> Amount:
    """Return an amount, or raise an error that names the argument."""
    try:
        amount = Amount.of(value, unit)
    except EtcdSizeError as error:
        raise OptionError(f"{option}: {error}", option=option.partition(",")[0], value=value) from None
    if amount.high >= _TOO_LARGE:
        raise OptionError(
            f"{option}: got {shown(value)}, expected less than 2^64", option=option.partition(",")[0], value=value
        )
    return amount
