"""The Markdown of a runbook: in full, and read back: a block is a command, and a command its words."""

from __future__ import annotations

import re
import shlex

import pytest

from etcdsize import ClusterPlan, Member, Runbook, Tls, runbook
from etcdsize.reports.runbook import render_runbook

# As CommonMark has it: a run of backticks, and the same run again.
CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")


def read_back(text: str) -> list[list[str]]:
    """Return the words of every command in a block of its own, as a shell takes them."""
    blocks = re.findall(r"^```sh\n(.*?)\n```$", text, re.M | re.S)
    assert text.count("\n```sh\n") == len(blocks)
    assert not [block for block in blocks if "\n" in block]
    return [shlex.split(block) for block in blocks]


def words(book: Runbook) -> list[list[str]]:
    return [list(command.words) for step in book.steps for command in step.commands]


def test_in_full():
    plan = ClusterPlan.from_hosts({"a": "10.0.0.1"}, etcd_version="3.4", data_dir="/data/etcd dir", token="it's")
    assert render_runbook(runbook(plan, tier="small")) == ONE


@pytest.mark.parametrize("version", ["3.4", "3.5", "3.6", "3.7"])
@pytest.mark.parametrize("tls", [None, Tls.from_dir("/etc/etcd/pki")], ids=["http", "https"])
def test_every_command_reads_back(version, tls):
    plan = ClusterPlan.from_hosts(["a=10.0.0.1", "b=10.0.0.2", "c=10.0.0.3"], etcd_version=version, tls=tls)
    book = runbook(plan, kubernetes=True)
    text = render_runbook(book)
    assert read_back(text) == words(book)
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == [step.title for step in book.steps]
    assert text.count("\nSource: ") == len(book.steps)


def test_labels():
    text = render_runbook(runbook(ClusterPlan.local(3)))
    assert "\nOn every member's machine:\n\n```sh\netcdutl version\n```\n" in text
    assert "\nOn the machine of `infra1`:\n\n```sh\netcdutl snapshot restore " in text
    assert "\nMember `infra2`:\n\n```sh\netcdctl --endpoints=http://127.0.0.1:2383 defrag " in text
    assert "\nOn the machine of `infra0`: Only where there is such a folder.\n\n```sh\nmv " in text


def test_prose_is_wrapped_and_no_line_of_it_means_something_else_in_markdown():
    for version in ("3.4", "3.5", "3.6", "3.7"):
        text = render_runbook(runbook(ClusterPlan.local(3, etcd_version=version), kubernetes=True))
        prose = re.sub(r"^(```sh\n.*?\n```|#+ .*|- .*|Source: .*)$", "", text, flags=re.M | re.S)
        for line in prose.splitlines():
            assert len(line) <= 100
            assert not re.match(r"\s|[#>+*|=-](\s|$)|\d+[.)]\s|```", line)


