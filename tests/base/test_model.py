"""The base of the models: frozen, closed, finite, and with errors of our own that name file, row and field."""

from __future__ import annotations

import math
import pickle
import tempfile
from pathlib import Path

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

import etcdsize
from etcdsize import (
    Advice,
    Amount,
    ApiServerLoad,
    Assumption,
    AssumptionEffect,
    Bound,
    CalibratedDisk,
    CalibratedModel,
    Candidate,
    Catalog,
    ClientCount,
    ClientTls,
    ClusterAudit,
    ClusterPlan,
    Command,
    ComparedFigure,
    Cost,
    CpuResources,
    Disk,
    DiskChoice,
    DiskKind,
    DiskKindPrice,
    DiskLimit,
    DiskNeed,
    DiskPrice,
    DiskResources,
    Dropped,
    Erratum,
    EtcdDowngrade,
    EtcdFlag,
    EtcdFlaw,
    EtcdSettings,
    EtcdUpgrade,
    EtcdVersion,
    EtcdVersions,
    Figure,
    FileResources,
    Fit,
    FsyncNeed,
    Histogram,
    Horizon,
    Imported,
    InvalidWorkloadError,
    LeftOut,
    LocalCandidate,
    Machine,
    MachinePrice,
    MeasuredDisk,
    Member,
    MemberLoad,
    MemberStatus,
    MemoryResources,
    ModelledMember,
    Nearest,
    Need,
    NetworkResources,
    Notice,
    NoticeDetail,
    ObjectKind,
    Observation,
    PlanError,
    Price,
    Priced,
    PriceStep,
    Profile,
    Rejected,
    Resources,
    Runbook,
    Scrape,
    SecondsResources,
    Setting,
    Sizing,
    Span,
    Step,
    TableError,
    Term,
    Tier,
    TierTable,
    Tls,
    TlsFiles,
    Unfit,
    Workload,
    WriteLatency,
    fit,
    load_catalog,
    load_tiers,
    load_versions,
    resources_for,
    runbook,
    settings_for,
    size,
)
from etcdsize.base.model import Model, read_table

