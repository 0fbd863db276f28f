"""A provider is any name: what an answer says of one of which the catalog has no machines, and of one's own catalog."""

import pytest

from etcdsize import Catalog, DiskKind, Machine, OptionError, TableError, fit, load_catalog, size, size_fleet
from etcdsize.plan.terraform import answer
from etcdsize.reports.sizing import render_sizing

FIGURES = {"arch": "x86_64", "concurrent_iops": 20_000, "disk_mb_per_second": 500}
DISK = {
    "kind": "ssd", "media": "ssd", "included_iops": 20_000, "iops_per_gib": 0, "max_iops": 20_000,
    "included_mb_per_second": 500, "mb_per_second_per_gib": 0, "mb_per_second_per_iops": 0, "max_mb_per_second": 500,
}  # fmt: skip


def catalog(*providers, **more):
    rows = [
        Machine(provider=name, machine_type=f"{name} {vcpus}", vcpus=vcpus, memory_gib=4 * vcpus, **FIGURES)
        for name in providers
        for vcpus in (2, 4, 8, 16)
    ]
    return Catalog(
        name="mine", machines=rows, disk_kinds=[DiskKind(provider=name, **DISK) for name in providers], **more
    )


class TestWithoutMachines:
    """One without machines gets its tier."""

    def test_the_answer(self):
        sizing = size(clients=300, provider="Our Racks")
        assert (sizing.tier, sizing.machines, sizing.machines_today, sizing.cost_per_month) == ("medium", {}, {}, {})
        (notice,) = [one for one in sizing.notices if one.code == "no-machines"]
        assert (
            notice.text == 'The catalog "guide" has no machine of our-racks, so the answer is the tier and its needs.'
        )
        assert type(sizing).model_validate_json(sizing.model_dump_json()) == sizing

    def test_the_report_and_the_reasons(self):
        sizing = size(clients=300, provider="our-racks")
        assert "[no-machines]" in render_sizing(sizing)
        assert "machine  vCPUs" not in render_sizing(sizing)
        assert "(no-machines)" in sizing.explain()

    def test_its_machine_is_none(self):
        with pytest.raises(OptionError) as caught:
            _ = size(clients=300, provider="our-racks").machine
        assert str(caught.value) == (
            'machine: got none: the catalog "guide" has no machine of the requested providers that is enough; the '
            "notices say why, and machines is empty"
        )

    def test_a_load_that_decides(self):
        sizing = size(clients=9000, data_bytes="20GB", provider="our-racks")
        assert (sizing.tier, sizing.machines) == ("xlarge", {})
        assert sizing.need.memory_gib > 16

    def test_beside_one_that_has_some(self):
        sizing = size(clients=300, provider=["aws", "our-racks"])
        assert list(sizing.machines) == ["aws"]
        assert "no-machines" in {notice.code for notice in sizing.notices}

    def test_terraform(self):
        found = answer('{"clients": "300", "provider": "our-racks,aws"}')
        assert found["tier"] == "medium"
        assert [name for name in found if name.startswith("machine_type_")] == ["machine_type_aws"]


@pytest.mark.parametrize("name", ["mine", "我们的", "rz-1.eu"])
class TestOwnCatalogs:
    """A catalog of one's own needs no known provider."""

    def test_size_and_fit(self, name):
        ours = catalog(name)
        assert size(clients=300, catalog=ours).machine.machine_type == f"{name} 4"
        assert size(clients=300, catalog=ours, provider=name.upper()).machine.provider == name
        assert str(fit("medium", ours, provider=name).best.machine) == f"{name} 4"

    def test_fleets(self, name):
        fleet = size_fleet([90, 300], 1, 1e6, provider=[name, "aws"], catalog=catalog(name))
        assert fleet.machine_types.tolist() == [f"{name} 2", None]

    def test_it_is_read_back(self, name, tmp_path):
        file = tmp_path / "mine.json"
        file.write_text(catalog(name).model_dump_json(), encoding="utf-8")
        assert load_catalog(file) == catalog(name)

    def test_terraform(self, name, tmp_path):
        file = tmp_path / "mine.json"
        file.write_text(catalog(name).model_dump_json(), encoding="utf-8")
        found = answer(f'{{"clients": "300", "catalog": "{file}"}}')
        assert found[f"machine_type_{name}"] == f"{name} 4"


class TestDefaultProviders:
    """A catalog may answer for some of its providers only, unless another is named."""

    def test_a_catalog_of_ones_own(self):
        ours = catalog("a-dc", "b-dc", "c-dc", default_providers=["A DC", "c-dc"])
        assert ours.default_providers == ("a-dc", "c-dc")
        assert list(size(clients=300, catalog=ours).machines) == ["a-dc", "c-dc"]
        assert {one.machine.provider for one in fit("small", ours, limit=None).candidates} == {"a-dc", "c-dc"}
        assert size(clients=300, catalog=ours, provider="b-dc").machine.provider == "b-dc"
        assert size_fleet([1], 1, 1e6, provider=["b-dc"], catalog=ours).machine_types.tolist() == ["b-dc 2"]

    def test_they_have_machines(self):
        with pytest.raises(TableError, match=r"default_providers: got \"b-dc\", expected providers whose machines"):
            catalog("a-dc", default_providers=["b-dc"])

    def test_what_is_left_of_a_catalog_has_them_too(self):
        ours = catalog("a-dc", "b-dc", default_providers=["a-dc"])
        assert ours.restrict(machine_types="b-dc 2").default_providers == ()
        assert ours.restrict(machine_types=["a-dc 2", "b-dc 2"]).default_providers == ("a-dc",)


def test_a_catalog_has_at_most_250_providers():
    assert len(catalog(*(f"p{number}" for number in range(250))).providers) == 250
    with pytest.raises(TableError, match=r"machines: got 251 providers, expected at most 250"):
        catalog(*(f"p{number}" for number in range(251)))
