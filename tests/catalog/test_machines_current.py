"""The catalog of today's machines: rules that hold for every row, and how to choose and price rows."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from etcdsize import Catalog, DiskKind, MachinePrice, OptionError, Price, TableError, load_catalog
from etcdsize.catalog.loading import catalog_for

CURRENT, _ = catalog_for("current", None)
# GCE's standard, highmem and highcpu, with and without local disks, are families in one; a bigger one of each has more
# of everything.
FAMILIES: dict[tuple, list] = {}
for _machine in CURRENT.machines:
    _shape = "".join(c for c in _machine.machine_type.partition("-")[2] if not c.isdigit()) * (
        _machine.provider == "gce"
    )
    FAMILIES.setdefault((_machine.provider, _machine.family, _shape), []).append(_machine)


class TestInvariants:
    """Rules that hold for every row; an unknown figure is None, never 0."""

    def test_the_number_of_machines_of_each_provider(self):
        assert Counter(machine.provider for machine in CURRENT.machines) == {"aws": 338, "gce": 183, "azure": 91}
        assert CURRENT.providers == ("aws", "azure", "gce")

    def test_every_row_has_its_sources(self):
        for machine in CURRENT.machines:
            assert machine.source
            assert machine.arch
            assert machine.lifecycle
            assert machine.family
            assert machine.tier is None
            assert all(limit.source or limit.concurrent_iops is None for limit in machine.disk_limits)
            if machine.price:
                assert machine.price.source
                assert machine.price.date.startswith("2026-")
                region = {"aws": "us-east-1", "gce": "us-central1", "azure": "eastus"}[machine.provider]
                assert machine.price.region == region
        for kind in CURRENT.disk_kinds:
            assert kind.source
            assert kind.price is None or kind.price.source

    def test_the_unknown_figures(self):
        assert sorted({m.family for m in CURRENT.machines if m.price is None}) == ["r9g", "r9gd"]
        no_limits = {
            m.family
            for m in CURRENT.machines
            if m.concurrent_iops is None and not any(limit.concurrent_iops for limit in m.disk_limits)
        }
        assert no_limits == {"n4", "n4a", "n4d", "c4", "c4a"}

    def test_every_machine_suits_etcd(self):
        assert not [m for m in CURRENT.machines if m.burstable or m.shared_core or m.bare_metal]

    @pytest.mark.parametrize("family", FAMILIES, ids=str)
    def test_figures_never_decrease_within_a_family(self, family):
        machines = FAMILIES[family]
        assert [m.vcpus for m in machines] == sorted({m.vcpus for m in machines})
        figures = {
            "memory": lambda m: m.memory_gib,
            "iops": lambda m: m.concurrent_iops,
            "throughput": lambda m: m.disk_mb_per_second,
            "burst iops": lambda m: m.burst_concurrent_iops,
            "burst throughput": lambda m: m.burst_disk_mb_per_second,
            "pd-ssd": lambda m: m.limits_for("pd-ssd")[0],
            "pd-ssd throughput": lambda m: m.limits_for("pd-ssd")[1],
            "pd-balanced": lambda m: m.limits_for("pd-balanced")[0],
            "pd-balanced throughput": lambda m: m.limits_for("pd-balanced")[1],
            "nvme": lambda m: m.local_nvme_gb,
            "price": lambda m: m.price and m.price.per_hour,
        }
        for less, more in itertools.pairwise(machines):
            for name, figure in figures.items():
                if None not in (figure(less), figure(more)):
                    assert figure(less) <= figure(more), (name, less.machine_type, more.machine_type)

    @pytest.mark.parametrize("family", FAMILIES, ids=str)
    def test_memory_is_proportional_to_the_vcpus(self, family):
        ratios = {machine.memory_gib / machine.vcpus for machine in FAMILIES[family]}
        # c4.8xlarge of AWS has 36 vCPUs; c4 and c4d of GCE give some sizes a little less.
        most = {("aws", "c4"): 2, ("gce", "c4"): 2, ("gce", "c4d"): 3}.get(family[:2], 1)
        assert len(ratios) <= most

    def test_a_burst_is_above_what_is_sustained(self):
        bursts = [m for m in CURRENT.machines if m.burst_concurrent_iops or m.burst_disk_mb_per_second]
        assert len(bursts) > 200
        for machine in bursts:
            assert machine.burst_concurrent_iops is None or machine.burst_concurrent_iops > machine.concurrent_iops
            throughput = machine.burst_disk_mb_per_second
            assert throughput is None or throughput > machine.disk_mb_per_second

    def test_limits_by_kind_of_disk_replace_the_general_ones(self):
        for machine in CURRENT.machines:
            if machine.disk_limits:
                assert machine.provider in ("azure", "gce")
                kinds = ["premium-ssd-v2", "premium-ssd"]
                if machine.provider == "gce":
                    kinds = ["hyperdisk-balanced"] if machine.family[1] == "4" else ["pd-ssd", "pd-balanced"]
                assert [limit.kind for limit in machine.disk_limits] == kinds
                assert machine.concurrent_iops is machine.disk_mb_per_second is None

    def test_lifecycle(self):
        """`previous` where a newer generation of the same line exists."""
        found: dict[tuple[str, str], set[str]] = {}
        for machine in CURRENT.machines:
            found.setdefault((machine.provider, machine.family), set()).add(machine.lifecycle)
        assert all(len(lifecycles) == 1 for lifecycles in found.values())
        assert {family for family, lifecycles in found.items() if lifecycles == {"current"}} == {
            *(("aws", family) for family in ("m8i", "m8id", "m8a", "m9g", "m9gd", "c8i", "c8id", "c8a", "c9g", "c9gd")),
            *(("aws", family) for family in ("r8i", "r8id", "r8a", "r9g", "r9gd", "i7i", "i7ie", "i8g")),
            *(("gce", family) for family in ("n4", "n4a", "n4d", "e2", "t2d", "c4", "c4a", "c4d")),
            *(("azure", family) for family in ("Dsv7", "Dasv7", "Dpsv6", "Esv7", "Easv7", "Epsv6")),
        }

    def test_the_guides_machines_have_the_same_figures(self):
        for named in load_catalog("guide").machines:
            machine = CURRENT.machine(named.provider, named.machine_type)
            assert (machine.vcpus, machine.memory_gib, machine.arch) == (named.vcpus, named.memory_gib, named.arch)
            assert machine.lifecycle == "previous"
            if named.provider == "aws":
                assert machine.concurrent_iops == named.concurrent_iops
                assert machine.disk_mb_per_second == named.disk_mb_per_second
            else:
                # The guide's figures are those of a disk of that size, by the older rule: within the machine's limits.
                iops, throughput = machine.limits_for("pd-ssd")
                assert named.concurrent_iops <= iops
                assert named.disk_mb_per_second <= throughput
                assert (
                    named.concurrent_iops + 6_000 == CURRENT.disk_kind("gce", "pd-ssd").figures(named.disk.size_gb)[0]
                )

    def test_m7i_large(self):
        machine = CURRENT.machine("aws", "m7i.large")
        assert (machine.vcpus, machine.memory_gib, machine.arch) == (2, 8, "x86_64")
        assert (machine.concurrent_iops, machine.burst_concurrent_iops) == (3_600, 40_000)
        assert (machine.price.per_hour, machine.price.region) == (0.1008, "us-east-1")


class TestLookUp:
    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda: CURRENT.machine("aws", "m7i.larg"),
             'machine_type: got "m7i.larg", which is not among the aws machines in the catalog "current"; '
             'did you mean "m7i.large"?'),
            (lambda: CURRENT.machine("gce", "m7i.large"),
             'machine_type: got "m7i.large", which is not among the gce machines in the catalog "current"'),
            (lambda: CURRENT.disk_kind("aws", "gp4"),
             'disk kind: got "gp4", expected one of the aws disks in the catalog "current": gp3, gp2, io2, io1; '
             'did you mean "gp3"?'),
            (lambda: load_catalog("guide").disk_kind("aws", "gp3"),
             'disk kind: got "gp3", expected one of the aws disks in the catalog "guide": none'),
        ],
    )  # fmt: skip
    def test_an_unknown_name_is_rejected_with_a_suggestion(self, call, message):
        with pytest.raises(OptionError) as caught:
            call()
        assert str(caught.value) == message

    def test_a_repeated_kind_of_disk_is_rejected(self):
        kind = DiskKind(provider="aws", kind="gp3", media="ssd")
        with pytest.raises(TableError) as caught:
            Catalog(name="mine", machines=CURRENT.machines[:1], disk_kinds=[kind, kind])
        assert str(caught.value) == 'Catalog: disk_kinds: got aws "gp3" more than once, expected each kind of disk once'


def listed(machine_type: str, per_hour: float = 0.5, provider: str | None = None) -> MachinePrice:
    price = Price(per_hour=per_hour, currency="USD", region="eu-west-1", date="2026-11-01")
    return MachinePrice(machine_type=machine_type, price=price, provider=provider)


class TestMerge:
    """A user's own prices replace those of the catalog; everything else stays."""

    def test_only_the_given_prices_change(self):
        merged = CURRENT.merge([listed("r9g.large"), listed("n2-standard-2", 0.2, "google")])
        assert merged.machine("aws", "r9g.large").price.per_hour == 0.5
        assert merged.machine("gce", "n2-standard-2").price.region == "eu-west-1"
        changed = [m.machine_type for m, n in zip(CURRENT.machines, merged.machines, strict=True) if m != n]
        assert changed == ["r9g.large", "n2-standard-2"]
        assert (merged.name, merged.disk_kinds) == (CURRENT.name, CURRENT.disk_kinds)
        assert CURRENT.machine("aws", "r9g.large").price is None

    @pytest.mark.parametrize(
        ("prices", "row", "message"),
        [
            ([listed("m8i.large"), listed("m8i.larg")], 2,
             'row 2, machine_type: got "m8i.larg", which is not among the machines in the catalog "current"; '
             'did you mean "m8i.large"?'),
            ([listed("m8i.large", provider="gce")], 1,
             'row 1, machine_type: got "m8i.large", which is not among the gce machines in the catalog "current"'),
            ([listed("m8i.large"), listed("m8i.xlarge"), listed("m8i.large", provider="aws")], 3,
             'row 3, machine_type: got "m8i.large", which is also in row 1; expected one price for each machine'),
        ],
    )  # fmt: skip
    def test_an_unknown_or_repeated_type_is_rejected(self, prices, row, message):
        with pytest.raises(TableError) as caught:
            CURRENT.merge(prices)
        assert str(caught.value) == message
        assert (caught.value.row, caught.value.field) == (row, "machine_type")

    def test_a_type_of_two_providers_needs_the_provider(self):
        one = CURRENT.machines[0]
        catalog = Catalog(name="mine", machines=[one, one.model_copy(update={"provider": "gce"})])
        with pytest.raises(TableError, match=r"which aws and gce both have; add the provider to the row$"):
            catalog.merge([listed(one.machine_type)])
        assert catalog.merge([listed(one.machine_type, provider="gce")]).machines[1].price.per_hour == 0.5


