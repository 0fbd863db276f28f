"""Compressed files: read whole or not at all, written whole or not at all, as the programs for them read and write."""

import bz2
import gzip
import io
import os
import random
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from needs import program
from program import ENVIRONMENT

from etcdsize import FleetFileError
from etcdsize.files.compression import COMPRESSIONS, open_compressed, split_name
from etcdsize.files.fleet_file import open_fleet

TEXT = "clients,rps,data,cloud,note\n" + "".join(
    f"{row * 7 % 1500},{row * 11 % 9000},{row % 900}MB,{('aws', 'gce')[row % 2]},{row}\n" for row in range(900)
)
ENDINGS = {"gzip": ".gz", "zstd": ".zst", "bzip2": ".bz2"}


def packed(content: bytes, kind: str) -> bytes:
    match kind:
        case "gzip":
            return gzip.compress(content, mtime=0)
        case "bzip2":
            return bz2.compress(content)
        case _:
            return pa.compress(content, codec="zstd", asbytes=True)


def sized(content: bytes, name: str = "-", **options):
    written = io.BytesIO()
    with open_fleet(Path(name), io.BytesIO(content), **options) as fleet:
        fleet.run(stream=written)
    return written.getvalue()


def fleet(*words, **options):
    command = [sys.executable, "-m", "etcdsize", "fleet", *map(str, words)]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, timeout=60, **options)


PLAIN = sized(TEXT.encode(), "clusters.csv")
KINDS = pytest.mark.parametrize("kind", [known.name for known in COMPRESSIONS])


class TestReading:
    """A compressed file gives what its content gives, whatever tells that it is compressed."""

    @KINDS
    @pytest.mark.parametrize("name", ["clusters.csv{}", "CLUSTERS.CSV{}", "clusters.csv"])
    def test_by_name_and_by_content(self, name, kind):
        assert sized(packed(TEXT.encode(), kind), name.format(ENDINGS[kind])) == PLAIN
        assert sized(packed(TEXT.encode(), kind), name.format(ENDINGS[kind].upper())) == PLAIN

    @KINDS
    def test_the_ending_of_another_compression(self, kind):
        for known in COMPRESSIONS:
            for ending in known.endings:
                assert sized(packed(TEXT.encode(), kind), f"clusters.csv{ending}") == PLAIN

    @KINDS
    def test_what_the_program_writes(self, kind, tmp_path):
        path = tmp_path / "clusters.csv"
        path.write_text(TEXT)
        with path.open("rb") as source:
            written = subprocess.run([program(kind, kind), "-c"], stdin=source, check=True, capture_output=True).stdout
        assert sized(written, "-", format="csv") == PLAIN

    @KINDS
    @pytest.mark.parametrize("pieces", [1, 2, 7])
    def test_several_members_are_one_file(self, kind, pieces):
        content = TEXT.encode()
        size = len(content) // pieces + 1
        parts = [content[start : start + size] for start in range(0, len(content), size)]
        members = b"".join(packed(part, kind) + packed(b"", kind) for part in parts)
        assert sized(members, "clusters.csv") == PLAIN

    def test_what_parallel_zstd_writes(self):
        written = subprocess.run(
            [program("pzstd", "zstd"), "-q", "-c"], input=TEXT.encode(), check=True, capture_output=True
        ).stdout
        assert sized(written, "clusters.csv") == PLAIN

    @KINDS
    def test_parquet(self, kind):
        table = pa.table({"clients": [90, 300], "rps": [150, 800], "data": [80, 400], "cloud": ["aws", "gce"]})
        plain = io.BytesIO()
        pq.write_table(table, plain)
        written = sized(packed(plain.getvalue(), kind), f"clusters.parquet{ENDINGS[kind]}")
        assert pq.read_table(io.BytesIO(written))["tier"].to_pylist() == ["small", "medium"]

    @KINDS
    def test_a_pipe(self, kind):
        run = fleet("-", "--format", "csv", "-o", "-", input=packed(TEXT.encode(), kind))
        assert (run.returncode, run.stdout) == (0, PLAIN)

    @KINDS
    def test_progress_is_that_of_the_file(self, kind, tmp_path):
        path = tmp_path / f"clusters.csv{ENDINGS[kind]}"
        path.write_bytes(packed(TEXT.encode() * 1, kind))
        done = []
        with open_fleet(path) as fleet:
            assert fleet.work == (path.stat().st_size, "B")
            fleet.run(progress=done.append)
        assert sum(done) == path.stat().st_size

    @KINDS
    def test_within_another(self, kind):
        with pytest.raises(
            FleetFileError, match=f"is compressed twice, .*; first run: {kind} -dc clusters.csv > new-clusters.csv$"
        ):
            sized(packed(packed(TEXT.encode(), kind), kind), "clusters.csv")


