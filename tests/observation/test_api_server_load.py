"""The load that API servers report: objects are not added, requests are, and what is unknown is said."""

from __future__ import annotations

import pytest
from api_server import BYTES, OBJECTS, REQUESTS, STARTED, VERSIONS, api_server_page
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import Amount, ApiServerLoad, MissingDependencyError, OptionError, ScrapeError, read_apiserver_metrics

LATER = {key: count + 600 for key, count in REQUESTS.items()}


def kind(load: ApiServerLoad, name: str):
    return next(one for one in load.profile.objects if one.name == name)


def codes(load: ApiServerLoad) -> list[str]:
    return [notice.code for notice in load.notices]


def assumed(load: ApiServerLoad) -> set[str]:
    return {one.field for one in load.profile.assumptions}


class TestOnePage:
    @pytest.mark.parametrize("version", VERSIONS)
    def test_objects_and_file(self, version):
        load = read_apiserver_metrics(api_server_page(version))
        assert {one.name: one.count.likely for one in load.profile.objects} == OBJECTS
        assert load.file_bytes == {"etcd-0": 24_000_000}
        assert load.profile.clients == len(OBJECTS)
        assert load.interval_seconds is None

    def test_sizes_of_the_page_are_not_assumed(self):
        load = read_apiserver_metrics(api_server_page())
        for name in ("pods", "nodes", "widgets.example.com"):
            assert kind(load, name).value_bytes == Amount.of(BYTES[name] / OBJECTS[name])
            assert f"objects.{name}.value_bytes" not in assumed(load)
        assert kind(load, "events").value_bytes == Amount.of("500..700..1500")
        assert "objects.events.value_bytes" in assumed(load)

    def test_sizes_of_an_old_page_are_assumed(self):
        load = read_apiserver_metrics(api_server_page("1.33"))
        assert kind(load, "widgets.example.com").value_bytes == Amount.of("500..1000..10000")
        assert {"objects.pods.value_bytes", "objects.widgets.example.com.value_bytes"} <= assumed(load)

    def test_rates_are_unknown_and_assumed(self):
        load = read_apiserver_metrics(api_server_page())
        assert codes(load) == ["rates-unknown"]
        assert load.notices[0].text.startswith("One set of metrics does not show the rate of requests")
        assert {"reads_per_second", "objects.pods.writes_per_second"} <= assumed(load)
        assert kind(load, "leases.coordination.k8s.io").writes_per_second.low == pytest.approx(41 / 10 + 3 / 2)

    def test_counts_that_failed(self):
        objects = {**OBJECTS, "secrets": -1, "widgets.example.com": -1, "jobs.batch": -1}
        load = read_apiserver_metrics(api_server_page(objects=objects))
        assert codes(load) == ["rates-unknown", "objects-unknown"]
        assert "secrets, widgets.example.com, jobs.batch" in load.notices[1].text
        assert "objects.secrets.count" in assumed(load)
        assert not {one.name for one in load.profile.objects} & {"widgets.example.com", "jobs.batch"}

    def test_zeros_in_the_first_minutes_of_a_cluster_are_unknown(self):
        """An API server counts once a minute or two, and at first there is nothing."""
        objects = {**OBJECTS, "nodes": 0, "secrets": 0, "jobs.batch": 0}
        load = read_apiserver_metrics(api_server_page(objects=objects))
        assert codes(load) == ["rates-unknown", "objects-unknown"]
        assert "or have not yet: nodes, secrets. Those" in load.notices[1].text
        assert kind(load, "nodes").count == Amount.of("0..47..47")
        assert "objects.secrets.count" in assumed(load)
        load = read_apiserver_metrics(api_server_page(objects={**OBJECTS, "configmaps": 0}))
        assert "objects.configmaps.count" in assumed(load)

    def test_a_control_plane_without_nodes(self):
        objects = {"nodes": 0, "pods": 0, "secrets": 0, "configmaps": 8, "namespaces": 4}
        load = read_apiserver_metrics(api_server_page(objects=objects))
        assert {one.name for one in load.profile.objects} == {"configmaps", "namespaces"}

    def test_nodes_that_could_not_be_counted_have_a_lease_each(self):
        load = read_apiserver_metrics(api_server_page(objects={**OBJECTS, "nodes": -1}))
        assert kind(load, "nodes").count == Amount.of("0..47..47")
        with pytest.raises(ScrapeError, match="neither the number of nodes nor that of leases"):
            read_apiserver_metrics(api_server_page(objects={"pods": 5}))

    def test_lists_and_leases(self):
        page = api_server_page(lists={"pods": (4, 60_000), "secrets": (1, 5)}, leases=(10, 90))
        load = read_apiserver_metrics(page)
        assert load.profile.list_keys == Amount.of("1200..1200..15000")
        assert load.profile.keys_per_lease == Amount.of(9)
        assert load.profile.leases == Amount.of(100)
        assert not assumed(load) & {"list_keys", "keys_per_lease"}

    def test_events_in_an_etcd_of_their_own(self):
        page = api_server_page(files={"etcd-0": 5e7, "etcd-1": 2e7})
        assert codes(read_apiserver_metrics(page)) == ["rates-unknown", "several-etcds"]
        load = read_apiserver_metrics(page, events=False)
        assert codes(load) == ["rates-unknown"]
        assert load.profile.clients == len(OBJECTS) - 1
        assert "events" not in {one.name for one in load.profile.objects}


