"""The notices about a version of etcd."""

from etcdsize.base.notice import Notice, NoticeKind
from etcdsize.etcd.versions import NOT_RUN, EtcdVersion

__all__ = ["version_notices"]

OUT_OF_SUPPORT = NoticeKind("etcd-out-of-support", "warning", "the version's source")
SUPPORT_ENDS = NoticeKind("etcd-support-ends", "info", "the version's source")
UNSAFE_PATCH = NoticeKind("etcd-unsafe-patch", "warning", "the sources of the flaws")
NEWER_PATCH = NoticeKind("etcd-newer-patch", "info", "the version's source")
VERSION_NOT_RUN = NoticeKind("etcd-not-run", "info", "our choice")


def version_notices(version: EtcdVersion) -> tuple[Notice, ...]:
    """Return the notices about a version of etcd."""
    notices = []
    if version.status == "out-of-support":
        notices.append(
            OUT_OF_SUPPORT(
                f"etcd {version.name} is out of support since {version.until}: vulnerabilities found since then are "
                "not fixed.",
                source=version.source,
            )
        )
    elif version.until is not None:
        notices.append(SUPPORT_ENDS(f"etcd {version.name} is supported until {version.until}.", source=version.source))
    if version.flaws:
        notices.append(_of_flaws(version))
    if version.is_newer_than_known:
        notices.append(
            NEWER_PATCH(
                f"etcd {version} is newer than {version.newest_patch} of {version.newest_patch_date}, the newest patch "
                f"on {version.date}, when the table was made: its flaws and its changes are unknown.",
                source=version.source,
            )
        )
    if not version.ran:
        notices.append(VERSION_NOT_RUN(f"etcd {version.name}: flags and defaults are {NOT_RUN}."))
    return tuple(notices)


def _of_flaws(version: EtcdVersion) -> Notice:
    """Return the notice that says what is wrong with a version, and which patch fixes it."""
    flaws = version.flaws
    parts = []
    for flaw in flaws:
        fixed = flaw.fixed_in[version.name]
        fix = f"not fixed in {version.name}" if fixed is None else f"fixed in {fixed}"
        parts.append(f"{flaw.id} ({fix}): {flaw.allows}")
    if version.oldest_safe_patch is not None:
        remedy = f"upgrade to {version.oldest_safe_patch} of {version.oldest_safe_patch_date} or a later patch"
    else:
        then = "to a supported version" if version.status == "out-of-support" else "once one does"
        remedy = f"no patch of {version.name} fixes all of them, so upgrade {then}"
    return UNSAFE_PATCH(
        f"etcd {version} has {len(flaws)} known flaw{'s' if len(flaws) > 1 else ''}: {remedy}. {'; '.join(parts)}.",
        source="; ".join(dict.fromkeys(flaw.source for flaw in flaws)),
    )
