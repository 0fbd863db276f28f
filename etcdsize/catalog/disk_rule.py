"""The rule of one kind of network disk: its figures, and the limits of what can be bought.

An unverified figure is None, never 0, and so is everything that depends on it.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from etcdsize.base.model import Model, Name, NotNegative, Positive
from etcdsize.catalog.costs import DiskPrice
from etcdsize.catalog.figures import MB_PER_UNIT, ThroughputUnit, exact
from etcdsize.catalog.providers import Provider
from etcdsize.catalog.write_latency import WriteLatency
from etcdsize.errors import TableError

__all__ = ["DiskRule", "DiskSize", "NitroLimits", "known"]


class DiskSize(Model):
    """A size in which a kind of disk is sold, with the figures of its own."""

    size_gib: Annotated[int, Field(strict=True, gt=0, description="The size. [GiB]")]
    name: Annotated[Name | None, Field(description="The provider's name for it, such as P10.")] = None
    concurrent_iops: Annotated[Positive, Field(description="Concurrent disk operations that it sustains. [1/s]")]
    disk_mb_per_second: Annotated[Positive, Field(description="Throughput that it sustains. [MB/s]")]


class NitroLimits(Model):
    """The limits of a kind of disk on machines of AWS's Nitro system, where they are higher than on others."""

    max_iops: Annotated[Positive, Field(description="The most IOPS of a disk. [1/s]")]
    max_iops_per_gib: Annotated[
        Positive, Field(description="The most IOPS that can be provisioned for each GiB. [1/s]")
    ]


