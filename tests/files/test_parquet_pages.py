"""Page headers: a page that cannot be, or that would become enormous, is rejected; batches fit into memory."""

import io
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etcdsize import FleetFileError
from etcdsize.files import parquet_pages
from etcdsize.files.fleet_file import open_fleet
from etcdsize.files.parquet_description import read_description
from etcdsize.files.parquet_pages import Expansion, Page, read_pages, rows_per_batch
from etcdsize.files.thrift import I32, I64, begin_struct, write_struct

KIND, SIZE, STORED, DATA, DICTIONARY = 1, 2, 3, 5, 7


def parquet(table, **options):
    written = io.BytesIO()
    pq.write_table(pa.table(table), written, **options)
    return written.getvalue()


def plain(rows=100, **options):
    return parquet({name: range(rows) for name in ("clients", "rps", "data")}, use_dictionary=False, **options)


def sized(data, **options):
    with open_fleet(Path("f.parquet"), io.BytesIO(data), **options) as fleet:
        return fleet.run()


def with_header(change):
    """Return a file in which the header of its first page is changed. The statistics give way to a longer header."""
    data = plain(compression="none")
    header, length = begin_struct(data[4:])
    header[DATA][1].pop(5, None)
    change(header)
    written = write_struct(header)
    # A field that nobody knows fills what is left.
    header[20] = (8, b"")
    spare = length - len(write_struct(header))
    assert spare >= 0, (length, len(written))
    header[20] = (8, b"x" * spare)
    return data[:4] + write_struct(header) + data[4 + length :]


def setting(field, value, kind=I32):
    def change(header):
        header[field] = (kind, value)

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (setting(SIZE, 2**31 - 1), 'a page of the column "clients" has 2,147,483,647 bytes, expected at most 128 MiB'),
        (setting(SIZE, -1), 'a page of the column "clients" does not fit the file'),
        (setting(STORED, 2**31 - 1), 'a page of the column "clients" does not fit the file'),
        (setting(STORED, -5), 'a page of the column "clients" does not fit the file'),
        (setting(KIND, 2), 'a page of the column "clients" lacks its description'),
        (setting(KIND, 0, I64), 'a page of the column "clients": its metadata is damaged: the field 1'),
        (lambda header: header[DATA][1].update({1: (I32, 101)}), 'the pages of the column "clients" do not have'),
        (lambda header: header[DATA][1].update({1: (I32, -1)}), 'the pages of the column "clients" do not have'),
        (lambda header: header.pop(SIZE), 'a page of the column "clients": its metadata is damaged: a page'),
    ],
)  # fmt: skip
def test_a_page_that_cannot_be_is_rejected(change, reason):
    assert sized(with_header(lambda header: None), provider="aws").clusters == 100
    with pytest.raises(FleetFileError) as caught:
        sized(with_header(change), provider="aws")
    assert str(caught.value).startswith(f"f.parquet: cannot be read: {reason}")


def test_a_header_with_long_statistics_is_read():
    table = {"clients": [1], "rps": [1], "data": ["9" * 4000]}
    data = parquet(table, use_dictionary=False)
    assert sized(data, provider="aws").clusters == 1


def test_sizes_are_those_of_the_file():
    data = parquet({"a": ["x" * 1000, "y"] * 500, "b": range(1000)}, data_page_size=500, write_batch_size=100)
    read_at = io.BytesIO(data)

    def at(start, count):
        read_at.seek(start)
        return read_at.read(count)

    description = read_description(len(data), at)
    text, number = (
        read_pages(column[3][1], leaf, at)
        for column, leaf in zip(description.groups[0][1][1].values, description.leaves, strict=True)
    )
    assert sum(page.values for page in text) == sum(page.values for page in number) == 1000
    assert [page.repeated for page in text] == [page.values * 1000 for page in text]
    assert not any(page.repeated or page.guessed for page in number)
    assert len(number) > 1


