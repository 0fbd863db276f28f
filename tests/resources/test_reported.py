"""What people reported of their clusters, beside what the model predicts: what differs has its reason."""

from __future__ import annotations

import re

import pytest

from benchmarks.resources.reported import PAGE, checked_rows

CHECKED = list(checked_rows())


@pytest.mark.parametrize("checked", CHECKED, ids=lambda checked: checked.row["says"])
def test_what_was_reported_lies_within_what_is_predicted(checked):
    """Where it does not, the row says why."""
    assert checked.agrees or checked.row["remark"]


def test_most_rows_agree():
    assert sum(checked.agrees for checked in CHECKED) >= 0.6 * len(CHECKED)


def test_the_page_has_every_row_with_its_verdict():
    verdicts = re.findall(r"\| (yes|\*\*no\*\*) \|[^|]*\|$", PAGE.read_text(), re.MULTILINE)
    assert [verdict == "yes" for verdict in verdicts] == [checked.agrees for checked in CHECKED]
