"""The Kubernetes nodes of a fleet, and the tiers that they need."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etcdsize.fleet.kernel import Codes
from etcdsize.tiers import TierTable

__all__ = ["KubernetesNodes", "node_codes"]


def node_codes(nodes: NDArray[Any], tiers: TierTable) -> Codes:
    """Return the index of the first tier whose example cluster has at least this many nodes. uint8, shape (n,)

    Parameters
    ----------
    nodes : array, shape (n,)
        Nodes, of any real dtype. [count] More than in any example need the last tier.
    tiers : TierTable
        The tiers.

    Examples
    --------
    >>> from etcdsize import load_tiers
    >>> node_codes(np.array([50, 51, 5000]), load_tiers("guide")).tolist()
    [0, 1, 3]
    """
    examples = [tier.kubernetes_nodes for tier in tiers.tiers[:-1]]
    if nodes.dtype.kind in "iu":
        # Compared in their own dtype: an example beyond its range is not exceeded.
        examples = [min(example, int(np.iinfo(nodes.dtype).max)) for example in examples]
    codes = np.zeros(len(nodes), np.uint8)
    for example in examples:
        codes += nodes > example
    return codes


@dataclass
class KubernetesNodes:
    """The Kubernetes nodes of every cluster of a fleet.

    Parameters
    ----------
    values : array, shape (n,)
        Whole numbers of 0 or more. [count]
    unknown : array of bool, shape (n,), or None
        Where the number is not known; None where it is always known.
    tiers : TierTable
        The tiers.
    """

    values: NDArray[Any]
    unknown: NDArray[np.bool_] | None
    tiers: TierTable
    codes: Codes = field(init=False)
    """The tier that the nodes need, the smallest where they are not known. uint8, shape (n,)"""

    def __post_init__(self) -> None:
        self.codes = node_codes(self.values, self.tiers)
        if self.unknown is not None:
            self.codes[self.unknown] = 0

    @property
    def known(self) -> NDArray[np.bool_]:
        """Where the number of nodes is known."""
        return np.ones(len(self.values), np.bool_) if self.unknown is None else ~self.unknown

    def of(self, position: int) -> int | None:
        """Return the nodes of a cluster, None if they are not known."""
        if self.unknown is not None and self.unknown[position]:
            return None
        return int(self.values[position])

    @property
    def past_last_example(self) -> NDArray[np.bool_]:
        """Where there are more nodes than in the largest example."""
        past = self.values > self.tiers.tiers[-1].kubernetes_nodes
        return past if self.unknown is None else past & ~self.unknown
