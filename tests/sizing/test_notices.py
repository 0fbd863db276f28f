"""The notices of a sizing: when each appears, with what severity and from which source."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import Catalog, Machine, Notice, Profile, Workload, format_bytes, load_catalog, load_tiers, size
from etcdsize.base.notice import KINDS
from etcdsize.catalog.costs import Cost
from etcdsize.catalog.machines import Disk
from etcdsize.fitting.need import DiskNeed
from etcdsize.sizing.notices import load_notices, machine_notices, no_machines_notice, value_notices

ALWAYS = {"previous-generation", "measure-disk", "dedicated-machine"}
FULL = {"clients": 10, "requests_per_second": 10, "data_bytes": 50_000_000}
DOCS = "etcd-io/website content/en/docs/v3.5/"


def notices(**asked) -> dict[str, Notice]:
    found = size(**{"provider": "aws"} | asked).notices
    assert len({notice.code for notice in found}) == len(found)
    return {notice.code: notice for notice in found}


def beside(**asked) -> set[str]:
    """Return the codes besides those that the guide's machines always bring."""
    codes = set(notices(**asked))
    assert codes >= ALWAYS
    return codes - ALWAYS


class TestMachines:
    """A machine with an erratum, a previous generation such as m4 or N1, and machines that run nothing but etcd."""

    @pytest.mark.parametrize("catalog", ["guide", "guide-as-printed"])
    @pytest.mark.parametrize(
        ("provider", "clients", "expected"),
        [("gce", 5, True), ("gce", 300, True), ("gce", 600, False), ("gce", 2_000, False), ("aws", 5, False)],
    )
    def test_erratum_only_for_machines_that_have_one(self, catalog, provider, clients, expected):
        codes = beside(**FULL | {"clients": clients}, provider=provider, catalog=catalog)
        assert ("erratum" in codes) == expected

    def test_text_severity_and_source(self):
        found = notices(**FULL, provider=None)
        assert found["erratum"] == Notice(
            code="erratum",
            severity="info",
            text="gce n1-standard-2, machine_type: the guide prints n1-standard-1, which should be n1-standard-2: the "
            "row's own 2 vCPUs and 7.5 GB are an n1-standard-2; an n1-standard-1 has 1 vCPU and 3.75 GB.",
            source='etcd-io/etcd commit cb3a38944 ("Typo instance type GCE", 2018-01-23); etcd-io/website v3.3 and '
            "later print n1-standard-2",
        )
        assert (found["previous-generation"].severity, found["previous-generation"].source) == (
            "info",
            "EC2 DescribeInstanceTypes, CurrentGeneration; N1 is Google's first generation",
        )
        assert found["previous-generation"].text.startswith(
            "m4.large and n1-standard-2 are previous-generation machines;"
        )
        assert (found["dedicated-machine"].severity, found["dedicated-machine"].source) == (
            "info",
            DOCS + "op-guide/hardware.md",
        )

    def test_a_current_machine_is_not_previous(self):
        machine = load_catalog("guide").machines[0].model_dump() | {"lifecycle": "current"}
        for lifecycle, expected in [("current", False), (None, False), ("previous", True)]:
            catalog = Catalog(name="mine", machines=[machine | {"lifecycle": lifecycle}])
            assert ("previous-generation" in notices(**FULL, catalog=catalog)) == expected


def fitted(machine_type: str, *, lifecycle: str | None = "current", per_month: float | None = 100) -> Machine:
    """Return a machine as `fit` chooses it: with a cost, or with the reason why that is unknown."""
    unknown = "no price for the machine" if per_month is None else ""
    cost = Cost(
        machine_per_month=per_month, disk_per_month=0, per_month=per_month, currency="USD", region="r", unknown=unknown
    )
    return Machine(
        provider="aws", machine_type=machine_type, vcpus=2, memory_gib=8, concurrent_iops=9, disk_mb_per_second=9,
        lifecycle=lifecycle, cost=cost, disk=Disk(kind="gp3", size_gb=20), source="its source",
    )  # fmt: skip


