"""Exact arithmetic on published figures, and how throughput is counted and shown."""

from __future__ import annotations

import functools
from fractions import Fraction
from typing import Literal

from etcdsize.base.checks import number_of
from etcdsize.units import format_number

__all__ = [
    "MB_PER_UNIT",
    "ThroughputUnit",
    "check_amount",
    "exact",
    "exact_text",
    "number",
    "rounded_text",
    "throughput_text",
    "vcpus_text",
]

ThroughputUnit = Literal["MB/s", "MiB/s"]
MB_PER_UNIT = {"MB/s": Fraction(1), "MiB/s": Fraction(2**20, 10**6)}
"""One unit of throughput, as a provider counts it, in MB/s."""

# No figure of a real machine is larger (our choice).
_HUGE = 1e9


@functools.lru_cache(maxsize=4096, typed=True)
def exact(value: float) -> Fraction:
    """Return a figure as the decimal that was published, not the float next to it: 0.005 is five thousandths."""
    return Fraction(value) if isinstance(value, int) else Fraction(str(value))


def number(value: Fraction) -> float:
    """Return an integer where the fraction is whole, else the nearest float."""
    return value.numerator if value.denominator == 1 else float(value)


def exact_text(value: Fraction) -> str:
    """Return a fraction as a message shows it."""
    return format_number(number(value))


def check_amount(option: str, value: float, *, positive: bool = False) -> Fraction:
    """Return an argument as an exact figure.

    Raises
    ------
    OptionError
        Unless it is a finite number of 0 or more, or above 0 where it has to be positive.
    """
    return exact(number_of(option, value, positive=positive))


def throughput_text(mb_per_second: float, unit: ThroughputUnit) -> str:
    """Return a throughput as the provider counts it, in MB/s or MiB/s."""
    return f"{round(mb_per_second * 1e6 / 2**20 if unit == 'MiB/s' else mb_per_second, 2):g} {unit}"


def vcpus_text(vcpus: float) -> str:
    """Return a number of vCPUs, such as `0.4 of a vCPU` or `1.6 vCPUs`."""
    if vcpus < 1:
        return f"{rounded_text(vcpus)} of a vCPU"
    return f"{rounded_text(vcpus)} vCPU{'' if vcpus == 1 else 's'}"


def rounded_text(value: float) -> str:
    """Return a figure with at most two decimals, and without an exponent unless it is huge.

    >>> rounded_text(93.754), rounded_text(1_500_000), rounded_text(2**62)
    ('93.75', '1500000', '4.61e+18')
    """
    if value >= _HUGE:
        return f"{value:.3g}"
    return f"{round(value, 2):g}" if value < 1e6 else f"{value:.0f}"
