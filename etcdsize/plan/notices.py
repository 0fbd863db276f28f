"""The notices about settings and about a plan."""

from collections.abc import Iterable, Sequence

from etcdsize.base.notice import Notice, NoticeKind
from etcdsize.catalog.machines import Machine
from etcdsize.etcd.quota import SUGGESTED_QUOTA_BYTES
from etcdsize.units import format_number

__all__ = ["plan_notices", "settings_notices", "timing_notices"]

_DOCS = "etcd-io/website content/en/docs/v3.5/"
_FAQ = _DOCS + "faq.md"

SETTINGS_FOR_TIER = NoticeKind("settings-for-tier", "info", "our choice")
QUOTA_ABOVE_SUGGESTED = NoticeKind("quota-above-suggested", "beyond-guide", _DOCS + "dev-guide/limit.md")
MEMORY_ABOVE_MACHINE = NoticeKind("memory-above-machine", "beyond-guide", _FAQ)
MEMBERS_SHARE_HOST = NoticeKind("members-share-host", "warning", _FAQ)
LOOPBACK_ADDRESS = NoticeKind("loopback-address", "warning", _DOCS + "op-guide/clustering.md")
PLAIN_HTTP = NoticeKind("plain-http", "warning", _DOCS + "op-guide/security.md")
ZONES_NOT_SPREAD = NoticeKind("zones-not-spread", "warning", "our choice: more members in one zone than may fail")
ELECTION_NOT_MULTIPLE = NoticeKind(
    "election-not-multiple", "info", "etcd-io/etcd server/embed/config.go, ElectionTicks"
)


def settings_notices(
    quota_bytes: int, memory_gib: int, machines: Iterable[Machine], assumed: Sequence[str]
) -> tuple[Notice, ...]:
    """Return the notices about settings; `assumed` names the dimensions that were taken from the tier."""
    notices = []
    if assumed:
        notices.append(
            SETTINGS_FOR_TIER(
                f"The sizing does not know {' and '.join(assumed)}, so the settings are for the largest load of its "
                "tier."
            )
        )
    if quota_bytes > SUGGESTED_QUOTA_BYTES:
        notices.append(
            QUOTA_ABOVE_SUGGESTED(
                f"The quota of {quota_bytes / 2**30:g} GiB is above the maximum of 8 GiB that etcd suggests; etcd "
                "starts with a warning."
            )
        )
    short = [f"{m.machine_type} ({format_number(m.memory_gib)} GiB)" for m in machines if m.memory_gib < memory_gib]
    if short:
        notices.append(
            MEMORY_ABOVE_MACHINE(
                f"The process may use {memory_gib} GiB, more than the memory of {' and '.join(short)}."
            )
        )
    return tuple(notices)


def plan_notices(
    shared: Sequence[str], loopback: Sequence[str], plain: Sequence[str], crowded: str | None
) -> tuple[Notice, ...]:
    """Return the notices about a plan.

    `shared` names the hosts with several members, `loopback` the members that other machines cannot reach, `plain` the
    members that serve other machines without TLS, and `crowded` the zone whose failure stops the cluster.
    """
    notices = []
    if shared:
        notices.append(MEMBERS_SHARE_HOST(f"Several members are on {' and '.join(shared)}: they fail together."))
    if loopback:
        notices.append(
            LOOPBACK_ADDRESS(
                f"No other machine can reach {' and '.join(dict.fromkeys(loopback))}: a loopback address is advertised "
                "in a cluster of several hosts."
            )
        )
    if plain:
        notices.append(
            PLAIN_HTTP(
                "Without TLS, anyone on the network can read and write the data of "
                f"{' and '.join(dict.fromkeys(plain))}."
            )
        )
    if crowded is not None:
        notices.append(
            ZONES_NOT_SPREAD(
                f"If the zone {crowded} fails, the cluster loses its quorum: spread the members over three zones."
            )
        )
    return tuple(notices)


def timing_notices(heartbeat_ms: int, election_ms: int) -> tuple[Notice, ...]:
    """Return the notices about the heartbeat interval and the election timeout."""
    if election_ms % heartbeat_ms == 0:
        return ()
    return (
        ELECTION_NOT_MULTIPLE(
            f"etcd counts the election timeout in whole heartbeats: {election_ms} ms become "
            f"{election_ms // heartbeat_ms} heartbeats of {heartbeat_ms} ms."
        ),
    )
