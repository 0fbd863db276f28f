"""The pages of bbolt that hold etcd's revisions, simulated: what a revision takes of the file, and what updates leave.

Read in bbolt 1.3.12, 1.4.3 and 1.5.0 (node.go: `splitTwo`, `splitIndex`, `rebalance`, `spill`) and in etcd
(server/storage/mvcc: revisions are appended in order, and filled to 90 %, `UnsafeSeqPut`). The experiments hold it to
real members of each version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

__all__ = ["PAGE", "Store", "appended_bytes", "appended_bytes_of", "element_bytes", "split_off"]

PAGE = 4096
HEADER = 16  # of a page, and of each element on it
REVISION_KEY = 17
APPENDING, OTHERWISE = (
    0.9,
    0.5,
)  # how full a page is made when it is split: by etcd for revisions, by bbolt for the rest
MOST_WITHOUT_SPLIT = 4  # elements; a leaf of so few is never split, whatever its size


def varint(number: int) -> int:
    """Return the length of a number in a message of Protocol Buffers."""
    return max(1, (number.bit_length() + 6) // 7)


def element_bytes(key: int, value: int, *, revision: int = 1 << 21, version: int = 1, lease: bool = False) -> int:
    """Return what one revision takes on its page. [bytes]"""
    message = 1 + varint(key) + key + 2 * (1 + varint(revision)) + 1 + varint(version)
    if value:
        message += 1 + varint(value) + value
    if lease:
        message += 1 + 9  # an ID has 63 bits
    return HEADER + REVISION_KEY + message


def _split(sizes: list[int], fill: float) -> list[int]:
    """Return how many elements each page gets."""
    threshold, pages, begin = int(PAGE * fill), [], 0
    while True:
        rest = len(sizes) - begin
        if rest <= MOST_WITHOUT_SPLIT or _fits(sizes, begin):
            pages.append(rest)
            return pages
        filled, index = HEADER, 0
        for index in range(rest - 2):
            size = sizes[begin + index]
            if index >= 2 and filled + size > threshold:
                break
            filled += size
        pages.append(index)
        begin += index


def _fits(sizes: list[int], begin: int) -> bool:
    filled = HEADER
    for size in sizes[begin:]:
        filled += size
        if filled >= PAGE:
            return False
    return True


def _pages(content: int) -> int:
    return -(-(HEADER + content) // PAGE)


# Branch pages hold a header and the first key of each leaf.
_LEAVES_ON_A_BRANCH = (int(PAGE * APPENDING) - HEADER) // (HEADER + REVISION_KEY)
_OF_A_BRANCH = PAGE / (_LEAVES_ON_A_BRANCH - 1)


def split_off(element: int, elements: int) -> tuple[float, int]:
    """Return the bytes of the leaves that a commit leaves full, and the number of elements on the last leaf."""
    *full, last = _split([element] * elements, APPENDING)
    return sum(_pages(element * count) for count in full) * PAGE + len(full) * _OF_A_BRANCH, last


def appended_bytes(element: int, commits: Iterator[int], revisions: int) -> float:
    """Return the bytes of file a revision, for elements of one size that commits of given numbers of puts append."""
    filled, written, last = 0.0, 0, 0
    while written < revisions:
        puts = next(commits)
        written += puts
        used, last = split_off(element, last + puts)
        filled += used
    return filled / (written - last)


def appended_bytes_of(elements: Iterator[int], commits: Iterator[int], revisions: int) -> float:
    """Return the bytes of file a revision, for elements of any sizes."""
    filled, written = 0.0, 0
    waiting: list[int] = []
    while written < revisions:
        puts = next(commits)
        written += puts
        waiting += [next(elements) for _ in range(puts)]
        for count in _split(waiting, APPENDING)[:-1]:
            filled += _pages(sum(waiting[:count])) * PAGE + _OF_A_BRANCH
            waiting = waiting[count:]
    return filled / (written - len(waiting))


class Store:
    """The revisions of a store on their leaves, with updates and compaction."""

    def __init__(self, element: int) -> None:
        self.element = element
        self.revision = 0
        self._leaves: list[list[tuple[int, int]]] = [[]]  # of (revision, key)

    def put(self, keys: Iterable[int], commits: Iterator[int]) -> None:
        """Put keys in their order, in commits of the given numbers of puts."""
        waiting: list[tuple[int, int]] = []
        puts = next(commits)
        for key in keys:
            self.revision += 1
            waiting.append((self.revision, key))
            if len(waiting) == puts:
                self._commit(waiting)
                waiting, puts = [], next(commits)
        self._commit(waiting)

    def _commit(self, revisions: list[tuple[int, int]]) -> None:
        self._leaves += self._cut(self._leaves.pop() + revisions, APPENDING)

    def _cut(self, revisions: list[tuple[int, int]], fill: float) -> list[list[tuple[int, int]]]:
        leaves, begin = [], 0
        for count in _split([self.element] * len(revisions), fill):
            leaves.append(revisions[begin : begin + count])
            begin += count
        return leaves

    def compact(self, to: int | None = None) -> None:
        """Remove all revisions but the last of each key, by default up to the newest revision.

        Pages of which at most a quarter is left are merged, as bbolt does.
        """
        to = self.revision if to is None else to
        last = {key: revision for leaf in self._leaves for revision, key in leaf if revision <= to}
        waiting = [[one for one in leaf if one[0] > to or last[one[1]] == one[0]] for leaf in self._leaves]
        touched = [len(now) < len(before) for now, before in zip(waiting, self._leaves, strict=True)]
        done: list[list[tuple[int, int]]] = []
        for index, leaf in enumerate(waiting):
            small = touched[index] and (HEADER + self.element * len(leaf) <= PAGE // 4 or len(leaf) <= 1)
            if not small:
                done.append(leaf)
            elif leaf and done:
                done += self._cut(done.pop() + leaf, OTHERWISE)
            elif leaf and index + 1 < len(waiting):
                waiting[index + 1] = leaf + waiting[index + 1]
            elif leaf:
                done.append(leaf)
        self._leaves = done or [[]]

    def bytes(self) -> float:
        """Return the bytes of file that the leaves and the branches above them take."""
        leaves = sum(_pages(self.element * len(leaf)) for leaf in self._leaves)
        return leaves * PAGE + len(self._leaves) * _OF_A_BRANCH
