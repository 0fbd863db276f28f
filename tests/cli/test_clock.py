"""The clock: only the command line reads it, and says once, on standard error, that a table has aged."""

from __future__ import annotations

import ast
import datetime
import io
import json
import os
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from members import alone, captured
from paths import ROOT
from servers import answering, serving

import etcdsize
from etcdsize import OptionError, load_catalog, load_versions, settings_for, size
from etcdsize.cli.clock import PRICES_DAYS, VERSIONS_DAYS, dates_of_prices, today

PACKAGE = Path(etcdsize.__file__).parent
VERSIONS_DATE = min(version.date for version in load_versions().versions)
HOSTS = ["--host", "a=10.0.0.1", "--host", "b=10.0.0.2", "--host", "c=10.0.0.3"]
LOAD = ["--clients", "300", "--data", "4GB"]
VERSION_LINE = r"etcdsize: the table of etcd's versions is from (\S+), (\d+) days ago: later versions, patches"
PRICE_LINE = (
    r"etcdsize: the oldest of these prices is from (\S+), (\d+) days ago: before you rely on them, make a catalog"
)
WITH_VERSIONS = [["bootstrap", *HOSTS], ["settings", *LOAD], ["resources", *LOAD], ["runbook", *HOSTS]]
WITH_PRICES = [
    ["size", *LOAD],
    ["size", *LOAD, "--catalog", "current", "--provider", "aws"],
    ["fit", "--tier", "small", "--limit", "1"],
    ["machines", "--catalog", "current", "--provider", "gce"],
    ["fleet", "docs/examples/fleet.csv"],
    ["fleet", "docs/examples/running.csv"],
]
WITHOUT = [
    ["tiers"],
    ["machines"],
    ["schema", "size"],
    # The times of writes to its disks have dates, but nothing of it has a price.
    ["fit", "--tier", "medium", "--provider", "otc", "--limit", "1"],
]


@pytest.fixture
def on(monkeypatch):
    """Set the day of the commands."""

    def on(day: datetime.date) -> None:
        noon = datetime.datetime.combine(day, datetime.time(12), datetime.UTC)
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(noon.timestamp())))

    return on


@pytest.fixture(autouse=True)
def checkout(monkeypatch):
    monkeypatch.chdir(ROOT)


def after(date: str, days: int) -> datetime.date:
    return datetime.date.fromisoformat(date) + datetime.timedelta(days=days)


def lines(pattern: str, text: str) -> list[tuple[str, str]]:
    return re.findall(f"^{pattern}", text, re.M)


class TestVersions:
    """The table of versions is old after 120 days."""

    @pytest.mark.parametrize("command", WITH_VERSIONS, ids=lambda words: words[0])
    def test_said_once_when_it_is_older(self, command, run, on):
        on(after(VERSIONS_DATE, VERSIONS_DAYS))
        code, out, err = run(*command)
        assert not lines(VERSION_LINE, err)
        on(after(VERSIONS_DATE, VERSIONS_DAYS + 1))
        later = run(*command)
        assert lines(VERSION_LINE, later[2]) == [(VERSIONS_DATE, "121")]
        assert later[:2] == (code, out)
        assert later[2].startswith(err)
        assert later[2].count("\n") == err.count("\n") + 1

    @pytest.mark.parametrize("command", [*WITH_PRICES, *WITHOUT], ids=" ".join)
    def test_not_said_by_commands_that_do_not_use_it(self, command, run, on):
        on(datetime.date(2099, 1, 1))
        assert not lines(VERSION_LINE, run(*command)[2])


