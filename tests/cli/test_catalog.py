"""`etcdsize catalog import` and `etcdsize machines` with a catalog of today: files, accounts, exit codes."""

from __future__ import annotations

import io
import json
import shutil
import sys
from pathlib import Path

import pytest

from etcdsize import fit, load_catalog, read_listing
from etcdsize.catalog.loading import catalog_for
from etcdsize.catalog.registry import listing_readers, price_readers
from etcdsize.reports.tables import render_machines

DATA = Path(__file__).parents[1] / "data"
AWS = json.loads((DATA / "aws-describe-instance-types.json").read_text())["InstanceTypes"]
PRICES = ("catalog", "prices", "--from", "csv", "--catalog", "my.json")
ACCOUNT = """\
15 entries: 15 imported, 0 dropped
imported: 2 burstable, 1 flex, 1 bare metal, 2 disk figures unknown, 1 architecture unknown, 15 price unknown
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(DATA / "aws-describe-instance-types.json", "aws.json")
    shutil.copy(DATA / "gcloud-machine-types.json", "gcloud.json")
    for name, types, token in (("1.json", AWS[:5], "x"), ("2.json", AWS[5:], None)):
        Path(name).write_text(json.dumps({"InstanceTypes": types} | ({"NextToken": token} if token else {})))
    Path("prices.csv").write_text(
        "machine_type,price_per_hour,currency,region,date\nm5.large,0.09,USD,eu-west-1,2026-11-01\n"
    )
    return tmp_path


def files() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


class TestImport:
    """A provider's own list becomes a catalog; the account of it goes to standard error."""

    def test_a_full_disk_names_the_file(self, run, here):
        link = Path("my.json")
        link.symlink_to("/dev/full")
        assert run("catalog", "import", "--from", "aws", "aws.json", "-o", "my.json") == (
            2, "", "etcdsize: my.json: cannot be written: No space left on device\n"
        )  # fmt: skip

    def test_aws(self, run, here):
        assert run("catalog", "import", "--from", "aws", "aws.json", "-o", "my.json") == (0, "", ACCOUNT)
        expected = read_listing("aws", (DATA / "aws-describe-instance-types.json").read_text(), date="2026-11-27")
        assert load_catalog("my.json") == expected.catalog
        assert files() == ["1.json", "2.json", "aws.json", "gcloud.json", "my.json", "prices.csv"]

    def test_gcloud(self, run, here):
        account = """\
31 entries: 15 imported, 0 dropped, 16 repeated
imported: 3 shared core, 1 with GPUs, 1 bare metal, 7 disk figures unknown, 1 architecture unknown, 15 price unknown
"""
        assert run("catalog", "import", "--from", "gcloud", "gcloud.json", "-o", "my.json") == (0, "", account)
        expected = read_listing("gcloud", (DATA / "gcloud-machine-types.json").read_text()).catalog
        assert load_catalog("my.json").machines == expected.machines

    @pytest.mark.parametrize("files", [("1.json", "2.json"), ("2.json", "1.json")])
    def test_pages_in_files_of_their_own(self, run, here, files):
        assert run("catalog", "import", "--from", "aws", *files, "-o", "my.json") == (0, "", ACCOUNT)

    def test_pages_are_missing(self, run, here):
        code, out, err = run("catalog", "import", "--from", "aws", "1.json", "-o", "my.json")
        assert (code, out) == (1, "")
        warning = "warning: pages are missing: the last one says that more follow; import all of them together"
        assert err.splitlines()[-1] == warning
        assert len(load_catalog("my.json").machines) == 5

    def test_dropped(self, run, here):
        broken = [{"InstanceType": f"a{number}.large"} for number in range(7)]
        broken.append({"InstanceType": "b1.large", "VCpuInfo": {"DefaultVCpus": 2}})
        Path("aws.json").write_text(json.dumps({"InstanceTypes": [*broken, AWS[0]]}))
        code, out, err = run("catalog", "import", "--from", "aws", "aws.json", "-o", "my.json")
        assert (code, out) == (1, "")
        assert err == (
            "9 entries: 1 imported, 8 dropped\n"
            "dropped, no number of vCPUs: a0.large, a1.large, a2.large, a3.large, a4.large and 2 more\n"
            "dropped, no memory: b1.large\n"
            "imported: 1 disk figures unknown, 1 price unknown\n"
        )

    def test_a_list_that_says_neither_provider_nor_architecture(self, run, here):
        shutil.copy(DATA / "openstack-flavor-list.json", "flavors.json")
        arguments = ("catalog", "import", "--from", "openstack", "flavors.json", "-o", "my.json", "--force")
        code, _, err = run(*arguments)
        assert (code, err.splitlines()[1]) == (
            0, "imported: 6 disk figures unknown, 6 architecture unknown, 6 price unknown"
        )  # fmt: skip
        code, _, err = run(*arguments, "--provider", "OVH", "--arch", "x86_64")
        assert (code, err.splitlines()[1]) == (0, "imported: 6 disk figures unknown, 6 price unknown")
        assert {(one.provider, one.arch) for one in load_catalog("my.json").machines} == {("ovh", "x86_64")}

    def test_what_cannot_be_had_is_reported_and_the_exit_code_is_0(self, run, here):
        sizes = [{"slug": f"g-{n}", "vcpus": n, "memory": 8192, "available": n == 2} for n in (2, 4, 8)]
        Path("sizes.json").write_text(json.dumps(sizes))
        code, _, err = run("catalog", "import", "--from", "doctl", "sizes.json", "-o", "my.json")
        assert (code, err.splitlines()[:2]) == (
            0, ["3 entries: 1 imported, 0 dropped, 2 not offered", "not offered, not available: g-4, g-8"]
        )  # fmt: skip

    def test_prices_of_one_s_own_have_a_command_of_their_own(self, run, here):
        run("catalog", "import", "--from", "aws", "aws.json", "-o", "my.json")
        code, _, err = run(*PRICES, "prices.csv", "-o", "priced.json")
        assert (code, err) == (0, "1 price: 1 of machines, 0 of disks\n")
        catalog = load_catalog("priced.json")
        assert [m.machine_type for m in catalog.machines if m.price] == ["m5.large"]
        assert catalog.machine("aws", "m5.large").price.region == "eu-west-1"
        wrong = "machine_type,price_per_hour,currency,region,date\nm5.larg,1,USD,eu,2026-11-01\n"
        Path("wrong.csv").write_text(wrong)
        assert run(*PRICES, "wrong.csv", "-o", "new.json") == (
            2, "", 'etcdsize: wrong.csv: row 1, machine_type: got "m5.larg", which is not among the machines in the '
            'catalog "aws-imported"; did you mean "m5.large"?\n'
        )  # fmt: skip

    def test_from_and_to_a_stream(self, run, here, monkeypatch):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path("aws.json").read_bytes())))
        code, out, err = run("catalog", "import", "--from", "aws", "-", "-o", "-")
        assert (code, err) == (0, ACCOUNT)
        run("catalog", "import", "--from", "aws", "aws.json", "-o", "my.json")
        assert out == Path("my.json").read_text()

    def test_force(self, run, here):
        Path("my.json").write_text("old")
        arguments = ("catalog", "import", "--from", "aws", "aws.json", "-o", "my.json")
        assert run(*arguments) == (2, "", "etcdsize: my.json: already exists; use --force to replace it\n")
        assert Path("my.json").read_text() == "old"
        assert run(*arguments, "--force")[0] == 0

    def test_a_size_with_it(self, run, here):
        """An imported catalog names no tier: the cheapest of its machines that is enough is found."""
        run("catalog", "import", "--from", "aws", "aws.json", "-o", "my.json")
        code, out, err = run("size", "--clients", "5", "--catalog", "my.json")
        assert (code, err) == (0, "")
        best = fit("small", load_catalog("my.json")).best
        assert f"\naws       {best}  " in out
        assert best.machine.machine_type in {entry["InstanceType"] for entry in AWS}
        assert run("fit", "--tier", "small", "--catalog", "my.json")[0] == 0

    def test_a_size_of_which_no_machine_is_enough(self, run, here):
        Path("few.json").write_text(json.dumps({"InstanceTypes": AWS[:5]}))
        run("catalog", "import", "--from", "aws", "few.json", "-o", "my.json")
        code, out, err = run("size", "--clients", "5000", "--catalog", "my.json")
        assert (code, err) == (1, "")
        assert out.startswith("tier       xlarge\n")
        (line,) = [line for line in out.splitlines() if line.endswith("[no-machine-fits]")]
        assert line.startswith('warning: aws: no machine in the catalog "aws-imported" is enough for the tier "xlarge"')
        assert "; the nearest, " in line
        assert "Choose another provider, or a catalog with more machines" in line


