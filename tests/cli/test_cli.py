"""The commands: what they print, their exit codes, and one line for every error."""

import json
import math
import os
import threading
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from calibrated import model_with, write_model
from today import cells, cost_per_month, disk_gb

from etcdsize import Profile, Sizing, TierTable, __version__, load_catalog, load_tiers, resources_for, size
from etcdsize.catalog.catalog import Catalog
from etcdsize.cli import main
from etcdsize.cli.parser import build_parser
from etcdsize.files.fleet_file import FleetSummary
from etcdsize.reports.layout import aligned
from etcdsize.reports.sizing import render_sizing
from etcdsize.reports.tables import render_machines, render_tiers

FLEET = """\
name,clients,rps,data,cloud,note
a,90,150,80MB,aws,007
b,300,800,400MB,gcp,1.10
c,,x,1GB,aws,"a, b"
"""
SIZED = """\
name,clients,rps,data,cloud,note,tier,machine_type,forced_by,tightest,machine_today,cost_per_month,currency,\
price_region,price_date,problem,notices
"""
SIZED += f"a,90,150,80MB,aws,007,small,m4.large,,clients,{cells('aws', 'small')},,\n"
SIZED += "b,300,800,400MB,gcp,1.10,medium,n1-standard-4,clients;requests_per_second;data_bytes,requests_per_second,"
SIZED += f"{cells('gce', 'medium')},,\n"
SIZED += (
    'c,,x,1GB,aws,"a, b",,,,,,,,,,"rps: got ""x"", expected requests per second such as ""800"", ""2.5k"" or '
    '""800/s""; clients: missing",\n'
)
FOUND = "\n".join(
    aligned(
        [
            ("provider", "tier", "machine", "clusters", "machine today", "$/month", "region, date"),
            ("aws", "small", "m4.large", "1", f"m6a.large + {disk_gb('aws', 'small')} GB GP3",
             f"{cost_per_month('aws', 'small'):.2f}", "us-east-1, 2026-07-20"),
            ("gce", "medium", "n1-standard-4", "1", f"e2-standard-4 + {disk_gb('gce', 'medium')} GB PD SSD",
             f"{cost_per_month('gce', 'medium'):.2f}", "us-central1, 2026-06-23"),
        ],
        right=(3, 5),
    )
)  # fmt: skip
SUMMARY = f"""\
3 clusters: 2 sized, 1 not

tier    clusters
small          1
medium         1
large          0
xlarge         0

{FOUND}

${cost_per_month("aws", "small") + cost_per_month("gce", "medium"):.2f} a month in total, with 3 members per cluster

Not sized: 1 cluster
  row 3, c: rps: got "x", expected requests per second such as "800", "2.5k" or "800/s"; clients: missing
"""


@pytest.fixture
def fleet_csv(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fleet.csv").write_text(FLEET)
    return tmp_path / "fleet.csv"


class TestSize:
    LOAD = ("--clients", "300", "--requests-per-second", "800", "--data", "400MB")

    def test_text_is_the_rendered_report(self, run):
        one = size(clients=300, requests_per_second=800, data_bytes="400MB")
        assert run("size", *self.LOAD) == (0, render_sizing(one), "")

    def test_json_is_the_model(self, run):
        code, out, err = run("size", *self.LOAD, "--json", "--provider", "GCP", "--headroom", "30%", "--members", "5")
        one = size(clients=300, requests_per_second=800, data_bytes="400MB", provider="gce", headroom=0.3, members=5)
        assert Sizing.model_validate_json(out) == one
        assert json.loads(out)["tier"] == "large"
        assert (code, err) == (0, "")

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            (["--rps", "2.5k"], {"requests_per_second": 2500}),
            (["--rps=800/s", "--tiers", "etcd.io"], {"requests_per_second": 800, "tiers": "etcd.io"}),
            (["--data", "1GB", "--catalog", "guide-as-printed"], {"data_bytes": 10**9, "catalog": "guide-as-printed"}),
            (["--kubernetes-nodes", "250"], {"kubernetes_nodes": 250}),
            (["--clients", "70", "--headroom", "0.3"], {"clients": 70, "headroom": 0.3}),
            (["--clients", "1", "--provider", "aws", "--provider", "gcp"], {"clients": 1, "provider": ["aws", "gce"]}),
        ],
    )  # fmt: skip
    def test_options_reach_the_library(self, run, arguments, expected):
        assert run("size", *arguments) == (0, render_sizing(size(**expected)), "")

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            (["--clients", "1500"], 0),
            (["--clients", "1501"], 1),
            (["--data", "8GiB", "--kubernetes-nodes", "1"], 1),
            (["--clients", "1400", "--headroom", "50%"], 0),
            (["--clients", "1", "--members", "2"], 0),
        ],
    )
    def test_strict(self, run, arguments, code):
        """1 where no published figure says that the machine is enough; the answer is printed all the same."""
        assert run("size", *arguments, "--strict")[0] == code
        strict, plain = run("size", *arguments, "--strict"), run("size", *arguments)
        assert strict[1] == plain[1]
        assert plain[0] == 0


