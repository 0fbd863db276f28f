"""A run on several processes keeps a group of tests in one of them: they share members of etcd, and ports."""

import re
import subprocess
import sys

import pytest

TESTS = """
import pytest

@pytest.mark.parametrize("number", range(20))
@pytest.mark.parametrize("group", [pytest.param(one, marks=pytest.mark.xdist_group(one)) for one in ("a", "b")])
def test_nothing(group, number):
    pass
"""


@pytest.mark.slow
def test_groups_are_not_scattered(tmp_path):
    """pytest-xdist writes a group into the IDs of its tests, which not every pytest lets it do."""
    (tmp_path / "test_groups.py").write_text(TESTS)
    options = ["-v", "-n2", "--dist=loadgroup", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *options, "test_groups.py"]
    printed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    ran = set(re.findall(r"\[(gw\d)\] .* PASSED .*\[(\w)-\d+\]", printed))
    assert len(ran) == 2, printed
