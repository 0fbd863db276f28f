"""A disk as its provider's interface asks for it: a type, and whole numbers in the provider's own units."""

import math
from fractions import Fraction
from typing import Annotated

from pydantic import Field

from etcdsize.base.model import Model, Name, NotNegative, Positive
from etcdsize.catalog.figures import MB_PER_UNIT, ThroughputUnit, exact

__all__ = ["Volume"]


class Volume(Model):
    """What a disk is bought with, apart from its size."""

    kind: Annotated[Name, Field(description="The provider's name for the kind of disk, such as pd-ssd.")]
    type_name: Annotated[
        Name | None, Field(description="The name of the kind in the provider's interface. None: the same.")
    ] = None
    provisioned_iops: Annotated[
        Positive | None, Field(description="IOPS to provision. [1/s] None: those included.")
    ] = None
    included_iops: Annotated[
        NotNegative | None,
        Field(description="IOPS that are included, if more can be provisioned. [1/s] None: they come with the size."),
    ] = None
    provisioned_mb_per_second: Annotated[
        Positive | None, Field(description="Throughput to provision. [MB/s] None: that included.")
    ] = None
    included_mb_per_second: Annotated[
        NotNegative | None,
        Field(
            description="Throughput that is included, if more can be provisioned. [MB/s] None: it comes with the disk."
        ),
    ] = None
    throughput_unit: Annotated[
        ThroughputUnit, Field(description="The unit in which the provider counts throughput.")
    ] = "MB/s"
    asks_for_bought: Annotated[
        bool,
        Field(description="Whether the interface asks for what is bought beyond the disk's own figures."),
    ] = False

    @property
    def volume_type(self) -> str:
        """The name of the kind in the provider's interface, such as gp3 or PremiumV2_LRS."""
        return self.type_name or self.kind

    @property
    def volume_iops(self) -> int | None:
        """The IOPS to ask for. [1/s] None: the kind has no such setting.

        Those that are included are named too: some providers add others to a disk that names none, and charge for them.
        """
        iops = self._asked(self.provisioned_iops, self.included_iops)
        return None if iops is None else _whole(iops)

    @property
    def volume_throughput_mib_s(self) -> int | None:
        """The throughput to ask for. [MiB/s] None: the kind has no such setting, or the provider counts in MB/s."""
        return self._throughput("MiB/s")

    @property
    def volume_throughput_mb_s(self) -> int | None:
        """The throughput to ask for. [MB/s] None: the kind has no such setting, or the provider counts in MiB/s."""
        return self._throughput("MB/s")

    def _throughput(self, unit: ThroughputUnit) -> int | None:
        throughput = self._asked(self.provisioned_mb_per_second, self.included_mb_per_second)
        if throughput is None or unit != self.throughput_unit:
            return None
        return _whole(throughput / MB_PER_UNIT[unit])

    def _asked(self, provisioned: float | None, included: float | None) -> Fraction | None:
        """Return what the interface asks for: all of a figure, or what is bought of it; None is nothing."""
        if self.asks_for_bought:
            return None if provisioned is None else exact(provisioned) - exact(included or 0)
        amount = included if provisioned is None else provisioned
        return None if amount is None else exact(amount)


def _whole(units: Fraction) -> int:
    """Return a number of units as one that can be asked for. A float may be next to the whole number."""
    nearest = round(units)
    return nearest if abs(units - nearest) <= units / 10**9 else math.ceil(units)