class TestTables:
    @pytest.mark.parametrize("name", ["guide", "etcd.io"])
    def test_tiers(self, run, name):
        table = load_tiers(name)
        assert run("tiers", "--tiers", name) == (0, render_tiers(table), "")
        assert TierTable.model_validate_json(run("tiers", "--tiers", name, "--json")[1]) == table

    @pytest.mark.parametrize("name", ["guide", "guide-as-printed"])
    def test_machines(self, run, name):
        catalog = load_catalog(name)
        assert run("machines", "--catalog", name) == (0, render_machines(catalog, catalog.machines), "")
        assert Catalog.model_validate_json(run("machines", "--catalog", name, "--json")[1]) == catalog
        out = run("machines", "--catalog", name, "--provider", "google", "--json")[1]
        assert [machine["provider"] for machine in json.loads(out)["machines"]] == ["gce"] * 4

    def test_own_files(self, run, tmp_path):
        """What a command prints as JSON is what it reads."""
        for command, option in [("tiers", "--tiers"), ("machines", "--catalog")]:
            out = run(command, "--json")[1]
            path = tmp_path / f"{command}.json"
            path.write_text(out)
            assert run(command, option, str(path), "--json")[1] == out
            assert run("size", "--clients", "300", option, str(path))[0] == 0


