"""Whatever text comes from outside, what is printed controls no terminal, and no line and no Markdown comes with it."""

from __future__ import annotations

import argparse
import io
import json
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from paths import DATA, OBSERVED
from servers import answering, serving

import etcdsize
from etcdsize import ClusterPlan, EtcdSizeError, MemberLoad, Notice, Observation, Runbook, combine_scrapes, runbook
from etcdsize.cli.parser import build_parser
from etcdsize.reports.observation import render_observation
from etcdsize.reports.runbook import render_runbook

MARKUP = "`a``|<img src=x>[b](http://evil)**c** _d_ &lt; www.evil.example # e"
CONTROLS = "\x1b]0;a\x07\x9b31m\x00\r\x85\u202eb\u2028\u2029\u200b\u2066\ufeff\u00ad\U000e0041"
HOSTILE = f"x{CONTROLS}{MARKUP}"
LINES = f"{HOSTILE}\nFAKE line\n\n```sh\nFAKE command\n```\n"
METRICS = (OBSERVED / "infra0-before.txt").read_text()


def assert_safe(text: str) -> None:
    """Fail if the text has a character that controls, moves or hides, or a line that came from outside."""
    unsafe = {c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert not unsafe, ascii(text)
    assert not [line for line in text.split("\n") if line.lstrip().startswith(("FAKE", "```sh\nFAKE"))]


def with_hostile(value: Any, keys: frozenset[str]) -> Any:
    """Return JSON with hostile text after the text of these keys."""
    if isinstance(value, list):
        return [with_hostile(one, keys) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: f"{one}{LINES if key in ('title', 'source') else HOSTILE}"
        if key in keys and isinstance(one, str)
        else with_hostile(one, keys)
        for key, one in value.items()
    }


KEYS = frozenset(
    ("name", "title", "source", "machine_type", "family", "kind", "kinds", "region", "printed", "correct", "reason")
)


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Catalogs and a table of tiers of one's own, with hostile text wherever they take text, and a fleet."""
    monkeypatch.chdir(tmp_path)
    for name in ("guide", "current"):
        catalog = json.loads(etcdsize.load_catalog(name).model_dump_json(exclude_defaults=True))
        Path(f"{name}.json").write_text(json.dumps(with_hostile(catalog, KEYS)))
    tiers = json.loads(etcdsize.load_tiers("guide").model_dump_json())
    for tier in tiers["tiers"]:
        tier["source"] += LINES
    Path("tiers.json").write_text(json.dumps({**tiers, "name": HOSTILE, "title": LINES, "source": LINES}))
    Path("aws.json").write_text(
        json.dumps(with_hostile(json.loads((DATA / "aws-describe-instance-types.json").read_text()), AWS))
    )
    gcloud = json.loads((DATA / "gcloud-machine-types.json").read_text())
    Path("gcloud.json").write_text(json.dumps(with_hostile([*gcloud, {"name": LINES}], frozenset({"name", "zone"}))))
    cell = json.dumps(LINES.replace("\x00", ""))[1:-1]
    Path("fleet.csv").write_text(
        f'"cluster{HOSTILE}",clients,rps,data,provider,current_machine\n'
        "a,5,5,5MB,aws,m8i.large\n"
        f'b,5,5,5MB,"{LINES.replace(chr(0), "")}",m8i.large\n'
        f'c,"{LINES.replace(chr(0), "")}",5,5MB,aws,"{HOSTILE.replace(chr(0), "")}"\n'
        f"d,5,5,5MB,aws,m8i.largee\n",
        encoding="utf-8",
        newline="",
    )
    Path("fleet.jsonl").write_text(
        f'{{"clients": 5, "rps": 5, "data": 5, "provider": "{cell}"}}\n{{"clients": "{cell}", "{cell}": 5}}\n'
    )
    Path(f"{HOSTILE.replace(chr(0), '').replace('/', '')}.csv").write_text("clients\n5\n")


AWS = frozenset({"InstanceType", "Hypervisor", "Manufacturer"})


@pytest.mark.parametrize(
    "words",
    [
        "size --clients 300 --data 9GB --catalog guide.json --tiers tiers.json",
        "size --clients 300 --catalog nowhere.json",
        "fit --clients 300 --data 400MB --catalog current.json --tiers tiers.json --rejected",
        "fit --tier large --catalog guide.json --rejected",
        "fit --tier xlarge --catalog current.json --region nowhere --limit 1",
        "machines --catalog guide.json",
        "machines --catalog current.json --sort price",
        "machines --catalog tiers.json",
        "tiers --tiers tiers.json",
        "tiers --tiers guide.json",
        "fleet fleet.csv --catalog current.json --tiers tiers.json",
        "fleet fleet.csv --catalog guide.json --missing unknown",
        "fleet fleet.jsonl --catalog guide.json",
        "fleet guide.json --format csv",
        "fleet guide.json --format parquet",
        "catalog import --from aws aws.json -o out.json",
        "catalog import --from gcloud gcloud.json -o out.json",
        "catalog import --from gcloud aws.json -o out.json",
        "catalog prices --from csv fleet.csv --catalog current.json -o out.json",
        "observe 127.0.0.1:1 --interval 0 --catalog guide.json --tiers tiers.json",
        "observe --targets fleet.jsonl",
    ],
)
def test_tables_and_files(run, own, words):
    _, out, err = run(*words.split())
    assert_safe(out)
    assert_safe(err)
    assert out or err


def texts(value: Any) -> str:
    """Return all texts in JSON, one after the other."""
    if isinstance(value, dict):
        return "".join(map(texts, value.values()))
    return "".join(map(texts, value)) if isinstance(value, list) else str(value)


@pytest.mark.parametrize(
    ("words", "read"),
    [
        ("size --clients 300 --data 9GB --catalog guide.json --tiers tiers.json --json", etcdsize.Sizing),
        ("fit --clients 300 --catalog current.json --tiers tiers.json --json", etcdsize.Fit),
        ("machines --catalog guide.json --json", etcdsize.Catalog),
        ("tiers --tiers tiers.json --json", etcdsize.TierTable),
    ],
)
def test_json(run, own, words, read):
    """Escapes are part of JSON, and every reader reads the same text."""
    _, out, err = run(*words.split())
    assert_safe(out)
    assert_safe(err)
    assert HOSTILE in texts(json.loads(out))
    read.model_validate_json(out)


def test_the_name_of_a_column(run, own):
    """It is in the problem of a row, which is our text: safe and short."""
    name = f"{HOSTILE}{'x' * 5_000}"
    Path("named.jsonl").write_text(json.dumps({name: -1, "rps": 5, "data": 5, "provider": "aws"}) + "\n")
    code, out, err = run("fleet", "named.jsonl", "--column", f"clients={name}", "-o", "out.jsonl")
    assert_safe(out + err)
    problem = json.loads(Path("out.jsonl").read_text())["problem"]
    assert (code, len(problem) < 300) == (1, True)
    assert_safe(problem)
    Path("field.json").write_text(json.dumps({name: 5, "name": "a"}))
    _, _, err = run("tiers", "--tiers", "field.json")
    assert_safe(err)
    assert len(err) < 600


def test_the_name_of_a_file(run, own):
    for name in ("\x1b[31m", "\nFAKE", *(path.name for path in Path().glob("x*.csv"))):
        for command in (["fleet", name], ["fleet", name, "--format", "parquet"], ["tiers", "--tiers", name]):
            _, out, err = run(*command)
            assert_safe(out + err)


REQUIRED = {
    "fit": ["--tier", "small"],
    "fleet": ["fleet.csv"],
    "bootstrap": ["--local", "1"],
    "runbook": ["--local", "1"],
    "catalog import": ["--from", "aws", "aws.json", "-o", "out.json"],
    "observe": ["127.0.0.1:1", "--interval", "0"],
}


def commands(parser: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Return every command and its parser."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield name, parser
    for word, child in below[0].choices.items() if below else ():
        yield from commands(child, f"{name} {word}".strip())


COMMANDS = dict(commands(build_parser()))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option(run, own, monkeypatch, name):
    """Every option of every command, and every argument, is given hostile text."""
    for hostile in (LINES, HOSTILE.replace("\x00", ""), f"a={LINES}", "\udcff\ud800"):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(hostile.encode("utf-8", "replace"))))
        base = [*name.split(), *REQUIRED.get(name, [])]
        for action in COMMANDS[name]._actions:
            if action.nargs == 0:
                continue
            given = [max(action.option_strings, key=len), hostile] if action.option_strings else [hostile]
            _, out, err = run(*base, *given)
            assert_safe(out)
            assert_safe(err)
        _, out, err = run(*base, f"--{hostile}")
        assert_safe(err)
        assert out == ""
    _, _, err = run(HOSTILE)
    assert_safe(err)