class TestMachinesThatFitChose:
    """They have a cost, so that their figures come from a catalog of today: the disk has to be measured."""

    def codes(self, *machines):
        return [notice.code for notice in machine_notices(iter(machines), machines)]

    def test_when_each_appears(self):
        assert self.codes(fitted("new")) == ["measure-disk", "dedicated-machine"]
        assert self.codes(fitted("new", lifecycle=None)) == ["measure-disk", "dedicated-machine"]
        assert self.codes(fitted("old", lifecycle="previous")) == [
            *("previous-generation", "measure-disk", "dedicated-machine"),
        ]
        assert self.codes(fitted("new", per_month=None)) == ["unknown-cost", "measure-disk", "dedicated-machine"]
        guide = load_catalog("guide").machine_for("aws", "small")
        assert self.codes(guide) == ["previous-generation", "dedicated-machine"]
        # One of each: the guide's machine has newer ones in another catalog; the disk of the other is to be measured.
        assert self.codes(guide, fitted("new")) == ["previous-generation", "measure-disk", "dedicated-machine"]

    def test_previous_generations(self):
        machines = [fitted("a", lifecycle="previous"), fitted("b"), fitted("c", lifecycle="previous")]
        (notice, *_) = machine_notices(machines, machines)
        assert notice == Notice(
            code="previous-generation",
            severity="info",
            text="a and c: first among the machines that are enough, but not the newest generation.",
            source="our choice: see docs/reasons.md, lifecycle",
        )

    def test_an_unknown_cost(self):
        notices = machine_notices(*[[fitted("a", per_month=None), fitted("b")]] * 2)
        assert [notice for notice in notices if notice.code == "unknown-cost"] == [
            Notice(
                code="unknown-cost",
                severity="info",
                text="aws a: the cost is unknown: no price for the machine.",
                source="its source",
            )
        ]

    def test_the_disk_has_to_be_measured(self):
        notice = next(one for one in machine_notices(*[[fitted("a")]] * 2) if one.code == "measure-disk")
        assert notice == Notice(
            code="measure-disk",
            severity="info",
            text="The disk figures are for concurrent operations, but etcd waits for each write: measure the disk with "
            "fio before you rely on it.",
            source=DOCS + "op-guide/hardware.md",
        )

    @pytest.mark.parametrize(("data", "expected"), [(8 * 2**30, False), (8 * 2**30 + 1, True)])
    def test_a_disk_for_less_data(self, data, expected):
        """`size` chooses the disk for the tier, and the last tier is for 8 GiB."""
        bare = fitted("bare").model_copy(update={"disk": None})
        machines = [("aws", fitted("a")), ("gce", bare), ("azure", fitted("b"))]
        found = [one for one in load_notices((1, 1, data), machines) if one.code == "disk-for-less-data"]
        text = (
            "The disk of a (20 GB GP3) and b (20 GB GP3) is sized for 8 GiB of data; call fit() with this "
            "sizing for the disk that it needs."
        )
        expected_notice = Notice(code="disk-for-less-data", severity="warning", text=text, source="our choice")
        assert found == [expected_notice] * expected

    @pytest.mark.parametrize(("size_gib", "said"), [(20, False), (21, True)])
    def test_a_disk_that_is_sized_for_the_load(self, size_gib, said):
        disk = DiskNeed(size_gib=size_gib, quota_bytes=1, because="a test")
        found = {one.code for one in load_notices((1, 1, 9e9), [("aws", fitted("a"))], disk)}
        assert ("disk-for-less-data" in found) is said

    @pytest.mark.parametrize(("needed", "expected"), [(19, False), (20, False), (21, True), (None, True)])
    def test_a_disk_that_is_large_enough_for_the_load_is_not_said(self, needed, expected):
        disk = None if needed is None else DiskNeed(size_gib=needed, quota_bytes=1, because="it holds that")
        found = load_notices((1, 1, 9e9), [("aws", fitted("a"))], disk)
        assert ("disk-for-less-data" in {one.code for one in found}) is expected

    def test_a_machine_of_the_guide_has_no_such_disk(self):
        machines = [("aws", load_catalog("guide").machine_for("aws", "xlarge"))]
        assert "disk-for-less-data" not in {one.code for one in load_notices((1, 1, 9e9), machines)}


