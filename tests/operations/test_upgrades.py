"""The steps of a runbook that upgrade and downgrade: which patch to reach first, and what the other version rejects."""

from __future__ import annotations

import pytest

from etcdsize import ClusterPlan, load_versions, runbook

VERSIONS = ("3.4", "3.5", "3.6", "3.7")
HOSTS = {"a": "10.0.0.1", "b": "10.0.0.2", "c": "10.0.0.3"}


def plan(version: str, **more: object) -> ClusterPlan:
    return ClusterPlan.from_hosts(HOSTS, etcd_version=version, **more)


class TestUpgrade:
    """A patch that etcd does not upgrade from gets no commands for the next minor version."""

    @pytest.mark.parametrize(
        ("version", "expected"),
        [
            ("3.4", "3.4 to 3.5. First bring all members to the newest patch of 3.4"),
            ("3.5", "3.5 to 3.6. First bring all members to 3.5.32 or later"),
            ("3.6", "3.6 to 3.7. First bring all members to 3.6.11 or later"),
            ("3.7", "These commands upgrade from one patch of 3.7 to another"),
        ],
    )
    def test_upgrade_is_to_the_next_minor_version(self, version, expected):
        step = runbook(plan(version)).step("upgrade")
        assert expected in " ".join(step.notes)
        page = {
            "3.4": "v3.5/upgrades/upgrade_3_5.md",
            "3.5": "v3.6/upgrades/upgrade_3_6.md",
            "3.6": "v3.7/upgrades/upgrade_3_7.md",
            "3.7": "v3.7/upgrades/upgrading-etcd.md",
        }
        assert step.source.split("; ")[0] == f"etcd-io/website content/en/docs/{page[version]}"
        assert step.evidence.startswith("run from ") or version == "3.7"

    @pytest.mark.parametrize(
        ("version", "target", "patch"),
        [
            ("3.5.1", "3.6", "3.5.32"),
            ("3.5.31", "3.6", "3.5.32"),
            ("3.6.0", "3.7", "3.6.11"),
            ("3.6.10", "3.7", "3.6.11"),
        ],
    )
    def test_a_patch_that_is_too_old_is_refused(self, version, target, patch):
        minor = load_versions().version(version)
        step = runbook(plan(version)).step("upgrade")
        path = load_versions().version(target).upgrade
        assert step.notes[0] == (
            f"etcd {version} cannot be upgraded to {target}: first bring all members to {patch} or later, preferably "
            f"{minor.oldest_safe_patch} or later. {path.older_patches}"
        )
        assert f"from one patch of {minor.name} to another" in step.notes[1]
        assert step.source == path.source
        assert not [command for command in step.commands if "v2store" in command.words]
        assert not [note for note in step.notes if "Make a new plan" in note]

    @pytest.mark.parametrize("version", ["3.4", "3.4.0", "3.5", "3.5.32", "3.5.99", "3.6", "3.6.11", "3.6.16"])
    def test_other_patches_are_upgraded_to_the_next_version(self, version):
        notes = runbook(plan(version)).step("upgrade").notes
        assert notes[0].startswith("Upgrade one minor version at a time: ")
        assert "Make a new plan for " in notes[1]

    @pytest.mark.parametrize(
        ("version", "step", "settings", "expected"),
        [
            (
                "3.4",
                "upgrade",
                {"debug": True},
                'etcd 3.5 has no flag "debug"; those that have it: 3.4; instead: --log-level.',
            ),
            ("3.4", "upgrade", {"logger": "capnslog"}, '--logger: got "capnslog", expected zap'),
            ("3.5", "upgrade", {"enable-v2": True}, 'etcd 3.6 has no flag "enable-v2"'),
            (
                *("3.6", "upgrade", {"experimental-corrupt-check-time": "1h"}),
                'etcd 3.7 has no flag "experimental-corrupt-check-time"',
            ),
            ("3.6", "downgrade", {"max-learners": 2}, 'etcd 3.5 has no flag "max-learners"'),
        ],
    )
    def test_notes_name_what_the_other_version_rejects(self, version, step, settings, expected):
        found = [note for note in runbook(plan(version, settings=settings)).step(step).notes if "rejects" in note]
        assert len(found) == 1
        assert found[0].startswith(
            f"The plan sets a flag that 3.{int(version[2]) + (1 if step == 'upgrade' else -1)} rejects: "
        )
        assert expected in found[0]
        assert not [note for note in runbook(plan(version)).step(step).notes if "rejects" in note]

    def test_notes_name_any_flag_that_the_next_version_rejects(self):
        book = runbook(plan("3.5", extra_flags={"enable-v2": "false", "of-our-fork": "1"}))
        (found,) = [note for note in book.step("upgrade").notes if "rejects" in note]
        assert 'etcd 3.6 has no flag "enable-v2"' in found

    def test_only_3_5_checks_the_store_of_api_version_2(self):
        for version in VERSIONS:
            words = [command.words for command in runbook(plan(version)).step("upgrade").commands]
            found = [one[3] for one in words if "v2store" in one]
            assert found == [f"--data-dir=/var/lib/etcd/{name}.etcd" for name in HOSTS] * (version == "3.5")
            notes = [note for note in runbook(plan(version)).step("upgrade").notes if "custom v2 content" in note]
            assert len(notes) == (version == "3.5")
        step = runbook(plan("3.5", settings={"wal-dir": "/wal/etcd"})).step("upgrade")
        assert {command.words[4] for command in step.commands if "v2store" in command.words} == {"--wal-dir=/wal/etcd"}


class TestDowngrade:
    @pytest.mark.parametrize(("version", "before"), [("3.6", "3.5"), ("3.7", "3.6"), ("3.6.0", "3.5")])
    def test_it_is_validated_and_enabled_before_a_member_is_stopped(self, version, before):
        step = runbook(plan(version)).step("downgrade")
        last = [" ".join(command.words[2:]) for command in step.commands]
        assert last[1:5] == [
            "snapshot save snapshot-before-downgrade.db",
            f"downgrade validate {before}",
            f"downgrade enable {before}",
            "endpoint status -w table",
        ]
        assert f"STORAGE VERSION is {before}.0 for all members" in step.commands[4].note
        assert (
            step.source
            == f"etcd-io/website content/en/docs/v{version[:3]}/downgrades/downgrade_{version[0]}_{version[2]}.md"
        )

    def test_it_is_cancelled_by_the_leader(self):
        """A member of 3.5 cancels, but does not answer."""
        *_, cancel = runbook(plan("3.6")).step("downgrade").commands
        assert cancel.filled(LEADER_URL="http://10.0.0.2:2379").shell == (
            "etcdctl --endpoints http://10.0.0.2:2379 downgrade cancel"
        )
        *_, cancel = runbook(ClusterPlan.local(1, etcd_version="3.6")).step("downgrade").commands
        assert cancel.words[2:] == ("downgrade", "cancel")
        assert not cancel.fill_in