ERRORS = [
    ([], "the following arguments are required: COMMAND; see 'etcdsize catalog --help'"),
    (["import"],
     "the following arguments are required: FILE, --from, -o/--output; see 'etcdsize catalog import --help'"),
    (["import", "--from", "asw", "aws.json", "-o", "my.json"],
     '--from: got "asw", expected aliyun, aws, az, doctl, gcloud, hetzner, huawei, oci, openstack or tencent; did you '
     'mean "aws"?'),
    (["import", "--from", "阿里云", "aws.json", "-o", "my.json"],
     '--from: got "阿里云", expected aliyun, aws, az, doctl, gcloud, hetzner, huawei, oci, openstack or tencent; did '
     'you mean "aliyun"?'),
    (["import", "--from", "aws", "aws.json", "-o", "my.json", "--provider", "gce"],
     "--provider: got gce, expected aws, whose machines aws ec2 describe-instance-types lists"),
    (["import", "--from", "aws", "aws.json", "-o", "my.json", "--arch", "amd"],
     '--arch: got "amd", expected x86_64 or arm64'),
    (["import", "--from", "aws", "no.json", "-o", "my.json"], "no.json: cannot be read: No such file or directory"),
    (["import", "--from", "aws", ".", "-o", "my.json"], ".: cannot be read: Is a directory"),
    (["import", "--from", "aws", "aws.json", "-o", "no/my.json"],
     "no/my.json: there is no directory no; create it first"),
    (["import", "--from", "aws", "aws.json", "-o", "."], ".: is a directory, expected the name of a file"),
    (["import", "--from", "aws", "aws.json", "-o", "aws.json", "--force"],
     "aws.json: is also the input; give the output another name"),
    (["prices", "--from", "csv", "prices.csv", "-o", "prices.csv", "--force"],
     "prices.csv: is also the input; give the output another name"),
    (["import", "--from", "aws", "aws.json", "--prices", "prices.csv", "-o", "my.json"],
     '--prices: got "prices.csv", but catalog import reads no prices; import the machines, then run etcdsize catalog '
     "prices --from csv"),
    (["import", "--from", "aws", "aws.json", "aws.json", "-o", "my.json"],
     "aws.json: got it more than once, expected it once"),
    (["import", "--from", "aws", "-", "-", "-o", "my.json"],
     "-: got it more than once, expected it once"),
    (["import", "--from", "aws", "gcloud.json", "-o", "my.json"],
     "gcloud.json: not a listing: got a list, expected an object with InstanceTypes, as aws ec2 "
     "describe-instance-types prints; it looks like the list of gcloud compute machine-types list (--from gcloud)"),
    (["import", "--from", "aws", "broken.json", "-o", "my.json"],
     "broken.json: row 1 (m5.large), VCpuInfo.DefaultVCpus: got 0, expected a whole number above 0"),
    (["import", "--from", "aws", "cut.json", "-o", "my.json"], "cut.json: not JSON: "),
    (["import", "--from", "aws", "aws.json", "other.json", "-o", "my.json"],
     "m5.large, vcpus: got 9, but an earlier file has 2 for the same type"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), ERRORS, ids=[" ".join(arguments) for arguments, _ in ERRORS])
