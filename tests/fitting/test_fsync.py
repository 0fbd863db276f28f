"""How fast etcd needs writes to complete one after the other, and the command that measures it."""

import subprocess

import pytest
from needs import program

from etcdsize import TableError, WriteLatency, fit, load_catalog
from etcdsize.etcd.fsync import FIO
from etcdsize.fitting.fsync import fsync_need_for


class TestNeeds:
    """The hardware page: 50 sequential IOPS, 500 under a heavy load; the FAQ: fsync below 10 ms, commit below 25 ms."""

    @pytest.mark.parametrize(("tier", "iops"), [("small", 50), ("medium", 50), ("large", 500), ("xlarge", 500)])
    def test_the_need_of_each_tier(self, tier, iops):
        found = fit(tier, provider="aws").sequential
        assert found.needed_iops == iops
        assert (found.wal_fsync_p99_ms, found.backend_commit_p99_ms) == (10, 25)
        assert {one.provider for one in found.expected} == {"aws"}

    def test_names_its_source(self):
        assert fsync_need_for(2).source == (
            "etcd-io/website content/en/docs/v3.5/op-guide/hardware.md (50 and 500 sequential IOPS), faq.md (p99)"
        )

    def test_what_each_kind_publishes(self):
        """AWS states an average for io2 and none for gp3, of which Netflix has figures; io1's is unknown."""
        kinds = [kind for kind in load_catalog("current").disk_kinds if kind.provider == "aws"]
        found = {one.kind: one for one in fsync_need_for(2, kinds).expected}
        assert list(found) == ["gp3", "gp2", "io2"]
        assert (found["gp3"].sequential_iops, found["gp3"].milliseconds) == (500, "2 ms (1.2 to 4)")
        assert (found["io2"].sequential_iops, found["io2"].milliseconds) == (2_000, "0.5 ms at most")
        assert all(one.source and one.statistic and one.date for one in found.values())

    @pytest.mark.parametrize("provider", ["gce", "azure"])
    def test_what_nobody_published_is_unknown(self, provider):
        assert fit("small", provider=provider).sequential.expected == ()


class TestWriteLatency:
    """A usual latency, a range, or the longest alone; the slowest that is known decides where no usual one is."""

    @pytest.mark.parametrize(
        ("figures", "text", "iops"),
        [
            ({"usual_ms": 2}, "2 ms", 500),
            ({"usual_ms": 2, "high_ms": 4}, "2 ms", 500),
            ({"low_ms": 1.2, "usual_ms": 2, "high_ms": 4}, "2 ms (1.2 to 4)", 500),
            ({"low_ms": 0.3, "high_ms": 0.5}, "0.3 to 0.5 ms", 2_000),
            ({"high_ms": 1}, "1 ms at most", 1_000),
        ],
    )
    def test_the_figures(self, figures, text, iops):
        latency = WriteLatency(statistic="average", **figures)
        assert (latency.milliseconds, latency.sequential_iops) == (text, iops)

    @pytest.mark.parametrize(
        ("figures", "message"),
        [
            ({"low_ms": 1}, "usual_ms: got neither usual_ms nor high_ms, expected one of them"),
            ({"low_ms": 3, "high_ms": 2}, "high_ms: expected low_ms, usual_ms and high_ms in rising order"),
            ({"usual_ms": 0}, "usual_ms: got 0, expected a finite number above 0"),
        ],
    )
    def test_impossible_figures_are_rejected(self, figures, message):
        with pytest.raises(TableError) as caught:
            WriteLatency(statistic="average", **figures)
        assert str(caught.value) == f"WriteLatency: {message}"


@pytest.mark.slow
def test_fio_accepts_the_command(tmp_path):
    program("fio", "fio")
    run = subprocess.run(FIO.replace("DIR", str(tmp_path)).split(), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "fsync/fdatasync/sync_file_range" in run.stdout
