"""The report of a fleet, in full."""

from etcdsize import Disk
from etcdsize.base.notice import KINDS
from etcdsize.batches.row_notices import NoticeCount
from etcdsize.files.summary import FleetSummary, MachineCount, Problem
from etcdsize.reports.fleet import render_fleet

TIERS = {"small": 2, "medium": 0, "large": 10, "xlarge": 0}


class TestFleet:
    def test_a_problem_stays_on_its_line(self):
        summary = self.summary(clusters=1, not_sized=1, first_problems=(Problem(row=1, problem="a\nb\x1b: missing"),))
        assert render_fleet(summary).endswith("\n  row 1: a\\nb\\x1b: missing\n")

    def summary(self, **fields):
        empty = {
            "clusters": 0, "not_sized": 0, "tiers": dict.fromkeys(TIERS, 0), "machines": (), "first_problems": (),
        }  # fmt: skip
        return FleetSummary(**(empty | fields))

    def test_an_empty_fleet(self):
        assert render_fleet(self.summary()) == (
            "0 clusters: 0 sized, 0 not\n\n"
            "tier    clusters\nsmall          0\nmedium         0\nlarge          0\nxlarge         0\n"
        )

    def test_every_part_of_the_report(self):
        machines = [("aws", "small", "m4.large", 2), ("gce", "large", "n1-standard-8", 10)]
        summary = self.summary(
            clusters=25,
            not_sized=13,
            tiers=TIERS,
            machines=tuple(
                MachineCount(provider=provider, tier=tier, machine_type=machine, machine_today=machine, clusters=count)
                for provider, tier, machine, count in machines
            ),
            first_problems=(Problem(row=3, problem="clients: missing"), Problem(row=1000, problem="rps: missing")),
            notices=tuple(
                NoticeCount(code=code, severity=severity, clusters=clusters, first_rows=rows, text=KINDS[code].clusters)
                for code, severity, clusters, rows in [
                    ("beyond-suggested-quota", "beyond-guide", 1, (4,)),
                    ("open-tier", "beyond-guide", 9, (4, 5, 6, 7, 9)),
                    ("implausibly-small", "warning", 1, (17,)),
                    ("unknown-dimension", "warning", 12, (1, 2, 4, 5, 6)),
                ]
            ),
            beyond_guide=9,
            unknown=("clients", "data_bytes"),
            headroom_asked=0.3,
        )
        assert render_fleet(summary) == (
            """\
25 clusters: 12 sized, 13 not

tier    clusters
small          2
medium         0
large         10
xlarge         0

provider  tier   machine        clusters
aws       small  m4.large              2
gce       large  n1-standard-8        10

30% of every bound is kept free as headroom.
Unknown: clients, data_bytes. The other dimensions decide, so larger tiers may be needed.
1 cluster with less data than an empty etcd file: are these megabytes in a column of bytes? (row 17) [implausibly-small]

Beyond the guide: 9 clusters; no published figure says that the machine is enough
  1 cluster with data above the 8 GiB that etcd suggests as a maximum: store less, or split the cluster (row 4) \
[beyond-suggested-quota]
  9 clusters with a load above the last bound of the tiers: test the machine before you rely on it (rows 4, 5, 6, 7, \
9, ...) [open-tier]

Not sized: 13 clusters (first 2 shown)
  row 3: clients: missing
  row 1000: rps: missing
"""
        )

    def test_a_dimension_that_only_some_clusters_lack(self):
        """A dimension that no cluster has is mentioned once, and the clusters that lack one are counted."""
        count = NoticeCount(
            code="unknown-dimension",
            severity="warning",
            clusters=2,
            first_rows=(2, 3),
            text=KINDS["unknown-dimension"].clusters,
        )
        line = (
            "2 clusters with an unknown dimension: the others decide, so a larger tier may be needed (rows 2, 3) "
            "[unknown-dimension]\n"
        )
        assert render_fleet(self.summary(clusters=3, notices=(count,))).endswith("\n\n" + line)
        assert line not in render_fleet(self.summary(clusters=3, notices=(count,), unknown=("clients",)))

    def test_machines_of_today_and_their_known_cost(self):
        """One unknown cost does not delete the total: the clusters that are not in it are counted."""
        disk = Disk(kind="gp3", size_gb=9)
        summary = self.summary(
            clusters=6,
            machines=(
                MachineCount(
                    provider="aws", tier="small", machine_type="old", clusters=2, machine_today="new",
                    disk_today=disk, cost_per_month=20.5, currency="USD", region="north", date="2026-01-01",
                ),
                MachineCount(
                    provider="azure", tier="small", machine_type="b", clusters=3, machine_today="b", disk_today=disk
                ),
                MachineCount(provider="gce", tier="small", machine_type="c", clusters=1),
            ),
            cost_per_month={"USD": 20.5},
            clusters_without_cost=4,
        )  # fmt: skip
        assert render_fleet(summary).endswith(
            """

provider  tier   machine  clusters  machine today   $/month  region, date
aws       small  old             2  new + 9 GB GP3    20.50  north, 2026-01-01
azure     small  b               3  b + 9 GB GP3    unknown
gce       small  c               1  unknown         unknown

$20.50 a month in total, with 3 members per cluster; without 4 clusters whose cost is unknown
"""
        )

    def test_a_complete_list_of_problems_has_no_count(self):
        summary = self.summary(clusters=1, not_sized=1, first_problems=(Problem(row=1, problem="clients: missing"),))
        assert render_fleet(summary).startswith("1 cluster: 0 sized, 1 not\n")
        assert render_fleet(summary).endswith("\n\nNot sized: 1 cluster\n  row 1: clients: missing\n")

    def test_limits_that_are_not_published(self):
        name = {"provider": "aws", "machine_type": "S5", "machine_today": "S5", "clusters": 1}
        known = {"small": False, "medium": False, "large": True}
        machines = [MachineCount(**name, tier=tier, limit_known=is_known) for tier, is_known in known.items()]
        text = render_fleet(self.summary(clusters=3, machines=machines))
        line = "aws S5: its own limit is not published; its figures are those of the disk alone\n"
        assert text.count(line) == 1
        assert text.count("not published") == 1
