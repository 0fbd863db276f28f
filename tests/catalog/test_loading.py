"""Which catalog is read, and for which providers; the message for each argument that is not accepted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from etcdsize import Catalog, OptionError, load_catalog
from etcdsize.catalog.catalog import check_machines_of
from etcdsize.catalog.loading import catalog_for

GUIDE = load_catalog("guide")


def message_of(call, *args) -> str:
    with pytest.raises(OptionError) as caught:
        call(*args)
    assert caught.value.option
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


class TestCatalogFor:
    """A catalog is used as it is; a name or a path is loaded."""

    def test_a_catalog_or_its_name(self):
        assert catalog_for(GUIDE, None)[0] is catalog_for("guide", None)[0] is GUIDE
        assert catalog_for("guide", None)[1] == ("aws", "gce")

    @pytest.mark.parametrize("catalog", [load_catalog("current"), catalog_for("current", ["gce", "huawei"])[0]])
    def test_the_data_files_make_a_valid_catalog(self, catalog):
        assert Catalog.model_validate(dict(catalog)) == catalog
        assert Catalog.model_validate_json(catalog.model_dump_json()) == catalog

    @pytest.mark.parametrize("value", [5, ["guide"], np.array(["guide", "x"]), Path("nowhere.json"), "x" * 5_000])
    def test_other_values_are_rejected(self, value):
        assert message_of(catalog_for, value, None).startswith("catalog: got ")


NAME = (
    "a name of at most 64 letters, digits, spaces, hyphens, underscores and dots that begins with a letter or a digit, "
    "such as aws or our-racks"
)


class TestProviders:
    """One name or several, with aliases and in any case; None means all. Each appears once, in the order asked for."""

    @pytest.mark.parametrize(
        ("provider", "providers"),
        [
            (None, ("aws", "gce")),
            ("AWS", ("aws",)),
            (["gcp", "aws"], ("gce", "aws")),
            (("gcp", "Google", "gce"), ("gce",)),
            (iter(["aws"]), ("aws",)),
            (np.array(["aws", "gcp"]), ("aws", "gce")),
        ],
    )
    def test_names_and_aliases(self, provider, providers):
        assert catalog_for(GUIDE, provider)[1] == providers

    @pytest.mark.parametrize(
        ("provider", "message"),
        [
            ([], "got no name, expected one or more"),
            ("awz", 'got "awz", expected the name of a provider; did you mean "aws"?'),
            (5, f"got 5, expected {NAME}"),
            (b"aws", f"got 97, expected {NAME}"),
            ([None], f"got None, expected {NAME}"),
            (["aws", "a/b"], f'got "a/b", expected {NAME}'),
        ],
    )
    def test_what_is_no_name_and_what_is_misspelt_are_rejected(self, provider, message):
        assert message_of(catalog_for, GUIDE, provider) == f"provider: {message}"

    def test_any_other_name_is_one(self):
        assert catalog_for(GUIDE, ["aws", "oracle", "Our Racks"])[1] == ("aws", "oci", "our-racks")

    def test_an_answer_that_is_a_machine_needs_one(self):
        assert message_of(check_machines_of, GUIDE, ["azure"]) == (
            'provider: got "azure", expected one of the catalog "guide": aws, gce; the catalog "current" has '
            "machines of azure (--catalog current)"
        )
        assert message_of(check_machines_of, GUIDE, ["aws", "our-racks"]) == (
            'provider: got "our-racks", expected one of the catalog "guide": aws, gce; to add machines of another, '
            "make a catalog with etcdsize catalog import"
        )
