"""The ways from one minor version of etcd to the next and back, and what etcd demands before."""

from typing import Annotated

from pydantic import Field

from etcdsize.base.model import Model, Name
from etcdsize.etcd.patch import Patch

__all__ = ["EtcdDowngrade", "EtcdUpgrade"]


class EtcdUpgrade(Model):
    """How the previous version is upgraded to a version."""

    version: Annotated[Name, Field(description="The previous minor version.")]
    patch: Annotated[Patch | None, Field(description="The oldest patch to upgrade from. None: the newest there is.")]
    older_patches: Annotated[str | None, Field(description="What is wrong with older patches. None: nothing known.")]
    checks_v2_store: Annotated[
        bool, Field(description="Whether `etcdutl check v2store` must first find no data of API version 2.")
    ]
    note: Annotated[str, Field(description="What else to know first.")]
    source: Annotated[str, Field(description="Its source.")]
    evidence: Annotated[str, Field(description="How we know it works: the patches it was run with, if any.")]


class EtcdDowngrade(Model):
    """How a version is downgraded to the previous version."""

    version: Annotated[Name, Field(description="The previous minor version.")]
    source: Annotated[str, Field(description="Its source.")]
    evidence: Annotated[str, Field(description="How we know it works: the patches it was run with, if any.")]
