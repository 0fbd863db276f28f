"""The runbook's check of the performance, for which etcdctl takes a whole minute whatever the cluster does."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest
from etcds import cluster, free_base_port, needed
from runbook_operator import Operator

from etcdsize import ClusterPlan


@pytest.fixture(scope="session")
def whole_check(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Operator, Callable[[], str]]]:
    """Begin the check on a member of its own, beside other tests; yield its operator, and what waits and returns what
    the check said.
    """
    folder = tmp_path_factory.mktemp("check")
    version = str(needed("3.5.1")[1])
    plan = ClusterPlan.local(1, base_port=free_base_port(2), data_dir=str(folder), etcd_version=version)
    operator = Operator("3.5.1", plan, folder)
    check, _ = operator.commands("check-perf")
    said = folder / "said"
    with cluster(plan, folder, "3.5.1"), said.open("wb") as file:
        process = subprocess.Popen(
            ["sh", "-c", f"exec {check.shell}"], cwd=folder, env=operator.environment, stdout=file, stderr=file
        )

        def wait() -> str:
            process.wait(120)
            return said.read_text()

        try:
            yield operator, wait
        finally:
            process.kill()
            process.wait()