def test_every_error_is_one_line(run, here, arguments, message):
    for name, vcpus in (("broken.json", 0), ("other.json", 9)):
        (one,) = (entry for entry in AWS if entry["InstanceType"] == "m5.large")
        Path(name).write_text(json.dumps({"InstanceTypes": [one | {"VCpuInfo": {"DefaultVCpus": vcpus}}]}))
    Path("cut.json").write_text(Path("aws.json").read_text()[:5_000])
    before = files()
    code, out, err = run("catalog", *arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    line = err.rstrip("\n").partition(": ")[2]
    assert line.startswith(message) if message.endswith(": ") else line == message
    assert files() == before


class TestMachines:
    """Choosing and sorting the machines of a catalog; the guide's print as they always have."""

    def test_all_of_today_s(self, run):
        code, out, err = run("machines", "--catalog", "current")
        catalog = catalog_for("current", None)[0]
        assert (code, out, err) == (0, render_machines(catalog, catalog.machines), "")
        assert out.count("\n") == len(catalog.machines) + 5

    def test_chosen(self, run):
        arguments = ("--family", "m9g", "--family", "r9g", "--type", "m9g.large", "--type", "r9g.large")
        code, out, err = run("machines", "--catalog", "current", *arguments, "--sort", "price")
        assert (code, err) == (0, "")
        assert (
            out.split("\n\n")[1]
            == """\
provider  machine    arch   vCPUs  memory (GiB)  concurrent IOPS  disk (MB/s)  of disk  NVMe (GB)  USD/hour  \
region     read on     note
aws       m9g.large  arm64      2             8             3600           95  any              0   0.09784  \
us-east-1  2026-07-20
aws       r9g.large  arm64      2            16             3600           95  any              0   unknown"""
        )

    @pytest.mark.parametrize(
        ("written", "row"),
        [
            ("M4.Large", "small  aws       m4.large"),
            ("T3.MEDIUM", "aws       t3.medium"),
            ("Standard_B2ms", "azure     Standard_B2ms"),
            ("s5.large16", "tencent   S5.LARGE16"),
            ("g7.large", "alibaba   ecs.g7.large"),
            ("ECS.G7.LARGE", "alibaba   ecs.g7.large"),
        ],
    )
    def test_a_type_of_any_provider_however_it_is_written(self, run, written, row):
        code, out, _ = run("machines", "--type", written)
        assert code == 0
        assert [line.startswith(f"{row} ") for line in out.splitlines()].count(True) == 1

    def test_json_is_the_model(self, run):
        code, out, _ = run("machines", "--catalog", "current", "--provider", "gcp", "--arch", "arm64", "--json")
        found = json.loads(out)
        assert code == 0
        assert {machine["family"] for machine in found["machines"]} == {"n4a", "c4a"}
        assert {kind["provider"] for kind in found["disk_kinds"]} == {"gce"}

    @pytest.mark.parametrize(
        ("by", "figure"),
        [
            ("price", lambda machine: machine["price"] and machine["price"]["per_hour"]),
            ("vcpus", lambda machine: machine["vcpus"]),
            ("memory", lambda machine: machine["memory_gib"]),
            ("iops", lambda machine: machine["disk_limits"][0]["concurrent_iops"] if machine["disk_limits"]
             else machine["concurrent_iops"]),
        ],
    )  # fmt: skip
    def test_sorted(self, run, by, figure):
        out = run("machines", "--catalog", "current", "--sort", by, "--json")[1]
        figures = [figure(machine) for machine in json.loads(out)["machines"]]
        known = [found for found in figures if found is not None]
        assert figures == sorted(known) + [None] * (len(figures) - len(known))
        assert len(figures) == len(catalog_for("current", None)[0].machines)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--catalog", "current", "--family", "m8"],
             '--family: got "m8", expected one of the catalog "current": '),
            (["--catalog", "current", "--provider", "azure", "--family", "m8i"],
             '--family: got "m8i", expected one of the catalog "current": Dasv5, Dasv6, Dasv7, Dpsv6'),
            (["--catalog", "current", "--region", "eu-wst-1"],
             '--region: got "eu-wst-1" (did you mean aws=eu-west-1?)'),
            (["--catalog", "current", "--sort", "prise"],
             '--sort: got "prise", expected price, vcpus, memory or iops; did you mean "price"?'),
            (["--catalog", "current", "--family", "m8i", "--arch", "arm64"],
             '--catalog: "current" has no machine that matches all of these: families m8i; architectures arm64'),
            (["--family", "m8i"], '--family: got "m8i", expected no value: the catalog "guide" does not give any'),
        ],
    )  # fmt: skip
    def test_a_wrong_selection_is_one_line_with_exit_code_2(self, run, arguments, message):
        code, out, err = run("machines", *arguments)
        assert (code, out) == (2, "")
        assert err.startswith(f"etcdsize: {message}")
        assert err.count("\n") == 1


