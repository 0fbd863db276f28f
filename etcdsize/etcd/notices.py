"""What to beware of in a version of etcd."""

from etcdsize.base.notice import Notice
from etcdsize.etcd.versions import EtcdVersion

__all__ = ["version_notices"]


def version_notices(version: EtcdVersion) -> tuple[Notice, ...]:
    """Return what is to be said of a version of etcd."""
    notices = []
    if version.status == "out-of-support":
        notices.append(
            Notice(
                code="etcd-out-of-support",
                severity="warning",
                text=f"etcd {version.name} is out of support since {version.until}: what is found now is not mended.",
                source=version.source,
            )
        )
    if version.is_unsafe:
        notices.append(
            Notice(
                code="etcd-unsafe-patch",
                severity="warning",
                text=f"etcd {version} has flaws that {version.least_safe} of {version.least_safe_date} mends: run that "
                "or a later patch.",
                source=version.source,
            )
        )
    if version.ran is None:
        notices.append(
            Notice(
                code="etcd-not-run",
                severity="info",
                text=f"etcd {version.name}: flags and defaults are from source, not run.",
                source="our choice",
            )
        )
    return tuple(notices)
