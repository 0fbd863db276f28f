"""The readers of providers' listings, which `catalog import --from` offers."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from etcdsize.catalog import readers as folder
from etcdsize.catalog.registry import listing_readers

DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize(
    ("name", "file", "provider"),
    [("aws", "aws-describe-instance-types.json", "aws"), ("gcloud", "gcloud-machine-types.json", "gce")],
)
def test_each_reader_makes_a_catalog_of_its_providers_listing(name, file, provider):
    imported = listing_readers()[name]((DATA / file).read_text(), date="2026-11-25")
    assert imported.catalog.providers == (provider,)
    assert imported.catalog.date == "2026-11-25"


def test_there_are_no_other_readers():
    assert list(listing_readers()) == ["aws", "gcloud"]


def test_a_reader_is_added_by_one_module(monkeypatch, tmp_path):
    (tmp_path / "nimbus.py").write_text("")
    module = types.ModuleType("etcdsize.catalog.readers.nimbus")
    module.NAME, module.read = "nimbus", lambda source, *, date: f"{source} of {date}"
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(folder, "__path__", [*folder.__path__, str(tmp_path)])
    listing_readers.cache_clear()
    try:
        assert listing_readers()["nimbus"]("listing", date="2026-11-25") == "listing of 2026-11-25"
    finally:
        listing_readers.cache_clear()
