"""Prometheus' file discovery: groups of targets with labels into clusters, and every fault with its row."""

from __future__ import annotations

import json
import sys
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from strategies import result

from etcdsize import TableError
from etcdsize.base.text import shortened
from etcdsize.observation.targets import _YAML, ClusterTargets, join_targets, read_targets


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


class TestYaml:
    """YAML is read as JSON is. Every value is text, as it is to Prometheus, which keeps labels as text."""

    YAML = "- labels: { cls: orders, ins: etcd-1 }\n  targets: [ 127.0.0.1:23911 ]\n"

    @pytest.mark.parametrize(
        "text",
        [
            YAML,
            "---\n" + YAML,
            "# etcd\n\n---\n# more\n" + YAML,
            YAML.replace("- labels", "-\n  labels"),
            YAML.replace("- labels", "- # orders\n  labels"),
            YAML.replace("- labels", "-  # a: b\n\n  # and more\n  labels"),
            YAML.replace("- labels", "- &orders\n  labels"),
            YAML.replace("- labels", "- &orders # ours\n  labels"),
            YAML.replace("- labels", "- # ours\n  &orders\n  labels"),
            "- &a {\n targets: [ 127.0.0.1:23911 ], labels: { cls: orders, ins: etcd-1 } }\n",
            YAML.replace("\n", "\r\n"),
            "- targets:\n    - 127.0.0.1:23911\n  labels:\n    cls: orders\n    ins: 'etcd-1'  # the first\n",
            "\ufeff" + YAML,
            YAML + "...\n",
        ],
    )
    @pytest.mark.parametrize("encoding", [None, "utf-8", "utf-16"])
    def test_it_is_read_as_json_is(self, text, encoding):
        found = read_targets(text if encoding is None else text.encode(encoding))
        assert found == read_targets([group("127.0.0.1:23911", cls="orders", ins="etcd-1")])

    def test_values_are_text(self):
        (one,) = read_targets("- targets: ['a:1']\n  labels: {clients: 300, on: yes, v: 1.10, zone: 007, x: 'null'}\n")
        assert one.labels == {"clients": "300", "on": "yes", "v": "1.10", "zone": "007", "x": "null"}
        assert one.clients == 300

    @pytest.mark.parametrize("null", ["null", "~", "Null", "NULL"])
    def test_null_is_no_label(self, null):
        """Groups whose cluster is null are not one cluster, in JSON neither."""
        one = f"- targets: ['a:1']\n  labels: {{cluster: {null}, x: y}}\n"
        found = read_targets(f"{one}{one}- targets: ['a:1']\n  labels: {null}\n")
        assert [cluster.labels for cluster in found] == [{"x": "y"}, {"x": "y"}, {}]
        groups = [{"targets": ["a:1"], "labels": labels} for labels in [{"cluster": None, "x": "y"}] * 2 + [None]]
        assert read_targets(groups) == found
        assert read_targets(one.replace(null, f"'{null}'"))[0].labels["cluster"] == null

    @given(
        st.lists(
            st.fixed_dictionaries(
                {"targets": st.lists(st.sampled_from(["a:1", "b:2", "[::1]:3"]), min_size=1, max_size=3)},
                optional={
                    "labels": st.dictionaries(
                        st.sampled_from(["cluster", "zone", "clients"]),
                        st.sampled_from(["", "x", "5", "no", "a: b", "- c", "#", "'", '"', "é\u2028"]),
                    )
                },
            ),
            min_size=1,
            max_size=4,
        ),
        st.booleans(),
    )
    def test_whatever_is_written_is_what_json_says(self, groups, flow):
        text = yaml.safe_dump(groups, default_flow_style=flow or None, allow_unicode=True)
        if text.startswith("["):
            text = "".join(f"- {json.dumps(one)}\n" for one in groups) if len(groups) % 2 else text
        json_found, yaml_found = (result(read_targets, source) for source in (json.dumps(groups), text))
        if isinstance(json_found, TableError):
            assert str(yaml_found) == str(json_found)
        else:
            assert yaml_found == json_found

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("- targets: [a:1\n", "not YAML: "),
            (
                "- targets: ['a:1']\n  targets: ['b:1']\n",
                'not YAML: an object has the field "targets" more than once, line',
            ),
            (
                "- targets: &a ['a:1']\n- targets: *a\n",
                "not plain YAML: a list or an object has an alias; write it out",
            ),
            ("- &a\n  targets: [*a]\n", "not plain YAML: a list or an object has an alias"),
            ("- targets: &a [*a]\n", "not plain YAML: a list or an object has an alias"),
            ("- targets: [{? [b] : c}]\n", "not plain YAML: a field's name is not text, line 1"),
            ("- targets: " + "[" * 5_000, "not YAML: "),
            ("- targets: !!python/object/apply:os.system [ls]\n", "row 1, targets: got "),
            ("- targets: \n", 'row 1, targets: got "", expected a list such as'),
            ("- targets: \x00\n", "not YAML: "),
            ("- targets: ['\ud800:1']\n", "not YAML: "),
        ],
    )
    def test_faults_are_named(self, text, message):
        with pytest.raises(TableError) as caught:
            read_targets(text)
        assert str(caught.value).startswith(message)
        assert len(str(caught.value).splitlines()) == 1
        assert len(str(caught.value)) < 300

    def test_billions_of_aliases_are_refused_at_once(self):
        lines = ["- targets: &a0 ['a:1']"] + [f"  x{n}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]" for n in range(30)]
        with pytest.raises(TableError, match="alias"):
            read_targets("\n".join(lines))

    def test_without_the_extra(self, run, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "yaml", None)
        (tmp_path / "t.yml").write_text(self.YAML)
        code, out, err = run("observe", "--targets", str(tmp_path / "t.yml"), "--provider", "aws")
        assert (code, out, err) == (2, "", "etcdsize: pyyaml is not installed; run: pip install 'etcdsize[observe]'\n")


