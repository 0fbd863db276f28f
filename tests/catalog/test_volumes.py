"""A disk as its provider's interface asks for it: what is bought is what the figures are for."""

from __future__ import annotations

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import Disk, DiskChoice, load_catalog
from etcdsize.fitting.model import disk_of

CURRENT = load_catalog("current")
KINDS = {kind.kind: kind for kind in CURRENT.disk_kinds}


class TestParts:
    """Type, GiB, IOPS, and MiB/s or MB/s, as Terraform's resources of the three providers have them."""

    @pytest.mark.parametrize(
        ("kind", "need", "expected"),
        [
            # AWS: size in GiB; iops for gp3, io1 and io2 only; throughput in MiB/s, for gp3 only.
            ("gp3", (50,), ("gp3", 50, 3_000, 125, None)),
            ("gp3", (9, 4_500, 75), ("gp3", 9, 4_500, 125, None)),
            ("gp3", (100, 10_000, 300), ("gp3", 100, 10_000, 287, None)),
            ("gp2", (50, 300, 25), ("gp2", 100, None, None, None)),
            ("io2", (50, 5_000, 100), ("io2", 50, 5_000, None, None)),
            ("io1", (10, 50), ("io1", 10, 100, None, None)),
            # GCE: the size in GB is counted in GiB; only Hyperdisk has IOPS and throughput, which is counted in MiB/s.
            ("pd-ssd", (50, 7_500, 125), ("pd-ssd", 50, None, None, None)),
            ("hyperdisk-balanced", (50, 3_000, 100), ("hyperdisk-balanced", 50, 3_000, 140, None)),
            # Azure: throughput in MB/s.
            ("premium-ssd-v2", (10, 5_000, 300), ("PremiumV2_LRS", 10, 5_000, None, 300)),
            ("premium-ssd-v2", (10,), ("PremiumV2_LRS", 10, 3_000, None, 125)),
        ],
    )
    def test_of_every_kind(self, kind, need, expected):
        choice = KINDS[kind].smallest(*need)
        for volume in (choice, disk_of(choice)):
            assert expected == (
                volume.volume_type,
                volume.volume_size_gib,
                volume.volume_iops,
                volume.volume_throughput_mib_s,
                volume.volume_throughput_mb_s,
            )

    @examples(40)
    @given(
        st.sampled_from([kind for kind in CURRENT.disk_kinds if kind.media == "ssd"]),
        st.integers(1, 2_000),
        st.integers(0, 80_000),
        st.integers(0, 1_000),
    )
    def test_what_is_asked_for_sustains_the_figures(self, kind, size, iops, mb_per_second):
        """A disk bought with these numbers has the figures of the choice.

        Alibaba's ESSD AutoPL and Tencent's Enhanced and Tremendous SSD are asked for what they have beyond the size.
        """
        choice = kind.smallest(size, iops, mb_per_second)
        if isinstance(choice, str):
            return
        for volume in (choice, disk_of(choice)):
            asked = [volume.volume_iops, volume.volume_throughput_mb_s]
            if volume.volume_throughput_mib_s is not None:
                asked[1] = volume.volume_throughput_mib_s * 2**20 / 10**6
            if kind.kind in ("essd-autopl", "enhanced-ssd", "tremendous-ssd"):
                comes = kind.figures(volume.volume_size_gib)
                asked = [None if more is None else one + more for one, more in zip(comes, asked, strict=True)]
            figures = kind.figures(volume.volume_size_gib, *asked)
            assert figures == (choice.concurrent_iops, pytest.approx(choice.disk_mb_per_second, rel=1e-12))

    def test_a_disk_of_a_table_of_ones_own(self):
        """A size may have decimals; what is sold is whole. What is provisioned may not be a whole number of units."""
        disk = Disk(kind="k", size_gb=12.5, provisioned_mb_per_second=130.1)
        assert (disk.volume_size_gib, disk.volume_throughput_mb_s, disk.volume_iops) == (13, 131, None)

    def test_nothing_is_made_up(self):
        choice = DiskChoice(kind="k", size_gib=1)
        assert (choice.volume_type, choice.volume_iops) == ("k", None)
        assert choice.volume_throughput_mib_s is choice.volume_throughput_mb_s is None
