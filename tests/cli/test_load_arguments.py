"""The load of a command: options, ranges, Kubernetes, and a file; what contradicts is refused."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from etcdsize import Amount, OptionError, Profile, TableError, kubernetes_profile
from etcdsize.cli.arguments import add_load
from etcdsize.cli.load_arguments import OPTIONS, add_figures, profile_of


def options(*words: str) -> argparse.Namespace:
    from etcdsize.cli.argument_parser import Parser

    parser = Parser()
    add_load(parser)
    add_figures(parser)
    return parser.parse_args(words)


def profile(*words: str) -> Profile:
    return profile_of(options(*words))


class TestOptions:
    """Every option is a field of `Profile`, as a number or as a range."""

    @pytest.mark.parametrize(
        ("words", "fields"),
        [
            (["--clients", "300"], {"clients": 300}),
            (["--rps", "2k", "--data", "400MB"], {"requests_per_second": 2000, "data_bytes": 4e8}),
            (["--keys", "4e4"], {"keys": 40_000}),
            (["--keys", "200..900"], {"keys": (200, 900)}),
            (["--keys", "200..400..900", "--key-size", "60"], {"keys": (200, 400, 900), "key_bytes": 60}),
            (["--value-size", "1kB..2kB"], {"value_bytes": (1000, 2000)}),
            (["--largest-value", "1.5MiB"], {"largest_value_bytes": 1_572_864}),
            (["--writes", "1k", "--reads", "2k..3k"], {"writes_per_second": 1000, "reads_per_second": (2000, 3000)}),
            (["--history", "10m..1h"], {"history_seconds": (600, 3600)}),
            (["--watchers", "500", "--streams", "20"], {"watchers": 500, "watch_streams": 20}),
            (["--list-keys", "5000..9000", "--lists", "3"], {"list_keys": (5000, 9000), "concurrent_lists": 3}),
            (["--leases", "3000"], {"leases": 3000}),
            (["--leases", "3000", "--tls", "no"], {"leases": 3000, "tls": False}),
            (["--tls", "yes"], {"tls": True}),
        ],
    )
    def test_make_a_profile(self, words: list[str], fields: dict) -> None:
        assert profile(*words) == Profile(**fields)

    def test_each_is_a_field(self) -> None:
        assert OPTIONS.keys() <= Profile.model_fields.keys()

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["--keys", "4 0"], '--keys: got "4 0", expected a count such as "300", "2.5k" or "5.7M", or a range such '
             'as "200..900"'),
            (["--keys", "900..200"], '--keys: got "900..200", expected a count such as "300", "2.5k" or "5.7M", or a '
             'range such as "200..900"; did you mean "200..900"?'),
            (["--value-size", "1..3kB"], '--value-size: got "1..3kB", expected bytes or a size such as "8GB" or "8GiB",'
             ' or a range such as "1kB..3kB"; did you mean "1kB..3kB"?'),
            (["--history", "1d"], '--history: got "1d", expected seconds or a duration such as "10s", "500ms", "5m" or '
             '"1h", or a range such as "1h..2h"'),
            (["--writes", "-5"], '--writes: got "-5", expected requests per second such as "800", "2.5k" or "800/s", '
             'or a range such as "2k..5k"'),
            (["--pods", "30"], "--pods: cannot be used without --kubernetes-nodes; add it"),
            (["--data", "1GB", "--apiservers", "3"], "--apiservers: cannot be used without --kubernetes-nodes; add "
             "it"),
            (["--data", "1GB", "--events-elsewhere"], "--events-elsewhere: cannot be used without --kubernetes-nodes; "
             "add it"),
            (["--data", "1GB", "--rollout", "10m"], "--rollout: cannot be used without --kubernetes-nodes; add it"),
            (["--keys", "5", "--keys", "6"], "--keys: got it more than once, expected it once; leave out all but one"),
            (["--rps", "5", "--requests-per-second", "5"], "--requests-per-second: got it more than once, expected it "
             "once; leave out all but one"),
            (["--tls", "true"], '--tls: got "true", expected yes or no'),
            (["--data", "1GB", "--pods", "30"], "--pods: cannot be used without --kubernetes-nodes; add it"),
            ([], "--data: missing; add a load: one or more of --clients, --requests-per-second, --data and "
             "--kubernetes-nodes, or --profile"),
            (["--rps", "100", "--writes", "200"], "--requests-per-second: got 100, expected at least 200: 200 writes a "
             "second; correct one of them"),
            (["--nodes", "5", "--profile", "load.toml"], "--kubernetes-nodes: cannot be used with --profile; choose "
             "one of the two"),
        ],
    )  # fmt: skip
    def test_others_are_refused(self, words: list[str], message: str) -> None:
        with pytest.raises(OptionError) as caught:
            profile(*words)
        assert str(caught.value) == message
        assert caught.value.option == message.partition(":")[0]


class TestKubernetes:
    """Nodes, with or without pods, are a load; other options replace what would be assumed."""

    def test_nodes_and_pods(self) -> None:
        assert profile("--nodes", "1000") == kubernetes_profile(1000)
        assert profile("--kubernetes-nodes", "1000", "--pods", "2e4..3e4") == kubernetes_profile(1000, (2e4, 3e4))

        words = ["--nodes", "1000", "--apiservers", "5"]
        assert profile(*words) == kubernetes_profile(1000, apiservers=5)

        words = ["--nodes", "1000", "--pods", "3e4", "--events-elsewhere"]
        assert profile(*words) == kubernetes_profile(1000, 3e4, events=False)
        assert "events" not in {kind.name for kind in profile(*words).objects}

        words = ["--nodes", "1000", "--pods", "3e4", "--rollout", "10m"]
        assert profile(*words) == kubernetes_profile(1000, 3e4, rollout_seconds=600)

    def test_an_option_replaces_an_assumption(self) -> None:
        found = profile("--nodes", "1000", "--watchers", "50", "--clients", "40")
        assert (found.watchers, found.clients, found.clients_bound) == (Amount.of(50), 40, "exact")
        assert not {"watchers", "clients"} & {one.field for one in found.assumptions}
        assert found.objects == kubernetes_profile(1000).objects

    @pytest.mark.parametrize(("option", "own"), [("--keys", "a count"), ("--value-size", "values")])
    def test_what_each_kind_has_of_its_own_is_refused(self, option: str, own: str) -> None:
        with pytest.raises(OptionError) as caught:
            profile("--nodes", "1000", option, "5")
        assert str(caught.value) == (
            f"{option}: cannot be used with --kubernetes-nodes: got 5, expected none: every kind of objects has {own} "
            "of its own; leave it out"
        )


class TestFile:
    """A TOML file whose table [load] has the fields of `Profile`; an option replaces a field, and says so."""

    @pytest.fixture
    def write(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.chdir(tmp_path)
        return lambda text: Path("load.toml").write_bytes(text if isinstance(text, bytes) else text.encode())

    def test_has_any_field(self, write, capsys) -> None:
        write("""
