"""The steps that change the version of a running cluster, one member at a time: to a later one, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etcdsize.errors import EtcdSizeError
from etcdsize.etcd.versions import load_versions
from etcdsize.operations.etcdctl import docs_of, with_suffix
from etcdsize.operations.steps import Command
from etcdsize.plan.flag_values import check_flag

if TYPE_CHECKING:
    from etcdsize.etcd.upgrade import EtcdUpgrade
    from etcdsize.etcd.versions import EtcdVersion
    from etcdsize.operations.etcdctl import EtcdctlCommands
    from etcdsize.operations.steps import Step

__all__ = ["downgrade", "upgrade"]


def upgrade(etcdctl: EtcdctlCommands) -> Step:
    """Return the step that upgrades a cluster to the next minor version, or to a patch that can be upgraded."""
    version = etcdctl.version
    target = load_versions().successor(version)
    path = None if target is None else target.upgrade
    checks: list[Command] = []
    if target is None or path is None:
        source, evidence = docs_of(version, "upgrades/upgrading-etcd.md"), None
        notes = [
            f"These commands upgrade from one patch of {version.name} to another. We know of no later minor version."
        ]
    elif path.patch is not None and not version.reaches(path.patch):
        source, evidence = path.source, None
        notes = _too_old(version, target, path, path.patch)
    else:
        source, evidence = path.source, path.evidence
        notes = _to_the_next(etcdctl, target, path)
        if path.checks_v2_store:
            checks = _check_v2_store(etcdctl)
            notes.append(
                "If etcdutl detects custom v2 content in WAL records, which health checks of 3.4 leave there, start "
                "the old etcd once more with --snapshot-count=1, put a few keys, stop it and check again. For any "
                "other content, see the source of this step."
            )
    notes.append(_order(etcdctl, "Upgrade", "new"))
    commands = [
        etcdctl.endpoint_health("Start only if all members are healthy:"),
        etcdctl.save_snapshot(with_suffix(etcdctl.snapshot, "before-upgrade"), "Save a snapshot first:"),
        etcdctl.endpoint_status("Find the leader (IS LEADER is true) and every member's VERSION:"),
        *checks,
        *_move_leader(etcdctl, "After the followers are upgraded, move leadership away and upgrade the old leader."),
        etcdctl.endpoint_health("After every member:"),
        etcdctl.endpoint_status("VERSION is now the same for all members:"),
    ]
    return etcdctl.step("upgrade", "Upgrade", notes, commands, source, evidence)


def _too_old(version: EtcdVersion, target: EtcdVersion, path: EtcdUpgrade, patch: str) -> list[str]:
    better = f", preferably {version.oldest_safe_patch} or later" if load_versions().version(patch).is_unsafe else ""
    return [
        f"etcd {version} cannot be upgraded to {target.name}: first bring all members to {patch} or later{better}. "
        f"{path.older_patches}",
        f"These commands do that: they upgrade from one patch of {version.name} to another. Then make a runbook for "
        f"the new patch; it has the commands for the upgrade to {target.name}.",
    ]


def _to_the_next(etcdctl: EtcdctlCommands, target: EtcdVersion, path: EtcdUpgrade) -> list[str]:
    version = etcdctl.version
    oldest = f"the newest patch of {version.name}" if path.patch is None else f"{path.patch} or later"
    way_back = (
        "there is no simple way back: keep the snapshot."
        if target.downgrade is None
        else f"the way back is the downgrade in a runbook for {target.name}: keep the snapshot all the same."
    )
    return [
        f"Upgrade one minor version at a time: {version.name} to {target.name}. First bring all members to {oldest}.",
        f"{path.note} {_new_plan(target)}",
        *_rejected(etcdctl, target),
        f"As long as one member runs {version.name}, the others can be started with {version.name} again. A few "
        f"seconds after the last member is upgraded, /version of every member shows etcdcluster {target.name}.0. Then "
        f"{way_back}",
    ]


def downgrade(etcdctl: EtcdctlCommands) -> Step | None:
    """Return the step that takes a cluster back to the minor version before, None if etcd has no way there."""
    version, path = etcdctl.version, etcdctl.version.downgrade
    if path is None:
        return None
    before = load_versions().version(path.version)
    notes = [
        f"Go back one minor version at a time: {version.name} to {before.name}, its newest patch.",
        _new_plan(before),
        *_rejected(etcdctl, before),
        f"Once the downgrade is enabled, the cluster works as {before.name}, whatever version its members run. The "
        "downgrade ends by itself a few seconds after the last member is downgraded.",
        _order(etcdctl, "Downgrade", "older"),
    ]
    commands = [
        etcdctl.endpoint_health("Start only if all members are healthy:"),
        etcdctl.save_snapshot(with_suffix(etcdctl.snapshot, "before-downgrade"), "Save a snapshot first:"),
        etcdctl.ctl("downgrade", "validate", before.name, note="Continue only if it succeeds:"),
        etcdctl.ctl("downgrade", "enable", before.name),
        etcdctl.endpoint_status(
            f"Continue only when STORAGE VERSION is {before.name}.0 for all members, which takes some seconds. Find "
            "the leader (IS LEADER is true):"
        ),
        *_move_leader(
            etcdctl, "After the followers are downgraded, move leadership away and downgrade the old leader."
        ),
        etcdctl.endpoint_health("After every member:"),
        etcdctl.endpoint_status("VERSION is now the same for all members, and DOWNGRADE ENABLED soon turns false:"),
        _cancel(etcdctl),
    ]
    return etcdctl.step("downgrade", "Downgrade", notes, commands, path.source, path.evidence)


def _cancel(etcdctl: EtcdctlCommands) -> Command:
    version = etcdctl.version.name
    if not etcdctl.has_followers:
        return etcdctl.ctl("downgrade", "cancel", note=f"Only to give up while the member still runs {version}.")
    # A member of 3.5 cancels, but never answers.
    return etcdctl.ctl(
        *("downgrade", "cancel"),
        note=f"Only to give up while the leader still runs {version}: LEADER_URL is its ENDPOINT. Then start the other "
        f"members with {version} again.",
        fill_in=("LEADER_URL",),
    )


def _new_plan(other: EtcdVersion) -> str:
    return f"Make a new plan for {other.name}, and start every member with the flags of that plan."


def _rejected(etcdctl: EtcdctlCommands, other: EtcdVersion) -> list[str]:
    """Return a note for every flag of the plan that another version rejects."""
    known = load_versions().flags_by_name
    notes = []
    for name, value in etcdctl.plan.further_flags.items():
        try:
            if name in known:
                check_flag(other, name, value)
        except EtcdSizeError as error:
            notes.append(f"The plan sets a flag that {other.name} rejects: {error}.")
    return notes


def _check_v2_store(etcdctl: EtcdctlCommands) -> list[Command]:
    plan = etcdctl.plan
    wal = [f"--wal-dir={etcdctl.log_folder}"] if etcdctl.log_folder else []
    return [
        Command(
            words=(
                etcdctl.version.offline_tool,
                "check",
                "v2store",
                f"--data-dir={plan.data_dir_of(member.name)}",
                *wal,
            ),
            note="After it is stopped, before the new etcd starts.",
            where="member",
            member=member.name,
        )
        for member in plan.members
    ]


def _move_leader(etcdctl: EtcdctlCommands, note: str) -> list[Command]:
    return [etcdctl.move_leader(note)] if etcdctl.has_followers else []


def _order(etcdctl: EtcdctlCommands, verb: str, which: str) -> str:
    one = (
        f"Stop the member, install the {which} etcd, start it, and wait until it is healthy. Then {verb.lower()} the "
        "tools."
    )
    return f"{verb} the followers first, one at a time, and the leader last. {one}" if etcdctl.has_followers else one
