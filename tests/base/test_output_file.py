"""An output file appears under its name only when it is complete."""

import os
import stat
import threading
from pathlib import Path

import pytest

from etcdsize import FleetFileError
from etcdsize.base.output_file import check_output, open_output

OLD, NEW = b"what was there", b"what is new"


def write(path):
    with open_output(path) as stream:
        stream.write(NEW)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


class TestOpenOutput:
    """The output replaces an existing file at once, and only if nothing failed."""

    def test_a_new_file_appears_when_it_is_complete(self, tmp_path):
        out = tmp_path / "out.csv"
        with open_output(out) as stream:
            stream.write(NEW)
            stream.flush()
            assert not out.exists()
            assert len(names(tmp_path)) == 1
        assert out.read_bytes() == NEW
        assert names(tmp_path) == ["out.csv"]

    @pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
    def test_the_mode_of_a_new_file(self, tmp_path, mask):
        before = os.umask(mask)
        try:
            write(tmp_path / "out")
        finally:
            assert os.umask(before) == mask
        assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o666 & ~mask

    @pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o400])
    def test_an_existing_file_keeps_its_mode(self, tmp_path, mode):
        out = tmp_path / "out"
        out.write_bytes(OLD)
        out.chmod(mode)
        write(out)
        assert out.read_bytes() == NEW
        assert stat.S_IMODE(out.stat().st_mode) == mode

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, OSError, GeneratorExit])
    def test_an_error_leaves_the_existing_file_and_nothing_else(self, tmp_path, error):
        out = tmp_path / "out"
        out.write_bytes(OLD)
        with pytest.raises(error):
            self.write_and_raise(out, error)
        assert out.read_bytes() == OLD
        assert names(tmp_path) == ["out"]

    def write_and_raise(self, out, error):
        with open_output(out) as stream:
            stream.write(NEW)
            raise error

    def test_a_link_still_points_at_its_file(self, tmp_path):
        (tmp_path / "elsewhere").mkdir()
        target, link = tmp_path / "elsewhere" / "file", tmp_path / "link"
        target.write_bytes(OLD)
        link.symlink_to(Path("elsewhere") / "file")
        write(link)
        assert link.is_symlink()
        assert target.read_bytes() == NEW
        assert names(tmp_path) == ["elsewhere", "link"]
        assert names(tmp_path / "elsewhere") == ["file"]

    def test_a_dangling_link_creates_its_target(self, tmp_path):
        link = tmp_path / "link"
        link.symlink_to("file")
        write(link)
        assert link.is_symlink()
        assert (tmp_path / "file").read_bytes() == NEW

    def test_a_hard_link_keeps_the_old_content(self, tmp_path):
        """As after any rename, the other name still has the old content."""
        out, other = tmp_path / "out", tmp_path / "other"
        out.write_bytes(OLD)
        other.hardlink_to(out)
        write(out)
        assert (out.read_bytes(), other.read_bytes()) == (NEW, OLD)

    def test_a_device_is_written_directly(self):
        before = Path("/dev/null").stat()
        write(Path("/dev/null"))
        after = Path("/dev/null").stat()
        assert stat.S_ISCHR(after.st_mode)
        assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)

    def test_a_pipe_is_written_directly(self, tmp_path):
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        got = []
        reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
        reader.start()
        write(pipe)
        reader.join(10)
        assert got == [NEW]
        assert stat.S_ISFIFO(pipe.stat().st_mode)
        assert names(tmp_path) == ["pipe"]

    def test_the_longest_possible_name(self, tmp_path):
        for name in ("n" * 255, "żółw" * 36):
            write(tmp_path / name)
            assert (tmp_path / name).read_bytes() == NEW

    def test_a_full_disk_is_an_error(self, tmp_path):
        with pytest.raises(OSError, match="No space left"):
            write(Path("/dev/full"))


class TestCheckOutput:
    """An output must not overwrite its input, and needs `force` to overwrite another file."""

    def test_a_new_file_is_accepted(self, tmp_path):
        check_output(tmp_path / "out", None, force=False)
        check_output(tmp_path / "out", tmp_path / "in", force=False)

    def test_an_existing_file_needs_force(self, tmp_path):
        out = tmp_path / "out"
        out.write_bytes(OLD)
        with pytest.raises(FleetFileError) as caught:
            check_output(out, None, force=False)
        assert str(caught.value) == f"{out}: already exists; use --force to replace it"
        check_output(out, None, force=True)

    @pytest.mark.parametrize("kind", ["itself", "symbolic link", "hard link", "another path"])
    def test_the_input_is_never_replaced(self, tmp_path, kind):
        source = tmp_path / "in"
        source.write_bytes(OLD)
        out = tmp_path / "out"
        if kind == "symbolic link":
            out.symlink_to("in")
        elif kind == "hard link":
            out.hardlink_to(source)
        else:
            out = source if kind == "itself" else tmp_path / ".." / tmp_path.name / "in"
        for force in (False, True):
            with pytest.raises(FleetFileError) as caught:
                check_output(out, source, force=force)
            assert str(caught.value) == f"{out}: is also the input; give the output another name"

    def test_a_directory_is_rejected(self, tmp_path):
        with pytest.raises(FleetFileError) as caught:
            check_output(tmp_path, None, force=True)
        assert str(caught.value) == f"{tmp_path}: is a directory, expected the name of a file"

    @pytest.mark.parametrize("parent", ["missing", "file"])
    def test_a_missing_directory_is_rejected(self, tmp_path, parent):
        (tmp_path / "file").write_bytes(OLD)
        out = tmp_path / parent / "out"
        with pytest.raises(FleetFileError) as caught:
            check_output(out, None, force=True)
        assert str(caught.value) == f"{out}: there is no directory {out.parent}; create it first"

    def test_a_device_needs_no_force(self):
        check_output(Path("/dev/null"), None, force=False)
