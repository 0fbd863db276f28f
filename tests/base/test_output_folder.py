"""A directory of files: every file is complete before any of them appears."""

import os
import shutil
import signal
import stat
import subprocess
import sys

import pytest
from paths import ROOT

from etcdsize import FleetFileError
from etcdsize.base.output_folder import write_folder
from etcdsize.base.text import one_line

FILES = {"a": b"the content of a", "b": b"the content of b", "c": b"the content of c"}


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class TestNew:
    """A directory that does not exist appears with all its files, or not at all."""

    def test_all_files_are_written(self, tmp_path):
        assert write_folder(tmp_path / "new", FILES, force=False) == ("a", "b", "c")
        assert contents(tmp_path / "new") == FILES
        assert [path.name for path in tmp_path.iterdir()] == ["new"]

    @pytest.mark.parametrize("mask", [0o022, 0o077])
    def test_modes_are_those_of_new_files(self, tmp_path, mask):
        before = os.umask(mask)
        try:
            write_folder(tmp_path / "new", FILES, force=False)
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o777 & ~mask
        assert stat.S_IMODE((tmp_path / "new" / "b").stat().st_mode) == 0o666 & ~mask

    def test_a_dangling_link_creates_its_target(self, tmp_path):
        (tmp_path / "link").symlink_to("new")
        write_folder(tmp_path / "link", FILES, force=False)
        assert (tmp_path / "link").is_symlink()
        assert contents(tmp_path / "new") == FILES

    def test_an_error_leaves_nothing(self, tmp_path):
        with pytest.raises(FleetFileError) as caught:
            write_folder(tmp_path / "new", {**FILES, "n" * 256: b""}, force=False)
        assert str(caught.value) == f"{tmp_path / 'new' / ('n' * 256)}: cannot be written: File name too long"
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("parent", ["missing", "file"])
    def test_its_directory_must_exist(self, tmp_path, parent):
        (tmp_path / "file").write_bytes(b"")
        folder = tmp_path / parent / "new"
        with pytest.raises(FleetFileError) as caught:
            write_folder(folder, FILES, force=True)
        assert str(caught.value) == f"{folder}: there is no directory {folder.parent}; create it first"

    @pytest.mark.parametrize("name", ["n" * 256, "loop", "a\0b"])
    def test_a_name_that_cannot_be_is_named(self, tmp_path, name):
        (tmp_path / "loop").symlink_to("loop")
        with pytest.raises(FleetFileError) as caught:
            write_folder(tmp_path / name, FILES, force=False)
        assert str(caught.value).startswith(one_line(f"{tmp_path / name}: cannot be written: "))

    def test_a_file_in_its_place_is_rejected(self, tmp_path):
        (tmp_path / "file").write_bytes(b"")
        for path in (tmp_path / "file", "/dev/null"):
            with pytest.raises(FleetFileError, match=r": is not a directory, expected the name of one$"):
                write_folder(tmp_path / path, FILES, force=True)


