"""Do operations and requests take what the model says, for sizes and loads that no coefficient was fitted to?

A member is filled, restarted, compacted, defragmented, saved and restored, and then serves puts, gets and watches.
The model gets the speed of the disk, which is measured beside it. No coefficient is made of these rows.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from aetcd.rpc import rpc_pb2

from benchmarks.resources.connections import Watch
from benchmarks.resources.durations import disk_speed, run, timed
from benchmarks.resources.experiment import Outputs, experiment
from benchmarks.resources.member import Member
from etcdsize import Amount, Profile, resources_for
from etcdsize.calibration.clients import keep_under_way
from etcdsize.calibration.load import committed, key_of

__all__ = ["SECONDS_COMPARED", "predicted_seconds", "validation_seconds"]

SECONDS_COMPARED = {
    "restart_seconds": "seconds.restart",
    "compaction_seconds": "seconds.compaction",
    "defragment_seconds": "seconds.defragment",
    "snapshot_seconds": "seconds.snapshot",
    "restore_seconds": "seconds.restore",
    "cores": "cpu.leader_cores",
}
"""What a run measures, and the model's figure that predicts it."""

_KEY = 40
_PUTS = 20  # in each transaction that fills the store
_LEVELS = [
    {
        "name": name,
        "keys": keys,
        "value_bytes": value,
        "puts_per_second": puts,
        "gets_per_second": gets,
        "streams": streams,
    }
    for name, keys, value, puts, gets, streams in (
        ("many small values", 200_000, 300, 100, 300, 5),
        ("three kilobytes", 60_000, 3_000, 250, 50, 10),
        ("thirty kilobytes", 6_000, 30_000, 40, 400, 20),
    )
]


def predicted_seconds(version: str, inputs: Mapping[str, Any], outputs: Mapping[str, float]) -> dict[str, Amount]:
    """Return the model's figures, by the names that a run measures, for the disk that was measured beside it."""
    profile = Profile(
        clients=1,
        keys=inputs["keys"],
        key_bytes=_KEY,
        value_bytes=inputs["value_bytes"],
        largest_value_bytes=inputs["value_bytes"],
        writes_per_second=inputs["puts_per_second"],
        reads_per_second=inputs["gets_per_second"],
        puts_per_transaction=1,
        puts_per_commit=1_000,
        history_seconds=0,
        watch_streams=inputs["streams"],
        watchers=inputs["streams"],
        watch_events_per_second=inputs["puts_per_second"] * inputs["streams"],
        list_keys=0,
        concurrent_lists=0,
        leases=0,
        tls=False,
    )
    found = resources_for(
        profile,
        etcd_version=version,
        disk_mb_per_second=outputs["disk_mb_per_second"],
        fsync_seconds=outputs["disk_sync_seconds"],
    )
    figures = {}
    for name, path in SECONDS_COMPARED.items():
        group, _, figure = path.partition(".")
        one = getattr(getattr(found, group), figure)
        figures[name] = Amount(low=one.low, likely=one.likely, high=one.high)
    return figures


@experiment("how far the model is from seconds and cores that no coefficient was fitted to", _LEVELS, short=1)
def validation_seconds(program: str, seconds: float = 20, **inputs: Any) -> Outputs:
    """Return how long operations take on a store, and how many cores a mixed load keeps busy."""
    keys, value = inputs["keys"], bytes(inputs["value_bytes"])
    with tempfile.TemporaryDirectory() as name, Member(program) as member:
        folder = Path(name)
        found: Outputs = {"load_average": os.getloadavg()[0], **disk_speed(folder)}

        def fill(number: int) -> Any:
            first = number * _PUTS
            puts = [
                rpc_pb2.RequestOp(request_put=rpc_pb2.PutRequest(key=key_of(key, _KEY), value=value))
                for key in range(first, first + _PUTS)
            ]
            return member.kv.Txn.future(rpc_pb2.TxnRequest(success=puts))

        keep_under_way(fill, 32, requests=keys // _PUTS)
        committed(member)
        member.stop()
        member.start()
        found["restart_seconds"] = member.start_seconds
        found["compaction_seconds"] = timed(member.compact)
        found["defragment_seconds"] = timed(member.defragment)
        saved, tools = folder / "saved.db", Path(program).parent
        save = [str(tools / "etcdctl"), f"--endpoints=127.0.0.1:{member.port}", "snapshot", "save", str(saved)]
        found["snapshot_seconds"] = timed(lambda: run(save))
        restore = [str(tools / ("etcdctl" if member.minor == 4 else "etcdutl")), "snapshot", "restore", str(saved)]
        found["restore_seconds"] = timed(lambda: run([*restore, f"--data-dir={folder / 'restored'}"]))
        found["cores"] = _cores(member, inputs, seconds)
    return found


def _cores(member: Member, inputs: Mapping[str, Any], seconds: float) -> float:
    """Return how many cores puts, gets and watches keep busy, each request on its own."""
    order, value = random.Random(8), bytes(inputs["value_bytes"])
    puts, gets = inputs["puts_per_second"], inputs["gets_per_second"]
    with ExitStack() as open_streams:
        for _ in range(inputs["streams"]):
            watch = Watch(member.channel)
            watch.create([(b"/", b"0")])
            open_streams.callback(watch.drain().join)
            open_streams.callback(watch.close)
        # Spread over each second, as those of many clients are.
        kinds = ["put"] * puts + ["get"] * gets
        order.shuffle(kinds)
        busy, began = member.cpu_seconds(), time.monotonic()
        waiting = []
        for number in range(int(seconds * len(kinds))):
            time.sleep(max(0.0, began + number / len(kinds) - time.monotonic()))
            key = key_of(order.randrange(inputs["keys"]), _KEY)
            if kinds[number % len(kinds)] == "put":
                waiting.append(member.kv.Put.future(rpc_pb2.PutRequest(key=key, value=value)))
            else:
                waiting.append(member.kv.Range.future(rpc_pb2.RangeRequest(key=key)))
        for answer in waiting:
            answer.result()
        return (member.cpu_seconds() - busy) / (time.monotonic() - began)
