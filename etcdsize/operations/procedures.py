"""The steps of a runbook, each for one version of etcd."""

from __future__ import annotations

from etcdsize.base.text import in_words
from etcdsize.etcd.fsync import FIO, WAL_FSYNC_P99_MS
from etcdsize.etcd.quota import quota_text
from etcdsize.etcd.versions import NOT_RUN, EtcdVersion, load_versions
from etcdsize.fitting.fsync import sequential_iops_for
from etcdsize.fitting.need import need_for
from etcdsize.operations.etcdctl import TIMEOUT, EtcdctlCommands, as_operand, docs_of, with_suffix
from etcdsize.operations.steps import Command, Step
from etcdsize.operations.upgrades import downgrade, upgrade

__all__ = ["LOADS", "preface", "steps"]

# etcd-io/etcd etcdctl/ctlv3/command/check.go: clients, and writes a second.
LOADS = {
    "small": ("s", 50, 150),
    "medium": ("m", 200, 1_000),
    "large": ("l", 500, 8_000),
    "xlarge": ("xl", 1_000, 15_000),
}
_README = "etcd-io/etcd etcdctl/README.md"
# etcd-io/website content/en/docs/v3.5/op-guide/recovery.md: enough for a week of 1500 writes a second.
_BUMP_REVISION = ("--bump-revision=1000000000", "--mark-compacted")


def steps(etcdctl: EtcdctlCommands, tier: str | None, kubernetes: bool) -> tuple[Step, ...]:
    """Return every step, the daily ones first."""
    back = downgrade(etcdctl)
    return (
        _versions(etcdctl),
        _health(etcdctl),
        _status(etcdctl),
        _member_list(etcdctl),
        _save_snapshot(etcdctl),
        _check_snapshot(etcdctl),
        _restore_snapshot(etcdctl, kubernetes),
        _defragment(etcdctl),
        _alarms(etcdctl),
        upgrade(etcdctl),
        *([] if back is None else [back]),
        _check_performance(etcdctl, tier),
        _measure_disk(etcdctl, tier),
    )


def preface(etcdctl: EtcdctlCommands) -> tuple[str, ...]:
    """Return the notes that hold for all steps."""
    notes = [
        "Every command is one line for a POSIX shell.",
        "Unset ETCDCTL_ENDPOINTS, ETCDCTL_CACERT and the like first: etcdctl stops if a flag and its variable are "
        "both set. If authentication is enabled, add --user.",
    ]
    if etcdctl.version.etcdctl_has_api_2:
        notes.append(
            f"The commands need API version 3, which etcdctl {etcdctl.version.name} uses unless ETCDCTL_API is 2."
        )
    tls = etcdctl.plan.tls
    if tls is not None and tls.client is not None and tls.client.client_cert_auth and tls.client_cert_file is None:
        notes.append(
            "The members require a client certificate, and the plan has none: add --cert and --key to every etcdctl "
            "command, or set client_cert_file and client_key_file in the plan."
        )
    return tuple(notes)


def _versions(etcdctl: EtcdctlCommands) -> Step:
    commands = ["etcd --version", "etcdctl version"]
    if etcdctl.version.offline_tool != "etcdctl":
        commands.append(f"{etcdctl.version.offline_tool} version")
    return etcdctl.step(
        "version",
        "Versions",
        ["The tools must have the same minor version as the members."],
        [Command(words=tuple(command.split()), where="every-member") for command in commands],
        _README,
    )


def _health(etcdctl: EtcdctlCommands) -> Step:
    return etcdctl.step(
        "health",
        "Health",
        [
            "Run it at any time. It asks every member of the plan. If a member is down, the command reports it after "
            "five seconds and exits with 1.",
            "A member with an alarm is reported as unhealthy."
            if etcdctl.version.health_reports_alarms
            else f"etcdctl {etcdctl.version.name} reports a member as healthy even if it has an alarm: check the "
            "alarms too.",
            "Older guides use etcdctl cluster-health. It belonged to API version 2 and is an unknown command today; "
            "endpoint health replaced it.",
        ],
        [etcdctl.endpoint_health()],
        _README,
    )


def _status(etcdctl: EtcdctlCommands) -> Step:
    return etcdctl.step(
        "status",
        "Status",
        [
            "For every member: whether it is the leader (IS LEADER), the size of its database (DB SIZE), how far it "
            "is in the log (RAFT INDEX), its version (VERSION) and its alarms (ERRORS).",
        ],
        [etcdctl.endpoint_status()],
        _README,
    )


def _member_list(etcdctl: EtcdctlCommands) -> Step:
    quorum = " It needs a quorum." if etcdctl.version.member_list_needs_quorum else ""
    return etcdctl.step(
        "member-list",
        "Members",
        [f"The members that the cluster has now, including those that were added after the plan was made.{quorum}"],
        [etcdctl.ctl("member", "list", "-w", "table")],
        docs_of(etcdctl.version, "op-guide/runtime-configuration.md"),
    )


