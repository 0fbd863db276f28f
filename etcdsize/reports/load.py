"""What is known of a load, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etcdsize.resources.resources_text import quantity_text
from etcdsize.sizing.size import load_text
from etcdsize.units import DIMENSIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etcdsize.resources.profile import Profile

__all__ = ["field_text", "profile_text"]


def profile_text(profile: Profile) -> str:
    """Return what is known of a load, and not assumed, such as `300 clients, 400 MB of data, writes_per_second 20`."""
    assumed = {one.field for one in profile.assumptions}
    known = profile.model_fields_set - assumed - {"assumptions"}
    parts = []
    for name, bound in zip(DIMENSIONS, (profile.clients_bound, profile.requests_bound, profile.data_bound)):
        load = getattr(profile, name)
        if name in known and load is not None:
            parts.append(load_text(name, load, bound))
    for field in type(profile).model_fields:
        value = getattr(profile, field)
        if field not in known or field in DIMENSIONS or field.endswith("_bound") or value is None:
            continue
        if field == "objects":
            kinds = [kind for kind in value if f"objects.{kind.name}.count" not in assumed]
            parts += [f"{kind.count} {kind.name}" for kind in kinds]
        elif field == "tls":
            parts.append("TLS" if value else "no TLS")
        else:
            ends = (value.low,) if value.is_exact else (value.low, value.likely, value.high)
            parts.append(f"{field} {field_text(field, ends)}")
    return ", ".join(parts)


def field_text(field: str, ends: Sequence[float]) -> str:
    """Return the value of a field, or the ends of its range, in the units of the field."""
    if field == "tls":
        return " or ".join(dict.fromkeys("yes" if one else "no" for one in ends))
    if field == "disk_mb_per_second":
        return "..".join(quantity_text("_bytes_per_second", one * 1e6) for one in ends)
    return "..".join(quantity_text(f"load.{field}", one) for one in ends)
