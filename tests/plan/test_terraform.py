"""Terraform's external data source: the answers to queries, and exit code 1 with one line for every error."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import ClusterPlan, EtcdSizeError, Profile, Tls, fit, kubernetes_profile, render, settings_for, size
from etcdsize.fitting.model import disk_of
from etcdsize.plan.terraform import ANSWER, QUERY, answer, answer_schema
from etcdsize.resources.profile import with_fields

LOAD = {"clients": "300", "requests_per_second": "800", "data": "4GB"}
SCHEMA = jsonschema.Draft202012Validator(answer_schema())
SIZING = size(clients=300, requests_per_second=800, data_bytes=4 * 10**9)


def ask(**query):
    return answer(json.dumps(query))


class TestAnswer:
    def test_has_the_sizing_and_its_settings(self):
        found = ask(**LOAD)
        settings = settings_for(SIZING)
        assert found["tier"] == SIZING.tier
        assert found["forced_by"].split(",") == list(SIZING.forced_by)
        assert shlex.split(found["flags"]) == list(settings.flags)
        assert found["quota_backend_bytes"] == str(settings.quota_backend_bytes)
        assert found["memory_gib"] == str(settings.memory_gib)
        machines = {provider: machine.machine_type for provider, machine in SIZING.machines.items()}
        assert {f"machine_type_{name}": kind for name, kind in machines.items()}.items() <= found.items()
        codes = {notice.code for notice in SIZING.notices + settings.notices}
        assert {line.rpartition("[")[2].strip("]") for line in found["notices"].splitlines()} == codes

    def test_has_the_price_if_the_catalog_has_prices(self):
        found = ask(**LOAD, catalog="current", provider="aws")
        sizing = size(clients=300, requests_per_second=800, data_bytes=4 * 10**9, catalog="current", provider="aws")
        assert float(found["cost_per_month_aws"]) == pytest.approx(sizing.cost_per_month["aws"], abs=0.01)
        assert found["disk_aws"] == str(sizing.machine.disk)
        assert "machine_type_gce" not in found

    def test_has_the_prices_of_a_region(self):
        """The region implies its provider; one of each of several is separated by a comma."""
        found = ask(**LOAD, region="eu-central-1")
        load = {"clients": 300, "requests_per_second": 800, "data_bytes": 4 * 10**9}
        sizing = size(**load, region="eu-central-1")
        assert found["price_region_aws"] == "eu-central-1"
        assert found["price_date_aws"] == sizing.machine_today.cost.date
        assert float(found["cost_per_month_aws"]) == round(sizing.cost_per_month["aws"], 2)
        assert "machine_type_gce" not in found
        found = ask(**LOAD, region="eu-central-1,gce=europe-west4")
        assert (found["price_region_aws"], found["price_region_gce"]) == ("eu-central-1", "europe-west4")
        with pytest.raises(EtcdSizeError, match=r'^region: got "mars"'):
            ask(**LOAD, region="mars")

    @pytest.mark.parametrize("provider", ["aws", "gce", "azure"])
    @pytest.mark.parametrize(
        ("query", "load"),
        [
            ({"clients": "9"}, {"clients": 9}),
            (LOAD, {"clients": 300, "requests_per_second": 800, "data_bytes": "4GB"}),
            ({"clients": "1400"}, {"clients": 1_400}),
        ],
    )
    def test_has_the_disk_in_parts(self, provider, query, load):
        found = ask(**query, catalog="current", provider=provider)
        disk = size(**load, catalog="current", provider=provider).machine.disk
        parts = {key.removesuffix(f"_{provider}"): text for key, text in found.items() if key.startswith("volume_")}
        # The catalog's machine is today's.
        today = {name: parts.pop(name) for name in list(parts) if name.endswith("_today")}
        assert {name.removesuffix("_today"): text for name, text in today.items()} == parts
        expected = {
            name: getattr(disk, name)
            for name in ("volume_type", "volume_size_gib", "volume_iops", "volume_throughput_mib_s",
                         "volume_throughput_mb_s")
        }  # fmt: skip
        assert parts == {name: str(value) for name, value in expected.items() if value is not None}
        assert {"volume_type", "volume_size_gib"} <= parts.keys()

    def test_has_no_parts_of_an_unknown_disk(self):
        """The guide's AWS machines have none."""
        parts = [key for key in ask(**LOAD, provider="aws") if key.startswith(("volume_", "disk_"))]
        assert all("_today_" in key for key in parts)
        assert ask(**LOAD, provider="gce")["volume_type_gce"] == "pd-ssd"

    @pytest.mark.parametrize("catalog", ["guide", "current"])
    @pytest.mark.parametrize("provider", ["aws", "gce"])
    def test_has_the_machine_of_today_with_its_disk_and_cost(self, provider, catalog):
        """It is what `fit` recommends."""
        found, best = ask(**LOAD, provider=provider, catalog=catalog), fit(SIZING.tier, provider=provider).best
        assert found[f"machine_today_{provider}"] == best.machine.machine_type
        assert found[f"disk_today_{provider}"] == str(disk_of(best.disk))
        assert found[f"volume_type_today_{provider}"] == best.disk.kind
        assert found[f"volume_size_gib_today_{provider}"] == str(best.disk.size_gib)
        assert float(found[f"cost_per_month_{provider}"]) == pytest.approx(3 * best.cost.per_month, abs=0.01)

    def test_every_key_is_documented(self):
        patterns = [
            key.replace("PROVIDER", "(aws|gce|azure)").replace("NAME", "[abc]").replace("DIMENSION", "[a-z_]+")
            for key in ANSWER
        ]
        unused = set(patterns)
        for provider in ("aws", "gce", "azure"):
            for key in ask(**LOAD, catalog="current", provider=provider, hosts="a=n1,b=n2,c=n3"):
                (pattern,) = [pattern for pattern in patterns if re.fullmatch(pattern, key)]
                unused.discard(pattern)
        assert not unused

    @pytest.mark.parametrize(
        ("query", "load"),
        [
            ({"keys": "5.7e6", "value_size": "1kB", "writes": "20..50"},
             {"keys": 5.7e6, "value_bytes": 1000, "writes_per_second": (20, 50)}),
            ({"clients": "9", "key_size": "40..90", "keys": "1k", "tls": "false"},
             {"clients": 9, "key_bytes": (40, 90), "keys": 1000, "tls": False}),
            ({"data": "1GB", "history": "1h", "lists": "3", "list_keys": "9k", "leases": "5", "streams": "7"},
             {"data_bytes": 1e9, "history_seconds": 3600, "concurrent_lists": 3, "list_keys": 9000, "leases": 5,
              "watch_streams": 7}),
            ({"data": "1GB", "reads": "5", "watchers": "9", "largest_value": "1MB"},
             {"data_bytes": 1e9, "reads_per_second": 5, "watchers": 9, "largest_value_bytes": 1e6}),
        ],
    )  # fmt: skip
    def test_what_else_is_known_of_the_load_counts(self, query, load):
        """The keys are the options of the command line, with underscores."""
        settings = settings_for(size(Profile(**load)))
        found = ask(**query)
        assert found["quota_backend_bytes"] == str(settings.quota_backend_bytes)
        assert found["memory_gib"] == str(settings.memory_gib)
        assert found["machine_tier"] == size(Profile(**load)).machine_tier

    def test_a_kubernetes_cluster(self):
        query = {
            "kubernetes_nodes": "500",
            "pods": "40000",
            "apiservers": "5",
            "events_elsewhere": "true",
            "rollout": "1h",
        }
        load = kubernetes_profile(500, 40_000, apiservers=5, events=False, rollout_seconds=3600)
        for more, known in (({}, load), ({"watchers": "9k"}, with_fields(load, {"watchers": 9000}))):
            settings = settings_for(size(known, kubernetes_nodes=500))
            found = ask(**query, **more)
            assert found["memory_gib"] == str(settings.memory_gib)
            assert found["quota_backend_bytes"] == str(settings.quota_backend_bytes)

    def test_options_change_the_answer(self):
        found = ask(data="4GB", headroom="30%", members="5", tiers="etcd.io", kubernetes="true", peer_rtt_ms="150",
                    etcd_version="v3.6.14", provider="aws,gcp")  # fmt: skip
        sizing = size(data_bytes=4 * 10**9, headroom=0.3, members=5, tiers="etcd.io")
        settings = settings_for(sizing, kubernetes=True, peer_rtt_ms=150, etcd_version="3.6.14")
        assert (found["members"], found["etcd_version"]) == ("5", "3.6.14")
        assert shlex.split(found["flags"]) == list(settings.flags)
        assert ask(kubernetes_nodes="250")["tier"] == "medium"

    def test_says_which_tier_each_dimension_needs_on_its_own(self):
        found = ask(kubernetes_nodes="120", requests_per_second="900", data="1.3GiB", provider="aws")
        alone = {key.removeprefix("tier_alone_"): text for key, text in found.items() if key.startswith("tier_alone_")}
        assert alone == {"requests_per_second": "medium", "data_bytes": "xlarge", "kubernetes_nodes": "medium"}
        assert (found["tier"], found["forced_by"], found["tier_of_the_rest"]) == ("xlarge", "data_bytes", "medium")
        assert "tier_of_the_rest" not in ask(clients="300", requests_per_second="800")

    def test_has_a_rendering_for_each_host(self):
        found = ask(**LOAD, hosts="a=10.0.0.1, b=10.0.0.2,c=10.0.0.3", zones="a=x,b=y,c=z", tls_dir="/pki", token="t",
                    data_dir="/d", format="env")  # fmt: skip
        plan = ClusterPlan.from_hosts(
            {"a": "10.0.0.1", "b": "10.0.0.2", "c": "10.0.0.3"}, zones={"a": "x", "b": "y", "c": "z"},
            tls=Tls.from_dir("/pki"), token="t", data_dir="/d", settings=settings_for(SIZING),
        )  # fmt: skip
        assert [found[f"member_{name}"] for name in "abc"] == [render(plan, "env", name) for name in "abc"]
        assert found["initial_cluster"] == plan.initial_cluster
        assert found["endpoints"] == ",".join(plan.endpoints)
        assert found["members"] == "3"

    def test_answers_the_documented_query(self):
        """The example in docs/bootstrap.md is a valid query."""
        page = Path(__file__).parents[2] / "docs" / "bootstrap.md"
        query = dict(re.findall(r'^    (\w+) *= "(.*)"$', page.read_text(encoding="utf-8"), re.M))
        assert len(query) == 6
        found = ask(**query)
        assert {"member_a", "member_b", "member_c", "cost_per_month_aws"} <= set(found)

    def test_empty_text_counts_as_missing(self):
        assert ask(**LOAD, hosts="", etcd_version="", provider="") == ask(**LOAD)

    @given(st.dictionaries(st.sampled_from(list(QUERY)), st.text(max_size=8) | st.sampled_from(
        ["300", "4GB", "aws", "true", "3", "a=10.0.0.1", "3.5", "env", "30%"])))  # fmt: skip
    def test_any_query_has_an_answer_of_text_or_our_error(self, query):
        try:
            found = answer(json.dumps(query))
        except EtcdSizeError:
            return
        assert all(isinstance(value, str) for pair in found.items() for value in pair)
        SCHEMA.validate(found)


