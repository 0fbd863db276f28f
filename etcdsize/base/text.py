"""Text for error messages: a value quoted, shortened and on one line, and the nearest known word."""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["nearest", "one_line", "shown"]


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean "…"?` for the known word nearest to `word`, or an empty string."""
    import difflib

    lowered = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return f'; did you mean "{lowered[close[0]]}"?' if close else ""


def shown(value: object) -> str:
    """Return a value as a message shows it: text in double quotes, and long values shortened."""
    if isinstance(value, str):
        text = value if len(value) <= 60 else value[:57] + "..."
        return '"' + one_line(text).replace('"', '\\"') + '"'
    try:
        text = str(value) if isinstance(value, (int, float)) else repr(value)
    except ValueError:
        # Python refuses to print integers of more than 4300 digits.
        return f"a number too long to print, of type {type(value).__name__}"
    text = one_line(" ".join(text.split()))
    return text if len(text) <= 60 else text[:57] + "..."


def one_line(text: str) -> str:
    """Return text that is safe to print: on one line, without anything that controls a terminal or hides text."""
    return text.translate(_ESCAPES)


# Control characters, line separators, the marks that change the direction of text, and halves of surrogate pairs, which
# no encoding can hold.
_ESCAPED = (
    *range(0x20),
    *range(0x7F, 0xA0),
    *(0x061C, 0x200E, 0x200F, 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF),
    *range(0xD800, 0xE000),
)
_ESCAPES = {code: chr(code).encode("unicode_escape").decode() for code in _ESCAPED}
