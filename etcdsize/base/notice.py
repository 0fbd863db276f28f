"""One thing to beware of: `Notice`, and the kinds that there are."""

from typing import Annotated, Literal

from pydantic import Field

from etcdsize.base.model import Model

__all__ = ["KINDS", "Notice", "NoticeKind", "Severity"]

Severity = Literal["info", "warning", "beyond-guide"]


class Notice(Model):
    """One thing to beware of."""

    code: Annotated[str, Field(description="A stable name for programs.")]
    severity: Annotated[
        Literal["info", "warning", "beyond-guide"],
        Field(description="beyond-guide: no published figure says that this machine is enough."),
    ]
    text: Annotated[str, Field(description="What to know.")]
    source: Annotated[str, Field(description="Where it comes from.")]

    @property
    def line(self) -> str:
        """The notice as one line, with its severity and its code."""
        return f"{self.severity}: {self.text} [{self.code}]"


class NoticeKind:
    """A kind of notice: its stable code, its severity and its source. Calling it with a text gives a `Notice`.

    Every room declares its own kinds in its `notices` module; a code that is declared twice is refused.
    """

    def __init__(self, code: str, severity: Severity, source: str) -> None:
        if code in KINDS:
            raise ValueError(f"the notice {code} is declared twice")
        self.code = code
        self.severity = severity
        self.source = source
        KINDS[code] = self

    def __call__(self, text: str, *, severity: Severity | None = None, source: str | None = None) -> Notice:
        """Return the notice; `severity` and `source` replace the kind's own where one notice differs."""
        return Notice(code=self.code, severity=severity or self.severity, text=text, source=source or self.source)


KINDS: dict[str, NoticeKind] = {}
"""Every kind of notice that a room has declared, by its code."""
