"""What there is to do to a cluster: each step of a runbook, in the words of one version of etcd.

This module imports no pydantic and no numpy.
"""

from __future__ import annotations

from etcdsize.fitting.fsync import FIO, WAL_FSYNC_P99_MS, sequential_iops_for
from etcdsize.fitting.model import need_for
from etcdsize.operations.etcdctl import PATIENCE, Filler, beside, operand
from etcdsize.operations.steps import Command, Step

__all__ = ["LOADS", "preface", "steps"]

# etcd-io/etcd etcdctl/ctlv3/command/check.go: clients, and writes a second.
LOADS = {
    "small": ("s", 50, 150),
    "medium": ("m", 200, 1_000),
    "large": ("l", 500, 8_000),
    "xlarge": ("xl", 1_000, 15_000),
}
# What a version is upgraded to, from which patch, and what else to know. The pages are upgrade_3_5.md and so on.
_UPGRADES = {
    "3.4": ("3.5", "the newest patch of 3.4", "Where authentication is on, not member by member."),
    "3.5": ("3.6", "3.5.32 or later", "Where --enable-v2 is set, read the page first."),
    "3.6": ("3.7", "3.6.11 or later", "Whatever is --experimental is gone."),
}
# etcd-io/etcd CHANGELOG/CHANGELOG-3.5.md: the first 3.5 that restores with a higher revision.
_BUMPS_FROM = 10
# etcd-io/website content/en/docs/v3.5/op-guide/recovery.md: enough for a week of 1500 writes a second.
_BUMP = ("--bump-revision=1000000000", "--mark-compacted")
_NOT_RUN = "from source, not run"


def steps(fill: Filler, tier: str | None, kubernetes: bool) -> tuple[Step, ...]:
    """Return every step, those of every day first."""
    return (
        _version(fill),
        _health(fill),
        _status(fill),
        _member_list(fill),
        _snapshot_save(fill),
        _snapshot_status(fill),
        _snapshot_restore(fill, kubernetes),
        _defragment(fill),
        _alarms(fill),
        _upgrade(fill),
        _check_perf(fill, tier),
        _fio(fill, tier),
    )


def preface(fill: Filler) -> tuple[str, ...]:
    """Return what holds for all of them."""
    says = [
        "The commands are for a POSIX shell, one line each.",
        "Unset ETCDCTL_ENDPOINTS, ETCDCTL_CACERT and the like first: etcdctl stops where a flag and its variable "
        "are both set. Where authentication is on, add --user.",
    ]
    if fill.minor == "3.4":
        says.append("etcdctl 3.4 speaks the API of version 3, which it needs here, unless ETCDCTL_API says 2.")
    tls = fill.plan.tls
    if tls is not None and tls.client is not None and tls.client.client_cert_auth and tls.client_cert_file is None:
        says.append(
            "The members ask who connects for a certificate, and the plan names none for clients: add --cert and "
            "--key to every etcdctl, or give client_cert_file and client_key_file to the plan."
        )
    return tuple(says)


def _version(fill: Filler) -> Step:
    names = ["etcd --version", "etcdctl version", *(["etcdutl version"] if fill.has_etcdutl else [])]
    return fill.step(
        "version",
        "Versions",
        ["What is installed: the tools are to be of the same minor version as the members."],
        [Command(words=tuple(name.split()), where="every-member") for name in names],
        "etcdctl/README.md",
        "etcd-io/etcd ",
    )


def _health(fill: Filler) -> Step:
    return fill.step(
        "health",
        "Health",
        [
            "At any time. It asks every member of the plan. Where one is down, it says so after five seconds, and the "
            "exit code is 1.",
            "etcdctl 3.4 calls a member healthy that has an alarm: look at the alarms as well."
            if fill.minor == "3.4"
            else "A member with an alarm is not healthy.",
            "etcdctl cluster-health, which older guides print, was of the API of etcd 2; today it is an unknown "
            "command, and endpoint health is what replaced it.",
        ],
        [fill.ctl("endpoint", "health")],
        "etcdctl/README.md",
        "etcd-io/etcd ",
    )


def _status(fill: Filler) -> Step:
    return fill.step(
        "status",
        "Status",
        [
            "Who leads (IS LEADER), how large every member's database is (DB SIZE), how far it is (RAFT INDEX), "
            "which version it runs, and the alarms (ERRORS).",
        ],
        [fill.ctl("endpoint", "status", "-w", "table")],
        "etcdctl/README.md",
        "etcd-io/etcd ",
    )


def _member_list(fill: Filler) -> Step:
    quorum = "" if fill.minor == "3.4" else " It needs a quorum."
    return fill.step(
        "member-list",
        "Members",
        [f"The members as the cluster has them, with those that were added since the plan.{quorum}"],
        [fill.ctl("member", "list", "-w", "table")],
        "op-guide/runtime-configuration.md",
    )


