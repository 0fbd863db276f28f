"""The reports of tier tables, machines and imported listings, in full."""

import pytest

from etcdsize import Catalog, DiskKind, Imported, Machine, Price, fit, load_catalog, load_tiers
from etcdsize.reports.tables import render_import, render_machines, render_tiers


def test_both_tier_tables():
    assert render_tiers(load_tiers("guide")).rpartition("\n\nSource: ")[0] == (
        """\
The guide's four tiers

tier    clients       requests/s     data            example: Kubernetes
small   at most 100   below 200      at most 100 MB  50 nodes
medium  at most 500   below 1000     at most 500 MB  250 nodes
large   at most 1500  below 10000    at most 1 GB    1000 nodes
xlarge  above 1500    10000 or more  above 1 GB      3000 nodes"""
    )
    table = load_tiers("etcd.io")
    assert render_tiers(table) == (
        """\
The four tiers of etcd's own hardware page

tier    clients       requests/s     data            example: Kubernetes
small   below 100     below 200      at most 100 MB  50 nodes
medium  below 500     below 1000     at most 500 MB  250 nodes
large   below 1500    below 10000    at most 1 GB    1000 nodes
xlarge  1500 or more  10000 or more  above 1 GB      3000 nodes

"""
        f"Source: {table.source}, read on {table.date}\n"
    )


class TestMachines:
    ERRATA = (
        "* gce, small, machine_type: printed n1-standard-1, should be n1-standard-2: the row's own 2 vCPUs and 7.5 GB "
        'are an n1-standard-2; an n1-standard-1 has 1 vCPU and 3.75 GB (etcd-io/etcd commit cb3a38944 ("Typo instance '
        'type GCE", 2018-01-23); etcd-io/website v3.3 and later print n1-standard-2)\n'
        "** gce, medium, vcpus: printed 5, should be 4: an n1-standard-4 has 4 vCPUs (etcd-io/website "
        "content/en/docs/v3.5/op-guide/hardware.md prints 4, as does every version of the page)\n"
    )

    def test_the_corrected_guide(self):
        catalog = load_catalog("guide")
        assert render_machines(catalog, catalog.machines) == (
            """\
The guide's machines, with its two misprints corrected

tier    provider  machine                         vCPUs  memory (GiB)  concurrent IOPS  disk (MB/s)
small   aws       m4.large                            2             8             3600        56.25
small   gce       n1-standard-2 + 50 GB PD SSD*       2           7.5             1500           25
medium  aws       m4.xlarge                           4            16             6000        93.75
medium  gce       n1-standard-4 + 150 GB PD SSD     4**            15             4500           75
large   aws       m4.2xlarge                          8            32             8000          125
large   gce       n1-standard-8 + 250 GB PD SSD       8            30             7500          125
xlarge  aws       m4.4xlarge                         16            64            16000          250
xlarge  gce       n1-standard-16 + 500 GB PD SSD     16            60            15000          250

"""
            f"{self.ERRATA}\nSource: {catalog.source}, read on {catalog.date}\n"
        )

    def test_the_guide_as_printed_explains_its_errata(self):
        catalog = load_catalog("guide-as-printed")
        chosen = [machine for machine in catalog.machines if machine.provider == "gce"]
        assert render_machines(catalog, chosen).split("\n\n")[:3] == [
            "The guide's machines, cell for cell as printed",
            """\
tier    provider  machine                      vCPUs  memory (GiB)  concurrent IOPS  disk (MB/s)
small   gce       n1-standard-1+50GB PD SSD*       2           7.5             1500           25
medium  gce       n1-standard-4+150GB PD SSD     5**            15             4500           75
large   gce       n1-standard-8+250GB PD SSD       8            30             7500          125
xlarge  gce       n1-standard-16+500GB PD SSD     16            60            15000          250""",
            self.ERRATA.rstrip(),
        ]

    def test_unknown_figures_are_not_zero(self):
        """An unverified figure is reported as unknown, never as 0."""
        machine = load_catalog("guide").machines[0]
        figures = {"concurrent_iops": None, "disk_mb_per_second": None, "errata": ()}
        text = render_machines(load_catalog("guide"), [machine.model_copy(update=figures)])
        assert "small  aws       m4.large      2             8          unknown      unknown\n" in text


class TestMachinesWithPrices:
    """A catalog with families or prices: unknown figures, notes, and the kind of disk of the figures."""

    def test_the_whole_report(self):
        one = {"vcpus": 2, "memory_gib": 8}
        price = Price(per_hour=0.1, currency="USD", region="eu-west-1", date="2026-11-01")
        limits = [{"kind": "pd-ssd", "concurrent_iops": 15_000}, {"kind": "pd-balanced", "concurrent_iops": 9}]
        machines = [
            Machine(provider="aws", machine_type="m8i.large", concurrent_iops=3_600, arch="x86_64", price=price, **one),
            Machine(provider="gce", machine_type="n2-a", disk_limits=limits, lifecycle="previous", family="n2", **one),
            Machine(provider="gce", machine_type="x", local_nvme_gb=375, shared_core=True, bare_metal=True, **one),
            Machine(provider="aws", machine_type="t3.large", burstable=True, local_nvme_gb=0, **one),
        ]
        catalog = Catalog(name="mine", title="Mine", source="our own", date="2026-11-02", machines=machines)
        assert render_machines(catalog, machines) == (
            """\
Mine

provider  machine    arch     vCPUs  memory (GiB)  concurrent IOPS  disk (MB/s)  of disk  NVMe (GB)  USD/hour  \
region     read on     note
aws       m8i.large  x86_64       2             8             3600      unknown  any        unknown       0.1  \
eu-west-1  2026-11-01
gce       n2-a       unknown      2             8            15000      unknown  pd-ssd     unknown   unknown  \
                       previous generation
gce       x          unknown      2             8          unknown      unknown                 375   unknown  \
                       shared core, bare metal
aws       t3.large   unknown      2             8          unknown      unknown                   0   unknown  \
                       burstable

Source: our own, read on 2026-11-02
"""
        )


class TestImport:
    """The report of an import leaves out counts of zero."""

    def test_counts_of_zero_are_left_out(self):
        machine = Machine(provider="aws", machine_type="m8i.large", concurrent_iops=3_600, arch="x86_64", vcpus=2,
                          memory_gib=8,
                          price=Price(per_hour=0.1, currency="USD", region="r", date="2026-11-25"))  # fmt: skip
        disk = load_catalog("current").disk_kind("aws", "gp3")
        catalog = Catalog(name="mine", machines=[machine], disk_kinds=[disk])
        assert render_import(Imported(catalog=catalog, found=1)) == "1 entry: 1 imported, 0 dropped\n"

    @pytest.mark.parametrize("disks", [[], [DiskKind(provider="our-cloud", kind="volume", media="ssd")]])
    def test_a_provider_without_known_disks_is_said(self, disks):
        """As no machine of it is ever enough."""
        machine = Machine(provider="our-cloud", machine_type="m1", vcpus=64, memory_gib=256, arch="x86_64")
        catalog = Catalog(name="mine", machines=[machine], disk_kinds=disks)
        assert not fit("small", catalog).candidates
        assert render_import(Imported(catalog=catalog, found=1)).splitlines()[-1] == (
            "the catalog has no network disk of our-cloud with known figures; fit needs one, or a machine whose disk "
            "you measured: docs/machines.md says how to add either"
        )