class TestSeveral:
    """Several files, and several documents in a file, are one list: groups of a cluster may be in any of them."""

    def test_files_are_joined(self):
        found = join_targets(
            {
                "a.json": [group("a:1", cluster="x"), group("c:1")],
                "b.yml": "- targets: ['b:1']\n  labels: {cluster: x}\n- targets: ['d:1']\n",
            }
        )
        assert [one.endpoints for one in found] == [("http://a:1", "http://b:1"), ("http://c:1",), ("http://d:1",)]

    def test_faults_name_the_file(self):
        good, bad, _ = join_targets({"a.json": [group("a:1")], "b.json": [group(), group("c:1")]})
        assert good.problem is None
        assert bad.problem.startswith("b.json: row 1, targets: got [], expected a list")
        for sources, message in (
            ({"a.json": [group("a:1")], "b.json": "{"}, "b.json: not JSON: "),
            ({"a.json": [group()], "b.json": [group()]}, "a.json: row 1, targets: got []"),
        ):
            with pytest.raises(TableError) as caught:
                join_targets(sources)
            assert str(caught.value).startswith(message)
            assert caught.value.file == message.partition(":")[0]

    @pytest.mark.parametrize("count", [2, 3])
    @pytest.mark.parametrize("space", ["", "\n", " "])
    def test_documents_are_joined(self, count, space):
        text = space.join(json.dumps([group(f"a:{number + 1}")]) for number in range(count))
        assert [one.endpoints for one in read_targets(text)] == [(f"http://a:{n + 1}",) for n in range(count)]
        yaml_text = "---\n".join(f"- targets: ['a:{number + 1}']\n" for number in range(count))
        assert read_targets(yaml_text) == read_targets(text)

    def test_document_that_is_no_list_is_named(self):
        with pytest.raises(TableError, match=r"^got an object, expected a list such as "):
            read_targets('[{"targets": ["a:1"]}] {"a": 1}')

    def test_command_line(self, run, tmp_path):
        (tmp_path / "a.json").write_text(json.dumps([group("127.0.0.1:1", cluster="x"), group("127.0.0.1:2")]))
        (tmp_path / "b.yml").write_text("- targets: ['127.0.0.1:3']\n  labels: {cluster: x}\n- targets: []\n")
        files = [word for name in ("a.json", "b.yml") for word in ("--targets", str(tmp_path / name))]
        options = ("--provider", "aws", "--interval", "0", "-o", "-", "--columns", "cluster,members,observed_problem")
        code, out, _ = run("observe", *files, *options)
        rows = out.splitlines()
        assert code == 1
        assert [row.startswith(start) for row, start in zip(rows[1:3], ("x,2,", ",1,"), strict=True)] == [True, True]
        assert f"{tmp_path}/b.yml: row 2, targets: got []" in rows[3]
        code, out, err = run("observe", *files[:2], *files[:2], *options)
        assert (code, out) == (2, "")
        assert err == f'etcdsize: --targets: got "{shortened(files[1])}" 2 times, expected each file once\n'
        code, _, err = run("observe", *files, *options[:-4], "-o", files[3], "--force")
        assert (code, err) == (2, f"etcdsize: {files[3]}: is also the input; give the output another name\n")