class TestFleet:
    @pytest.mark.parametrize(("data", "code"), [("100GB", 1), ("8GiB", 1), ("1GB", 0)])
    @pytest.mark.parametrize("to", [(), ("-o", "out.csv"), ("-o", "-")], ids=["report", "file", "stdout"])
    def test_strict(self, run, tmp_path, monkeypatch, data, code, to):
        """1 where for a cluster no published figure says that its machine is enough; the answers are the same."""
        monkeypatch.chdir(tmp_path)
        Path("f.csv").write_text(f"clients,rps,data,cloud\n1,1,{data},aws\n1,1,1MB,gcp\n")
        strict, plain = run("fleet", "f.csv", "--strict", *to, "--force"), run("fleet", "f.csv", *to, "--force")
        assert (strict[0], plain[0]) == (code, 0)
        assert strict[1:] == plain[1:]
        assert ("Beyond the guide: 1 cluster;" in strict[1] + strict[2]) == bool(code)

    def test_summary(self, run, fleet_csv):
        assert run("fleet", "fleet.csv") == (1, SUMMARY, "")

    def test_output(self, run, fleet_csv):
        assert run("fleet", "fleet.csv", "-o", "out.csv") == (1, SUMMARY, "")
        assert (fleet_csv.parent / "out.csv").read_text() == SIZED
        assert fleet_csv.read_text() == FLEET

    def test_json_is_the_model(self, run, fleet_csv):
        code, out, err = run("fleet", "fleet.csv", "--json")
        summary = FleetSummary.model_validate_json(out)
        assert (summary.clusters, summary.not_sized, code, err) == (3, 1, 1, "")
        assert summary.first_problems[0].row == 3

    def test_everything_sized(self, run, fleet_csv):
        fleet_csv.write_text("".join(FLEET.splitlines(True)[:3]))
        assert run("fleet", "fleet.csv")[0] == 0

    def test_a_header_alone(self, run, fleet_csv):
        fleet_csv.write_text(FLEET.splitlines(True)[0])
        code, out, err = run("fleet", "fleet.csv")
        assert (code, out.splitlines()[0], err) == (0, "0 clusters: 0 sized, 0 not", "")

    def test_other_columns_and_unknown(self, run, fleet_csv):
        fleet_csv.write_text("conns,load,x\n90,150,1\n")
        arguments = ["--column", "clients=conns", "--column", "rps=load", "--unknown", "data", "--provider", "aws"]
        code, out, err = run("fleet", "fleet.csv", *arguments, "--headroom", "30%")
        assert (code, err) == (0, "")
        assert out.startswith("1 cluster: 1 sized, 0 not\n")
        assert out.endswith(
            "30% of every bound is kept free as headroom.\n"
            "Unknown: data_bytes. The other dimensions decide, so larger tiers may be needed.\n"
        )

    def test_an_export_as_people_keep_it(self, run, fleet_csv):
        fleet_csv.write_text(
            "sep=;\nName;Clients;rps;data;cloud\na; 1.200 ;150,5;0,08 GB;AWS\nb;k. A.;9;1 MB;aws \n;;;;\n"
        )
        marks = ("--decimal", ",", "--thousands", ".")
        code, out, err = run("fleet", "fleet.csv", *marks, "--na", "K. A.", "--missing", "unknown")
        assert (code, err) == (0, "")
        assert out.startswith("2 clusters: 2 sized, 0 not\n\ntier    clusters\nsmall          1\n")
        assert run("fleet", "fleet.csv", "--missing", "unknown", "--na", "K. A.")[0] == 1
        Path("bars.csv").write_text("name,x|clients|rps|data\n,a,,|1|1|1\n")
        assert run("fleet", "bars.csv", "--provider", "aws")[0] == 0
        assert run("fleet", "bars.csv", "--provider", "aws", "--delimiter", "|")[0] == 0
        code, out, err = run("fleet", "bars.csv", "--provider", "aws", "--delimiter", "/")
        assert (code, out, err) == (2, "", 'etcdsize: --delimiter: got "/", expected ",", ";", "|" or "tab"\n')

    def test_to_parquet(self, run, fleet_csv):
        run("fleet", "fleet.csv", "-o", "out.parquet")
        assert pq.read_table("out.parquet")["tier"].to_pylist() == ["small", "medium", None]

    def test_force(self, run, fleet_csv):
        (fleet_csv.parent / "out.csv").write_text("old")
        code, out, err = run("fleet", "fleet.csv", "-o", "out.csv")
        assert (code, out, err) == (2, "", "etcdsize: out.csv: already exists; use --force to replace it\n")
        assert (fleet_csv.parent / "out.csv").read_text() == "old"
        assert run("fleet", "fleet.csv", "-o", "out.csv", "--force")[0] == 1
        assert (fleet_csv.parent / "out.csv").read_text() == SIZED

    def test_from_and_to_a_pipe(self, run, fleet_csv):
        os.mkfifo("in.pipe")
        os.mkfifo("out.pipe")
        got = []
        threads = [
            threading.Thread(target=lambda: (fleet_csv.parent / "in.pipe").write_text(FLEET)),
            threading.Thread(target=lambda: got.append((fleet_csv.parent / "out.pipe").read_text())),
        ]
        for thread in threads:
            thread.start()
        arguments = ["in.pipe", "-o", "out.pipe", "--format", "csv", "--output-format", "csv"]
        assert run("fleet", *arguments) == (1, SUMMARY, "")
        for thread in threads:
            thread.join(10)
        assert got == [SIZED]


