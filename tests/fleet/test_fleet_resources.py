"""What a fleet's loads take, row for row as the single answer says: `resources_for` is the slow twin of the arrays."""

from __future__ import annotations

import math
import time
import tracemalloc

import numpy as np
import pytest
from calibrated import model_with
from examples import examples
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks.loads import CONTENDERS
from benchmarks.loads import columns as seeded
from etcdsize import (
    EtcdSizeError,
    InvalidWorkloadError,
    OptionError,
    Profile,
    WorkloadTypeError,
    fleet_resources,
    kubernetes_profile,
    resources_for,
)
from etcdsize.fleet.fleet_resources import FIGURES
from etcdsize.fleet.row_profile import profile_of
from etcdsize.resources.profile import with_fields

GIB = 2**30
MODEL = model_with(names=("heap_base", "index_per_key", "stream_tls_heap", "snapshot_per_mb", "write_wait_fsyncs"))
NAN = math.nan
# Around the steps of the table, of Go's size classes and of lengths in messages, and around what is assumed.
SIZES = (0, 1, 16, 33, 100, 127, 128, 256, 770, 1000, 1079, 1990, 2000, 4000, 16_300, 16_384, 33_000, 1.5e6, 3e6)
COUNTS = (0, 1, 3, 100, 999, 1000, 10_000, 150_000, 5.7e6)
RATES = (0, 1e-10, 0.85, 9.99, 10, 40, 100, 6000, 1e5)
VALUES = {
    "clients": COUNTS,
    "requests_per_second": RATES,
    "data_bytes": (0, 50, 1e6, 80e6, 2e9, 5.5e9, 6.9e9, 2**33, 40e9),
    "keys": COUNTS,
    "key_bytes": SIZES[:9],
    "value_bytes": SIZES,
    "largest_value_bytes": SIZES[-6:],
    "writes_per_second": RATES,
    "reads_per_second": RATES,
    "puts_per_transaction": (0.5, 1, 3, 100),
    "puts_per_commit": (1, 1.1, 7, 100, 5000),
    "history_seconds": (0, 120, 600, 86_400),
    "list_keys": COUNTS,
    "concurrent_lists": (0, 1, 10),
    "watchers": COUNTS,
    "watch_streams": (0, 1, 100, 45_000),
    "leases": (0, 1, 100, 10_000),
    "keys_per_lease": (0, 0.5, 1, 10, 150_000),
    "lease_ttl_seconds": (1, 60, 1e6),
    "lease_revokes_per_second": (0, 0.1, 400),
    "tls": (0, 1),
}
DIMENSIONS = ("clients", "requests_per_second", "data_bytes")


def figures(names, values=VALUES):
    """Rows that know some of the figures: most rows know a few, so that few contradict each other."""
    one = {name: st.sampled_from(values[name]) | st.floats(0.1, 1e7) for name in names}
    one["tls"] = st.sampled_from((0, 1)) | st.just(0.5)
    return st.lists(st.sampled_from(names), min_size=1, max_size=6, unique=True).flatmap(
        lambda known: st.fixed_dictionaries({name: one[name] for name in known})
    )


def single(row, **options):
    """Return the answer for one row, None if it cannot be sized."""
    row = dict(row)
    nodes, pods = row.pop("kubernetes_nodes", None), row.pop("pods", None)
    if row.get("tls") in (0, 1):
        row["tls"] = bool(row["tls"])
    try:
        if nodes is None:
            return None if pods is not None else resources_for(Profile(**row), **options)
        if set(row) <= {*DIMENSIONS, "tls"}:
            try:
                return resources_for(with_fields(kubernetes_profile(nodes, pods), row), **options)
            except InvalidWorkloadError:
                pass
        return resources_for(Profile(**{"history_seconds": 600, **row}), **options)
    except EtcdSizeError:
        return None


def fleet_of(rows, **options):
    columns = {name: np.array([row.get(name, NAN) for row in rows], np.float64) for name in FIGURES}
    known = {name: column for name, column in columns.items() if not np.isnan(column).all()}
    return fleet_resources(**known, on_invalid="mark", **options)


