"""The notices about settings and about a plan."""

from collections.abc import Iterable, Mapping, Sequence

from etcdsize.base.notice import Notice, NoticeKind
from etcdsize.base.text import in_words, nearest, shown
from etcdsize.catalog.machines import Machine
from etcdsize.etcd.flag import Value
from etcdsize.etcd.flags import is_deprecated
from etcdsize.etcd.versions import EtcdVersion, load_versions, replacement_of
from etcdsize.fitting.need import Need
from etcdsize.resources.resources import Resources
from etcdsize.units import format_number

__all__ = ["election_notices", "flag_notices", "memory_notices", "plan_notices", "timing_notices"]

_DOCS = "etcd-io/website content/en/docs/v3.5/"
_FAQ = _DOCS + "faq.md"

ELECTION_BELOW_RTT = NoticeKind("election-below-rtt", "warning", _DOCS + "tuning.md")
UNKNOWN_FLAG = NoticeKind("unknown-flag", "warning", "our choice")
DEPRECATED_FLAG = NoticeKind("deprecated-flag", "warning", "etcd-io/etcd server/etcdmain/config.go")
UNSAFE_FLAG = NoticeKind("unsafe-flag", "warning", "etcd-io/etcd server/embed/config.go")
MEMORY_ABOVE_MACHINE = NoticeKind("memory-above-machine", "beyond-guide", _FAQ)
MEMBERS_SHARE_HOST = NoticeKind("members-share-host", "warning", _FAQ)
LOOPBACK_ADDRESS = NoticeKind("loopback-address", "warning", _DOCS + "op-guide/clustering.md")
PLAIN_HTTP = NoticeKind("plain-http", "warning", _DOCS + "op-guide/security.md")
ZONES_NOT_SPREAD = NoticeKind("zones-not-spread", "warning", "our choice: more members in one zone than may fail")
ELECTION_NOT_MULTIPLE = NoticeKind(
    "election-not-multiple", "info", "etcd-io/etcd server/embed/config.go, ElectionTicks"
)


def memory_notices(need: Need, machines: Iterable[Machine], resources: Resources) -> tuple[Notice, ...]:
    """Return the notice about machines with less memory than the load needs, with what helps more than a larger one."""
    short = [
        f"{m.machine_type} ({format_number(m.memory_gib)} GiB)" for m in machines if m.memory_gib < need.memory_gib
    ]
    if not short:
        return ()
    advice = [one.text for one in resources.advice if one.figure == "memory.limit_bytes"]
    return (
        MEMORY_ABOVE_MACHINE(
            f"The load needs {format_number(need.memory_gib)} GiB of memory ({need.because['memory_gib']}), more than "
            f"{in_words(short)}.{''.join(f' {text}' for text in advice)}"
        ),
    )


def election_notices(election_ms: int, rtt_ms: float | None, rtts_per_election: int) -> tuple[Notice, ...]:
    """Return the notice about an election timeout that the user chose and that does not suit the network."""
    if rtt_ms is None or election_ms >= rtts_per_election * rtt_ms:
        return ()
    return (
        ELECTION_BELOW_RTT(
            f"The election timeout of {election_ms} ms is below ten round-trip times of {format_number(rtt_ms)} ms: "
            "members may start elections although the leader is alive."
        ),
    )


def flag_notices(version: EtcdVersion, flags: Mapping[str, Value]) -> tuple[Notice, ...]:
    """Return the notices about flags that a user may set: unknown, deprecated or unsafe ones."""
    known = load_versions().flags_by_name
    notices = []
    for name, value in flags.items():
        if name not in known:
            hint = nearest(name, [flag.name for flag in version.flags])
            notices.append(
                UNKNOWN_FLAG(
                    f"Our table of etcd {version} has no flag {shown(name)}, so it is passed through unchecked. etcd "
                    "does not start with an unknown flag, and ignores an unknown environment variable"
                    f"{hint or '.'}"
                )
            )
        elif is_deprecated(version, known[name]):
            instead = replacement_of(version, known[name], is_on=value is not False)
            notices.append(
                DEPRECATED_FLAG(
                    f"etcd {version} warns that --{name} is deprecated{f'; use {instead} instead.' if instead else '.'}"
                )
            )
        elif name == "unsafe-no-fsync" and value is True:
            notices.append(
                UNSAFE_FLAG("With --unsafe-no-fsync, a member that crashes loses writes that it has acknowledged.")
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
        notices.append(MEMBERS_SHARE_HOST(f"Several members are on {in_words(shared)}: they fail together."))
    if loopback:
        notices.append(
            LOOPBACK_ADDRESS(
                f"No other machine can reach {in_words(dict.fromkeys(loopback))}: a loopback address is advertised "
                "in a cluster of several hosts."
            )
        )
    if plain:
        notices.append(
            PLAIN_HTTP(
                f"Without TLS, anyone on the network can read and write the data of {in_words(dict.fromkeys(plain))}."
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