[load]
clients = 40
value_bytes = "200..900"      # text with units
writes_per_second = [20, 50]  # low and high
keys = 40_000
tls = true
history_seconds = {low = 0, likely = 600, high = 3600}
""")
        assert profile("--profile", "load.toml") == Profile(
            clients=40, value_bytes=(200, 900), writes_per_second=(20, 50), keys=40_000, tls=True,
            history_seconds=(0, 600, 3600),
        )  # fmt: skip
        assert capsys.readouterr().err == ""

    def test_has_kinds_of_objects(self, write) -> None:
        write('[[load.objects]]\nname = "pods"\ncount = 300\nvalue_bytes = "10kB"\n'
              '[[load.objects]]\nname = "é"\ncount = 3\nvalue_bytes = 5\n')  # fmt: skip
        assert [(kind.name, kind.count.likely) for kind in profile("--profile", "load.toml").objects] == [
            ("pods", 300),
            ("é", 3),
        ]

    def test_an_option_replaces_a_field(self, write, capsys) -> None:
        write("[load]\nkeys = 40000\nvalue_bytes = 1000\n")
        assert profile("--profile", "load.toml", "--keys", "5", "--clients", "9") == Profile(
            keys=5, value_bytes=1000, clients=9
        )
        assert capsys.readouterr().err == "etcdsize: --keys replaces keys of load.toml\n"

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", 'load.toml: got no table, expected the table [load]; write [load] above the fields'),
            ("[load]", "load.toml: load: nothing known of the load, expected at least one field of Profile"),
            ("keys = 5", 'load.toml: got "keys" outside a table, expected the table [load] alone'),
            ("[lod]\nkeys = 5", 'load.toml: got the table "lod", expected the table [load] alone; did you '
             'mean "load"?'),
            ("load = 5", 'load.toml: got "load" outside a table, expected the table [load] alone; write [load] above '
             "its fields"),
            ("[load]\nkeys = 5\nkeys = 6", "load.toml: not TOML: a field or a table is in it more than once, "
             "at the end"),
            ("[load]\nkeys = 5\n[load]\nkey_bytes = 6", "load.toml: not TOML: a field or a table is in it more than "
             "once, line 3, column 6"),
            ("[load]\nkey = 5", "load.toml: load: key: unknown field; expected one of the 28 fields of Profile that "
             'docs/api.md lists; did you mean "keys"?'),
            ("[load]\nkeys = '900..200'", 'load.toml: load: keys: got "900..200", expected '),
            ("[load]\nkeys = [900, 200]", "load.toml: load: keys: got [900, 200], expected ascending numbers"),
            ("[load]\nkeys = [1, 2, 3, 4]", "load.toml: load: keys: got [1, 2, 3, 4], expected low and high, or "),
            ("[load]\nkeys = true", "load.toml: load: keys: got True of type bool, expected a number of 0 or more"),
            ("[load]\nkeys = inf", "load.toml: load: keys: got inf, expected a number of 0 or more"),
            ("[load]\nkeys = 2026-11-27", "load.toml: load: keys: got "),
            ("[load]\ntls = 'yes'", 'load.toml: load: tls: got "yes", expected true or false'),
            ("[load]\nclients = -5", "load.toml: load: clients: got -5, expected a number of 0 or more"),
            ("[load]\nkeys = \x1b[31m", "load.toml: not TOML: "),
            ("[[load.objects]]\nname = 'a'\ncount = -1\nvalue_bytes = 5", "load.toml: load: objects, row 1: count: "),
            ("[load]\nrequests_per_second = 5\nwrites_per_second = 9", "load.toml: load: requests_per_second: got 5, "
             "expected at least 9: 9 writes a second; correct one of them"),
            (b"\x80\x81", "load.toml: not text: byte 0 is not utf-8"),
            (b"\x7fELF\x02\x01\x00", "load.toml: not TOML: "),
            (b"[load]\nkeys = " + b"[" * 100_000, "load.toml: not TOML: it is nested too deeply"),
            (b".".join([b"a"] * 100_000) + b" = 1", "load.toml: not TOML as it is read here: a line has more than"),
            (b" " * 2**20 + b"\n", "load.toml: has more than 1 MiB; is it the right file?"),
        ],
        ids=lambda value: ascii(value[:24]),
    )  # fmt: skip
    def test_others_are_refused(self, write, text: str | bytes, message: str) -> None:
        write(text)
        with pytest.raises(TableError) as caught:
            profile("--profile", "load.toml")
        assert str(caught.value).startswith(message)
        assert caught.value.file == "load.toml"
        assert str(caught.value).isprintable()

    @pytest.mark.parametrize(("name", "reason"), [("no.toml", "No such file or directory"), (".", "Is a directory")])
    def test_what_is_no_file(self, write, name: str, reason: str) -> None:
        with pytest.raises(TableError) as caught:
            profile("--profile", name)
        assert str(caught.value) == f"{name}: cannot be read: {reason}"

    def test_an_option_that_contradicts_the_file_is_refused(self, write) -> None:
        write("[load]\nrequests_per_second = 100\n")
        with pytest.raises(OptionError) as caught:
            profile("--profile", "load.toml", "--writes", "200")
        assert str(caught.value) == (
            "--writes: cannot be used with load.toml: requests_per_second: got 100, expected at least 200: 200 writes "
            "a second; correct one of them"
        )
