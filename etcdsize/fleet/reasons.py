"""Why a cluster has the verdict and the recommended machine that it has, as numbers and as text.

The number of a reason combines what is known of the load with notes, so that a fleet's reasons are worked out in
arrays, and each text once.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

from etcdsize.fleet.bounds import describe
from etcdsize.fleet.doubts import doubt_text
from etcdsize.units import format_percent

__all__ = ["NOTES", "Note", "reason_text"]


class Note(NamedTuple):
    """One bit of the number of a reason."""

    bit: int
    text: str


NOTES = {
    name: Note(1 << place, text)
    for place, (name, text) in enumerate(
        {
            "invalid": "the cluster cannot be sized",
            "figures": "judged by its vCPUs and memory alone, as its limits for disks and network are unknown",
            "maybe_more": "",
            "maybe_less": "",
            "nodes": "the Kubernetes nodes need a larger tier than the load, and they are an estimate",
            "beyond": "the load is past the last published bound, and no larger machine is listed: split the cluster",
            "past": "the load is past the last published bound: no figure says that the recommended machine is enough",
            "none": "the catalog has no machine of this provider and architecture that is enough",
            "smallest": "the catalog has no smaller machine of this provider and architecture that is enough, so the "
            "current one is kept",
            "kept": "the current machine is enough, so it is kept",
            "stays": "the current machine is kept",
            "arch": "the recommended machine has the architecture of the current one",
            "margin": "a smaller machine would leave less than {margin} of its bounds free",
            "larger": "the recommended machine is larger than the tier's, because by the measured model the load takes "
            "more",
            "limit": "the recommended machine's own limit for network disks is not published",
            "provider": "the current machine is of another provider than the row",
            "values": "the raft log takes more memory than the machine has, because it holds thousands of these "
            "values: split them into keys of at most 10 kB, or keep them outside etcd",
            "streams": "the watch streams take more memory than the machine has: let the watches of a client share one",
            "lists": "the lists take more memory than the machine has: list in pages of 500 keys",
            "memory": "the load takes more memory than the machine has",
            "expirations": "leases end faster than the disk commits, because each end is a commit of its own: let them "
            "live longer, share one among several keys, or delete the keys in a transaction",
            "disk": "the disk has to complete more writes one after the other than the machine lets it: write several "
            "keys in one transaction, or from more clients",
            "quota": "the file grows beyond the quota, and then etcd rejects writes: raise --quota-backend-bytes, or "
            "compact more often",
            "bandwidth": "the load writes more a second than the machine lets a disk take: write smaller values, or "
            "fewer",
            "processor": "the load takes more processor time than the machine has: serve fewer lists at the same time, "
            "let fewer watches see each write, or write less",
            "throughput": "the load writes more a second than the volume takes: give it more throughput, or write less",
            "volume": "the file and the write-ahead log are larger than the volume, and etcd stops when it is full: "
            "enlarge it, or compact more often",
            "lease": "the end of a lease deletes so many keys at once that all writes wait: attach at most 1,000 keys "
            "to a lease",
            "high": "at the high end of the measured model, the load does not fit a smaller machine",
        }.items()
    )
}
"""The notes. `maybe_more` and `maybe_less` are about the load: it may be more than the figures say, or less."""
_BITS = len(NOTES)


def reason_code(notes: int, state: int) -> int:
    """Return the number of a reason."""
    return state << _BITS | notes


@functools.lru_cache(maxsize=4096)
def reason_text(code: int, margin: float, doubt: int = 0) -> str:
    """Return the text of a reason.

    Parameters
    ----------
    code : int
        The number: notes, and what is known of the load (`Bounds.states`) above them.
    margin : float
        The headroom that a smaller machine must still have.
    doubt : int
        What fits only the low end of the measured model, as a number (`doubt_codes`); 0 for nothing.
    """
    known = describe(code >> _BITS)
    parts = []
    for name, note in NOTES.items():
        if not code & note.bit:
            continue
        if name == "maybe_more":
            parts.append(f"{known}: it may need a larger machine")
        elif name == "maybe_less":
            parts.append(f"{known}: a smaller machine may be enough")
        else:
            parts.append(note.text.format(margin=format_percent(margin)))
    if doubt:
        parts.append(doubt_text(doubt))
    return "; ".join(parts)