HOSTILE = (
    "`",
    "a`b``c",
    "![x](http://x)",
    "</code><b>",
    "```sh",
    "# x",
    "**x**  y",
    "$(touch x)",
    "[x][y]",
    "_x_",
    "&amp;",
    "\\*",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_shown_as_code(name):
    """It ends no block and no span, and is no image, heading or tag."""
    name = name.replace("/", "|")
    plan = ClusterPlan(
        members=[Member(name=name, client_urls="http://10.0.0.1:2379", peer_urls="http://10.0.0.1:2380")],
        token=name,
        data_dir=f"/data/{name}",
    )
    book = runbook(plan)
    text = render_runbook(book)
    assert read_back(text) == words(book)
    prose = re.sub(r"^```sh\n.*?\n```$", "", text, flags=re.M | re.S)
    spans = [span[1] for span in CODE.findall(prose)]
    shown = [span[1:-1] if span[0] == span[-1] == " " and span.strip() else span for span in spans]
    # The token, the member, and where a command is for it; a notice names it as well.
    assert shown.count(name) == 2 + sum(command.member is not None for step in book.steps for command in step.commands)
    bare = CODE.sub("", prose)
    assert not [mark for mark in ("<b>", "![x]", "**x**", "`") if mark in bare]


ONE = """\
# Runbook of the cluster `it's`

etcd 3.4 (3.4.23 ran), 1 member: `a`

The commands are for a POSIX shell, one line each.

Unset ETCDCTL_ENDPOINTS, ETCDCTL_CACERT and the like first: etcdctl stops where a flag and its
variable are both set. Where authentication is on, add --user.

etcdctl 3.4 speaks the API of version 3, which it needs here, unless ETCDCTL_API says 2.

- warning: A cluster of 1 member tolerates no failure. [no-failure-tolerance]
- warning: Without TLS anybody on the network reads and writes the data of a. [plain-http]
- warning: etcd 3.4 is out of support since 2026-05-15: what is found now is not mended. [etcd-out-of-support]

## Versions

What is installed: the tools are to be of the same minor version as the members.

On every member's machine:

```sh
etcd --version
```

On every member's machine:

```sh
etcdctl version
```

Source: etcd-io/etcd etcdctl/README.md (3.4.23 ran)

## Health

At any time. It asks every member of the plan. Where one is down, it says so after five seconds, and
the exit code is 1.

etcdctl 3.4 calls a member healthy that has an alarm: look at the alarms as well.

etcdctl cluster-health, which older guides print, was of the API of etcd 2; today it is an unknown
command, and endpoint health is what replaced it.

```sh
etcdctl --endpoints=http://10.0.0.1:2379 endpoint health
```

Source: etcd-io/etcd etcdctl/README.md (3.4.23 ran)

## Status

Who leads (IS LEADER), how large every member's database is (DB SIZE), how far it is (RAFT INDEX),
which version it runs, and the alarms (ERRORS).

```sh
etcdctl --endpoints=http://10.0.0.1:2379 endpoint status -w table
```

Source: etcd-io/etcd etcdctl/README.md (3.4.23 ran)

## Members

The members as the cluster has them, with those that were added since the plan.

```sh
etcdctl --endpoints=http://10.0.0.1:2379 member list -w table
```

Source: etcd-io/website content/en/docs/v3.4/op-guide/runtime-configuration.md (3.4.23 ran)

## Save a snapshot

Regularly, and before every change. It is of one member, and etcdctl refuses several endpoints: take
one that is healthy. The leader has the newest data.

A file of that name is replaced without a word: give every snapshot a name of its own, and keep it
on another machine.

```sh
etcdctl --endpoints=http://10.0.0.1:2379 snapshot save snapshot.db
```

Source: etcd-io/website content/en/docs/v3.4/op-guide/maintenance.md (3.4.23 ran)

## Check a snapshot

Hash, revision, number of keys and size. The checksum at the end of the file is not looked at before
the snapshot is restored: restore one from time to time, elsewhere.

```sh
etcdctl snapshot status snapshot.db -w table
```

Source: etcd-io/website content/en/docs/v3.4/op-guide/maintenance.md (3.4.23 ran)

## Restore a snapshot

Where a quorum is lost for good, or the data has to go back. The members become a new cluster: of
what was written after the snapshot nothing is left.

Stop every member first, and copy the same snapshot to every member's machine. What is there of a
member's data is moved away, not deleted: etcd restores only where there is nothing. Run it as the
user that etcd runs as.

The token is a new one, so that no member of the old cluster ever joins; another restore takes
another. Then start all members as at first: where there is data, etcd passes over --initial-cluster
and the like.

On the machine of `a`: Only where there is such a folder.

```sh
mv -T -- '/data/etcd dir/a.etcd' '/data/etcd dir/a.old'
```

On the machine of `a`:

```sh
etcdctl snapshot restore snapshot.db --name=a '--data-dir=/data/etcd dir/a.etcd' \
--initial-cluster=a=http://10.0.0.1:2380 '--initial-cluster-token=it'"'"'s-restored' \
--initial-advertise-peer-urls=http://10.0.0.1:2380
```

When all members run again:

```sh
etcdctl --endpoints=http://10.0.0.1:2379 endpoint health
```

Source: etcd-io/website content/en/docs/v3.4/op-guide/recovery.md (3.4.23 ran)

## Defragment

After compaction, where the database is much larger than what is in use. A member neither reads nor
writes while it is defragmented.

A snapshot first:

```sh
etcdctl --endpoints=http://10.0.0.1:2379 snapshot save snapshot-before-defragment.db
```

Who leads (IS LEADER is true), and DB SIZE before:

```sh
etcdctl --endpoints=http://10.0.0.1:2379 endpoint status -w table
```

Member `a`:

```sh
etcdctl --endpoints=http://10.0.0.1:2379 defrag --command-timeout=60s
```

After every member:

```sh
etcdctl --endpoints=http://10.0.0.1:2379 endpoint health
```

DB SIZE afterwards:

```sh
etcdctl --endpoints=http://10.0.0.1:2379 endpoint status -w table
```

Source: etcd-io/website content/en/docs/v3.4/op-guide/maintenance.md (3.4.23 ran)

## Alarms

NOSPACE: the database reached its quota, and nothing is written any more. Give up its history,
defragment, and disarm. Then find what fills it, or raise quota-backend-bytes.

CORRUPT: the members disagree. Do not disarm it before the member that is wrong has been replaced.

```sh
etcdctl --endpoints=http://10.0.0.1:2379 alarm list
```

Where it is NOSPACE: the revision is in every header.

```sh
etcdctl --endpoints=http://10.0.0.1:2379 endpoint status -w json
```

REVISION is that number. Nobody can read what was before it any more.

```sh
etcdctl --endpoints=http://10.0.0.1:2379 compaction --physical REVISION --command-timeout=60s
```

Member `a`:

```sh
etcdctl --endpoints=http://10.0.0.1:2379 defrag --command-timeout=60s
```

It disarms every alarm there is, whatever it is.

```sh
etcdctl --endpoints=http://10.0.0.1:2379 alarm disarm
```

Nothing is left:

```sh
etcdctl --endpoints=http://10.0.0.1:2379 alarm list
```

Source: etcd-io/website content/en/docs/v3.4/op-guide/maintenance.md (3.4.23 ran)

## Upgrade

One minor version at a time: 3.4 to 3.5. First bring all members to the newest patch of 3.4.

Where authentication is on, not member by member. Make the plan anew for 3.5: it refuses the flags
that are gone.

When all members run 3.5, there is no simple way back: keep the snapshot.

Stop it, put the new etcd in its place, start it as before, and go on when it is healthy. Then the
tools.

Begin only when all are healthy:

```sh
etcdctl --endpoints=http://10.0.0.1:2379 endpoint health
```

A snapshot first:

```sh
etcdctl --endpoints=http://10.0.0.1:2379 snapshot save snapshot-before-upgrade.db
```

Who leads (IS LEADER is true), and what each runs (VERSION):

```sh
etcdctl --endpoints=http://10.0.0.1:2379 endpoint status -w table
```

After every member:

```sh
etcdctl --endpoints=http://10.0.0.1:2379 endpoint health
```

VERSION is the same of all:

```sh
etcdctl --endpoints=http://10.0.0.1:2379 endpoint status -w table
```

Source: etcd-io/website content/en/docs/v3.5/upgrades/upgrade_3_5.md (3.4.23 to 3.5.1 ran)

## Check the performance

A load generator, for a cluster that is not yet in service: for a minute it writes keys of 256 and
values of 1024 bytes at a fixed rate, and passes at nine tenths of it. It says nothing of reads, nor
of your load; it can pass xl and fail l (etcd-io/etcd#13455).

The load for the tier small: 50 clients, 150 writes/s.

It deletes its keys at the end, and their history stays: compact and defragment afterwards.

```sh
etcdctl --endpoints=http://10.0.0.1:2379 check perf --load=s
```

Only where it was interrupted: it does not begin while keys of its own are left.

```sh
etcdctl --endpoints=http://10.0.0.1:2379 del --prefix /etcdctl-check-perf/
```

Source: etcd-io/etcd etcdctl/ctlv3/command/check.go (3.4.23 ran)

## Measure the disk

Before etcd runs there: etcd waits for every write of its log, and no provider publishes how long
that takes. It writes 22 MB and removes them.

Look for fsync/fdatasync, 99.00th: below 10 ms, which fio may print as 10000 usec. And write: IOPS,
at least 50 for the tier small.

The folder is the one above the members' data. Where a member's own folder is a disk of its own,
name that.

On every member's machine:

```sh
fio --name=etcd '--directory=/data/etcd dir' --rw=write --ioengine=sync --fdatasync=1 --size=22m --bs=2300 --unlink=1
```

Source: etcd-io/website content/en/docs/v3.4/op-guide/hardware.md, faq.md (fio 3.33 ran)
"""
