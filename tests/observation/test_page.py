"""The text of a scrape: pages that other programs share are read in bounded memory, and other texts are named."""

from __future__ import annotations

import codecs
import time
import tracemalloc
from collections import deque
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from members import alone, captured
from servers import answering, read_request, serving

from etcdsize import ScrapeError, observe, read_metrics
from etcdsize.observation.page import WANTED, Page

MIB = 1024**2
PAGE = alone(captured(0))


def api_server(lines: int, size: str = "") -> str:
    """Return metrics as a Kubernetes API server has them, with as many lines."""
    buckets = (
        f'apiserver_request_duration_seconds_bucket{{group="g{number}.example",verb="LIST",le="{number % 20}"}} 7\n'
        for number in range(lines)
    )
    return f"# TYPE apiserver_request_duration_seconds histogram\n{''.join(buckets)}{size}"


def parts(text: bytes, length: int) -> Iterator[bytes]:
    return (text[start : start + length] for start in range(0, len(text), length))


def problem_of(text: str | bytes) -> str:
    with pytest.raises(ScrapeError) as caught:
        read_metrics(text)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


class TestSharedPage:
    """k3s serves its API server, its scheduler and etcd on one page, which may be many megabytes."""

    @pytest.mark.parametrize("where", ["before", "behind", "between"])
    def test_etcds_metrics_are_found_wherever_they_are(self, where):
        noise = api_server(60_000)
        assert len(noise) > 4 * MIB
        half = len(noise.splitlines()) // 2
        lines = noise.splitlines(keepends=True)
        text = {
            "before": PAGE + noise,
            "behind": noise + PAGE,
            "between": "".join(lines[:half]) + PAGE + "".join(lines[half:]),
        }[where]
        assert read_metrics(text) == read_metrics(text.encode()) == read_metrics(PAGE)

    def test_command_reads_it_in_bounded_memory(self, run):
        text = (api_server(250_000) + PAGE).encode()
        assert len(text) > 16 * MIB

        def handle(connection):
            read_request(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            connection.sendall(text)

        with serving(handle) as port:
            # The first run also loads modules.
            code, out, err = run("observe", f"127.0.0.1:{port}", "--interval", "0.1s", "--timeout", "60s")
            tracemalloc.start()
            (member,) = observe(f"127.0.0.1:{port}", interval=0, timeout=60).members
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert (member.problem, member.data_bytes) == (None, 1_110_016)
        assert peak < 30 * MIB
        assert (code, err) == (0, "")
        assert "data      1.110016 MB in use" in out

    @settings(max_examples=20)
    @given(st.integers(100, 9_000), st.integers(0, 200))
    def test_reduced_page_keeps_every_line_that_is_read(self, length, noise):
        """The slow twin splits the whole text. Cuts between parts may be anywhere, in a name too."""
        text = ("# HELP x\n" * 300 + api_server(noise) + PAGE).encode()
        page = Page("answers with")
        for part in parts(text, length):
            page.add(part)
            page._reduce()

        def wanted(content: bytes) -> list[tuple[int, bytes]]:
            names = enumerate(content.split(b"\n"), 1)
            return [(n, line) for n, line in names if line.split(b"{")[0].split(b" ")[0].decode() in WANTED]

        assert wanted(page.content) == wanted(text)
        assert page.content.count(b"\n") == text.count(b"\n")

    @pytest.mark.slow
    def test_too_much_is_rejected(self):
        endless = (
            ("etcd_server_has_leader 1\n" * 4000, "bytes of etcd's metrics, or in one line"),
            ("x" * 100_000, "bytes of etcd's metrics, or in one line"),
            ("\n" * 100_000, "bytes of etcd's metrics, or in one line"),
            ("a 1\n" * 250_000, "more than 4194304 bytes"),
            (("#" * 100_000 + "\n") * 10, "more than 268435456 bytes"),
        )
        for part, reason in endless:
            page = Page("answers with")
            start = time.monotonic()
            with pytest.raises(ScrapeError, match=r"^answers with more than ") as caught:
                deque(map(page.add, [part.encode()] * 10_000), 0)
            assert reason in str(caught.value)
            assert time.monotonic() - start < 30

    def test_cut_off_page_is_rejected(self):
        assert problem_of((api_server(60_000) + PAGE)[:-9]).endswith("the last line does not end; is it cut off?")

    def test_fault_names_the_line_of_the_page(self):
        text = api_server(60_000) + "etcd_server_has_leader NaN\n" + PAGE
        assert problem_of(text) == (
            "metrics: line 60002, etcd_server_has_leader: got nan, expected a finite number of 0 or more"
        )


class TestApiServer:
    """Where Kubernetes is managed, its API server is all that there is: it knows the size of etcd's file."""

    SIZES = (
        'apiserver_storage_size_bytes{storage_cluster_id="etcd-0"} 2.093056e+06\n',
        'apiserver_storage_db_total_size_in_bytes{endpoint="http://10.0.0.1:2379"} 2.093056e+06\n',
        'etcd_db_total_size_in_bytes{endpoint="http://10.0.0.1:2379"} 2.093056e+06\n',
    )
    END = 'etcd_requests_total{operation="get"} 1383\nprocess_start_time_seconds 1.7e+09\n'

    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize("lines", [1, 60_000])
    def test_size_of_the_file_is_an_upper_bound_of_the_data(self, run, size, lines):
        text = api_server(lines, size) + self.END
        scrape = read_metrics(text)
        assert (scrape.reported_by, scrape.total_bytes, scrape.data_bytes) == ("api-server", 2_093_056, None)
        with serving(answering(text)) as port:
            observation = observe(f"127.0.0.1:{port}", interval=0, timeout=60)
            code, out, _ = run("observe", f"127.0.0.1:{port}", "--interval", "0", "--timeout", "60s")
        assert (observation.data_bytes, observation.data_bound) == (2_093_056, "upper")
        assert (observation.requests_per_second, observation.clients.count) == (None, None)
        assert observation.member_count is observation.voting_members is None
        assert "the metrics of an API server" in observation.problems[0].problem
        assert "data-at-most" in [notice.code for notice in observation.notices]
        assert code == 1
        assert "members   unknown" in out
        assert "data      at most the whole file of 2.093056 MB" in out

    def test_largest_of_several_is_the_bound(self):
        more = 'apiserver_storage_size_bytes{storage_cluster_id="etcd-1"} 9e+06\n'
        assert read_metrics(api_server(1, self.SIZES[0] + more) + self.END).total_bytes == 9_000_000

    def test_etcds_own_metrics_on_the_same_page_count_more(self):
        scrape = read_metrics(api_server(1, self.SIZES[0]) + PAGE)
        assert (scrape.reported_by, scrape.total_bytes) == ("etcd", 1_110_016)

    def test_without_the_size_it_is_named(self):
        assert problem_of(api_server(1) + self.END).startswith("metrics: got the metrics of an API server without the")
        assert problem_of(api_server(1, "apiserver_storage_size_bytes 0\n") + self.END).startswith(
            "metrics: got the metrics of an API server without the"
        )


class TestEncodings:
    """What PowerShell writes with `>` is UTF-16, with both line ends."""

    @pytest.mark.parametrize(
        "encode",
        [
            lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
            lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
            lambda text: text.encode("utf-16-le"),
            lambda text: text.encode("utf-8-sig"),
            lambda text: "\ufeff" + text,
        ],
        ids=["UTF-16, little endian", "UTF-16, big endian", "UTF-16 without a mark", "UTF-8 with a mark", "str"],
    )
    @pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
    @pytest.mark.parametrize("noise", [0, 60_000], ids=["etcd", "k3s"])
    def test_they_are_read(self, encode, end, noise):
        text = (api_server(noise) if noise else "") + PAGE
        assert read_metrics(encode(text.replace("\n", end))) == read_metrics(PAGE)

    def test_half_a_character_is_rejected(self):
        assert problem_of(codecs.BOM_UTF16_LE + PAGE.encode("utf-16-le")[:-1]).startswith(
            "metrics: got bytes that are not UTF-16-LE (byte "
        )


PROMETHEUS = '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"2"]]}]}}'


@pytest.mark.parametrize("text", [PROMETHEUS, '\n{ "status" : "error","errorType":"bad_data"}', PROMETHEUS * 3])
def test_answers_of_prometheus_are_named(text):
    assert problem_of(text).startswith(
        "metrics: got an answer of Prometheus' query API, expected the metrics of etcd; "
    )


def test_large_answer_of_a_slow_server_still_ends_at_the_timeout():
    def endless(connection):
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"apiserver_x 1\n" * 100)
            time.sleep(0.001)

    with serving(endless) as port:
        start = time.monotonic()
        (one,) = observe(f"127.0.0.1:{port}", interval=0, timeout=1).members
    assert one.problem == "no answer within 1 s; is it overloaded, or cut off?"
    assert time.monotonic() - start < 5
