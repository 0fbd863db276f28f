"""The readers of providers' listings, which `catalog import --from` offers."""

from __future__ import annotations

import sys
import types

import pytest

from etcdsize import OptionError, read_listing, read_price_list
from etcdsize.catalog import readers as folder
from etcdsize.catalog.entries import Shape
from etcdsize.catalog.machines import Machine
from etcdsize.catalog.registry import listing_readers, price_readers


def test_there_are_these_readers():
    assert list(listing_readers()) == [
        *("aliyun", "aws", "az", "doctl", "gcloud", "hetzner", "huawei", "oci", "openstack", "tencent"),
    ]


def test_the_help_and_the_reference_name_every_reader(run):
    code, out, _ = run("catalog", "import", "--help")
    assert code == 0
    for name, reader in listing_readers().items():
        assert f"\n  {name} " in out
        assert reader.SHAPE.command in out
        assert name in read_listing.__doc__
    code, out, _ = run("catalog", "prices", "--help")
    assert code == 0
    for name in price_readers():
        assert f"\n  {name} " in out
        assert name in read_price_list.__doc__


def test_an_unknown_program_is_refused():
    with pytest.raises(OptionError, match=r'^origin: got "gclod", expected aliyun, aws, .*; did you mean "gcloud"\?$'):
        read_listing("gclod", "[]")


def test_a_reader_is_added_by_one_module(monkeypatch, tmp_path):
    (tmp_path / "nimbus.py").write_text("")
    module = types.ModuleType("etcdsize.catalog.readers.nimbus")
    module.SHAPE = Shape(
        provider="nimbus", command="nimbus list", expected="a list", name=("kind",), telling=("altitude",)
    )
    module.machine_of = lambda entry: Machine(
        provider="nimbus", machine_type=entry.machine_type, vcpus=entry.vcpus("threads"), memory_gib=8
    )
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(folder, "__path__", [*folder.__path__, str(tmp_path)])
    listing_readers.cache_clear()
    try:
        imported = read_listing("nimbus", [{"kind": "cumulus", "threads": 2}], date="2026-11-25")
        assert imported.catalog.machine("nimbus", "cumulus").vcpus == 2
    finally:
        listing_readers.cache_clear()
