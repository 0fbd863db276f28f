"""A load that no coefficient was fitted to, on a real etcd of each minor version, beside the model."""

from __future__ import annotations

import pytest
from etcds import needed

from benchmarks.resources.validation import COMPARED, WORKLOADS, predicted, validation

# The long form has a minute of traffic; in a few seconds, the peak is a matter of the garbage collector's timing.
TOLERANCES = {
    "high_water_bytes": (0.90, 1.10),
    "in_use_bytes": (0.95, 1.05),
    "wal_bytes_per_second": (0.95, 1.05),
    "heap_bytes": (0.90, 1.10),
    "peak_bytes": (0.88, 1.35),
}
LOADS = {
    "3.4": ("half a kilobyte", 0.4),
    "3.5": ("a registry", 1),
    "3.6": ("pods", 0.5),
    "3.7": ("half a kilobyte", 0.4),
}
"""For each version a load, and the share of its keys that is written: of small values it takes all to fill pages."""


@pytest.mark.slow(seconds=15)
@pytest.mark.parametrize("name", LOADS)
def test_a_load_takes_what_the_model_predicts(name):
    etcd, version = needed(name)
    load, share = LOADS[name]
    inputs = dict(next(one for one in WORKLOADS if one["name"] == load))
    inputs |= {count: int(inputs[count] * share) for count in ("keys", "updates", "kept")}
    measured, likely = validation(etcd, seconds=4, **inputs), predicted(str(version), inputs)
    ratios = {figure: likely[figure].likely / measured[figure] for figure in COMPARED}
    outside = [
        figure for figure, ratio in ratios.items() if not TOLERANCES[figure][0] <= ratio <= TOLERANCES[figure][1]
    ]
    assert not outside, ratios
