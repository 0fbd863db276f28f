"""What inputs are made of: hostile numbers and texts, and mutations of bytes and of JSON. All of it is seeded."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from random import Random
from typing import Any

WORDS = """
0 1 2 3 5 7 99 100 101 199 200 500 999 1000 1500 1501 10000 65535 65536 4294967296 9007199254740993
18446744073709551615 18446744073709551616 1e3 1e18 1e19 1e299 1e300 1e308 1.7e308 1e309 1e999999999 1e-5 1e-323
0.1 0.5 2.5 1e2.5 -0 -1 -0.0 -1e308 +5 .5 5. 00 007 0x1F 1_000 1,000 1.000.000 nan NaN inf -inf Infinity ١٢٣ ５
"""
NUMBERS = WORDS.split()
UNITS = (
    "",
    "",
    "",
    "MB",
    "GB",
    "KB",
    "kB",
    "GiB",
    "Mi",
    "TB",
    "B",
    "k",
    "M",
    "/s",
    "%",
    "ms",
    "s",
    "m",
    "h",
    " MB",
    "bit",
    "µs",
)
TEXTS = (
    "",
    " ",
    "a",
    "aws",
    "gcp",
    "阿里云",
    "é",
    "m5.large",
    "=1+1",
    "+1",
    "-1",
    "@a",
    "=cmd|' /C calc'!A0",
    "a,b",
    'a"b',
    "a'b",
    "a\\b",
    "$(id)",
    "`id`",
    "%n",
    "{}",
    "[]",
    "null",
    "true",
    "a=b",
    "a=10.0.0.1",
    "--",
    "-",
    "a\tb",
    "a\nb",
    "a\r\nb",
    "a\x00b",
    "\x1b[31mred\x1b]0;title\x07",
    "\x7f\x9b31m",
    "\u202eabc\u202c",
    "\u2028\u2029",
    "a\u200bb\u00ad\u2060",
    "\U000e0041",
    "\ufeffa",
    "\udcff",
    "\ud800",
    "\U0010ffff",
    "e\u0301",
    "🚀",
    "```\nrm -rf x\n```",
    "|a|b|",
    "<script>",
    "../../x",
    "con",
    "x" * 300,
    "9" * 330,
    "9" * 5000,
    "1.1.1.1",
    "2001:db8::1",
    "http://127.0.0.1:1",
    "3.5",
    "3.6.1",
    "2026-11-01",
)


def number(random: Random) -> str:
    """Return a number as text: near a bound, hostile, or random."""
    how = random.random()
    if how < 0.5:
        text = random.choice(NUMBERS)
    elif how < 0.8:
        text = str(random.choice((10, 1000, 2**31, 2**64, 10**25)) * random.randrange(1, 100) + random.randrange(-1, 2))
    elif how < 0.9:
        text = repr(random.uniform(0, 10 ** random.randrange(0, 20)))
    else:
        text = random.choice("123456789") * random.choice((1, 20, 100, 310, 401, 4301))
    return text


def quantity(random: Random) -> str:
    """Return a number with or without a unit."""
    return number(random) + random.choice(UNITS)


def text(random: Random) -> str:
    """Return a text: hostile, or one that means something somewhere."""
    how = random.random()
    if how < 0.7:
        return random.choice(TEXTS)
    if how < 0.85:
        return random.choice(TEXTS) + random.choice(TEXTS)
    return "".join(
        chr(random.choice((random.randrange(0x80), random.randrange(0x3000)))) for _ in range(random.randrange(12))
    )


def word(random: Random) -> str:
    """Return a number, a quantity or a text."""
    return random.choice((number, quantity, text))(random)


BYTES = (
    b"\x00",
    b"\xff",
    b"\xfe\xff",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\r",
    b"\n",
    b"\r\n",
    b'"',
    b",",
    b"\t",
    b";",
    b"\\",
    b"{",
    b"}",
)


def damaged(random: Random, data: bytes) -> bytes:
    """Return bytes with a few of them changed, dropped, repeated or inserted."""
    found = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 4, 16))):
        at = random.randrange(len(found) + 1)
        match random.randrange(7):
            case 0 if at < len(found):
                found[at] ^= 1 << random.randrange(8)
            case 1 if at < len(found):
                found[at] = random.choice((0, 0x7F, 0x80, 0xFF, random.randrange(256)))
            case 2:
                del found[at : at + random.choice((1, 2, 10, 1000))]
            case 3:
                found[at:at] = random.choice(BYTES)
            case 4:
                end = at + random.choice((1, 10, 200))
                found[at:at] = found[at:end] * random.choice((1, 2, 50))
            case 5:
                found[at:at] = word(random).encode("utf-8", "surrogatepass")
            case _ if random.random() < 0.2:
                del found[at:]
    return bytes(found)


DEEP = "[" * 3000 + "]" * 3000
JSON_VALUES: tuple[Callable[[Random], Any], ...] = (
    lambda random: None,
    lambda random: random.choice((True, False)),
    lambda random: random.choice((0, 1, -1, 2**63, 2**64, 10**400, -(10**30))),
    lambda random: random.choice((0.5, -0.0, 1e-320, 1e300, 1.7e308, float("nan"), float("inf"))),
    text,
    quantity,
    lambda random: [],
    lambda random: {},
    lambda random: [[]],
    lambda random: {"a": None},
    lambda random: [text(random)] * random.choice((1, 2, 1000)),
)


def json_value(random: Random) -> Any:
    return random.choice(JSON_VALUES)(random)


def changed(random: Random, document: Any) -> Any:
    """Return a copy of a JSON document in which a few places have another value, are gone, or are there twice."""
    document = copy.deepcopy(document)
    keeps_types = random.random() < 0.5
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        holder, key = _place(random, document, leaf=keeps_types)
        if holder is None:
            return json_value(random)
        here = holder[key]
        if keeps_types:
            if isinstance(here, str):
                holder[key] = random.choice((text(random), here + text(random), here[:1], here.upper()))
            elif isinstance(here, bool):
                holder[key] = not here
            elif isinstance(here, (int, float)):
                holder[key] = random.choice((0, 1, here + 1, here / 2, here * 1e9, here * 1e-9, 2**53 + 1, 1e299))
            continue
        match random.randrange(6):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[text(random)] = holder.pop(key)
            case 2 if isinstance(holder, list):
                holder.insert(key, copy.deepcopy(here))
            case 3:
                other, from_key = _place(random, document)
                holder[key] = copy.deepcopy(other[from_key]) if other is not None else None
            case 4 if isinstance(here, (int, float)):
                holder[key] = -here
            case _:
                holder[key] = json_value(random)
    return document


def _place(random: Random, document: Any, *, leaf: bool = False) -> tuple[Any, Any]:
    """Return a container and a key in it, at any depth or of a leaf; None if there is none."""
    holder, key, here = None, None, document
    while isinstance(here, (dict, list)) and here:
        holder, key = here, random.choice(list(here) if isinstance(here, dict) else range(len(here)))
        here = holder[key]
        if not leaf and random.random() < 0.25:
            break
    return holder, key


def json_bytes(random: Random, document: Any) -> bytes:
    """Return a JSON document as bytes: mostly sound, sometimes with a field twice, too deep, in UTF-16, or damaged."""
    written = json.dumps(document, ensure_ascii=random.random() < 0.5, indent=random.choice((None, 2)))
    how = random.random()
    if how < 0.05 and isinstance(document, dict) and document:
        name = random.choice(list(document))
        written = "{" + f"{json.dumps(name)}: {json.dumps(json_value(random))}, " + written[1:]
    elif how < 0.07:
        written = written.replace("null", DEEP, 1) if "null" in written else DEEP
    data = written.encode("utf-16" if how > 0.98 else "utf-8", "surrogatepass")
    return damaged(random, data) if random.random() < 0.1 else data
