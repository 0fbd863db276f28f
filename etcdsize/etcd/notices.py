"""The notices about a version of etcd."""

from etcdsize.base.notice import Notice, NoticeKind
from etcdsize.etcd.versions import NOT_RUN, EtcdVersion

__all__ = ["version_notices"]

# The source of the first two is the version's own.
OUT_OF_SUPPORT = NoticeKind("etcd-out-of-support", "warning", "the version's source")
UNSAFE_PATCH = NoticeKind("etcd-unsafe-patch", "warning", "the version's source")
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
    if version.is_unsafe:
        notices.append(
            UNSAFE_PATCH(
                f"etcd {version} has known vulnerabilities that are fixed in {version.oldest_safe_patch} of "
                f"{version.oldest_safe_patch_date}: upgrade to that patch or a later one.",
                source=version.source,
            )
        )
    if version.ran is None:
        notices.append(VERSION_NOT_RUN(f"etcd {version.name}: flags and defaults are {NOT_RUN}."))
    return tuple(notices)