def assert_same(rows, fleet, **options):
    for at, row in enumerate(rows):
        expected = single(row, **options)
        if expected is not None and expected.quota_bytes >= 2**62:
            # No etcd has such a quota, and no column holds much more.
            expected = None
        assert fleet.invalid[at] == (expected is None), (row, fleet.problem(at))
        if expected is None:
            continue
        quota, limit, disk = expected.file.quota_bytes, expected.memory.limit_bytes, expected.disk
        for end in ("need", "low", "high"):
            found = [column[at] for column in getattr(fleet, end)]
            wanted = [
                min(getattr(quota, end), 2**62),
                getattr(limit, end),
                math.ceil(getattr(disk.volume_bytes, end) / GIB),
                getattr(disk.fsync_p99_seconds, end) * 1000,
            ]
            assert found[0] == wanted[0], (end, "quota", row)
            assert found[1] == pytest.approx(wanted[1], rel=1e-9), (end, "limit", row)
            # Above that, a float has no fractions to round up.
            exactly = wanted[2] < 2**50
            assert found[2] == (wanted[2] if exactly else pytest.approx(wanted[2], rel=1e-9)), (end, "volume", row)
            assert found[3] == pytest.approx(wanted[3], rel=1e-9), (end, "fsync", row)


class TestEqualToTheSingleAnswer:
    """Every row is the answer of `resources_for`: integers exactly, floats to their last digits."""

    @examples(40)
    @given(st.lists(figures(tuple(VALUES)), min_size=1, max_size=5))
    @example([{"keys": 1000, "key_bytes": 36, "value_bytes": 1088, "writes_per_second": 0.1}])
    @example([{"data_bytes": 2e9, "keys": 1e5}, {"data_bytes": 2e9, "value_bytes": 3e6}, {"clients": 5}])
    @example([{"puts_per_transaction": 835168.0, "history_seconds": 52026.0, "clients": 0, "writes_per_second": 1e5}])
    @example([{"value_bytes": 3e6, "writes_per_second": 0.85}, {"leases": 100, "keys_per_lease": 150_000}])
    @example([{"data_bytes": 7e7, "writes_per_second": 0.85, "list_keys": 0}])
    def test_loads_of_which_some_figures_are_known(self, rows):
        assert_same(rows, fleet_of(rows))

    @examples(15)
    @given(
        st.lists(
            st.fixed_dictionaries(
                {"kubernetes_nodes": st.sampled_from((0, 1, 50, 1000, 5000)) | st.floats(0.01, 20_000)},
                optional={
                    "pods": st.sampled_from((0, 1, 3000, 150_000)),
                    "clients": st.sampled_from(COUNTS),
                    "requests_per_second": st.sampled_from(RATES),
                    "data_bytes": st.floats(1e4, 1e10),
                    "watchers": st.sampled_from(COUNTS),
                    "tls": st.sampled_from((0, 1)),
                },
            )
            | st.fixed_dictionaries({"data_bytes": st.floats(1e6, 1e10)}, optional={"pods": st.just(30)}),
            min_size=1,
            max_size=4,
        )
    )
    def test_kubernetes_clusters(self, rows):
        assert_same(rows, fleet_of(rows))

    @examples(15)
    @given(
        st.lists(
            figures(tuple(VALUES)) | st.fixed_dictionaries({"kubernetes_nodes": st.sampled_from((5, 5000))}),
            min_size=1,
            max_size=4,
        ),
        st.sampled_from(["3.4", "3.5.35", "3.7"]),
    )
    def test_other_versions(self, rows, version):
        assert_same(rows, fleet_of(rows, etcd_version=version), etcd_version=version)

    @examples(15)
    @given(
        st.lists(
            figures(tuple(VALUES)) | st.fixed_dictionaries({"kubernetes_nodes": st.sampled_from((5, 5000))}),
            min_size=1,
            max_size=4,
        ),
        st.sampled_from([MODEL, MODEL.model_copy(update={"disk": None})]),
    )
    def test_a_calibrated_model(self, rows, model):
        """Its coefficients and its disk count; without a disk, ours does."""
        assert_same(rows, fleet_of(rows, model=model), model=model)
        assert fleet_of(rows, model=model).model is model

    def test_booleans_are_tls(self):
        fleet = fleet_resources(watch_streams=45_000, tls=[True, False])
        ones = [resources_for(Profile(watch_streams=45_000, tls=tls)) for tls in (True, False)]
        for end in ("low", "need", "high"):
            limits = [getattr(one.memory.limit_bytes, end) for one in ones]
            assert getattr(fleet, end).memory_limit_bytes.tolist() == pytest.approx(limits, rel=1e-9)
        with pytest.raises(InvalidWorkloadError, match=r"row 1: tls: got 0\.5, expected true or false"):
            fleet_resources(watch_streams=5, tls=[1, 0.5])
        with pytest.raises(WorkloadTypeError, match="tls: got dtype object"):
            fleet_resources(watch_streams=5, tls=[True, None])

    def test_a_quota_at_a_step_falls_to_the_same_side(self):
        """A file that fills a whole number of GiB but for a rounding error: the single answer decides."""

        def quota(keys):
            return resources_for(Profile(keys=keys, key_bytes=50, value_bytes=1000, writes_per_second=0)).quota_bytes

        low, high = 1e6, 5e6
        while np.nextafter(low, high) < high:
            middle = (low + high) / 2
            low, high = (middle, high) if quota(middle) == quota(low) else (low, middle)
        keys = low + np.arange(-20, 20) * np.spacing(low)
        fleet = fleet_resources(keys=keys, key_bytes=50, value_bytes=1000, writes_per_second=0)
        assert fleet.need.quota_bytes.tolist() == [quota(one) for one in keys.tolist()]
        assert len(set(fleet.need.quota_bytes.tolist())) == 2