class TestLoad:
    """Unknown dimensions, data smaller than an empty file, data above 8 GiB or above the memory."""

    def test_an_ordinary_load_has_no_further_notices(self):
        assert beside(**FULL) == set()

    @pytest.mark.parametrize("unknown", [["clients"], ["requests_per_second"], ["clients", "data_bytes"]])
    def test_unknown_dimension(self, unknown):
        found = notices(**{name: load for name, load in FULL.items() if name not in unknown})
        assert set(found) - ALWAYS == {"unknown-dimension"}
        assert (found["unknown-dimension"].severity, found["unknown-dimension"].source) == ("warning", "our choice")
        assert found["unknown-dimension"].text == (
            f"Unknown: {', '.join(unknown)}. The other dimensions decide, so the tier is a lower bound."
        )

    @pytest.mark.parametrize(
        ("options", "result"),
        [({}, "is a lower bound"), ({"is_inexact": True}, "may be too low or too high")],
    )
    def test_what_an_unknown_dimension_means_for_the_tier(self, options, result):
        """Where a load that may be lower than it seems decides, the tier may be too high as well."""
        (notice,) = load_notices((None, 5, 5e7), [], **options)
        assert notice.text == f"Unknown: clients. The other dimensions decide, so the tier {result}."

    @pytest.mark.parametrize(("bound", "result"), [("exact", "is a lower"), ("estimate", "may be too low or too high")])
    def test_what_it_means_where_an_estimate_decides(self, bound, result):
        (notice,) = [
            one for one in size(Workload(clients=150, clients_bound=bound)).notices if one.code == "unknown-dimension"
        ]
        assert f"The other dimensions decide, so the tier {result}" in notice.text

    @pytest.mark.parametrize(
        ("data", "expected"), [(0, False), (0.5, True), (400, True), (16_383, True), (16_384, False), (-0.0, False)]
    )
    def test_implausibly_small(self, data, expected):
        found = notices(**FULL | {"data_bytes": data})
        assert ("implausibly-small" in found) == expected
        if expected:
            assert (found["implausibly-small"].severity, found["implausibly-small"].source) == ("warning", "our choice")
            assert found["implausibly-small"].text == (
                f"{data} bytes of data is less than an empty etcd file: are these megabytes?"
            )

    @pytest.mark.parametrize(
        ("data", "expected"), [(8 * 2**30, False), (8 * 2**30 + 1, True), ("8GB", False), ("8.6GB", True)]
    )
    def test_beyond_suggested_quota(self, data, expected):
        """etcd-io/website content/en/docs/v3.5/dev-guide/limit.md: 8 GiB is the suggested maximum."""
        found = notices(**FULL | {"data_bytes": data})
        assert ("beyond-suggested-quota" in found) == expected
        if expected:
            assert found["beyond-suggested-quota"].severity == "beyond-guide"
            assert found["beyond-suggested-quota"].source == DOCS + "dev-guide/limit.md"

    @pytest.mark.parametrize(
        ("asked", "code", "text"),
        [
            (
                {"data_bytes": 84 * 10**12},
                "implausibly-large",
                "84 TB of data is more than any etcd is known to hold, 100 GB: are these bytes, read as a larger unit?",
            ),
            (
                {"requests_per_second": 185_759},
                "implausible-requests",
                "185759 requests/s are more than the 185,758 that etcd serves in its own benchmarks: is this a total, "
                "or a rate per minute?",
            ),
            (
                {"clients": 100_001},
                "implausible-clients",
                "100001 clients are more than the tens of thousands that etcd aims to support: is this another figure?",
            ),
            (
                {"clients": 1.2},
                "fractional-clients",
                "1.2 clients is not a whole number: are thousands written with a dot?",
            ),
        ],
    )
    def test_figures_of_no_known_etcd(self, asked, code, text):
        """Figures above what has been published, and a fraction of a client, are reported and sized."""
        notice = notices(**asked)[code]
        assert (notice.severity, notice.text) == ("warning", text)

    @pytest.mark.parametrize(
        "asked", [{"data_bytes": 10**11}, {"requests_per_second": 185_758}, {"clients": 100_000}, {"clients": 2.0}]
    )
    def test_figures_that_are_known(self, asked):
        assert not {code for code in notices(**asked) if code.startswith(("implausibl", "fractional"))}

    @pytest.mark.parametrize(
        ("data", "short"),
        [
            (60 * 2**30, None),
            (60 * 2**30 + 1, "n1-standard-16 (60 GiB)"),
            (64 * 2**30, "n1-standard-16 (60 GiB)"),
            # Today's machines are those that are enough.
            (64 * 2**30 + 1, "m4.4xlarge (64 GiB) and n1-standard-16 (60 GiB)"),
        ],
    )
    def test_data_above_memory(self, data, short):
        found = notices(data_bytes=data, provider=None)
        assert ("data-above-memory" in found) == (short is not None)
        if short:
            assert found["data-above-memory"].severity == "beyond-guide"
            assert found["data-above-memory"].text == (
                f"{format_bytes(data)} of data is above the memory of {short}; etcd maps the whole file into memory."
            )
            assert found["data-above-memory"].source == DOCS + "faq.md"


