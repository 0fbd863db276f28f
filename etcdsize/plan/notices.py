"""What to beware of in settings and in a plan."""

from collections.abc import Iterable, Sequence

from etcdsize.base.notice import Notice
from etcdsize.catalog.machines import Machine
from etcdsize.etcd.quota import SUGGESTED_QUOTA_BYTES
from etcdsize.units import format_number

__all__ = ["plan_notices", "settings_notices", "timing_notices"]

_DOCS = "etcd-io/website content/en/docs/v3.5/"
_LIMITS = _DOCS + "dev-guide/limit.md"
_FAQ = _DOCS + "faq.md"


def settings_notices(
    quota_bytes: int, memory_gib: int, machines: Iterable[Machine], assumed: Sequence[str]
) -> tuple[Notice, ...]:
    """Return what is to be said of settings; `assumed` names the dimensions that were taken from the tier."""
    notices = []
    if assumed:
        notices.append(
            Notice(
                code="settings-for-tier",
                severity="info",
                text=f"The sizing does not know {' and '.join(assumed)}, so the settings are for the most that its "
                "tier takes.",
                source="our choice",
            )
        )
    if quota_bytes > SUGGESTED_QUOTA_BYTES:
        notices.append(
            Notice(
                code="quota-above-suggested",
                severity="beyond-guide",
                text=f"The quota of {quota_bytes / 2**30:g} GiB is above the 8 GiB that etcd suggests as the most; "
                "etcd warns and starts.",
                source=_LIMITS,
            )
        )
    short = [f"{m.machine_type} ({format_number(m.memory_gib)} GiB)" for m in machines if m.memory_gib < memory_gib]
    if short:
        notices.append(
            Notice(
                code="memory-above-machine",
                severity="beyond-guide",
                text=f"The process may take {memory_gib} GiB, more than the memory of {' and '.join(short)}.",
                source=_FAQ,
            )
        )
    return tuple(notices)


def plan_notices(
    shared: Sequence[str], loopback: Sequence[str], plain: Sequence[str], crowded: str | None
) -> tuple[Notice, ...]:
    """Return what is to be said of a plan.

    `shared` names the hosts of several members, `loopback` the members that no other machine reaches, `plain` those
    that talk without TLS to other machines, `crowded` the zone whose failure stops the cluster.
    """
    notices = []
    if shared:
        notices.append(
            Notice(
                code="members-share-host",
                severity="warning",
                text=f"Several members are on {' and '.join(shared)}: they fail together.",
                source=_FAQ,
            )
        )
    if loopback:
        notices.append(
            Notice(
                code="loopback-address",
                severity="warning",
                text=f"No other machine reaches {' and '.join(dict.fromkeys(loopback))}: a loopback address is "
                "advertised in a cluster of several hosts.",
                source=_DOCS + "op-guide/clustering.md",
            )
        )
    if plain:
        notices.append(
            Notice(
                code="plain-http",
                severity="warning",
                text=f"Without TLS anybody on the network reads and writes the data of "
                f"{' and '.join(dict.fromkeys(plain))}.",
                source=_DOCS + "op-guide/security.md",
            )
        )
    if crowded is not None:
        notices.append(
            Notice(
                code="zones-not-spread",
                severity="warning",
                text=f"The zone {crowded} has so many members that the cluster stops when it fails: spread them over "
                "three zones.",
                source="our choice: more members in one zone than may fail",
            )
        )
    return tuple(notices)


def timing_notices(heartbeat_ms: int, election_ms: int) -> tuple[Notice, ...]:
    """Return what is to be said of heartbeat and election."""
    if election_ms % heartbeat_ms == 0:
        return ()
    return (
        Notice(
            code="election-not-multiple",
            severity="info",
            text=f"etcd counts the election timeout in heartbeats: {election_ms} ms are "
            f"{election_ms // heartbeat_ms} of {heartbeat_ms} ms.",
            source="etcd-io/etcd server/embed/config.go, ElectionTicks",
        ),
    )
