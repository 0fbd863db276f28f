"""Makes text safe to print: it stays on one line, and nothing in it controls a terminal, moves text or hides.

Messages are printed and logged, so they do not show text that may have a password either.
"""

from __future__ import annotations

import re

__all__ = ["HIDDEN", "has_password", "one_line", "safe_json", "without_passwords"]

HIDDEN = "text with @ (not shown)"
"""What a message shows in place of text that may have a password."""

# The end of a user, which a password follows. What follows a quotation mark or the like is no password.
_USER = re.compile(r"""[^"'\[({,=]:""")


def has_password(text: str) -> bool:
    """Return whether text may have a password in it, as `http://user:password@host` has.

    >>> has_password("http://user:pa ss@host"), has_password("[{'user:pass@host': 1}]"), has_password("me@example.com")
    (True, True, False)
    """
    before, at, _ = text.rpartition("@")
    if not at:
        return False
    # The password in a URL may have any characters; without a scheme, it has no spaces.
    words = (found[0] for found in re.finditer(r"\S+", text))
    return "://" in before or any(_USER.search(word.rpartition("@")[0]) for word in words)


def without_passwords(text: str) -> str:
    """Return text whose URLs have neither a user nor a password.

    >>> without_passwords("http://user:password@host: cannot be read")
    'http://...@host: cannot be read'
    """
    return re.sub(r"""(:/{1,2})[^\s"'@/]*@""", r"\1...@", text) if "@" in text else text


def one_line(text: str) -> str:
    r"""Return text that is safe to print: on one line, without anything that controls a terminal or hides text.

    >>> print(one_line("a\x1b[31m\nb"))
    a\x1b[31m\nb
    """
    return text if text.isprintable() else text.translate(_ESCAPES)


def safe_json(text: str) -> str:
    r"""Return JSON that is safe to print: what is not becomes an escape, which every reader reads as the same text.

    >>> print(safe_json('{"a": "\x9b31m"}'))
    {"a": "\u009b31m"}
    """
    if text.isascii() and "\x7f" not in text:
        return text
    # Writers of JSON escape C0 themselves, except for the line ends between two fields.
    return text.translate({code: _json_escape(code) for code in _ESCAPED if code >= 0x7F})


def _json_escape(code: int) -> str:
    units = chr(code).encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


# The list is our own, so that it is the same with every Python's version of Unicode. Two names that look alike must not
# differ in what is not seen, so what has no width is escaped too, although emoji and some scripts join letters with it.
_ESCAPED = (
    # Control characters: C0, DEL and C1.
    *range(0x20),
    *range(0x7F, 0xA0),
    # The soft hyphen, the Arabic letter mark and the Mongolian vowel separator.
    *(0x00AD, 0x061C, 0x180E),
    # Zero-width characters, and marks that change the direction of text.
    *range(0x200B, 0x2010),
    # Line and paragraph separators, embeddings and overrides of the direction.
    *range(0x2028, 0x202F),
    # The word joiner, invisible operators, isolates and deprecated format characters.
    *range(0x2060, 0x2070),
    # The byte order mark, which is a zero-width space elsewhere, and annotations between lines.
    *(0xFEFF, *range(0xFFF9, 0xFFFC)),
    # Halves of surrogate pairs, which no encoding can hold.
    *range(0xD800, 0xE000),
    # Tags, which spell ASCII without being seen.
    *range(0xE0000, 0xE0080),
)
_ESCAPES = {code: chr(code).encode("unicode_escape").decode() for code in _ESCAPED}