FORMATS = "one of csv, tsv, jsonl, json, parquet"
ERRORS = [
    ([], "the following arguments are required: COMMAND; see 'etcdsize --help'"),
    (["sise"], "unknown command \"sise\"; did you mean \"size\"? See 'etcdsize --help'"),
    (["--versio"], "unknown option --versio; did you mean --version? See 'etcdsize --help'"),
    (["size", "--client", "3"], "unknown option --client; did you mean --clients? See 'etcdsize size --help'"),
    (["size", "--bad\nflag"], "unknown option --bad\\nflag; see 'etcdsize size --help'"),
    (["size", "--clients"], "argument --clients: expected one argument; see 'etcdsize size --help'"),
    (["size", "--strict=1"], "argument --strict: ignored explicit argument '1'; see 'etcdsize size --help'"),
    (["size"], "nothing known of the workload, expected at least one of clients, requests_per_second, data_bytes"),
    (["size", "--clients", "x"], '--clients: got "x", expected a count such as "300"'),
    (["size", "--clients", ""], '--clients: got "", expected a count such as "300"'),
    (["size", "--clients", "-5"], '--clients: got "-5", expected a count such as "300"'),
    (["size", "--clients", "nan"], '--clients: got "nan", expected a count such as "300"'),
    (["size", "--clients", "1e400"], '--clients: got "1e400", expected a count such as "300"'),
    (["size", "--clients", "1\n2"], '--clients: got "1\\n2", expected a count such as "300"'),
    (["size", "--clients", str(2**64)], f"--clients: got {2**64}, expected at most 2^64 - 1 for an integer"),
    (["size", "--data", "8 GBs"],
     '--data: got "8 GBs", expected bytes or a size such as "8GB" or "8GiB"; did you mean "8GB"?'),
    (["size", "--rps", "1,000"],
     '--requests-per-second: got "1,000", expected requests per second such as '
     '"800", "2.5k" or "800/s"; did you mean "1000"?'),
    (["size", "--clients", "1", "--headroom", "30"],
     '--headroom: got "30", expected a fraction from 0 to below 1 such as "0.3" or "30%"; did you mean "30%"?'),
    (["size", "--clients", "1", "--headroom", "100%"],
     '--headroom: got "100%", expected a fraction from 0 to below 1 such as "0.3" or "30%"'),
    (["size", "--clients", "1", "--members", "0"], "--members: got 0, expected an integer of 1 or more"),
    (["size", "--clients", "1", "--members", "2.5"], '--members: got "2.5", expected a whole number'),
    (["size", "--clients", "1", "--provider", "../mars"],
     '--provider: got "../mars", expected a name of at most 64 letters, digits, spaces, hyphens, underscores and dots '
     "that begins with a letter or a digit, such as aws or our-racks"),
    (["size", "--clients", "1", "--provider", "azuer"],
     '--provider: got "azuer", expected the name of a provider; did you mean "azure"?'),
    (["fit", "--tier", "small", "--catalog", "guide", "--provider", "azure"],
     '--provider: got "azure", expected one of the catalog "guide": aws, gce; the catalog "current" has machines of '
     "azure (--catalog current)"),
    (["size", "--clients", "1", "--tiers", "giude"], '--tiers: got "giude"'),
    (["size", "--clients", "1", "--catalog", "fleet.csv"], "fleet.csv: not JSON: "),
    (["machines", "--catalog", "."], "--catalog: got \".\""),
    (["machines", "--type", "m4.larg"], '--type: got "m4.larg", expected one of the catalog "current": '),
    (["machines", "--arch", "arm46"], '--arch: got "arm46", expected one of the catalog "guide": x86_64'),
    (["tiers", "--tiers", "no.json"], '--tiers: got "no.json"'),
    (["fleet", "--colum", "clients=a"],
     "unknown option --colum; did you mean --column? See 'etcdsize fleet --help'"),
    (["fleet", "fleet.csv", "--out=x.csv"], "unknown option --out; did you mean --output? See 'etcdsize fleet --help'"),
    (["fleet", "fleet.csv", "-x"], "unknown option -x; see 'etcdsize fleet --help'"),
    (["fleet", "fleet.csv", "other.csv"], "unexpected argument \"other.csv\"; see 'etcdsize fleet --help'"),
    (["boot"], "unknown command \"boot\"; did you mean \"bootstrap\"? See 'etcdsize --help'"),
    (["xyzzy"], "unknown command \"xyzzy\"; see 'etcdsize --help'"),
    (["catalog", "imprt"], "unknown command \"imprt\"; did you mean \"import\"? See 'etcdsize catalog --help'"),
    (["catalog", "import", "--form", "aws"],
     "unknown option --form; did you mean --from? See 'etcdsize catalog import --help'"),
    (["fleet"], "the following arguments are required: IN; see 'etcdsize fleet --help'"),
    (["fleet", "no.csv"], "no.csv: cannot be read: No such file or directory"),
    (["fleet", "no\nsuch.csv"], "no\\nsuch.csv: cannot be read: No such file or directory"),
    (["fleet", "d.csv"], "d.csv: a folder without files, expected Parquet files in it, such as part-0.parquet"),
    (["fleet", "d"], "d: a folder without files, expected Parquet files in it, such as part-0.parquet"),
    (["fleet", "fleet.csv", "-o", "out"], f"out: the name does not say the format; give the format, {FORMATS}"),
    (["fleet", "fleet.csv", "-o", "d.csv"], "d.csv: is a directory, expected the name of a file"),
    (["fleet", "fleet.csv", "-o", "no/out.csv"], "no/out.csv: there is no directory no; create it first"),
    (["fleet", "fleet.csv", "-o", "fleet.csv"], "fleet.csv: is also the input; give the output another name"),
    (["fleet", "fleet.csv", "-o", "link.csv", "--force"],
     "link.csv: is also the input; give the output another name"),
    (["fleet", "fleet.csv", "--format", "cvs"],
     '--format: got "cvs", expected csv, tsv, jsonl, json, parquet or xlsx; did you mean "csv"?'),
    (["fleet", "fleet.csv", "--format", "parquet"], "fleet.csv: not a Parquet file: "),
    (["fleet", "fleet.csv", "--column", "clients"],
     '--column: got "clients", expected WHAT=NAME such as clients=conn_count'),
    (["fleet", "fleet.csv", "--column", "rps=a", "--column", "requests_per_second=b"],
     '--column: got "requests_per_second" more than once, expected it once'),
    (["fleet", "fleet.csv", "--column", "clients=nmae"],
     'fleet.csv: clients: has no column "nmae"; did you mean "name"?'),
    (["fleet", "fleet.csv", "--unknown", "cpu"],
     'fleet.csv: got "cpu", expected clients, requests_per_second, data_bytes, kubernetes_nodes '
     'or a further figure such as keys'),
    (["fleet", "fleet.csv", "--missing", "zero"], '--missing: got "zero", expected problem or unknown'),
    (["fleet", "fleet.csv", "--provider", "alibab"],
     '--provider: got "alibab", expected the name of a provider; did you mean "alibaba"?'),
    (["fleet", "ragged.csv", "--provider", "aws"],
     'ragged.csv: line 3: got 2 cells, expected 3 as in the header: "1,1"'),
    (["fleet", "empty.csv"], "empty.csv: empty, expected a header and one row per cluster"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), ERRORS, ids=[" ".join(arguments) for arguments, _ in ERRORS])
