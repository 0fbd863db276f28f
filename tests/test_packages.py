"""The sdist holds what is committed, and the wheel the package alone."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from needs import leave_out, program
from paths import ROOT

NOT_IN_THE_SDIST = {".pre-commit-config.yaml"}  # it is for a clone


def committed() -> set[str]:
    """Return every file that git follows."""
    git = program("git", "git")
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        leave_out("this is not a clone; run the tests in one")
    return set(listed.stdout.split("\0")) - {""}


def build(kind: str, folder: Path) -> Path:
    """Return the sdist or the wheel, built without a network."""
    for module in ("build", "hatchling"):
        if importlib.util.find_spec(module) is None:
            leave_out(f"{module} is not installed; pip install -e '.[lint]'")
    command = [sys.executable, "-m", "build", "--no-isolation", f"--{kind}", "--outdir", folder, ROOT]
    subprocess.run(command, check=True, capture_output=True)
    (file,) = folder.iterdir()
    return file


@pytest.mark.slow
def test_sdist_holds_every_committed_file(tmp_path):
    with tarfile.open(build("sdist", tmp_path)) as archive:
        names = {str(PurePosixPath(*PurePosixPath(name).parts[1:])) for name in archive.getnames()}
    assert names - {"PKG-INFO"} == committed() - NOT_IN_THE_SDIST


@pytest.mark.slow
def test_wheel_holds_the_package_alone(tmp_path):
    with zipfile.ZipFile(build("wheel", tmp_path)) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == {name for name in committed() if name.startswith("etcdsize/")}
    assert "etcdsize/py.typed" in names
    assert any(name.startswith("etcdsize/data/") for name in names)
