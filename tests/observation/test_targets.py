"""Prometheus' file discovery: groups of targets with labels into clusters, and every fault with its row."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import result

from etcdsize import TableError
from etcdsize.observation.targets import ClusterTargets, read_targets


def group(*targets: str, **labels: str) -> dict:
    return {"targets": list(targets), "labels": labels}


class TestClusters:
    """A group is a cluster; groups with the same label cluster are one."""

    def test_groups(self):
        one, other = read_targets([group("a:1", "b:1", cluster="x", env="prod"), group("c:1")])
        assert one == ClusterTargets(
            endpoints=("http://a:1", "http://b:1"), labels={"cluster": "x", "env": "prod"}, clients=None
        )
        assert (other.endpoints, other.labels) == (("http://c:1",), {})

    def test_the_same_cluster(self):
        found = read_targets(
            [
                group("a:1", cluster="x", zone="1", clients="5"),
                group("d:1", cluster="y"),
                group("b:1", "a:1", cluster="x", zone="2"),
                group("c:1", cluster="x", zone="1", rack="r"),
            ]
        )
        assert [cluster.endpoints for cluster in found] == [
            ("http://a:1", "http://b:1", "http://c:1"),
            ("http://d:1",),
        ]
        assert found[0].labels == {"cluster": "x", "zone": "1;2", "clients": "5", "rack": "r"}
        assert found[0].clients == 5

    def test_labels_of_prometheus_itself(self):
        """Those that begin with two underscores are its own; the scheme and the path mean what they mean there."""
        (one,) = read_targets([group("a:1", __scheme__="https", __metrics_path__="/metrics", __meta_x="y", env="e")])
        assert (one.endpoints, one.labels) == (("https://a:1",), {"env": "e"})

    def test_certificates_mean_tls(self):
        assert read_targets([group("a:1")], secure=True)[0].endpoints == ("https://a:1",)
        assert read_targets([group("a:1", __scheme__="http")], secure=True)[0].endpoints == ("http://a:1",)

    @pytest.mark.parametrize("source", ['[{"targets": ["a:1"]}]', b'[{"targets": ["a:1"], "labels": null}]'])
    def test_json_text_is_parsed(self, source):
        assert read_targets(source)[0].endpoints == ("http://a:1",)


class TestOtherFiles:
    """A file of another form is named for what it is, with the command that converts it."""

    YAML = "- labels: { cls: orders, ins: etcd-1 }\n  targets: [ 127.0.0.1:23911 ]\n"

    @pytest.mark.parametrize(
        "text",
        [
            YAML,
            "---\n" + YAML,
            "# etcd\n\n---\n# more\n" + YAML,
            YAML.replace("- labels", "-\n  labels"),
            "  - targets: ['a:1']\r\n",
            '- "targets":\n  - a:1\n',
            "\ufeff" + YAML,
        ],
    )
    def test_yaml(self, text):
        for source in (text, text.encode()):
            with pytest.raises(TableError) as caught:
                read_targets(source)
            assert str(caught.value) == (
                "YAML, expected JSON, which Prometheus reads too; convert it, with yq 4: yq -o json . FILE > FILE.json"
            )

    @pytest.mark.parametrize(
        "text", ["-5", "--- a", "- a\n- b\n", "<html>", "targets", "-", "[{'targets': []}]", "# x\n"]
    )
    def test_what_is_neither(self, text):
        with pytest.raises(TableError) as caught:
            read_targets(text)
        assert "YAML" not in str(caught.value)

    @pytest.mark.parametrize("count", [2, 3])
    @pytest.mark.parametrize("space", ["", "\n", " "])
    def test_several_documents(self, count, space):
        text = space.join([json.dumps([group("a:1")])] * count)
        with pytest.raises(TableError) as caught:
            read_targets(text)
        assert str(caught.value) == (
            f"{count} JSON documents, expected one list; join them with: jq -s add FILE | etcdsize observe --targets -"
        )

    def test_several_files(self, run, tmp_path):
        for name in ("a.json", "b.json"):
            (tmp_path / name).write_text(json.dumps([group("127.0.0.1:1")]))
        twice = [word for name in ("a.json", "b.json") for word in ("--targets", str(tmp_path / name))]
        code, out, err = run("observe", *twice, "--provider", "aws")
        assert (code, out) == (2, "")
        assert err == (
            "etcdsize: --targets: got 2 files, expected one; join them with: jq -s add FILE1 FILE2 | etcdsize observe "
            "--targets -\n"
        )

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig"])
    def test_what_powershell_writes(self, encoding):
        text = json.dumps([group("a:1")])
        assert read_targets(text.encode(encoding)) == read_targets(text)


EXPECTED = 'a list such as [{"targets": ["10.0.0.1:2379"], "labels": {"cluster": "orders"}}]'


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", f'got "", expected {EXPECTED}'),
        ("[]", f'got "[]", expected {EXPECTED}'),
        ("{}", f'got "{{}}", expected {EXPECTED}'),
        ("targets", "not JSON: Expecting value, line 1, column 1"),
        ('[{"targets": ["a:1"]}', "not JSON: Expecting ',' delimiter, line 1, column 22; is the file cut off?"),
        ([5], "row 1: got 5, expected an object with targets"),
        ([{"labels": {}}], 'row 1, targets: got None, expected a list such as ["10.0.0.1:2379"]'),
        ([{5: 5}], "row 1, 5: unknown field; expected targets and labels"),
        ([group("a"), group("b")], 'row 1, targets: got "http://a", expected a port as well, such as http://a:2379'),
        ([group()], 'row 1, targets: got [], expected a list such as ["10.0.0.1:2379"]'),
        ([{"target": ["a:1"]}], "row 1, target: unknown field; expected targets and labels"),
        ([group("a")], 'row 1, targets: got "http://a", expected a port as well, such as http://a:2379'),
        ([{"targets": ["a:1"], "labels": []}], None),
        ([{"targets": ["a:1"], "labels": [5]}], "row 1, labels: got [5], expected an object"),
        (
            [{"targets": ["a:1"], "labels": {"a-b": "c"}}],
            'row 1, labels.a-b: got "c", expected a label name with a text value',
        ),
        (
            [{"targets": ["a:1"], "labels": {"a": 5}}],
            "row 1, labels.a: got 5, expected a label name with a text value",
        ),
        ([group("a:1", __scheme__="grpc")], 'row 1, labels.__scheme__: got "grpc", expected http or https'),
        (
            [group("a:1", __metrics_path__="/federate")],
            'row 1, labels.__metrics_path__: got "/federate", expected /metrics, where etcd serves them',
        ),
        ([group("a:1", clients="many")], 'row 1, labels.clients: got "many", expected a count such as "300"'),
        (
            [group("a:1", cluster="x", clients="5"), group("b:1", cluster="x", clients="6")],
            "row 2, labels.clients: differs from an earlier group of the same cluster; give the same number in each",
        ),
    ],
)
def test_invalid_files_are_rejected_with_row_and_field(source, message):
    if message is None:
        assert read_targets(source)[0].labels == {}
        return
    with pytest.raises(TableError) as caught:
        read_targets(source)
    assert str(caught.value) == message


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["targets", "labels", "cluster", "clients", "a"]), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_any_json(value):
    for source in (value, [value], json.dumps([value])):
        found = result(read_targets, source)
        assert isinstance(found, TableError) or all(isinstance(one, ClusterTargets) for one in found)
        assert not isinstance(found, TableError) or len(str(found).splitlines()) == 1
