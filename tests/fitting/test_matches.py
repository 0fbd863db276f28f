"""The first machine that is enough is found without the reasons of the others, and is the same as that of `fit`."""

from __future__ import annotations

from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import Need, fit
from etcdsize.catalog.loading import catalog_for
from etcdsize.catalog.providers import known_providers
from etcdsize.fitting.matches import best_machine, with_disk

NEEDS = st.builds(
    Need,
    tier=st.just("any"),
    vcpus=st.sampled_from([1, 2, 3, 8, 17, 96, 1000]),
    memory_gib=st.sampled_from([0.5, 7.5, 30.1, 64, 700]),
    concurrent_iops=st.sampled_from([1, 1500, 4501, 16_000, 70_000, 500_000]),
    disk_mb_per_second=st.sampled_from([1, 25, 126, 600, 3000]),
    fsync_p99_ms=st.sampled_from([1, 10]),
    data_bytes=st.sampled_from([0, 1e9, 80e9, 1e14]),
)


class TestBestMachine:
    """It has the disk, the figures and the cost of the first candidate of `fit`; None where there is no candidate."""

    @examples(30)
    @given(
        need=NEEDS,
        provider=st.sampled_from([(name, None) for name in known_providers()] + [("aws", "eu-west-3")]),
        arch=st.sampled_from(["x86_64", "arm64", None]),
    )
    def test_is_the_first_of_fit(self, need, provider, arch):
        name, region = provider
        catalog, _ = catalog_for("current", name, region)
        candidates = fit(need, provider=name, region=region, arch=arch, limit=1).candidates
        expected = with_disk(candidates[0], "medium") if candidates else None
        assert best_machine(need, catalog, name, arch, "medium") == expected

    def test_is_computed_once(self):
        """The words of a need and the data for which its disk is large enough do not count."""
        need = fit("large").need
        catalog, _ = catalog_for("current", "aws")
        other = need.model_copy(update={"because": {"vcpus": "more"}, "data_bytes": need.data_bytes / 2})
        first = best_machine(need, catalog, "aws", "x86_64", "large")
        assert first is not None
        assert first is best_machine(other, catalog, "aws", "x86_64", "large")
