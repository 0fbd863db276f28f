"""What an allocation really takes in Go: the allocator rounds each one up to a size class.

Source: golang/go src/runtime/sizeclasses.go; larger allocations take whole pages of 8 KiB.
"""

from __future__ import annotations

import math
from bisect import bisect_left

__all__ = ["LARGEST_CLASS", "PAGE_BYTES", "size_class"]

# fmt: off
_CLASSES = (
    8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 288, 320, 352, 384, 416, 448, 480,
    512, 576, 640, 704, 768, 896, 1024, 1152, 1280, 1408, 1536, 1792, 2048, 2304, 2688, 3072, 3200, 3456, 4096, 4864,
    5120, 5376, 6144, 6528, 6784, 6912, 8192, 9472, 9728, 10240, 10880, 12288, 13568, 14336, 16384, 18432, 19072, 20480,
    21760, 24576, 27264, 28672, 32768,
)
# fmt: on
LARGEST_CLASS = 32_768
"""A larger allocation takes whole pages. [bytes]"""
PAGE_BYTES = 8_192
"""A page of Go's heap."""


def size_class(count: float) -> float:
    """Return the bytes that an allocation of `count` bytes takes. [bytes]

    >>> size_class(0), size_class(33), size_class(33_064)
    (0, 48, 40960)
    """
    if count <= 0:
        return 0
    return (
        _CLASSES[bisect_left(_CLASSES, count)] if count <= LARGEST_CLASS else math.ceil(count / PAGE_BYTES) * PAGE_BYTES
    )
