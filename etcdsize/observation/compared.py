"""Figures of a member beside those of the measured model."""

from typing import Annotated, Literal

from pydantic import Field

from etcdsize.base.model import Model, NotNegative
from etcdsize.resources.amount import Amount

__all__ = ["ComparedFigure", "ModelledFigure", "ModelledMember", "Verdict"]

Verdict = Literal["below", "within", "above"]
ModelledFigure = Literal["heap_bytes", "resident_bytes", "data_bytes", "total_bytes"]


class ComparedFigure(Model):
    """A measured figure, and the range that the model gives for the same load."""

    measured: Annotated[NotNegative, Field(description="What the member reports.")]
    low: Annotated[NotNegative, Field(description="The least by the model.")]
    likely: Annotated[NotNegative, Field(description="What is likely by the model.")]
    high: Annotated[NotNegative, Field(description="The most by the model.")]

    verdict: Annotated[Verdict, Field(description="Where the measured figure lies: in the range or not.")]


class ModelledMember(Model):
    """What the measured model gives for one member with the observed load. None: unknown."""

    etcd_version: Annotated[str, Field(description="The version of etcd that the model is for.")]
    memory_limit_bytes: Annotated[NotNegative, Field(description="The memory limit to set for this load. [bytes]")]
    heap_bytes: Annotated[
        ComparedFigure | None, Field(description="The heap, without lists that are being sent. [bytes]")
    ] = None
    resident_bytes: Annotated[
        ComparedFigure | None,
        Field(description="The memory of the process, without lists, with the file as far as it is mapped. [bytes]"),
    ] = None
    data_bytes: Annotated[
        ComparedFigure | None, Field(description="The part of the file in use: keys and their history. [bytes]")
    ] = None
    total_bytes: Annotated[ComparedFigure | None, Field(description="The file. [bytes]")] = None
    watch_streams_bytes: Annotated[
        Amount | None,
        Field(description="What its watch streams take of memory, without TLS and with it, without garbage. [bytes]"),
    ] = None
    defragment_seconds: Annotated[
        Amount | None,
        Field(description="How long its defragmentation takes, in which it serves nothing, over usual disks. [s]"),
    ] = None