class TestRates:
    @pytest.mark.parametrize("version", ["1.28", "1.33", "1.36", "1.37"])
    def test_by_kind(self, version):
        load = read_apiserver_metrics(api_server_page(version, requests=LATER), api_server_page(version), seconds=300)
        assert codes(load) == []
        assert load.interval_seconds == 300
        assert kind(load, "pods").writes_per_second == Amount.of(6)  # created, updated, deleted
        assert kind(load, "nodes").writes_per_second == Amount.of(2)
        assert kind(load, "secrets").writes_per_second == Amount.of(0)
        assert load.profile.reads_per_second == Amount.of(4)
        assert "reads_per_second" not in assumed(load)

    def test_types_of_go_give_no_kind(self):
        load = read_apiserver_metrics(api_server_page("1.24", requests=LATER), api_server_page("1.24"), seconds=300)
        assert codes(load) == ["rates-unknown"]
        assert "Before Kubernetes 1.26" in load.notices[0].text
        assert load.profile.reads_per_second == Amount.of(4)
        assert "objects.pods.writes_per_second" in assumed(load)

    def test_what_etcd_reported_is_likelier_than_what_was_requested(self):
        """An update that meets a newer revision is counted, but writes nothing."""
        before = api_server_page(received={"pods": 100})
        load = read_apiserver_metrics(api_server_page(requests=LATER, received={"pods": 1600}), before, seconds=300)
        assert kind(load, "pods").writes_per_second == Amount.of("5..5..6")

    def test_requests_of_several_api_servers_are_summed_and_objects_are_not(self):
        before = {"a": api_server_page(), "b": api_server_page(started=STARTED + 500)}
        after = {
            "b": api_server_page(requests=LATER, started=STARTED + 500),
            "a": api_server_page(requests=LATER, objects={**OBJECTS, "pods": 1210}),
        }
        load = read_apiserver_metrics(after, before, seconds=300)
        assert load.apiservers == 2
        assert kind(load, "pods").count == Amount.of(1210)
        assert kind(load, "pods").writes_per_second == Amount.of(12)
        assert load.profile.reads_per_second == Amount.of(8)
        assert load.profile.clients == 2 * len(OBJECTS)

    def test_a_load_balancer_may_answer_in_any_order(self):
        before = [api_server_page(), api_server_page(started=STARTED + 500, requests={("get", "pods"): 5})]
        after = [
            api_server_page(started=STARTED + 500, requests={("get", "pods"): 11}),
            api_server_page(requests=LATER),
        ]
        load = read_apiserver_metrics(after, before, seconds=300)
        assert codes(load) == []
        assert load.profile.reads_per_second == Amount.of((1200 + 6) / 300)

    def test_pages_of_different_api_servers(self):
        load = read_apiserver_metrics(api_server_page(started=STARTED - 50), api_server_page(), seconds=300)
        assert codes(load) == ["rates-unknown"]
        assert "or the pages are of different API servers" in load.notices[0].text

    def test_some_of_the_api_servers(self):
        before = api_server_page(received={"pods": 100})
        after = api_server_page(requests=LATER, received={"pods": 5500})
        load = read_apiserver_metrics(after, before, seconds=300, apiservers=3)
        assert codes(load) == ["api-servers-missing"]
        assert kind(load, "pods").writes_per_second == Amount.of("6..18..18")
        # etcd reports no events to the watch cache, and here nothing of nodes.
        assert kind(load, "events").writes_per_second == kind(load, "nodes").writes_per_second == Amount.of("2..6..6")
        assert "rites that no server watches, such as those of events, are counted here" in load.notices[0].text
        assert load.profile.reads_per_second == Amount.of("4..12..12")
        assert load.profile.clients == 3 * len(OBJECTS)

    def test_requests_of_kinds_that_are_not_counted(self):
        requests = {**LATER, ("update", "apiServerIPInfo"): 30}
        load = read_apiserver_metrics(api_server_page(requests=requests), api_server_page(), seconds=300)
        assert kind(load, "others").writes_per_second == Amount.of(0.1)

    def test_an_operation_that_is_not_known(self):
        requests = {**LATER, ("defragment", "pods"): 900}
        load = read_apiserver_metrics(api_server_page(requests=requests), api_server_page(), seconds=300)
        assert codes(load) == ["operations-unknown"]
        assert load.notices[0].text.endswith("so their requests are left out: defragment.")

    def test_a_restart_in_between(self):
        after = api_server_page(requests={("create", "pods"): 5}, started=STARTED + 100)
        load = read_apiserver_metrics({"a.txt": after}, {"a.txt": api_server_page()}, seconds=300)
        assert codes(load) == ["rates-unknown"]
        assert load.notices[0].text.startswith(
            "1 of 1 API servers (a.txt is the first) restarted between the two pages"
        )
        assert "objects.pods.writes_per_second" in assumed(load)

    def test_pages_without_requests(self):
        objects = api_server_page(requests={})
        load = read_apiserver_metrics(
            objects, api_server_page(requests={}, objects={**OBJECTS, "pods": 5}), seconds=300
        )
        assert codes(load) == ["rates-unknown"]
        assert "no counts of requests" in load.notices[0].text


