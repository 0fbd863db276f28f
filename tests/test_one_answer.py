"""The same question has the same quota, memory and disk, whatever command or function it is asked of."""

from __future__ import annotations

import json
import math

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import ClusterPlan, Profile, fit, kubernetes_profile, render, resources_for, settings_for, size
from etcdsize.cli import main
from etcdsize.etcd.quota import DEFAULT_QUOTA_BYTES, quota_text
from etcdsize.fitting.load_need import SYSTEM_GIB
from etcdsize.plan.terraform import answer
from etcdsize.resources.resources_text import quantity_text

GIB = 2**30

# What each question is in options of the command line, and in arguments of `size`.
QUESTIONS = {
    "data alone": (["--data", "1.7GB"], {"data_bytes": 1.7e9}),
    "the three dimensions": (
        ["--clients", "300", "--rps", "800", "--data", "400MB"],
        {"clients": 300, "requests_per_second": 800, "data_bytes": 400e6},
    ),
    "clients alone": (["--clients", "5"], {"clients": 5}),
    "much data": (["--data", "20GB"], {"data_bytes": 20e9}),
    "Kubernetes nodes": (["--kubernetes-nodes", "250"], {"kubernetes_nodes": 250}),
    "nodes and clients": (
        ["--kubernetes-nodes", "250", "--clients", "9000"],
        {"kubernetes_nodes": 250, "clients": 9_000},
    ),
}


