"""Which rows of a block no load can have: `resources.contradictions` and the limits of every field, for arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from etcdsize.fleet.block import Block
from etcdsize.fleet.revision_arrays import Floats, Mask, where
from etcdsize.resources.contradictions import DIFFERENCE, MOST_KEY_BYTES, PAGES, ROUNDING
from etcdsize.resources.object_kind import LARGEST_FIGURE

__all__ = ["LEAST", "wrong_rows"]

LEAST = {"puts_per_transaction": 0.001, "puts_per_commit": 1.0, "lease_ttl_seconds": 1.0}
"""The least that a field accepts, where that is not 0."""
Figure: TypeAlias = Callable[[str], Floats]
"""From a field to its figures, NaN where they are unknown."""
# No counter of Kubernetes is larger (resources.kubernetes_objects).
_MOST = {"tls": 1.0, "kubernetes_nodes": np.nextafter(2.0**64, 0), "pods": np.nextafter(2.0**64, 0)}


def wrong_rows(block: Block) -> Mask:
    """Return which rows have a figure that is none, figures that contradict each other, or none at all."""

    def of(name: str) -> Floats:
        return block.known(name, np.nan)

    wrong: Mask = np.False_
    known: Mask = np.False_
    for name in block.names:
        figure = of(name)
        wrong = wrong | (figure < LEAST.get(name, 0.0)) | (figure > _MOST.get(name, LARGEST_FIGURE))
        known = known | block.has(name)
    wrong = wrong | ~known
    if block.has("tls").any():
        wrong = wrong | ((of("tls") > 0) & (of("tls") < 1))
    if block.has("pods").any():
        wrong = wrong | (block.has("pods") & ~block.has("kubernetes_nodes"))
    for check in (_requests, _data, _parts, _leases):
        wrong = wrong | check(block, of)
    return wrong


def _requests(block: Block, of: Figure) -> Mask:
    parts = block.known("reads_per_second", 0.0) + block.known("writes_per_second", 0.0)
    return parts > of("requests_per_second") * ROUNDING


def _data(block: Block, of: Figure) -> Mask:
    count, data, value = of("keys"), of("data_bytes"), of("value_bytes")
    if not (block.has("data_bytes").any() and (block.has("keys").any() or block.has("value_bytes").any())):
        return np.False_
    least = count * (block.known("key_bytes", 0.0) + block.known("value_bytes", 0.0))
    empty = of("key_bytes") + value == 0
    most = count * (block.known("key_bytes", MOST_KEY_BYTES) + value)
    most = where((count == 0) | (empty & np.isnan(count)), 0.0, most)
    return (least > data * DIFFERENCE) | (most * PAGES < data)


def _parts(_block: Block, of: Figure) -> Mask:
    streams = (of("watchers") > 0) & (of("watch_streams") == 0)
    return streams | (of("largest_value_bytes") < of("value_bytes")) | (of("list_keys") > of("keys"))


def _leases(block: Block, of: Figure) -> Mask:
    further = block.has("lease_ttl_seconds") | block.has("keys_per_lease") | block.has("lease_revokes_per_second")
    attached = of("leases") * of("keys_per_lease") > of("keys") * ROUNDING
    return attached | (further & ~block.has("leases"))
