"""The documentation is true: every example runs, and every command, public name and notice is documented."""

from __future__ import annotations

import argparse
import doctest
import importlib
import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from paths import DOCS, ROOT
from program import ENVIRONMENT

import etcdsize
from etcdsize.base.notice import KINDS
from etcdsize.cli.answers import ANSWERS
from etcdsize.cli.parser import build_parser

ROOMS = Path(etcdsize.__file__).parent
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("cli/*.md"))]
FIRST_PAGES = ("README.md", "docs/from-your-inventory.md")
EVERY_PAGE = [*PAGES, ROOT / "CHANGELOG.md", *sorted(set(DOCS.glob("*/**/*.md")) - set(PAGES))]

INSTALL = (
    "python3 -m venv .venv && .venv/bin/pip install '.[fleet]' && .venv/bin/etcdsize fleet docs/examples/fleet.csv"
)
TEST = "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/python -m pytest"
NOT_RUN = {("README.md", INSTALL), ("README.md", TEST)}
"""The commands that the tests do not run, because they install packages."""

BLOCK = re.compile(r"(?P<marker><!-- not run: [^\n]*-->\n)?^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.M | re.S)


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path, kind: str, marked: bool = False) -> list[str]:
    found = BLOCK.finditer(path.read_text(encoding="utf-8"))
    return [match["text"] for match in found if match["kind"] == kind and bool(match["marker"]) == marked]


def commands(block: str) -> list[tuple[str, str]]:
    """Return the commands of a console block, each with what is printed below it."""
    assert block.startswith("$ "), block
    parts = re.split(r"^\$ ", block, flags=re.M)[1:]
    return [(command, output) for command, _, output in (part.partition("\n") for part in parts)]


def run_block(block: str, directory: Path, last: int = 0) -> tuple[str, int]:
    """Run a console block. Return it with the real output, and the exit code of its last command."""
    printed = ""
    for command, _ in commands(block):
        done = subprocess.run(
            # Start with the exit code of the previous command, for `echo $?`.
            ["bash", "-c", f"(exit {last}); {command}"],
            cwd=directory,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
            timeout=120,
        )
        last = done.returncode
        output = done.stdout if done.stdout.endswith("\n") or not done.stdout else done.stdout + "\n"
        printed += f"$ {command}\n{output}"
    return printed, last


class TestExamples:
    """Every example in the documentation runs and prints the output shown below it."""

    # A page's commands are a process each. Those of the first pages run with the quick tests.
    @pytest.mark.parametrize(
        "path",
        [
            pytest.param(path, id=relative(path), marks=() if relative(path) in FIRST_PAGES else pytest.mark.slow)
            for path in PAGES
            if blocks(path, "console")
        ],
    )
    def test_commands(self, path: Path, tmp_path: Path) -> None:
        shutil.copytree(DOCS, tmp_path / "docs")
        for block in blocks(path, "console"):
            printed, _ = run_block(block, tmp_path)
            assert printed == block

    @pytest.mark.parametrize("path", [path for path in PAGES if blocks(path, "python")], ids=relative)
    def test_python(self, path: Path) -> None:
        names: dict[str, object] = {}
        runner = doctest.DocTestRunner()
        for number, block in enumerate(blocks(path, "python"), 1):
            if ">>>" in block:
                test = doctest.DocTestParser().get_doctest(block, names, f"{path.name}[{number}]", str(path), 0)
                assert test.examples
                runner.run(test, clear_globs=False)
                names.update(test.globs)
            else:
                exec(compile(block, f"{path.name}[{number}]", "exec"), names)
        assert runner.summarize().failed == 0

    def test_only_commands_that_install_are_not_run(self) -> None:
        marked = {
            (relative(path), match["text"].strip())
            for path in PAGES
            for match in BLOCK.finditer(path.read_text(encoding="utf-8"))
            if match["marker"]
        }
        assert marked == NOT_RUN

    def test_every_other_block_runs(self) -> None:
        kinds = {
            match["kind"]
            for path in PAGES
            for match in BLOCK.finditer(path.read_text(encoding="utf-8"))
            if not match["marker"]
        }
        # `text` is generated help, `mermaid` a drawing.
        assert kinds <= {"console", "python", "text", "mermaid"}


