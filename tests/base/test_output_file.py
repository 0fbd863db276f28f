"""An output file appears under its name only when it is complete."""

import errno
import os
import stat
import struct
import tempfile
import threading
from pathlib import Path

import pytest
from needs import leave_out

from etcdsize import FleetFileError
from etcdsize.base.output_file import check_output, is_standard_output, is_stream, open_output, open_temporary
from etcdsize.base.text import one_line

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

    def test_the_longest_possible_name(self, tmp_path):
        for name in ("n" * 255, "żółw" * 36):
            write(tmp_path / name)
            assert (tmp_path / name).read_bytes() == NEW

    def test_an_error_of_the_output_names_it(self, tmp_path):
        with pytest.raises(FleetFileError) as caught:
            write(Path("/dev/full"))
        assert str(caught.value) == "/dev/full: cannot be written: No space left on device"
        assert caught.value.file == "/dev/full"

    def test_an_error_of_something_else_does_not_name_the_output(self, tmp_path):
        with pytest.raises(OSError, match="Input/output error") as caught, open_output(tmp_path / "out"):
            raise OSError(errno.EIO, os.strerror(errno.EIO), "elsewhere")
        assert caught.value.filename == "elsewhere"
        assert names(tmp_path) == []


class TestAttributes:
    """What replaces a file is owned and accessible as the file was, so far as the system permits."""

    @pytest.fixture
    def out(self, tmp_path):
        out = tmp_path / "out"
        out.write_bytes(OLD)
        return out

    def test_the_owner_and_the_group(self, out):
        if os.geteuid() != 0:
            leave_out("only root can give a file away; run the tests as root")
        os.chown(out, 12345, 54321)
        out.chmod(0o640)
        write(out)
        found = out.stat()
        assert (out.read_bytes(), found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (NEW, 12345, 54321, 0o640)

    @pytest.mark.parametrize(
        ("mode", "reduced"), [(0o664, 0o644), (0o640, 0o600), (0o604, 0o600), (0o4755, 0o755), (0o666, 0o666)]
    )
    def test_a_new_owner_gives_nobody_new_rights(self, open_path, request, mode, reduced):
        """Another user's file in a directory that we may write: it becomes ours, as after any rename."""
        if os.geteuid() != 0:
            leave_out("only root can give a file away; run the tests as root")
        out = open_path / "out"
        out.write_bytes(OLD)
        os.chown(out, 12345, 54321)
        out.chmod(mode)
        request.getfixturevalue("unprivileged")
        write(out)
        found = out.stat()
        assert found.st_uid == os.geteuid()
        assert stat.S_IMODE(found.st_mode) == reduced

    def test_extended_attributes(self, out):
        try:
            os.setxattr(out, "user.origin", b"here")
        except OSError:
            leave_out(
                f"the file system of {tempfile.gettempdir()} has no extended attributes; set TMPDIR to one that has"
            )
        write(out)
        assert os.listxattr(out) == ["user.origin"]
        assert os.getxattr(out, "user.origin") == b"here"

    def test_an_access_control_list(self, out):
        """User 12345 may read the file, its group may not: the mode alone would say that the group may."""
        entries = [(0x01, 6, -1), (0x02, 4, 12345), (0x04, 0, -1), (0x10, 4, -1), (0x20, 0, -1)]
        acl = struct.pack("<I", 2) + b"".join(
            struct.pack("<HHI", tag, rights, user & 0xFFFFFFFF) for tag, rights, user in entries
        )
        name = "system.posix_acl_access"
        try:
            os.setxattr(out, name, acl)
        except OSError:
            leave_out(
                f"the file system of {tempfile.gettempdir()} has no access control lists; set TMPDIR to one that has"
            )
        write(out)
        assert os.getxattr(out, name) == acl
        os.removexattr(out, name)
        # What the directory gives to new files, the file that replaces an old one does not get.
        os.setxattr(out.parent, "system.posix_acl_default", acl)
        write(out)
        assert name not in os.listxattr(out)

    def test_nobody_else_can_read_what_replaces_a_private_file(self, out):
        out.chmod(0o600)
        with open_output(out):
            (part,) = out.parent.glob(".*.part")
            assert not stat.S_IMODE(part.stat().st_mode) & 0o077


class TestStreams:
    """A pipe, a device or an open descriptor is written as it comes, and never replaced."""

    def test_a_device(self):
        before = Path("/dev/null").stat()
        write(Path("/dev/null"))
        after = Path("/dev/null").stat()
        assert stat.S_ISCHR(after.st_mode)
        assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)

    def test_a_named_pipe(self, tmp_path):
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

    @pytest.mark.parametrize("folder", ["/dev/fd", "/proc/self/fd"])
    def test_the_descriptor_of_a_pipe(self, folder):
        """As in `-o >(cat)`."""
        there, here = os.pipe()
        path = Path(folder, str(here))
        assert is_stream(path)
        check_output(path, None, force=False)
        write(path)
        os.close(here)
        with os.fdopen(there, "rb") as pipe:
            assert pipe.read() == NEW

    def test_the_descriptor_of_a_file_keeps_what_is_there(self, tmp_path):
        """As in `-o /dev/stdout >> file`."""
        file = tmp_path / "file"
        file.write_bytes(OLD)
        with file.open("ab") as stream:
            path = Path(f"/dev/fd/{stream.fileno()}")
            check_output(path, None, force=False)
            write(path)
            write(path)
        assert file.read_bytes() == OLD + NEW + NEW

    def test_a_link_to_a_descriptor(self, tmp_path):
        there, here = os.pipe()
        (tmp_path / "link").symlink_to(f"/dev/fd/{here}")
        write(tmp_path / "link")
        os.close(here)
        with os.fdopen(there, "rb") as pipe:
            assert pipe.read() == NEW
        assert (tmp_path / "link").is_symlink()

    def test_a_reader_that_went_away(self):
        """It is no error of the output: the command ends as if it had written to standard output."""
        there, here = os.pipe()
        os.close(there)
        with pytest.raises(BrokenPipeError):
            write(Path(f"/dev/fd/{here}"))
        os.close(here)

    def test_a_descriptor_that_is_closed(self):
        there, here = os.pipe()
        os.close(here)
        os.close(there)
        with pytest.raises(FleetFileError) as caught:
            write(Path(f"/dev/fd/{here}"))
        assert str(caught.value) == f"/dev/fd/{here}: cannot be written: Bad file descriptor"

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("-", True),
            ("/dev/stdout", True),
            ("/dev/fd/1", True),
            ("/proc/self/fd/1", True),
            ("/dev/stderr", False),
            ("/dev/fd/11", False),
            ("stdout", False),
            ("1", False),
            ("", False),
            ("a\0b", False),
            (None, False),
        ],
    )
    def test_names_of_standard_output(self, name, expected):
        assert is_standard_output(name) is expected

    def test_a_file_is_none(self, tmp_path):
        write(tmp_path / "out")
        assert not any(map(is_stream, (tmp_path / "out", tmp_path, tmp_path / "new", tmp_path / "no" / "out")))