def test_queries_of_terraform(run, monkeypatch):
    for query in (
        LINES,
        json.dumps({LINES: "a"}),
        json.dumps({"clients": LINES}),
        json.dumps({"clients": "5", "hosts": f"a=10.0.0.1,{LINES}=b"}),
        json.dumps({"clients": "5", "hosts": "a=10.0.0.1", "zones": f"a={LINES}"}),
        json.dumps({"clients": "5", "hosts": "a=10.0.0.1", "token": HOSTILE}),
    ):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(query.encode())))
        code, out, err = run("terraform-external")
        assert (code, out) == (1, "")
        assert_safe(err)


def metrics(**changed: str) -> str:
    """Return metrics of a member with hostile labels."""
    lines = [
        'etcd_server_id{server_id="8a0ad4f01f6260c3"} 1',
        f'etcd_server_version{{server_version="{changed.get("version", "3.5.1")}"}} 1',
        f'grpc_server_started_total{{grpc_method="{changed.get("method", "Range")}",grpc_service="etcdserverpb.KV"}} 4',
        f'etcd_network_active_peers{{Local="a",Remote="{changed.get("peer", "b")}"}} 1',
        f'etcd_network_peer_round_trip_time_seconds_bucket{{To="{changed.get("to", "b")}",le="+Inf"}} 1',
        changed.get("line", ""),
        "process_start_time_seconds 1.6e+09",
    ]
    return "\n".join(lines) + "\n"