def _save_snapshot(etcdctl: EtcdctlCommands) -> Step:
    return etcdctl.step(
        "snapshot-save",
        "Save a snapshot",
        [
            "Save one regularly, and before every change. A snapshot is taken from one member, and etcdctl refuses "
            "several endpoints: choose a healthy member. The leader has the newest data.",
            "An existing file of the same name is overwritten without a warning: use a new name for every snapshot, "
            "and keep it on another machine.",
        ],
        [etcdctl.save_snapshot(etcdctl.snapshot)],
        docs_of(etcdctl.version, "op-guide/maintenance.md"),
    )


def _check_snapshot(etcdctl: EtcdctlCommands) -> Step:
    words = (etcdctl.version.offline_tool, "snapshot", "status", as_operand(etcdctl.snapshot), "-w", "table")
    return etcdctl.step(
        "snapshot-status",
        "Check a snapshot",
        [
            "Prints the hash, the revision, the number of keys and the size. The checksum at the end of the file is "
            "verified only by a restore: restore a snapshot on another machine from time to time.",
        ],
        [Command(words=words)],
        docs_of(etcdctl.version, "op-guide/maintenance.md"),
    )


def _restore_snapshot(etcdctl: EtcdctlCommands, kubernetes: bool) -> Step:
    version, plan = etcdctl.version, etcdctl.plan
    notes = [
        "Restore if the quorum is lost for good, or the data has to go back. The members become a new cluster, and "
        "everything written after the snapshot is lost.",
        "First stop every member, and copy the same snapshot to every member's machine. etcd restores only into a "
        "folder that does not exist, so the member's old data is moved aside, not deleted. Run the commands as the "
        "user that runs etcd.",
        "The token is new, so that no member of the old cluster can ever join; use another one for another restore. "
        "Then start all members with the same flags as before: once a member has data, etcd ignores --initial-cluster "
        "and the like.",
    ]
    bump = kubernetes and version.restore_bumps_revision
    if kubernetes:
        notes.append("Stop every API server first, and start them last.")
        notes.append(
            "The revision is raised by 1,000,000,000 and everything before it is marked as compacted, so that watchers "
            "never see the revision go back."
            if bump
            else f"etcd {version} cannot raise the revision in a restore ({_first_to_bump()} is the first that can): "
            "restart everything that watches the API servers too."
        )
    commands = []
    for member in plan.members:
        data = plan.data_dir_of(member.name)
        aside, log = f"{data.removesuffix('.etcd')}.old", etcdctl.log_folder
        if f"{log}/".startswith(f"{aside}/"):
            aside += "-data"
        folders = [("--data-dir", data, aside)]
        if log:
            # A suffix of its own: the log of a.etcd may be in a.
            folders.append(("--wal-dir", log, f"{log.rstrip('/')}.old-wal"))
        commands += [
            Command(
                words=("mv", "-T", "--", folder, aside),
                note="Only if the folder exists.",
                where="member",
                member=member.name,
            )
            for _, folder, aside in folders
        ]
        words = (
            *(version.offline_tool, "snapshot", "restore", as_operand(etcdctl.snapshot)),
            f"--name={member.name}",
            *(f"{flag}={folder}" for flag, folder, _ in folders),
            f"--initial-cluster={plan.initial_cluster}",
            f"--initial-cluster-token={plan.token}-restored",
            f"--initial-advertise-peer-urls={','.join(member.peer_urls)}",
            *(_BUMP_REVISION if bump else ()),
        )
        commands.append(Command(words=words, where="member", member=member.name))
    commands.append(etcdctl.endpoint_health("After all members have started:"))
    evidence = _run_with_bump(version) if bump else None
    page = docs_of(version, "op-guide/recovery.md")
    return etcdctl.step("snapshot-restore", "Restore a snapshot", notes, commands, page, evidence)


def _run_with_bump(version: EtcdVersion) -> str:
    """Return the evidence of a restore that raises the revision: not every patch that was run can."""
    ran = [patch for patch in version.ran if load_versions().version(patch).restore_bumps_revision]
    return f"run on {in_words(ran)}" if ran else NOT_RUN


def _first_to_bump() -> str:
    """Return the oldest patch of etcd that can raise the revision in a restore."""
    return next(filter(None, (version.restore_bumps_revision_from for version in load_versions().versions)))


