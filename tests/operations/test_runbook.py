"""The commands of a runbook: they fit the version of etcd and the plan, and every argument stays one word."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from etcdsize import (
    ClusterPlan,
    Command,
    Member,
    OptionError,
    PlanError,
    Runbook,
    Tls,
    TlsFiles,
    runbook,
)

VERSIONS = ("3.4", "3.5", "3.6", "3.7")
HOSTS = {"a": "10.0.0.1", "b": "10.0.0.2", "c": "10.0.0.3"}
CODES = (
    *("version", "health", "status", "member-list", "snapshot-save", "snapshot-status", "snapshot-restore"),
    *("defragment", "alarms", "upgrade", "downgrade", "check-perf", "fio"),
)
WITH_DOWNGRADE = ("3.6", "3.7")
TLS = Tls.from_dir("/etc/etcd/pki")


def plan(version: str = "3.5", **more: object) -> ClusterPlan:
    return ClusterPlan.from_hosts(HOSTS, etcd_version=version, **more)


def shells(book: Runbook, code: str) -> list[str]:
    return [command.shell for command in book.step(code).commands]


def commands(book: Runbook) -> list[Command]:
    return [command for step in book.steps for command in step.commands]


@pytest.mark.parametrize("version", VERSIONS)
class TestEveryVersion:
    """3.4 has etcdctl alone; since 3.5, etcdutl does what needs no member."""

    def test_every_step_is_there(self, version):
        expected = [code for code in CODES if code != "downgrade" or version in WITH_DOWNGRADE]
        assert [step.code for step in runbook(plan(version)).steps] == expected

    def test_each_command_uses_a_program_of_the_version(self, version):
        offline = "etcdctl" if version == "3.4" else "etcdutl"
        for command in commands(runbook(plan(version))):
            words = " ".join(command.words)
            if " snapshot status " in words or " snapshot restore " in words:
                assert command.words[0] == offline
            elif command.words[0] == "etcdutl":
                assert words == "etcdutl version" or (version == "3.5" and words.startswith("etcdutl check v2store "))
            else:
                assert command.words[0] in ("etcd", "etcdctl", "mv", "fio")
        assert ("etcdutl version" in shells(runbook(plan(version)), "version")) == (version != "3.4")

    def test_cluster_health_is_explained_and_never_run(self, version):
        book = runbook(plan(version))
        assert not [command for command in commands(book) if "cluster-health" in command.words]
        assert any("cluster-health" in text and "endpoint health" in text for text in book.step("health").notes)

    def test_every_step_has_source_and_evidence(self, version):
        for step in runbook(plan(version)).steps:
            assert step.source.startswith(("etcd-io/website content/en/docs/v3.", "etcd-io/etcd "))
            assert step.evidence.startswith("run ")

    def test_notes_name_the_words_to_fill_in(self, version):
        for command in commands(runbook(plan(version))):
            assert set(command.fill_in) <= set(command.words)
            assert all(word in command.note for word in command.fill_in)

    def test_only_3_4_mentions_etcdctl_api(self, version):
        assert any("ETCDCTL_API" in text for text in runbook(plan(version)).notes) == (version == "3.4")


class TestEndpoints:
    """Commands ask all members of the plan, so that they report one that is down; a snapshot is of one member."""

    ALL = "--endpoints=http://10.0.0.1:2379,http://10.0.0.2:2379,http://10.0.0.3:2379"

    def test_status_commands_ask_all_members(self):
        book = runbook(plan())
        assert shells(book, "health") == [f"etcdctl {self.ALL} endpoint health"]
        assert shells(book, "status") == [f"etcdctl {self.ALL} endpoint status -w table"]
        assert shells(book, "member-list") == [f"etcdctl {self.ALL} member list -w table"]

    def test_snapshot_is_of_one_member(self):
        for command in commands(runbook(plan())):
            if "save" in command.words:
                assert command.words[1] == "--endpoints=http://10.0.0.1:2379"

    def test_members_are_defragmented_one_by_one(self):
        for code in ("defragment", "alarms"):
            found = [command for command in runbook(plan()).step(code).commands if "defrag" in command.words]
            assert [(command.member, command.words[1]) for command in found] == [
                (name, f"--endpoints=http://{host}:2379") for name, host in HOSTS.items()
            ]

    def test_move_leader_asks_the_leader_alone(self):
        """etcdctl before 3.5.5 fails with several endpoints."""
        for code in ("defragment", "upgrade"):
            (move,) = [command for command in runbook(plan()).step(code).commands if "move-leader" in command.words]
            assert move.filled(LEADER_URL="http://10.0.0.2:2379", MEMBER_ID="8e9e05c52164694d").shell == (
                "etcdctl --endpoints http://10.0.0.2:2379 move-leader 8e9e05c52164694d"
            )

    def test_single_member_has_no_move_leader(self):
        book = runbook(ClusterPlan.local(1))
        assert not [command for command in commands(book) if "move-leader" in command.words]
        assert not [text for step in book.steps for text in step.notes if "the leader last" in text]


class TestTls:
    """Commands that ask a member have --cacert, --cert and --key, and no others do."""

    FLAGS = (
        "--cacert=/etc/etcd/pki/ca.crt",
        "--cert=/etc/etcd/pki/healthcheck-client.crt",
        "--key=/etc/etcd/pki/healthcheck-client.key",
    )

    @pytest.mark.parametrize("version", VERSIONS)
    def test_commands_that_ask_a_member_have_the_certificates(self, version):
        for command in commands(runbook(plan(version, tls=TLS))):
            asks = command.words[1].startswith("--endpoints")
            at = command.words.index("LEADER_URL") + 1 if "LEADER_URL" in command.words else 2
            assert (command.words[at : at + 3] == self.FLAGS) == asks
            assert any(word.startswith(("--cacert", "--cert", "--key")) for word in command.words) == asks

    def test_notes_mention_a_missing_client_certificate(self):
        files = TlsFiles(cert_file="/s.crt", key_file="/s.key", trusted_ca_file="/ca.crt")
        book = runbook(plan(tls=Tls(client=files)))
        assert shells(book, "health")[0].split()[2:] == ["--cacert=/ca.crt", "endpoint", "health"]
        assert any("add --cert and --key" in text for text in book.notes)
        assert not any("add --cert and --key" in text for text in runbook(plan(tls=TLS)).notes)

    def test_certificates_of_peers_change_nothing(self):
        files = TlsFiles(cert_file="/p.crt", key_file="/p.key", trusted_ca_file="/ca.crt")
        assert shells(runbook(plan(tls=Tls(peer=files))), "health") == shells(runbook(plan()), "health")


class TestSnapshots:
    def test_snapshot_path_is_used_everywhere(self):
        book = runbook(plan(), snapshot="/backup/monday.db")
        assert shells(book, "snapshot-save")[0].endswith(" snapshot save /backup/monday.db")
        assert shells(book, "snapshot-status") == ["etcdutl snapshot status /backup/monday.db -w table"]
        assert shells(book, "defragment")[0].endswith(" snapshot save /backup/monday-before-defragment.db")
        assert " snapshot save /backup/monday-before-upgrade.db" in shells(book, "upgrade")[1]

    def test_snapshot_path_is_never_an_option(self):
        book = runbook(plan(), snapshot="-w.db")
        assert book.step("snapshot-save").commands[0].words[-1] == "./-w.db"
        assert {
            command.words[3] for command in book.step("snapshot-restore").commands if command.words[0] == "etcdutl"
        } == {"./-w.db"}

    @pytest.mark.parametrize("snapshot", ["", " a.db", "a\nb", "../a.db"])
    def test_rejects_an_invalid_snapshot_path(self, snapshot):
        with pytest.raises(PlanError, match=r"^snapshot: got "):
            runbook(plan(), snapshot=snapshot)

    def test_each_member_is_restored_by_one_command(self):
        """It restores into a new folder and a new cluster; the old folder is moved aside."""
        book = runbook(plan(token="orders"))
        cluster = "a=http://10.0.0.1:2380,b=http://10.0.0.2:2380,c=http://10.0.0.3:2380"
        found = book.step("snapshot-restore").commands
        assert [command.shell for command in found[:-1]] == [
            shell
            for name, host in HOSTS.items()
            for shell in (
                f"mv -T -- /var/lib/etcd/{name}.etcd /var/lib/etcd/{name}.old",
                f"etcdutl snapshot restore snapshot.db --name={name} --data-dir=/var/lib/etcd/{name}.etcd "
                f"--initial-cluster={cluster} --initial-cluster-token=orders-restored "
                f"--initial-advertise-peer-urls=http://{host}:2380",
            )
        ]
        assert [(command.where, command.member) for command in found[:-1]] == [
            ("member", name) for name in HOSTS for _ in range(2)
        ]
        assert found[-1].words[-1] == "health"

    def test_restore_includes_a_separate_wal_folder(self):
        found = shells(runbook(plan(settings={"wal-dir": "/wal/etcd/"})), "snapshot-restore")
        assert found[1] == "mv -T -- /wal/etcd/ /wal/etcd.old-wal"
        assert " --data-dir=/var/lib/etcd/a.etcd --wal-dir=/wal/etcd/ " in found[2]

    @pytest.mark.parametrize(
        ("version", "bumps"),
        [
            *(("3.4", False), ("3.4.23", False), ("3.5", True), ("3.5.1", False), ("3.5.9", False), ("3.5.10", True)),
            *(("3.6", True), ("3.7", True)),
        ],
    )
    def test_restore_for_kubernetes_raises_the_revision(self, version, bumps):
        """Watchers never see the revision go back; etcdutl 3.5.10 is the first that can raise it."""
        step = runbook(plan(version), kubernetes=True).step("snapshot-restore")
        for command in step.commands:
            if "restore" in command.words:
                assert (command.words[-2:] == ("--bump-revision=1000000000", "--mark-compacted")) == bumps
        assert any("API server" in text for text in step.notes)
        plain = runbook(plan(version)).step("snapshot-restore")
        assert not [command for command in plain.commands if "--mark-compacted" in command.words]


class TestOrder:
    def test_snapshot_comes_before_every_change(self):
        for code in ("defragment", "upgrade", "downgrade"):
            words = [command.words for command in runbook(plan("3.6")).step(code).commands]
            saved = next(index for index, found in enumerate(words) if "save" in found)
            assert not [found for found in words[:saved] if {"defrag", "move-leader"} & set(found)]

    def test_space_is_freed_before_the_alarm_is_disarmed(self):
        words = [set(command.words) for command in runbook(plan()).step("alarms").commands]
        kinds = ("list", "status", "compaction", "defrag", "disarm", "list")
        found = [next(kind for kind in kinds if kind in these) for these in words]
        assert found == ["list", "status", "compaction", "defrag", "defrag", "defrag", "disarm", "list"]


class TestTier:
    """etcdctl has a load with the name of each tier; its figures are not the guide's."""

    @pytest.mark.parametrize(
        ("tier", "load", "clients", "writes", "iops"),
        [
            ("small", "s", 50, 150, 50),
            ("medium", "m", 200, 1_000, 50),
            ("large", "l", 500, 8_000, 500),
            ("xlarge", "xl", 1_000, 15_000, 500),
        ],
    )
    def test_load_and_iops_of_a_tier(self, tier, load, clients, writes, iops):
        book = runbook(plan(), tier=tier)
        assert shells(book, "check-perf")[0].endswith(f" check perf --load={load}")
        assert f"The load for the tier {tier}: {clients} clients, {writes} writes/s." in book.step("check-perf").notes
        assert any(
            text.endswith(f"IOPS must be at least {iops} for the tier {tier}.") for text in book.step("fio").notes
        )
        chosen = runbook(plan()).step("check-perf").notes[1]
        assert f"--load={load} for {tier} ({clients} clients, {writes} writes/s)" in chosen

    def test_without_a_tier_it_uses_the_smallest_load(self):
        book = runbook(plan())
        assert book.tier is None
        assert shells(book, "check-perf")[0].endswith(" check perf --load=s")
        assert any(
            "at least 50 for small and medium, 500 for large and xlarge." in text for text in book.step("fio").notes
        )

    def test_notes_explain_the_check(self):
        says = " ".join(runbook(plan(), tier="large").step("check-perf").notes)
        assert "load generator for a cluster that is not yet in service" in says
        assert "a cluster can pass xl and fail l (etcd-io/etcd#13455)" in says

    def test_fio_writes_to_the_data_folder(self):
        book = runbook(plan(data_dir="/data:1/etcd"), tier="small")
        assert book.step("fio").commands[0].words == (
            *("fio", "--name=etcd", "--directory=/data\\:1/etcd", "--rw=write", "--ioengine=sync", "--fdatasync=1"),
            *("--size=22m", "--bs=2300", "--unlink=1"),
        )
        assert any("99.00th must be below 10 ms" in text for text in book.step("fio").notes)