class TestRestrict:
    """Only machines that match each list of names are left; an unknown name is rejected with a suggestion."""

    @pytest.mark.parametrize(
        ("names", "count"),
        [
            ({}, 612),
            ({"families": "m8i"}, 5),
            ({"families": ["m8i", "n4"]}, 26),
            ({"machine_types": ["m8i.large", "Standard_D2s_v6"]}, 2),
            ({"architectures": "arm64", "families": ["m8i", "m9g"]}, 6),
            ({"architectures": ["amd64"], "families": ["m8i", "m9g"]}, 5),
            ({"architectures": ["aarch64", "x86_64"]}, 612),
        ],
    )
    def test_the_machines_that_are_left(self, names, count):
        left = CURRENT.restrict(**names)
        assert len(left.machines) == count
        assert left.disk_kinds == CURRENT.disk_kinds
        assert Catalog.model_validate_json(left.model_dump_json()) == left

    @pytest.mark.parametrize(
        ("names", "message"),
        [
            ({"families": "m8"},
             'families: got "m8", expected one of the catalog "current": Dasv5, Dasv6, Dasv7, Dpsv6, Dsv5, Dsv6, '
             'Dsv7, Easv6, Easv7, Epsv6, Esv5, Esv6, ...; did you mean "m8i"?'),
            ({"architectures": ["arm46"]},
             'architectures: got "arm46", expected one of the catalog "current": arm64, x86_64; '
             'did you mean "arm64"?'),
            ({"machine_types": ()}, "machine_types: got no name, expected one or more"),
            ({"machine_types": "m8i.lrge"},
             'machine_types: got "m8i.lrge", expected one of the catalog "current": Standard_D16as_v5, '
             'Standard_D16as_v6, Standard_D16as_v7, Standard_D16ps_v6, Standard_D16s_v5, Standard_D16s_v6, '
             'Standard_D16s_v7, Standard_D2as_v5, Standard_D2as_v6, Standard_D2as_v7, Standard_D2ps_v6, '
             'Standard_D2s_v5, ...; did you mean "m8i.large"?'),
            ({"families": "m8i", "architectures": ["arm64"]},
             'catalog: "current" has no machine that matches all of these: families m8i; architectures arm64'),
        ],
    )  # fmt: skip
    def test_an_unknown_name_is_rejected(self, names, message):
        with pytest.raises(OptionError) as caught:
            CURRENT.restrict(**names)
        assert str(caught.value) == message