def error_of(content: bytes, name: str, **options) -> str:
    with pytest.raises(FleetFileError) as caught:
        sized(content, name, **options)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestDamage:
    """A file that is not whole is an error that names it, never a shorter file."""

    @KINDS
    @given(share=st.floats(0, 1, exclude_max=True))
    def test_cut_anywhere(self, kind, share):
        content = packed(TEXT.encode(), kind)
        cut = content[: int(len(content) * share)]
        message = error_of(cut, f"clusters.csv{ENDINGS[kind]}")
        assert kind in message
        assert f"check it with {kind} -t" in message

    @KINDS
    def test_cut_at_every_byte_of_the_second_member(self, kind):
        first, second = packed(TEXT.encode(), kind), packed(b"1,1,1,aws,x\n", kind)
        for end in range(1, len(second)):
            assert "check it with" in error_of(first + second[:end], f"clusters.csv{ENDINGS[kind]}")

    @KINDS
    def test_something_after_the_end(self, kind):
        assert "check it with" in error_of(packed(TEXT.encode(), kind) + b"more", "clusters.csv")

    @pytest.mark.parametrize("kind", ["gzip", "bzip2"])
    def test_changed_bits(self, kind):
        """What the check sums see; zstd's are optional, and PyArrow writes none."""
        content = packed(TEXT.encode(), kind)
        randomly = random.Random(7)
        for _ in range(60):
            changed = bytearray(content)
            changed[randomly.randrange(14, len(content))] ^= 1 << randomly.randrange(8)
            assert "damaged, or cut off" in error_of(bytes(changed), "clusters.csv")

    def test_changed_bits_of_zstd_with_a_check_sum(self):
        content = subprocess.run(
            [program("zstd", "zstd"), "-q", "-c"], input=TEXT.encode(), check=True, capture_output=True
        ).stdout
        randomly = random.Random(7)
        for _ in range(60):
            changed = bytearray(content)
            changed[randomly.randrange(14, len(content))] ^= 1 << randomly.randrange(8)
            error_of(bytes(changed), "clusters.csv")

    @KINDS
    def test_a_name_that_says_what_the_content_is_not(self, kind):
        name = f"clusters.csv{ENDINGS[kind]}"
        assert error_of(TEXT.encode(), name) == (
            f"{name}: begins as something else, expected {kind}, as its name says; check it with {kind} -t, or "
            "rename it to what it is"
        )
        assert error_of(b"", name).startswith(f"{name}: empty, expected {kind}")
        assert sized(TEXT.encode(), name, format="csv") == PLAIN, "the content decides where the format is given"

    @KINDS
    def test_no_output_is_left(self, kind, tmp_path):
        path = tmp_path / f"clusters.csv{ENDINGS[kind]}"
        path.write_bytes(packed(TEXT.encode(), kind)[:-1])
        run = fleet(path, "-o", tmp_path / "sized.csv")
        assert (run.returncode, run.stdout) == (2, b"")
        assert run.stderr.decode().startswith(f"etcdsize: {path}: damaged, or cut off: ")
        assert run.stderr.count(b"\n") == 1
        assert list(tmp_path.iterdir()) == [path]


class TestWriting:
    """An output is compressed where its name says so, and the same content gives the same bytes."""

    @KINDS
    @pytest.mark.parametrize("to", ["csv", "tsv", "jsonl", "parquet"])
    def test_every_format(self, to, kind, tmp_path):
        source = tmp_path / "clusters.csv"
        source.write_text(TEXT)
        plain, output = tmp_path / f"sized.{to}", tmp_path / f"sized.{to}{ENDINGS[kind]}"
        for target in (plain, output):
            with open_fleet(source) as fleet:
                fleet.run(target)
        unpacked = subprocess.run([program(kind, kind), "-dc", output], check=True, capture_output=True).stdout
        assert unpacked == plain.read_bytes()
        before = output.read_bytes()
        with open_fleet(source) as fleet:
            fleet.run(output, force=True)
        assert output.read_bytes() == before
        with pytest.raises(FleetFileError, match='has a column "tier"'), open_fleet(output):
            pass

    @KINDS
    def test_an_error_leaves_nothing(self, kind, tmp_path):
        path = tmp_path / f"out{ENDINGS[kind]}"

        def fail():
            with open_compressed(path) as stream:
                stream.write(os.urandom(1000))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert list(tmp_path.iterdir()) == []

    @KINDS
    def test_nothing_is_a_whole_file(self, kind, tmp_path):
        path = tmp_path / f"out{ENDINGS[kind]}"
        with open_compressed(path):
            pass
        subprocess.run([program(kind, kind), "-t", path], check=True, capture_output=True)

    def test_a_reader_that_goes_away(self, tmp_path):
        """The command ends quietly, as with plain files."""
        path = tmp_path / "clusters.csv.gz"
        path.write_bytes(gzip.compress(TEXT.encode() * 40))
        with subprocess.Popen(
            [sys.executable, "-m", "etcdsize", "fleet", path, "-o", "-"],
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            process.stdout.read(10)
            process.stdout.close()
            assert process.stderr.read() == b""


class TestName:
    @pytest.mark.parametrize(
        ("name", "inner", "kind"),
        [
            ("a.csv.gz", "a.csv", "gzip"),
            ("a.gz", "a", "gzip"),
            ("d.gz/a.csv", "d.gz/a.csv", None),
            ("a.csv", "a.csv", None),
            ("-", "-", None),
            (".gz", ".gz", None),
        ],
    )
    def test_split(self, name, inner, kind):
        path, found = split_name(Path(name))
        assert (str(path), found and found.name) == (inner, kind)
