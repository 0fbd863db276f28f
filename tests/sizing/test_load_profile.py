"""The load of a sizing as the measured model sees it: what is given counts before what nodes suggest."""

from __future__ import annotations

import pytest

from etcdsize import Notice, Profile, Workload, kubernetes_profile
from etcdsize.sizing.load_profile import nodes_left_out, profile_for

PLAIN = Workload(clients=300, data_bytes=4e8)
NODES = kubernetes_profile(10)
SHORT = Profile(keys=5, history_seconds=60)
# Ten nodes hold less data than that.
TOO_MUCH = Workload(clients=300, data_bytes=5e9)


class TestProfile:
    """A profile is taken as it is; a workload gets the load of its nodes, or the history that an API server keeps."""

    @pytest.mark.parametrize(
        ("load", "nodes", "kubernetes", "expected"),
        [
            (PLAIN, None, False, PLAIN),
            (PLAIN, None, True, Profile(clients=300, data_bytes=4e8, history_seconds=600)),
            (None, None, True, Profile(history_seconds=600)),
            (None, 10, False, NODES),
            (None, 10, True, NODES),
            (TOO_MUCH, 10, False, Profile(clients=300, data_bytes=5e9, history_seconds=600)),
            (SHORT, None, True, SHORT),
            (SHORT, 10, False, SHORT),
            (Profile(keys=5), None, False, Profile(keys=5)),
            (Profile(keys=5), 10, True, Profile(keys=5)),
        ],
    )
    def test_the_load(self, load, nodes, kubernetes, expected):
        assert profile_for(load, nodes, kubernetes) == expected

    def test_without_a_word_about_kubernetes_there_is_none(self):
        assert profile_for(PLAIN, None) is PLAIN
        assert profile_for(SHORT, None) == Profile(keys=5, history_seconds=120)

    def test_what_is_given_replaces_what_nodes_suggest(self):
        """What was assumed of it is no longer assumed."""
        found = profile_for(Workload(clients=9, clients_bound="upper", data_bytes=None), 10)
        assert (found.clients, found.clients_bound, found.data_bytes) == (9, "upper", NODES.data_bytes)
        assert found.objects == NODES.objects
        assumed = [one.field for one in NODES.assumptions]
        assert [one.field for one in found.assumptions] == [name for name in assumed if name != "clients"] != assumed

    @pytest.mark.parametrize(
        ("history", "expected"),
        [
            (0, 120),
            (119.9, 120),
            (120, 120),
            (121, 121),
            (3600, 3600),
            ((1, 119), 120),
            ((1, 120), (1, 120)),
            ((1, 121), (1, 121)),
        ],
    )
    def test_a_history_shorter_than_our_settings_keep(self, history, expected):
        found = profile_for(Profile(keys=5, history_seconds=history), None)
        assert found == Profile(keys=5, history_seconds=expected)


class TestNodesLeftOut:
    """Where a load contradicts its nodes, the model leaves the nodes out and says so."""

    @pytest.mark.parametrize(
        ("load", "nodes"),
        [(None, None), (PLAIN, None), (TOO_MUCH, None), (None, 10), (PLAIN, 5_000), (Profile(data_bytes=5e9), 10)],
    )
    def test_nothing_to_say(self, load, nodes):
        assert nodes_left_out(load, nodes) is None

    @pytest.mark.parametrize(
        ("nodes", "cluster"), [(1, "1 Kubernetes node "), (2, "2 Kubernetes nodes "), (10, "10 Kubernetes nodes ")]
    )
    def test_the_number_of_nodes(self, nodes, cluster):
        assert nodes_left_out(TOO_MUCH, nodes).text.startswith(f"A cluster of {cluster}does not explain the load, ")

    def test_the_notice(self):
        found = nodes_left_out(TOO_MUCH, 10)
        start = "A cluster of 10 Kubernetes nodes does not explain the load, so the model leaves the nodes out: "
        assert found == Notice(code="nodes-left-out", severity="warning", text=found.text, source="our choice")
        assert found.text.startswith(f"{start}data_bytes: got 5 GB, expected at most ")
        assert found.text.endswith("; correct one of them.")