PRICED = """\
aws, us-east-1, USD: 1 of 15 machines priced, no disk
1 entry: 1 used, 0 left out
"""


class TestPrices:
    """A provider's price list goes into a catalog; the account of it goes to standard error."""

    @pytest.fixture(autouse=True)
    def _lists(self, run, here):
        run("catalog", "import", "--from", "aws", "aws.json", "-o", "types.json")
        page = json.loads((DATA / "aws-get-products-ec2.json").read_text()) | {"NextToken": None}
        Path("list.json").write_text(json.dumps(page))
        Path("page.json").write_text(json.dumps(page | {"NextToken": "more"}))
        shutil.copy(DATA / "azure-retail-prices-vm.json", "azure.json")
        shutil.copy(DATA / "cyclenerd-pricing.yml", "pricing.yml")

    def test_a_list_goes_into_an_imported_catalog(self, run):
        arguments = ("catalog", "prices", "--from", "aws-prices", "list.json", "--catalog", "types.json")
        assert run(*arguments, "-o", "my.json") == (0, "", PRICED)
        price = load_catalog("my.json").machine("aws", "m5.large").price
        assert (price.per_hour, price.currency, price.region, price.date) == (0.096, "USD", "us-east-1", "2026-11-01")
        code, out, _ = run(*arguments, "-o", "-")
        assert (code, out) == (0, Path("my.json").read_text())

    def test_a_list_goes_into_today_s_machines(self, run):
        code, out, err = run("catalog", "prices", "--from", "azure-prices", "azure.json", "-o", "my.json")
        assert (code, out) == (0, "")
        assert err.splitlines()[0].startswith("azure, westeurope, USD: 1 of ")
        assert err.splitlines()[1:] == [
            "4 entries: 1 used, 3 left out",
            "left out, not on demand: 2",
            "left out, with Windows: 1",
        ]
        assert load_catalog("my.json").machine("azure", "Standard_D2s_v5").price.date == "2026-11-27"

    def test_a_region_and_a_date(self, run):
        arguments = ("catalog", "prices", "--from", "cyclenerd", "pricing.yml", "-o", "my.json")
        assert run(*arguments) == (
            2, "", "etcdsize: --region: got none, expected one of the list's regions: europe-west4, us-central1\n"
        )  # fmt: skip
        assert run(*arguments, "--region", "europe-west4")[0] == 0
        price = load_catalog("my.json").machine("gce", "c4a-standard-2").price
        assert (price.per_hour, price.region, price.date) == (0.094288, "europe-west4", "2025-03-06")
        arguments = ("catalog", "prices", "--from", "azure-prices", "azure.json", "-o", "my.json", "--force")
        assert run(*arguments, "--date", "2026-10-01")[0] == 0
        assert load_catalog("my.json").machine("azure", "Standard_D2s_v5").price.date == "2026-10-01"

    def test_pages_are_missing(self, run):
        arguments = ("catalog", "prices", "--from", "aws-prices", "--catalog", "types.json", "-o", "my.json")
        code, _, err = run(*arguments, "page.json")
        assert (code, err.splitlines()[-1]) == (
            1, "warning: pages are missing: the last one says that more follow; read all of them together"
        )  # fmt: skip
        code, _, err = run(*arguments, "page.json", "list.json", "--force")
        assert (code, err.splitlines()[1:]) == (0, ["2 entries: 2 used, 0 left out"])

    def test_a_list_with_no_price_for_the_catalog(self, run):
        arguments = ("catalog", "prices", "--from", "azure-prices", "azure.json", "--catalog", "types.json")
        code, _, err = run(*arguments, "-o", "my.json")
        assert (code, err.splitlines()[0]) == (1, "azure, westeurope, USD: 0 of 0 machines priced, no disk")

    def test_a_list_of_one_s_own(self, run):
        arguments = ("catalog", "prices", "--from", "csv", "--catalog", "types.json", "-o", "my.json", "--force")
        assert run(*arguments, "prices.csv") == (0, "", "1 price: 1 of machines, 0 of disks\n")
        assert load_catalog("my.json").machine("aws", "m5.large").price.per_hour == 0.09
        Path("disks.csv").write_text(
            "disk_kind,price_per_gib_month,currency,region,date\ngp3,0.09,EUR,eu-west-1,2026-11-01\n"
        )
        code, _, err = run(*arguments, "prices.csv", "disks.csv")
        assert (code, err) == (0, "2 prices: 1 of machines, 1 of disks\n")
        assert load_catalog("my.json").disk_kind("aws", "gp3").price.currency == "EUR"

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--from", "aws-price", "list.json"],
             '--from: got "aws-price", expected aws-prices, azure-prices, cyclenerd, gce-skus or csv; did you mean '
             '"aws-prices"?'),
            (["--from", "gcp", "list.json"],
             '--from: got "gcp", expected aws-prices, azure-prices, cyclenerd, gce-skus or csv; did you mean '
             '"cyclenerd" or "gce-skus"?'),
            (["--from", "aws-prices", "azure.json"],
             "azure.json: not a price list: got an object, expected an object with PriceList, as aws pricing "
             "get-products prints, or an offer file with products and terms; get the list with the command in "
             "docs/machines.md, and save all of its output, or name another kind of list"),
            (["--from", "csv", "prices.csv", "--region", "eu-west-1"],
             "--region: cannot be used with --from csv; each row gives its own"),
            (["--from", "csv", "prices.csv", "--date", "2026-11-01"],
             "--date: cannot be used with --from csv; each row gives its own"),
            (["--from", "aws-prices", "list.json", "list.json"],
             "list.json: got it more than once, expected it once"),
            (["--from", "aws-prices", "list.json", "--region", "us-east-2"],
             '--region: got "us-east-2" (did you mean "us-east-1"?), expected one of the list\'s regions: us-east-1'),
            (["--from", "azure-prices", "azure.json", "--date", "today"],
             '--date: got "today", expected a date such as "2026-11-25"'),
            (["--from", "csv", "aws.json"], 'aws.json: "{": unknown column; '),
        ],
    )  # fmt: skip
    def test_every_error_is_one_line(self, run, arguments, message):
        code, out, err = run("catalog", "prices", *arguments, "--catalog", "types.json", "-o", "my.json")
        assert (code, out) == (2, "")
        assert err.count("\n") == 1
        assert err.startswith(f"etcdsize: {message}")
        assert not Path("my.json").exists()