class TestFurtherFields:
    """Values that etcd refuses, and objects that no Kubernetes cluster has; a load of three dimensions has neither."""

    @pytest.mark.parametrize(
        ("load", "codes"),
        [
            (None, []),
            (Workload(data_bytes=1e9), []),
            (Profile(keys=10, value_bytes=1e3), []),
            (Profile(keys=10, value_bytes=2e6), ["request-too-large"]),
            (Profile(objects=[{"name": "nodes", "count": 100_001, "value_bytes": 1e3}]), ["implausible-nodes"]),
            (
                Profile(objects=[{"name": "nodes", "count": 100_001, "value_bytes": 2e6}]),
                ["implausible-nodes", "request-too-large"],
            ),
            # No model can take it.
            (Profile(data_bytes=1e299, tls=True), []),
            (
                Profile(objects=[{"name": "nodes", "count": 100_001, "value_bytes": 2e6}], clients=1e299),
                ["implausible-nodes"],
            ),
        ],
    )
    def test_codes(self, load, codes):
        assert [notice.code for notice in value_notices(load)] == codes
        if load is not None:
            assert {"implausible-nodes", "request-too-large"} & {
                one.code for one in size(load, basis="guide").notices
            } == set(codes)

    def test_a_notice_about_nodes_is_said_once(self):
        objects = [{"name": "nodes", "count": 100_001, "value_bytes": 1e3}]
        found = size(Profile(objects=objects), kubernetes_nodes=100_001).notices
        assert [notice.code for notice in found].count("implausible-nodes") == 1


class TestOpenTier:
    """The last tier has no bound: no source covers a load that exceeds the last bound of the table."""

    @pytest.mark.parametrize(
        ("asked", "severity", "exceed"),
        [
            ({"clients": 1_501}, "beyond-guide", "clients exceeds"),
            ({"requests_per_second": 10_000}, "beyond-guide", "requests_per_second exceeds"),
            ({"clients": 1e6, "data_bytes": 2e9}, "beyond-guide", "clients, data_bytes exceed"),
            ({"kubernetes_nodes": 3_001}, "beyond-guide", "kubernetes_nodes exceeds"),
            ({"kubernetes_nodes": 3_000}, "info", None),
            ({"clients": 1_500, "headroom": 0.1}, "info", None),
            ({"clients": 1_500, "tiers": "etcd.io"}, "beyond-guide", "clients exceeds"),
        ],
    )
    def test_severity_depends_on_the_last_bound(self, asked, severity, exceed):
        sizing = size(**FULL | asked, provider="aws")
        (notice,) = [notice for notice in sizing.notices if notice.code == "open-tier"]
        assert (notice.severity, notice.source) == (severity, load_tiers(asked.get("tiers", "guide")).source)
        assert sizing.is_beyond_guide == (severity == "beyond-guide")
        if exceed:
            assert notice.text == (
                f"xlarge has no upper bound, and {exceed} the last bound of the table: no published figure says that "
                "this machine is enough. Utilization is relative to that bound."
            )
        else:
            assert notice.text == "xlarge has no upper bound; utilization is relative to the last bound of the table."

    @pytest.mark.parametrize("asked", [{"clients": 1_500}, {"kubernetes_nodes": 1_000}, {"requests_per_second": 9_999}])
    def test_no_notice_on_a_bounded_tier(self, asked):
        assert "open-tier" not in beside(**FULL | asked)


