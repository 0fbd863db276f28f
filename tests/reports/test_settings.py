"""The report of settings: every setting, reason and source, the memory, and the notices."""

import pytest

from etcdsize import settings_for, size
from etcdsize.reports.settings import render_settings


def test_the_whole_report():
    settings = settings_for(size(clients=300, data_bytes="4GB"), etcd_version="3.5")
    head, table, reasons, memory, assumed, _ = render_settings(settings).split("\n\n")
    assert head == "etcd  3.5 (run on 3.5.1 and 3.5.35)\nfor   300 clients, 4 GB of data"
    assert (
        table
        == f"""\
setting                      value       default
--quota-backend-bytes        {settings.quota_backend_bytes:<10}  no
--snapshot-count             100000      yes
--auto-compaction-mode       periodic    yes
--auto-compaction-retention  1h          no
--heartbeat-interval         100         yes
--election-timeout           1000        yes"""
    )
    assert (
        memory
        == f"""\
memory limit of the process  {settings.memory_because}
GOMEMLIMIT, if one is set    {settings.memory.gomemlimit_bytes.need / 1e9:.3g} GB
disk                         {settings.disk.because}"""
    )
    assert assumed == (
        f"assumed: {len(settings.assumptions)} figures of the load, which are not given; etcdsize resources --explain "
        "lists each with its value, why, and its effect"
    )
    said = " ".join(reasons.split())
    for setting in settings.settings.values():
        assert f"{setting.name}: {setting.why} [{setting.source}]" in said


@pytest.mark.parametrize("version", ["3.4", "3.5", "3.6", "3.7", "3.5.2"])
def test_every_notice_is_shown(version):
    settings = settings_for(size(kubernetes_nodes=250), etcd_version=version)
    assert settings.notices
    for notice in settings.notices:
        assert f"\n{notice.line}\n" in render_settings(settings)
