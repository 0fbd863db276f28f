"""The tables of the versions of etcd, their flags and their flaws."""

from __future__ import annotations

import etcdsize
from pages.markdown import table


def versions_table() -> str:
    """Return a table of the versions of etcd, their support status, and the patch that was run."""
    versions = etcdsize.load_versions()
    head = ["version", "status", "support until", "oldest safe patch", "released", "newest patch", "released"]
    head += ["evidence for its flags", "source", "source of its flags", "read on"]
    rows = [
        [
            version.name,
            version.status,
            version.until or f"no date known; {version.until_policy}",
            version.oldest_safe_patch or "none",
            version.oldest_safe_patch_date or "",
            version.newest_patch or "",
            version.newest_patch_date or "",
            version.evidence,
            version.source,
            version.flags_source,
            version.date,
        ]
        for version in versions.versions
    ]
    return table(head, rows)


def flaws_table() -> str:
    """Return a table of every known flaw of etcd, with the patch of each version that fixes it."""
    versions = etcdsize.load_versions()
    names = [version.name for version in versions.versions]

    def fix(flaw: etcdsize.EtcdFlaw, version: str) -> str:
        if version not in flaw.fixed_in:
            return "—"
        fixed, first = flaw.fixed_in[version] or "not fixed", flaw.since.get(version)
        return f"{fixed} (since {first})" if first else fixed

    rows = [
        [flaw.id, flaw.allows, flaw.effect, *(fix(flaw, name) for name in names), ", ".join(flaw.aliases), flaw.source]
        for flaw in versions.flaws
    ]
    return table(["flaw", "what it allows", "effect", *(f"fixed in {name}" for name in names), "also", "source"], rows)


def flags_table() -> str:
    """Return a table of every known flag of etcd, with its default in each version."""
    versions = etcdsize.load_versions()
    names = [version.name for version in versions.versions]

    rows = []
    # A flag and its experimental form are listed one after the other.
    for flag in sorted(versions.flags, key=lambda flag: (flag.name.removeprefix("experimental-"), flag.name)):
        notes = [
            f"Use {flag.instead} instead." if flag.instead else "",
            "etcd accepts and ignores it." if flag.ignored else "",
            flag.note or "",
        ]
        cells = [_default(flag, name) for name in names]
        rows.append([f"`{flag.name}`", flag.kind, *cells, _config_key(flag), " ".join(filter(None, notes))])
    return table(["flag", "kind", *names, "config file key", "note"], rows)


def gates_table() -> str:
    """Return a table of every feature gate of etcd, with its default in each version that has feature gates."""
    versions = [version for version in etcdsize.load_versions().versions if version.feature_gates]
    gates = sorted({gate for version in versions for gate in version.feature_gates})
    cells = {True: "`true`", False: "`false`", None: "—"}
    rows = [[f"`{gate}`", *(cells[version.feature_gates.get(gate)] for version in versions)] for gate in gates]
    return table(["feature gate", *(version.name for version in versions)], rows)


def _default(flag: etcdsize.EtcdFlag, version: str) -> str:
    """Return the default of a flag in a version, since when the version has the flag, and whether it warns of it."""
    if version not in flag.defaults:
        return "—"
    value = flag.defaults[version]
    text = str(value).lower() if isinstance(value, bool) else str(value)
    since = f" (since {flag.since[version]})" if version in flag.since else ""
    deprecated = ""
    if version in flag.deprecated_in:
        first, after = flag.deprecated_since.get(version), flag.deprecated_before.get(version)
        deprecated = f" (deprecated{f' since {first}' if first else ''}{f' before {after}' if after else ''})"
    return f"{f'`{text}`' if text else ''}{since}{deprecated}".strip()


def _config_key(flag: etcdsize.EtcdFlag) -> str:
    """Return the key of a flag in config files, and the versions whose config files cannot set it."""
    if not flag.config_key:
        return "none"
    key = "same" if flag.config_key == flag.name else f"`{flag.config_key}`"
    if flag.no_config_key_in:
        key += f"; not in {', '.join(flag.no_config_key_in)}"
    return key + "".join(f"; in {version} since {patch}" for version, patch in flag.config_key_since.items())
