"""The notices about a version of etcd, and about the quota of its database."""

from collections import Counter

from etcdsize.base.notice import Notice, NoticeDetail, NoticeKind
from etcdsize.base.text import in_words
from etcdsize.etcd.flaws import Effect
from etcdsize.etcd.quota import LARGEST_QUOTA_BYTES, SUGGESTED_QUOTA_BYTES, quota_text
from etcdsize.etcd.versions import NOT_RUN, EtcdVersion

__all__ = ["quota_notices", "version_notices"]

OUT_OF_SUPPORT = NoticeKind("etcd-out-of-support", "warning", "the version's source")
SUPPORT_ENDS = NoticeKind("etcd-support-ends", "info", "the version's source")
UNSAFE_PATCH = NoticeKind("etcd-unsafe-patch", "warning", "the sources of the flaws")
NEWER_PATCH = NoticeKind("etcd-newer-patch", "info", "the version's source")
QUOTA_ABOVE_SUGGESTED = NoticeKind(
    "quota-above-suggested", "beyond-guide", "etcd-io/website content/en/docs/v3.5/dev-guide/limit.md"
)
VERSION_NOT_RUN = NoticeKind("etcd-not-run", "info", "our choice")

# What flaws lead to, after their number; the gravest first.
_EFFECTS: dict[Effect, str] = {
    "data": "may lose or corrupt data",
    "access": "may give access that was not granted",
    "overload": "may stop a member",
    "none": "cannot harm a member",
}
# More are counted by what they lead to (our choice).
_NAMED = 2


def quota_notices(quota_bytes: int) -> tuple[Notice, ...]:
    """Return the notices about a quota."""
    if quota_bytes <= SUGGESTED_QUOTA_BYTES:
        return ()
    above = f"The quota of {quota_text(quota_bytes)} is above the maximum of 8 GiB that etcd suggests"
    if quota_bytes > LARGEST_QUOTA_BYTES:
        most = quota_text(LARGEST_QUOTA_BYTES)
        return (
            QUOTA_ABOVE_SUGGESTED(
                f"{above}, and above {most}: etcd does not start, as it maps the whole quota into its address space. "
                "Split the data among several clusters."
            ),
        )
    return (QUOTA_ABOVE_SUGGESTED(f"{above}; etcd starts with a warning."),)


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
    """Return the notice that says what is wrong with a version and which patch fixes it; its details have each flaw."""
    # The gravest first; of one effect, those that were fixed last.
    flaws = sorted(version.flaws, key=lambda flaw: list(_EFFECTS).index(flaw.effect))
    if len(flaws) <= _NAMED:
        what = "; ".join(f"{flaw.id}: {flaw.allows}" for flaw in flaws)
    else:
        counts = Counter(flaw.effect for flaw in flaws)
        listed = in_words(f"{count} {_EFFECTS[effect]}" for effect, count in counts.items())
        what = f"{listed}; docs/settings.md lists them"
    if version.oldest_safe_patch is not None:
        remedy = f"upgrade to {version.oldest_safe_patch} of {version.oldest_safe_patch_date} or a later patch"
    else:
        then = "to a supported version" if version.status == "out-of-support" else "once one does"
        remedy = f"no patch of {version.name} fixes all of them, so upgrade {then}"
    return UNSAFE_PATCH(
        f"etcd {version} has {len(flaws)} known flaw{'s' if len(flaws) > 1 else ''}: {remedy}. {what}.",
        details=tuple(
            NoticeDetail(id=flaw.id, text=flaw.allows, fixed_in=flaw.fixed_in[version.name], source=flaw.source)
            for flaw in flaws
        ),
    )
