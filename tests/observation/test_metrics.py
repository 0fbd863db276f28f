"""etcd's own metrics: what is read of them, and that no text ends in a traceback or takes long."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import result

from etcdsize import Scrape, ScrapeError, read_metrics

DATA = Path(__file__).parents[1] / "data"
OBSERVED = Path(__file__).parents[2] / "docs" / "examples" / "observed"
OLD = (DATA / "metrics-3.4.23-after.txt").read_text()
NEW = (OBSERVED / "infra0-after.txt").read_text()
CAPTURED = {"3.4.23": OLD, "3.5.1": NEW}

LEAST = """\
etcd_server_id{server_id="8a0ad4f01f6260c3"} 1
process_start_time_seconds 1.79558068502e+09
"""


def calls(*lines: str) -> dict | None:
    return read_metrics(LEAST + "".join(f"{line}\n" for line in lines)).calls


def started(service: str, method: str, kind: str, value: object) -> str:
    return f'grpc_server_started_total{{grpc_method="{method}",grpc_service="{service}",grpc_type="{kind}"}} {value}'


class TestCaptured:
    """What etcd 3.4.23 and 3.5.1 served while six clients did 40 requests a second each."""

    def test_3_4(self):
        scrape = read_metrics(OLD, taken_unix_seconds=1.8e9)
        assert (scrape.version, scrape.member_id) == ("3.4.23", "2d74bddf197d625")
        assert scrape.peers == ("47c2e9a56304f4a9", "e8d04bed0e80b2f4")
        assert (scrape.has_leader, scrape.is_leader, scrape.quota_bytes) == (True, True, 2**31)
        assert (scrape.watch_streams, scrape.lease_streams) == (3, 1)
        assert scrape.taken_unix_seconds == 1.8e9
        assert set(scrape.calls) == {
            *("KV.Compact", "KV.DeleteRange", "KV.Put", "KV.Range", "KV.Txn", "Lease.LeaseGrant"),
            *("Lease.LeaseKeepAlive", "Lease.LeaseLeases", "Lease.LeaseRevoke", "Lease.LeaseTimeToLive"),
        }
        assert set(scrape.peer_rtt) == set(scrape.peers)
        assert len(scrape.wal_fsync.upper_bounds_seconds) == 14

    @pytest.mark.parametrize("text", CAPTURED.values(), ids=CAPTURED)
    def test_nothing_is_missing(self, text):
        scrape = read_metrics(text)
        missing = [name for name in Scrape.model_fields if getattr(scrape, name) is None]
        # These families were cut out of the pages, or came with 3.6.
        assert missing == [
            *("taken_unix_seconds", "client_requests", "usable_cores", "heap_bytes", "revision", "compact_revision"),
            *("puts", "put_bytes", "deletes", "events", "sent_bytes"),
            *("leases_granted", "leases_revoked", "leases_expired", "lease_renewals", "wal_bytes"),
        ]
        assert 0 < scrape.data_bytes <= scrape.total_bytes < scrape.quota_bytes
        assert read_metrics(text.encode()) == scrape


class TestCalls:
    """Client calls by service and method; Maintenance and Cluster, an operator's, are left out."""

    def test_every_kv_method_the_server_streaming_range_of_3_7_too(self):
        assert calls(
            started("etcdserverpb.KV", "Range", "unary", 1),
            started("etcdserverpb.KV", "Put", "unary", 2),
            started("etcdserverpb.KV", "Txn", "unary", 3),
            started("etcdserverpb.KV", "DeleteRange", "unary", 4),
            started("etcdserverpb.KV", "Compact", "unary", 5),
            started("etcdserverpb.KV", "RangeStream", "server_stream", 6),
        ) == {"KV.Compact": 5, "KV.DeleteRange": 4, "KV.Put": 2, "KV.Range": 1, "KV.RangeStream": 6, "KV.Txn": 3}

    def test_leases_by_call_and_the_messages_that_keep_them_alive(self):
        received = 'grpc_server_msg_received_total{grpc_method="LeaseKeepAlive",grpc_service="etcdserverpb.Lease"'
        assert calls(
            started("etcdserverpb.Lease", "LeaseGrant", "unary", 7),
            started("etcdserverpb.Lease", "LeaseKeepAlive", "bidi_stream", 2),
            received + ',grpc_type="bidi_stream"} 90',
        ) == {"Lease.LeaseGrant": 7, "Lease.LeaseKeepAlive": 90}

    def test_what_an_operator_does_and_streams_are_no_requests(self):
        assert (
            calls(
                started("etcdserverpb.Maintenance", "Status", "unary", 9),
                started("etcdserverpb.Cluster", "MemberList", "unary", 9),
                started("etcdserverpb.Auth", "UserAdd", "unary", 9),
                started("etcdserverpb.Watch", "Watch", "bidi_stream", 9),
                started("grpc.health.v1.Health", "Check", "unary", 9),
                started("grpc.health.v1.Health", "Watch", "server_stream", 9),
            )
            is None
        )

    def test_logins_locks_and_elections_are_of_clients(self):
        assert calls(
            started("etcdserverpb.Auth", "Authenticate", "unary", 1),
            started("v3lockpb.Lock", "Lock", "unary", 2),
            started("v3electionpb.Election", "Campaign", "unary", 3),
        ) == {"Auth.Authenticate": 1, "Election.Campaign": 3, "Lock.Lock": 2}

    def test_streams_that_are_open(self):
        scrape = read_metrics(
            LEAST
            + started("etcdserverpb.Watch", "Watch", "bidi_stream", 9)
            + "\n"
            + "".join(
                f'grpc_server_handled_total{{grpc_code="{code}",grpc_method="Watch",grpc_service="etcdserverpb.Watch",'
                f'grpc_type="bidi_stream"}} {count}\n'
                for code, count in [("OK", 1), ("Canceled", 3), ("Unavailable", 2)]
            )
        )
        assert (scrape.watch_streams, scrape.lease_streams) == (3, None)


