"""A model of one's own replaces our coefficients, for its version of etcd alone, wherever a load is answered for."""

from __future__ import annotations

import json
import pickle

import pytest
from calibrated import DISK, MACHINE, model_with, write_model

from etcdsize import (
    CalibratedModel,
    OptionError,
    Profile,
    Resources,
    Sizing,
    TableError,
    load_model,
    load_tiers,
    resources_for,
    settings_for,
    size,
)
from etcdsize.resources.coefficients import load_coefficients
from etcdsize.resources.model import GROUPS

LOAD = Profile(keys=1e6, value_bytes=500, writes_per_second=200, clients=32, history_seconds=600)


class TestFile:
    def test_is_read_as_it_was_written(self, tmp_path) -> None:
        model = model_with()
        found = load_model(write_model(tmp_path / "my-model.json", model))
        assert found == model
        assert hash(found) == hash(model)
        assert pickle.loads(pickle.dumps(found)) == model

    def test_says_which_coefficients_are_calibrated_and_keeps_ours(self) -> None:
        model = model_with(names=("cpu_put",))
        ours = load_coefficients("3.6").coefficients
        assert model.calibrated == ("cpu_put",)
        assert model.coefficients["cpu_put"].value == 2 * ours["cpu_put"].value
        assert {name: one for name, one in model.coefficients.items() if name != "cpu_put"} == {
            name: one for name, one in ours.items() if name != "cpu_put"
        }

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda text: text[:500], "not JSON: "),
            (lambda _: "", "not JSON: "),
            (lambda _: "[]", "expected"),
            (lambda _: load_tiers("guide").model_dump_json(), "field"),
            (lambda text: text.replace('"calibrated_on":"3.6.16"', '"calibrated_on":"3.5.35"'), "calibrate again"),
            (lambda text: text.replace('"cpu_put":', '"cpu_pout":'), "lacks cpu_put; write the file again"),
            (lambda text: text.replace('"value":', '"value":"many","valued":', 1), "got "),
            (lambda text: text.replace('"date":', '"date":"2026-01-01","date":', 1), "date"),
        ],
        ids=["cut", "empty", "list", "foreign", "mixed versions", "renamed", "no number", "repeated"],
    )
    def test_a_damaged_or_foreign_one_is_refused_with_its_name(self, tmp_path, change, message: str) -> None:
        file = tmp_path / "my-model.json"
        file.write_text(change(model_with().model_dump_json()))
        with pytest.raises(TableError) as caught:
            load_model(file)
        assert str(caught.value).startswith(f"{file}: ")
        assert message in str(caught.value)

    @pytest.mark.parametrize("ask", [resources_for, size])
    def test_a_missing_one_is_refused(self, tmp_path, ask) -> None:
        with pytest.raises(OptionError, match=r'^model: got ".*", expected a file that etcdsize calibrate wrote'):
            ask(LOAD, model=tmp_path)


class TestVersion:
    """A model of one version is never used in silence for another."""

    @pytest.mark.parametrize("ask", [resources_for, size])
    def test_another_one_is_refused(self, ask) -> None:
        with pytest.raises(OptionError, match=r"calibrated on etcd 3\.6\.16, expected one for etcd 3\.5"):
            ask(LOAD, etcd_version="3.5", model=model_with())

    def test_settings_for_another_one_are_refused(self) -> None:
        with pytest.raises(OptionError, match=r"expected one for etcd 3\.5"):
            settings_for(size(LOAD, model=model_with()), etcd_version="3.5")

    def test_another_patch_is_accepted(self) -> None:
        assert resources_for(LOAD, etcd_version="v3.6.4", model=model_with()).model is not None


