"""The coefficients: one file a version, complete, each with its range and how it is known."""

from __future__ import annotations

import pytest

from etcdsize import OptionError, TableError, load_versions
from etcdsize.resources.coefficients import Coefficient, Coefficients, CoefficientTable, load_coefficients

VERSIONS = [version.name for version in load_versions().versions]
NAMES = Coefficients._fields


@pytest.mark.parametrize("name", VERSIONS)
class TestEveryVersion:
    """Every version that the tables of etcd have has coefficients."""

    def test_has_every_coefficient_with_its_source(self, name):
        table = load_coefficients(name)
        assert table.etcd_version == name
        assert set(NAMES) <= set(table.coefficients)
        assert all(one.source for one in table.coefficients.values())

    def test_a_table_of_ours_is_valid(self, name):
        # It is read without a validation.
        table = load_coefficients(name)
        assert CoefficientTable.model_validate(table.model_dump()) == table

    def test_only_what_ran_is_called_measured(self, name):
        table = load_coefficients(name)
        ways = {one.how for one in table.coefficients.values()}
        assert ("measured" in ways) == (table.measured_on is not None)
        assert table.measured_on is None or table.measured_on.startswith(f"{name}.")

    def test_the_default_snapshot_count_is_that_of_the_flag(self, name):
        flag = load_versions().version(name).flag("snapshot-count")
        assert load_coefficients(name).spread.likely.default_snapshot_count == flag.defaults[name]

    def test_the_raft_log_is_trimmed_by_the_snapshot_count_before_3_6(self, name):
        values = load_coefficients(name).spread.likely
        before = name in ("3.4", "3.5")
        assert values.raft_kept_per_snapshot_count == (1 if before else 0)
        assert values.raft_kept_most == (5_000 if before else 5_100)


class TestReading:
    """A patch has the coefficients of its version; an incomplete table is refused."""

    def test_a_patch_has_those_of_its_version(self):
        assert load_coefficients("v3.5.35") is load_coefficients("3.5")

    @pytest.mark.parametrize("wrong", ["3.9", "", None, 3.6, ["3.6"]])
    def test_an_unknown_version_is_refused(self, wrong):
        with pytest.raises(OptionError, match="etcd_version: got"):
            load_coefficients(wrong)

    def test_a_missing_coefficient_is_named(self):
        parts = load_coefficients("3.6").model_dump()
        del parts["coefficients"]["lease"]
        with pytest.raises(TableError, match="lacks lease"):
            CoefficientTable(**parts)

    def test_a_value_outside_its_range_is_refused(self):
        with pytest.raises(TableError, match=r"got 2\.\.1\.\.3, expected low <= value <= high"):
            Coefficient(value=1, low=2, high=3, unit="B", how="choice", source="a test")