class TestWhatAnAuditCompares:
    """The least and the most that a load asks of a machine and its volume, over all evaluations of its answer."""

    @examples(15)
    @given(st.lists(figures(tuple(VALUES)), min_size=1, max_size=4))
    @example([{"writes_per_second": 5000, "value_bytes": 3000, "leases": 10_000, "lease_revokes_per_second": 400}])
    @example([{"kubernetes_nodes": 500, "pods": 20_000}, {"kubernetes_nodes": 3, "pods": 0}, {"kubernetes_nodes": 0.5}])
    @example([{"kubernetes_nodes": 50, "clients": 900, "requests_per_second": 4000}])
    def test_processor_writes_and_log(self, rows):
        fleet = fleet_of(rows)
        for at, row in enumerate(rows):
            answer = single(row)
            if answer is None or fleet.invalid[at]:
                continue
            found = answer._evaluations
            every = [found.need, found.likely, *found.ends]
            for end, combine in (("_lowest", min), ("_highest", max), ("_needed", min)):
                demands, ends = getattr(fleet, end), [found.need] if end == "_needed" else every
                disks = [one.groups["disk"] for one in ends]
                names = ("wal_bytes_per_second", "backend_bytes_per_second")
                written = combine(sum(math.fsum(disk[name]) for name in names) for disk in disks)
                assert demands.written_bytes[at] == pytest.approx(written, rel=1e-9), (end, row)
                log = combine(disk["volume_bytes"][3] for disk in disks)
                assert demands.wal_bytes[at] == pytest.approx(log, rel=1e-9), (end, row)
                cores = combine(math.fsum(one.groups["cpu"]["leader_cores"]) for one in ends)
                assert demands.leader_cores[at] == pytest.approx(cores, rel=1e-9), (end, row)


class TestBlocksAndThreads:
    """A row's figures do not depend on what stands beside it."""

    def test_many_blocks_on_threads_are_the_rows_alone(self):
        random = np.random.default_rng(7)
        rows = 50_000
        columns = {
            "keys": random.integers(1, 10**6, rows),
            "value_bytes": random.uniform(10, 20_000, rows).astype(np.float32),
            "writes_per_second": np.where(random.random(rows) < 0.3, NAN, random.uniform(0, 500, rows)),
            "clients": np.where(random.random(rows) < 0.3, NAN, random.integers(1, 900, rows)),
            "kubernetes_nodes": np.where(random.random(rows) < 0.9, NAN, random.integers(1, 900, rows)),
        }
        whole = fleet_resources(**columns, threads=2)
        chosen = np.sort(random.choice(rows, 300, replace=False))
        part = fleet_resources(**{name: column[chosen] for name, column in columns.items()}, threads=1)
        for one, other in zip(whole.need, part.need):
            np.testing.assert_array_equal(one[chosen], other)
        for one, other in zip(whole.high, part.high):
            np.testing.assert_array_equal(one[chosen], other)

    def test_no_scratch_is_as_long_as_the_input(self):
        rows = 1_000_000
        columns = {"keys": np.full(rows, 1000.0), "value_bytes": np.full(rows, 700, np.int64)}
        tracemalloc.start()
        fleet = fleet_resources(**columns, threads=1)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        outputs = sum(column.nbytes for column in fleet.need) + fleet.invalid.nbytes
        # A column of this length takes 8 MB.
        assert peak - outputs < 7e6

    def test_both_ends_are_computed_when_they_are_asked_for(self):
        fleet = fleet_resources(keys=[1000, 2000], value_bytes=1000)
        assert "_ends" not in vars(fleet)
        assert (fleet.low.memory_limit_bytes <= fleet.need.memory_limit_bytes).all()
        assert "_ends" in vars(fleet)

    def test_one_number_counts_for_all_rows(self):
        fleet = fleet_resources(keys=[1000, 2e6], value_bytes=np.float32(1000))
        assert len(fleet) == 2
        assert fleet.need.quota_bytes[1] == resources_for(Profile(keys=2e6, value_bytes=1000)).quota_bytes
        assert len(fleet_resources(clients=5)) == 1