class TestExisting:
    """In a directory that exists, files with other content are replaced only with `force`; the rest is left alone."""

    def test_missing_files_are_added(self, tmp_path):
        (tmp_path / "other").write_bytes(b"stays")
        assert write_folder(tmp_path, FILES, force=False) == ("a", "b", "c")
        assert contents(tmp_path) == {**FILES, "other": b"stays"}

    def test_a_file_with_its_content_is_left_alone(self, tmp_path):
        write_folder(tmp_path, FILES, force=False)
        before = (tmp_path / "b").stat()
        (tmp_path / "c").unlink()
        assert write_folder(tmp_path, FILES, force=False) == ("c",)
        assert write_folder(tmp_path, FILES, force=True) == ()
        assert (tmp_path / "b").stat().st_ino == before.st_ino
        assert contents(tmp_path) == FILES

    @pytest.mark.parametrize(
        ("before", "message"),
        [
            ({"b": b"old"}, "b already exists with other content (missing: a, c); use --force to replace it"),
            (
                {"a": FILES["a"], "b": b"old"},
                "b already exists with other content (up to date: a; missing: c); use --force to replace it",
            ),
            (
                {"a": b"old", "b": FILES["b"], "c": b"THE CONTENT OF C"},
                "a, c already exist with other content (up to date: b); use --force to replace them",
            ),
            (dict.fromkeys(FILES, b""), "a, b, c already exist with other content; use --force to replace them"),
        ],
    )
    def test_other_content_needs_force(self, tmp_path, before, message):
        for name, content in before.items():
            (tmp_path / name).write_bytes(content)
        with pytest.raises(FleetFileError) as caught:
            write_folder(tmp_path, FILES, force=False)
        assert str(caught.value) == f"{tmp_path}: {message}"
        assert contents(tmp_path) == before
        write_folder(tmp_path, FILES, force=True)
        assert contents(tmp_path) == FILES

    def test_a_file_that_cannot_be_read_counts_as_different(self, open_path, request):
        (open_path / "a").write_bytes(b"THE CONTENT OF A")
        (open_path / "a").chmod(0)
        request.getfixturevalue("unprivileged")
        with pytest.raises(FleetFileError, match=r": a already exists with other content"):
            write_folder(open_path, FILES, force=False)

    def test_links_are_followed_and_modes_kept(self, tmp_path):
        folder = tmp_path / "folder"
        folder.mkdir()
        (tmp_path / "elsewhere").write_bytes(b"old")
        (tmp_path / "elsewhere").chmod(0o600)
        (folder / "a").symlink_to("../elsewhere")
        write_folder(folder, FILES, force=True)
        assert (folder / "a").is_symlink()
        assert (tmp_path / "elsewhere").read_bytes() == FILES["a"]
        assert stat.S_IMODE((tmp_path / "elsewhere").stat().st_mode) == 0o600

    @pytest.mark.parametrize("kind", ["directory", "pipe"])
    def test_what_is_not_a_file_is_rejected(self, tmp_path, kind):
        """Reading a pipe to compare it would wait forever."""
        (os.mkdir if kind == "directory" else os.mkfifo)(tmp_path / "b")
        with pytest.raises(FleetFileError) as caught:
            write_folder(tmp_path, FILES, force=True)
        assert str(caught.value) == f"{tmp_path / 'b'}: is not a file; remove it or choose another directory"
        assert [path.name for path in tmp_path.iterdir()] == ["b"]

    def test_an_error_leaves_every_file_as_it_was(self, tmp_path):
        (tmp_path / "a").write_bytes(b"old")
        with pytest.raises(FleetFileError):
            write_folder(tmp_path, {**FILES, "n" * 256: b""}, force=True)
        assert contents(tmp_path) == {"a": b"old"}


KILLED = """
import os, signal, sys
from pathlib import Path
from etcdsize.base.output_folder import write_folder
left = int(sys.argv[2])

def count(event, arguments):
    global left
    if event in ("open", "os.mkdir", "os.rename", "os.chmod", "os.chown", "os.remove", "os.listxattr", "os.rmdir"):
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(count)
write_folder(Path(sys.argv[1]), {name: f"the content of {name}".encode() for name in "abc"}, force=True)
"""


@pytest.mark.parametrize("state", ["new", "empty", "old"])
def test_a_kill_between_any_two_steps(tmp_path, state):
    """A new directory appears whole; in an existing one every file is old, new or absent; the next run completes it."""
    folder = tmp_path / "folder"
    old = dict.fromkeys(FILES, b"old") if state == "old" else {}
    seen = set()
    for step in range(1, 100):
        if state != "new":
            folder.mkdir(exist_ok=True)
            for name in FILES:
                (folder / name).unlink(missing_ok=True)
            for name, content in old.items():
                (folder / name).write_bytes(content)
        process = subprocess.run(
            [sys.executable, "-c", KILLED, str(folder), str(step)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode == 0:
            break
        assert (process.returncode, process.stderr) == (-signal.SIGKILL, "")
        hidden = list(tmp_path.rglob(".*.part"))
        found = {} if not folder.exists() else contents(folder)
        found = {name: content for name, content in found.items() if not name.endswith(".part")}
        if state == "new":
            assert found in ({}, FILES)
            assert folder.exists() == bool(found)
        assert found.keys() <= FILES.keys()
        assert old.keys() <= found.keys()
        assert all(content in (FILES[name], old.get(name)) for name, content in found.items())
        seen.add(sum(found.get(name) == content for name, content in FILES.items()))
        differ = [name for name in FILES if name in found and found[name] != FILES[name]]
        if differ:
            with pytest.raises(FleetFileError, match=f": {', '.join(differ)} already exist"):
                write_folder(folder, FILES, force=False)
        write_folder(folder, FILES, force=bool(differ))
        for path in hidden:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        assert contents(folder) == FILES
        if state == "new":
            shutil.rmtree(folder)
    # The last step is the last file's change of name.
    assert seen == ({0} if state == "new" else {0, 1, 2})
    assert contents(folder) == FILES
