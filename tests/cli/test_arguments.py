"""The options that several commands share: one definition, and the same meaning everywhere."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from etcdsize import size
from etcdsize.cli.argument_parser import file_name
from etcdsize.cli.arguments import add_load
from etcdsize.cli.load_arguments import OPTIONS, add_figures, load_of
from etcdsize.cli.parser import build_parser


def parsers() -> dict[str, argparse.ArgumentParser]:
    """Return the parser of every command that runs, by its full name."""

    def walk(parser: argparse.ArgumentParser, name: str) -> dict[str, argparse.ArgumentParser]:
        found = {}
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for word, command in action.choices.items():
                    found |= walk(command, f"{name} {word}".strip())
        return found or {name: parser}

    return walk(build_parser(), "")


COMMANDS = parsers()
WITH_A_LOAD = ("size", "fit", "resources", "settings", "bootstrap")
WORDS = {"--clients": "300", "--requests-per-second": "2k", "--data": "400MB", "--kubernetes-nodes": "250"}


def load_options(command: str) -> dict[str, argparse.Action]:
    """Return the options of a load that a command has, by their longest name."""
    plain = argparse.ArgumentParser()
    add_load(plain)
    add_figures(plain)
    names = {action.dest for action in plain._actions if action.dest != "help"}
    return {
        max(action.option_strings, key=len): action for action in COMMANDS[command]._actions if action.dest in names
    }


class TestLoad:
    """These commands take the same load, and `fleet` has a column for each part of it."""

    @pytest.mark.parametrize("command", WITH_A_LOAD)
    def test_the_options_are_the_same(self, command: str) -> None:
        def described(name: str) -> dict:
            return {
                option: (action.option_strings, action.metavar, action.help, action.type, action.default, action.nargs)
                for option, action in load_options(name).items()
            }

        assert described(command) == described("size")
        others = {"--pods", "--apiservers", "--events-elsewhere", "--rollout", "--profile", "--model"}
        assert described(command).keys() == {*WORDS, *OPTIONS.values(), *others}

    @pytest.mark.parametrize("command", WITH_A_LOAD)
    def test_they_mean_the_same(self, command: str) -> None:
        words = [word for pair in WORDS.items() for word in pair]
        parsed = load_of(build_parser().parse_args([command, *words]))
        assert parsed == {
            "workload": None,
            "clients": 300,
            "requests_per_second": 2_000,
            "data_bytes": 4 * 10**8,
            "kubernetes_nodes": 250,
        }

    def test_a_fleet_has_a_column_for_each_part(self, run, tmp_path: Path) -> None:
        """By the short names of the options of `size`, too."""
        (tmp_path / "f.csv").write_text("a,b,c,d,cloud\n300,2000,400MB,250,aws\n1,1,1MB,250,aws\n")
        columns = ["clients=a", "rps=b", "data=c", "kubernetes_nodes=d"]
        words = [word for column in columns for word in ("--column", column)]
        code, out, _ = run("fleet", str(tmp_path / "f.csv"), "-o", "-", "--columns", "tier", *words)
        sizes = [
            size(clients=300, requests_per_second=2_000, data_bytes="400MB", kubernetes_nodes=250),
            size(clients=1, requests_per_second=1, data_bytes="1MB", kubernetes_nodes=250),
        ]
        assert (code, out.splitlines()) == (0, ["tier", *(one.tier for one in sizes)])


FILES = [
    (name, action)
    for name, parser in COMMANDS.items()
    for action in parser._actions
    if action.type is file_name and action.default in (None, "guide")
]


class TestNamesOfFiles:
    @pytest.mark.parametrize(("command", "action"), FILES, ids=lambda value: getattr(value, "dest", value))
    def test_an_empty_name_is_rejected(self, run, command: str, action: argparse.Action) -> None:
        """Python would read it as the current directory."""
        option = max(action.option_strings, key=len, default="")
        words = [option, ""] if option else [""]
        code, out, err = run(*command.split(), *words)
        assert (code, out) == (2, "")
        assert err == f'etcdsize: {option or action.metavar}: got "", expected the name of a file or a directory\n'
