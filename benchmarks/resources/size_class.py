"""How many bytes Go takes for a slice of so many."""

from bisect import bisect_left

__all__ = ["size_class"]

# Go 1.19 to 1.26, runtime/sizeclasses.go.
_CLASSES = (
    *(8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 288, 320, 352, 384, 416, 448),
    *(480, 512, 576, 640, 704, 768, 896, 1024, 1152, 1280, 1408, 1536, 1792, 2048, 2304, 2688, 3072, 3200, 3456, 4096),
    *(4864, 5120, 5376, 6144, 6528, 6784, 6912, 8192, 9472, 9728, 10240, 10880, 12288, 13568, 14336, 16384, 18432),
    *(19072, 20480, 21760, 24576, 27264, 28672, 32768),
)


def size_class(size: int) -> int:
    """Return the bytes that an allocation of this size takes: its size class, or whole pages of 8 KiB past the last."""
    if size <= _CLASSES[-1]:
        return _CLASSES[bisect_left(_CLASSES, size)] if size > 0 else 0
    return -(-size // 8192) * 8192
