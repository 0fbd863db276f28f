"""Saved scrapes and endpoint statuses: which page is of which member, in every encoding and size."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from members import captured, member
from paths import OBSERVED

from etcdsize import Scrape, ScrapeError, read_endpoint_status, read_metrics
from etcdsize.observation.saved import pair_scrapes, read_saved

STATUS = (OBSERVED / "status.json").read_bytes()


def scrape(member_id: str | None, count: int = 0) -> Scrape:
    return Scrape(member_id=member_id, calls={"KV.Put": count})


class TestPairs:
    """Pages are of the same member if they have its ID; without one, they are paired in their order."""

    @given(st.permutations(range(5)), st.permutations(range(5)))
    def test_order_means_nothing_where_pages_have_an_id(self, first, last):
        pairs = pair_scrapes(
            {f"b{number}": scrape(f"{number}", number) for number in first},
            {f"a{number}": scrape(f"{number}", number + 10) for number in last},
        )
        assert list(pairs.after) == [f"a{number}" for number in last]
        assert pairs.before == {f"a{number}": scrape(f"{number}", number) for number in last}

    def test_order_decides_where_they_have_none(self):
        pairs = pair_scrapes(
            {"b0": scrape(None, 0), "x": scrape("1", 7), "b1": scrape(None, 1)},
            {"a0": scrape(None, 10), "a1": scrape(None, 11), "y": scrape("1", 17)},
        )
        assert pairs.before == {"a0": scrape(None, 0), "a1": scrape(None, 1), "y": scrape("1", 7)}

    @pytest.mark.parametrize("more", ["before", "after"])
    def test_without_ids_there_must_be_as_many(self, more):
        files = {"before": {"x": scrape(None)}, "after": {"y": scrape(None)}}
        files[more]["z"] = scrape(None)
        with pytest.raises(ScrapeError, match=r"^got \d pages before and \d after without etcd_server_id, expected as"):
            pair_scrapes(**files)

    def test_page_without_a_partner_has_a_reason(self):
        pairs = pair_scrapes({"b0": scrape("0"), "b1": scrape("1")}, {"a0": scrape("0", 1), "a2": scrape("2")})
        assert pairs.before["a2"] == "the first scrape of this member is missing"
        assert pairs.after["b1"] == "the last scrape of this member is missing"
        assert pairs.before.keys() == pairs.after.keys() == {"a0", "a2", "b1"}


def process(started: float | None, cpu: float | None, count: int = 0) -> Scrape:
    return Scrape(member_id="a", started_unix_seconds=started, cpu_seconds=cpu, calls={"KV.Put": count})


class TestOlder:
    """The last page of a member is later than its first; if the two are swapped, every rate is wrong."""

    @pytest.mark.parametrize("number", range(3))
    def test_captured_pages_that_are_swapped(self, number):
        first, last = (read_metrics(captured(number, when)) for when in ("before", "after"))
        assert pair_scrapes({"b": first}, {"a": last}) == ({"a": first}, {"a": last})
        with pytest.raises(ScrapeError) as caught:
            pair_scrapes({"a.txt": last}, {"b.txt": first})
        assert str(caught.value) == (
            "b.txt: got a page that is older than a.txt, the page before it, expected a later one; are the two swapped?"
        )

    @pytest.mark.parametrize(
        ("first", "last"),
        [
            (process(1000, 9, 5), process(1000, 8, 6)),
            (process(1001, 9), process(1000, 8)),
            (process(1002, 1), process(1000, 9)),
            (process(1002, None), process(1000, None)),
        ],
    )
    def test_page_that_is_older(self, first, last):
        with pytest.raises(ScrapeError, match="are the two swapped"):
            pair_scrapes({"b": first}, {"a": last})

    @pytest.mark.parametrize(
        ("first", "last"),
        [
            (process(1000, 9, 5), process(2000, 1, 1)),
            (process(1001, 8), process(1000, 9)),
            (process(1000, 9), process(1000, 9, 1)),
            (process(None, 9, 5), process(None, 1, 1)),
            (process(None, 9), process(1000, 1)),
            (process(1000, None, 5), process(1000, None, 1)),
        ],
        ids=["restarted", "clock set a little", "no time used", "no start", "one start", "no processor time"],
    )
    def test_page_that_may_be_later(self, first, last):
        assert pair_scrapes({"b": first}, {"a": last}).before == {"a": first}


class TestOneId:
    """Members that were made alike share an ID: their pages are paired by the start of their processes."""

    @given(st.permutations(range(4)), st.permutations(range(4)))
    def test_order_means_nothing_where_starts_agree(self, first, last):
        pairs = pair_scrapes(
            {f"b{number}": process(1000 + number, 1, number) for number in first},
            {f"a{number}": process(1000.3 + number, 2, number) for number in last},
        )
        assert pairs.before == {f"a{number}": process(1000 + number, 1, number) for number in last}
        assert list(pairs.after) == [f"a{number}" for number in last]

    def test_one_that_restarted_has_the_page_that_is_left(self):
        stays, restarts = process(1000, 5), process(2000, 5)
        last = {"a": process(3000, 1), "b": process(1000, 6)}
        assert pair_scrapes({"x": stays, "y": restarts}, last) == ({"a": restarts, "b": stays}, last)


class TestSame:
    """Two scrapes of a member differ, even at rest: one page that is given twice does not show a load of 0."""

    @pytest.mark.parametrize("number", range(3))
    @pytest.mark.parametrize("taken", [None, 1.8e9])
    def test_copy_of_a_page(self, number, taken):
        first, last = read_metrics(captured(number)), read_metrics(captured(number), taken_unix_seconds=taken)
        with pytest.raises(ScrapeError) as caught:
            pair_scrapes({"b.txt": first}, {"a.txt": last})
        assert str(caught.value) == (
            "a.txt: got the same figures as b.txt, the page before it, expected those of a later moment; are the two "
            "copies of one page?"
        )

    def test_page_of_a_member_at_rest(self):
        first = read_metrics(captured(0))
        last = first.model_copy(update={"cpu_seconds": first.cpu_seconds + 0.01})
        assert pair_scrapes({"b": first}, {"a": last}).before == {"a": first}

    def test_api_server_reports_a_size_alone(self):
        page = Scrape(reported_by="api-server", total_bytes=5)
        assert pair_scrapes({"b": page}, {"a": page}).before == {"a": page}


class TestRead:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    @pytest.mark.parametrize("size", [1, 7, 100_000])
    def test_status_is_recognized_for_what_it_is(self, encoding, size):
        content = ("\n " + STATUS.decode()).encode(encoding)
        parts = (content[start : start + size] for start in range(0, len(content), size))
        assert read_saved("s", parts) == read_endpoint_status(STATUS)

    def test_page_has_the_time_that_is_given(self):
        text = captured(0)
        assert read_saved("a", [text.encode()], taken_unix_seconds=5) == read_metrics(text, taken_unix_seconds=5)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "a.txt: metrics: got an empty text, expected the metrics of etcd"),
            (b"[]", "a.txt: endpoint status: got b'[]', expected the list that "),
            (b"[1, 2", "a.txt: endpoint status: not JSON: "),
            (b"{}", "a.txt: metrics: got JSON, expected the metrics of etcd, which are text; fetch /metrics"),
            (b"<html>", "a.txt: metrics: got a web page, "),
            (b"\xff\xff", "a.txt: metrics: got bytes that are not UTF-8 (byte 0), "),
            (member("a1").encode() + b"etcd_server_has_leader NaN\n", "a.txt: metrics: line "),
        ],
    )
    def test_what_is_wrong_is_named_with_the_file(self, content, message):
        with pytest.raises(ScrapeError) as caught:
            read_saved("a.txt", [content])
        assert str(caught.value).startswith(message)

    @pytest.mark.parametrize("first", [b"", b"\n", b"\xef\xbb\xbf", b" # [\n"])
    def test_page_is_not_copied(self, first):
        """Only a status, which is JSON, is kept as a whole."""
        part = b'apiserver_request_duration_seconds_bucket{group="a.example",verb="LIST",le="3"} 7\n' * 1_200
        tracemalloc.start()
        found = read_saved("a", [first, *[part] * 150, captured(0).encode()])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found == read_metrics(captured(0))
        assert peak < 4 * 1024**2

    @pytest.mark.slow
    def test_page_of_256_mb_takes_little_memory(self):
        part = b'apiserver_request_duration_seconds_bucket{group="a.example",verb="LIST",le="3"} 7\n' * 12_000
        tracemalloc.start()
        found = read_saved("a", [*[part] * 255, captured(0).encode()])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found == read_metrics(captured(0))
        assert peak < 24 * 1024**2