def test_every_error_is_one_line(run, fleet_csv, arguments, message):
    (fleet_csv.parent / "d.csv").mkdir()
    (fleet_csv.parent / "d").mkdir()
    (fleet_csv.parent / "link.csv").symlink_to("fleet.csv")
    (fleet_csv.parent / "empty.csv").write_text("")
    (fleet_csv.parent / "ragged.csv").write_text("clients,rps,data\n1,1,1\n1,1\n")
    before = sorted(Path().iterdir())
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    line = err.rstrip("\n").partition(": ")[2]
    partial = message.endswith((": ", '"giude"', '"."', '"no.json"', '"name"?', "data_bytes"))
    assert line.startswith(message) if partial else line == message
    assert sorted(Path().iterdir()) == before
    assert fleet_csv.read_text() == FLEET


def test_the_rows_of_a_fleet_by_another_version_and_model(run, tmp_path, monkeypatch):
    """The version is that of the model, unless it is named."""
    monkeypatch.chdir(tmp_path)
    model = write_model(tmp_path / "my-model.json", model_with("3.5.35", names=("heap_base", "index_per_key")))
    (tmp_path / "keys.csv").write_text("clients,rps,data_mb,keys,provider\n50,100,50,40000,aws\n")
    for options, asked in (
        (("--model", "my-model.json"), {"model": model, "etcd_version": "3.5"}),
        (("--etcd-version", "3.4"), {"etcd_version": "3.4"}),
    ):
        written = run("fleet", "keys.csv", "--resources", "--columns", "memory_limit_bytes", "-o", "-", *options)[1]
        load = Profile(clients=50, requests_per_second=100, data_bytes="50MB", keys=40_000)
        limit = resources_for(load, **asked).memory.limit_bytes.need
        assert int(written.splitlines()[1]) == pytest.approx(math.ceil(limit), abs=1)
    code, _, err = run("fleet", "keys.csv", "--model", "my-model.json")
    assert code == 2
    assert "model: got one that was calibrated on etcd 3.5.35, expected resources as well" in err


