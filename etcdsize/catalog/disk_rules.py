"""The arithmetic of network disks: what a disk sustains, what it costs, and the least that is enough.

Figures are worked out as exact fractions of what is printed: 0.005 is five thousandths. An unknown figure is None, and
so is all that rests on it. This module imports `errors` and `units`; it sees a `DiskKind` only as a thing with fields.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from etcdsize.base.text import shown
from etcdsize.errors import OptionError
from etcdsize.units import format_number

if TYPE_CHECKING:
    from etcdsize.catalog.disks import DiskKind

__all__ = ["figures", "smallest", "usd_month"]

# One unit of throughput as a provider counts it, in MB/s.
_UNITS = {"MB/s": Fraction(1), "MiB/s": Fraction(2**20, 10**6)}


def figures(
    kind: DiskKind, size_gib: int, provisioned_iops: float | None, provisioned_mb_per_second: float | None
) -> tuple[float | None, float | None]:
    """Return the IOPS and the MB/s that a disk sustains; see `DiskKind.figures`."""
    iops, throughput = _sustained(kind, size_gib, provisioned_iops, provisioned_mb_per_second)
    return None if iops is None else _number(iops), None if throughput is None else _number(throughput)


def usd_month(
    kind: DiskKind, size_gib: int, provisioned_iops: float | None, provisioned_mb_per_second: float | None
) -> float | None:
    """Return what a disk costs a month; see `DiskKind.usd_month`."""
    iops, throughput = _sustained(kind, size_gib, provisioned_iops, provisioned_mb_per_second)
    if kind.price is None:
        return None
    total = _exact(kind.price.usd_gib_month) * size_gib
    if kind.iops_provisionable:
        included = _known(kind.included_iops)
        if iops is None or included is None or (iops > included and kind.price.usd_iops_month is None):
            return None
        total += sum(price * count for count, price in _steps(kind, included, iops))
    if kind.mb_per_second_provisionable:
        included = _known(kind.included_mb_per_second)
        if throughput is None or included is None:
            return None
        if throughput > included:
            if kind.price.usd_mb_per_second_month is None:
                return None
            total += _exact(kind.price.usd_mb_per_second_month) * (throughput - included)
    return _number(total)


def smallest(
    kind: DiskKind, size_gib: float, concurrent_iops: float | None, mb_per_second: float | None
) -> tuple[int, int | None, float | None] | str:
    """Return the least size, IOPS to ask for and MB/s to ask for, or why there are none; see `DiskKind.smallest`."""
    size = max(math.ceil(_need("size_gib", size_gib, positive=True)), kind.min_size_gib or 1)
    if kind.max_size_gib is not None and size > kind.max_size_gib:
        return f"{kind.kind} has at most {kind.max_size_gib} GiB, {size} needed"
    iops = throughput = Fraction(0)
    if concurrent_iops is not None:
        iops = _need("concurrent_iops", concurrent_iops)
        most = _most_iops(kind)
        if most is None:
            return f"the IOPS of {kind.kind} are unknown"
        if iops > most:
            return _too_little(kind, "IOPS", most, iops, kind.iops_provisionable and kind.max_iops_per_gib is None)
    if mb_per_second is not None:
        throughput = _need("mb_per_second", mb_per_second)
        most = _most_throughput(kind)
        if most is None:
            return f"the throughput of {kind.kind} is unknown"
        if throughput > most:
            unknown = kind.mb_per_second_provisionable and kind.max_mb_per_second_per_iops is None
            return _too_little(kind, "MB/s", most, throughput, unknown)
    return _least(kind, size, iops, throughput)


def _least(kind: DiskKind, size: int, iops: Fraction, throughput: Fraction) -> tuple[int, int | None, float | None]:
    """Return the least disk for a need that is within what the kind reaches."""
    buy_iops, buy_throughput = None, None
    included = _known(kind.included_mb_per_second)
    if included is not None and throughput > included:
        if kind.mb_per_second_per_iops:
            iops = max(iops, (throughput - included) / _exact(kind.mb_per_second_per_iops))
        elif kind.mb_per_second_per_gib:
            size = max(size, math.ceil((throughput - included) / _exact(kind.mb_per_second_per_gib)))
        elif kind.max_mb_per_second_per_iops:
            unit = _UNITS[kind.throughput_unit]
            throughput = math.ceil(throughput / unit) * unit
            iops = max(iops, throughput / _exact(kind.max_mb_per_second_per_iops))
            buy_throughput = _number(throughput)
    included = _known(kind.included_iops)
    if included is not None:
        least = max(included, _exact(kind.min_iops))
        if kind.iops_provisionable:
            if max(iops, least) > included:
                buy_iops = math.ceil(max(iops, least))
            if iops > least and kind.max_iops_per_gib:
                size = max(size, math.ceil(math.ceil(iops) / _exact(kind.max_iops_per_gib)))
        elif iops > least and kind.iops_per_gib:
            size = max(size, math.ceil((iops - included) / _exact(kind.iops_per_gib)))
    return size, buy_iops, buy_throughput


def _too_little(kind: DiskKind, unit: str, most: Fraction, needed: Fraction, limit_unknown: bool) -> str:
    if limit_unknown:
        return (
            f"{kind.kind} includes {_text(most)} {unit}, {_text(needed)} needed; how many more may be bought is unknown"
        )
    return f"{kind.kind} reaches at most {_text(most)} {unit}, {_text(needed)} needed"


def _most_iops(kind: DiskKind) -> Fraction | None:
    """Return the most IOPS that any disk of the kind sustains."""
    base, cap = _base_iops(kind, kind.max_size_gib), _known(kind.max_iops)
    if base is None or cap is None:
        return None
    if not kind.iops_provisionable or kind.max_iops_per_gib is None:
        return base
    if kind.max_size_gib is not None:
        cap = min(cap, _exact(kind.max_iops_per_gib) * kind.max_size_gib)
    return max(base, Fraction(math.floor(cap)))


def _most_throughput(kind: DiskKind) -> Fraction | None:
    """Return the most MB/s that any disk of the kind sustains."""
    iops = _most_iops(kind)
    base, cap = _base_throughput(kind, kind.max_size_gib, iops), _known(kind.max_mb_per_second)
    if base is None or cap is None:
        return None
    if not kind.mb_per_second_provisionable or kind.max_mb_per_second_per_iops is None:
        return base
    if iops is None:
        return None
    unit = _UNITS[kind.throughput_unit]
    return max(base, math.floor(min(cap, _exact(kind.max_mb_per_second_per_iops) * iops) / unit) * unit)


def _base_iops(kind: DiskKind, size_gib: int | None) -> Fraction | None:
    """Return the IOPS that come with a size; None is a size without end."""
    included, per_gib, cap = _known(kind.included_iops), _known(kind.iops_per_gib), _known(kind.max_iops)
    if included is None or per_gib is None or cap is None:
        return None
    if size_gib is None and per_gib:
        return cap
    return min(max(included + per_gib * (size_gib or 0), _exact(kind.min_iops)), cap)


def _base_throughput(kind: DiskKind, size_gib: int | None, iops: Fraction | None) -> Fraction | None:
    """Return the MB/s that come with a size and its IOPS; None is a size without end."""
    included, per_gib = _known(kind.included_mb_per_second), _known(kind.mb_per_second_per_gib)
    per_iops, cap = _known(kind.mb_per_second_per_iops), _known(kind.max_mb_per_second)
    if included is None or per_gib is None or per_iops is None or cap is None or (per_iops and iops is None):
        return None
    if size_gib is None and per_gib:
        return cap
    return min(included + per_gib * (size_gib or 0) + per_iops * (iops or 0), cap)


def _sustained(
    kind: DiskKind, size_gib: int, provisioned_iops: float | None, provisioned_mb_per_second: float | None
) -> tuple[Fraction | None, Fraction | None]:
    _check_size(kind, size_gib)
    iops = _base_iops(kind, size_gib)
    if provisioned_iops is not None:
        asked = _need("provisioned_iops", provisioned_iops)
        most = _capped(kind.max_iops, kind.max_iops_per_gib, Fraction(size_gib), iops)
        _check_asked(kind, "provisioned_iops", asked, iops, most, kind.iops_provisionable)
        iops = None if iops is None else asked
    throughput = _base_throughput(kind, size_gib, iops)
    if provisioned_mb_per_second is not None:
        asked = _need("provisioned_mb_per_second", provisioned_mb_per_second)
        most = _capped(kind.max_mb_per_second, kind.max_mb_per_second_per_iops, iops, throughput)
        _check_asked(kind, "provisioned_mb_per_second", asked, throughput, most, kind.mb_per_second_provisionable)
        throughput = None if throughput is None else asked
    return iops, throughput


def _capped(cap: float | None, ratio: float | None, of: Fraction | None, base: Fraction | None) -> Fraction | None:
    """Return the most that may be asked for, None where nothing is known of it."""
    limits = [] if cap is None else [_exact(cap)]
    if ratio is not None and of is not None:
        limits.append(max(_exact(ratio) * of, base or Fraction(0)))
    return min(limits, default=None)


def _check_size(kind: DiskKind, size_gib: int) -> None:
    least, last = kind.min_size_gib or 1, kind.max_size_gib
    whole = isinstance(size_gib, int) and not isinstance(size_gib, bool)
    if not whole or size_gib < least or (last is not None and size_gib > last):
        to = f" to {last}" if last is not None else ""
        raise OptionError(
            f"size_gib: got {shown(size_gib)}, expected whole GiB from {least}{to} for {kind.kind}",
            option="size_gib",
            value=size_gib,
        )


def _check_asked(
    kind: DiskKind, option: str, asked: Fraction, base: Fraction | None, most: Fraction | None, may: bool
) -> None:
    """Refuse what cannot be bought; what is unknown is not checked."""
    least = base or Fraction(0)
    if may and asked >= least and (most is None or asked <= most):
        return
    unit = "IOPS" if option == "provisioned_iops" else "MB/s"
    if may:
        to = f" to {_text(most)}" if most is not None else ""
        expected = f"from {_text(least)}{to} {unit} for this disk of {kind.kind}"
    else:
        expected = f"none: {kind.kind} has the {unit} that come with it"
    raise OptionError(f"{option}: got {_text(asked)}, expected {expected}", option=option, value=_number(asked))


def _steps(kind: DiskKind, included: Fraction, iops: Fraction) -> Iterator[tuple[Fraction, Fraction]]:
    """Give every stretch of IOPS that is paid for: how many, and the price of one."""
    start = included
    for step in (kind.price.usd_iops_month if kind.price else None) or ():
        end = iops if step.up_to is None else min(iops, _exact(step.up_to))
        if end > start:
            yield end - start, _exact(step.usd_month)
            start = end


@functools.lru_cache(maxsize=4096)
def _exact(value: float) -> Fraction:
    """Return a figure as it is printed, not the float next to it."""
    return Fraction(value) if isinstance(value, int) else Fraction(str(value))


def _known(value: float | None) -> Fraction | None:
    return None if value is None else _exact(value)


def _number(value: Fraction) -> float:
    return value.numerator if value.denominator == 1 else float(value)


def _text(value: Fraction) -> str:
    return format_number(_number(value))


def _need(option: str, value: float, *, positive: bool = False) -> Fraction:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 <= value < 1e300 or (positive and not value):
        least = "above 0" if positive else "of 0 or more"
        raise OptionError(f"{option}: got {shown(value)}, expected a finite number {least}", option=option, value=value)
    return _exact(value)