class TestEndOfSupport:
    """Support of 3.5 ends in 2027-07, by the row of 3.5; until when 3.6 is supported is unknown."""

    @pytest.mark.parametrize("command", WITH_VERSIONS, ids=lambda words: words[0])
    def test_said_once_when_it_has_ended(self, command, run, on):
        for version, day, ended in (
            ("3.5", datetime.date(2027, 7, 31), False),
            ("3.5", datetime.date(2027, 8, 1), True),
            ("v3.5.35", datetime.date(2027, 8, 1), True),
            ("3.6", datetime.date(2099, 1, 1), False),
            # It has a notice instead.
            ("3.4", datetime.date(2099, 1, 1), False),
        ):
            on(day)
            err = run(*command, "--etcd-version", version)[2]
            assert err.count("etcdsize: support for etcd 3.5 ended in 2027-07: upgrade\n") == ended
            assert err.count("support for etcd") == ended

    def test_of_a_running_cluster(self, run, on):
        on(datetime.date(2027, 8, 1))
        with serving(answering(alone(captured(0)))) as port:
            err = run("observe", f"127.0.0.1:{port}", "--interval", "0")[2]
        assert err.count("etcdsize: support for etcd 3.5 ended in 2027-07: upgrade\n") == 1

    @pytest.mark.parametrize(("day", "ended"), [(datetime.date(2027, 7, 31), 0), (datetime.date(2027, 8, 1), 1)])
    def test_of_many_running_clusters_it_is_said_once(self, run, on, tmp_path, day, ended):
        on(day)
        with serving(answering(alone(captured(0)))) as port:
            (tmp_path / "c.json").write_text(json.dumps([{"targets": [f"127.0.0.1:{port}"]}] * 2))
            err = run("observe", "--targets", str(tmp_path / "c.json"), "--interval", "0", "--provider", "aws")[2]
        assert err.count("etcdsize: support for etcd 3.5 ended in 2027-07: upgrade\n") == ended
        assert err.count("support for etcd") == ended


class TestPrices:
    """Prices are old after 365 days."""

    @pytest.mark.parametrize("command", WITH_PRICES, ids=" ".join)
    def test_said_once_when_one_is_older(self, command, run, on):
        on(datetime.date(2099, 1, 1))
        code, out, err = run(*command)
        ((date, _),) = lines(PRICE_LINE, err)
        on(after(date, PRICES_DAYS))
        fresh = run(*command)
        assert fresh[:2] == (code, out)
        assert not lines(PRICE_LINE, fresh[2])
        on(after(date, PRICES_DAYS + 1))
        assert lines(PRICE_LINE, run(*command)[2]) == [(date, "366")]

    @pytest.mark.parametrize(
        ("command", "lists"),
        [
            (["size", *LOAD, "--catalog", "current", "--provider", "aws"], "--from aws-prices"),
            (["machines", "--catalog", "current", "--provider", "gce"], "--from gce-skus"),
            (["machines", "--catalog", "current", "--provider", "azure"], "--from azure-prices"),
            (["fit", "--tier", "small", "--provider", "aws", "--limit", "1"], "--from aws-prices"),
            (["fleet", "docs/examples/fleet.csv"], "--from aws-prices or --from gce-skus"),
            (["fleet", "docs/examples/running.csv"], "--from aws-prices or --from gce-skus"),
        ],
        ids=str,
    )
    def test_it_names_the_command_that_refreshes_the_prices(self, command, lists, run, on):
        on(datetime.date(2099, 1, 1))
        err = run(*command)[2]
        assert f"etcdsize catalog prices {lists}; docs/machines.md says how to get the list\n" in err

    @pytest.mark.parametrize("command", [*WITH_VERSIONS, *WITHOUT], ids=" ".join)
    def test_not_said_by_answers_without_prices(self, command, run, on):
        on(datetime.date(2099, 1, 1))
        assert not lines(PRICE_LINE, run(*command)[2])

    def test_prices_of_a_user_s_own_catalog_count(self, run, on, tmp_path):
        catalog = tmp_path / "my.json"
        machine = load_catalog("current").machine("aws", "m8i.large")
        old = machine.model_copy(update={"price": machine.price.model_copy(update={"date": "2020-01-02"})})
        catalog.write_text(json.dumps({"name": "my", "machines": [old.model_dump(mode="json", exclude_defaults=True)]}))
        on(datetime.date(2021, 1, 2))
        assert lines(PRICE_LINE, run("machines", "--catalog", str(catalog))[2]) == [("2020-01-02", "366")]

    def test_prices_of_a_list_of_one_s_own_count(self, run, on, tmp_path):
        prices = tmp_path / "prices.csv"
        prices.write_text("machine_type,price_per_hour,currency,region,date\nn2-standard-4,0.2,USD,eu-1,2020-01-02\n")
        mine, priced = str(tmp_path / "my.json"), str(tmp_path / "priced.json")
        on(datetime.date(2021, 1, 2))
        words = ("--from", "gcloud", "tests/data/gcloud-machine-types.json", "-o", mine)
        assert lines(PRICE_LINE, run("catalog", "import", *words)[2]) == []
        err = run("catalog", "prices", "--from", "csv", str(prices), "--catalog", mine, "-o", priced)[2]
        assert lines(PRICE_LINE, err) == [("2020-01-02", "366")]
        assert load_catalog(mine).date == "2021-01-02"

    def test_every_price_of_an_answer_has_its_date(self):
        found = size(clients=300, data_bytes="4GB", catalog="current")
        costs = [machine.cost.date for machine in found.machines_today.values() if machine.cost is not None]
        assert costs
        assert set(costs) <= {date for _, date in dates_of_prices(found)}