MODELS = [
    *(
        Bound,
        Candidate,
        Catalog,
        ClusterAudit,
        Cost,
        Disk,
        DiskChoice,
        DiskKind,
        DiskLimit,
        DiskNeed,
        DiskPrice,
        Erratum,
        Fit,
        LocalCandidate,
    ),
    *(Machine, MachinePrice, Nearest, Need, Notice, Price, PriceStep, Rejected, FsyncNeed, Sizing, Tier),
    *(TierTable, Unfit, Workload, WriteLatency, Dropped, Imported, NoticeDetail),
    *(DiskKindPrice, LeftOut, MeasuredDisk, Priced),
    *(EtcdDowngrade, EtcdFlag, EtcdFlaw, EtcdSettings, EtcdUpgrade, EtcdVersion, EtcdVersions, Setting),
    *(ClusterPlan, Member, Tls, TlsFiles),
    *(Amount, Assumption, ObjectKind, Profile),
    *(Advice, AssumptionEffect, Figure, Horizon, Resources, Span, Term),
    *(CalibratedDisk, CalibratedModel, ComparedFigure, ModelledMember),
    *(CpuResources, DiskResources, FileResources, MemoryResources, NetworkResources, SecondsResources),
    *(Command, Runbook, Step),
    *(ApiServerLoad, ClientCount, Histogram, MemberLoad, MemberStatus, Observation, Scrape, ClientTls),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
class TestEveryModel:
    """Every model is frozen, closed and finite, and describes its fields."""

    def test_frozen_closed_and_finite(self, model):
        assert issubclass(model, Model)
        assert model.model_config["frozen"]
        assert model.model_config["extra"] == "forbid"
        assert not model.model_config["allow_inf_nan"]

    def test_every_field_is_described(self, model):
        assert all(field.description for field in model.model_fields.values())

    def test_an_unknown_field_is_rejected(self, model):
        plans = dict.fromkeys((ClusterPlan, Member, Tls, TlsFiles), PlanError)
        loads = dict.fromkeys((Amount, ObjectKind, Profile, Workload), InvalidWorkloadError)
        error = (loads | plans).get(model, TableError)
        with pytest.raises(error, match=rf"^{model.__name__}: "):
            model(no_such_field=1)


def test_every_public_model_is_tested_above():
    public = {getattr(etcdsize, name) for name in etcdsize.__all__}
    assert {thing for thing in public if isinstance(thing, type) and issubclass(thing, Model)} == set(MODELS)


@pytest.mark.parametrize(
    "whole",
    [
        *(load_tiers("guide"), load_catalog("guide"), load_catalog("current"), size(clients=5), Workload(clients=5)),
        *(size(clients=5, catalog="current"), fit("large"), fit("xlarge", provider="gce", limit=None)),
        *(load_versions(), settings_for(size(clients=5, data_bytes=2**43 + 1), etcd_version="3.6.1")),
        runbook(ClusterPlan.local(3), tier="large"),
        Profile(keys="200..900", tls=True, objects=[]),
        Profile(objects=[ObjectKind(name="pods", count="200..300..900", value_bytes=5)], history_seconds="1h..2h"),
        resources_for(Profile(keys=1e5, value_bytes="1kB..3kB", writes_per_second=10), quota_bytes=2**32),
        *(ClusterPlan.local(3), ClusterPlan.from_hosts(["a=n1"], tls=Tls.from_dir("/pki"), etcd_version="3.6.1")),
    ],
)
def test_models_pickle_and_come_back_from_json(whole):
    assert pickle.loads(pickle.dumps(whole)) == whole
    assert type(whole).model_validate_json(whole.model_dump_json()) == whole
    assert type(whole).model_validate_json(whole.model_dump_json(exclude_defaults=True)) == whole


class TestNumbers:
    """Limits and figures are finite numbers above 0, and prices may be 0. Text and booleans are rejected."""

    BAD = (True, False, "5", None, -1, -0.5, math.nan, math.inf, -math.inf, 1e300, 10**400, 5j, [5])

    @pytest.mark.parametrize("value", [*BAD, 0], ids=str)
    def test_a_limit_must_be_above_zero(self, value):
        with pytest.raises(TableError, match=r"^Bound: limit: got .*, expected a finite number above 0.*$"):
            Bound(limit=value, inclusive=True)

    @pytest.mark.parametrize("value", BAD, ids=str)
    def test_a_price_must_not_be_negative(self, value):
        with pytest.raises(TableError, match=r"^Price: per_hour: got .*, expected a finite number of 0 or more.*$"):
            Price(per_hour=value, currency="USD", region="eu-west-1", date="2026-01-01")

    @given(st.integers(1, 10**299) | st.floats(5e-324, 1e299))
    def test_numbers_keep_their_type_and_value(self, value):
        limit = Bound(limit=value, inclusive=True).limit
        assert (type(limit), limit) == (type(value), value)
        assert Price(per_hour=0, currency="USD", region="eu-west-1", date="2026-01-01").per_hour == 0


class TestReadTable:
    """Every error names the file, and one of the system gives its reason."""

    @pytest.fixture
    def secret(self, tmp_path):
        file = tmp_path / "mine.json"
        file.write_text("{}")
        file.chmod(0)
        return file

    def test_a_file_without_permission(self, secret, unprivileged):
        with pytest.raises(TableError, match=r": cannot be read: Permission denied$"):
            read_table(TierTable, secret)

    def test_a_directory(self, tmp_path):
        with pytest.raises(TableError) as caught:
            read_table(TierTable, tmp_path)
        assert str(caught.value) == f"{tmp_path}: cannot be read: Is a directory"
        assert caught.value.file == str(tmp_path)

    def test_an_invalid_file_names_row_and_field(self, tmp_path):
        file = tmp_path / "mine.json"
        file.write_text(
            '{"name": "mine", "tiers": [{"name": "a", "clients": {"limit": "5", "inclusive": "yes"}, "nodes": 5}, {}]}'
        )
        with pytest.raises(TableError) as caught:
            load_tiers(file)
        error = caught.value
        assert str(error) == f'{file}: row 1, clients.limit: got "5", expected a finite number above 0 (5 more)'
        assert (error.file, error.row, error.field) == (str(file), 1, "clients.limit")

    @examples(50)
    @given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
    def test_any_bytes_give_an_error_of_one_line(self, content):
        with tempfile.NamedTemporaryFile() as file:
            Path(file.name).write_bytes(content)
            for model in (TierTable, Catalog):
                with pytest.raises(TableError) as caught:
                    read_table(model, Path(file.name))
                assert str(caught.value).startswith(f"{file.name}: ")
                assert len(str(caught.value).splitlines()) == 1