class TestReadme:
    """Two commands, each on one line: one sizes the example fleet, the other runs the tests."""

    text = (ROOT / "README.md").read_text(encoding="utf-8")

    @pytest.mark.parametrize("command", [INSTALL, TEST], ids=["fleet", "tests"])
    def test_each_command_is_one_line(self, command: str) -> None:
        assert self.text.splitlines().count(command) == 1
        assert self.text.count(command) == 1

    def test_ci_runs_both_commands(self) -> None:
        """CI finds each command with grep, as the first line that contains its program."""
        script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
        wanted = re.findall(r"grep -m 1 -F '([^']+)' README\.md", script)
        found = [next(line for line in self.text.splitlines() if text in line) for text in wanted]
        assert sorted(found) == sorted([INSTALL, TEST])


class TestGenerated:
    """The generated parts of the documentation are up to date."""

    def test_generate_changes_nothing(self) -> None:
        done = subprocess.run(
            [sys.executable, DOCS / "generate.py", "--check"],
            env=ENVIRONMENT,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)

    def test_every_file_of_a_schema_is_generated(self) -> None:
        assert {path.stem for path in (DOCS / "schemas").iterdir()} == set(ANSWERS)


def cli_commands() -> dict[str, argparse.ArgumentParser]:
    for action in build_parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    raise AssertionError("no commands")


class TestEverythingIsDocumented:
    """A command, a public name or a notice that is not documented fails here."""

    @pytest.mark.parametrize("command", cli_commands())
    def test_command_is_documented(self, command: str) -> None:
        page = DOCS / "cli" / f"{command}.md"
        text = page.read_text(encoding="utf-8")
        assert text.startswith(f"# etcdsize {command}\n")
        shown = [line for block in blocks(page, "console") for line, _ in commands(block)]
        assert any(re.search(rf"\betcdsize {command}\b", line) for line in shown), "no example"

    @pytest.mark.parametrize("command", cli_commands())
    def test_every_option_has_help(self, command: str) -> None:
        parser = cli_commands()[command]
        assert parser.description
        assert [action.dest for action in parser._actions if not action.help] == []

    @pytest.mark.parametrize("name", etcdsize.__all__)
    def test_public_name_is_documented(self, name: str) -> None:
        page = (DOCS / "api.md").read_text(encoding="utf-8")
        # A model or a structure has a heading; functions, errors and values have a row.
        entry = rf"\| `{name}\(" if inspect.isfunction(getattr(etcdsize, name)) else rf"(### {name}$|\| `{name}` \|)"
        assert re.search(f"^{entry}", page, re.M)

    @pytest.mark.parametrize("name", [name for name in etcdsize.__all__ if name not in ("INVALID", "__version__")])
    def test_public_name_has_a_docstring(self, name: str) -> None:
        thing = getattr(etcdsize, name)
        assert not inspect.ismodule(thing)
        assert inspect.getdoc(thing)

    def test_notices_are_documented(self) -> None:
        for path in ROOMS.rglob("notices.py"):
            importlib.import_module(f"etcdsize.{path.parent.name}.notices")
        page = (DOCS / "notices.md").read_text(encoding="utf-8")
        row = r"^\| `([a-z-]+)` \| ([a-z- ]+) \| [^|]+ \| [^|]+ \| ([^|]+) \|$"
        rows = {code: (severity, cited.replace("`", "")) for code, severity, cited in re.findall(row, page, re.M)}
        assert set(rows) == set(KINDS)
        for code, kind in KINDS.items():
            severities, cited = rows[code]
            assert kind.severity in severities.split(" or "), code
            if "/" in kind.source:  # not "our choice", nor the source of a row of a table
                assert cited == kind.source.removeprefix("etcd-io/website content/en/docs/v3.5/"), code

    def test_fields_of_the_answer_are_in_the_glossary(self) -> None:
        page = (DOCS / "glossary.md").read_text(encoding="utf-8")
        for field in ("quorum", "failure tolerance", "utilization", "headroom", "forced by", "tightest", "notice"):
            assert re.search(rf"^\| {field} \|", page, re.M), field
            assert len(re.findall(rf"^\| {field} \|", page, re.M)) == 1, field

    def test_glossary_has_each_word_once(self) -> None:
        words = re.findall(r"^\| (.+?) \|", (DOCS / "glossary.md").read_text(encoding="utf-8"), re.M)
        terms = [word for word in words if word not in ("word", "---")]
        assert len(terms) == len(set(terms))


class TestLinks:
    """Every link to a file or a heading in the repository works."""

    @pytest.mark.parametrize("path", EVERY_PAGE, ids=relative)
    def test_links(self, path: Path) -> None:
        text = BLOCK.sub("", path.read_text(encoding="utf-8"))
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            page = (path.parent / name).resolve() if name else path
            assert page.exists(), target
            if anchor:
                assert anchor in anchors(page), target


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", BLOCK.sub("", page.read_text(encoding="utf-8")), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
