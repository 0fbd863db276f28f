"""UTF-16 is read as the text that it is; what is written is UTF-8."""

import io
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from needs import program

from etcdsize import FleetFileError
from etcdsize.files.fleet_file import open_fleet
from etcdsize.files.utf16 import FromUtf16, unmarked_utf16

CSV = "clients,rps,data,cloud,note\r\n90,150,80MB,aws,żółw 🐢\r\n300,800,400MB,gce,集群\r\n"
JSONL = '{"clients": 90, "rps": 150, "data": "80MB", "cloud": "aws", "note": "żółw 🐢"}\n'
TEXTS = {"csv": CSV, "tsv": CSV.replace(",", "\t"), "jsonl": JSONL}
MARKED = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}


def sized(content, name="-", **options):
    written = io.BytesIO()
    with open_fleet(Path(name), io.BytesIO(content), **options) as fleet:
        fleet.run(stream=written)
    return written.getvalue()


def error_of(content, name):
    with pytest.raises(FleetFileError) as caught:
        sized(content, name)
    return caught.value


class TestMarked:
    """A byte order mark tells the encoding."""

    @pytest.mark.parametrize("encoding", MARKED)
    @pytest.mark.parametrize("kind", TEXTS)
    def test_every_text_format(self, kind, encoding):
        content = MARKED[encoding] + TEXTS[kind].encode(encoding)
        assert sized(content, f"clusters.{kind}") == sized(TEXTS[kind].encode(), f"clusters.{kind}")
        assert sized(content, format=kind) == sized(TEXTS[kind].encode(), format=kind)

    def test_what_iconv_writes(self):
        content = subprocess.run(
            [program("iconv", "libc-bin"), "-f", "UTF-8", "-t", "UTF-16"],
            input=CSV.encode(),
            check=True,
            capture_output=True,
        ).stdout
        assert sized(content, "clusters.csv") == sized(CSV.encode(), "clusters.csv")

    @given(st.text(), st.sampled_from(list(MARKED)), st.integers(1, 9))
    def test_any_text_in_pieces(self, text, encoding, size):
        content = MARKED[encoding] + text.encode(encoding, "surrogatepass")
        if any(0xD800 <= ord(letter) < 0xE000 for letter in text):
            return
        read = FromUtf16(io.BytesIO(content), "f")
        assert b"".join(iter(lambda: read.read(size), b"")) == text.encode()

    @pytest.mark.parametrize("encoding", MARKED)
    def test_cut_anywhere_within_a_character(self, encoding):
        content = MARKED[encoding] + CSV.encode(encoding)
        for end in range(3, len(content), 2):
            assert str(error_of(content[:end], "clusters.csv")).endswith(
                ": got the middle of a character at the end, expected UTF-16, as the file begins; "
                "copy or export it again"
            )

    def test_half_of_a_surrogate_pair(self):
        content = b"\xff\xfe" + (CSV + "1,2,3,aws,").encode("utf-16-le") + b"\x00\xd8a\x00"
        error = error_of(content, "clusters.csv")
        assert str(error).startswith("clusters.csv: line 4: got the bytes 0x00d8, expected UTF-16")
        assert error.line == 4


class TestUnmarked:
    """Without a mark it is a guess: it is named, with the command that converts it."""

    @pytest.mark.parametrize("encoding", MARKED)
    @pytest.mark.parametrize("kind", TEXTS)
    def test_it_is_named(self, kind, encoding, tmp_path):
        name = encoding.upper().replace("-", "").replace("UTF", "UTF-")
        path = tmp_path / f"my clusters.{kind}"
        path.write_bytes(TEXTS[kind].encode(encoding))
        with pytest.raises(FleetFileError) as caught, open_fleet(path):
            pass
        where, command = str(caught.value).split("; first run: ")
        assert where == f"{path}: looks like {name} without a byte order mark, expected UTF-8"
        subprocess.run(["sh", "-c", command], check=True)
        assert (tmp_path / f"new-my clusters.{kind}").read_text("utf-8") == TEXTS[kind].replace("\r\n", "\n")

    @given(st.text(min_size=1))
    def test_utf_8_is_not_taken_for_it(self, text):
        assert unmarked_utf16(text.replace("\0", "").encode(errors="ignore")) is None
