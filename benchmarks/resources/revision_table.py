"""Writes the table of bytes a revision takes: `python -m benchmarks.resources.revision_table`.

Appended revisions are computed from the split rule of bbolt (pages.py), for commits of irregular size: the number of
puts in a commit is drawn from Poisson's distribution without 0, as it is where many clients put independently. What
updates leave is simulated: keys are updated at random, the history is compacted, again and again.
"""

from __future__ import annotations

import itertools
import json
import math
import random
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.resources import pages

FILE = Path(__file__).parents[2] / "etcdsize" / "data" / "resources" / "revision-bytes.json"
PUTS_A_COMMIT = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 100, 200, 1000)
LARGEST = 16_376  # of the elements in the table; larger ones lie two on a run of pages
KEPT_PUTS_A_COMMIT = (1, 2, 4, 10, 100)
SHARES = (0.1, 0.3, 1.0, 3.0)  # of the keys, updated between two compactions
KEYS = 3000
TOLERANCE = 0.015
FEW_ON_A_PAGE = 900  # bytes; from here on each bound shows in what updates leave


def bounds() -> list[int]:
    """Return the sizes of elements up to which the rule of splitting gives the same pages."""
    filled, fitting = 3670, 4079  # what a split fills, and what fits on a page unsplit, without the header
    found = {content // count for content in (filled, fitting) for count in range(2, 91)}
    for count in (2, 3, 4):
        found |= {(pages.PAGE * run - pages.HEADER) // count for run in range(1, LARGEST * count // pages.PAGE + 2)}
    return sorted(size for size in found if size <= LARGEST)


def rate_of(mean: float) -> float:
    """Return the rate of Poisson's distribution whose mean without 0 is `mean`."""
    low, high = 0.0, mean
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if middle / -math.expm1(-middle) < mean else (low, middle)
    return high


def chances(mean: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of puts that a commit may have, and how likely each is."""
    if mean == 1:
        return np.array([1]), np.array([1.0])
    rate = rate_of(mean)
    puts = np.arange(max(1, int(mean - 8 * math.sqrt(mean))), int(mean + 8 * math.sqrt(mean)) + 8)
    logs = puts * math.log(rate) - np.array([math.lgamma(one + 1) for one in puts])
    weights = np.exp(logs - logs.max())
    return puts, weights / weights.sum()


def irregular(mean: float, rng: random.Random) -> Iterator[int]:
    """Return numbers of puts a commit, drawn with that mean."""
    puts, weights = chances(mean)
    choices = [int(one) for one in puts]
    while True:
        yield from rng.choices(choices, [float(one) for one in weights], k=1000)


def appended(element: int, mean: float) -> float:
    """Return the bytes of file a revision, in the long run: the last leaf's number of elements is a Markov chain."""
    puts, likely = chances(mean)
    most = max(pages.MOST_WITHOUT_SPLIT, (pages.PAGE - 1 - pages.HEADER) // element)
    filled = np.zeros(most + int(puts[-1]) + 1)
    last = np.zeros(len(filled), dtype=np.int64)
    for count in range(1, len(filled)):
        used, last[count] = pages.split_off(element, count)
        filled[count] = used
    state = np.zeros(most + 1)
    state[0] = 1.0
    totals = np.add.outer(np.arange(most + 1), puts)
    used, following = filled[totals], last[totals]
    bytes_a_commit = 0.0
    for _ in range(10_000):
        weights = np.outer(state, likely)
        after = np.bincount(following.ravel(), weights.ravel(), minlength=most + 1)
        after = (after + state) / 2  # so that a chain with a period settles too
        settled = np.abs(after - state).max() < 1e-10
        state = after
        if settled:
            break
    bytes_a_commit = float((np.outer(state, likely) * used).sum())
    return bytes_a_commit / float((puts * likely).sum())


def kept(element: int, mean: float) -> list[float]:
    """Return the bytes of file a key after random updates and compaction, for each share of updates."""
    found = []
    for share in SHARES:
        rng = random.Random(7)
        store = pages.Store(element)
        commits = irregular(mean, rng)
        store.put(range(KEYS), commits)
        for _ in range(math.ceil(6 / min(share, 1.5))):
            store.put((rng.randrange(KEYS) for _ in range(int(KEYS * share))), commits)
            store.compact()
        found.append(store.bytes() / KEYS)
    return found


def thinned(rows: Mapping[int, Sequence[float]]) -> list[int]:
    """Leave out small sizes that differ from the next larger one by less than TOLERANCE: that stands for both."""
    sizes = sorted(rows)
    keep = [sizes[-1]]
    for size in reversed(sizes[:-1]):
        differ = any(now < then * (1 - TOLERANCE) for now, then in zip(rows[size], rows[keep[-1]], strict=True))
        if differ or size > FEW_ON_A_PAGE:
            keep.append(size)
    return keep[::-1]


def table() -> dict[str, Any]:
    """Return the table; bytes never fall from one size to the next larger one."""
    rows = {size: [appended(size, puts) for puts in PUTS_A_COMMIT] for size in bounds()}
    sizes = thinned(rows)
    left = [[kept(size, puts) for puts in KEPT_PUTS_A_COMMIT] for size in sizes]
    spreads = {"low": min, "likely": statistics.median, "high": max}
    return {
        "how": "computed from bbolt's rule of splitting pages, by python -m benchmarks.resources.revision_table",
        "page_bytes": pages.PAGE,
        "element_bytes": sizes,
        "puts_per_commit": list(PUTS_A_COMMIT),
        "appended_bytes": rising([rows[size] for size in sizes]),
        "updated_puts_per_commit": list(KEPT_PUTS_A_COMMIT),
        **{
            f"updated_bytes_{name}": rising([[spread(cell) for cell in row] for row in left])
            for name, spread in spreads.items()
        },
    }


def rising(rows: list[list[float]]) -> list[list[float]]:
    """Return rows of which none falls below the one before it, rounded."""
    return [[round(one, 1) for one in row] for row in itertools.accumulate(rows, lambda a, b: list(map(max, a, b)))]


def main() -> None:
    """Write the table."""
    found = table()
    lines = [f"  {json.dumps(name)}: {_cells(value)}" for name, value in found.items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def _cells(value: Any) -> str:
    if isinstance(value, list) and isinstance(value[0], list):
        return "[\n" + ",\n".join(f"    {json.dumps(row)}" for row in value) + "\n  ]"
    return json.dumps(value)


if __name__ == "__main__":
    main()
