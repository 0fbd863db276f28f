"""The line about a load: what is known of it, and nothing that is assumed."""

from __future__ import annotations

import pytest

from etcdsize import Profile, kubernetes_profile
from etcdsize.reports.load import profile_text


class TestLoad:
    """What is known of the load, each with its unit, and nothing that is assumed."""

    @pytest.mark.parametrize(
        ("profile", "text"),
        [
            (
                Profile(clients=300, requests_per_second=800, data_bytes=4e8),
                "300 clients, 800 requests/s, 400 MB of data",
            ),
            (Profile(keys="200..900", value_bytes="1kB..2kB..9kB"), "keys 200..900, value 1 kB..2 kB..9 kB"),
            (Profile(writes_per_second="20..50", history_seconds=600), "writes 20..50/s, history 600 s"),
            (Profile(largest_value_bytes="1.5MiB", tls=False), "largest value 1.572864 MB, no TLS"),
            (Profile(objects=[{"name": "pods", "count": 5, "value_bytes": 9}], tls=True), "5 pods, TLS"),
        ],
    )
    def test_is_one_line(self, profile: Profile, text: str) -> None:
        assert profile_text(profile) == text

    def test_says_that_all_is_assumed(self) -> None:
        assert profile_text(kubernetes_profile(0)) == "all of it is assumed"

    def test_leaves_out_what_kubernetes_usually_has(self) -> None:
        assert profile_text(kubernetes_profile(1000, 30_000)).startswith("30000 pods, 1000 nodes")
        assert profile_text(kubernetes_profile(1000)).startswith("1000 nodes")
        assert "secrets" not in profile_text(kubernetes_profile(1000))
