"""How much more of the file kinds of keys take when they are written together.

A large element begins a run of pages, which it shares with one more, and leaves the page of small ones before it partly
empty. The table of bytes a revision (revision_bytes.py) is of elements of one size, and knows neither.
"""

import math
from collections.abc import Sequence

__all__ = ["CUT_SHORT_BYTES", "FILLED_BYTES", "HEADER_BYTES", "PAGE_BYTES", "SMALL_BYTES", "mixing_bytes"]

PAGE_BYTES, HEADER_BYTES = 4096, 16
FILLED_BYTES = int(0.9 * PAGE_BYTES) - HEADER_BYTES
"""What a page of small elements is filled to: a larger element has a run of pages of its own."""
CUT_SHORT_BYTES = PAGE_BYTES / 3
"""What is lost of a page of small elements before a large one: fitted to the simulation."""
SMALL_BYTES = 512
"""A small element beside a large one: one figure for all, without which more of the tiny ones would take less."""


def mixing_bytes(kinds: Sequence[tuple[float, float, float]]) -> float:
    """Return what kinds of unlike size take of the file beside their own. [bytes, or bytes/s for rates]

    Two elements that follow each other are of any two kinds, as often as the kinds are written. A large one shares its
    run of pages with the other. It is within 8 % of the simulation for three puts a commit and more. It can be
    negative: a large element and a middle one may fit on fewer pages than two of each.

    Parameters
    ----------
    kinds : sequence of (weight, element, appended)
        How many revisions there are, or are written each second; the bytes of one on its page (`element_bytes`), and in
        the file among its like (`revision_bytes`).

    Examples
    --------
    A hundred leases take 57 kB, ten pods 62 kB, and together 26 kB more.

    >>> round(mixing_bytes([(100, 512, 574), (10, 5063, 6163)]))
    25639
    """
    large = [
        (weight, element, own, _run(element + SMALL_BYTES) + CUT_SHORT_BYTES)
        for weight, element, own in kinds
        if element > FILLED_BYTES
    ]
    small = [(weight, own) for weight, element, own in kinds if element <= FILLED_BYTES]
    total = sum([weight for weight, _, _ in kinds])
    few, small_bytes = sum([weight for weight, _ in small]), sum([weight * own for weight, own in small])
    found = 0.0
    for number, (weight, element, own, beside_small) in enumerate(large):
        found += weight * (few * (beside_small - own) - small_bytes)
        for often, other, its_own, its_beside_small in large[:number]:
            both = max(_run(element + other), beside_small, its_beside_small)
            found += weight * often * (both - own - its_own)
    return found / total if total else 0.0


def _run(content: float) -> float:
    return math.ceil((HEADER_BYTES + content) / PAGE_BYTES) * PAGE_BYTES
