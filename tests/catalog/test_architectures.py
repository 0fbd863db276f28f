"""The other names of architectures, wherever one is named."""

from __future__ import annotations

import pytest

from etcdsize.catalog.architectures import ARCHITECTURES, architecture_name


@pytest.mark.parametrize(("other", "name"), [("amd64", "x86_64"), ("aarch64", "arm64")])
def test_another_name(other, name):
    """The nearest name of amd64 is arm64, which is the other one."""
    assert architecture_name(other) == architecture_name(name) == name
    assert name in ARCHITECTURES


@pytest.mark.parametrize("name", ["any", "x64", "AMD64", ""])
def test_any_other_name_is_kept(name):
    assert architecture_name(name) == name
