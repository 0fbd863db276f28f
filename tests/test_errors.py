"""Every error: its base classes, pickling, and messages of one line."""

from __future__ import annotations

import copy
import inspect
import pickle

import pytest

import etcdsize
from etcdsize import errors
from etcdsize.errors import EtcdSizeError, MissingDependencyError, WorkloadTypeError

# Every error with every attribute filled in.
FILLED = [
    errors.EtcdSizeError("what came"),
    errors.UnitError("what came", text="8 GBs", accepted="bytes", suggestion="8GB"),
    errors.InvalidWorkloadError("what came", dimension="clients", index=(3, 4), value=-1.5, count=7),
    errors.WorkloadTypeError("what came", dimension="data_bytes", index=3, value="x", count=2),
    errors.OptionError("what came", option="headroom", value=1.5),
    errors.PlanError("what came", member="infra0", field="peer_urls", value="http://a:1/"),
    errors.ColumnError("what came", option="column", value="conn"),
    errors.TableError("what came", file="tiers.json", row=2, field="clients.limit"),
    errors.FleetFileError("what came", file="fleet.csv", line=4_127, column="data_bytes"),
    errors.ScrapeError("what came", endpoint="http://127.0.0.1:2379", line=7, metric="etcd_server_id"),
    errors.MissingDependencyError(package="pyarrow", extra="fleet"),
    errors.CalibrationError("/bin/true: got no etcd", program="/bin/true"),
]
NAMES = [name for name in errors.__all__ if inspect.isclass(getattr(errors, name))]


def test_every_error_is_tested_below():
    assert sorted(type(error).__name__ for error in FILLED) == sorted(NAMES)
    assert set(NAMES) <= set(etcdsize.__all__)


@pytest.mark.parametrize("error", FILLED, ids=lambda error: type(error).__name__)
class TestEveryError:
    """All derive from EtcdSizeError, a ValueError, and pass between processes with their attributes."""

    def test_base_classes(self, error):
        assert isinstance(error, EtcdSizeError)
        assert isinstance(error, ValueError)
        assert error.__doc__

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_pickles(self, error, protocol):
        same(pickle.loads(pickle.dumps(error, protocol)), error)

    def test_copies(self, error):
        same(copy.copy(error), error)
        same(copy.deepcopy(error), error)

    def test_message_is_the_only_argument(self, error):
        assert str(error) == error.message == error.args[0]

    def test_without_arguments(self, error):
        same(pickle.loads(pickle.dumps(type(error)())), type(error)())


def same(one: EtcdSizeError, other: EtcdSizeError) -> None:
    assert type(one) is type(other)
    assert str(one) == str(other)
    assert one.args == other.args
    assert vars(one) == vars(other)


def test_further_base_classes():
    assert issubclass(WorkloadTypeError, TypeError)
    assert issubclass(MissingDependencyError, ImportError)


def test_missing_dependency_names_the_extra():
    error = MissingDependencyError(package="pyarrow", extra="fleet")
    assert str(error) == "pyarrow is not installed; run: pip install 'etcdsize[fleet]'"


@pytest.mark.parametrize(
    "call",
    [
        lambda: etcdsize.parse_bytes("8 GBs"),
        lambda: etcdsize.classify([1, -1], 1, 1),
        lambda: etcdsize.classify(True, 1, 1),
        lambda: etcdsize.size(clients=1, headroom=3),
        lambda: etcdsize.load_tiers("gide"),
        lambda: etcdsize.Tier(name="", kubernetes_nodes=1),
        lambda: etcdsize.Workload(clint=3),
    ],
)
def test_errors_that_the_package_raises_can_be_pickled(call):
    with pytest.raises(EtcdSizeError) as caught:
        call()
    same(pickle.loads(pickle.dumps(caught.value)), caught.value)