@pytest.fixture
def printed(capsys):
    """Return a function that runs a command and returns what it prints."""

    def run(*words: str) -> str:
        assert main(list(words)) in (0, None)
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize("version", ["3.5", "3.6"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_every_command_gives_the_same_figures(question, version, printed):
    options, arguments = QUESTIONS[question]
    options = [*options, "--etcd-version", version]
    sizing = size(**arguments, etcd_version=version)
    resources = sizing.resources
    quota, limit = resources.quota_bytes, resources.memory.limit_bytes.need
    disk = math.ceil(resources.disk.volume_bytes.need / GIB)
    # The disk of a tier has room for its largest load.
    whole_disk = max(need.disk.size_gib for need in sizing.needs.values())
    memory_text = quantity_text("memory.limit_bytes", limit)

    sized = json.loads(printed("size", *options, "--json"))
    assert sized["needs"]["load"] == sizing.needs["load"].model_dump(mode="json")
    assert sized["needs"]["load"]["disk"]["size_gib"] == disk
    assert sized["needs"]["load"]["disk"]["quota_bytes"] == quota
    assert limit / GIB <= sized["needs"]["load"]["memory_gib"] - SYSTEM_GIB < limit / GIB + 0.2
    text = printed("size", *options)
    assert f"its quota is {quota_text(quota)}." in text
    assert memory_text in text

    assert fit(sizing).need == sizing.need
    fitted = json.loads(printed("fit", *options, "--json"))
    assert fitted["need"] == sizing.need.model_dump(mode="json")
    assert fitted["disk"] == fitted["need"]["disk"]
    assert (fitted["disk"]["size_gib"], fitted["disk"]["quota_bytes"]) == (whole_disk, quota)
    assert memory_text in printed("fit", *options)
    assert f"disk        {quota_text(quota)} quota, " in printed("fit", *options)

    found = settings_for(sizing)
    assert (found.quota_backend_bytes, found.disk) == (quota, sizing.need.disk)
    assert found.disk.size_gib == whole_disk
    assert found.memory == resources.memory
    set_up = json.loads(printed("settings", *options, "--json"))
    assert set_up["settings"]["quota-backend-bytes"]["value"] == quota
    assert set_up["memory"]["limit_bytes"]["need"] == limit
    assert set_up["disk"] == fitted["disk"]
    assert memory_text in printed("settings", *options)

    flag = f"--quota-backend-bytes={quota}"
    assert (flag in printed("bootstrap", "--local", "1", *options)) == (quota != DEFAULT_QUOTA_BYTES)
    plan = ClusterPlan.local(1, settings=found)
    assert (flag in render(plan, "flags")) == (quota != DEFAULT_QUOTA_BYTES)

    query = {name.replace("data_bytes", "data"): f"{value:.0f}" for name, value in arguments.items()}
    told = answer(json.dumps({**query, "etcd_version": version}))
    assert told["quota_backend_bytes"] == str(quota)
    assert told["memory_gib"] == str(math.ceil(limit / GIB)) == str(found.memory_gib)


LOADS = st.fixed_dictionaries(
    {},
    optional={
        "clients": st.integers(1, 20_000),
        "requests_per_second": st.floats(0, 50_000),
        "data_bytes": st.floats(1e6, 1e11),
    },
).filter(bool)


@examples(25)
@given(LOADS, st.sampled_from(["3.4", "3.5", "3.6", "3.7"]))
def test_any_load_has_one_answer(load, version):
    sizing = size(**load, etcd_version=version)
    direct = resources_for(sizing.profile, etcd_version=version)
    found = settings_for(sizing)
    assert sizing.resources.file == found.file == direct.file
    assert sizing.resources.memory == found.memory == direct.memory
    assert found.quota_backend_bytes == direct.quota_bytes == sizing.needs["load"].disk.quota_bytes
    assert found.disk == sizing.need.disk == fit(sizing, limit=1).disk
    assert {need.disk.quota_bytes for need in sizing.needs.values()} == {direct.quota_bytes}
    assert direct.quota_bytes >= max(DEFAULT_QUOTA_BYTES, load.get("data_bytes", 0))
    # The disk that a machine gets has room for that quota.
    assert sizing.need.disk.size_gib >= sizing.needs["load"].disk.size_gib


@examples(25)
@given(st.integers(0, 6_000), st.integers(1, 200))
def test_one_more_node_is_no_step(nodes, more):
    """Nodes alone give a quota and a memory limit that grow with them: no tier's bound stands in between."""
    less, later = (settings_for(size(kubernetes_nodes=count)) for count in (nodes, nodes + more))
    assert less.quota_backend_bytes <= later.quota_backend_bytes
    assert less.file.high_water_bytes.need <= later.file.high_water_bytes.need
    assert less.memory.limit_bytes.need <= later.memory.limit_bytes.need
    # An empty cluster has what a handful of nodes has.
    share = (nodes + more + 5) / (nodes + 5)
    assert later.file.high_water_bytes.need <= less.file.high_water_bytes.need * share * 1.05


def test_a_history_shorter_than_any_retention_of_ours_has_one_answer(printed):
    """The shortest retention keeps up to two minutes, for which every quota has room."""
    load = ["--keys", "1k", "--value-size", "1MB", "--writes", "900", "--history"]
    short, two_minutes = (
        (
            json.loads(printed("resources", *load, history, "--json"))["quota_bytes"],
            json.loads(printed("size", *load, history, "--json"))["needs"]["load"]["disk"]["quota_bytes"],
            json.loads(printed("settings", *load, history, "--json"))["settings"]["quota-backend-bytes"]["value"],
        )
        for history in ("0", "2m")
    )
    assert short == two_minutes
    assert len(set(short)) == 1
    assert short[0] > 900 * 120 * 1e6
    # An API server compacts by itself.
    nodes = ["--kubernetes-nodes", "5", "--history", "0", "--json"]
    assert json.loads(printed("resources", *nodes))["profile"]["history_seconds"]["high"] == 0


@pytest.mark.parametrize(
    "load",
    [{"clients": 9_000}, {"requests_per_second": 50_000}, {"data_bytes": 60e9}, {"kubernetes_nodes": 9_000}],
)
def test_past_the_last_bound_the_larger_need_decides_everywhere(load):
    """The machine that `size` names, those of `fit`, and the disk of the settings are enough for the same need."""
    sizing = size(**load, catalog="current", provider="aws")
    found = fit(sizing)
    assert sizing.need == found.need
    assert sizing.machine.machine_type == found.best.machine.machine_type
    assert sizing.machine.disk.volume_size_gib == found.best.disk.size_gib
    assert sizing.machine == sizing.machine_today
    assert size(**load, provider="aws").machine_today.machine_type == found.best.machine.machine_type
    assert settings_for(sizing).disk == found.disk
    for figure in ("vcpus", "memory_gib", "concurrent_iops", "disk_mb_per_second"):
        assert getattr(sizing.machine, figure) >= getattr(sizing.need, figure)


@pytest.mark.parametrize("data", ["20TB", "1e40"])
def test_a_load_for_which_no_etcd_starts_has_the_same_verdict(data, capsys):
    """etcd starts with a quota of at most 32 TiB."""
    assert main(["resources", "--data", data]) == 1
    assert "etcd does not start" in capsys.readouterr().out
    errors = []
    for words in (["settings"], ["bootstrap", "--local", "1"]):
        assert main([*words, "--data", data]) == 2
        errors.append(capsys.readouterr().err)
    assert errors[0] == errors[1]
    assert "expected at most 32768 GiB, with which etcd starts; " in errors[0]
    assert "split the data among several clusters" in errors[0]


class TestExamples:
    """What users were told wrongly before the model."""

    def test_the_quota_is_above_the_file_of_many_keys(self):
        """5.7 million keys of 1 kB take 7.9 GB and more."""
        for load in (Profile(keys=5.7e6, value_bytes=1000), Profile(keys=5.7e6, value_bytes=1000, key_bytes=37)):
            found = settings_for(size(load))
            assert found.file.high_water_bytes.need >= 7.9e9
            assert found.quota_backend_bytes > found.file.high_water_bytes.need

    def test_data_of_1_7_gb_fits(self):
        """A real etcd with a quota of 2 GiB stopped at 1.62 GB of keys and values: the file was 1.33 times that."""
        assert settings_for(size(data_bytes="1.7GB")).quota_backend_bytes >= 1.33 * 1.7e9

    def test_large_values_need_memory_for_the_raft_log(self):
        """0.85 puts/s of 3 MB took 12 GB on 3.5 and were rising: its defaults keep 105,000 entries."""
        load = Profile(writes_per_second=0.85, value_bytes="3MB", keys=100)
        old, new = (settings_for(size(load, etcd_version=version)) for version in ("3.5", "3.6"))
        assert old.memory.raft_log_bytes.need > 200e9
        assert new.memory.raft_log_bytes.need < 20e9
        advice = {one.code for one in size(load, etcd_version="3.5").resources.advice}
        assert {"lower-snapshot-count", "upgrade-for-raft-log"} <= advice
        (notice,) = [one for one in old.notices if one.code == "memory-above-machine"]
        assert "the raft log" in notice.text
        assert "Set --snapshot-count=10000" in notice.text
        assert "Upgrade to etcd 3.6" in notice.text

    def test_pods_that_everybody_lists_need_memory(self):
        """2.9 GB of pods, listed by everybody at once, took 175 GB."""
        load = Profile(data_bytes=2.9e9, keys=290_000, list_keys=290_000, concurrent_lists=20)
        found = fit(size(load), limit=None)
        assert found.need.memory_gib > 100
        assert all(one.machine.memory_gib >= found.need.memory_gib for one in found.candidates)

    def test_a_quiet_cluster_is_small_when_measured(self):
        """1.3 GiB of data were 3 x 64 GiB and 15,000 IOPS."""
        quiet = {"clients": 20, "requests_per_second": 50, "data_bytes": "1.3GiB"}
        guide, measured = size(**quiet), size(**quiet, basis="measured")
        assert (guide.tier, guide.machine_tier) == ("xlarge", "xlarge")
        assert (measured.tier, measured.machine_tier) == ("xlarge", "small")
        assert fit(measured).need.memory_gib < 8
        assert measured.cost_per_month["aws"] < guide.cost_per_month["aws"] / 5

    def test_the_next_node_takes_no_further_gigabytes(self):
        at, above = (settings_for(size(kubernetes_nodes=nodes)).quota_backend_bytes for nodes in (1_000, 1_001))
        assert above - at <= GIB


class TestKubernetes:
    def test_what_is_known_counts_instead_of_what_nodes_suggest(self):
        """Of what nodes suggest, the clients were assumed; those that are given replace them."""
        some, many = (size(kubernetes_nodes=1_000, clients=clients).resources for clients in (50, 50_000))
        assert many.memory.connections_bytes.need > 100 * some.memory.connections_bytes.need
        assert "clients" not in {one.field for one in many.assumptions}

    def test_pods_and_nodes_are_one_load(self):
        load = kubernetes_profile(1_000, 30_000)
        sizing = size(load, kubernetes_nodes=1_000)
        assert sizing.load_decides
        assert settings_for(sizing).file == resources_for(load).file
        assert settings_for(sizing).setting("auto-compaction-retention").value == "0"
