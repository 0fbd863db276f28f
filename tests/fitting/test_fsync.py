"""How fast etcd needs writes to complete one after the other, and the command that measures it."""

import subprocess

import pytest
from needs import program

from etcdsize import fit
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

    def test_about_500_on_gp3_whatever_is_provisioned(self):
        gp3 = next(found for found in fsync_need_for(2).expected if "gp3" in found.kinds)
        assert gp3.sequential_iops == 500
        assert gp3.source


@pytest.mark.slow
def test_fio_accepts_the_command(tmp_path):
    program("fio", "fio")
    run = subprocess.run(FIO.replace("DIR", str(tmp_path)).split(), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "fsync/fdatasync/sync_file_range" in run.stdout
