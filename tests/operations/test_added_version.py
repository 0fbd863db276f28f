"""Adding a version of etcd takes one file: settings, plans, every format and the runbook then know it."""

from __future__ import annotations

import json
import shutil

import pytest
import yaml

from etcdsize import (
    ClusterPlan,
    PlanError,
    Profile,
    Scrape,
    TableError,
    combine_scrapes,
    load_versions,
    render,
    resources_for,
    runbook,
    settings_for,
    size,
)
from etcdsize.etcd import versions
from etcdsize.etcd.version_names import DEFAULT_VERSION, FOLDER, version_files, version_names
from etcdsize.plan.format_names import FORMATS

LOAD = Profile(keys=1000, value_bytes=1000, writes_per_second=100)
FILE = {
    "version": {
        **{"name": "3.8", "date": "2027-06-01", "until": None, "ran": []},
        "until_policy": "Supported until 3.10.0.",
        **{"source": "made up", "flags_source": "made up", "offline_tool": "etcdutl", "etcdctl_has_api_2": False},
        **{"health_reports_alarms": True, "member_list_needs_quorum": True, "restore_bumps_revision_from": "3.8.1"},
        "upgrade": {
            **{"version": "3.7", "patch": "3.7.9", "older_patches": "Older ones fail.", "checks_v2_store": False},
            **{"note": "Read the page first.", "source": "a page", "evidence": "from source, not run"},
        },
        "downgrade": {"version": "3.7", "source": "another page", "evidence": "from source, not run"},
    },
    "patches": {"3.8.0": "2027-04-01", "3.8.1": "2027-05-01", "3.8.2": "2027-06-01"},
    "removed": ["max-snapshots"],
    "flags": [
        {"name": "snapshot-count", "default": 5000, "deprecated": True},
        {"name": "heartbeat-interval", "no_config_default": True},
        {"name": "compaction-sleep", "kind": "duration", "config_key": "compaction.sleep", "default": "10ms"},
    ],
}


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    (tmp_path / "3.8.json").write_text(json.dumps(FILE))
    flaws = json.loads((tmp_path / "flaws.json").read_text())
    flaws["flaws"][0]["fixed_in"]["3.8"] = "3.8.2"
    (tmp_path / "flaws.json").write_text(json.dumps(flaws))
    return tmp_path


@pytest.fixture
def added(folder, monkeypatch):
    """Make 3.8 one of the versions that etcdsize knows."""
    table = versions.read_versions(folder)
    monkeypatch.setattr(versions, "_built_in", lambda: table)