def _defragment(etcdctl: EtcdctlCommands) -> Step:
    notes = [
        "Defragment after a compaction, if the database is much larger than the data in use. A member serves neither "
        "reads nor writes while it is being defragmented.",
    ]
    if etcdctl.has_followers:
        notes.append(
            "Defragment one member at a time, the leader last, and continue only when all members are healthy. "
            "Alternatively, move leadership to a member that is already defragmented, then defragment the old leader."
        )
    commands = [
        etcdctl.save_snapshot(with_suffix(etcdctl.snapshot, "before-defragment"), "Save a snapshot first:"),
        etcdctl.endpoint_status("Find the leader (IS LEADER is true) and note DB SIZE:"),
        *etcdctl.defragment(),
    ]
    if etcdctl.has_followers:
        commands.append(etcdctl.move_leader("If the leader is not to be defragmented while it leads."))
    commands += [
        etcdctl.endpoint_health("After every member:"),
        etcdctl.endpoint_status("Compare DB SIZE:"),
    ]
    page = docs_of(etcdctl.version, "op-guide/maintenance.md")
    return etcdctl.step("defragment", "Defragment", notes, commands, page)


def _alarms(etcdctl: EtcdctlCommands) -> Step:
    quota = int(etcdctl.plan.further_flags.get("quota-backend-bytes", 0))
    present = f", which the plan sets to {quota_text(quota)}" if quota else ""
    return etcdctl.step(
        "alarms",
        "Alarms",
        [
            "NOSPACE: the database has reached its quota, and etcd rejects writes. Compact the history, defragment, "
            f"and disarm the alarm. Then find out what fills the database, or raise quota-backend-bytes{present}.",
            "CORRUPT: the members disagree about the data. Replace the corrupt member before you disarm the alarm.",
        ],
        [
            etcdctl.ctl("alarm", "list"),
            etcdctl.endpoint_status("For NOSPACE: the revision is in every header.", output="json"),
            etcdctl.ctl(
                *("compaction", "--physical", "REVISION", TIMEOUT),
                note="REVISION is that number. Older revisions can no longer be read.",
                fill_in=("REVISION",),
            ),
            *etcdctl.defragment(),
            etcdctl.ctl("alarm", "disarm", note="This disarms every alarm, of whatever kind."),
            etcdctl.ctl("alarm", "list", note="The list is now empty:"),
        ],
        docs_of(etcdctl.version, "op-guide/maintenance.md"),
    )


def _check_performance(etcdctl: EtcdctlCommands, tier: str | None) -> Step:
    notes = [
        "A load generator for a cluster that is not yet in service. For a minute it writes keys of 256 bytes with "
        "values of 1024 bytes at a fixed rate; the check passes at nine tenths of that rate. It tests neither reads "
        "nor a load like yours, and a cluster can pass xl and fail l (etcd-io/etcd#13455).",
    ]
    if tier is None:
        loads = "; ".join(
            f"--load={load} for {name} ({clients} clients, {writes} writes/s)"
            for name, (load, clients, writes) in LOADS.items()
        )
        notes.append(f"The command has the load of the smallest tier. Choose: {loads}.")
    else:
        _, clients, writes = LOADS[tier]
        notes.append(f"The load for the tier {tier}: {clients} clients, {writes} writes/s.")
    notes.append("It deletes its keys at the end, but their history stays: compact and defragment afterwards.")
    load = LOADS[tier or "small"][0]
    return etcdctl.step(
        "check-perf",
        "Check the performance",
        notes,
        [
            etcdctl.ctl("check", "perf", f"--load={load}"),
            etcdctl.ctl(
                *("del", "--prefix", "/etcdctl-check-perf/"),
                note="Only if the check was interrupted: it does not start while keys of an earlier check remain.",
            ),
        ],
        "etcd-io/etcd etcdctl/ctlv3/command/check.go",
    )


def _measure_disk(etcdctl: EtcdctlCommands, tier: str | None) -> Step:
    log = etcdctl.log_folder
    # fio reads a colon as the end of a folder.
    folder = (log or etcdctl.plan.data_dir).replace(":", "\\:")
    words = [word if word != "--directory=DIR" else f"--directory={folder}" for word in FIO.split()]
    needed = sequential_iops_for(need_for(tier or "small").vcpus)
    iops = (
        f"{needed} for small and medium, {sequential_iops_for(need_for('xlarge').vcpus)} for large and xlarge"
        if tier is None
        else f"{needed} for the tier {tier}"
    )
    return etcdctl.step(
        "fio",
        "Measure the disk",
        [
            "Measure it before etcd runs there. etcd waits for every write of its log to reach the disk, and no "
            "provider publishes how long that takes. fio writes 22 MB and removes them.",
            f"In fsync/fdatasync, 99.00th must be below {WAL_FSYNC_P99_MS:g} ms, which fio may print as "
            f"{WAL_FSYNC_P99_MS * 1000:g} usec. In write, IOPS must be at least {iops}.",
            "The folder is --wal-dir, where etcd writes its log; create it first."
            if log
            else "The folder is the parent of the members' data. If a member's own folder is on a disk of its own, use "
            "that folder.",
        ],
        [Command(words=(*words, "--unlink=1"), where="every-member")],
        docs_of(etcdctl.version, "op-guide/hardware.md, faq.md"),
        evidence="run with fio 3.33",
    )