@pytest.fixture
def secret_csv(run, fleet_csv):
    # Once before, so that nothing is left to import.
    run("fleet", "fleet.csv")
    fleet_csv.chmod(0)


def test_an_unreadable_file(run, secret_csv, unprivileged):
    assert run("fleet", "fleet.csv")[2] == "etcdsize: fleet.csv: cannot be read: Permission denied\n"


def test_a_file_that_cannot_be_read(run):
    """The memory of a process is a file that opens and whose first page is not there."""
    code, out, err = run("fleet", "/proc/self/mem", "--format", "csv")
    assert (code, out) == (2, "")
    assert err == "etcdsize: /proc/self/mem: cannot be read: Input/output error\n"


def test_version(run):
    assert run("--version") == (0, f"etcdsize {__version__}\n", "")


COMMANDS = (
    "size",
    "fleet",
    "fit",
    "resources",
    "settings",
    "bootstrap",
    "runbook",
    "terraform-external",
    "observe",
    "calibrate",
    "tiers",
    "machines",
    "catalog",
    "schema",
)


@pytest.mark.parametrize("command", [None, *COMMANDS, "catalog import"])
def test_help(run, command):
    code, out, err = run(*(command or "").split(), "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"usage: etcdsize {command or '['}")
    assert max(map(len, out.splitlines())) <= 80


def test_help_lists_every_command(run):
    listed = run("--help")[1].partition("COMMAND\n")[2].partition("\n\n")[0]
    assert tuple(line.split()[0] for line in listed.splitlines()) == COMMANDS


def test_values_are_parsed_with_the_arguments():
    """A command receives numbers and mappings, not text."""
    words = ["fleet", "in.csv", "--headroom", "30%", "--column", "rps=a", "--column", "data=b", "--columns", "x,tier"]
    options = build_parser().parse_args(words)
    assert (options.headroom, options.margin, options.columns) == (0.3, 0.2, ["x", "tier"])
    assert options.column == {"requests_per_second": "a", "data_bytes": "b"}
    options = build_parser().parse_args(["fit", "--data", "2GiB", "--limit", "1e1"])
    assert (options.data, options.limit, options.members, options.headroom) == (2**31, 10, 3, 0)


def test_outside_the_main_thread(capsys):
    """A program may run a command in a thread, where signals cannot be handled."""
    codes = []
    thread = threading.Thread(target=lambda: codes.append(main(["tiers", "--json"])))
    thread.start()
    thread.join(10)
    assert codes == [0]
