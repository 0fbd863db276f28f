"""The columns of answers that a sized row has, in their order."""

from __future__ import annotations

ANSWERS = [
    "tier",
    "machine_type",
    "forced_by",
    "tightest",
    "machine_today",
    "cost_per_month",
    "currency",
    "price_region",
    "price_date",
    "problem",
    "notices",
]
