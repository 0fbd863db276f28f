"""The table of the readers of providers' listings, which `catalog import --from` offers."""

from __future__ import annotations

from pathlib import Path

import pytest

from etcdsize.catalog.readers import LISTING_READERS

DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize(
    ("name", "file", "provider"),
    [("aws", "aws-describe-instance-types.json", "aws"), ("gcloud", "gcloud-machine-types.json", "gce")],
)
def test_each_reader_makes_a_catalog_of_its_providers_listing(name, file, provider):
    imported = LISTING_READERS[name]((DATA / file).read_text(), date="2026-11-25")
    assert imported.catalog.providers == (provider,)
    assert imported.catalog.date == "2026-11-25"


def test_there_are_no_other_readers():
    assert list(LISTING_READERS) == ["aws", "gcloud"]