class TestBoth:
    def test_observe(self, run, on):
        """Its answer has notices about versions and, where a tier is known, prices."""
        on(datetime.date(2099, 1, 1))
        with serving(answering(alone(captured(0)))) as port:
            code, _, err = run("observe", f"127.0.0.1:{port}", "--interval", "0")
        assert code in (0, 1)
        assert len(lines(VERSION_LINE, err)) == 1
        assert len(lines(PRICE_LINE, err)) == 1

    def test_observe_many(self, run, on, tmp_path):
        """Rows and JSON are for programs: nothing is added to a summary as JSON on standard error."""
        on(datetime.date(2099, 1, 1))
        targets = tmp_path / "targets.json"
        with serving(answering(alone(captured(0)))) as port:
            targets.write_text(json.dumps([{"targets": [f"127.0.0.1:{port}"], "labels": {"cluster": "a"}}]))
            words = ["observe", "--targets", str(targets), "--interval", "0", "--provider", "aws"]
            _, _, err = run(*words)
            assert (len(lines(VERSION_LINE, err)), len(lines(PRICE_LINE, err))) == (1, 1)
            _, _, err = run(*words, "-o", "-", "--output-format", "csv", "--json")
            assert json.loads(err)["clusters"] == 1

    def test_terraform(self, run, on, monkeypatch):
        for day, count in ((datetime.date(2026, 11, 27), 0), (datetime.date(2099, 1, 1), 1)):
            on(day)
            query = io.TextIOWrapper(io.BytesIO(b'{"clients": "300", "provider": "aws"}'))
            monkeypatch.setattr(sys, "stdin", query)
            code, out, err = run("terraform-external")
            found = json.loads(out)
            assert (code, found["price_region_aws"], found["price_date_aws"]) == (0, "us-east-1", "2026-07-20")
            assert (len(lines(VERSION_LINE, err)), len(lines(PRICE_LINE, err))) == (count, count)

    def test_json_on_standard_output_is_the_same_for_ever(self, run, on):
        for command in (["settings", *LOAD], ["runbook", *HOSTS], ["size", *LOAD], ["fit", "--tier", "small"]):
            answers = set()
            for year in (1970, 2026, 2099, 9999):
                on(datetime.date(year, 1, 1))
                code, out, _ = run(*command, "--json")
                answers.add((code, out))
            assert len(answers) == 1

    def test_a_summary_as_json_on_standard_error_stays_json(self, run, on):
        on(datetime.date(2099, 1, 1))
        code, _, err = run("fleet", "docs/examples/fleet.csv", "-o", "-", "--json")
        assert code == 1
        assert json.loads(err)["cost_per_month"]["USD"] > 0