class TestArguments:
    def test_rejects_what_is_not_a_plan(self):
        with pytest.raises(OptionError, match=r'^plan: got "a=10\.0\.0\.1" of type str, expected a ClusterPlan$'):
            runbook("a=10.0.0.1")  # type: ignore[arg-type]

    def test_rejects_an_unknown_tier(self):
        with pytest.raises(OptionError) as caught:
            runbook(plan(), tier="smal")
        assert str(caught.value) == ('tier: got "smal", expected small, medium, large, xlarge; did you mean "small"?')

    @pytest.mark.parametrize("kubernetes", [None, 1, "yes"])
    def test_rejects_kubernetes_that_is_not_a_boolean(self, kubernetes):
        with pytest.raises(OptionError, match=r"^kubernetes: got .*, expected True or False$"):
            runbook(plan(), kubernetes=kubernetes)

    def test_rejects_a_snapshot_that_is_not_text(self):
        with pytest.raises(OptionError, match=r"^snapshot: got 5, expected a path$"):
            runbook(plan(), snapshot=5)  # type: ignore[arg-type]

    def test_rejects_an_unknown_step(self):
        with pytest.raises(
            OptionError, match=r'^step: got "defrag", expected version, .*; did you mean "defragment"\?$'
        ):
            runbook(plan()).step("defrag")

    def test_filled_needs_a_value_for_every_word(self):
        command = runbook(plan()).step("alarms").commands[2]
        assert command.filled(REVISION="7").fill_in == ()
        with pytest.raises(OptionError, match=r"^filled: got nothing, expected REVISION$"):
            command.filled()
        with pytest.raises(OptionError, match=r"^filled: got REV, expected REVISION$"):
            command.filled(REV="7")

    def test_has_the_notices_of_the_plan(self):
        assert runbook(plan("3.5.1")).notices == plan("3.5.1").notices

    def test_json_round_trip(self):
        book = runbook(plan(tls=TLS), tier="large")
        assert Runbook.model_validate_json(book.model_dump_json()) == book


