"""Loads that no coefficient was fitted to, as the long form measured them, beside what the model predicts today."""

from __future__ import annotations

import pytest

from benchmarks.resources.validated import PAGE, page, validated
from benchmarks.resources.validation import COMPARED

FIGURES = list(validated())


def test_the_page_has_what_the_rows_and_the_model_give():
    text = PAGE.read_text()
    assert page(text, FIGURES) == text


@pytest.mark.parametrize("version", sorted({one.version for one in FIGURES}))
def test_nine_figures_of_ten_lie_in_the_range_that_is_predicted(version):
    found = [one for one in FIGURES if one.version == version and not one.is_disturbed]
    assert len(found) >= 12 * len(COMPARED)
    outside = [one.line for one in found if not one.is_inside]
    assert len(outside) <= len(found) / 10, outside


def test_a_figure_that_is_not_close_lies_in_its_range():
    far = [one for one in FIGURES if one.is_close is False]
    assert [one.line for one in far if not one.is_inside] == []