class TestInvalidQueries:
    @pytest.mark.parametrize(
        ("query", "message"),
        [
            ("", 'standard input: not JSON; expected an object of text such as {"clients": "300"}'),
            ("[" * 100_000, 'standard input: not JSON; expected an object of text such as {"clients": "300"}'),
            ('{"clients": "1", "clients": "9"}',
             'standard input: not JSON: an object has the field "clients" more than once'),
            ("[1]", 'standard input: got [1], expected an object of text such as {"clients": "300"}'),
            ('{"clients": 300}', "clients: got 300, expected text: Terraform passes every value as text"),
            ('{"client": "300"}', f'query: got the key "client", expected one of the {len(QUERY)} that '
             'docs/bootstrap.md lists; did you mean "clients"?'),
            ("{}", "query: got no load, expected at least one of clients, requests_per_second, data and "
             "kubernetes_nodes, or another key of a load"),
            ('{"clients": "many"}', 'clients: got "many", expected a count such as "300"'),
            ('{"clients": "1", "kubernetes": "yes"}', 'kubernetes: got "yes", expected true or false'),
            ('{"clients": "1", "pods": "5"}', "pods: cannot be used without kubernetes_nodes; add kubernetes_nodes"),
            ('{"keys": "9..5"}', 'keys: got "9..5", expected a count such as "300", "2.5k" or "5.7M", or a range such '
             'as "200..900"; did you mean "5..9"?'),
            ('{"keys": "5", "tls": "yes"}', 'tls: got "yes", expected true or false'),
            ('{"clients": "1", "zones": "a=b"}', "zones: cannot be used without hosts; add hosts"),
            ('{"clients": "1", "hosts": "10.0.0.1"}', 'hosts: got "10.0.0.1", expected NAME=VALUE such as a=10.0.0.1'),
            ('{"clients": "1", "hosts": "a=n1,a=n2"}', 'hosts: got "a" more than once, expected it once'),
            ('{"clients": "1", "hosts": "a=n1", "members": "3"}',
             "members: got 3, but there are 1 hosts; leave members out"),
            ('{"clients": "1", "hosts": "a=n1", "format": "kubeadm"}',
             'format: got "kubeadm", expected flags, env, config or systemd'),
            ('{"clients": "1", "hosts": "a=n1/"}', 'member "a": peer_urls: got "http://n1/:2380", expected no more '
             "than scheme, host and port, so not a path; write http://n1"),
        ],
    )  # fmt: skip
    def test_rejects_with_a_message(self, query, message):
        with pytest.raises(EtcdSizeError) as error:
            answer(query)
        assert str(error.value) == message


class TestProgram:
    """The program prints an object and exits with 0, or one line on standard error and exits with 1."""

    def run(self, query):
        return subprocess.run(
            [sys.executable, "-m", "etcdsize", "terraform-external"], input=query, capture_output=True, check=False,
            timeout=60,
        )  # fmt: skip

    def test_prints_the_answer(self):
        query = json.dumps(LOAD | {"hosts": "é$(x)=10.0.0.1"})
        found = self.run(query.encode())
        assert (found.returncode, found.stderr) == (0, b"")
        assert json.loads(found.stdout) == answer(query)

    @pytest.mark.parametrize("query", [b"", b"\xff", b'{"clients": 1}', b'{"clients": "1", "catalog": "/none.json"}'])
    def test_prints_an_error_on_one_line(self, query):
        found = self.run(query)
        assert (found.returncode, found.stdout) == (1, b"")
        assert found.stderr.startswith(b"etcdsize: ")
        assert found.stderr.count(b"\n") == 1
