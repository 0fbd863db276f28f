"""What is known of a load, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etcdsize.base.text import in_words
from etcdsize.resources.fields import FIELD_UNITS
from etcdsize.resources.resources_text import quantity_text
from etcdsize.sizing.answer import load_text
from etcdsize.units import DIMENSIONS, format_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etcdsize.resources.amount import Amount
    from etcdsize.resources.profile import Profile

__all__ = ["field_text", "profile_text"]

_SUFFIXES = {"count": "", "rate": "/s", "duration": " s"}


def profile_text(profile: Profile) -> str:
    """Return what is known of a load, and not assumed, such as `300 clients, 400 MB of data, writes 20..50/s`.

    Of a Kubernetes cluster without nodes, for example, nothing is known.
    """
    assumed = {one.field for one in profile.assumptions}
    bounds = (profile.clients_bound, profile.requests_bound, profile.data_bound)
    known = [
        load_text(name, load, bound)
        for name, bound in zip(DIMENSIONS, bounds)
        if name not in assumed and (load := getattr(profile, name)) is not None
    ]
    kinds = [kind for kind in profile.objects if f"objects.{kind.name}.count" not in assumed]
    known += [f"{kind.count} {kind.name}" for kind in kinds]
    for field in FIELD_UNITS:
        amount = getattr(profile, field)
        if amount is not None and field not in assumed:
            known.append(f"{_words(field)} {_amount_text(field, amount)}")
    if profile.tls is not None and "tls" not in assumed:
        known.append("TLS" if profile.tls else "no TLS")
    return ", ".join(known) or "all of it is assumed"


def _words(field: str) -> str:
    """Return the name of a field without its unit."""
    for unit in ("_bytes", "_per_second", "_seconds"):
        field = field.removesuffix(unit)
    return field.replace("_", " ")


def _amount_text(field: str, amount: Amount) -> str:
    """Return a known amount with its unit, and not rounded."""
    unit = FIELD_UNITS[field]
    if unit != "bytes":
        return f"{amount}{_SUFFIXES[unit]}"
    middle = amount.likely == (amount.low + amount.high) / 2
    ends = (amount.low, amount.high) if middle else (amount.low, amount.likely, amount.high)
    return "..".join(map(format_bytes, ends[:1] if amount.is_exact else ends))


def field_text(field: str, ends: Sequence[float]) -> str:
    """Return the value of a field, or the ends of its range, in the units of the field."""
    if field == "tls":
        return in_words(dict.fromkeys("yes" if one else "no" for one in ends), "or")
    if field == "disk_mb_per_second":
        return "..".join(quantity_text("_bytes_per_second", one * 1e6) for one in ends)
    return "..".join(quantity_text(f"load.{field}", one) for one in ends)