class TestVariable:
    """SOURCE_DATE_EPOCH: whole seconds since 1970, up to the end of the year 9999."""

    @given(st.integers(0, 253_402_300_799))
    def test_is_the_day_in_utc(self, seconds):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SOURCE_DATE_EPOCH", str(seconds))
            assert today() == datetime.datetime.fromtimestamp(seconds, datetime.UTC).date()

    def test_without_it_the_clock_counts(self, monkeypatch):
        monkeypatch.delenv("SOURCE_DATE_EPOCH")
        before = datetime.datetime.now(datetime.UTC).date()
        assert before <= today() <= datetime.datetime.now(datetime.UTC).date()

    @pytest.mark.parametrize(
        "text", ["", " ", "x", "-1", "1.5", "1e9", "2026-11-27", "253402300800", "9" * 500, "١", "\udcff", "1\n"]
    )
    def test_anything_else_is_an_error_of_every_command(self, text, run, monkeypatch):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", text)
        with pytest.raises(OptionError) as caught:
            today()
        assert (caught.value.option, caught.value.value) == ("SOURCE_DATE_EPOCH", text)
        for command in (["settings", *LOAD], ["tiers"]):
            code, out, err = run(*command)
            assert (code, out) == (2, "")
            assert re.fullmatch(
                r"etcdsize: SOURCE_DATE_EPOCH: got .*, expected whole seconds since 1970, such as .*\n", err
            )
        code, out, err = run("size", *LOAD, "--json")
        assert (code, out) == (2, "")
        assert json.loads(err)["where"] == "SOURCE_DATE_EPOCH"

    def test_the_library_ignores_it(self, monkeypatch):
        expected = settings_for(size(clients=5))
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "x")
        assert settings_for(size(clients=5)) == expected


CLOCKS = {
    "time": {"time", "time_ns", "localtime", "gmtime", "ctime", "asctime", "strftime"},
    "datetime": {"now", "today", "utcnow"},
    "date": {"today"},
}


def clocks_read(tree: ast.AST) -> set[str]:
    """Return the names of a module that read the clock of the day; `time.monotonic` is no such clock."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            root = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            if node.attr in CLOCKS.get(root, ()):
                found.add(f"{root}.{node.attr}")
        if isinstance(node, ast.ImportFrom) and node.module in ("time", "datetime"):
            found |= {f"{node.module}.{name.name}" for name in node.names} - {"time.monotonic"}
        if isinstance(node, ast.Constant) and node.value == "SOURCE_DATE_EPOCH":
            found.add(node.value)
    return found


class TestWhoReadsIt:
    def test_only_the_command_line(self):
        """Observation asks when a member's answer came, to tell how long its process has run."""
        read = {
            path.relative_to(PACKAGE).as_posix(): clocks_read(ast.parse(path.read_text(encoding="utf-8")))
            for path in PACKAGE.rglob("*.py")
        }
        assert {path: found for path, found in read.items() if found} == {
            "cli/clock.py": {"datetime.now", "SOURCE_DATE_EPOCH"},
            "observation/http.py": {"time.time"},
        }

    @pytest.mark.parametrize(
        "line",
        [
            "import time; time.time()",
            "import datetime; datetime.date.today()",
            "import datetime; datetime.datetime.now()",
            "from datetime import date",
            "from time import time_ns",
            "import os; os.environ['SOURCE_DATE_EPOCH']",
        ],
    )
    def test_each_way_to_read_it_is_found(self, line):
        assert clocks_read(ast.parse(line))

    def test_the_suite_runs_on_one_day(self):
        assert os.environ["SOURCE_DATE_EPOCH"] == "1795737600"
        assert today() == datetime.date(2026, 11, 27)
