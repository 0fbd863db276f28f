"""The architectures of processors, and the other names that they have."""

from typing import Literal, get_args

__all__ = ["ARCHITECTURES", "Architecture", "architecture_name"]

Architecture = Literal["x86_64", "arm64"]
ARCHITECTURES: tuple[Architecture, ...] = get_args(Architecture)
# Those of images and of the kernel.
_OTHER_NAMES = {"amd64": "x86_64", "aarch64": "arm64"}


def architecture_name(name: str) -> str:
    """Return the architecture that a name means; any other name is kept.

    Examples
    --------
    >>> architecture_name("amd64"), architecture_name("aarch64"), architecture_name("riscv64")
    ('x86_64', 'arm64', 'riscv64')
    """
    return _OTHER_NAMES.get(name, name)
