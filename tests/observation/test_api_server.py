"""Metrics of a Kubernetes API server: every version's names, unknown counts, and texts that are something else."""

from __future__ import annotations

import math

import pytest
from api_server import BYTES, OBJECTS, REQUESTS, STARTED, VERSIONS, api_server_page
from hypothesis import given
from hypothesis import strategies as st
from members import captured
from wrong_values import is_ours

from etcdsize import ScrapeError, read_metrics
from etcdsize.observation.api_server import ApiServerPage, read_api_server_page

KINDS = st.sampled_from([*OBJECTS, "policyreports.wgpolicyk8s.io", "jobs.batch"])
TEXT = st.text(st.characters(categories=("L", "N", "P", "Cc"), include_characters=" "), max_size=30)
PAGE = api_server_page()


def problem_of(text: object) -> str:
    with pytest.raises(ScrapeError) as caught:
        read_api_server_page(text)
    assert str(caught.value).isprintable()
    return str(caught.value)


class TestVersions:
    """Names and labels changed in Kubernetes 1.21, 1.26, 1.28 and 1.34; what they say did not."""

    @pytest.mark.parametrize("version", VERSIONS)
    def test_counts_and_file_are_read(self, version):
        page = read_api_server_page(api_server_page(version))
        assert page.objects == OBJECTS
        assert page.file_bytes == {"etcd-0": 24_000_000}
        assert page.started_unix_seconds == STARTED

    @pytest.mark.parametrize("version", ["1.28", "1.33", "1.36", "1.37"])
    def test_requests_keep_group_and_name(self, version):
        assert read_api_server_page(api_server_page(version)).requests == REQUESTS

    @pytest.mark.parametrize("version", ["1.20", "1.24"])
    def test_requests_of_old_versions_have_types_of_go(self, version):
        requests = read_api_server_page(api_server_page(version)).requests
        assert requests["create", "*core.Pod"] == 4000

    def test_sizes_are_known_since_1_34(self):
        assert read_api_server_page(api_server_page("1.33")).object_bytes == {}
        sizes = read_api_server_page(api_server_page("1.36")).object_bytes
        assert sizes == {**BYTES, "events": None}

    @pytest.mark.parametrize("version", ["1.36", "1.37"])
    def test_lists_from_the_watch_cache_do_not_count(self, version):
        page = read_api_server_page(api_server_page(version, lists={"pods": (4, 20_000)}))
        assert page.lists == {"pods": (4, 20_000)}

    def test_kinds_of_two_groups_stay_apart(self):
        objects = {"events": 5, "events.example.com": 7, "nodes": 1}
        assert read_api_server_page(api_server_page(objects=objects, sizes={})).objects == objects

    def test_both_counters_of_requests_are_read_once(self):
        page = read_api_server_page(api_server_page("1.36", requests={("create", "pods"): 10}))
        assert page.requests == {("create", "pods"): 10}

    def test_objects_of_a_lease(self):
        page = read_api_server_page(api_server_page(leases=(10, 640)))
        assert page.leases == (10, 640)
        assert read_api_server_page(PAGE).leases is None


class TestUnknown:
    """-1 is what an API server reports if it could not count."""

    def test_minus_one_is_unknown(self):
        page = read_api_server_page(api_server_page(objects={**OBJECTS, "secrets": -1}))
        assert page.objects["secrets"] is None
        assert page.object_bytes["events"] is None

    @pytest.mark.parametrize("value", [-2, -0.5, math.nan, math.inf, 2.0**64, 1e300])
    def test_impossible_counts_are_rejected_with_line_and_metric(self, value):
        problem = problem_of(api_server_page(objects={**OBJECTS, "secrets": value}))
        assert problem.startswith("metrics: line 7, apiserver_resource_objects: got ")
        assert "expected" in problem

    def test_minus_one_is_no_number_of_requests(self):
        assert "expected a finite number of 0 or more" in problem_of(api_server_page(requests={("get", "pods"): -1}))


