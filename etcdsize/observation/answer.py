"""The answer for one running cluster: what was observed, and what it needs."""

from typing import Annotated

from pydantic import Field

from etcdsize.base.model import Answer
from etcdsize.observation.model import Observation
from etcdsize.sizing.answer import Sizing

__all__ = ["ObservedCluster"]


class ObservedCluster(Answer):
    """The load of a running cluster, and what it needs."""

    observation: Annotated[Observation, Field(description="The load of the cluster, as its members report it.")]
    sizing: Annotated[Sizing | None, Field(description="What the cluster needs. None: nothing is known of its load.")]