LABEL = LINES.replace("\n", "\\n")
ANSWERS = {
    "version": answering(metrics(version=LABEL)),
    "short version": answering(metrics(version="3.5.1<img src=x>[a](http://evil)`")),
    "method": answering(metrics(method=LABEL)),
    "peer": answering(metrics(peer=LABEL, to=LABEL)),
    "line": answering(metrics(line=f"etcd_server_has_leader {HOSTILE}")),
    "another program": answering(LINES),
    "type": answering(f"# TYPE etcd_server_has_leader {HOSTILE.replace(' ', '')}\n" + METRICS),
    "an error's text": answering(LINES, "500 Error"),
    "status": answering("", f"500 {HOSTILE}"),
    "headers": answering(METRICS, headers=f"X: {HOSTILE}\r\nDate: {HOSTILE}\r\n"),
    "Date": answering(METRICS, headers="Date: Wed, 31 Dec 1969 23:59:59 GMT\r\n"),
    "no HTTP": lambda connection: connection.sendall(LINES.encode()),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_a_member_answers(run, tmp_path, monkeypatch, answer):
    monkeypatch.chdir(tmp_path)
    with serving(ANSWERS[answer]) as port:
        _, out, err = run("observe", f"127.0.0.1:{port}", "--interval", "0", "--timeout", "2s")
        assert out
        assert_safe(out + err)
        labels = {"cluster": LINES, "provider": "aws", "note": LINES}
        Path("t.json").write_text(json.dumps([{"targets": [f"127.0.0.1:{port}"], "labels": labels}]))
        _, out, err = run("observe", "--targets", "t.json", "--interval", "0", "--timeout", "2s", "-o", "out.csv")
        assert_safe(out + err)


def test_endpoint_status(own):
    status = json.loads((DATA / "endpoint-status-3.4.23.json").read_text())
    for one in status:
        one["Endpoint"] += LINES
        one["Status"]["version"] += LINES
        one["Status"]["errors"] = [LINES]
    read = etcdsize.read_endpoint_status(json.dumps(status))
    assert_safe(render_observation(combine_scrapes({LINES: LINES}, status=read)))
    for wrong in ({"Endpoint": LINES}, {LINES: 5}, {"Endpoint": LINES, "Status": {"header": {"member_id": -1}}}, LINES):
        with pytest.raises(EtcdSizeError) as caught:
            etcdsize.read_endpoint_status([wrong])
        assert_safe(str(caught.value))


def test_models_that_were_made_by_hand():
    notice = Notice(code=LINES, severity="info", text=LINES, source=LINES)
    member = MemberLoad(endpoint=LINES, problem=LINES, version=LINES, errors=(LINES,), calls_per_second={LINES: 5})
    observation = Observation(
        members=(member, member.model_copy(update={"is_leader": True})),
        clients={},
        calls_per_second={LINES: 5},
        member_count=1,
        notices=(notice,),
    )
    assert_safe(render_observation(observation))
    assert "\n" not in notice.line
    with pytest.raises(EtcdSizeError) as caught:
        observation.workload()
    assert_safe(str(caught.value))


def test_explanations(own):
    sizing = etcdsize.size(clients=5, data_bytes="9GB", catalog="guide.json", tiers="tiers.json")
    assert_safe(sizing.explain())
    assert_safe(etcdsize.settings_for(sizing).explain())
    assert_safe(etcdsize.fit(sizing, catalog="guide.json").why_none())


@pytest.mark.parametrize("error", [etcdsize.EtcdSizeError, etcdsize.OptionError, etcdsize.MissingDependencyError])
def test_messages_of_errors(error):
    """The message of an error is safe, whoever wrote it; its attributes are as they came."""
    assert_safe(str(error(LINES)))
    assert "\n" not in error(LINES).args[0]
    assert etcdsize.OptionError("x", value=LINES).value == LINES


class TestMarkdown:
    """A runbook's Markdown has the same blocks, whatever its texts are, and shows these texts as they are."""

    @staticmethod
    def blocks(text: str) -> list[tuple[str, str, str]]:
        """Return the blocks of Markdown, and fail if anything in them is more than text and code."""
        tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
        for token in tokens:
            for child in token.children or ():
                assert child.type in ("text", "code_inline", "softbreak"), child
                assert child.type != "text" or not any(sign in child.content for sign in ("evil", "FAKE", "<img"))
        return [(token.type, token.tag, token.info) for token in tokens]

    @classmethod
    def filled(cls, book: Runbook, text: str, word: str) -> Runbook:
        """Return a runbook with other texts, wherever it has text."""
        return book.model_copy(
            update={
                "token": text,
                "members": tuple(text for _ in book.members),
                "notes": tuple(text for _ in book.notes),
                "notices": tuple(one.model_copy(update={"text": text}) for one in book.notices),
                "steps": tuple(
                    step.model_copy(
                        update={
                            "title": text,
                            "notes": tuple(text for _ in step.notes),
                            "commands": tuple(
                                command.model_copy(
                                    update={
                                        "words": (*command.words, word),
                                        "note": text,
                                        "member": command.member and text,
                                    }
                                )
                                for command in step.commands
                            ),
                            "source": text,
                            "evidence": text,
                        }
                    )
                    for step in book.steps
                ),
            }
        )

    @pytest.mark.parametrize(
        "text",
        [
            *(LINES, MARKUP, HOSTILE, "```", "~~~", "---", "===", "# a", "- a", "+ a", "1. a", "> a", "    a", "\ta"),
            *(
                "<script>alert(1)</script>",
                "[a]: http://evil",
                "| a | b |\n|---|---|\n| c | d |",
                "http://evil",
                "a@b.c",
            ),
            *(
                "word " * 30 + "# a",
                "word " * 22 + "- a " + "word " * 10,
                "\\",
                "&amp;",
                "<!-- ",
                "*",
                "_a_",
                "~~a~~",
            ),
        ],
    )
    def test_of_any_text(self, text):
        book = runbook(ClusterPlan.local(3), kubernetes=True)
        hostile = render_runbook(self.filled(book, text, MARKUP))
        assert self.blocks(hostile) == self.blocks(render_runbook(self.filled(book, "words", "word")))
        assert_safe(hostile)

    def test_of_names_that_a_plan_accepts(self, run):
        def book(text: str, zone: str) -> str:
            name = text.replace("/", "").replace("=", "")
            hosts = [word for key in "abc" for word in ("--host", f"{key}{name}=10.0.0.{ord(key)}")]
            zones = [word for key in "abc" for word in ("--zone", f"{key}{name}={zone}")]
            code, out, err = run(
                "runbook", *hosts, *zones, "--token", text, "--data-dir", f"/{text}", "--snapshot", f"/{text}.db"
            )
            assert (code, err) == (0, "")
            return out

        assert self.blocks(book(MARKUP, MARKUP)) == self.blocks(book("words", "zone"))

    @pytest.mark.parametrize("zone", ["eu\n\n```sh\nFAKE\n```\n", "eu\x1b[31m", "eu\x00", "eu\u202e", " eu", ""])
    def test_a_zone_is_refused_as_a_name_is(self, zone):
        with pytest.raises(etcdsize.PlanError, match=r"^member \"a\": zone: got .*, expected printable text") as caught:
            etcdsize.Member(name="a", peer_urls="http://a:1", client_urls="http://a:2", zone=zone)
        assert (caught.value.member, caught.value.field, caught.value.value) == ("a", "zone", zone)

    def test_a_command_is_printable(self):
        with pytest.raises(EtcdSizeError, match=r'words: got "a\\nb", expected printable text'):
            etcdsize.Command(words=("a\nb",))
        command = etcdsize.Command(words=("etcdctl", "REVISION"), fill_in=("REVISION",))
        with pytest.raises(EtcdSizeError, match="expected printable text"):
            command.filled(REVISION="5\nFAKE")
