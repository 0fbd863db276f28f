"""The Markdown of a runbook: its whole text, and the commands read back from it."""

from __future__ import annotations

import re
import shlex

import pytest

from etcdsize import ClusterPlan, Member, Runbook, Tls, load_versions, runbook
from etcdsize.etcd.notices import version_notices
from etcdsize.reports.runbook import render_runbook

# A code span of CommonMark: a run of backticks, the text, and an equal run.
CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")


def read_back(text: str) -> list[list[str]]:
    """Return the words of the command in every block, as a shell splits them."""
    blocks = re.findall(r"^```sh\n(.*?)\n```$", text, re.M | re.S)
    assert text.count("\n```sh\n") == len(blocks)
    assert not [block for block in blocks if "\n" in block]
    return [shlex.split(block) for block in blocks]


def words(book: Runbook) -> list[list[str]]:
    return [list(command.words) for step in book.steps for command in step.commands]


def test_the_whole_report():
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


def test_labels_say_where_to_run_a_command():
    text = render_runbook(runbook(ClusterPlan.local(3)))
    assert "\nOn every member's machine:\n\n```sh\netcdutl version\n```\n" in text
    assert "\nOn the machine of `infra1`:\n\n```sh\netcdutl snapshot restore " in text
    assert "\nMember `infra2`:\n\n```sh\netcdctl --endpoints=http://127.0.0.1:2383 defrag " in text
    assert "\nOn the machine of `infra0`: Only if the folder exists.\n\n```sh\nmv " in text


def test_prose_is_wrapped_and_never_interpreted_as_markup():
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
    """A name does not end a block or span, and is never interpreted as an image, a heading or a tag."""
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
    # The token, the member, and the label of every command for the member.
    assert shown.count(name) == 2 + sum(command.member is not None for step in book.steps for command in step.commands)
    bare = CODE.sub("", prose)
    assert not [mark for mark in ("<b>", "![x]", "**x**", "`") if mark in bare]


