"""Text for messages, reports and Markdown: a value quoted and shortened, the nearest known word, and safe text."""

from __future__ import annotations

import re

from etcdsize.printable import HIDDEN, has_password, one_line, safe_json

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "Suggestions",
    "decoded",
    "in_words",
    "markdown_code",
    "markdown_text",
    "nearest",
    "one_line",
    "safe_json",
    "shortened",
    "shown",
]

# No name is longer, and comparing a text of megabytes takes seconds.
_LONGEST_WORD = 200
_MOST_WORDS = 10_000
# No URL with a password is longer (our choice).
_LONGEST_URL = 10_000


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean "…"?` for the known word nearest to `word`, or an empty string.

    Long words, and known words after the first 10,000, are not compared.
    """
    import difflib

    if len(word) > _LONGEST_WORD:
        return ""
    lowered = {name.lower(): name for name, _ in zip(known, range(_MOST_WORDS)) if len(name) <= _LONGEST_WORD}
    close = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return f'; did you mean "{lowered[close[0]]}"?' if close else ""


def in_words(words: Iterable[str], last: str = "and") -> str:
    """Return a list in words, with `and` or `or` before the last one.

    >>> in_words(["a"]), in_words(["a", "b"]), in_words(["a", "b", "c"], "or")
    ('a', 'a and b', 'a, b or c')
    """
    *others, end = list(words) or [""]
    return f"{', '.join(others)} {last} {end}" if others else end


def decoded(content: bytes) -> str:
    r"""Return the text of bytes in UTF-8, or in UTF-16 or UTF-32 as PowerShell writes it.

    The encoding is found by the byte order mark or, as in JSON, by the zeros among the first four bytes.

    Raises
    ------
    UnicodeDecodeError
        If they are not text.

    Examples
    --------
    >>> decoded(b"\xff\xfea\x00"), decoded(b"a")
    ('a', 'a')
    """
    import json

    return content.decode(json.detect_encoding(content))


class Suggestions:
    """Grants suggestions for the first wrong values of many: a search for the nearest word takes milliseconds."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left: int = 100
        """How many more are granted (our choice)."""

    def take(self) -> bool:
        """Return whether the next wrong value gets a suggestion."""
        if not self.left:
            return False
        self.left -= 1
        return True


def shown(value: object) -> str:
    """Return a value as a message shows it: text in double quotes, and long values shortened.

    Text that may have a password is not shown.

    >>> shown("a" * 70), shown("http://user:password@host:2379")
    ('"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa..."', 'text with @ (not shown)')
    """
    if isinstance(value, str):
        # Only the start is shown, and a text may have many megabytes.
        if has_password(value[:_LONGEST_URL]):
            return HIDDEN
        return '"' + one_line(shortened(value)).replace('"', '\\"') + '"'
    try:
        text = str(value) if isinstance(value, (int, float)) else repr(value)
    except ValueError:
        # Python refuses to print integers of more than 4300 digits.
        return f"a number too long to print, of type {type(value).__name__}"
    return HIDDEN if has_password(text) else shortened(one_line(" ".join(text.split())))


def shortened(text: str, longest: int = 60) -> str:
    """Return text of at most `longest` characters; longer text ends in three dots."""
    return text if len(text) <= longest else text[: longest - 3] + "..."


def markdown_code(text: str) -> str:
    r"""Return text as a code span of Markdown, in which nothing is markup.

    >>> print(markdown_code("a`b\n<i>"))
    ``a`b\n<i>``
    """
    text = one_line(text)
    # More backticks than the text has in a row delimit it.
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"


def markdown_text(text: str) -> str:
    """Return text that Markdown shows as it stands: unchanged if nothing in it is markup, else as a code span.

    >>> markdown_text("3 members, 2 zones"), markdown_text("*a*"), markdown_text("see http://a")
    ('3 members, 2 zones', '`*a*`', '`see http://a`')
    """
    return markdown_code(text) if re.search(_MARKUP, text, re.IGNORECASE) or one_line(text) != text else text


# Emphasis, code, links, HTML, entities and tables; what begins a block; and what many sites turn into a link by itself.
# An underscore within a word is none of these.
_MARKUP = (
    r"[\\`*<>\[\]&~|]|(?<!\w)_|_(?!\w)"
    r"|^\s|^(?:#{1,6}|[+-]|\d+[.)])(?:\s|\Z)|^[=-]+\s*\Z"
    r"|://|www\.|@|mailto:|xmpp:"
)