class TestMembers:
    """etcd-io/website content/en/docs/v3.5/faq.md: odd sizes, and no more than seven members."""

    @pytest.mark.parametrize(
        ("members", "codes"),
        [
            (1, {"no-failure-tolerance"}),
            (2, {"even-members", "no-failure-tolerance"}),
            (3, set()),
            (4, {"even-members"}),
            (5, set()),
            (7, set()),
            (8, {"even-members", "over-seven-members"}),
            (9, {"over-seven-members"}),
        ],
    )
    def test_codes_for_each_number_of_members(self, members, codes):
        assert beside(**FULL, members=members) == codes
        for code in codes:
            assert notices(**FULL, members=members)[code].severity == "warning"
            assert notices(**FULL, members=members)[code].source == DOCS + "faq.md"

    @pytest.mark.parametrize(
        ("members", "text"),
        [
            (1, "A cluster of 1 member tolerates no failure."),
            (2, "A cluster of 2 members tolerates no failure."),
            (4, "4 members tolerate no more failures than 3."),
            (9, "9 members are more than the seven that etcd suggests as a maximum: every write waits for a quorum."),
        ],
    )
    def test_text(self, members, text):
        assert text in [notice.text for notice in size(**FULL, members=members).notices]


class TestKubernetes:
    """The number of nodes is a proxy for the load, so there is always a notice."""

    @pytest.mark.parametrize("asked", [{}, FULL])
    def test_always_an_estimate(self, asked):
        found = notices(**asked, kubernetes_nodes=20)
        assert set(found) - ALWAYS == {"kubernetes-estimate"}
        assert found["kubernetes-estimate"].severity == "warning"
        assert "(small 50, medium 250, large 1000, xlarge 3000)" in found["kubernetes-estimate"].text
        assert found["kubernetes-estimate"].source == (
            f"kubernetes/kubernetes#111622; the examples: {load_tiers('guide').source}"
        )


@given(
    st.none() | st.integers(0, 3_000),
    st.none() | st.integers(0, 30_000),
    st.integers(0, 100 * 2**30),
    st.integers(1, 9),
    st.sampled_from([None, "aws", "gce"]),
)
def test_every_notice_is_one_line_with_a_source(clients, requests, data, members, provider):
    for notice in size(
        clients=clients, requests_per_second=requests, data_bytes=data, members=members, provider=provider
    ).notices:
        assert notice.severity in ("info", "warning", "beyond-guide")
        assert notice.source
        assert notice.text.endswith((".", "?"))
        assert len(notice.text.splitlines()) == 1


# What the summary of a fleet says after the number of clusters with a notice.
OF_CLUSTERS = """
implausibly-small: less data than an empty etcd file: are these megabytes in a column of bytes?
implausibly-large: more data than any etcd is known to hold, 100 GB: are these bytes in a column of megabytes?
implausible-requests: more requests than any etcd is known to serve, 185,758/s: is this a total, or a rate per minute?
implausible-clients: more clients than etcd aims to support, 100,000: is this another figure?
fractional-clients: a fraction of a client: are thousands written with a dot? --decimal , --thousands . reads 1.200 as \
1200
implausible-nodes: more nodes than any Kubernetes cluster is known to have, 100,000: is this another figure?
no-machines: a provider whose machines the catalog does not have: only the tier is given
unknown-region: a region that is not one of their provider's: the column price_region has the region of their prices
unknown-dimension: an unknown dimension: the others decide, so a larger tier may be needed
data-at-most: the size of etcd's file as their data, an upper bound of the data in use
beyond-suggested-quota: data above the 8 GiB that etcd suggests as a maximum: store less, or split the cluster
data-above-memory: data above the memory of the machine, into which etcd maps the whole file: choose one with more \
memory
disk-for-less-data: more data than the 8 GiB that the disk is sized for: etcdsize fit gives the disk that it needs
guide-machine: the guide's machine, although more is known about the load, or it is past the last bound: etcdsize size \
names a machine for the load
low-end-only: a machine, a quota or a volume that is enough only for the low end of the load: the column reason says \
which columns to fill in
open-tier: a load above the last bound of the tiers: test the machine before you rely on it
kubernetes-estimate: a number of Kubernetes nodes, which is an estimate and no measurement: etcd's clients are the API \
servers
inexact-load-decides: a load that is an upper bound or an estimate, and alone needs the tier: give the exact figure
"""


