"""The nodes of a fleet: the tier of each number, and the sizing of one cluster of the fleet."""

import numpy as np
import pytest

from etcdsize import load_catalog, load_tiers, size
from etcdsize.fleet.nodes import KubernetesNodes
from etcdsize.fleet.sizing import FleetSizing

TIERS, CATALOG = load_tiers("guide"), load_catalog("guide")


@pytest.mark.parametrize("clients", [None, 90, 400])
def test_one_cluster_of_a_fleet_is_the_sizing_of_its_load_and_its_nodes(clients):
    values = np.array([0, 50, 51, 250, 1000, 1001, 5000, 7])
    unknown = np.arange(8) == 7
    nodes = KubernetesNodes(values, unknown, TIERS)
    assert nodes.codes.tolist() == [0, 0, 1, 1, 2, 3, 3, 0]
    assert nodes.known.tolist() == [True] * 7 + [False]
    assert nodes.past_last_example.tolist() == [False] * 6 + [True, False]
    column = None if clients is None else np.full(8, clients)
    load = 0 if clients is None else int(clients > 100)
    codes = np.maximum(nodes.codes, np.uint8(load))
    fleet = FleetSizing([column, None, None], codes, "aws", CATALOG, TIERS, 0.0, 3, nodes=nodes)
    for position, value in enumerate(values[:7].tolist()):
        assert fleet[position] == size(clients=clients, kubernetes_nodes=value, provider="aws")
        alone = [bit for bit in (0, 3) if fleet.forced_by[position] >> bit & 1]
        named = [{"clients": 0, "kubernetes_nodes": 3}[name] for name in fleet[position].forced_by]
        assert alone == sorted(named)
    if clients is not None:
        assert fleet[7] == size(clients=clients, provider="aws")