PAGE = (Path(__file__).parents[2] / "docs" / "machines.md").read_text()
LISTS = {
    "aliyun": "aliyun-describe-instance-types.json",
    "aws": "aws-describe-instance-types.json",
    "aws-prices": "aws-get-products-ec2.json",
    "az": "az-vm-list-skus.json",
    "azure-prices": "azure-retail-prices-vm.json",
    "cyclenerd": "cyclenerd-pricing.yml",
    "doctl": "doctl-compute-size-list.json",
    "gcloud": "gcloud-machine-types.json",
    "gce-skus": "gce-skus-hyperdisk-iops.json",
    "hetzner": "hcloud-server-type-list.json",
    "huawei": "hcloud-ecs-list-flavors.json",
    "openstack": "openstack-flavor-list.json",
    "tencent": "tccli-describe-instance-type-configs.json",
}


class TestPage:
    """The commands on the page of machines: from a provider's listing to an answer."""

    def commands(self, name: str) -> list[str]:
        return [each for each in PAGE.split("`") if each.startswith(f"etcdsize catalog {name} --from ")]

    def test_it_has_a_command_for_every_program_and_every_price_list(self):
        assert {each.split()[4] for each in self.commands("import")} == set(listing_readers())
        assert {each.split()[4] for each in self.commands("prices")} == {*price_readers(), "csv"}

    def test_every_import_runs_on_a_sample(self, run, here):
        for command in self.commands("import"):
            origin, *words = command.split()[4:]
            files = [word for word in words if word.endswith(".json") and word != "my.json"]
            for name in files:
                entries = [{"shape": "VM.X", "ocpus": 4, "memory-in-gbs": 64, "processor-description": "AMD"}]
                text = json.dumps(entries) if origin == "oci" else (DATA / LISTS[origin]).read_text()
                Path(name).write_text(text)
            code, _, err = run("catalog", "import", "--from", origin, *words, "--force")
            assert code == 0, err
            assert run("fit", "--tier", "small", "--catalog", "my.json", "--arch", "any")[0] in (0, 1)

    def test_every_list_of_prices_runs_on_a_sample(self, run, here):
        for command in self.commands("prices"):
            origin, *words = command.split()[4:]
            if origin == "csv":
                continue
            source = (DATA / LISTS[origin]).read_bytes()
            if origin == "aws-prices":
                source = json.dumps(json.loads(source) | {"NextToken": None}).encode()
            words = [word.replace("*", "1") for word in words]
            names = [
                word for word in words if word.endswith((".json", ".yml")) and word not in ("my.json", "priced.json")
            ]
            for name in names:
                Path(name).write_bytes(source)
            words[words.index("my.json")] = "current"
            if origin == "gce-skus":
                words[words.index("europe-west4")] = "southamerica-west1"
            code, _, err = run("catalog", "prices", "--from", origin, *words, "--force")
            assert code == (1 if origin == "gce-skus" else 0), err