class TestOtherTexts:
    """A text that is something else is named, with what to do."""

    def test_etcds_own_metrics(self):
        problem = problem_of(captured(0))
        assert problem == (
            "metrics: got the metrics of etcd itself, expected those of an API server; use observe, or read_metrics"
        )

    def test_memory_of_k3s_is_not_that_of_etcd_alone(self):
        assert not read_metrics(captured(0)).shares_process
        assert read_metrics("apiserver_storage_size_bytes 5\n" + captured(0)).shares_process

    def test_page_of_k3s_has_both(self):
        assert read_api_server_page(PAGE + "etcd_server_has_leader 1\n").objects == OBJECTS

    @pytest.mark.parametrize(
        ("text", "named"),
        [
            ("", "got an empty text"),
            ("<html><body>403</body></html>", "got a web page"),
            ('{"kind":"Status","status":"Failure","reason":"Forbidden"}', "got JSON"),
            ('{"status":"success","data":{}}', "Prometheus' query API"),
            ("# HELP node_load1 1m load average.\n# TYPE node_load1 gauge\nnode_load1 0.2\n", "another program"),
            ("process_start_time_seconds 1.7e9\n", "another program"),
            ("apiserver_storage_size_bytes 5\nprocess_start_time_seconds 5\n", "without the counts of objects"),
            ("# HELP apiserver_audit_event_total x\napiserver_audit_event_total 5\n", "without the counts of objects"),
            ("Unable to connect to the server", 'got "Unable to connect to the server"'),
        ],
    )
    def test_is_named(self, text, named):
        assert named in problem_of(text)
        assert "expected" in problem_of(text)

    @pytest.mark.parametrize("value", [None, 5, ["a"], {"a": 1}])
    def test_no_text(self, value):
        assert "expected the text" in problem_of(value)

    def test_cut_off_text(self):
        whole = PAGE.index("# TYPE process_start_time_seconds")
        assert "process_start_time_seconds is missing" in problem_of(PAGE[:whole])
        assert "does not end" in problem_of(PAGE[: whole - 2])

    def test_windows_powershell_and_indented_text(self):
        page = read_api_server_page(PAGE)
        assert read_api_server_page(PAGE.replace("\n", "\r\n")) == page
        assert read_api_server_page(("\ufeff" + PAGE).encode("utf-16")) == page
        assert read_api_server_page("\n".join(f"  {line}" for line in PAGE.splitlines()) + "\n") == page


class TestHostile:
    @pytest.mark.parametrize("label", ["", " pods", "a\x1b[31m", "a\\nb", "\u202epods", "p" * 400, "\u200bpods"])
    def test_labels_that_name_no_resource_are_rejected(self, label):
        text = f'apiserver_resource_objects{{group="",resource="{label}"}} 5\n{PAGE}'
        assert "expected the name of a resource" in problem_of(text)

    def test_metric_that_appears_more_than_once(self):
        line = 'apiserver_resource_objects{group="",resource="pods"} 1200\n'
        assert "more than once" in problem_of(PAGE.replace(line, line + line))

    def test_very_long_line_and_a_wrong_type(self):
        assert "characters" in problem_of(f'apiserver_resource_objects{{group="{"g" * 5000}"}} 5\n{PAGE}')
        wrong = PAGE.replace("# TYPE apiserver_resource_objects gauge", "# TYPE apiserver_resource_objects counter")
        assert 'got the type "counter", expected gauge' in problem_of(wrong)

    @given(
        st.lists(
            st.one_of(
                st.sampled_from(PAGE.splitlines()),
                TEXT,
                st.builds(
                    '{}{{group="{}",resource="{}"}} {}'.format,
                    st.sampled_from(
                        ["apiserver_resource_objects", "apiserver_storage_list_total", "etcd_requests_total"]
                    ),
                    TEXT,
                    TEXT,
                    st.one_of(st.floats().map(repr), TEXT),
                ),
            ),
            max_size=20,
        )
    )
    def test_any_text_is_read_or_rejected(self, lines):
        text = "\n".join(lines)
        is_ours(lambda: read_api_server_page(text), repr(text))

    @given(st.dictionaries(KINDS, st.integers(-1, 2**40), min_size=1))
    def test_counts_survive(self, objects):
        page = read_api_server_page(api_server_page(objects=objects, sizes={}))
        assert page.objects == {kind: None if count == -1 else count for kind, count in objects.items()}
        assert isinstance(page, ApiServerPage)
