"""Nothing is quadratic: four times the names, keys or words take about four times as long.

With a loop in a loop, each of these would take minutes at the larger size.
"""

import io
import json
import time
from pathlib import Path

import pyarrow as pa
import pytest
from api_server import OBJECTS, api_server_page

from etcdsize import ColumnError, TableError, audit, kubernetes_profile, load_catalog, read_apiserver_metrics
from etcdsize.base.json_text import documents
from etcdsize.batches.columns import columns_to_read, pick_columns
from etcdsize.batches.options import BatchOptions
from etcdsize.batches.sizer import BatchSizer
from etcdsize.catalog.catalog import check_names
from etcdsize.files.fleet_file import open_fleet
from etcdsize.frames.size_frame import reject_repeated_names, size_frame

# Each does its work three times, at length.
pytestmark = pytest.mark.slow

LOADS = ("clients", "rps", "data")


def others(count):
    return [f"column {place}" for place in range(count)]


def picked(count):
    pick_columns([*others(count), *LOADS], provider_given=True)


def not_found(count):
    with pytest.raises(ColumnError):
        pick_columns(others(count), provider_given=True)


def repeated_names(count):
    with pytest.raises(ColumnError):
        reject_repeated_names([*others(count), *others(count)])


def places(count):
    columns_to_read(pick_columns([*others(count), *LOADS], provider_given=True), range(count))


def repeated_keys(count):
    pairs = ",".join(f'"{name}":1' for name in others(count))
    with pytest.raises(TableError, match='"column 0" more than once'):
        documents(f'{{{pairs},"column 0":2}}')


def json_lines(count):
    written(count, json.dumps(dict.fromkeys((*others(count), *LOADS), 1)).encode(), "jsonl")


def comma_separated(count):
    names = [*others(count), *LOADS]
    written(count, f"{','.join(names)}\n{','.join('1' * len(names))}\n".encode(), "csv")


def written(count, source, kind):
    with open_fleet(Path("fleet"), io.BytesIO(source), format=kind, provider="aws") as fleet:
        assert fleet.run(stream=io.BytesIO(), columns=[*others(count)[: count // 4], "tier"][:9000]).clusters == 1


def frame(count):
    size_frame(pa.table({name: [1] for name in (*others(count), *LOADS)}), provider="aws")


def names_of_a_catalog(count):
    check_names(load_catalog("guide"), "family", others(count), others(count))


def machines(count):
    """Machines that nobody knows; a suggestion for each would take milliseconds."""
    names = [f"m5.{place}large" for place in range(count)]
    batch = audit(names, 1, 1, 1, on_invalid="mark")
    assert 0 < sum("did you mean" in one.reason for one in batch) <= 100


def unknown_words(count):
    """Providers and sizes that are no such thing; a provider of which nothing is known is no problem."""
    batch = pa.RecordBatch.from_pydict(
        {
            "clients": [f"{place} client" for place in range(count)],
            "rps": [f"{place} rsp" for place in range(count)],
            "data": [f"{place} GBs" for place in range(count)],
            "provider": [f"aws{place}" for place in range(count)],
        }
    )
    sizer = BatchSizer.of(BatchOptions.of(), batch.schema.names)
    problems = sizer(batch).column("problem").to_pylist()
    assert {problem.count("expected") for problem in problems} == {3, 4}
    assert 100 <= sum("did you mean" in problem for problem in problems) <= 400


def custom_resources(count):
    """Kinds of objects, each with several assumptions."""
    kinds = {f"things{place}.example.com": {"count": 5, "value_bytes": 100} for place in range(count)}
    assert len(kubernetes_profile(5, objects=kinds).assumptions) > 2 * count


def api_server(count):
    kinds = {f"things{place}.example.com": place for place in range(count)}
    assert len(read_apiserver_metrics(api_server_page(objects={**OBJECTS, **kinds})).profile.objects) > count


@pytest.mark.parametrize(
    ("work", "count"),
    [
        *((work, 25_000) for work in (picked, not_found, repeated_names, places, repeated_keys, names_of_a_catalog)),
        *((work, 8_000) for work in (json_lines, comma_separated, frame)),
        (machines, 1_000),
        (custom_resources, 1_000),
        (api_server, 1_000),
        (unknown_words, 1_000),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_time_grows_with_the_size(work, count):
    def seconds(size):
        start = time.process_time()
        work(size)
        return time.process_time() - start

    work(count // 10)
    small = min(seconds(count), seconds(count))
    # Beside other work, the same takes up to twice as long.
    assert seconds(4 * count) < max(9 * small, 3)
