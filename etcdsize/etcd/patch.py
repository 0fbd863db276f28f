"""A patch of etcd, such as 3.6.16, in the tables of versions, flags and flaws."""

from typing import Annotated

from pydantic import Field

__all__ = ["Patch", "patch_number"]

Patch = Annotated[str, Field(pattern=r"^[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}$")]


def patch_number(patch: str) -> int:
    """Return the last number of a patch."""
    return int(patch.rpartition(".")[2])