class TestOtherFiles:
    """A file of another form is named for what it is."""

    @pytest.mark.parametrize(
        "text", ["-5", "--- a", "- a\n- b\n", "<html>", "targets", "-", "[{'targets': []}]", "# x\n"]
    )
    def test_what_is_neither(self, text):
        with pytest.raises(TableError) as caught:
            read_targets(text)
        assert "YAML" not in str(caught.value)

    @pytest.mark.parametrize(
        "repeated",
        ["- {}", "-{}", "- a{}", "- {{{}", "{}", "#{}", "---{}", "[{}", "[{{{}", "[{{a{}", "- &{}", "- &a{}"],
    )
    @pytest.mark.parametrize(
        "character", [" ", "\t", "\n", "\r\n", " \n", "a", "'", "-", "#", "# \n", "---\n", "&", "&a ", "{"]
    )
    def test_it_is_recognised_in_linear_time(self, repeated, character):
        """A pattern that is quadratic takes a quarter of an hour for this text."""
        started = time.process_time()
        _YAML.match(repeated.format(character * 200_000))
        assert time.process_time() - started < 2

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig"])
    def test_what_powershell_writes(self, encoding):
        text = json.dumps([group("a:1")])
        assert read_targets(text.encode(encoding)) == read_targets(text)


EXPECTED = 'a list such as [{"targets": ["10.0.0.1:2379"], "labels": {"cluster": "orders"}}]'


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", f'got "", expected {EXPECTED}'),
        ("[]", f"got [], expected {EXPECTED}"),
        ("{}", f"got an object, expected {EXPECTED}"),
        ("targets", "not JSON: Expecting value, line 1, column 1"),
        ('[{"targets": ["a:1"]}', "not JSON: Expecting ',' delimiter, line 1, column 22; is the file cut off?"),
        ([5], "row 1: got 5, expected an object with targets"),
        ([{"labels": {}}], 'row 1, targets: got None, expected a list such as ["10.0.0.1:2379"]'),
        ([{5: 5}], "row 1, 5: unknown field; expected targets and labels"),
        ([group("a"), group("b")], 'row 1, targets: got "http://a", expected a port as well, such as http://a:2379'),
        ([{"targets": ["a:1", 5]}], 'row 1, targets: got 5 as target 2, expected text such as "10.0.0.1:2379"'),
        ([group()], 'row 1, targets: got [], expected a list such as ["10.0.0.1:2379"]'),
        ([{"target": ["a:1"]}], "row 1, target: unknown field; expected targets and labels"),
        ([group("a")], 'row 1, targets: got "http://a", expected a port as well, such as http://a:2379'),
        ([{"targets": ["a:1"], "labels": []}], None),
        ([{"targets": ["a:1"], "labels": [5]}], "row 1, labels: got a list of 1, expected an object"),
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


URL = "http://user:s3cret@h:2379"


@pytest.mark.parametrize(
    "content",
    [
        URL,
        [URL],
        [[URL]],
        {"targets": [URL]},
        [{"targets": URL}],
        [{"targets": {URL: URL}}],
        [{"targets": [URL, 5]}],
        [{"targets": ["a:1", [URL]]}],
        [group(URL)],
        [group(f"a:1,{URL}")],
        [group("user:s3cret,@h:2379")],
        [{URL: [URL]}],
        *(
            [{"targets": ["a:1"], "labels": labels}]
            for labels in (URL, [URL], {URL: "a"}, {"a": [URL]}, {"clients": URL})
        ),
        [group("a:1", __scheme__=URL)],
        [group("a:1", __metrics_path__=URL)],
    ],
)
@pytest.mark.parametrize("write", [lambda content: content, json.dumps, yaml.safe_dump])
def test_a_password_is_never_shown(content, write):
    """Wherever in a file it stands, as messages end up in files and logs."""
    with pytest.raises(TableError) as caught:
        read_targets(write(content))
    assert "s3cret" not in repr(vars(caught.value))


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