def test_a_provider_without_machines():
    assert no_machines_notice(load_catalog("guide")) == Notice(
        code="no-machines",
        severity="warning",
        text='The catalog "guide" has no machine of the cluster\'s provider, so the answer is the tier and its needs.',
        source="our choice",
    )
    assert no_machines_notice(load_catalog("guide"), ["azure", "our-racks"]).text == (
        'The catalog "guide" has no machine of azure and our-racks, so the answer is the tier and its needs. '
        'The catalog "current" '
        "has machines of azure (--catalog current)."
    )
    assert "--catalog" not in no_machines_notice(load_catalog("current"), ["our-racks"]).text


@pytest.mark.parametrize(
    ("code", "severity", "source"),
    [
        ("no-machines", "warning", "our choice"),
        ("no-machine-fits", "warning", "our choice"),
        ("unknown-region", "warning", "our choice"),
        ("measure-disk", "info", DOCS + "op-guide/hardware.md"),
        ("dedicated-machine", "info", DOCS + "op-guide/hardware.md"),
        ("unknown-dimension", "warning", "our choice"),
        ("data-at-most", "info", DOCS + "metrics/latest"),
        ("beyond-suggested-quota", "beyond-guide", DOCS + "dev-guide/limit.md"),
        ("data-above-memory", "beyond-guide", DOCS + "faq.md"),
        ("disk-for-less-data", "warning", "our choice"),
        ("guide-machine", "warning", "our choice"),
        ("low-end-only", "warning", "the measured model"),
        ("kubernetes-estimate", "warning", "kubernetes/kubernetes#111622"),
        ("inexact-load-decides", "warning", "our choice"),
        ("even-members", "warning", DOCS + "faq.md"),
        ("no-failure-tolerance", "warning", DOCS + "faq.md"),
        ("over-seven-members", "warning", DOCS + "faq.md"),
    ],
)
def test_severity_and_source_of_each_kind(code, severity, source):
    assert (KINDS[code].severity, KINDS[code].source) == (severity, source)


def test_what_the_summary_of_a_fleet_says():
    found = [f"{code}: {kind.clusters}" for code, kind in KINDS.items() if kind.clusters]
    assert sorted(found) == sorted(OF_CLUSTERS.split("\n")[1:-1])


@pytest.mark.parametrize(
    ("workload", "text"),
    [
        (
            {"clients": 150, "clients_bound": "estimate", "requests_per_second": 5},
            "Only clients (an estimate) needs the tier medium; the rest needs small: a smaller tier may be enough. "
            "Give the exact figure if you know it.",
        ),
        (
            {"clients": 1_200, "clients_bound": "upper", "requests_per_second": 500, "data_bytes": 1e6},
            "Only clients (an upper bound) needs the tier large; the rest needs medium: a smaller tier may be enough. "
            "Give the exact figure if you know it.",
        ),
        (
            {"clients": 150, "clients_bound": "upper", "data_bytes": 2e8, "data_bound": "estimate"},
            "Only clients (an upper bound) and data_bytes (an estimate) need the tier medium: a smaller tier may be "
            "enough. Give the exact figure if you know it.",
        ),
    ],
)
def test_a_tier_that_only_inexact_loads_need(workload, text):
    (found,) = [one for one in size(Workload(**workload)).notices if one.code == "inexact-load-decides"]
    assert found == Notice(code="inexact-load-decides", severity="warning", text=text, source="our choice")


@pytest.mark.parametrize(("nodes", "said"), [(50, True), (51, False), (251, False)])
def test_an_estimate_does_not_decide_alone_where_the_nodes_need_as_much(nodes, said):
    """Fifty-one nodes need the tier medium, as the clients do."""
    found = size(Workload(clients=150, clients_bound="estimate"), kubernetes_nodes=nodes)
    assert ("inexact-load-decides" in {one.code for one in found.notices}) is said


@pytest.mark.parametrize(
    ("clients", "said"), [(0, False), (1, False), (5, False), (6.0, False), (1.2, True), (0.5, True)]
)
def test_a_fraction_of_a_client(clients, said):
    assert ("fractional-clients" in notices(clients=clients)) is said
