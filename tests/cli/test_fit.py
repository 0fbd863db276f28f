"""`etcdsize fit`: what it passes on, what it prints, its exit codes, and one line for every error."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from etcdsize import Fit, fit, load_catalog, load_tiers, need_for, size
from etcdsize.catalog.providers import known_providers
from etcdsize.reports.fit import render_fit


@pytest.fixture
def run(run):
    return partial(run, "fit")


class TestTier:
    @pytest.mark.parametrize("tier", ["small", "medium", "large", "xlarge"])
    def test_text_is_the_rendered_report(self, run, tier):
        assert run("--tier", tier) == (0, render_fit(fit(tier)), "")

    @pytest.mark.parametrize(
        ("arguments", "options"),
        [
            (["--provider", "GCP"], {"provider": "gce"}),
            (["--provider", "aws", "--provider", "azure"], {"provider": ["aws", "azure"]}),
            (["--arch", "arm64"], {"arch": "arm64"}),
            (["--arch", "any"], {"arch": None}),
            (["--family", "m8i", "--family", "r8i"], {"family": ["m8i", "r8i"]}),
            (["--region", "us-east-1"], {"region": "us-east-1"}),
            (["--disk", "io2", "--provider", "aws"], {"disk": "io2", "provider": "aws"}),
            (["--limit", "1"], {"limit": 1}),
        ],
    )  # fmt: skip
    def test_options_reach_the_library(self, run, arguments, options):
        assert run("--tier", "medium", *arguments) == (0, render_fit(fit("medium", **options)), "")

    def test_members_and_rejected(self, run):
        code, out, err = run("--tier", "small", "--members", "5", "--rejected")
        found = fit("small")
        assert (code, out, err) == (0, render_fit(found, members=5, rejected=True), "")
        for rejected in found.rejected:
            assert f"\n{rejected.provider} " in out
            assert f" {rejected.reason}\n" in out

    def test_kubernetes_nodes_are_a_load(self, run):
        sizing = size(kubernetes_nodes=250)
        assert run("--kubernetes-nodes", "250") == (0, render_fit(fit(sizing), sizing), "")

    def test_json_is_the_model(self, run):
        code, out, err = run("--tier", "small", "--provider", "aws", "--json")
        assert (code, err) == (0, "")
        assert Fit.model_validate_json(out) == fit("small", provider="aws").without_rejected()
        out = run("--tier", "small", "--provider", "aws", "--json", "--rejected")[1]
        assert Fit.model_validate_json(out) == fit("small", provider="aws")

    def test_the_tiers_say_for_how_much_data(self, run, tmp_path):
        table = load_tiers("guide").model_dump(mode="json")
        table["name"], table["tiers"][0]["data_bytes"]["limit"] = "mine", 300_000_000
        path = tmp_path / "tiers.json"
        path.write_text(json.dumps(table))
        code, out, _ = run("--tier", "small", "--tiers", str(path))
        assert (code, out) == (0, render_fit(fit(need_for("small", tiers=path))))
        assert ", room for 300 MB of data\n" in out

    def test_a_catalog_of_ones_own(self, run, tmp_path):
        path = tmp_path / "mine.json"
        path.write_text(load_catalog("current").restrict(families=["m8i"]).model_dump_json())
        code, out, _ = run("--tier", "small", "--catalog", str(path))
        assert code == 0
        assert out.partition("\n\n")[2].startswith("5 sufficient machines in the catalog current")


class TestLoad:
    def test_text_is_the_rendered_report(self, run):
        one = size(clients=300, requests_per_second=800, data_bytes="400MB", members=5)
        arguments = ("--clients", "300", "--requests-per-second", "800", "--data", "400MB", "--members", "5")
        assert run(*arguments) == (0, render_fit(fit(one), one), "")

    def test_a_part_of_it_with_headroom(self, run):
        one = size(requests_per_second=150, headroom=0.3, tiers="etcd.io")
        assert one.tier == "medium"
        assert run("--rps", "150", "--headroom", "30%", "--tiers", "etcd.io") == (
            0,
            render_fit(fit(one), one),
            "",
        )

    def test_more_data_needs_a_larger_disk(self, run):
        out = run("--data", "20GB", "--provider", "aws", "--json")[1]
        found = json.loads(out)
        assert found["need"]["data_bytes"] == 20e9
        assert found["disk"]["size_gib"] > 60

    def test_json_is_the_model(self, run):
        out = run("--clients", "300", "--json")[1]
        assert Fit.model_validate_json(out) == fit(size(clients=300)).without_rejected()


class TestNothingIsEnough:
    ARGUMENTS = ("--tier", "xlarge", "--family", "c5")

    def test_text_is_the_rendered_report(self, run):
        code, out, err = run(*self.ARGUMENTS)
        assert (code, err) == (1, "")
        assert out == render_fit(fit("xlarge", family="c5"))
        assert (
            'No machine in the catalog "current" is enough for the tier "xlarge"; the nearest, c5.4xlarge, lacks 28 '
            "GiB of memory (32 of 60).\n"
        ) in out

    def test_json_is_the_model(self, run):
        code, out, err = run(*self.ARGUMENTS, "--json")
        found = json.loads(out)
        assert (code, err, found["candidates"], found["feasible"]) == (1, "", [], 0)
        assert found["nearest"]["machine"]["machine_type"] == "c5.4xlarge"


LOAD = "one or more of --clients, --requests-per-second, --data and --kubernetes-nodes, or --profile"
ERRORS = [
    ([], f"--tier: missing; add it, or a load: {LOAD}"),
    (["--tier", "small", "--data", "1GB"], f"--tier: cannot be used with a load ({LOAD}); choose one of the two"),
    (["--tier", "small", "--headroom", "30%"], "--headroom: cannot be used with --tier; it needs a load"),
    (["--clients", "x"], '--clients: got "x", expected a count such as "300"'),
    (["--clients", "-1"], '--clients: got "-1", expected a count such as "300"'),
    (["--rps", "1,000"],
     '--requests-per-second: got "1,000", expected requests per second such as "800", "2.5k" or "800/s"; did you mean '
     '"1000"?'),
    (["--data", "8 GBs"],
     '--data: got "8 GBs", expected bytes or a size such as "8GB" or "8GiB"; did you mean "8GB"?'),
    (["--tier", "small", "--headroom", "30"],
     '--headroom: got "30", expected a fraction from 0 to below 1 such as "0.3" or "30%"; did you mean "30%"?'),
    (["--tier", "small", "--arch", "arm"], '--arch: got "arm", expected x86_64, arm64 or any; did you mean "arm64"?'),
    (["--tier", "small", "--members", "0"], "--members: got 0, expected an integer of 1 or more"),
    (["--tier", "small", "--limit", "all"], '--limit: got "all", expected a count such as "300"'),
    (["--tier", "small", "--provider", "our-racks"],
     f'--provider: got "our-racks", expected one of the catalog "current": {", ".join(known_providers())}; to add '
     "machines of another, make a catalog with etcdsize catalog import"),
    (["--tier", "small", "--catalog", "curent"],
     '--catalog: got "curent", expected guide, guide-as-printed, current or the path of a JSON file; did you mean '
     '"current"?'),
    (["--tier", "small", "--tiers", "etcd.oi"],
     '--tiers: got "etcd.oi", expected guide, etcd.io or the path of a JSON file; did you mean "etcd.io"?'),
    (["--tiers"], "argument --tiers: expected one argument; see 'etcdsize fit --help'"),
    (["--tire", "small"], "unknown option --tire; did you mean --tier? See 'etcdsize fit --help'"),
]  # fmt: skip
# Errors that the library raises: one line each, whatever the words.
REJECTED_BY_THE_LIBRARY = [
    ["--tier", "smal"],
    ["--tier", ""],
    ["--tier", "small", "--limit", "0"],
    ["--tier", "small", "--family", "m99"],
    ["--tier", "small", "--disk", "gp33"],
]


@pytest.mark.parametrize(("arguments", "message"), ERRORS, ids=[" ".join(arguments) for arguments, _ in ERRORS])
def test_every_error_is_one_line(run, arguments, message):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert err.rstrip("\n").partition(": ")[2] == message


@pytest.mark.parametrize("arguments", REJECTED_BY_THE_LIBRARY, ids=" ".join)
def test_a_library_error_is_one_line(run, arguments):
    code, out, err = run(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "got " in err


def test_a_broken_catalog(run, tmp_path):
    path = Path(tmp_path) / "broken.json"
    path.write_text("{")
    code, out, err = run("--tier", "small", "--catalog", str(path))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"etcdsize: {path}: not JSON: ")
