"""Calls that gRPC does not count: etcd's own counter is used, and with the leader's renewals is an upper bound."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from members import member
from servers import Handler, answering, serving

from etcdsize import Observation, Scrape, combine_scrapes, read_metrics
from etcdsize.reports.observation import render_observation


def texts(observation: Observation, code: str) -> list[str]:
    return [notice.text for notice in observation.notices if notice.code == code]


def in_turn(*answers: str) -> Handler:
    """Return a handler that answers with one text after another, and then always with the last."""
    left = list(answers)
    return lambda connection: answering(left.pop(0) if len(left) > 1 else left[0])(connection)


def scrape(member: str, ranges: int, **fields) -> Scrape:
    known = {"started_unix_seconds": 1000, "calls": {"KV.Range": ranges}, "has_leader": True}
    return Scrape(member_id=member, **(known | fields))


class TestUncountedCalls:
    """In etcd 3.6.0 to 3.6.5, gRPC counts the calls of one client listener only; etcd's own counter counts them all."""

    @staticmethod
    def page(grpc: int | None, own: int, *, streams: int = 56) -> str:
        lines = [
            f'etcd_server_client_requests_total{{client_api_version="3.6",type="unary"}} {own - 5}',
            'etcd_server_client_requests_total{client_api_version="unknown",type="unary"} 5',
            'etcd_server_client_requests_total{client_api_version="3.6",type="stream"} 9e9',
            f"etcd_debugging_mvcc_watch_stream_total {streams}",
        ]
        kinds = {"Range": "KV", "Put": "KV", "Status": "Maintenance"}
        if grpc is not None:
            lines += [
                f'grpc_server_started_total{{grpc_method="{method}",grpc_service="etcdserverpb.{service}",'
                f'grpc_type="unary"}} {grpc / 3}'
                for method, service in kinds.items()
            ]
            lines += [
                f'grpc_server_{what}_total{{{code}grpc_method="Watch",grpc_service="etcdserverpb.Watch",'
                'grpc_type="bidi_stream"} 0'
                for what, code in (("started", ""), ("handled", 'grpc_code="OK",'))
            ]
        text = member("a1", leader=True, version="3.6.4", more="".join(f"{line}\n" for line in lines))
        return re.sub(r".*etcdserverpb.KV.*} 1000\n", "", text)

    @pytest.mark.parametrize(
        ("before", "after", "rate"),
        [
            ((0, 250_000_000), (0, 250_000_000), 0),
            ((0, 250_000_000), (0, 250_005_000), 500),
            ((3000, 250_000_000), (6000, 250_010_000), 1000),
            ((None, 250_000_000), (None, 250_010_000), 1000),
            ((0, 20), (0, 120), 10),
        ],
        ids=["at rest", "all missed", "most missed", "no counter of gRPC", "a young process"],
    )
    def test_etcds_own_counter_gives_an_upper_bound(self, run, before, after, rate):
        pages = [
            "etcd_debugging_lease_renewed_total 0\n" + self.page(*grpc_and_own) for grpc_and_own in (before, after)
        ]
        first, second = ({"x": read_metrics(text)} for text in pages)
        observation = combine_scrapes(first, second, seconds=10)
        assert (observation.requests_per_second, observation.requests_bound) == (rate, "upper")
        assert observation.calls_per_second == {"Lease.LeaseKeepAlive": 0, "unary": rate}
        assert (observation.watch_streams, observation.lease_streams) == (56, None)
        (text,) = texts(observation, "calls-not-counted")
        assert text.startswith("x: gRPC does not count every call, as in etcd 3.6.0 to 3.6.5 with several client URLs.")
        with serving(in_turn(*pages)) as port:
            code, out, err = run("observe", f"127.0.0.1:{port}", "--interval", "0.1s", "--provider", "aws")
        assert (code, err) == (0, "")
        assert re.search(r"\nrequests +at most ", out)
        assert "[calls-not-counted]" in out

    @pytest.mark.parametrize(("grpc", "own"), [(3000, 3000), (3000, 2700), (3000, 3030), (0, 10), (3000, 5), (0, 5)])
    def test_counters_that_agree_are_those_of_grpc(self, grpc, own):
        """They are not read at the same moment, and since 3.5.28 gRPC also counts calls that are refused."""
        first, second = ({"x": read_metrics(self.page(grpc + more, own + more))} for more in (0, 300))
        observation = combine_scrapes(first, second, seconds=10)
        assert (observation.requests_per_second, observation.requests_bound) == (20, "exact")
        assert texts(observation, "calls-not-counted") == []
        assert observation.watch_streams == 0

    def test_average_since_the_start(self):
        text = self.page(0, 10_000)
        for page, bound in ((text, "estimate"), (f"etcd_debugging_lease_renewed_total 0\n{text}", "upper")):
            observation = combine_scrapes({"x": read_metrics(page, taken_unix_seconds=1.7e9 + 1000)})
            assert (observation.requests_per_second, observation.requests_bound) == (10, bound)

    def test_counter_without_a_line_is_at_0(self):
        """A process that has served no call yet has no line of it."""
        young = re.sub(r"(?m)^etcd_server_client_requests_total.*\n", "", self.page(0, 5))
        pages = (young, self.page(0, 5000))
        observation = combine_scrapes(*({"x": read_metrics(text)} for text in pages), seconds=10)
        assert (observation.requests_per_second, observation.requests_bound) == (500, "estimate")

    def test_renewals_that_the_leader_counts_are_requests(self):
        """Messages that keep leases alive are not among etcd's own calls; they may be most of the load."""
        pages = [self.page(0, 10_000 + more) for more in (0, 100)]
        renewed = [f"etcd_debugging_lease_renewed_total {count}\n{text}" for count, text in zip((50, 900), pages)]
        first, second = ({"x": read_metrics(text)} for text in renewed)
        observation = combine_scrapes(first, second, seconds=10)
        assert observation.calls_per_second == {"Lease.LeaseKeepAlive": 85, "unary": 10}
        assert (observation.requests_per_second, observation.requests_bound) == (95, "upper")
        (text,) = texts(observation, "calls-not-counted")
        assert "Requests are etcd's own count of calls, an upper bound: it does not distinguish methods" in text
        assert "Messages that keep leases alive are the renewals that the leader counts: upgrade" in text
        missing = combine_scrapes(*({"x": read_metrics(text)} for text in pages), seconds=10)
        (text,) = texts(missing, "calls-not-counted")
        assert "Requests are etcd's own count of calls, which does not distinguish methods, and includes" in text
        assert "Messages that keep leases alive are not among them: upgrade" in text
        assert missing.requests_bound == missing.members[0].requests_bound == "estimate"

    @pytest.mark.parametrize(
        ("one", "other", "bound"),
        [
            ("exact", "exact", "exact"),
            ("upper", "exact", "upper"),
            ("upper", "upper", "upper"),
            ("upper", "down", "estimate"),
            ("exact", "upper", "estimate"),
            ("down", "upper", "estimate"),
            ("exact", "down", "lower"),
        ],
    )
    def test_bounds_of_members_are_combined(self, one, other, bound):
        """At most from one member and at least from another is neither. The first is the leader: only with its count of
        the renewals of leases is the sum an upper bound."""
        counters = {"exact": (500, 500), "upper": (0, 500)}

        def scraped(name: str, kind: str, more: int) -> Scrape | str:
            if kind == "down":
                return "is down"
            grpc, own = counters[kind]
            unary = grpc + more * (kind == "exact")
            known = {"is_leader": name == "a", "lease_renewals": 0, "unary_calls": unary, "client_requests": own + more}
            return scrape(name, grpc + more, **known)

        first, second = ({"a": scraped("a", one, more), "b": scraped("b", other, more)} for more in (0, 30))
        observation = combine_scrapes(first, second, seconds=1)
        assert observation.requests_bound == bound
        # What is said of the missing member is what the sum is.
        words = {
            "lower": "so the rate of requests is a lower bound",
            "estimate": "so the rate of requests is an estimate",
        }
        is_down = "down" in (one, other)
        said = [render_observation(observation), *texts(observation, "member-unknown")]
        for text in said if is_down else []:
            assert f"requests are not counted, {words[bound]}" in text
        assert len(said) == 1 + is_down

    def test_leader_that_came_does_not_count_what_was_before(self):
        counts = {"unary_calls": 0, "client_requests": 500, "lease_renewals": 0}
        first = {"a": scrape("a", 0, is_leader=False, **counts)}
        second = {"a": scrape("a", 0, is_leader=True, **counts)}
        assert combine_scrapes(first, second, seconds=1).requests_bound == "estimate"

    @given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
    def test_rate_is_never_exact_where_calls_are_missed(self, grpc, own, more, own_more):
        first = Scrape(member_id="a", calls={"KV.Range": grpc}, unary_calls=grpc, client_requests=own)
        second = Scrape(
            member_id="a", calls={"KV.Range": grpc + more}, unary_calls=grpc + more, client_requests=own + own_more
        )
        observation = combine_scrapes({"x": first}, {"x": second}, seconds=1)
        missed = (own + own_more) - (grpc + more)
        is_uncounted = missed > 10 and missed > 0.01 * (own + own_more)
        assert observation.requests_bound == ("estimate" if is_uncounted else "exact")
        assert observation.requests_per_second == (own_more if is_uncounted else more)

    def test_streams_are_unknown_without_the_counter_of_those_that_ended(self):
        """k3s may lack it: then every stream there ever was would count as a client."""
        started = 'grpc_server_started_total{grpc_method="Watch",grpc_service="etcdserverpb.Watch",grpc_type="x"} 900\n'
        assert read_metrics(member("a1", more=started)).watch_streams is None
        gauge = "etcd_debugging_mvcc_watch_stream_total 7\n"
        assert read_metrics(member("a1", more=started + gauge)).watch_streams == 7
