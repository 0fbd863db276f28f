"""With --json, every error is one JSON object on one line of standard error, with the exit code that it has without."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from program import ENVIRONMENT

import etcdsize.cli.tiers
from etcdsize import EtcdSizeError, UnitError, errors, load_catalog, parse_bytes
from etcdsize.base.checks import one_of
from etcdsize.base.text import safe_json
from etcdsize.cli.error_report import CODES, FaultError, OutOfMemoryError, UsageError, error_json, error_schema

SCHEMA = jsonschema.Draft202012Validator(error_schema())

# Every class of errors, with every attribute filled in.
ERRORS = [
    (errors.EtcdSizeError("it is wrong"), {"code": "error", "where": None, "got": None, "expected": None}),
    (
        errors.UnitError('got "8 GBs", expected bytes', text="8 GBs", accepted="bytes", suggestion="8GB"),
        {"code": "unit", "where": None, "got": "8 GBs", "expected": "bytes"},
    ),
    (
        errors.InvalidWorkloadError(
            "clients: got -1.5, expected a number of 0 or more", dimension="clients", index=(3, 4), value=-1.5, count=7
        ),
        {"code": "workload", "where": "clients", "got": -1.5, "expected": "a number of 0 or more"},
    ),
    (
        errors.WorkloadTypeError("data_bytes: got True, expected a number", dimension="data_bytes", value=True),
        {"code": "workload-type", "where": "data_bytes", "got": True, "expected": "a number"},
    ),
    (
        errors.OptionError('--x: got "a", expected b or c; did you mean "b"?', option="--x", value="a"),
        {"code": "option", "where": "--x", "got": "a", "expected": "b or c"},
    ),
    (
        errors.PlanError('member "a": zone: got "", expected text', member="a", field="zone", value=""),
        {"code": "plan", "where": 'member "a": zone', "got": "", "expected": "text"},
    ),
    (
        errors.ColumnError("f.csv: clients: has no column", option="clients", value=None),
        {"code": "column", "where": "clients", "got": None, "expected": None},
    ),
    (
        errors.TableError("t.json: row 2, vcpus: missing", file="t.json", row=2, field="vcpus"),
        {"code": "table", "where": "t.json: row 2, vcpus", "got": None, "expected": None},
    ),
    (
        errors.FleetFileError(
            'f.csv: line 4127: got 2 cells, expected 3 as in the header: "1,1"', file="f.csv", line=4127, column="x"
        ),
        {
            "code": "fleet-file",
            "where": "f.csv: line 4127",
            "got": "2 cells",
            "expected": '3 as in the header: "1,1"',
        },
    ),
    (
        errors.ScrapeError("a:2379: no metrics", endpoint="a:2379", line=7, metric="etcd_server_id"),
        {"code": "scrape", "where": "a:2379: line 7, etcd_server_id", "got": None, "expected": None},
    ),
    (
        errors.CalibrationError(
            "/bin/true: got a program whose --version prints no version, expected an etcd", program="/bin/true"
        ),
        {
            "code": "calibration",
            "where": "/bin/true",
            "got": "a program whose --version prints no version",
            "expected": "an etcd",
        },
    ),
    (
        errors.MissingDependencyError(package="pyarrow", extra="fleet"),
        {"code": "missing-dependency", "where": None, "got": None, "expected": None},
    ),
    (
        UsageError('etcdsize: unknown command "sise"', command="etcdsize", value="sise"),
        {"code": "usage", "where": "etcdsize", "got": "sise", "expected": None},
    ),
    (OutOfMemoryError("memory ran out"), {"code": "memory", "where": None, "got": None, "expected": None}),
    (FaultError("KeyError: 1"), {"code": "fault", "where": None, "got": None, "expected": None}),
]


def read(text: str) -> dict:
    """Return an error that is one line of JSON and matches its schema."""
    assert text.splitlines() == [text[:-1]]
    assert safe_json(text[:-1]) == text[:-1]
    error = json.loads(text)
    SCHEMA.validate(error)
    return error


class TestEveryError:
    def test_each_class_has_a_code_of_its_own(self) -> None:
        kinds = {getattr(errors, name) for name in errors.__all__} | {UsageError, OutOfMemoryError, FaultError}
        assert {type(error) for error, _ in ERRORS} == kinds == set(CODES.values())
        assert all(kind.code == code for code, kind in CODES.items())
        assert all("code" in vars(kind) for kind in kinds)

    @pytest.mark.parametrize(("error", "parts"), ERRORS, ids=lambda value: type(value).__name__)
    def test_as_json(self, error: EtcdSizeError, parts: dict) -> None:
        found = read(error_json(error))
        assert {name: found[name] for name in parts} == parts
        assert found["message"] == error.message
        assert found["attributes"] == json.loads(json.dumps({name: vars(error).get(name, getattr(error, name))
                                                             for name in found["attributes"]}))  # fmt: skip
        assert vars(error).keys() - {"message"} <= found["attributes"].keys()

    @examples(50)
    @given(st.text(max_size=50))
    def test_any_text_is_quoted(self, text: str) -> None:
        """`got` is the text itself, whatever words of a message it contains."""
        with pytest.raises(UnitError) as unread:
            parse_bytes(f"{text}!")
        found = read(error_json(unread.value))
        assert (found["got"], found["expected"]) == (f"{text}!", unread.value.accepted)
        # Text with the words of a message in it.
        with pytest.raises(EtcdSizeError) as caught:
            one_of("--x", f"{text}: got 1, expected 2; ", ("b", "c"))
        found = read(error_json(caught.value))
        assert (found["where"], found["got"]) == ("--x", f"{text}: got 1, expected 2; ")
        assert found["expected"] == "b or c"

    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            (2**64, str(2**64)),
            (float("nan"), "nan"),
            (("aws", 1, None), ["aws", 1, None]),
            (["a", [1, 2]], ["a", "[1, 2]"]),
            ([1] * 101, str([1] * 101)[:57] + "..."),
            ({"a": 1}, "{'a': 1}"),
            ("\udcff\x9b31m", "\\udcff\x9b31m"),
            ("x" * 5_000, "x" * 997 + "..."),
            (10**5_000, "a number too long to print, of type int"),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_any_value_becomes_json(self, value: object, shown: object) -> None:
        found = read(error_json(errors.OptionError("--x: is wrong", option="--x", value=value)))
        assert found["got"] == found["attributes"]["value"] == shown


COMMANDS = [
    ["size"],
    ["size", "--clients", "x"],
    ["size", "--clients", "1\n2"],
    ["size", "--clients", "9" * 5_000],
    ["size", "--clients", "1", "--provider", "\udcff"],
    ["size", "--data", "8 GBs"],
    ["size", "--clients", "1", "--headroom", "30"],
    ["size", "--clients", "1", "--members", "0"],
    ["size", "--clients", "1", "--provider", "awz"],
    ["size", "--clients", "1", "--tiers", "giude"],
    ["size", "--clients", "1", "--catalog", "broken.json"],
    ["fit", "--tier", "tiny"],
    ["fit", "--tier", "small", "--clients", "1"],
    ["fit", "--tier", "small", "--family", "x"],
    ["fit"],
    ["resources"],
    ["resources", "--keys", "9..5"],
    ["resources", "--profile", "broken.json"],
    ["settings"],
    ["settings", "--data", "4GB", "--etcd-version", "2.3"],
    ["fleet", "no.csv"],
    ["fleet", "ragged.csv", "--provider", "aws"],
    ["fleet", "empty.csv"],
    ["fleet", "other.csv", "--provider", "aws"],
    ["fleet", "no.csv", "--margin", "2"],
    ["runbook"],
    ["runbook", "--local", "0"],
    ["runbook", "--host", "a=http://10.0.0.1"],
    ["observe"],
    ["observe", "http://a:99999"],
    ["observe", "--targets", "broken.json"],
    ["observe", "a:1", "--interval", "2h"],
    ["tiers", "--tiers", "broken.json"],
    ["tiers", "--tiers", "row.json"],
    ["machines", "--catalog", "."],
    ["machines", "--family", "x"],
]
USAGE = [
    ["--versio"],
    ["sise"],
    ["size", "--client", "3"],
    ["size", "--bad\nflag"],
    ["size", "--clients"],
    ["size", "--strict=1"],
    ["size", "extra"],
    ["fleet"],
    ["catalog", "imprt"],
    ["\udcff"],
]


def title(words: list[str]) -> str:
    return ascii(" ".join(words))[:60]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "row.json").write_text(load_catalog("guide").model_dump_json())
    (tmp_path / "ragged.csv").write_text("clients,rps,data\n1,1,1\n1,1\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    return tmp_path


class TestCommands:
    @pytest.mark.parametrize("words", COMMANDS, ids=title)
    def test_an_error_says_the_same_as_text_and_as_json(self, run, folder: Path, words: list[str]) -> None:
        code, out, line = run(*words)
        assert (code, out) == (2, "")
        code, out, err = run(*words, "--json")
        found = read(err)
        assert (code, out) == (2, "")
        assert f"etcdsize: {found['message']}\n" == line
        assert found["code"] not in ("fault", "error", "usage")
        assert found["traceback"] is None
        assert any(found[part] is not None for part in ("where", "got", "expected"))

    @pytest.mark.parametrize("words", USAGE, ids=title)
    def test_a_command_line_that_is_not_understood(self, run, words: list[str]) -> None:
        code, out, line = run(*words)
        assert (code, out) == (2, "")
        code, out, err = run(*words, "--json")
        found = read(err)
        assert (code, out, found["code"]) == (2, "", "usage")
        assert f"{found['message']}\n" == line
        assert found["where"] == found["attributes"]["command"]

    def test_an_option_json_that_a_command_does_not_have(self, run) -> None:
        """It asks for JSON all the same."""
        found = read(run("bootstrap", "--local", "1", "--json")[2])
        assert (found["code"], found["where"], found["got"]) == ("usage", "etcdsize bootstrap", "--json")

    def test_terraform_expects_1(self, run) -> None:
        code, _, err = run("terraform-external", "--json")
        assert (code, read(err)["code"]) == (1, "usage")

    def test_what_follows_two_hyphens_is_no_option(self, run) -> None:
        code, _, err = run("fleet", "--", "no.csv", "--json")
        assert code == 2
        assert not err.startswith("{")

    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (OverflowError("too\nlarge"), "fault"),
            (BaseException("of a library"), "fault"),
            (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"), "fault"),
            (MemoryError(), "memory"),
            (OSError(12, "Cannot allocate memory"), "memory"),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_what_is_not_foreseen(self, run, monkeypatch, error: BaseException, code: str) -> None:
        def fail(options: object) -> int:
            raise error

        monkeypatch.setattr(etcdsize.cli.tiers, "run", fail)
        line = run("tiers")[2]
        exit_code, out, err = run("tiers", "--json")
        found = read(err)
        assert (exit_code, out, found["code"]) == (2, "", code)
        assert f"etcdsize: {found['message']}\n" == line

    def test_the_traceback_is_in_the_object(self, run) -> None:
        found = read(run("size", "--clients", "x", "--debug", "--json")[2])
        assert found["traceback"][0] == "Traceback (most recent call last):"

    def test_a_package_that_does_not_load(self, tmp_path: Path) -> None:
        """No model is needed to report an error."""
        (tmp_path / "pydantic.py").write_text("raise RuntimeError('broken')")
        path = f"{tmp_path}{os.pathsep}{ENVIRONMENT['PYTHONPATH']}"
        done = subprocess.run(
            [sys.executable, "-m", "etcdsize", "tiers", "--json"],
            env=ENVIRONMENT | {"PYTHONPATH": path, "LC_ALL": "C", "PYTHONUTF8": "0"},
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=60,
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert read(done.stderr)["code"] == "fault"