class TestOpenTemporary:
    def test_is_read_and_written(self):
        with open_temporary() as file:
            file.write(NEW)
            file.seek(0)
            assert file.read() == NEW

    def test_errors_name_the_directory(self, monkeypatch, tmp_path):
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
        with pytest.raises(FleetFileError) as caught, open_temporary():
            pass
        assert str(caught.value) == f"{tmp_path / 'gone'}: cannot be written: No such file or directory"

    def test_a_system_without_any_says_what_to_do(self, monkeypatch, tmp_path):
        monkeypatch.setattr(tempfile, "tempdir", None)
        monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [str(tmp_path / "gone")])
        with pytest.raises(FleetFileError, match=r"No usable temp.*; set TMPDIR to a directory that"), open_temporary():
            pass


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

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("n" * 256, "File name too long"),
            ("loop/out", "Too many levels of symbolic links"),
            ("loop", "Too many levels of symbolic links"),
            ("a\0b", "embedded null"),
            ("\ud800", "surrogates not allowed"),
        ],
        ids=["too long", "in a loop", "a loop", "null", "surrogate"],
    )
    def test_a_name_that_cannot_be_is_named(self, tmp_path, name, reason):
        (tmp_path / "loop").symlink_to("loop")
        for attempt in (lambda path: check_output(path, None, force=True), write):
            with pytest.raises(FleetFileError) as caught:
                attempt(tmp_path / name)
            message = str(caught.value)
            assert message.startswith(one_line(f"{tmp_path / name}: cannot be written: "))
            assert reason in message
            assert caught.value.file == str(tmp_path / name)

    def test_a_directory_that_may_not_be_searched_is_named(self, tmp_path, unprivileged_there):
        out = tmp_path / "secret" / "out"
        for attempt in (lambda path: check_output(path, None, force=True), write):
            with pytest.raises(FleetFileError) as caught:
                attempt(out)
            assert str(caught.value) == f"{out}: cannot be written: Permission denied"

    @pytest.fixture
    def unprivileged_there(self, tmp_path, request):
        (tmp_path / "secret").mkdir(mode=0)
        return request.getfixturevalue("unprivileged")
