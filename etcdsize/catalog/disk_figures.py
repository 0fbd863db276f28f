"""What follows from the rule of a kind of disk: what a disk sustains, and how much more can be bought for it.

Figures are computed as exact fractions of what is published. What depends on an unknown figure is unknown.
"""

import math
from fractions import Fraction

from etcdsize.base.checks import whole_number
from etcdsize.base.text import shown
from etcdsize.catalog.costs import cost_of_iops, cost_of_size, cost_of_throughput
from etcdsize.catalog.disk_rule import DiskRule, DiskSize, known
from etcdsize.catalog.figures import MB_PER_UNIT, check_amount, exact, exact_text, number
from etcdsize.errors import OptionError

__all__ = ["DiskFigures"]


class DiskFigures(DiskRule):
    """The figures of the disks of one kind."""

    @property
    def _smallest_size(self) -> int:
        return self.sizes[0].size_gib if self.sizes else self.min_size_gib or 1

    @property
    def _largest_size(self) -> int | None:
        if self.sizes or self.max_size_gib is None:
            return self.sizes[-1].size_gib if self.sizes else None
        least, step = self._smallest_size, self.size_step_gib
        return least + (self.max_size_gib - least) // step * step

    def _next_size(self, size_gib: int) -> int:
        """Return the smallest size that is sold and holds this much; it may be above the largest. [GiB]"""
        if self.sizes:
            return next((size.size_gib for size in self.sizes if size.size_gib >= size_gib), size_gib)
        least, step = self._smallest_size, self.size_step_gib
        return least + -(-max(size_gib - least, 0) // step) * step

    def _whole_size(self, size_gib: int) -> int:
        """Return a size that can be bought. [GiB]"""
        least, last, step = self._smallest_size, self._largest_size, self.size_step_gib
        # A disk between two of the sizes in which the kind is sold is billed as the larger.
        least = 1 if self.sizes else least
        whole = whole_number(size_gib)
        if whole is None or whole < least or (last is not None and whole > last) or (whole - least) % step:
            to = f" to {last}" if last is not None else ""
            steps = "" if step == 1 else f" in steps of {step}"
            raise OptionError(
                f"size_gib: got {shown(size_gib)}, expected whole GiB from {least}{to}{steps} for {self.kind}",
                option="size_gib",
                value=size_gib,
            )
        return whole

    def _sold_as(self, size_gib: int) -> DiskSize:
        """Return the size as which a disk is sold, of a kind that has sizes."""
        return next(size for size in self.sizes if size.size_gib >= size_gib)

    def _base_iops(self, size_gib: int | None, *, free: bool = False) -> Fraction | None:
        """Return the IOPS that a disk of a size has at least, or those without a charge; None is an unlimited size."""
        if self.sizes:
            return exact((self.sizes[-1] if size_gib is None else self._sold_as(size_gib)).concurrent_iops)
        included, per_gib, most = known(self.included_iops), known(self.iops_per_gib), known(self.max_iops)
        if included is None or per_gib is None or most is None:
            return None
        cap = most if self.max_base_iops is None else exact(self.max_base_iops)
        if size_gib is None and per_gib:
            return cap
        # Where none come with the size, the fewest that can be provisioned are charged for too.
        charged = free and self.iops_provisionable and not per_gib and not self.asks_for_bought
        floor = Fraction(0) if charged else exact(self.min_iops)
        return min(max(included + per_gib * (size_gib or 0), floor), cap)

    def _base_throughput(self, size_gib: int | None, iops: Fraction | None) -> Fraction | None:
        """Return the MB/s that come with a size and its IOPS; None is an unlimited size."""
        if self.sizes:
            return exact((self.sizes[-1] if size_gib is None else self._sold_as(size_gib)).disk_mb_per_second)
        included, per_gib = known(self.included_mb_per_second), known(self.mb_per_second_per_gib)
        per_iops, most = known(self.mb_per_second_per_iops), known(self.max_mb_per_second)
        by_iops = per_iops or self.mb_per_second_per_bought_iops
        if included is None or per_gib is None or per_iops is None or most is None or (by_iops and iops is None):
            return None
        cap = most if self.max_base_mb_per_second is None else exact(self.max_base_mb_per_second)
        if size_gib is None and per_gib:
            found = cap
        else:
            size = included + per_gib * (size_gib or 0) + per_iops * (iops or 0)
            found = min(max(size, exact(self.min_mb_per_second)), cap)
        if self.mb_per_second_per_bought_iops:
            bought = (iops or 0) - (self._base_iops(size_gib) or 0)
            found += exact(self.mb_per_second_per_bought_iops) * bought
        return min(found, most)

    def _least_throughput(self, size_gib: int | None, iops: Fraction | None) -> Fraction | None:
        """Return the least MB/s of a disk with these IOPS, which may be more than come with it."""
        base, ratio = self._base_throughput(size_gib, iops), self.min_mb_per_second_per_iops
        if base is None or not ratio:
            return base
        return None if iops is None else max(base, self._rounded_up(exact(ratio) * iops, base, self._unit))

    def _rounded_up(self, amount: Fraction, base: Fraction, unit: Fraction = Fraction(1)) -> Fraction:
        """Return an amount rounded up to one that can be bought: whole units, of all or of what is beyond the base."""
        start = base if self.asks_for_bought else Fraction(0)
        return start + math.ceil((amount - start) / unit) * unit

    def _rounded_down(self, amount: Fraction, base: Fraction, unit: Fraction = Fraction(1)) -> Fraction:
        """Return an amount rounded down to one that can be bought."""
        start = base if self.asks_for_bought else Fraction(0)
        return start + math.floor((amount - start) / unit) * unit

    @property
    def _unit(self) -> Fraction:
        """The unit in which throughput is bought. [MB/s]"""
        return MB_PER_UNIT[self.throughput_unit]

    def _sells_more(self, size_gib: int | None) -> bool:
        """Return whether more can be bought for a disk of a size; None is an unlimited size."""
        return size_gib is None or size_gib >= (self.min_bought_size_gib or 0)

    def _most_iops(self, size_gib: int | None) -> Fraction | None:
        """Return the most IOPS that a disk of a size sustains; None is an unlimited size."""
        base, cap = self._base_iops(size_gib), known(self.max_iops)
        if base is None or cap is None or not self._sells_more(size_gib):
            return base
        if self.iops_per_bought_mb_per_second:
            throughput = self._base_throughput(size_gib, base)
            most = self._most_throughput(size_gib, base)
            return base if throughput is None or most is None else self._iops_with(base, most - throughput)
        if not self.iops_provisionable:
            return base
        most = _limit(cap, self.max_iops_per_gib, size_gib, base, self.max_base_iops)
        return base if most is None else max(base, self._rounded_down(most, base))

    def _iops_with(self, base: Fraction, bought_mb_per_second: Fraction) -> Fraction:
        """Return the IOPS of a disk for which MB/s were bought that bring IOPS."""
        more = exact(self.iops_per_bought_mb_per_second) * bought_mb_per_second
        if self.max_iops is None:
            return base + more
        most = exact(self.max_iops)
        left = most if self.max_base_iops is None else most - exact(self.max_base_iops)
        return min(base + min(more, left), most)

    def _most_throughput(self, size_gib: int | None, iops: Fraction | None) -> Fraction | None:
        """Return the most MB/s that a disk of a size with these IOPS sustains; None is an unlimited size."""
        least, base = self._least_throughput(size_gib, iops), self._base_throughput(size_gib, iops)
        cap = known(self.max_mb_per_second)
        if least is None or base is None or cap is None:
            return least
        if not self.mb_per_second_provisionable or not self._sells_more(size_gib):
            return least
        if self.max_mb_per_second_per_iops is not None and iops is None:
            return None
        most = _limit(cap, self.max_mb_per_second_per_iops, iops, base, self.max_base_mb_per_second)
        if most is None:
            return least
        return max(least, self._rounded_down(most, base, self._unit))

    def _sustained(
        self, size_gib: int, provisioned_iops: float | None, provisioned_mb_per_second: float | None
    ) -> tuple[Fraction | None, Fraction | None]:
        """Return the IOPS and the MB/s that a disk sustains, after checking that it can be bought."""
        iops = self._base_iops(size_gib)
        if provisioned_iops is not None:
            asked = self._check_provisioned(
                "provisioned_iops",
                check_amount("provisioned_iops", provisioned_iops),
                iops,
                self._most_iops(size_gib) if self._limits_iops else None,
                self.iops_provisionable,
            )
            iops = None if iops is None else asked
        throughput = self._least_throughput(size_gib, iops)
        if provisioned_mb_per_second is not None:
            asked = self._check_provisioned(
                "provisioned_mb_per_second",
                check_amount("provisioned_mb_per_second", provisioned_mb_per_second),
                throughput,
                self._most_throughput(size_gib, iops) if self._limits_throughput else None,
                self.mb_per_second_provisionable,
            )
            if iops is not None and throughput is not None and self.iops_per_bought_mb_per_second:
                iops = self._iops_with(iops, asked - throughput)
            throughput = None if throughput is None else asked
        return iops, throughput

    def _cost(
        self, size_gib: int, provisioned_iops: float | None, provisioned_mb_per_second: float | None
    ) -> float | None:
        """Return what a disk costs per month; None where a part of the price is unknown."""
        iops, throughput = self._sustained(size_gib, provisioned_iops, provisioned_mb_per_second)
        if self.price is None:
            return None
        total = cost_of_size(self.price, size_gib)
        if total is None:
            return None
        base = self._base_throughput(size_gib, self._base_iops(size_gib))
        for provisionable, free, sustained, cost_of in (
            (self.iops_provisionable, self._base_iops(size_gib, free=True), iops, cost_of_iops),
            (self.mb_per_second_provisionable, base, throughput, cost_of_throughput),
        ):
            if provisionable:
                if free is None or sustained is None:
                    return None
                extra = cost_of(self.price, free, sustained)
                if extra is None:
                    return None
                total += extra
        return number(total)

    @property
    def _limits_iops(self) -> bool:
        """Whether it is known how many IOPS can be bought."""
        return None not in (self.included_iops, self.iops_per_gib, self.max_iops) and not (
            self.max_iops_per_gib is None and self.max_base_iops is None
        )

    @property
    def _limits_throughput(self) -> bool:
        """Whether it is known how much throughput can be bought."""
        return self.max_mb_per_second is not None and not (
            self.max_mb_per_second_per_iops is None and self.max_base_mb_per_second is None
        )

    def _check_provisioned(
        self, option: str, asked: Fraction, base: Fraction | None, most: Fraction | None, provisionable: bool
    ) -> Fraction:
        """Return an amount in whole units, or reject what cannot be bought."""
        least = base or Fraction(0)
        of_iops = option == "provisioned_iops"
        unit = Fraction(1) if of_iops else self._unit
        start = least if self.asks_for_bought else Fraction(0)
        # A float may be next to the whole number of units.
        whole = start + round((asked - start) / unit) * unit
        bought = whole if abs(whole - asked) <= asked / 10**9 else asked
        if provisionable and (bought == least or (most is not None and bought == whole and least <= bought <= most)):
            return bought
        name, units = ("IOPS", "IOPS") if of_iops else ("MB/s", self.throughput_unit)
        if not provisionable:
            expected = f"none: the {name} of {self.kind} come with the disk and cannot be provisioned"
        elif most is None:
            expected = (
                f"{exact_text(least)} {name}: how many more can be bought for this disk of {self.kind} is unknown"
            )
        else:
            expected = f"from {exact_text(least)} to {exact_text(most)} {name} for this disk of {self.kind}"
            if bought != whole:
                expected += f", in whole {units}"
        raise OptionError(
            f"{option}: got {exact_text(bought)}, expected {expected}", option=option, value=number(asked)
        )


def _limit(
    most: Fraction, ratio: float | None, of: Fraction | int | None, base: Fraction, most_base: float | None
) -> Fraction | None:
    """Return the most that can be provisioned, None where neither its ratio nor the most beyond the base is known."""
    if ratio is None and most_base is None:
        return None
    limits = [most]
    if ratio is not None and of is not None:
        limits.append(exact(ratio) * of)
    if most_base is not None:
        limits.append(base + most - exact(most_base))
    return min(limits)