class TestInRegion:
    """The prices of the published lists of one region; unknown where there is none."""

    def test_prices_of_one_provider_in_one_region(self):
        there = CURRENT.in_region("eu-central-1")
        assert there.regions == {"aws": "eu-central-1"}
        for before, after in zip(CURRENT.machines, there.machines, strict=True):
            if before.provider != "aws":
                assert after is before
            else:
                assert after.price is None or after.price.region == "eu-central-1"
                assert after.model_copy(update={"price": before.price}) == before
        assert there.machine("aws", "m6a.large").price.per_hour == 0.1035
        assert there.disk_kind("aws", "gp3").price.region == "eu-central-1"
        assert there.disk_kind("aws", "io2").price is None
        assert there.disk_kind("gce", "pd-ssd") is CURRENT.disk_kind("gce", "pd-ssd")

    def test_one_region_of_each_of_several_providers(self):
        there = CURRENT.in_region(["eu-central-1", "gce=europe-west4", "West Europe"])
        assert there.regions == {"aws": "eu-central-1", "gce": "europe-west4", "azure": "westeurope"}
        assert there.machine("gce", "n2-standard-4").price.per_hour == 0.213832
        assert there.machine("azure", "Standard_D2as_v5").price.per_hour == 0.104

    def test_an_own_price_in_the_region_stays(self):
        """Our contract counts before the list."""
        price = Price(per_hour=0.01, currency="EUR", region="eu-central-1", date="2026-01-02", source="contract")
        ours = CURRENT.merge([MachinePrice(machine_type="m6a.large", price=price)])
        assert ours.in_region("eu-central-1").machine("aws", "m6a.large").price == price
        assert ours.in_region("us-west-2").machine("aws", "m6a.large").price.source != "contract"

    def test_known_types_have_the_prices_of_the_region(self):
        there = CURRENT.in_region("eu-central-1")
        assert there.machine("aws", "t3.medium").price.region == "eu-central-1"
        assert there.with_known_types(["t3.medium"]).machines[-1].price.per_hour == 0.048
        assert there.machine("aws", "p5.48xlarge").price is None

    def test_a_second_region_replaces_the_first(self):
        assert CURRENT.in_region("eu-central-1").in_region("us-east-1").machine("aws", "m6a.large") == CURRENT.machine(
            "aws", "m6a.large"
        )

    @pytest.mark.parametrize(
        ("catalog", "region", "message"),
        [
            ("guide", "westeurope", 'provider: got "azure", expected one of the catalog "guide": aws, gce;'),
            ("current", "atlantis", 'region: got "atlantis", expected a region of aws (af-south-1, '),
        ],
    )
    def test_it_is_refused(self, catalog, region, message):
        with pytest.raises(OptionError) as caught:
            load_catalog(catalog).in_region(region)
        assert str(caught.value).startswith(message)