def rejection(text: str | bytes) -> str:
    with pytest.raises(ScrapeError) as caught:
        read_metrics(text)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


class TestInvalidText:
    """A text that is not the metrics of etcd is rejected, and the message names the line at fault."""

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "metrics: got an empty text, expected the metrics of etcd"),
            (" \n", "metrics: got an empty text, expected the metrics of etcd"),
            (
                "<!DOCTYPE html><html><body>502 Bad Gateway</body></html>",
                "metrics: got a web page, expected the metrics of etcd; check the URL",
            ),
            ('{"health":"true"}', "metrics: got JSON, expected the metrics of etcd, which are text; fetch /metrics"),
            ("404 page not found\n", r'metrics: got "404 page not found\n", expected the metrics of etcd'),
            (
                "# TYPE node_load1 gauge\nnode_load1 0.5\nprocess_start_time_seconds 1.7e9\n",
                "metrics: got the metrics of another program, expected the metrics of etcd; check the URL",
            ),
            (b"\xff\xff\x00", "metrics: got bytes that are not UTF-8 (byte 0), expected the text that etcd serves"),
            (b"\xff\xfe\x00", "metrics: got bytes that are not UTF-16-LE (byte 2), expected the text that etcd serves"),
        ],
    )
    def test_text_of_another_kind_is_rejected(self, text, message):
        assert rejection(text) == message

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            (
                "etcd_mvcc_db_total_size_in_bytes NaN",
                "metrics: line 3, etcd_mvcc_db_total_size_in_bytes: got nan, expected a finite number of 0 or more",
            ),
            (
                "etcd_mvcc_db_total_size_in_bytes +Inf",
                "metrics: line 3, etcd_mvcc_db_total_size_in_bytes: got inf, expected a finite number of 0 or more",
            ),
            (
                started("etcdserverpb.KV", "Put", "unary", -1),
                "metrics: line 3, grpc_server_started_total: got -1, expected a finite number of 0 or more",
            ),
            (
                "etcd_mvcc_db_total_size_in_bytes many",
                'metrics: line 3: got "etcd_mvcc_db_total_size_in_bytes many", expected a metric, its labels and a '
                "number",
            ),
            (
                'etcd_server_id{server_id="8a0ad4f01f6260c3"} 1',
                "metrics: line 3, etcd_server_id: appears more than once, expected each metric once",
            ),
            (
                'etcd_server_id{server_id="8a0ad4f01f6260c4"} 1',
                'metrics: line 3, etcd_server_id: got "8a0ad4f01f6260c4", expected one server_id',
            ),
            (
                'etcd_mvcc_db_total_size_in_bytes{instance="a"} 5',
                "metrics: line 3, etcd_mvcc_db_total_size_in_bytes: got labels, expected none; use the "
                "metrics that one member serves itself",
            ),
            (
                "# TYPE grpc_server_started_total gauge",
                'metrics: line 3, grpc_server_started_total: got the type "gauge", expected counter',
            ),
            (
                'etcd_disk_wal_fsync_duration_seconds_bucket{le="0.001"} 5',
                'metrics, etcd_disk_wal_fsync_duration_seconds: its last bucket, le="+Inf", is missing; is it cut off?',
            ),
            (
                'etcd_disk_wal_fsync_duration_seconds_bucket{le="x"} 5',
                'metrics: line 3, etcd_disk_wal_fsync_duration_seconds_bucket: got le="x", expected a number above 0',
            ),
        ],
    )
    def test_a_line(self, line, message):
        assert rejection(f"{LEAST}{line}\n") == message

    def test_a_histogram_that_falls(self):
        name = "etcd_disk_wal_fsync_duration_seconds"
        text = f'{LEAST}{name}_bucket{{le="1"}} 5\n{name}_bucket{{le="+Inf"}} 4\n'
        assert rejection(text) == (
            f"metrics, {name}: counts: expected counts that never fall: each has those before it"
        )

    @pytest.mark.parametrize("value", [None, 5, [LEAST], {}])
    def test_no_text(self, value):
        assert rejection(value).startswith("metrics: got ")

    def test_the_error_carries_the_place(self):
        with pytest.raises(ScrapeError) as caught:
            read_metrics(f"{LEAST}etcd_server_has_leader NaN\n")
        assert (caught.value.line, caught.value.metric) == (3, "etcd_server_has_leader")