# tests/etcd/test_flaws.py has its text.
(FLAWS,) = [one.line for one in version_notices(load_versions().version("3.4")) if one.code == "etcd-unsafe-patch"]
ONE = f"""\
# Runbook of the cluster `it's`

etcd 3.4 (run on 3.4.23), 1 member: `a`

Every command is one line for a POSIX shell.

Unset ETCDCTL_ENDPOINTS, ETCDCTL_CACERT and the like first: etcdctl stops if a flag and its variable
are both set. If authentication is enabled, add --user.

The commands need API version 3, which etcdctl 3.4 uses unless ETCDCTL_API is 2.

- warning: A cluster of 1 member tolerates no failure. [no-failure-tolerance]
- warning: Without TLS, anyone on the network can read and write the data of a. [plain-http]
- warning: etcd 3.4 is out of support since 2026-05-15: vulnerabilities found since then are not fixed. \
[etcd-out-of-support]
- {FLAWS}

## Versions

The tools must have the same minor version as the members.

On every member's machine:

```sh
etcd --version
```

On every member's machine:

```sh
etcdctl version
```

Source: etcd-io/etcd etcdctl/README.md (run on 3.4.23)

## Health

Run it at any time. It asks every member of the plan. If a member is down, the command reports it
after five seconds and exits with 1.

etcdctl 3.4 reports a member as healthy even if it has an alarm: check the alarms too.

Older guides use etcdctl cluster-health. It belonged to API version 2 and is an unknown command
today; endpoint health replaced it.

```sh
etcdctl --endpoints=http://10.0.0.1:2379 endpoint health
```

Source: etcd-io/etcd etcdctl/README.md (run on 3.4.23)

## Status

For every member: whether it is the leader (IS LEADER), the size of its database (DB SIZE), how far
it is in the log (RAFT INDEX), its version (VERSION) and its alarms (ERRORS).

```sh
etcdctl --endpoints=http://10.0.0.1:2379 endpoint status -w table
```

Source: etcd-io/etcd etcdctl/README.md (run on 3.4.23)

## Members

The members that the cluster has now, including those that were added after the plan was made.

```sh
etcdctl --endpoints=http://10.0.0.1:2379 member list -w table
```

Source: etcd-io/website content/en/docs/v3.4/op-guide/runtime-configuration.md (run on 3.4.23)

## Save a snapshot

Save one regularly, and before every change. A snapshot is taken from one member, and etcdctl
refuses several endpoints: choose a healthy member. The leader has the newest data.

An existing file of the same name is overwritten without a warning: use a new name for every
snapshot, and keep it on another machine.

```sh
etcdctl --endpoints=http://10.0.0.1:2379 snapshot save snapshot.db
```

Source: etcd-io/website content/en/docs/v3.4/op-guide/maintenance.md (run on 3.4.23)

## Check a snapshot

Prints the hash, the revision, the number of keys and the size. The checksum at the end of the file
is verified only by a restore: restore a snapshot on another machine from time to time.

```sh
etcdctl snapshot status snapshot.db -w table
```

Source: etcd-io/website content/en/docs/v3.4/op-guide/maintenance.md (run on 3.4.23)

## Restore a snapshot

Restore if the quorum is lost for good, or the data has to go back. The members become a new
cluster, and everything written after the snapshot is lost.

First stop every member, and copy the same snapshot to every member's machine. etcd restores only
into a folder that does not exist, so the member's old data is moved aside, not deleted. Run the
commands as the user that runs etcd.

The token is new, so that no member of the old cluster can ever join; use another one for another
restore. Then start all members with the same flags as before: once a member has data, etcd ignores
--initial-cluster and the like.

On the machine of `a`: Only if the folder exists.

```sh
mv -T -- '/data/etcd dir/a.etcd' '/data/etcd dir/a.old'
```

On the machine of `a`:

```sh
etcdctl snapshot restore snapshot.db --name=a '--data-dir=/data/etcd dir/a.etcd' \
--initial-cluster=a=http://10.0.0.1:2380 '--initial-cluster-token=it'"'"'s-restored' \
--initial-advertise-peer-urls=http://10.0.0.1:2380
```

After all members have started:

```sh
etcdctl --endpoints=http://10.0.0.1:2379 endpoint health
```

Source: etcd-io/website content/en/docs/v3.4/op-guide/recovery.md (run on 3.4.23)

## Defragment

Defragment after a compaction, if the database is much larger than the data in use. A member serves
neither reads nor writes while it is being defragmented.

Save a snapshot first:

```sh
etcdctl --endpoints=http://10.0.0.1:2379 snapshot save snapshot-before-defragment.db
```

Find the leader (IS LEADER is true) and note DB SIZE:

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

Compare DB SIZE:

```sh
etcdctl --endpoints=http://10.0.0.1:2379 endpoint status -w table
```

Source: etcd-io/website content/en/docs/v3.4/op-guide/maintenance.md (run on 3.4.23)

## Alarms

NOSPACE: the database has reached its quota, and etcd rejects writes. Compact the history,
defragment, and disarm the alarm. Then find out what fills the database, or raise
quota-backend-bytes.

CORRUPT: the members disagree about the data. Replace the corrupt member before you disarm the
alarm.

```sh
etcdctl --endpoints=http://10.0.0.1:2379 alarm list
```

For NOSPACE: the revision is in every header.

```sh
etcdctl --endpoints=http://10.0.0.1:2379 endpoint status -w json
```

REVISION is that number. Older revisions can no longer be read.

```sh
etcdctl --endpoints=http://10.0.0.1:2379 compaction --physical REVISION --command-timeout=60s
```

Member `a`:

```sh
etcdctl --endpoints=http://10.0.0.1:2379 defrag --command-timeout=60s
```

This disarms every alarm, of whatever kind.

```sh
etcdctl --endpoints=http://10.0.0.1:2379 alarm disarm
```

The list is now empty:

```sh
etcdctl --endpoints=http://10.0.0.1:2379 alarm list
```

Source: etcd-io/website content/en/docs/v3.4/op-guide/maintenance.md (run on 3.4.23)

## Upgrade

Upgrade one minor version at a time: 3.4 to 3.5. First bring all members to the newest patch of 3.4.

If authentication is enabled, the members cannot be upgraded one by one. Make a new plan for 3.5,
and start every member with the flags of that plan.

As long as one member runs 3.4, the others can be started with 3.4 again. A few seconds after the
last member is upgraded, /version of every member shows etcdcluster 3.5.0. Then there is no simple
way back: keep the snapshot.

Stop the member, install the new etcd, start it, and wait until it is healthy. Then upgrade the
tools.

Start only if all members are healthy:

```sh
etcdctl --endpoints=http://10.0.0.1:2379 endpoint health
```

Save a snapshot first:

```sh
etcdctl --endpoints=http://10.0.0.1:2379 snapshot save snapshot-before-upgrade.db
```

Find the leader (IS LEADER is true) and every member's VERSION:

```sh
etcdctl --endpoints=http://10.0.0.1:2379 endpoint status -w table
```

After every member:

```sh
etcdctl --endpoints=http://10.0.0.1:2379 endpoint health
```

VERSION is now the same for all members:

```sh
etcdctl --endpoints=http://10.0.0.1:2379 endpoint status -w table
```

Source: etcd-io/website content/en/docs/v3.5/upgrades/upgrade_3_5.md (run from 3.4.23 to 3.5.1)

## Check the performance

A load generator for a cluster that is not yet in service. For a minute it writes keys of 256 bytes
with values of 1024 bytes at a fixed rate; the check passes at nine tenths of that rate. It tests
neither reads nor a load like yours, and a cluster can pass xl and fail l (etcd-io/etcd#13455).

The load for the tier small: 50 clients, 150 writes/s.

It deletes its keys at the end, but their history stays: compact and defragment afterwards.

```sh
etcdctl --endpoints=http://10.0.0.1:2379 check perf --load=s
```

Only if the check was interrupted: it does not start while keys of an earlier check remain.

```sh
etcdctl --endpoints=http://10.0.0.1:2379 del --prefix /etcdctl-check-perf/
```

Source: etcd-io/etcd etcdctl/ctlv3/command/check.go (run on 3.4.23)

## Measure the disk

Measure it before etcd runs there. etcd waits for every write of its log to reach the disk, and no
provider publishes how long that takes. fio writes 22 MB and removes them.

In fsync/fdatasync, 99.00th must be below 10 ms, which fio may print as 10000 usec. In write, IOPS
must be at least 50 for the tier small.

The folder is the parent of the members' data. If a member's own folder is on a disk of its own, use
that folder.

On every member's machine:

```sh
fio --name=etcd '--directory=/data/etcd dir' --rw=write --ioengine=sync --fdatasync=1 --size=22m --bs=2300 --unlink=1
```

Source: etcd-io/website content/en/docs/v3.4/op-guide/hardware.md, faq.md (run with fio 3.33)
"""