class DiskRule(Model):
    """The figures of one kind of network disk, and the limits of what can be provisioned."""

    provider: Annotated[Provider, Field(description="The provider that sells it.")]
    kind: Annotated[Name, Field(description="The provider's name for it, such as gp3.")]
    type_name: Annotated[
        Name | None, Field(description="Its name in the provider's interface, such as PremiumV2_LRS. None: the same.")
    ] = None
    media: Annotated[Literal["ssd", "hdd"], Field(description="What it is made of.")]
    min_size_gib: Annotated[
        int | None, Field(strict=True, gt=0, description="The smallest size. [GiB] None: unknown, not checked.")
    ] = None
    max_size_gib: Annotated[
        int | None, Field(strict=True, gt=0, description="The largest size. [GiB] None: unknown, not checked.")
    ] = None
    size_step_gib: Annotated[
        int, Field(strict=True, gt=0, description="The step from one size to the next, from the smallest on. [GiB]")
    ] = 1
    sizes: Annotated[
        tuple[DiskSize, ...],
        Field(
            description="The sizes in which it is sold, each with its own figures, in rising order. A disk between two "
            "of them has the figures and the price of the larger. Empty: any size, with the figures below."
        ),
    ] = ()
    included_iops: Annotated[
        NotNegative | None, Field(description="IOPS of each disk, whatever its size. [1/s] None: unknown.")
    ] = None
    iops_per_gib: Annotated[
        NotNegative | None,
        Field(
            description="IOPS that come with each GiB. [1/s] None: unknown, or 0 where the fewest and the most agree."
        ),
    ] = None
    min_iops: Annotated[
        NotNegative,
        Field(
            description="The fewest IOPS of a disk: the least that come with a size, or, where none come with the "
            "size, the fewest that can be provisioned, unless throughput comes with those that are bought. [1/s]"
        ),
    ] = 0
    max_base_iops: Annotated[
        Positive | None,
        Field(
            description="The most IOPS that come with a disk; beyond them as many can be bought as are left up to "
            "max_iops. [1/s] None: max_iops."
        ),
    ] = None
    max_iops: Annotated[Positive | None, Field(description="The most IOPS of a disk. [1/s] None: unknown.")] = None
    iops_provisionable: Annotated[bool, Field(description="Whether more IOPS can be provisioned.")] = False
    max_iops_per_gib: Annotated[
        Positive | None, Field(description="The most IOPS that can be provisioned for each GiB. [1/s] None: unknown.")
    ] = None
    nitro: Annotated[
        NitroLimits | None, Field(description="Its limits on machines of AWS's Nitro system. None: the same.")
    ] = None
    included_mb_per_second: Annotated[
        NotNegative | None, Field(description="Throughput of each disk, whatever its size. [MB/s] None: unknown.")
    ] = None
    mb_per_second_per_gib: Annotated[
        NotNegative | None,
        Field(
            description="Throughput that comes with each GiB. [MB/s] None: unknown, or 0 where the least and the most "
            "agree."
        ),
    ] = None
    mb_per_second_per_iops: Annotated[
        NotNegative | None,
        Field(
            description="Throughput that comes with each IOPS. [MB/s] None: unknown, or 0 where the least and the most "
            "agree."
        ),
    ] = None
    mb_per_second_per_bought_iops: Annotated[
        NotNegative, Field(description="Throughput that comes with each IOPS beyond those of the disk. [MB/s]")
    ] = 0
    min_mb_per_second: Annotated[NotNegative, Field(description="The least throughput of a disk. [MB/s]")] = 0
    max_base_mb_per_second: Annotated[
        Positive | None,
        Field(
            description="The most throughput that comes with a disk; beyond it as much can be bought as is left up to "
            "max_mb_per_second. [MB/s] None: max_mb_per_second."
        ),
    ] = None
    max_mb_per_second: Annotated[
        Positive | None, Field(description="The most throughput of a disk. [MB/s] None: unknown.")
    ] = None
    mb_per_second_provisionable: Annotated[bool, Field(description="Whether more throughput can be provisioned.")] = (
        False
    )
    min_mb_per_second_per_iops: Annotated[
        NotNegative,
        Field(description="The least throughput that has to be provisioned for each IOPS. [MB/s]"),
    ] = 0
    max_mb_per_second_per_iops: Annotated[
        Positive | None,
        Field(description="The most throughput that can be provisioned for each IOPS. [MB/s] None: unknown."),
    ] = None
    iops_per_bought_mb_per_second: Annotated[
        NotNegative, Field(description="IOPS that come with each MB/s beyond those of the disk. [1/s]")
    ] = 0
    min_bought_size_gib: Annotated[
        int | None, Field(strict=True, gt=0, description="The smallest disk for which more can be bought. [GiB]")
    ] = None
    throughput_unit: Annotated[
        ThroughputUnit,
        Field(description="The unit in which the provider counts throughput; only whole units can be bought."),
    ] = "MB/s"
    bursts: Annotated[
        str | None, Field(description="What it reaches in a burst, which never counts. None: it does not burst.")
    ] = None
    write_latency: Annotated[
        WriteLatency | None, Field(description="How long a write takes, as published or measured. None: unknown.")
    ] = None
    price: Annotated[DiskPrice | None, Field(description="None: unknown.")] = None
    source: Annotated[str, Field(description="Where the rule comes from.")] = ""

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, fields: Any) -> Any:
        """Take a figure by GiB or by IOPS that is left out as 0 where the disk has the same whatever its size."""
        if not isinstance(fields, Mapping):
            return fields
        completed = dict(fields)
        for least, floor, most, per in _CONSTANTS:
            bounds = (fields.get(least), fields.get(most))
            # A floor at the cap is all there is.
            if None not in bounds and fields.get(most) in (fields.get(least), fields.get(floor)):
                completed.update({name: 0 for name in per if fields.get(name) is None})
        return completed

    @model_validator(mode="after")
    def _check(self) -> "DiskRule":
        if self.sizes:
            self._check_sizes()
        if self.min_size_gib is not None and self.max_size_gib is not None and self.min_size_gib > self.max_size_gib:
            raise TableError(f"got {self.max_size_gib}, expected min_size_gib or more", field="max_size_gib")
        least = max(self.min_iops, self.included_iops or 0)
        if self.max_iops is not None and self.max_iops < least:
            raise TableError(f"got {self.max_iops}, expected min_iops and included_iops or more", field="max_iops")
        if self.max_mb_per_second is not None and self.max_mb_per_second < max(
            self.included_mb_per_second or 0, self.min_mb_per_second
        ):
            raise TableError(
                f"got {self.max_mb_per_second}, expected included_mb_per_second or more", field="max_mb_per_second"
            )
        self._check_base()
        self._check_ways()
        for least_name, _, most, per in _CONSTANTS:
            missing = [name for name in per if getattr(self, name) is None]
            if missing and None not in (getattr(self, least_name), getattr(self, most)):
                raise TableError(
                    f"missing, although {least_name} and {most} differ; expected the figure, 0 where there is none",
                    field=missing[0],
                )
        return self

    def _check_sizes(self) -> None:
        ends = [size.size_gib for size in self.sizes]
        if ends != sorted(set(ends)):
            raise TableError("expected sizes whose size_gib rises", field="sizes")
        for figure in ("concurrent_iops", "disk_mb_per_second"):
            values = [getattr(size, figure) for size in self.sizes]
            if values != sorted(values):
                raise TableError(f"expected sizes whose {figure} does not fall", field="sizes")
        for name, field in type(self).model_fields.items():
            if name in _FIGURES and getattr(self, name) != field.default:
                raise TableError("cannot stand beside sizes, which have their own figures", field=name)

    def _check_base(self) -> None:
        """Reject a limit of what comes with a disk that contradicts the limits of the disk."""
        for base, least, most in (
            ("max_base_iops", max(self.min_iops, self.included_iops or 0), "max_iops"),
            (
                "max_base_mb_per_second",
                max(self.min_mb_per_second, self.included_mb_per_second or 0),
                "max_mb_per_second",
            ),
        ):
            value, cap = getattr(self, base), getattr(self, most)
            if value is not None and (value < least or (cap is not None and value > cap)):
                raise TableError(f"got {value}, expected from {least} to {most}", field=base)

    def _check_ways(self) -> None:
        """Reject ways to more IOPS or throughput that no single cheapest purchase would follow from."""
        if self.mb_per_second_per_iops and (self.mb_per_second_provisionable or self.mb_per_second_per_bought_iops):
            raise TableError(
                "throughput comes with every IOPS, with those bought, or can be provisioned; expected one of these",
                field="mb_per_second_per_iops",
            )
        for figure, way, excluded, base in (
            ("mb_per_second_per_bought_iops", "iops_provisionable", "mb_per_second_provisionable", "max_base_iops"),
            (
                *("iops_per_bought_mb_per_second", "mb_per_second_provisionable"),
                *("iops_provisionable", "max_base_mb_per_second"),
            ),
            ("min_mb_per_second_per_iops", "mb_per_second_provisionable", "", ""),
        ):
            if getattr(self, figure):
                if not getattr(self, way) or (base and getattr(self, base) is None):
                    raise TableError(f"expected {way}{' and ' * bool(base)}{base} with it", field=figure)
                if excluded and getattr(self, excluded):
                    raise TableError(f"cannot be used with {excluded}", field=figure)
        self._check_forced()

    def _check_forced(self) -> None:
        """Reject a least throughput of the IOPS that what can be bought does not reach."""
        name, least, most = (
            "min_mb_per_second_per_iops",
            self.min_mb_per_second_per_iops,
            self.max_mb_per_second_per_iops,
        )
        if not least:
            return
        # Then whole units between the least and the most are left wherever the least is above what is included.
        if exact(self.included_mb_per_second or 0) < MB_PER_UNIT[self.throughput_unit]:
            raise TableError(f"expected included_mb_per_second of 1 {self.throughput_unit} or more with it", field=name)
        if most is not None and 2 * exact(least) > exact(most):
            raise TableError("expected half of max_mb_per_second_per_iops or less", field=name)
        forced, cap = exact(least) * exact(self.max_iops or 0), self.max_mb_per_second
        if cap is not None and forced > exact(cap):
            raise TableError("expected no more for max_iops than max_mb_per_second", field=name)

    def on_nitro(self) -> Self:
        """Return the rule as it is for machines of AWS's Nitro system; the same where there is no difference."""
        return self if self.nitro is None else self.model_copy(update=dict(self.nitro))

    @property
    def asks_for_bought(self) -> bool:
        """Whether the provider's interface asks for what is bought beyond a disk's own figures, not for their sum.

        It does where what is bought brings something else, because only whole units of it are sold.
        """
        return bool(self.mb_per_second_per_bought_iops or self.iops_per_bought_mb_per_second)


# The least, the floor and the most of a figure, and what says how it grows.
_CONSTANTS = (
    ("included_iops", "min_iops", "max_iops", ("iops_per_gib",)),
    (
        "included_mb_per_second",
        "min_mb_per_second",
        "max_mb_per_second",
        ("mb_per_second_per_gib", "mb_per_second_per_iops"),
    ),
)
_FIGURES = {name for name in DiskRule.model_fields if "iops" in name or "mb_per_second" in name} | {
    *("min_size_gib", "max_size_gib", "size_step_gib", "min_bought_size_gib"),
}


def known(value: float | None) -> Fraction | None:
    """Return a figure as an exact fraction, or None if it is unknown."""
    return None if value is None else exact(value)
