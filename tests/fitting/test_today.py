"""Today's machine for every tier is the first that `fit` recommends, and the stored answers are those of a fit."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from etcdsize import Catalog, Machine, TierTable, fit, load_catalog, load_tiers, size, size_fleet
from etcdsize.catalog import providers
from etcdsize.fitting.model import disk_of
from etcdsize.fitting.today import STORED, fit_today, machine_today

GUIDE = load_tiers("guide")
LISTED = [(catalog, machine) for catalog in ("guide", "guide-as-printed") for machine in load_catalog(catalog).machines]


def test_the_stored_answers_are_those_of_a_fit():
    assert json.loads(STORED.read_text()) == fit_today(GUIDE)


@pytest.mark.parametrize("tiers", ["guide", "etcd.io"])
@pytest.mark.parametrize(("catalog", "machine"), LISTED, ids=str)
def test_in_place_of_a_previous_generation_it_is_what_fit_recommends(catalog, machine, tiers):
    best = fit(machine.tier, provider=machine.provider, tiers=tiers).best
    today = machine_today(machine, load_tiers(tiers))
    assert (today.machine_type, today.disk, today.cost) == (best.machine.machine_type, disk_of(best.disk), best.cost)
    assert today == load_today("current", machine.provider, machine.tier)


def load_today(catalog, provider, tier):
    clients = {"small": 1, "medium": 300, "large": 1_000, "xlarge": 5_000}[tier]
    return size(clients=clients, provider=provider, catalog=catalog).machine


class TestOneAnswer:
    """Machine, disk and cost are the same for one cluster, for a fleet, and with the catalog `current`."""

    @pytest.mark.parametrize("provider", ["aws", "gce"])
    @pytest.mark.parametrize("clients", [1, 300, 1_000, 5_000])
    def test_whatever_the_catalog(self, provider, clients):
        guide, current = (size(clients=clients, provider=provider, catalog=name) for name in ("guide", "current"))
        assert guide.machine_today == current.machine_today == current.machine != guide.machine
        assert guide.cost_per_month == current.cost_per_month
        fleet = size_fleet([clients], None, None, provider=provider)
        assert fleet.machines_today[fleet.machine_codes[0]] == guide.machine_today
        assert fleet.cost_per_month[0] == guide.cost_per_month[provider]

    def test_a_catalog_that_is_fitted_or_has_current_machines_is_kept(self):
        ours = load_catalog("current").restrict(families="m8i")
        one = size(clients=300, catalog=ours)
        assert one.machines_today == one.machines
        mine = Machine(provider="aws", machine_type="big", tier="small", vcpus=4, memory_gib=16, lifecycle="current")
        one = size(clients=1, catalog=Catalog(name="guide", machines=[mine]), provider="aws")
        assert one.machine_today == one.machine == mine
        assert one.cost_per_month == {}

    def test_an_unknown_cost_stays_unknown(self):
        current = load_catalog("current")
        kinds = [kind.model_copy(update={"price": None}) for kind in current.disk_kinds]
        unpriced = current.model_copy(update={"name": "unpriced", "disk_kinds": tuple(kinds)})
        one = size(clients=1, provider="azure", catalog=unpriced)
        assert one.cost_per_month == {"azure": None}
        assert "unknown-cost" in {notice.code for notice in one.notices}


class TestOtherTables:
    """Tiers for other data are fitted anew, and tiers that the guide does not know have no machine of today."""

    def table(self, **fields):
        tiers = [tier.model_dump() for tier in GUIDE.tiers]
        tiers[0] |= fields
        return TierTable.model_validate({**GUIDE.model_dump(), "tiers": tiers})

    def test_more_data_needs_another_disk(self):
        table = self.table(data_bytes={"limit": 450_000_000, "inclusive": True})
        machine = load_catalog("guide").machine_for("aws", "small")
        best = fit("small", provider="aws", tiers=table).best
        assert machine_today(machine, table).disk == disk_of(best.disk)

    def test_a_name_that_the_guide_does_not_have(self):
        table = self.table(name="tiny")
        machine = load_catalog("guide").machines[0].model_copy(update={"tier": "tiny"})
        ours = Catalog(name="ours", machines=(machine, *load_catalog("guide").machines[2:]))
        assert machine_today(machine, table) is None
        one = size(clients=1, provider="aws", tiers=table, catalog=ours)
        assert (one.tier, one.machines_today, one.machine_today, one.cost_per_month) == ("tiny", {}, None, {})
        fleet = size_fleet([1, 300], None, None, provider="aws", tiers=table, catalog=ours)
        assert fleet.machines_today[0] is None
        assert fleet.machines_today[1] == machine_today(ours.machine_for("aws", "medium"), table)


def test_other_data_files_are_fitted_anew(tmp_path, monkeypatch):
    """What is stored counts only for the data files that it was computed from."""
    copy = tmp_path / "machines-current"
    shutil.copytree(providers.FOLDER, copy)
    text = json.loads((copy / "aws.json").read_text())
    text["machines"] = [one for one in text["machines"] if not one["machine_type"].startswith("m6a.")]
    (copy / "aws.json").write_text(json.dumps(text))
    monkeypatch.setattr(providers, "FOLDER", copy)
    machine = load_catalog("guide").machine_for("aws", "small")
    best = fit("small", provider="aws").best.machine.machine_type
    assert machine_today(machine, GUIDE).machine_type == best != "m6a.large"


def test_a_sizing_loads_neither_the_catalog_nor_the_fit():
    script = (
        "import sys; from etcdsize import size; print(size(clients=1).machines_today['aws'].machine_type);"
        "print([name for name in sys.modules if name in ('numpy', 'etcdsize.fitting.fit', "
        "'etcdsize.catalog.provider_file')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [fit("small", provider="aws").best.machine.machine_type, "[]"]
