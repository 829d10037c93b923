"""A file is written whole or not at all."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bsrepl.text.whole_file import write_folder, write_whole


@contextmanager
def _full_disk() -> Iterator[None]:
    """No file can be longer than some bytes, as where a disk is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("before", [None, b"was"])
def test_a_full_disk_leaves_what_was_there(tmp_path: Path, before: bytes | None) -> None:
    path = tmp_path / "fold.py"
    if before is not None:
        path.write_bytes(before)
    with _full_disk(), pytest.raises(OSError, match="File too large"):
        write_whole(path, b"longer than that")
    assert [file.read_bytes() for file in tmp_path.iterdir()] == ([] if before is None else [before])


def test_a_file_keeps_its_mode_and_a_link_its_place(tmp_path: Path) -> None:
    path, link = tmp_path / "fold.py", tmp_path / "link.py"
    path.write_bytes(b"was")
    path.chmod(0o640)
    link.symlink_to(path)
    write_whole(link, b"is")
    assert (path.read_bytes(), path.stat().st_mode & 0o777, link.is_symlink()) == (b"is", 0o640, True)
    write_whole(link, b"new", follows_links=False)
    assert (path.read_bytes(), link.read_bytes(), link.is_symlink()) == (b"is", b"new", False)


def test_a_folder_is_written_whole_or_stays_as_it_was(tmp_path: Path) -> None:
    new, old = tmp_path / "new", tmp_path / "old"
    old.mkdir()
    (old / "a").write_bytes(b"was")
    for folder in (new, old):
        with _full_disk(), pytest.raises(OSError, match="File too large"):
            write_folder(folder, {"a": b"is", "plugins/b": b"longer than that"})
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == ["old", "old/a"]
    write_folder(old, {"a": b"is", "plugins/b": b"it"})
    assert {path.name: path.read_bytes() for path in old.rglob("*") if path.is_file()} == {"a": b"is", "b": b"it"}
    assert not list(old.glob(".*"))
