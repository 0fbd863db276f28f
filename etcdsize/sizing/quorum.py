"""How many members must agree, and how many may fail.

Source: etcd FAQ, "Why an odd number of cluster members?" (etcd-io/website, content/en/docs/v3.5/faq.md).
"""

from __future__ import annotations

from etcdsize.base.checks import count_of

__all__ = ["failure_tolerance", "quorum"]


def quorum(members: int) -> int:
    """Return how many voting members must agree on every write. [count]

    Raises
    ------
    OptionError
        Unless `members` is an integer of 1 or more.

    Examples
    --------
    >>> quorum(3)
    2
    """
    return count_of("members", members) // 2 + 1


def failure_tolerance(members: int) -> int:
    """Return how many members may fail while the cluster still writes. [count]

    Raises
    ------
    OptionError
        Unless `members` is an integer of 1 or more.

    Examples
    --------
    >>> [failure_tolerance(members) for members in (1, 2, 3, 4, 5, 7)]
    [0, 0, 1, 1, 2, 3]
    """
    return count_of("members", members) - quorum(members)