@pytest.mark.usefixtures("added")
class TestAddedVersion:
    def test_its_flags_are_those_of_the_version_before_with_the_changes(self):
        before, version = load_versions().version("3.7"), load_versions().version("3.8")
        names = {flag.name for flag in version.flags}
        assert names == {flag.name for flag in before.flags} - {"max-snapshots"} | {"compaction-sleep"}
        changed = {name for name in names if (flag := version.flag(name)).defaults["3.8"] != flag.defaults.get("3.7")}
        assert changed == {"snapshot-count", "compaction-sleep"}
        assert version.flag("snapshot-count").deprecated_in == ("3.6", "3.8")
        assert version.flag("max-learners").versions == ("3.6", "3.7", "3.8")

    def test_what_a_load_takes_is_taken_over_from_the_version_before(self):
        ours, before = resources_for(LOAD, etcd_version="3.8"), resources_for(LOAD, etcd_version="3.7")
        assert ours.memory == before.memory
        assert (ours.measured_on, before.measured_on) == (None, "3.7.3")
        known = {term.known for terms in ours.terms.values() for term in terms}
        assert not any("measured on" in one for one in known), known

    def test_settings_use_its_defaults(self):
        found = settings_for(size(data_bytes="4GB"), etcd_version="3.8.1")
        assert found.snapshot_count == 5000
        assert "etcd 3.8.1 warns" in found.setting("snapshot-count").why
        assert [notice.code for notice in found.notices][:2] == ["etcd-unsafe-patch", "etcd-not-run"]
        assert found.explain().startswith("etcd 3.8.1 (from source, not run).\n")
        assert "etcd 3.8: flags and defaults are from source, not run." in found.explain()

    def test_observation_says_that_it_was_not_run(self):
        scrape = Scrape(member_id="a", started_unix_seconds=1000, version="3.8.2")
        texts = [notice.text for notice in combine_scrapes({"a": scrape}, seconds=None).notices]
        assert "etcd 3.8 was not run: the meaning of its metrics is from its source." in texts

    def test_a_plan_rejects_a_flag_that_it_removed(self):
        with pytest.raises(PlanError, match=r'etcd 3\.8 has no flag "max-snapshots"; those that have it: 3\.4, 3\.5'):
            ClusterPlan.local(1, etcd_version="3.8", settings={"max-snapshots": 3})

    @pytest.mark.parametrize("form", FORMATS)
    def test_every_format_renders_its_plans(self, form):
        found = settings_for(size(data_bytes="4GB"), etcd_version="3.8")
        text = render(ClusterPlan.local(1, settings=found, data_dir="/d"), form)
        assert form == "kubeadm" or str(found.quota_backend_bytes) in text

    def test_config_file_has_its_keys(self):
        plan = ClusterPlan.local(1, etcd_version="3.8", settings={"compaction-sleep": "1s"})
        document = yaml.safe_load(render(plan, "config"))
        assert document["compaction"] == {"sleep": 1_000_000_000}
        assert document["heartbeat-interval"] == 100

    def test_runbook_uses_its_tools(self):
        step = runbook(ClusterPlan.local(3, etcd_version="3.8.0"), kubernetes=True).step("snapshot-restore")
        assert any("etcd 3.8.0 cannot raise the revision" in note for note in step.notes)
        assert {command.words[0] for command in step.commands} == {"mv", "etcdutl", "etcdctl"}
        step = runbook(ClusterPlan.local(3, etcd_version="3.7")).step("upgrade")
        assert step.notes[:2] == (
            "Upgrade one minor version at a time: 3.7 to 3.8. First bring all members to 3.7.9 or later.",
            "Read the page first. Make a new plan for 3.8, and start every member with the flags of that plan.",
        )
        assert (step.source, step.evidence) == ("a page", "from source, not run")
        step = runbook(ClusterPlan.local(3, etcd_version="3.7.8")).step("upgrade")
        assert step.notes[0].startswith("etcd 3.7.8 cannot be upgraded to 3.8: first bring all members to 3.7.9")
        step = runbook(ClusterPlan.local(3, etcd_version="3.8")).step("upgrade")
        assert step.notes[0] == (
            "These commands upgrade from one patch of 3.8 to another. We know of no later minor version."
        )
        step = runbook(ClusterPlan.local(3, etcd_version="3.8")).step("downgrade")
        assert step.commands[3].words[-3:] == ("downgrade", "enable", "3.7")
        assert step.source == "another page"


class TestFiles:
    def test_file_names_are_the_versions(self):
        assert version_names() == tuple(version.name for version in load_versions().versions)
        assert DEFAULT_VERSION in version_names()

    def test_versions_are_ordered_as_numbers(self, folder):
        shutil.copy(folder / "3.8.json", folder / "3.10.json")
        assert [path.stem for path in version_files(folder)][-2:] == ["3.8", "3.10"]

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"removed": ["max-snapshot"]}, 'removed: got "max-snapshot", which the version before does not have'),
            ({"flags": [{"name": "new", "kind": "int"}]}, 'flags: "new" is new and lacks config_key, default'),
            ({"version": FILE["version"] | {"name": "3.9"}}, 'version: got "3.9", expected "3.8"'),
            ({"version": FILE["version"] | {"status": "supported"}}, "version, status: follows from other fields"),
            ({"patches": {"3.8.0": "2027-04-01"}}, 'patches: lacks "3.8.2", which fixes a flaw'),
            ({"patches": {"3.8.1": "2027-04-01"}}, "patches: expected every patch of 3.8 from 3.8.0 on, in order"),
            ({"flags": [{"name": "name", "defaults": "x"}]}, "row 1, defaults: unknown field"),
        ],
    )
    def test_rejects_a_file_that_does_not_follow_from_the_one_before(self, folder, changes, message):
        (folder / "3.8.json").write_text(json.dumps(FILE | changes))
        with pytest.raises(TableError) as caught:
            versions.read_versions(folder)
        assert str(caught.value).startswith(f"{folder / '3.8.json'}: {message}")
