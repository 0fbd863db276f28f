"""Reads the command of a unit as systemd does; a test compares it with systemd itself."""

from __future__ import annotations

import re


def unit_words(unit: str) -> list[str]:
    """Return the words of ExecStart= by systemd.service(5) and systemd.syntax(7)."""
    command = re.search(r"^ExecStart=(.*?[^\\])$", unit, re.M | re.S)[1].replace("\\\n", " ")
    words, word, quoted, position = [], None, False, 0
    while position < len(command):
        character = command[position]
        position += 1
        if character == "\\":
            word = (word or "") + {"\\": "\\", '"': '"'}[command[position]]
            position += 1
        elif character == '"':
            quoted, word = not quoted, word or ""
        elif character in "%$":
            assert command[position] == character
            word = (word or "") + character
            position += 1
        elif character.isspace() and not quoted:
            words += [] if word is None else [word]
            word = None
        else:
            assert quoted or character != "'"
            word = (word or "") + character
    assert not quoted
    return words + ([] if word is None else [word])
