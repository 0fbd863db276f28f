"""The known flaws of etcd: which patches have them, what follows from them, and what a user reads about them."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paths import SUPPORT

from etcdsize import ClusterPlan, EtcdFlaw, TableError, load_versions, runbook, settings_for, size
from etcdsize.etcd.flaws import read_flaws
from etcdsize.etcd.notices import version_notices
from etcdsize.etcd.version_names import version_names

TABLE = load_versions()
FLAWS = {flaw.id: flaw for flaw in TABLE.flaws}


def number(patch: str) -> int:
    return int(patch.rpartition(".")[2])


def ids(version: str) -> list[str]:
    return [flaw.id for flaw in TABLE.version(version).flaws]


def notice(version: str, code: str):
    return next((one for one in version_notices(TABLE.version(version)) if one.code == code), None)


class TestRows:
    """One row a flaw: its id, what it allows, the first patch without it, and a source."""

    def test_heap_exhaustion_of_grpc_sets_the_oldest_safe_patches(self):
        flaw = FLAWS["CVE-2026-84304"]
        assert "GHSA-vp52-pcj8-j9qc" in flaw.aliases
        assert flaw.fixed_in == {"3.4": None, "3.5": "3.5.34", "3.6": "3.6.15", "3.7": "3.7.2"}
        assert all(f"#{issue}" in flaw.source for issue in (22467, 22468, 22469))
        assert FLAWS["GO-2026-6278"].fixed_in == {"3.4": None, "3.5": "3.5.34", "3.6": "3.6.15"}

    def test_rows_are_ordered_by_their_fix(self):
        """Those of etcd 3.4 alone come last."""
        for version in version_names():
            fixes = [flaw.fixed_in[version] for flaw in TABLE.flaws if version in flaw.fixed_in]
            known = [number(fix) for fix in fixes if fix is not None]
            assert known == sorted(known, reverse=True), version
            assert fixes[: len(fixes) - len(known)] == [None] * (len(fixes) - len(known)), version

    @pytest.mark.parametrize(
        ("version", "first", "count"),
        [
            ("3.7.3", None, 0),
            ("3.7.1", "CVE-2026-84304", 1),
            ("3.6.16", None, 0),
            ("3.6.14", "CVE-2026-84304", 2),
            ("3.6.13", "CVE-2026-84304", 5),
            ("3.5.33", "CVE-2026-84304", 2),
            ("3.5", None, 0),
        ],
    )
    def test_flaws_of_a_patch(self, version, first, count):
        found = ids(version)
        assert len(found) == count
        assert next(iter(found), None) == first

    def test_a_flaw_that_came_with_a_patch(self):
        """`listen-client-http-urls` exists since 3.5.8 and 3.4.25."""
        having = [patch for patch in range(36) if "CVE-2026-59818" in ids(f"3.5.{patch}")]
        assert having == list(range(8, 32))
        assert "CVE-2026-59818" not in ids("3.4.24")
        assert "CVE-2026-59818" in ids("3.4.25")

    def test_lost_writes_of_3_5(self):
        having = [patch for patch in range(36) if "etcd-io/etcd#13766" in ids(f"3.5.{patch}")]
        assert having == [0, 1, 2]


@given(st.sampled_from(TABLE.versions), st.integers(0, 60))
def test_a_patch_is_safe_from_the_oldest_safe_one_on(version, patch):
    found = TABLE.version(f"{version.name}.{patch}")
    safe = found.oldest_safe_patch
    assert found.is_unsafe == (safe is None or patch < number(safe))
    assert found.is_newer_than_known == (patch > number(found.newest_patch))


@pytest.mark.parametrize("version", ["3.5", "3.6", "3.7"])
def test_the_patch_that_the_tests_run_is_known_and_safe(version):
    """The newest patch that is served as a Go module is pinned in go.mod."""
    module = (SUPPORT / f"etcd-{version}" / "go.mod").read_text()
    (patch,) = set(re.findall(r"go\.etcd\.io/etcd/server/v3 v(\S+)", module))
    found = TABLE.version(patch)
    assert (found.name, found.flaws, found.is_newer_than_known) == (version, (), False)
    # CVE-2026-84304 and GO-2026-6278 are of these libraries.
    for library, fixed in (("google.golang.org/grpc", (1, 83, 1)), ("github.com/gorilla/websocket", (1, 5, 3))):
        (used,) = re.findall(rf"^\s+{re.escape(library)} v([0-9.]+)", module, re.M)
        assert tuple(map(int, used.split("."))) >= fixed


class TestNotices:
    """The notice has every flaw of the patch that runs: what it allows, the patch that fixes it, and its source.

    Its text is short: it names one or two flaws, and counts more by what they lead to, the gravest first.
    """

    @pytest.mark.parametrize("version", ["3.4", "3.4.23", "3.5.1", "3.5.33", "3.6.0", "3.6.14", "3.7.0"])
    def test_every_flaw_is_in_the_details(self, version):
        found = notice(version, "etcd-unsafe-patch")
        expected = [
            {"id": flaw.id, "text": flaw.allows, "fixed_in": flaw.fixed_in[version[:3]], "source": flaw.source}
            for effect in ("data", "access", "overload", "none")
            for flaw in TABLE.flaws
            if flaw.id in ids(version) and flaw.effect == effect
        ]
        assert json.loads(found.model_dump_json())["details"] == expected
        assert len(expected) == len(ids(version))
        assert len(found.line) < 350

    def test_many_flaws_are_counted_by_what_they_lead_to(self):
        assert notice("3.5.1", "etcd-unsafe-patch").line == (
            "warning: etcd 3.5.1 has 17 known flaws: upgrade to 3.5.34 of 2026-09-22 or a later patch. 4 may lose or "
            "corrupt data, 7 may give access that was not granted, 5 may stop a member and 1 cannot harm a member; "
            "docs/settings.md lists them. [etcd-unsafe-patch]"
        )

    def test_two_flaws_are_named(self):
        text = notice("3.5.33", "etcd-unsafe-patch").text
        assert all(f"{flaw.id}: {flaw.allows}" in text for flaw in TABLE.version("3.5.33").flaws)

    def test_the_whole_text(self):
        assert notice("3.7.1", "etcd-unsafe-patch").line == (
            "warning: etcd 3.7.1 has 1 known flaw: upgrade to 3.7.2 of 2026-09-22 or a later patch. CVE-2026-84304: "
            "a client without credentials can exhaust a member's memory with HTTP/2 frames of one byte. "
            "[etcd-unsafe-patch]"
        )

    def test_a_version_without_a_safe_patch(self):
        text = notice("3.4.45", "etcd-unsafe-patch").text
        assert text.startswith(
            "etcd 3.4.45 has 6 known flaws: no patch of 3.4 fixes all of them, so upgrade to a supported version. "
        )

    def test_a_supported_version_without_a_safe_patch(self):
        version = TABLE.version("3.6.14").model_copy(update={"oldest_safe_patch": None})
        (text,) = [one.text for one in version_notices(version) if one.code == "etcd-unsafe-patch"]
        assert text.startswith(
            "etcd 3.6.14 has 2 known flaws: no patch of 3.6 fixes all of them, so upgrade once one does. "
        )

    def test_a_patch_newer_than_all_known_ones_is_reported(self):
        assert notice("3.5.99", "etcd-newer-patch").text == (
            "etcd 3.5.99 is newer than 3.5.35 of 2026-10-22, the newest patch on 2026-11-27, when the table was made: "
            "its flaws and its changes are unknown."
        )
        for version in TABLE.versions:
            assert notice(version.newest_patch, "etcd-newer-patch") is None
            assert notice(version.name, "etcd-newer-patch") is None
            later = f"{version.name}.{number(version.newest_patch) + 1}"
            assert notice(later, "etcd-newer-patch") is not None

    def test_support_ends_as_the_data_of_the_version_says(self):
        for version in TABLE.versions:
            found = notice(version.name, "etcd-support-ends")
            if version.status == "supported" and version.until is not None:
                assert found.text == f"etcd {version.name} is supported until {version.until}."
            else:
                assert found is None
        assert notice("3.5", "etcd-support-ends").text == "etcd 3.5 is supported until 2027-07."

    def test_settings_plans_and_runbooks_have_them(self):
        for version in ("3.4.45", "3.5.33", "3.5.99", "3.6.14"):
            said = set(version_notices(TABLE.version(version)))
            plan = ClusterPlan.local(3, etcd_version=version)
            assert said <= set(settings_for(size(clients=5), etcd_version=version).notices)
            assert said <= set(plan.notices)
            assert said <= set(runbook(plan).notices)


ROW = {"id": "A-1", "effect": "data", "allows": "something", "fixed_in": {"3.5": "3.5.2"}, "source": "made up"}


class TestFile:
    @pytest.mark.parametrize(
        ("rows", "message"),
        [
            ([ROW, ROW], 'row 2, id: "A-1" is listed more than once'),
            ([ROW | {"aliases": ["B"]}, ROW | {"id": "B"}], 'row 2, id: "B" is listed more than once'),
            ([ROW | {"fixed_in": {"3.5": "3.6.1"}}], 'row 1, fixed_in: got "3.6.1", expected a patch of 3.5'),
            ([ROW | {"since": {"3.6": "3.6.1"}}], 'row 1, since: got "3.6", a version that is not in fixed_in'),
            ([ROW | {"since": {"3.5": "3.4.1"}}], 'row 1, since: got "3.4.1", expected a patch of 3.5'),
            ([ROW | {"since": {"3.5": "3.5.2"}}], 'row 1, since: got "3.5.2", expected a patch before 3.5.2'),
            ([{**ROW, "fixed_in": {}}], "row 1, fixed_in: "),
            ([ROW | {"fixed": "3.5.2"}], "row 1, fixed: unknown field"),
            ([ROW | {"effect": "bad"}], "row 1, effect: got "),
        ],
    )
    def test_rejects_a_row_that_contradicts_itself(self, rows, message, tmp_path):
        (tmp_path / "flaws.json").write_text(json.dumps({"flaws": rows}))
        with pytest.raises(TableError) as caught:
            read_flaws(tmp_path)
        assert str(caught.value).startswith(f"{tmp_path / 'flaws.json'}: {message}")

    def test_rows_are_in_the_order_of_the_file(self, tmp_path):
        (tmp_path / "flaws.json").write_text(json.dumps({"flaws": [ROW, ROW | {"id": "B"}]}))
        assert read_flaws(tmp_path) == (EtcdFlaw(**ROW), EtcdFlaw(**ROW | {"id": "B"}))
