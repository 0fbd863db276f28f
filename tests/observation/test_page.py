"""The text of a scrape: pages that other programs share are read in bounded memory, and other texts are named."""

from __future__ import annotations

import codecs
import time
import tracemalloc
from collections import deque
from collections.abc import Iterator

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from members import alone, captured
from servers import answering, read_request, serving

from etcdsize import ScrapeError, observe, read_metrics
from etcdsize.observation.metrics import scrape_of
from etcdsize.observation.page import WANTED, Page
from etcdsize.observation.samples import _EXEMPLAR

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

    @examples(20)
    @given(st.integers(1, 9_000), st.integers(0, 2_000), st.sampled_from(["utf-8", "utf-16", "utf-16-le"]))
    def test_page_keeps_every_line_that_is_read(self, length, noise, encoding):
        """The slow twin splits the whole text. Cuts between parts may be anywhere, in a name or a character too."""
        text = "# HELP x ü\n" * 300 + api_server(noise) + PAGE
        page = Page()
        for part in parts(text.encode(encoding), length):
            page.add(part)
        page.end()
        lines = enumerate(text.split("\n"), 1)
        wanted = [(n, line) for n, line in lines if line.split("{")[0].split(" ")[0] in WANTED]
        assert [(n, line) for n, line in page.lines if not line.startswith("# TYPE ")] == wanted

    @pytest.mark.slow
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    def test_page_of_256_mb_takes_the_memory_of_its_own_lines(self, encoding):
        """Its 2.4 million lines are read part by part; of them, those of etcd are kept. In UTF-16, of 64 MB."""
        some = api_server(10_000)
        part = some.encode("utf-16-le" if encoding == "utf-16" else encoding)
        tracemalloc.start()
        page = Page()
        page.add(codecs.BOM_UTF16_LE if encoding == "utf-16" else b"# a\n")
        for _ in range((63 if encoding == "utf-16" else 255) * MIB // len(part)):
            for piece in parts(part, 65_536):
                page.add(piece)
        page.add(PAGE.encode("utf-16-le" if encoding == "utf-16" else encoding))
        page.end()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert scrape_of(page) == read_metrics(PAGE)
        assert peak < 4 * MIB

    @pytest.mark.slow
    def test_too_much_is_rejected(self):
        endless = (
            ("etcd_server_has_leader 1\n" * 4000, "bytes of etcd's metrics, or in one line"),
            ("x" * 100_000, "bytes of etcd's metrics, or in one line"),
            (("#" * 100_000 + "\n") * 10, "more than 268435456 bytes"),
        )
        for part, reason in endless:
            page = Page("answers with")
            start = time.monotonic()
            with pytest.raises(ScrapeError, match=r"^answers with more than ") as caught:
                deque(map(page.add, [part.encode()] * 10_000), 0)
            assert reason in str(caught.value)
            assert time.monotonic() - start < 30

    @pytest.mark.parametrize("noise", [0, 60_000])
    def test_line_that_is_read_and_does_not_end_is_rejected(self, noise):
        end = PAGE.index("process_start_time_seconds 1") + 30
        text = (api_server(noise) if noise else "") + PAGE[:end]
        assert problem_of(text).endswith("the last line does not end; is it cut off?")

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


OPEN_METRICS = (
    PAGE.replace("# TYPE grpc_server_started_total counter", "# TYPE grpc_server_started counter").replace(
        " untyped\n", " unknown\n"
    )
    + "# EOF"
)
WRAPPINGS = {
    "without the last line end": lambda text: text.rstrip("\n"),
    "indented": lambda text: "".join(f"  \t{line}" for line in text.splitlines(keepends=True)),
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "blank lines": lambda text: text.replace("\n", "\n\n"),
    "blanks at the end of lines": lambda text: text.replace("\n", " \n"),
    "a fence of Markdown": lambda text: f"```\n{text}```\n",
    "a fence with a name, in a list": lambda text: f"- member 1\n\n  ```text\n{text}\n  ```",
    "behind the headers of curl -i": lambda text: f"HTTP/1.1 200 OK\r\nDate: x\r\n\r\n{text}",
    "with times": lambda text: "".join(
        line if line.startswith("#") or not line.strip() else f"{line.rstrip()} 1795581551000\n"
        for line in text.splitlines(keepends=True)
    ),
}


class TestWrappings:
    """People indent what they paste, fence it, and save it without its last line end: the metrics are the same."""

    @pytest.mark.parametrize("wrap", WRAPPINGS.values(), ids=WRAPPINGS)
    def test_each_is_read(self, wrap):
        assert read_metrics(wrap(PAGE)) == read_metrics(wrap(PAGE).encode()) == read_metrics(PAGE)

    @examples(40)
    @given(
        st.lists(st.sampled_from(sorted(WRAPPINGS)), unique=True, max_size=4),
        st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"]),
    )
    def test_any_of_them_together_are_read(self, names, encoding):
        text = PAGE
        # A second time in a line would be a fault.
        for name in sorted(names, key=lambda name: name != "with times"):
            text = WRAPPINGS[name](text)
        assert read_metrics(text.encode(encoding)) == read_metrics(PAGE)

    def test_open_metrics_is_read(self):
        assert read_metrics(OPEN_METRICS) == read_metrics(PAGE)

    @pytest.mark.parametrize("text", [" ", "\t", ' "', ' " " ', "\\", " #", " # ", " # {"])
    def test_exemplars_are_found_in_linear_time(self, text):
        """A pattern that is quadratic takes minutes for this line."""
        started = time.process_time()
        _EXEMPLAR.sub("", f"a{text * 100_000}")
        assert time.process_time() - started < 2

    def test_exemplars_are_left_out(self):
        """OpenMetrics adds an example of what is in a bucket; a label may look like one."""
        bucket = 'etcd_disk_wal_fsync_duration_seconds_bucket{le="0.001"}'
        (line,) = [line for line in PAGE.splitlines() if line.startswith(bucket)]
        text = PAGE.replace(line, line + ' # {trace_id="0 # {1"} 0.0005 1.7e9')
        assert read_metrics(text) == read_metrics(PAGE)
        peer = 'etcd_network_active_peers{Local="a",Remote="b",Note="x # {y"} 1\n'
        assert "b" in read_metrics(peer + PAGE).peers


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
