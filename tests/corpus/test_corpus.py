"""Every input that once broke something is answered, or refused in one line; README.md says what each kind is."""

import json
from pathlib import Path

import pytest

from tests.fuzz.files import WRITERS, check_written
from tests.fuzz.options import write_files
from tests.fuzz.outcome import command
from tests.fuzz.servers import members, sound
from tests.fuzz.tables import WITH_CATALOG, WITH_TIERS

CORPUS = Path(__file__).parent
COMMANDS = [json.loads(line) for line in (CORPUS / "commands.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder with the files that every command finds in it."""
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path)
    return tmp_path


def of(*kinds):
    """Return the files of some kinds, as parameters."""
    paths = sorted(path for kind in kinds for path in (CORPUS / kind).iterdir())
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.name)


@pytest.mark.parametrize("case", COMMANDS, ids=[case["why"] for case in COMMANDS])
def test_command(case):
    ran = command(case["words"], stdin=case.get("stdin", "").encode())
    assert ran.code == case["code"], ran.err


@of("fleet", "parquet")
@pytest.mark.parametrize("kind", WRITERS)
def test_file_of_clusters(path, kind, folder):
    ran = command(["fleet", str(path), "-o", f"out.{kind}", "--json"])
    check_written(folder / f"out.{kind}", ran)


@of("tiers")
@pytest.mark.parametrize("words", WITH_TIERS, ids=" ".join)
def test_tiers(path, words):
    command([*words, "--tiers", str(path)])


@of("catalogs")
@pytest.mark.parametrize("words", WITH_CATALOG, ids=" ".join)
def test_catalog(path, words):
    command([*words, "--catalog", str(path)])


@of("targets")
def test_targets(path):
    command(["observe", "--targets", str(path), "--interval", "0", "-o", "out.csv"])


@of("answers")
def test_answer_of_a_member(path, folder):
    asked = members()
    asked.answers = [[path.read_bytes()], [sound()], [sound()]]
    command(["observe", f"127.0.0.1:{asked.ports[0]}", "--interval", "0"])
    groups = [
        {"targets": [f"127.0.0.1:{port}"], "labels": {"cluster": f"c{place}", "provider": "aws"}}
        for place, port in enumerate(asked.ports)
    ]
    (folder / "groups.json").write_text(json.dumps(groups), encoding="utf-8")
    ran = command(["observe", "--targets", "groups.json", "--interval", "0", "-o", "out.jsonl"])
    assert ran.code in (0, 1), ran.err
    bad, *others = map(json.loads, (folder / "out.jsonl").read_text(encoding="utf-8").splitlines())
    assert all(row["tier"] for row in others)
    assert bad["cluster"] == "c0"
