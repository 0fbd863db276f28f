"""Compare the machine of every cluster with its load: `audit` returns a `FleetAudit`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from etcdsize.base.checks import one_of
from etcdsize.catalog.catalog import Catalog, load_catalog
from etcdsize.errors import InvalidWorkloadError, OptionError
from etcdsize.fleet.auditor import NO_MACHINE, Auditor
from etcdsize.fleet.classify import look_up_codes
from etcdsize.fleet.fleet_audit import FleetAudit
from etcdsize.fleet.kernel import Codes
from etcdsize.fleet.loads import classify_arrays, fleet_codes, fleet_columns
from etcdsize.sizing.options import headroom_of, margin_of, members_of, tiers_of
from etcdsize.tiers import TierTable

__all__ = ["audit", "audit_codes"]


def audit_codes(
    auditor: Auditor,
    machine_codes: NDArray[np.uint16],
    columns: Sequence[NDArray[Any] | None],
    tier_codes: Codes,
    unknown: Sequence[NDArray[np.bool_] | None] = (None, None, None),
    names: NDArray[Any] | None = None,
) -> FleetAudit:
    """Return the audit of clusters whose machines and tiers are given as indices. The arguments are not checked."""
    roomy = np.empty(tier_codes.shape, np.uint8)
    classify_arrays(columns, roomy.shape, roomy, auditor.tiers, auditor.margin_headroom, None)
    return FleetAudit(auditor, machine_codes, tier_codes, roomy, columns, unknown, names)


def audit(
    machine_types: ArrayLike,
    clients: ArrayLike | None,
    requests_per_second: ArrayLike | None,
    data_bytes: ArrayLike | None,
    *,
    provider: str | None = None,
    catalog: str | Path | Catalog = "current",
    tiers: str | Path | TierTable = "guide",
    headroom: float = 0.0,
    margin: float = 0.2,
    members: int = 3,
    on_invalid: str = "raise",
) -> FleetAudit:
    """Return whether the machines that clusters run on are too small, right or too big.

    A machine counts as the largest tier that it is enough for by its sustained performance (see `fit`). A cluster is
    `under` as soon as its load exceeds a bound of that tier. It is `over` only if it would fit a smaller tier with a
    margin to spare, so that a resize does not have to be undone the next day.

    Parameters
    ----------
    machine_types : array_like of str, shape (n,)
        The provider's name for the machine that each cluster's members run on.
    clients : array_like, shape (n,), or None
        Concurrent client connections. [count] Scalars broadcast; None means unknown.
    requests_per_second : array_like, shape (n,), or None
        Requests per second. [1/s]
    data_bytes : array_like, shape (n,), or None
        Data stored. [bytes]
    provider : str, optional
        The provider of every machine; None looks up a machine type in the whole catalog.
    catalog : str, Path or Catalog
        The machines in use, and the ones to recommend.
    tiers, headroom, members
        As for `size`.
    margin : float
        The headroom that a smaller tier must still have before a cluster is reported as `over`, in [0, 1).
    on_invalid : {"raise", "mark"}
        Whether a load that cannot be sized or an unknown machine raises, or is marked `unknown`.

    Raises
    ------
    InvalidWorkloadError, WorkloadTypeError, OptionError
        As for `size_fleet`. `InvalidWorkloadError` is also raised for a machine that is not in the catalog; it suggests
        the nearest name.

    Notes
    -----
    Price differences are for the machines of all members in one region; disks are not included.

    Examples
    --------
    >>> fleet = audit(["m6a.large", "m6a.4xlarge", "m6a.large"], [70, 70, 400], 150, 80e6)
    >>> fleet.verdicts.tolist()
    ['right', 'over', 'under']
    >>> fleet.recommended_machines.tolist()
    ['m6a.large', 'm6a.large', 'm6a.xlarge']
    >>> one = fleet[2]
    >>> one.decided_by, one.utilization, one.tier
    ('clients', 4.0, 'medium')
    """
    one_of("on_invalid", on_invalid, ("raise", "mark"))
    auditor = Auditor(
        catalog if isinstance(catalog, Catalog) else load_catalog(catalog),
        tiers_of(tiers),
        provider=provider,
        headroom=headroom_of(headroom),
        margin=margin_of(margin),
        members=members_of(members),
    )
    names = np.asarray(machine_types)
    if names.dtype.kind not in "OUT":
        raise OptionError(
            f"machine_types: got dtype {names.dtype}, expected names of machines", option="machine_types", value=None
        )
    columns, shape = fleet_columns((clients, requests_per_second, data_bytes), ("machine_types", names.shape))
    needs = fleet_codes(columns, shape, auditor.tiers, auditor.headroom, on_invalid)
    names = np.broadcast_to(names, shape)
    codes = look_up_codes(names, auditor.code_of, np.uint16)
    if on_invalid == "raise" and len(codes) and codes.max() == NO_MACHINE:
        index = int((codes == NO_MACHINE).argmax())
        count = int(np.count_nonzero(codes == NO_MACHINE))
        raise InvalidWorkloadError(
            f"machine_types[{index}]: {auditor.unknown_machine(names[index])}"
            f'{"" if count == 1 else f" ({count} clusters)"}; on_invalid="mark" audits the rest',
            dimension="machine_types",
            index=index,
            value=str(names[index]),
            count=count,
        )
    return audit_codes(auditor, codes, columns, needs, names=names)
