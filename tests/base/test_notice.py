"""Notices, and the register of their kinds."""

from __future__ import annotations

import pytest

from etcdsize import Notice
from etcdsize.base.notice import KINDS, NoticeKind


@pytest.fixture
def kind():
    """A kind of notice that exists during one test."""
    yield NoticeKind("made-up", "warning", "our choice")
    del KINDS["made-up"]


class TestNoticeKind:
    """A kind is declared once and makes notices with its code, severity and source."""

    def test_makes_a_notice(self, kind):
        expected = Notice(code="made-up", severity="warning", text="Two are one.", source="our choice")
        assert kind("Two are one.") == expected
        assert expected.line == "warning: Two are one. [made-up]"

    def test_one_notice_may_have_its_own_severity_and_source(self, kind):
        notice = kind("Two are one.", severity="info", source="faq.md")
        assert (notice.code, notice.severity, notice.source) == ("made-up", "info", "faq.md")

    def test_a_code_cannot_be_declared_again(self, kind):
        assert KINDS["made-up"] is kind
        with pytest.raises(ValueError, match=r"^the notice made-up is already declared$"):
            NoticeKind("made-up", "info", "elsewhere")
        assert KINDS["made-up"] is kind
