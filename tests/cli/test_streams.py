"""Standard streams as processes have them: what programs read is UTF-8, and no command writes into its own input."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from program import ENVIRONMENT

from etcdsize import Runbook, Sizing, load_catalog, load_tiers
from etcdsize.catalog.catalog import Catalog
from etcdsize.cli.answers import schema_of
from etcdsize.files.fleet_file import FleetSummary
from etcdsize.tiers import TierTable

# Each starts programs of its own, in several locales.
pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "etcdsize"]
# Environments in which standard output is not UTF-8. In the last, neither are the arguments.
LOCALES = {
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "ascii": {"PYTHONIOENCODING": "ascii:strict", "PYTHONUNBUFFERED": "1"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}
NAMES = ("大", "é")
HOSTS = [word for index, name in enumerate(NAMES) for word in ("--host", f"{name}=10.0.0.{index}")]


@pytest.fixture(params=LOCALES)
def locale(request):
    return request.param


@pytest.fixture
def command(locale, tmp_path):
    """Run a command in a locale, and return what it prints as UTF-8."""

    def command(*words, stdin=b"", code=0, raw=False):
        environment = {name: value for name, value in ENVIRONMENT.items() if name != "PYTHONUTF8"} | LOCALES[locale]
        done = subprocess.run(
            [*COMMAND, *words], env=environment, cwd=tmp_path, input=stdin, capture_output=True, check=False
        )
        assert done.returncode == code, done.stderr
        return done if raw else done.stdout.decode()

    return command


class TestData:
    """What a program reads is UTF-8 whatever the locale."""

    def test_json(self, command, tmp_path):
        catalog = load_catalog("guide").model_copy(update={"name": "大", "title": "é"})
        table = load_tiers("guide").model_copy(update={"name": "ł"})
        (tmp_path / "own.json").write_text(catalog.model_dump_json(), encoding="utf-8")
        (tmp_path / "tiers.json").write_text(table.model_dump_json(), encoding="utf-8")
        own = ["--catalog", "own.json", "--tiers", "tiers.json"]
        sizing = Sizing.model_validate_json(command("size", "--clients", "5", *own, "--json"))
        assert (sizing.catalog, sizing.tiers) == ("大", "ł")
        assert Catalog.model_validate_json(command("machines", "--catalog", "own.json", "--json")) == catalog
        assert TierTable.model_validate_json(command("tiers", "--tiers", "tiers.json", "--json")) == table
        assert json.loads(command("schema", "size")) == schema_of("size")
        fit = json.loads(command("fit", "--clients", "5", *own, "--json", code=1))
        assert fit["catalog"] == "大"

    def test_rows(self, command, tmp_path):
        (tmp_path / "fleet.csv").write_text("大,clients,rps,data\né,1,2,3\n", encoding="utf-8")
        words = ["fleet", "fleet.csv", "--provider", "aws", "-o", "-", "--columns", "*,tier"]
        assert command(*words) == "大,clients,rps,data,tier\né,1,2,3,small\n"
        assert json.loads(command(*words, "--output-format", "jsonl"))["大"] == "é"

    def test_a_summary_beside_rows(self, command, tmp_path):
        (tmp_path / "fleet.csv").write_text("clients,rps,data,provider\n1,2,大,aws\n", encoding="utf-8")
        done = command("fleet", "fleet.csv", "-o", "-", "--json", code=1, raw=True)
        (problem,) = FleetSummary.model_validate_json(done.stderr).first_problems
        assert problem.problem.startswith('data: got "大"')

    def test_terraform(self, command):
        query = {"clients": "5", "hosts": "大=10.0.0.1,é=10.0.0.2"}
        answer = json.loads(command("terraform-external", stdin=json.dumps(query, ensure_ascii=False).encode()))
        assert answer["initial_cluster"] == "大=http://10.0.0.1:2380,é=http://10.0.0.2:2380"
        assert yaml.safe_load(answer["member_大"])["name"] == "大"

    def test_an_imported_catalog(self, command, tmp_path):
        (tmp_path / "types.json").write_text(FILES["types.json"])
        (tmp_path / "prices.csv").write_text(FILES["prices.csv"].replace("eu", "大"), encoding="utf-8")
        command("catalog", "import", "--from", "aws", "types.json", "-o", "my.json")
        words = ["catalog", "prices", "--from", "csv", "prices.csv", "--catalog", "my.json", "-o", "-"]
        (machine,) = Catalog.model_validate_json(command(*words)).machines
        assert machine.price.region == "大"

    def test_observed_rows(self, command, tmp_path):
        target = [{"targets": ["127.0.0.1:1"], "labels": {"cluster": "大", "provider": "aws"}}]
        (tmp_path / "targets.json").write_text(json.dumps(target))
        words = ["observe", "--targets", "targets.json", "--interval", "0", "-o", "-", "--columns", "cluster"]
        assert command(*words, code=1) == "cluster\n大\n"


class TestPlans:
    """What etcd, a shell or systemd reads is UTF-8 too, where the names are."""

    @pytest.fixture(params=[name for name in LOCALES if name != "C"])
    def locale(self, request):
        return request.param

    def test_flags(self, command):
        first, second = command("bootstrap", *HOSTS).replace("\\\n", "").split("\n\n")
        assert [shlex.split(text, comments=True)[1] for text in (first, second)] == ["--name=大", "--name=é"]

    def test_env(self, command):
        assert "\nETCD_NAME=é\n" in command("bootstrap", *HOSTS, "--format", "env", "--member", "é").replace('"', "")

    def test_config(self, command):
        printed = command("bootstrap", *HOSTS, "--format", "config", "--member", "大")
        assert yaml.safe_load(printed)["name"] == "大"

    def test_units(self, command):
        assert "--name=大" in command("bootstrap", *HOSTS, "--format", "systemd", "--member", "大")

    def test_files(self, command, tmp_path):
        command("bootstrap", *HOSTS, "--format", "config", "-o", "out")
        assert yaml.safe_load((tmp_path / "out" / "大.yaml").read_bytes())["name"] == "大"

    def test_runbook(self, command):
        assert "大" in command("runbook", *HOSTS)
        assert "é" in Runbook.model_validate_json(command("runbook", *HOSTS, "--json")).model_dump_json()


class TestText:
    """What a person reads is in the encoding of the stream, and what that lacks is escaped."""

    @pytest.mark.parametrize(
        ("encoding", "shown"), [("latin-1", "é\\u5927".encode("latin-1")), ("ascii", b"\\xe9\\u5927")]
    )
    def test_reports_and_messages(self, tmp_path, encoding, shown):
        table = load_tiers("guide").model_copy(update={"name": "é大", "title": "é大"})
        (tmp_path / "own.json").write_text(table.model_dump_json(), encoding="utf-8")
        environment = ENVIRONMENT | {"PYTHONIOENCODING": encoding}
        for words in (["tiers", "--tiers", "own.json"], ["size", "--clients", "é大"], ["é大"]):
            done = subprocess.run([*COMMAND, *words], cwd=tmp_path, env=environment, capture_output=True, check=False)
            assert shown in done.stdout + done.stderr


def shell(line, cwd, **options):
    return subprocess.run(
        ["bash", "-c", line], cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, check=False, **options
    )


CSV = "clients,rps,data,provider\n1,2,3,aws\n"
FILES = {
    "f.csv": CSV,
    "f.jsonl": '{"clients": 1, "rps": 2, "data": 3, "provider": "aws"}\n',
    "types.json": '{"InstanceTypes": [{"InstanceType": "a", "VCpuInfo": {"DefaultVCpus": 4}, "MemoryInfo": '
    '{"SizeInMiB": 16384}}]}',
    "targets.json": '[{"targets": ["127.0.0.1:1"], "labels": {"provider": "aws"}}]',
    "query.json": '{"clients": "5"}',
    "prices.csv": "machine_type,price_per_hour,currency,region,date\na,0.1,USD,eu,2026-01-01\n",
    "machines.json": load_catalog("guide").model_dump_json(),
    "tiers.json": load_tiers("guide").model_dump_json(),
}
IMPORT = "catalog import --from aws"
PRICES = "catalog prices --from csv"
OWN_INPUTS = [
    "fleet - --format csv -o - <f.csv >>f.csv",
    "fleet f.csv >>f.csv",
    "fleet /dev/fd/7 --format csv -o - 7<f.csv >>f.csv",
    "fleet f.csv -o /dev/stdout --output-format csv --force >>f.csv",
    "fleet - --format jsonl -o - <f.jsonl >>f.jsonl",
    "fleet - --format parquet -o - <f.parquet >>f.parquet",
    f"{IMPORT} - -o - <types.json >>types.json",
    "observe --targets - --interval 0 -o - <targets.json >>targets.json",
    "terraform-external <query.json >>query.json",
    "machines --catalog machines.json --json >>machines.json",
    *(
        pytest.param(line, marks=pytest.mark.slow)
        for line in (
            "fleet - --format csv -o - 0<>f.csv >&0",
            "fleet - --format csv <f.csv >>f.csv",
            "fleet - --format csv --json <f.csv >>f.csv",
            "fleet - --format csv -o out.csv <f.csv >>f.csv",
            "fleet - --format csv -o f.csv --force <f.csv",
            "fleet f.csv -o - >>f.csv",
            "fleet ./f.csv -o - >>link.csv",
            "fleet hard.csv -o - >>f.csv",
            "fleet /dev/stdin --format csv -o - <f.csv >>f.csv",
            "fleet /dev/fd/0 --format csv -o - <f.csv >>f.csv",
            "fleet /proc/self/fd/0 --format csv -o - <f.csv >>f.csv",
            "fleet f.csv -o /dev/fd/1 --output-format csv --force >>f.csv",
            "fleet - --format csv -o /dev/stdout --output-format csv --force <f.csv >>f.csv",
            "fleet - --format csv -o /dev/fd/7 --output-format csv --force <f.csv 7>>f.csv",
            "fleet f.parquet -o - >>f.parquet",
            f"{IMPORT} types.json -o - >>types.json",
            f"{IMPORT} - -o types.json --force <types.json",
            f"{IMPORT} /dev/stdin -o types.json --force <types.json",
            f"{PRICES} prices.csv -o - >>prices.csv",
            f"{PRICES} - -o - <prices.csv >>prices.csv",
            f"{PRICES} - -o prices.csv --force <prices.csv",
            "observe --targets targets.json --interval 0 -o - >>targets.json",
            "observe --targets targets.json --interval 0 >>targets.json",
            "observe --targets - --interval 0 -o targets.json --output-format csv --force <targets.json",
            "tiers --tiers tiers.json --json >>tiers.json",
            "size --clients 1 --catalog machines.json >>machines.json",
            "fit --clients 1 --tiers tiers.json >>tiers.json",
            "fleet f.csv --catalog machines.json >>machines.json",
            "fleet f.csv --catalog machines.json -o machines.json --output-format csv --force",
            "observe a:1 --tiers tiers.json --json >>tiers.json",
            "observe a:1 --cacert f.csv >>f.csv",
            "observe --targets targets.json --cert f.csv --key prices.csv -o prices.csv --output-format csv --force",
        )
    ),
]


class TestOwnInput:
    """A command that would write into what it reads is refused before it writes anything."""

    @pytest.fixture
    def folder(self, tmp_path):
        for name, text in FILES.items():
            (tmp_path / name).write_text(text)
        table = pa.table({"clients": [1], "rps": [2], "data": [3], "provider": ["aws"]})
        pq.write_table(table, tmp_path / "f.parquet")
        (tmp_path / "link.csv").symlink_to("f.csv")
        (tmp_path / "hard.csv").hardlink_to(tmp_path / "f.csv")
        return tmp_path

    @pytest.mark.parametrize("line", OWN_INPUTS)
    def test_it_is_refused(self, folder, line):
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        done = shell(f"etcdsize {line}", folder, timeout=60)
        assert done.returncode == (1 if line.startswith("terraform") else 2)
        assert done.stderr.count("\n") == 1
        assert "is both the input and standard output" in done.stderr or "is also the input" in done.stderr
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before

    @pytest.mark.parametrize(
        "line",
        [
            "fleet - --format csv -o - <f.csv >>other.csv",
            "fleet f.csv -o - </dev/null >/dev/null",
            "fleet f.csv -o - <f.csv >out.csv",
            "fleet - --format csv -o - <f.csv | cat >>f2.csv",
            "terraform-external <query.json >>other.json",
            f"{IMPORT} - -o - <types.json >>other.json",
            "machines --catalog machines.json --json >>other.json",
            "tiers --tiers etcd.io >>etcd.io",
        ],
    )
    def test_other_files_are_not(self, folder, line):
        assert shell(f"etcdsize {line}", folder).returncode == 0


class TestStrangeStreams:
    """Streams that are closed, full, not to be waited for, or not for reading."""

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("terraform-external <&-", "standard input: cannot be read: it is closed"),
            (f"{IMPORT} - -o - <&-", "standard input: cannot be read: it is closed"),
            ("observe --targets - <&-", "standard input: cannot be read: it is closed"),
            ("terraform-external 0>written", "standard input: cannot be read: Bad file descriptor"),
            (f"{IMPORT} - -o - 0>written", "standard input: cannot be read: Bad file descriptor"),
            ("fleet - --format csv 0>written", "standard input: cannot be read: Bad file descriptor"),
            ("tiers 1</dev/null", "standard output: cannot be written: Bad file descriptor"),
            ("--help >&-", "standard output: cannot be written: Bad file descriptor"),
            ("size --help >/dev/full", "standard output: cannot be written: No space left on device"),
            ("--version >/dev/full", "standard output: cannot be written: No space left on device"),
            (f"{IMPORT} types.json -o - >/dev/full", "standard output: cannot be written: No space left on device"),
            ("schema size >/dev/full", "standard output: cannot be written: No space left on device"),
            (f"{IMPORT} . -o -", ".: cannot be read: Is a directory"),
            (f"{IMPORT} no.json -o -", "no.json: cannot be read: No such file or directory"),
        ],
    )
    def test_one_line(self, tmp_path, line, message):
        (tmp_path / "types.json").write_text(FILES["types.json"])
        done = shell(f"etcdsize {line}", tmp_path)
        assert (done.returncode, done.stdout) == (1 if line.startswith("terraform") else 2, "")
        assert done.stderr == f"etcdsize: {message}\n"

    @pytest.mark.parametrize("where", ["2>&-", "2>/dev/full", "2</dev/null"])
    def test_messages_that_cannot_be_written(self, tmp_path, where):
        for words, code in [("size --clients x", 2), ("no", 2), ("size --clients 5", 0), ("fit --bad", 2)]:
            done = shell(f"etcdsize {words} {where}", tmp_path)
            assert (done.returncode, done.stderr) == (code, "")

    def test_streams_that_do_not_wait(self, tmp_path):
        """As a program that shares them may have set them."""
        (tmp_path / "f.csv").write_text("clients,rps,data,provider\n" + "1,2,3,aws\n" * 50_000)
        program = (
            "import os, subprocess, sys; os.set_blocking(0, False); os.set_blocking(1, False); "
            "sys.exit(subprocess.call([sys.executable, '-m', 'etcdsize', *sys.argv[1:]]))"
        )
        line = f"'{sys.executable}' -c \"{program}\" fleet - --format csv -o - 2>err"
        done = shell(f"(sleep 1; cat f.csv) | {line} | (sleep 2; wc -l)", tmp_path)
        assert (done.stdout.strip(), (tmp_path / "err").read_text()[:6]) == ("50001", "50000 ")

    def test_the_directory_is_gone(self, tmp_path):
        line = f"mkdir gone; cd gone; rmdir ../gone; '{sys.executable}' -m etcdsize bootstrap --local 1 -o out"
        done = shell(line, tmp_path)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert not list(tmp_path.iterdir())
