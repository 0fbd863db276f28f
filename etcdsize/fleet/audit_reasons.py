"""Why every cluster of a fleet has its verdict and its machine: the reasons of an audit, in arrays."""

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etcdsize.fleet.audit_columns import AuditColumns
from etcdsize.fleet.auditor import NO_MACHINE, NO_TIER
from etcdsize.fleet.bounds import MAY_BE_MORE
from etcdsize.fleet.kernel import INVALID
from etcdsize.fleet.load_fit import SHORT
from etcdsize.fleet.reasons import NOTES, reason_code, reason_text
from etcdsize.fleet.verdicts import BEYOND, OVER, RIGHT, UNDER, UNKNOWN

__all__ = ["AuditReasons"]


class AuditReasons(AuditColumns):
    """The columns of the audit of a fleet, with the reasons."""

    @functools.cached_property
    def reason_codes(self) -> NDArray[np.int64]:
        """The number of every cluster's reason, for `reason_text`; 0 for none. int64, shape (n,)

        The number does not say why a machine has no verdict if it is not in the catalog or has unknown figures.
        """
        auditor, bit = self.auditor, {name: note.bit for name, note in NOTES.items()}
        found = np.empty(len(self), np.int64)
        for rows in self._blocks():
            verdict, places = self.verdict_codes[rows], self._places(rows)
            under, over, right = verdict == UNDER, verdict == OVER, verdict == RIGHT
            here = found[rows]
            here.fill(0)
            invalid = self.tier_codes[rows] == INVALID
            np.copyto(here, bit["invalid"], where=invalid)
            if self._figures is not None:
                here |= np.multiply((self._figures.tiers[rows] != NO_TIER) & ~invalid, bit["figures"], dtype=np.int64)
            if self._bounds is not None:
                states = self._bounds.states[rows]
                more = MAY_BE_MORE[states]
                doubtful = (states != 0) & (right | ((verdict == UNKNOWN) & ~invalid))
                note = np.where(more, bit["maybe_more"], bit["maybe_less"]) + reason_code(0, 1) * states.astype(
                    np.int64
                )
                here |= np.where(doubtful, note, 0)
            if self._needs.tiers is not self._needs.loads:
                larger = (self.tier_codes[rows] > self._needs.loads[rows]) & ~invalid
                here |= np.multiply(larger & (verdict >= RIGHT), bit["nodes"], dtype=np.int64)
            here |= np.multiply(verdict == BEYOND, bit["beyond"], dtype=np.int64)
            here |= np.multiply(under & self._past_last_bound[rows], bit["past"], dtype=np.int64)
            if self._fit is not None:
                for name, short in SHORT.items():
                    here |= np.multiply((self._fit.short[rows] & short) != 0, bit[name], dtype=np.int64)
                here |= np.multiply(
                    right & self._fit.too_large[rows] & self._may_be_over(rows), bit["high"], dtype=np.int64
                )
            target = self._target(rows)
            needed = np.minimum(self.tier_codes[rows], len(auditor.tiers.tiers) - 1)
            codes = np.minimum(self.recommended_codes[rows], len(auditor.machines)).astype(np.intp)
            market = self._market(rows)
            own, usual = auditor.identities[codes], auditor.usual(market, places, needed)
            differs = own != usual
            in_doubt = self._fit is not None and self._fit.may_outgrow[rows]
            keeps = right & differs & (own != 0)
            change = under | over
            none = codes == len(auditor.machines)
            in_catalog = self.machine_codes[rows] != NO_MACHINE
            here |= np.multiply(change & none & in_catalog, bit["none"], dtype=np.int64)
            here |= np.multiply(change & auditor.limit_unknown[codes], bit["limit"], dtype=np.int64)
            current = np.minimum(auditor.own_codes[places], len(auditor.machines))
            stays = under & ~none & (codes == current)
            # The machine of a tier is another one than the catalog's of the same type: it has a disk.
            here |= np.multiply(over & ~none & (own == auditor.identities[current]), bit["smallest"], dtype=np.int64)
            keeps |= stays & differs
            here |= np.multiply(keeps, np.where(in_doubt, bit["stays"], bit["kept"]), dtype=np.int64)
            change &= differs & ~none & ~stays
            other = change & (target != needed)
            here |= np.multiply(other & over, bit["margin"], dtype=np.int64)
            if self._fit is not None:
                # What does not fit is named already.
                other &= under & ~self._fit.needs_machine[rows]
                here |= np.multiply(other, bit["larger"], dtype=np.int64)
            here |= np.multiply(change & (own != auditor.usual(market, places, target)), bit["arch"], dtype=np.int64)
        found.flags.writeable = False
        return found

    @functools.cached_property
    def doubt_codes(self) -> NDArray[np.int64]:
        """The number of what fits only the low end of the measured model, for `reason_text`. int64, shape (n,)

        It is 0 if nothing is in doubt. The figures of a machine that is to be replaced do not count.
        """
        found = np.zeros(len(self), np.int64)
        if self._fit is None:
            return found
        for rows in self._blocks():
            verdict, codes = self.verdict_codes[rows], self.recommended_codes[rows]
            own = self.auditor.own_codes[self._places(rows)]
            keeps = (verdict == BEYOND) | (verdict == RIGHT) | ((codes == own) & (codes != NO_MACHINE))
            found[rows] = np.where(keeps, self._fit.doubt[rows], self._fit.other_doubt[rows])
            found[rows][verdict == UNKNOWN] = 0
        found.flags.writeable = False
        return found

    def _may_be_over(self, rows: slice) -> NDArray[np.bool_]:
        """Return where the guide's figures alone make a machine too large."""
        larger: NDArray[np.bool_] = self._has(rows, self._places(rows)) > self._needs.roomy[rows].view(np.int8)
        return larger

    @functools.cached_property
    def reasons(self) -> NDArray[np.object_]:
        """Why every cluster has its verdict and its machine, empty where that is plain. Array of str, shape (n,)"""
        found, places = _distinct(self.reason_codes, self.doubt_codes)
        texts = np.array([reason_text(code, self.auditor.margin, doubt) for code, doubt in found], object)
        reasons: NDArray[np.object_] = texts[places] if len(texts) else np.empty(0, object)
        for position in np.flatnonzero(self.unjudged):
            name = None if self._names is None else self._names[position]
            problem = self.auditor.reason_unknown(name, int(self.machine_codes[position]))
            reasons[position] = "; ".join(filter(None, (reasons[position], problem)))
        return reasons

    @functools.cached_property
    def unjudged(self) -> NDArray[np.bool_]:
        """Where the verdict is unknown, and too little is known of the machine to give one."""
        unjudged: NDArray[np.bool_] = (self.verdict_codes == UNKNOWN) & (self._machine_tiers == NO_TIER)
        return unjudged


def _distinct(codes: NDArray[np.int64], others: NDArray[np.int64]) -> tuple[list[tuple[int, int]], NDArray[Any]]:
    """Return the distinct pairs of two columns, and the place of each row's among them."""
    first, places = np.unique(codes, return_inverse=True)
    if not others.any():
        return [(code, 0) for code in first.tolist()], places
    second, of = np.unique(others, return_inverse=True)
    pairs, places = np.unique(places * len(second) + of, return_inverse=True)
    return [*zip(first[pairs // len(second)].tolist(), second[pairs % len(second)].tolist())], places
