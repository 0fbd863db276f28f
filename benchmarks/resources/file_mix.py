"""How many bytes of file do kinds of unlike size take that are written together?"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from itertools import count

from aetcd.rpc import rpc_pb2

from benchmarks.resources.experiment import Coefficient, Outputs, Row, experiment, measured
from benchmarks.resources.file_size import COMMITS, EACH_TRANSACTION, IN_USE, numbers_of_puts
from benchmarks.resources.member import Member
from benchmarks.resources.settled import MEMORY
from etcdsize.calibration.load import key_of
from etcdsize.resources.mixing import mixing_bytes
from etcdsize.resources.revision_bytes import element_bytes, revision_bytes

_KEY = 50
_REVISIONS = 6000
_MIXES: dict[str, dict[int, float]] = {  # the weight of each size of values
    "leases, nodes, pods and events": {450: 85, 5500: 5, 5000: 5, 900: 5},
    "leases and pods": {450: 90, 10_300: 10},
    "small and large": {100: 50, 10_000: 50},
    "three sizes": {200: 40, 1000: 40, 8000: 20},
}


def _fit(rows: Sequence[Row]) -> dict[str, Coefficient]:
    found = measured(
        [row.outputs["bytes"] / row.outputs["predicted_bytes"] for row in rows],
        "",
        rows,
        "mixes of values, 3 and 30 puts a commit, over what is predicted; at least 5 % either way is our choice",
    )
    return {"file_margin": dataclasses.replace(found, value=1.0, low=min(0.95, found.low), high=max(1.05, found.high))}


@experiment(
    "bytes of file of kinds that are written together",
    [{"mix": mix, "puts_per_commit": puts} for mix in _MIXES for puts in (3, 30)],
    fit=_fit,
)
def file_mix(program: str, mix: str, puts_per_commit: float) -> Outputs:
    weights, rng = _MIXES[mix], random.Random(6)
    sizes = rng.choices(list(weights), list(weights.values()), k=_REVISIONS)
    batches, numbers = numbers_of_puts(puts_per_commit, "irregular"), iter(enumerate(sizes))
    with Member(program, EACH_TRANSACTION, folder=MEMORY) as member:
        before = member.metrics()
        for _ in count():
            operations = [
                rpc_pb2.RequestOp(request_put=rpc_pb2.PutRequest(key=key_of(number, _KEY), value=b"v" * size))
                for _, (number, size) in zip(range(next(batches)), numbers)
            ]
            if not operations:
                break
            member.kv.Txn(rpc_pb2.TxnRequest(success=operations))
        found = member.metrics()
    own = [
        (sizes.count(size), element_bytes(_KEY, size), revision_bytes(_KEY, size, puts_per_commit)) for size in weights
    ]
    alone = sum(weight * each for weight, _, each in own)
    return {
        "bytes": found[IN_USE] - before[IN_USE],
        "kinds_alone_bytes": alone,
        "predicted_bytes": alone + mixing_bytes(own),
        "puts_per_commit": _REVISIONS / (found[COMMITS] - before[COMMITS]),
    }
