"""Quorum and failure tolerance for each number of members."""

from __future__ import annotations

import pytest

from etcdsize import OptionError, failure_tolerance, quorum


class TestFailureTolerance:
    """etcd-io/website content/en/docs/v3.5/faq.md, "What is failure tolerance?": its table, and that odd is enough."""

    @pytest.mark.parametrize(
        ("members", "majority", "tolerance"),
        [(1, 1, 0), (2, 2, 0), (3, 2, 1), (4, 3, 1), (5, 3, 2), (6, 4, 2), (7, 4, 3), (8, 5, 3), (9, 5, 4)],
    )
    def test_table(self, members, majority, tolerance):
        assert (quorum(members), failure_tolerance(members)) == (majority, tolerance)

    @pytest.mark.parametrize("count", [quorum, failure_tolerance])
    @pytest.mark.parametrize("members", [0, -3, 2.5])
    def test_other_numbers_are_rejected(self, count, members):
        with pytest.raises(OptionError) as caught:
            count(members)
        assert str(caught.value) == f"members: got {members}, expected an integer of 1 or more"
        assert (caught.value.option, caught.value.value) == ("members", members)

    def test_two_quorums_always_share_a_member(self):
        for members in range(1, 12):
            assert 2 * quorum(members) > members
            assert 2 * (quorum(members) - 1) <= members

    def test_an_even_member_adds_nothing(self):
        for odd in range(1, 21, 2):
            assert failure_tolerance(odd) == failure_tolerance(odd + 1)