class TestRowsPerBatch:
    """No batch is heavier than the limit, or than the heaviest page."""

    def rows(self, *columns, coded=None, most=1024):
        rows = sum(page.values for page in columns[0])
        group = {3: (I64, rows)}
        return rows_per_batch([group], [[pages] for pages in columns], coded or [False] * len(columns), most)

    def test_light_rows_are_read_in_large_batches(self, monkeypatch):
        monkeypatch.setattr(parquet_pages, "BATCH_BYTES", 10_000)
        assert self.rows([Page(1000, 8000, 0, 0)]) == 1024
        assert self.rows([Page(1000, 8000, 0, 0)], [Page(1000, 8000, 0, 0)]) == 512

    @pytest.mark.parametrize("seed", range(20))
    def test_any_pages(self, seed, monkeypatch):
        monkeypatch.setattr(parquet_pages, "BATCH_BYTES", 5_000)
        draw = random.Random(seed)
        pages = [Page(n := draw.randrange(1, 50), n * draw.choice((1, 10, 200)), 0, 0) for _ in range(40)]
        count = self.rows(pages)
        weights = [page.size / page.values for page in pages for _ in range(page.values)]
        heaviest = max(sum(weights[start : start + count]) for start in range(0, len(weights), count))
        limit = max(5_000, max(page.size for page in pages))
        assert heaviest <= limit + 1
        wider = max(sum(weights[start : start + 2 * count]) for start in range(0, len(weights), 2 * count))
        assert count == 1024 or wider > limit

    def test_text_that_stays_coded_weighs_its_codes(self, monkeypatch):
        monkeypatch.setattr(parquet_pages, "BATCH_BYTES", 10_000)
        pages = [Page(1000, 8000, 10**9, 0)]
        assert self.rows(pages, coded=[True]) == 1024
        # A row has up to a megabyte of text: as many as a page of the largest size may hold.
        assert self.rows(pages) == 128

    def test_light_rows_beside_heavy_ones(self, monkeypatch):
        """Small batches for the heavy rows would make millions for the light ones."""
        monkeypatch.setattr(parquet_pages, "BATCH_BYTES", 1000)
        heavy = [Page(1, 900, 0, 0)] * 10
        assert self.rows([*heavy, Page(10**6, 0, 0, 0)], most=2**18) == 0
        assert self.rows([*heavy, Page(1000, 0, 0, 0)], most=2**18) == 1


def test_what_becomes_enormous_is_rejected():
    expansion = Expansion()
    chunk = {7: (I64, 10**6), 9: (I64, 4)}
    expansion.add([chunk], [[[Page(1, 2**30, 2**40, 0)]]], [True])
    with pytest.raises(ValueError, match="more than 64 GiB and 1,000 times their size; read fewer columns"):
        expansion.add([chunk], [[[Page(1, 2**30, 2**40, 0)]]], [False])
    for _ in range(200):
        Expansion().add([{7: (I64, 2**30), 9: (I64, 4)}], [[[Page(1, 2**37, 0, 0)]]], [False])


@pytest.mark.parametrize("column", ["provider", "current_machine", "data"])
@pytest.mark.parametrize("repeats", [1, 20])
def test_a_dictionary_of_long_text_stays_coded(column, repeats, monkeypatch):
    """The answers are the same however the text is read, and a problem shows the beginning of the text."""
    rows = 2000 * repeats
    texts = {
        "provider": ["aws", "gcp", "y" * 900],
        "current_machine": ["m5.large", "x" * 900],
        "data": ["1GB", "z" * 900],
    }
    table = {"clients": [1] * rows, "rps": [1] * rows, "data": [10**6] * rows, "provider": ["aws"] * rows}
    table[column] = ([*texts[column], None] * rows)[:rows]
    source = parquet(table, row_group_size=1500)
    expected = sized(source)
    batches = []
    monkeypatch.setattr(parquet_pages, "BATCH_BYTES", 50_000)
    with open_fleet(Path("f.parquet"), io.BytesIO(source)) as fleet:
        read = fleet.reader.read

        def watched(wanted):
            for found in read(wanted):
                batches.append(found.batch)
                yield found

        fleet.reader.read = watched
        assert fleet.run() == expected
    assert any(pa.types.is_dictionary(kind.type) for batch in batches for kind in batch.schema)
    assert sum(batch.num_rows for batch in batches) == rows
