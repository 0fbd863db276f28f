"""Values that almost no argument accepts, by what is wrong with them, and how they have to be rejected."""

from __future__ import annotations

import datetime
import decimal
import fractions
import math
from pathlib import Path

import numpy as np

from etcdsize import EtcdSizeError

SECRET = "s3cr3t"
WRONG = {
    "None": None,
    "object": object(),
    "bytes": b"\xff",
    "surrogate": "\ud800",
    "control characters": "a\x1b[31m\n\x00",
    "empty text": "",
    "long text": "9" * 5000,
    "nan": math.nan,
    "inf": math.inf,
    "-inf": -math.inf,
    "-1": -1,
    "0": 0,
    "1e308": 1e308,
    "2.5": 2.5,
    "10**400": 10**400,
    "-10**400": -(10**400),
    "True": True,
    "complex": 1j,
    "Decimal NaN": decimal.Decimal("NaN"),
    "Decimal sNaN": decimal.Decimal("sNaN"),
    "Fraction": fractions.Fraction(1, 3),
    "date": datetime.date(2026, 1, 1),
    "list": [],
    "list of objects": [object()],
    "list of lists": [["a"]],
    "dict": {},
    "dict of None": {"a": None},
    "set": {1},
    "a function": print,
    "a class": int,
    "a path": Path("/no/such/file"),
    "a folder": Path("/"),
    "URL with a password": f"http://u:{SECRET}@h:2379",
    "bytes of a URL": f"http://u:{SECRET}@h:2379".encode(),
    "list of URLs": [f"http://u:{SECRET}@h:2379"],
    "dict of a URL": {f"http://u:{SECRET}@h:2379": 1},
    "dict to a URL": {"a": [f"http://u:{SECRET}@h:2379"]},
    "np.nan": np.float64("nan"),
    "np.int64": np.int64(-5),
    "np.bool": np.bool_(True),
    "np.array": np.array([1, 2, 3]),
    "np.array 0-d": np.array(5),
    "np.str_": np.str_("x"),
    "np.datetime64": np.datetime64("2026-01-01"),
}


def is_ours(action, what: str = "") -> None:
    """Run something that may succeed, or fail with an error of etcdsize that is safe to print and has no password.

    Any other error gets a note that says what it was.
    """
    try:
        action()
    except EtcdSizeError as error:
        message, everything = str(error), repr(vars(error))
    except Exception as error:
        error.add_note(what)
        raise
    else:
        return
    assert message.isprintable(), message
    assert SECRET not in message, f"{what}: {message}"
    assert SECRET not in everything, f"{what}: {everything}"
    assert message.encode()