class TestWrongRows:
    """A row that no load can have raises with the single answer's message, or is marked."""

    @pytest.mark.parametrize(
        ("row", "message"),
        [
            ({"keys": -1}, "keys: got -1.0, expected a number of 0 or more"),
            ({"keys": math.inf}, "keys: got inf, expected a number of 0 or more"),
            ({"pods": 30}, "pods: got 30, expected kubernetes_nodes as well"),
            ({"lease_ttl_seconds": 30, "keys": 1}, "lease_ttl_seconds: got 30, expected leases as well"),
            ({"clients": 1e60}, "clients: got 1e+60, expected at most 1e+50"),
            ({}, "nothing known of the load, expected at least one field of Profile"),
        ],
    )
    def test_the_message_of_the_first_one(self, row, message):
        columns = {name: np.array([10.0, value, value]) for name, value in row.items()}
        if not row:
            columns = {"keys": np.array([10.0, NAN, NAN])}
        if "pods" in row:
            columns["kubernetes_nodes"] = np.array([3, NAN, NAN])
        if "lease_ttl_seconds" in row:
            columns["leases"] = np.array([3, NAN, NAN])
        with pytest.raises(InvalidWorkloadError) as caught:
            fleet_resources(**columns)
        assert str(caught.value).startswith(f"row 1: {message}")
        assert str(caught.value).endswith('(2 rows cannot be sized); on_invalid="mark" sizes the rest')
        assert (caught.value.index, caught.value.count) == (1, 2)
        marked = fleet_resources(**columns, on_invalid="mark")
        assert marked.invalid.tolist() == [False, True, True]
        assert marked.need.quota_bytes.tolist()[1:] == marked.need.volume_gib.tolist()[1:] == [0, 0]
        assert np.isnan(marked.need.memory_limit_bytes[1:]).all()
        assert marked.problem(1).startswith(message)

    def test_what_is_no_column_of_figures(self):
        with pytest.raises(WorkloadTypeError, match="keys: got dtype bool"):
            fleet_resources(keys=[True])
        with pytest.raises(InvalidWorkloadError, match="nothing known of the loads, expected at least one of clients"):
            fleet_resources()
        with pytest.raises(InvalidWorkloadError, match=r"got the shapes keys \(2,\), clients \(3,\)|expected one axis"):
            fleet_resources(clients=[1, 2, 3], keys=[1, 2])
        with pytest.raises(OptionError, match="on_invalid"):
            fleet_resources(clients=[1], on_invalid="no")
        with pytest.raises(OptionError, match="etcd"):
            fleet_resources(clients=[1], etcd_version="9.9")
        with pytest.raises(OptionError, match=r"model: got one that was calibrated on etcd 3\.6\.16"):
            fleet_resources(clients=[1], etcd_version="3.5", model=MODEL)

    def test_the_profile_of_a_row(self):
        assert profile_of({"kubernetes_nodes": 5.0, "keys": 7.0}) == Profile(keys=7, history_seconds=600)
        assert profile_of({"kubernetes_nodes": 5.0, "pods": 9.0}) == kubernetes_profile(5.0, 9.0)


def numpy_alone(rows):
    """Do seventy operations of NumPy on every row, in blocks that stay in the cache."""
    loads = np.random.default_rng(1).uniform(1, 2, 8192)
    one, other = np.empty_like(loads), np.empty_like(loads)
    for _ in range(rows // len(loads) * 10):
        np.multiply(loads, loads, out=one)
        np.add(one, loads, out=other)
        np.maximum(one, other, out=one)
        np.divide(one, other, out=other)
        np.sqrt(other, out=one)
        np.exp2(one, out=other)
        np.copyto(one, other, where=other > 1.5)


def processor_time(call):
    before = time.process_time()
    call()
    return time.process_time() - before


@pytest.mark.bench
class TestSpeed:
    """The processor time of a row, as a multiple of that of seventy operations of NumPy in the same run.

    Measured: 10 to 12 times with further figures, some of which every fifth row lacks, 8 to 9.5 with clients, requests
    and data, and 24 to 26 for Kubernetes, whose kinds are thirteen. On two quiet cores these are 204, 142 and 445 ns,
    and 2.2 times as many where others use the cores as well, so that no number of nanoseconds is held.
    """

    ROWS = 1_000_000

    @pytest.mark.parametrize(("loads", "most"), [("further", 16), ("dimensions", 14), ("kubernetes", 36)])
    def test_the_processor_time_of_a_row(self, loads, most):
        columns = seeded(CONTENDERS[loads], self.ROWS)
        rounds = [
            (
                processor_time(lambda: fleet_resources(**columns, threads=2)),
                processor_time(lambda: numpy_alone(self.ROWS)),
            )
            for _ in range(4)
        ]
        assert min(ours for ours, _ in rounds) <= most * min(numpy for _, numpy in rounds)