class TestAnswers:
    def test_have_its_coefficients_and_keep_the_others(self) -> None:
        disk = {"disk_mb_per_second": 100, "fsync_seconds": 0.001}
        ours, own = resources_for(LOAD, **disk), resources_for(LOAD, **disk, model=model_with(names=("cpu_put",)))
        assert own.cpu.leader_cores.likely > ours.cpu.leader_cores.likely
        assert (own.memory, own.file, own.network) == (ours.memory, ours.file, ours.network)
        assert (ours.cpu.machine, own.cpu.machine) == (load_coefficients("3.6").machine, MACHINE)

    def test_say_what_is_calibrated(self) -> None:
        own = resources_for(LOAD, model=model_with(names=("cpu_put",)))
        known = {term.name: term.known for term in own.terms["cpu.leader_cores"]}
        assert (known["writes"], known["reads"]) == ("calibrated, measured on 3.6.16", "measured on 3.6.16")
        assert "calibrated" not in {term.known for term in own.terms["memory.limit_bytes"]}
        assert own.explain().startswith("etcd 3.6 (calibrated on 3.6.16, the rest measured on 3.6.16).\n")

    def test_take_its_disk_where_none_is_given(self) -> None:
        own = resources_for(LOAD, model=model_with())
        assert (own.disk_mb_per_second, own.fsync_seconds) == (DISK.mb_per_second, DISK.fsync_seconds)
        assert not {"disk_mb_per_second", "fsync_seconds"} & {one.field for one in own.assumptions}
        given = resources_for(LOAD, model=model_with(), disk_mb_per_second=500, fsync_seconds=0.001)
        assert (given.disk_mb_per_second, given.fsync_seconds) == (500, 0.001)

    def test_compare_the_99th_percentile_of_its_fsyncs_with_the_need(self) -> None:
        """32 clients and 1,200 writes a second need some 6.6 ms, which the mean meets and the percentile does not."""
        load = Profile(keys=1e5, value_bytes=500, writes_per_second=1200, clients=32)
        model = model_with(names=("cpu_put",))
        needed = resources_for(load, model=model).disk.fsync_p99_seconds.need
        assert DISK.fsync_seconds < needed < DISK.fsync_p99_seconds
        assert "fsync-too-slow" in {one.code for one in resources_for(load, model=model).notices}

    def test_survive_json(self) -> None:
        own = resources_for(LOAD, model=model_with())
        again = Resources.model_validate_json(own.model_dump_json())
        assert again == own
        assert again.terms == own.terms
        bare = json.loads(own.model_dump_json())
        for name in ("terms", "advice", "assumptions", "assumption_effects"):
            del bare[name]
        assert Resources.model_validate(bare).terms == own.terms

    def test_are_the_same_from_every_function(self) -> None:
        model = model_with()
        sizing = size(LOAD, model=model, basis="measured")
        direct = resources_for(LOAD, model=model)
        assert sizing.resources == direct
        assert sizing.need.source == "the calibrated model, etcd 3.6"
        assert settings_for(sizing).memory == direct.memory
        assert Sizing.model_validate_json(sizing.model_dump_json()).needs == sizing.needs

    def test_have_no_other_shape(self) -> None:
        own = resources_for(LOAD, model=model_with())
        for group, figures in GROUPS.items():
            for figure in figures:
                found = getattr(getattr(own, group), figure)
                assert found.low <= found.likely <= found.high, figure


class TestWritesPossible:
    """Writes a second = clients / (fsyncs that a write waits for * seconds of an fsync); alone, one write an fsync."""

    @pytest.mark.parametrize(("clients", "waits"), [(1, 1), (2, 1), (32, 2.5), (256, 2.5)])
    def test_follow_from_the_clients_and_the_fsync(self, clients: int, waits: float) -> None:
        span = resources_for(Profile(clients=clients, keys=1), fsync_seconds=0.005).disk.writes_possible_per_second
        assert span.low <= span.likely <= span.high
        if waits == 1:
            assert span.likely == pytest.approx(clients / clients / 0.005)
        else:
            wait = load_coefficients("3.6").coefficients["write_wait_fsyncs"].value
            assert span.likely == pytest.approx(clients / wait / 0.005)

    def test_a_faster_disk_completes_more(self) -> None:
        rates = [
            resources_for(LOAD, fsync_seconds=fsync).disk.writes_possible_per_second.likely
            for fsync in (0.01, 0.002, 0.0005)
        ]
        assert rates == sorted(rates)

    def test_are_shown_where_the_fsync_is_known(self) -> None:
        assert "writes possible" in resources_for(LOAD, fsync_seconds=0.002).explain()
        assert "writes possible" not in resources_for(LOAD).explain()


def test_a_model_of_a_version_without_experiments_is_refused() -> None:
    with pytest.raises(OptionError, match="etcd_version: got"):
        model_with("2.3.8")


def test_equal_models_share_one_entry_of_what_is_kept() -> None:
    first, second = model_with(), CalibratedModel.model_validate_json(model_with().model_dump_json())
    assert first is not second
    assert resources_for(LOAD, model=first) == resources_for(LOAD, model=second)
