"""Every answer that a command prints as JSON has a schema, which it matches."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from json_answers import validator
from paths import DOCS
from program import ENVIRONMENT
from servers import answering, serving

from etcdsize import Catalog, Sizing, TierTable
from etcdsize.base.text import in_words
from etcdsize.batches.columns import ANSWERS as ANSWER_COLUMNS
from etcdsize.cli.answers import ANSWERS, schema_of
from etcdsize.cli.parser import build_parser
from etcdsize.observation.rows import OBSERVED

DATA = Path(__file__).parents[1] / "data"
METRICS = (DATA / "metrics-3.4.23-before.txt").read_text()


ROWS = {"fleet-row", "observe-row"}
"""Rows have columns of their own besides; docs/ describes those of the answers."""
WITHOUT_JSON = {"calibrate", "catalog import", "terraform-external"}
"""The commands that print nothing but JSON, and need no option for it."""


def commands_with(option: str) -> set[str]:
    """Return the names of the commands that have an option."""

    def walk(parser: argparse.ArgumentParser, name: str) -> set[str]:
        found = {name} if option in parser._option_string_actions else set()
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for word, command in action.choices.items():
                    found |= walk(command, f"{name} {word}".strip())
        return found

    return walk(build_parser(), "")


def check(name: str, text: str) -> dict:
    """Return an answer that matches its schema."""
    answer = json.loads(text)
    validator(name).validate(answer)
    assert validator(name).schema["$id"] == f"urn:etcdsize:schema:{name}:{answer['format_version']}"
    return answer


class TestSchemas:
    def test_every_command_with_json_has_one(self) -> None:
        assert commands_with("--json") == {answer.command for answer in ANSWERS.values()} - WITHOUT_JSON - {""}

    @pytest.mark.parametrize("name", ANSWERS)
    def test_the_command_prints_the_committed_schema(self, run, name: str) -> None:
        code, out, err = run("schema", name)
        assert (code, err) == (0, "")
        assert out == (DOCS / "schemas" / f"{name}.json").read_text(encoding="utf-8")

    @pytest.mark.parametrize("name", ANSWERS)
    def test_is_of_draft_2020_12_and_names_itself(self, name: str) -> None:
        schema = schema_of(name)
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["$schema"] == jsonschema.Draft202012Validator.META_SCHEMA["$id"]
        assert schema["$id"] == f"urn:etcdsize:schema:{name}:1"

    @pytest.mark.parametrize("name", ANSWERS)
    def test_no_object_has_other_fields_than_those_described(self, name: str) -> None:
        """An object lists its fields, or it maps names to values of one kind."""
        schema = schema_of(name)
        for part in (schema, *schema.get("$defs", {}).values()):
            if part.get("type") == "object":
                assert (part["additionalProperties"] is False) == (name not in ROWS)
                assert part["properties"]

    @pytest.mark.parametrize("name", ANSWERS)
    def test_every_field_is_described(self, name: str) -> None:
        schema = schema_of(name)
        if name in ROWS:
            return
        for part in (schema, *schema.get("$defs", {}).values()):
            for field, described in part.get("properties", {}).items():
                assert described.get("description"), (part["title"], field)

    def test_without_a_name_they_are_listed(self, run) -> None:
        code, out, err = run("schema")
        assert (code, err) == (0, "")
        assert [line.split()[0] for line in out.splitlines()] == list(ANSWERS)

    def test_an_unknown_name_is_rejected(self, run) -> None:
        code, out, err = run("schema", "sise")
        assert (code, out) == (2, "")
        assert err == f'etcdsize: NAME: got "sise", expected {in_words(ANSWERS, "or")}; did you mean "size"?\n'


LOAD = ["--clients", "300", "--rps", "800", "--data", "400MB"]
HOSTS = ["--host", "a=10.0.0.1", "--host", "b=10.0.0.2", "--zone", "a=x", "--zone", "b=y"]
COMMANDS = [
    ("size", LOAD),
    ("size", ["--clients", "300"]),
    ("size", ["--data", "0"]),
    ("size", ["--data", "100GB", "--catalog", "current", "--members", "2"]),
    ("size", ["--kubernetes-nodes", "250", "--provider", "gcp"]),
    ("size", [*LOAD, "--kubernetes-nodes", "5000", "--headroom", "30%", "--tiers", "etcd.io"]),
    ("size", ["--clients", "1e300", "--rps", "0.001", "--catalog", "guide-as-printed"]),
    ("fit", ["--tier", "small"]),
    ("fit", ["--tier", "xlarge", "--arch", "any", "--limit", "400"]),
    ("fit", ["--tier", "medium", "--rejected"]),
    ("fit", ["--tier", "xlarge", "--family", "c5", "--provider", "aws"]),
    ("fit", ["--tier", "xlarge", "--family", "c5", "--provider", "aws", "--rejected"]),
    ("fit", ["--tier", "medium", "--region", "us-central1"]),
    ("fit", [*LOAD, "--catalog", "guide", "--newest"]),
    ("fit", ["--kubernetes-nodes", "250", "--disk", "io2", "--provider", "aws"]),
    ("resources", LOAD),
    ("resources", ["--keys", "5.7e6", "--value-size", "1kB..3kB", "--quota", "1GB", "--etcd-version", "3.4"]),
    ("resources", ["--kubernetes-nodes", "250", "--pods", "3000..9000", "--fsync", "2ms", "--explain"]),
    ("settings", LOAD),
    ("settings", ["--data", "100GB", "--etcd-version", "3.4"]),
    ("settings", ["--kubernetes-nodes", "5", "--kubernetes", "--peer-rtt-ms", "150", "--etcd-version", "3.6.14"]),
    ("runbook", ["--local", "1"]),
    ("runbook", [*HOSTS, "--tls-dir", "/pki", "--tier", "large", "--kubernetes", "--etcd-version", "3.5.33"]),
    ("runbook", [*HOSTS, "--etcd-version", "3.4", "--data-dir", "/d", "--token", "t"]),
    ("tiers", []),
    ("tiers", ["--tiers", "etcd.io"]),
    ("machines", []),
    ("machines", ["--catalog", "guide-as-printed"]),
    ("machines", ["--catalog", "current", "--sort", "price"]),
    ("machines", ["--catalog", "current", "--provider", "gcp", "--arch", "arm64"]),
]


class TestAnswers:
    @pytest.mark.parametrize(("command", "arguments"), COMMANDS, ids=[" ".join([one, *more]) for one, more in COMMANDS])
    def test_matches_its_schema(self, run, command: str, arguments: list[str]) -> None:
        code, out, err = run(command, *arguments, "--json")
        assert code in (0, 1)
        assert err == ""
        check(command, out)

    @pytest.mark.parametrize(
        ("rows", "options"),
        [
            ("clients,rps,data,provider\n", []),
            ("clients,rps,data,provider\n90,150,80MB,aws\n300,800,400MB,gcp\n,x,1GB,aws\n9,9,12,aws\n", []),
            ("clients,rps,data,cloud\n90,150,80MB,aws\n1501,9,1,aws\n", ["--catalog", "current", "--headroom", "30%"]),
            ("conns,load\n90,150\n", ["--column", "clients=conns", "--column", "rps=load", "--unknown", "data",
                                      "--provider", "aws"]),
            ("clients,rps,data,cloud,current_machine\n90,150,80MB,aws,m8i.large\n9,9,9MB,aws,m8i.4xlarge\n"
             "900,9000,9GB,aws,m8i.large\n9,9,9MB,aws,x9\n9,9,9MB,gcp,n2-standard-8\n,,,aws,\n", []),
        ],
    )  # fmt: skip
    def test_a_fleet_matches_its_schema(self, run, tmp_path: Path, rows: str, options: list[str]) -> None:
        path = tmp_path / "fleet.csv"
        path.write_text(rows)
        code, out, err = run("fleet", str(path), "--json", *options)
        assert code in (0, 1)
        assert err == ""
        check("fleet", out)
        output = tmp_path / "rows.jsonl"
        run("fleet", str(path), "-o", str(output), *options)
        for line in output.read_text().splitlines():
            row = json.loads(line)
            validator("fleet-row").validate(row)
            assert set(ANSWER_COLUMNS) <= row.keys()
        # With rows on standard output, the summary goes to standard error.
        check("fleet", run("fleet", str(path), "--json", "-o", "-", *options)[2])

    @pytest.mark.parametrize("metrics", [METRICS, "not metrics"], ids=["known", "unknown"])
    def test_an_observed_cluster_matches_its_schema(self, run, metrics: str) -> None:
        with serving(answering(metrics)) as port:
            code, out, err = run("observe", f"127.0.0.1:{port}", "--interval", "0", "--json")
        answer = check("observe", out)
        # The metrics are of one of three members.
        assert (code, err) == (1, "")
        assert (answer["sizing"] is not None) == (metrics == METRICS)

    def test_many_observed_clusters_match_their_schema(self, run, tmp_path: Path) -> None:
        with serving(answering(METRICS)) as port:
            targets = [
                {
                    "targets": [f"127.0.0.1:{port}"],
                    "labels": {"cluster": "a", "provider": "aws", "current_machine": "m8i.large"},
                },
                {"targets": ["127.0.0.1:1"], "labels": {"cluster": "b", "provider": "aws"}},
            ]
            path = tmp_path / "targets.json"
            path.write_text(json.dumps(targets))
            rows = tmp_path / "rows.jsonl"
            words = ["--targets", str(path), "--interval", "0", "--json", "-o", str(rows)]
            code, out, err = run("observe", *words)
        for line in rows.read_text().splitlines():
            validator("observe-row").validate(json.loads(line))
            assert OBSERVED.keys() | set(ANSWER_COLUMNS) <= json.loads(line).keys()
        assert (code, err) == (1, "")
        assert check("observe-targets", out)["partial"] == 1

    @pytest.mark.parametrize(("origin", "file"), [("aws", "aws-describe-instance-types.json"),
                                                  ("gcloud", "gcloud-machine-types.json")])  # fmt: skip
    def test_an_imported_catalog_matches_its_schema(self, run, tmp_path: Path, origin: str, file: str) -> None:
        printed = run("catalog", "import", "--from", origin, str(DATA / file), "-o", "-")[1]
        check("catalog", printed)
        path = tmp_path / "mine.json"
        run("catalog", "import", "--from", origin, str(DATA / file), "-o", str(path))
        assert path.read_text(encoding="utf-8") == printed
        check("machines", run("machines", "--catalog", str(path), "--json")[1])

    @pytest.mark.parametrize("query", [{"clients": "9"}, {"data": "4GB", "catalog": "current", "hosts": "a=n1,b=n2"}])
    def test_an_answer_to_terraform_matches_its_schema(self, query: dict[str, str]) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "etcdsize", "terraform-external"],
            input=json.dumps(query),
            capture_output=True,
            text=True,
            env=ENVIRONMENT,
            check=True,
            timeout=60,
        )
        check("terraform-external", done.stdout)

    def test_what_is_printed_can_be_read_back(self, run) -> None:
        for model, words in ((Sizing, ["size", *LOAD]), (TierTable, ["tiers"]), (Catalog, ["machines"])):
            text = run(*words, "--json")[1]
            assert model.model_validate_json(text).model_dump_json(indent=2) + "\n" == text

    def test_another_format_version_is_rejected(self, run, tmp_path: Path) -> None:
        path = tmp_path / "tiers.json"
        path.write_text(run("tiers", "--json")[1].replace('"format_version": 1', '"format_version": 2'))
        code, _, err = run("tiers", "--tiers", str(path))
        assert (code, err) == (2, f"etcdsize: {path}: format_version: got 2, expected 1\n")


class TestRejected:
    """`fit` counts the machines that are not enough, and lists them only with --rejected."""

    @pytest.mark.parametrize("words", [["--tier", "medium"], ["--tier", "xlarge", "--family", "c5"]])
    def test_the_machines_are_only_listed_if_asked_for(self, run, words: list[str]) -> None:
        short = check("fit", run("fit", *words, "--json")[1])
        full = check("fit", run("fit", *words, "--json", "--rejected")[1])
        assert short["rejected"] == []
        assert short == {**full, "rejected": []}
        assert len(full["rejected"]) == full["rejected_count"] == sum(full["rejected_by_reason"].values())

    def test_one_candidate_is_a_short_answer(self, run) -> None:
        assert len(run("fit", "--tier", "medium", "--limit", "1", "--json")[1]) < 10_000
