"""`Assumption`, a figure of a load that was not given: what is taken for it, and why."""

from typing import Annotated

from pydantic import Field

from etcdsize.base.model import Model
from etcdsize.resources.amount import Amount

__all__ = ["Assumption"]


class Assumption(Model):
    """A figure of a load that was not given: what is taken for it, and why."""

    field: Annotated[str, Field(description="The field of `Profile`, or `objects.NAME.FIELD` for one of a kind.")]
    value: Annotated[Amount, Field(description="What is taken, in the field's own unit.")]
    why: Annotated[str, Field(description="Why, in a sentence.")]
    source: Annotated[str, Field(description='Where the figure comes from, or "our choice".')]