def _snapshot_save(fill: Filler) -> Step:
    return fill.step(
        "snapshot-save",
        "Save a snapshot",
        [
            "Regularly, and before every change. It is of one member, and etcdctl refuses several endpoints: take "
            "one that is healthy. The leader has the newest data.",
            "A file of that name is replaced without a word: give every snapshot a name of its own, and keep it on "
            "another machine.",
        ],
        [fill.save(fill.snapshot)],
        "op-guide/maintenance.md",
    )


def _snapshot_status(fill: Filler) -> Step:
    return fill.step(
        "snapshot-status",
        "Check a snapshot",
        [
            "Hash, revision, number of keys and size. The checksum at the end of the file is not looked at before "
            "the snapshot is restored: restore one from time to time, elsewhere.",
        ],
        [Command(words=(fill.offline, "snapshot", "status", operand(fill.snapshot), "-w", "table"))],
        "op-guide/maintenance.md",
    )


def _snapshot_restore(fill: Filler, kubernetes: bool) -> Step:
    says = [
        "Where a quorum is lost for good, or the data has to go back. The members become a new cluster: of what was "
        "written after the snapshot nothing is left.",
        "Stop every member first, and copy the same snapshot to every member's machine. What is there of a member's "
        "data is moved away, not deleted: etcd restores only where there is nothing. Run it as the user that etcd "
        "runs as.",
        "The token is a new one, so that no member of the old cluster ever joins; another restore takes another. "
        "Then start all members as at first: where there is data, etcd passes over --initial-cluster and the like.",
    ]
    version = fill.plan.etcd_version
    bumps = fill.minor not in ("3.4", "3.5") or (
        fill.minor == "3.5" and (version.patch is None or version.patch >= _BUMPS_FROM)
    )
    if kubernetes:
        says.append("Stop every API server first, and start them last.")
        says.append(
            "The revision is raised by 1,000,000,000 and all before it marked as compacted, so that it never goes "
            "back for those who watch."
            if bumps
            else f"etcdutl raises the revision from 3.5.{_BUMPS_FROM} on, and {version} does not: restart whatever "
            "watches the API servers as well."
        )
    extra = _BUMP if kubernetes and bumps else ()
    commands = []
    for member in fill.plan.members:
        moved = [("--data-dir", fill.plan.data_dir_of(member.name))]
        if "wal-dir" in fill.plan.settings:
            moved.append(("--wal-dir", str(fill.plan.settings["wal-dir"])))
        commands += [
            Command(
                words=("mv", "-T", "--", folder, f"{folder.rstrip('/').removesuffix('.etcd')}.old"),
                says="Only where there is such a folder.",
                where="member",
                member=member.name,
            )
            for _, folder in moved
        ]
        words = (
            *(fill.offline, "snapshot", "restore", operand(fill.snapshot)),
            f"--name={member.name}",
            *(f"{flag}={folder}" for flag, folder in moved),
            f"--initial-cluster={fill.plan.initial_cluster}",
            f"--initial-cluster-token={fill.plan.token}-restored",
            f"--initial-advertise-peer-urls={','.join(member.peer_urls)}",
            *extra,
        )
        commands.append(Command(words=words, where="member", member=member.name))
    commands.append(fill.ctl("endpoint", "health", says="When all members run again:"))
    # The patches of 3.5 that raise the revision were not run.
    evidence = _NOT_RUN if extra else None
    return fill.step(
        "snapshot-restore", "Restore a snapshot", says, commands, "op-guide/recovery.md", evidence=evidence
    )


def _defragment(fill: Filler) -> Step:
    says = [
        "After compaction, where the database is much larger than what is in use. A member neither reads nor writes "
        "while it is defragmented.",
    ]
    if fill.several:
        says.append(
            "One member at a time, the leader last, and the next only when all are healthy. Or hand the leadership "
            "to a member that is done, and then do the one that led."
        )
    commands = [
        fill.save(beside(fill.snapshot, "before-defragment"), "A snapshot first:"),
        fill.ctl("endpoint", "status", "-w", "table", says="Who leads (IS LEADER is true), and DB SIZE before:"),
        *fill.defrag(),
    ]
    if fill.several:
        commands.append(fill.move_leader("Instead of defragmenting the leader as it leads."))
    commands += [
        fill.ctl("endpoint", "health", says="After every member:"),
        fill.ctl("endpoint", "status", "-w", "table", says="DB SIZE afterwards:"),
    ]
    return fill.step("defragment", "Defragment", says, commands, "op-guide/maintenance.md")


def _alarms(fill: Filler) -> Step:
    return fill.step(
        "alarms",
        "Alarms",
        [
            "NOSPACE: the database reached its quota, and nothing is written any more. Give up its history, "
            "defragment, and disarm. Then find what fills it, or raise quota-backend-bytes.",
            "CORRUPT: the members disagree. Do not disarm it before the member that is wrong has been replaced.",
        ],
        [
            fill.ctl("alarm", "list"),
            fill.ctl("endpoint", "status", "-w", "json", says="Where it is NOSPACE: the revision is in every header."),
            fill.ctl(
                *("compaction", "--physical", "REVISION", PATIENCE),
                says="REVISION is that number. Nobody can read what was before it any more.",
                fill_in=("REVISION",),
            ),
            *fill.defrag(),
            fill.ctl("alarm", "disarm", says="It disarms every alarm there is, whatever it is."),
            fill.ctl("alarm", "list", says="Nothing is left:"),
        ],
        "op-guide/maintenance.md",
    )