class TestRejected:
    def problem_of(self, *pages, **options) -> str:
        with pytest.raises((ScrapeError, OptionError)) as caught:
            read_apiserver_metrics(*pages, **options)
        return str(caught.value)

    def test_swapped_pages(self):
        swapped = self.problem_of(api_server_page(), api_server_page(requests=LATER), seconds=5)
        assert swapped.startswith("page: got a page that is older than the page before it")

    def test_two_pages_of_one_api_server(self):
        """A load balancer answers with any of them."""
        problem = self.problem_of({"a": api_server_page(), "b": api_server_page(requests=LATER)})
        assert problem.startswith("b: is of the same API server as a")
        pages = [api_server_page(), api_server_page(started=STARTED + 50)]
        before = [api_server_page(), api_server_page(requests={})]
        assert self.problem_of(pages, before, seconds=5).startswith("page 2, before: is of the same")

    def test_two_copies_of_one_page(self):
        assert "same figures before and after" in self.problem_of(api_server_page(), api_server_page(), seconds=5)

    def test_a_page_that_is_missing(self):
        pages = [api_server_page(requests=LATER), api_server_page(requests=LATER, started=STARTED + 50)]
        assert "got 1 pages before and 2 after" in self.problem_of(pages, [api_server_page()], seconds=5)

    def test_time_without_pages_and_pages_without_time(self):
        assert self.problem_of(api_server_page(), seconds=5).startswith("seconds: expected")
        assert self.problem_of(api_server_page(), api_server_page()).startswith("seconds: expected")
        assert self.problem_of(api_server_page(requests=LATER), api_server_page(), seconds=0).startswith(
            "seconds: got 0"
        )

    def test_fewer_api_servers_than_pages(self):
        pages = [api_server_page(), api_server_page(started=STARTED + 50)]
        assert self.problem_of(pages, apiservers=1).startswith("apiservers: got 1, expected at least the 2")

    def test_the_page_is_named(self):
        problem = self.problem_of({"a.txt": api_server_page(), "b.txt": "<html>"})
        assert problem.startswith("b.txt: metrics: got a web page")

    @pytest.mark.parametrize("pages", [None, 5, [], {}, [5], {"a": None}])
    def test_no_pages(self, pages):
        assert "expected a text of metrics, or several" in self.problem_of(pages)


def test_without_prometheus_client(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "prometheus_client.parser", None)
    with pytest.raises(MissingDependencyError, match=r"etcdsize\[observe\]"):
        read_apiserver_metrics(api_server_page())


@examples(30)
@given(
    st.dictionaries(st.sampled_from(sorted(REQUESTS)), st.integers(0, 2**40)),
    st.dictionaries(st.sampled_from(sorted(OBJECTS)), st.integers(-1, 2**40)),
    st.floats(1e-3, 1e9),
)
def test_any_two_pages_give_ranges_in_order(more, objects, seconds):
    before = api_server_page(objects={**OBJECTS, "nodes": 5})
    after = {key: count + more.get(key, 1) for key, count in REQUESTS.items()}
    load = read_apiserver_metrics(
        api_server_page(objects={**OBJECTS, **objects, "nodes": 5}, requests=after), before, seconds=seconds
    )
    for one in load.profile.objects:
        for amount in (one.count, one.value_bytes, one.writes_per_second):
            assert 0 <= amount.low <= amount.likely <= amount.high
    assert ApiServerLoad.model_validate_json(load.model_dump_json()) == load
