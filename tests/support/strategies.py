"""Shared by several test files: the slow twin of the classifier, dtypes, and loads weighted to the bounds.

The twin is written from the guide's sentences and etcd's hardware page, and calls nothing of the package.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from etcdsize.errors import EtcdSizeError

DIMENSIONS = ("clients", "requests_per_second", "data_bytes")
MB = 10**6

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
FLOATS = ("float16", "float32", "float64", "longdouble")
DTYPES = tuple(np.dtype(name) for name in INTEGERS + FLOATS)
BIG_ENDIAN = tuple(dtype.newbyteorder(">") for dtype in DTYPES if dtype.itemsize > 1)
# What a Workload can hold: everything but the digits that only a long double has.
COMMON = tuple(dtype for dtype in DTYPES + BIG_ENDIAN if dtype.kind in "iu" or dtype.itemsize <= 8)

# The last column of the guide's tiers: clients, requests per second, bytes.
LIMITS = {
    "small": (100, 200, 100 * MB),
    "medium": (500, 1_000, 500 * MB),
    "large": (1_500, 10_000, 1_000 * MB),
}
EDGES = {name: [limits[index] for limits in LIMITS.values()] for index, name in enumerate(DIMENSIONS)}
HEADROOMS = st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.5, 1 / 3, 0.75, 0.999]) | st.floats(0, 1, exclude_max=True)


def result(work, *arguments):
    """Return the result of a call, or the EtcdSizeError that it raises."""
    try:
        return work(*arguments)
    except EtcdSizeError as error:
        return error


def twin(table: str, clients, requests, data, headroom=0.0) -> int:
    """Return the code of one load by the guide, or by etcd's hardware page, sentence by sentence."""
    kept = 1 - Fraction(str(headroom))
    loads = [None if load is None else exactly(load) for load in (clients, requests, data)]
    for code, (most_clients, most_requests, most_data) in enumerate(LIMITS.values()):
        clients_fit = requests_fit = data_fit = True
        if loads[0] is not None:
            clients_fit = loads[0] < most_clients * kept  # etcd's page: fewer than
            if table == "guide" and loads[0] == most_clients * kept:  # the guide: at most
                clients_fit = True
        if loads[1] is not None:
            requests_fit = loads[1] < most_requests * kept  # below
        if loads[2] is not None:
            data_fit = loads[2] <= most_data * kept  # no more than
        if clients_fit and requests_fit and data_fit:
            return code
    return 3


def exactly(value) -> Fraction:
    """Return a number of any dtype as an exact fraction."""
    if isinstance(value, np.integer):
        return Fraction(int(value))
    return Fraction(*value.as_integer_ratio())


def neighbours(dtype: np.dtype, values) -> list:
    """Return the numbers of a dtype that are each value, just below it and just above it, and the dtype's extremes."""
    native = dtype.newbyteorder("=")
    kind = native.type
    found: list = []
    if native.kind in "iu":
        top = int(np.iinfo(native).max)
        # The bits of an infinity: integers are compared as floats up to there.
        infinities = [bits for bits in (0x7F800000, 0x7FF0000000000000) if bits < top]
        for value in (*values, 0, 1, top, *infinities):
            whole = int(value)
            found += [kind(near) for near in (whole - 1, whole, whole + 1) if 0 <= near <= top]
        return found
    info = np.finfo(native)
    for value in values:
        with np.errstate(over="ignore"):
            near = kind(value)
            found += [near, np.nextafter(near, kind(0)), np.nextafter(near, kind(np.inf))]
    found += [kind(0), kind(-0.0), info.max, info.smallest_subnormal, info.tiny, kind(0.5)]
    return [value for value in found if np.isfinite(value)]


def valid_loads(dtype: np.dtype, edges) -> st.SearchStrategy:
    """Return numbers of a dtype that can be sized, most of them at a bound or beside it."""
    native = dtype.newbyteorder("=")
    near = st.sampled_from(neighbours(dtype, edges))
    if native.kind in "iu":
        top = int(np.iinfo(native).max)
        return near | st.integers(0, top).map(native.type) | st.integers(0, min(top, 20_000)).map(native.type)
    if native == np.longdouble:
        return near | st.floats(0, 1e12).map(np.longdouble)
    width = native.itemsize * 8
    top = float(np.finfo(native).max)
    return near | st.floats(0, top, width=width).map(native.type)


def arrays_of(dtype: np.dtype, edges, size: int) -> st.SearchStrategy:
    """Return arrays of a dtype with loads that can be sized."""
    return st.lists(valid_loads(dtype, edges), min_size=size, max_size=size).map(
        lambda values: np.array(values, dtype.newbyteorder("=")).astype(dtype)
    )