def _upgrade(fill: Filler) -> Step:
    found = _UPGRADES.get(fill.minor)
    if found is None:
        page = "upgrades/upgrading-etcd.md"
        says = [f"From one patch of {fill.minor} to another. We know of no later minor version."]
    else:
        to, least, beware = found
        page = f"upgrades/upgrade_{to.replace('.', '_')}.md"
        says = [
            f"One minor version at a time: {fill.minor} to {to}. First bring all members to {least}.",
            f"{beware} Make the plan anew for {to}: it refuses the flags that are gone.",
            f"When all members run {to}, there is no simple way back: keep the snapshot.",
        ]
    order = (
        "Followers first, the leader last: stop one, put the new etcd in its place, start it"
        if fill.several
        else ("Stop it, put the new etcd in its place, start it")
    )
    says.append(f"{order} as before, and go on when it is healthy. Then the tools.")
    commands = [
        fill.ctl("endpoint", "health", says="Begin only when all are healthy:"),
        fill.save(beside(fill.snapshot, "before-upgrade"), "A snapshot first:"),
        fill.ctl(
            "endpoint", "status", "-w", "table", says="Who leads (IS LEADER is true), and what each runs (VERSION):"
        ),
    ]
    if fill.several:
        commands.append(fill.move_leader("When the followers are done, so that the leader goes last and as none."))
    commands += [
        fill.ctl("endpoint", "health", says="After every member:"),
        fill.ctl("endpoint", "status", "-w", "table", says="VERSION is the same of all:"),
    ]
    # The page of the version that it goes to is among that version's documentation.
    docs = f"etcd-io/website content/en/docs/v{fill.minor if found is None else found[0]}/"
    evidence = {"3.4": "3.4.23 to 3.5.1 ran", "3.5": f"3.5.1 ran, the upgrade itself {_NOT_RUN}"}.get(fill.minor)
    return fill.step("upgrade", "Upgrade", says, commands, page, docs, evidence)


def _check_perf(fill: Filler, tier: str | None) -> Step:
    says = [
        "A load generator, for a cluster that is not yet in service: for a minute it writes keys of 256 and values "
        "of 1024 bytes at a fixed rate, and passes at nine tenths of it. It says nothing of reads, nor of your load; "
        "it can pass xl and fail l (etcd-io/etcd#13455).",
    ]
    if tier is None:
        loads = "; ".join(
            f"--load={load} for {name} ({clients} clients, {writes} writes/s)"
            for name, (load, clients, writes) in LOADS.items()
        )
        says.append(f"The load is that of the smallest tier. Choose: {loads}.")
    else:
        _, clients, writes = LOADS[tier]
        says.append(f"The load for the tier {tier}: {clients} clients, {writes} writes/s.")
    says.append("It deletes its keys at the end, and their history stays: compact and defragment afterwards.")
    load = LOADS[tier or "small"][0]
    return fill.step(
        "check-perf",
        "Check the performance",
        says,
        [
            fill.ctl("check", "perf", f"--load={load}"),
            fill.ctl(
                *("del", "--prefix", "/etcdctl-check-perf/"),
                says="Only where it was interrupted: it does not begin while keys of its own are left.",
            ),
        ],
        "etcdctl/ctlv3/command/check.go",
        "etcd-io/etcd ",
    )


def _fio(fill: Filler, tier: str | None) -> Step:
    # fio takes a colon for the end of a folder.
    folder = fill.plan.data_dir.replace(":", "\\:")
    words = [word if word != "--directory=DIR" else f"--directory={folder}" for word in FIO.split()]
    needed = sequential_iops_for(need_for(tier or "small").vcpus)
    iops = (
        f"{needed} for small and medium, {sequential_iops_for(need_for('xlarge').vcpus)} for large and xlarge"
        if tier is None
        else f"{needed} for the tier {tier}"
    )
    return fill.step(
        "fio",
        "Measure the disk",
        [
            "Before etcd runs there: etcd waits for every write of its log, and no provider publishes how long that "
            "takes. It writes 22 MB and removes them.",
            f"Look for fsync/fdatasync, 99.00th: below {WAL_FSYNC_P99_MS:g} ms, which fio may print as "
            f"{WAL_FSYNC_P99_MS * 1000:g} usec. And write: IOPS, at least {iops}.",
            "The folder is the one above the members' data. Where a member's own folder is a disk of its own, name "
            "that.",
        ],
        [Command(words=(*words, "--unlink=1"), where="every-member")],
        "op-guide/hardware.md, faq.md",
        evidence="fio 3.33 ran",
    )
