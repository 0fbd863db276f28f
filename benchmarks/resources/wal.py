"""What does a write take of the write-ahead log: bytes of records, and syncs?

The records are counted in the log's files: etcd's own metric counts small records twice in 3.4 and 3.5.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from aetcd.rpc import rpc_pb2

from benchmarks.resources.experiment import Coefficient, Outputs, Row, experiment, measured
from benchmarks.resources.member import Member
from etcdsize.calibration.clients import keep_under_way
from etcdsize.calibration.load import key_of

ENTRY, STATE = 2, 3
SYNCS = "etcd_disk_wal_fsync_duration_seconds_count"
REPORTED = "etcd_disk_wal_write_bytes_total"

_LEVELS = [
    *(
        {"request": "put", "key_bytes": key, "value_bytes": value, "clients": 1}
        for key, value in ((64, 16), (64, 100), (64, 1000), (64, 10_000), (256, 1000))
    ),
    *(
        {"request": "put", "key_bytes": 64, "value_bytes": value, "clients": clients}
        for value in (100, 1000)
        for clients in (16, 64)
    ),
    *({"request": "update", "key_bytes": 50, "value_bytes": value, "clients": 1} for value in (500, 5000)),
]


def _fit(rows: Sequence[Row]) -> dict[str, Coefficient]:
    puts = [row for row in rows if row.inputs["request"] == "put"]
    updates = [row for row in rows if row.inputs["request"] == "update"]
    alone = [row for row in puts if row.inputs["clients"] == 1]
    together = [row for row in puts if row.inputs["clients"] > 1]
    note = "a transaction that compares, puts or gets, beside its value and three times its key"
    return {
        "wal_record_overhead": measured([row.outputs["overhead_bytes"] for row in puts], "B", puts, "a put"),
        "wal_sync_record": measured([row.outputs["state_bytes_per_sync"] for row in rows], "B", rows),
        "wal_transaction_overhead": measured(
            [row.outputs["overhead_bytes"] - 2 * row.inputs["key_bytes"] for row in updates], "B", updates, note
        ),
        "wal_syncs_per_write_alone": measured([row.outputs["syncs_per_write"] for row in alone], "", alone),
        "wal_syncs_per_write_concurrent": measured(
            [row.outputs["syncs_per_write"] for row in together], "", together, "16 and 64 clients"
        ),
    }


@experiment("bytes and syncs of the write-ahead log that a write takes", _LEVELS, fit=_fit)
def wal(program: str, request: str, key_bytes: int, value_bytes: int, clients: int) -> Outputs:
    writes = 300 if clients == 1 else 3000
    value = b"v" * value_bytes
    with Member(program) as member:
        before, records_before = member.metrics(), list(records(member.data_dir))
        revision = member.revision()

        def send(number: int) -> Any:
            key = key_of(number, key_bytes)
            if request == "put":
                return member.kv.Put.future(rpc_pb2.PutRequest(key=key, value=value))
            return member.kv.Txn.future(update(key, value))

        keep_under_way(send, clients, requests=writes)
        assert member.revision() == revision + writes
        found = member.metrics()
        new = list(records(member.data_dir))[len(records_before) :]
    entries = [size for kind, size in new if kind == ENTRY]
    states = [size for kind, size in new if kind == STATE]
    syncs = found[SYNCS] - before[SYNCS]
    return {
        "overhead_bytes": sum(entries) / writes - key_bytes - value_bytes,
        "state_bytes_per_sync": sum(states) / syncs,
        "syncs_per_write": syncs / writes,
        "log_bytes": sum(size for _, size in new),
        "reported_of_written": (found[REPORTED] - before[REPORTED]) / sum(size for _, size in new),
    }


def update(key: bytes, value: bytes, revision: int = 0) -> rpc_pb2.TxnRequest:
    """Return a transaction as Kubernetes sends it: put if the key has this revision, else get it."""
    return rpc_pb2.TxnRequest(
        compare=[rpc_pb2.Compare(key=key, target=rpc_pb2.Compare.MOD, mod_revision=revision)],
        success=[rpc_pb2.RequestOp(request_put=rpc_pb2.PutRequest(key=key, value=value))],
        failure=[rpc_pb2.RequestOp(request_range=rpc_pb2.RangeRequest(key=key))],
    )


def records(data_dir: Path) -> Iterator[tuple[int, int]]:
    """Return the kind of each record of the log and its bytes, with its length and padding."""
    for file in sorted((data_dir / "member" / "wal").glob("*.wal")):
        text, at = file.read_bytes(), 0
        while at + 8 <= len(text) and text[at : at + 8] != bytes(8):
            length = int.from_bytes(text[at : at + 7], "little")
            padding = text[at + 7] & 0x07 if text[at + 7] & 0x80 else 0
            yield text[at + 9], 8 + length + padding  # after its tag, the record begins with its kind
            at += 8 + length + padding