class TestMissing:
    """A family that is missing is unknown, never 0; but for the last, whose absence says that the text is cut off."""

    @pytest.mark.parametrize(
        ("family", "fields"),
        [
            ("grpc_server_started_total", ["calls", "lease_streams"]),
            ("etcd_mvcc_db_total_size_in_use_in_bytes", ["data_bytes"]),
            ("etcd_server_quota_backend_bytes", ["quota_bytes"]),
            ("etcd_disk_wal_fsync_duration_seconds", ["wal_fsync"]),
            ("etcd_server_version", ["version"]),
            ("etcd_server_id", ["member_id"]),
            ("etcd_server_has_leader", ["has_leader"]),
        ],
    )
    def test_family(self, family, fields):
        kept = "".join(line for line in NEW.splitlines(keepends=True) if not line.startswith(family))
        scrape = read_metrics(kept)
        missing = [name for name in fields if getattr(scrape, name) is not None]
        # Messages that keep leases alive are a family of their own.
        assert [name for name in missing if name != "calls"] == []
        if "calls" in fields:
            assert set(scrape.calls) == {"Lease.LeaseKeepAlive"}

    def test_the_start(self):
        kept = "".join(line for line in NEW.splitlines(keepends=True) if "process_start_time_seconds" not in line)
        assert rejection(kept) == (
            "metrics: process_start_time_seconds is missing, which etcd writes last; is the text cut off?"
        )


class TestFuzzed:
    """Whatever the text, the answer is a scrape or one line, soon."""

    @given(st.integers(0, len(NEW) - 1))
    def test_cut_off_anywhere(self, end):
        found = result(read_metrics, NEW[:end])
        if isinstance(found, Scrape):
            # Nothing of what is read comes after the start of the process.
            assert found == read_metrics(NEW)
        else:
            assert isinstance(found, ScrapeError)

    @given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
    def test_any_bytes(self, content):
        for text in (content, LEAST.encode() + content, NEW.encode()[:5000] + content + NEW.encode()[5000:]):
            found = result(read_metrics, text)
            assert isinstance(found, (Scrape, ScrapeError))

    @given(
        st.integers(0, len(NEW.splitlines()) - 1),
        st.sampled_from(["twice", "gone", "nan", "inf", "-1", "1e400", "", "x", '{le="', "} 1", "\\", '"']),
    )
    def test_a_line_that_is_changed(self, number, how):
        lines = NEW.splitlines()
        line = lines[number]
        if how == "twice":
            lines.insert(number, line)
        elif how == "gone":
            del lines[number]
        else:
            lines[number] = line.rpartition(" ")[0] + " " + how
        found = result(read_metrics, "\n".join(lines) + "\n")
        assert isinstance(found, (Scrape, ScrapeError))

    @pytest.mark.parametrize(
        "text",
        [
            "x" * 5_000_000,
            "etcd_server_has_leader 1\n" * 200_000,
            "".join(started("etcdserverpb.KV", f"m{number}", "unary", 1) + "\n" for number in range(30_000)),
            "grpc_server_started_total{" + ",".join(f'l{number}="x"' for number in range(300_000)) + "} 1\n",
            'grpc_server_started_total{grpc_method="' + '\\"' * 1_000_000 + '"} 1\n',
            "grpc_server_started_total " + "9" * 1_000_000 + "\n",
            "grpc_server_started_total " + "9" * 4_000 + "\n",
            "#" * 3_000_000,
            "# TYPE " * 400_000,
            "\n" * 4_000_000,
        ],
        ids=lambda text: text[:12] + f"_{len(text)}",
    )
    def test_enormous(self, text):
        start = time.monotonic()
        assert isinstance(result(read_metrics, text), ScrapeError)
        assert time.monotonic() - start < 20  # anything quadratic takes hours
