"""Every command with a load takes what is known of it besides the dimensions and nodes, and no option for nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from calibrated import model_with, write_model

from etcdsize import EtcdSettings, Fit, Profile, Sizing, fit, kubernetes_profile, resources_for, settings_for, size
from etcdsize.cli.load_arguments import OPTIONS
from etcdsize.reports.resources import render_resources
from etcdsize.reports.settings import render_settings
from etcdsize.reports.sizing import render_sizing

PROFILE = Profile(clients=50, keys=5_700_000, value_bytes=1000, writes_per_second=(20, 50), watchers=500)
WORDS = ["--clients", "50", "--keys", "5.7e6", "--value-size", "1kB", "--writes", "20..50", "--watchers", "500"]
FILE = '[load]\nclients = 50\nkeys = 5700000\nvalue_bytes = "1kB"\nwrites_per_second = "20..50"\nwatchers = 500\n'


class TestTheSameLoad:
    """As options, as a file and in Python."""

    @pytest.fixture(params=["options", "file"])
    def words(self, request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
        path = tmp_path / "load.toml"
        path.write_text(FILE)
        return WORDS if request.param == "options" else ["--profile", str(path)]

    def test_is_sized_alike(self, run, words: list[str]) -> None:
        expected = size(PROFILE)
        assert run("size", *words) == (0, render_sizing(expected), "")
        assert Sizing.model_validate_json(run("size", *words, "--json")[1]) == expected

    def test_fits_the_same_machines(self, run, words: list[str]) -> None:
        code, out, err = run("fit", *words, "--json", "--rejected", "--limit", "3")
        assert (code, err) == (0, "")
        assert Fit.model_validate_json(out) == fit(size(PROFILE), limit=3)

    def test_gets_the_same_settings(self, run, words: list[str]) -> None:
        expected = settings_for(size(PROFILE))
        assert run("settings", *words) == (0, render_settings(expected), "")
        assert EtcdSettings.model_validate_json(run("settings", *words, "--json")[1]) == expected

    def test_starts_with_the_quota_of_the_settings(self, run, words: list[str]) -> None:
        quota = settings_for(size(PROFILE)).settings["quota-backend-bytes"].value
        code, out, _ = run("bootstrap", "--local", "1", *words)
        assert (code, f"--quota-backend-bytes {quota}" in out or f"--quota-backend-bytes={quota}" in out) == (0, True)


class TestKubernetes:
    @pytest.mark.parametrize("command", ["size", "fit", "settings"])
    def test_pods_count(self, run, command: str) -> None:
        few, many = (run(command, "--nodes", "500", "--pods", pods, "--json")[1] for pods in ("500", "100000"))
        assert json.loads(few) != json.loads(many)

    @pytest.mark.parametrize("more", [["--pods", "3000"], ["--reads", "500"], ["--watchers", "9"]])
    def test_a_known_dimension_stands_beside_what_nodes_suggest(self, run, more: list[str]) -> None:
        words = ["--clients", "100", "--nodes", "250", *more]
        code, out, _ = run("size", *words)
        sizing = Sizing.model_validate_json(run("size", *words, "--json")[1])
        assert (code, sizing.utilization) == (0, {"clients": 0.2})
        assert out.count("at most 500") == sizing.explain().count("at most 500") == 1
        assert sizing.explain().startswith("100 clients and a Kubernetes cluster of 250 nodes need the medium tier.")

    def test_are_sized_as_nodes_and_as_a_load(self, run) -> None:
        expected = size(kubernetes_profile(500, 30_000), kubernetes_nodes=500)
        assert run("size", "--nodes", "500", "--pods", "30000") == (0, render_sizing(expected), "")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--keys", "9e5"),
        ("--key-size", "200"),
        ("--value-size", "4kB"),
        ("--largest-value", "1MB"),
        ("--writes", "300"),
        ("--reads", "5"),
        ("--history", "1h..2h"),
        ("--list-keys", "90000"),
        ("--lists", "30"),
        ("--watchers", "90000"),
        ("--streams", "9000"),
        ("--leases", "90000"),
        ("--tls", "no"),
    ],
)
def test_every_option_changes_what_the_load_takes(run, option: str, value: str) -> None:
    """An option that is accepted without any effect would be a wrong answer given in silence."""
    assert option in OPTIONS.values()
    base = ["--clients", "100", "--rps", "500", "--data", "1GB"]
    plain = resources_for(Profile(clients=100, requests_per_second=500, data_bytes=1e9))
    answer = json.loads(run("resources", *base, option, value, "--json")[1])
    groups = ("file", "memory", "disk", "network", "cpu", "seconds")
    assert any(answer[group] != json.loads(plain.model_dump_json())[group] for group in groups)


@pytest.mark.parametrize("command", ["size", "fit", "settings", "bootstrap"])
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--pods", "30"], "--pods: cannot be used without --kubernetes-nodes; add it"),
        (["--keys", "9..5"], '--keys: got "9..5", expected a count'),
        (["--profile", "no.toml"], "no.toml: cannot be read: No such file or directory"),
        (["--nodes", "5", "--keys", "5"], "--keys: cannot be used with --kubernetes-nodes: got 5, expected none"),
        (["--rps", "10", "--writes", "50"], "--requests-per-second: got 10, expected at least 50: 50 writes a second"),
    ],
)
def test_what_contradicts_is_refused(run, command: str, words: list[str], message: str) -> None:
    local = ["--local", "1"] if command == "bootstrap" else []
    code, out, err = run(command, *local, *words)
    assert (code, out) == (2, "")
    assert err.startswith(f"etcdsize: {message}")
    assert len(err.splitlines()) == 1


class TestModel:
    """--model: a model of one's own, used by every command that answers for a load."""

    WORDS = ("--keys", "1e6", "--value-size", "500", "--writes", "200", "--clients", "32")
    LOAD = Profile(keys=1e6, value_bytes=500, writes_per_second=200, clients=32)

    @pytest.fixture
    def file(self, tmp_path: Path) -> str:
        return str(write_model(tmp_path / "my-model.json"))

    def test_every_command_uses_it(self, run, file: str) -> None:
        words = [*self.WORDS, "--model", file]
        sizing = size(self.LOAD, model=file)
        assert run("resources", *words)[1] == render_resources(resources_for(self.LOAD, model=file))
        assert run("size", *words)[1] == render_sizing(sizing) != render_sizing(size(self.LOAD))
        assert Fit.model_validate_json(run("fit", *words, "--json")[1]).need == fit(sizing).need
        assert EtcdSettings.model_validate_json(run("settings", *words, "--json")[1]) == settings_for(sizing)
        quota = f"--quota-backend-bytes={settings_for(sizing).quota_backend_bytes}"
        assert quota in run("bootstrap", "--local", "1", *words)[1]

    def test_without_a_version_its_own_counts(self, run, tmp_path: Path) -> None:
        file = str(write_model(tmp_path / "my-model.json", model_with("3.5.35")))
        words = [*self.WORDS, "--model", file]
        for command in ("resources", "size", "settings"):
            code, out, _ = run(command, *words, "--json")
            assert code == 0
            assert "3.5" in str(json.loads(out)["etcd_version"])
        assert "calibrated model, etcd 3.5" in run("fit", *words, "--basis", "measured", "--json")[1]
        assert run("bootstrap", "--local", "1", *words)[0] == 0

    @pytest.mark.parametrize("command", ["resources", "size", "fit", "settings", "bootstrap"])
    def test_another_version_is_refused(self, run, file: str, command: str) -> None:
        local = ["--local", "1"] if command == "bootstrap" else []
        code, out, err = run(command, *local, *self.WORDS, "--model", file, "--etcd-version", "3.5")
        assert (code, out, len(err.splitlines())) == (2, "", 1)
        assert "calibrated on etcd 3.6.16, expected one for etcd 3.5" in err

    @pytest.mark.parametrize("words", [["fit", "--tier", "small"], ["bootstrap", "--local", "1"]])
    def test_without_a_load_it_is_refused(self, run, file: str, words: list[str]) -> None:
        code, out, err = run(*words, "--model", file)
        assert (code, out) == (2, "")
        assert err.startswith("etcdsize: --model: ")

    def test_is_never_the_output_too(self, file: str) -> None:
        before = Path(file).read_bytes()
        command = [sys.executable, "-m", "etcdsize", "size", *self.WORDS, "--model", file]
        with Path(file).open("ab") as out:
            done = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
        assert done.returncode == 2
        assert done.stderr.startswith(f"etcdsize: {file}: is both the input and standard output")
        assert Path(file).read_bytes() == before