def arguments(shell: str) -> list[str]:
    """Return the arguments that a program gets if sh runs this."""
    done = subprocess.run(["sh", "-c", f"printf '%s\\0' {shell}"], capture_output=True, check=True, cwd="/")
    return done.stdout.decode().split("\0")[:-1]


printable = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z")) | st.sampled_from(" '\"$`\\%!*?[](){}<>|&;#~:@^"),
    min_size=1,
    max_size=20,
)
tricky = st.sampled_from(
    [
        "$(touch x)",
        "`touch x`",
        "a'b",
        'a"b',
        "'; touch x; '",
        "%s%n",
        "\\",
        "-rf",
        "--",
        "a\\'b",
        "~",
        "*",
        "#",
        "!!",
        "a  b",
    ]
)
texts = printable | tricky


class TestQuoting:
    """A name, a token or a path stays one word in sh, whatever characters it contains."""

    @given(st.lists(texts, min_size=3, max_size=3, unique=True), texts, texts, texts, texts)
    def test_sh_reads_every_word_unchanged(self, names, token, data_dir, snapshot, folder):
        try:
            found = ClusterPlan(
                members=[
                    Member(
                        name=name, client_urls=f"https://10.0.0.{index}:2379", peer_urls=f"https://10.0.0.{index}:2380"
                    )
                    for index, name in enumerate(names, 1)
                ],
                token=token,
                data_dir=data_dir,
                tls=Tls.from_dir(folder),
            )
            book = runbook(found, snapshot=snapshot)
        except PlanError:
            assume(False)
        every = commands(book)
        assert all("\n" not in command.shell for command in every)
        # All of them in one shell: an open quote would include the next command.
        assert arguments(" ".join(command.shell for command in every)) == [
            word for command in every for word in command.words
        ]
        words = {word for command in every for word in command.words}
        for member in found.members:
            assert f"--name={member.name}" in words
            assert f"--data-dir={found.data_dir_of(member.name)}" in words
        assert f"--initial-cluster-token={token}-restored" in words
        assert f"--initial-cluster={found.initial_cluster}" in words
        assert f"--cacert={found.tls.client.trusted_ca_file}" in words

    @pytest.mark.parametrize("text", ["a\nb", "a\tb", "a\x00b", "a\x1b[31mb", "a\u2028b", "a\u202eb"])
    def test_plans_reject_control_characters(self, text):
        for fields in ({"token": text}, {"data_dir": text}):
            with pytest.raises(PlanError):
                plan(**fields)
        with pytest.raises(PlanError):
            ClusterPlan.from_hosts({text: "10.0.0.1"})
        with pytest.raises(PlanError):
            Tls.from_dir(text)
