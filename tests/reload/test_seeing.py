"""Seeing changes: whatever an editor, a version control system or a clock does to the files."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bsrepl import tfm
from bsrepl.reload.files import signatures as watch

from ..conftest import Folder, Screen

ONE = '@transform(name="One1")\nclass Fold:\n    def apply(self, model):\n        return model, False\n'
TWO = ONE.replace("One1", "Two2")
assert len(ONE) == len(TWO)

CHANGED = ["+ tfm.Two2", "- tfm.One1"]


def same_size_and_times(path: Path) -> None:
    times = path.stat()
    path.write_text(TWO)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def older_times(path: Path) -> None:
    path.write_text(TWO)
    os.utime(path, (1, 1))


def copied_with_its_times(path: Path) -> None:
    source = path.parent.parent / "source.py"
    source.write_text(TWO)
    os.utime(source, (1000, 1000))
    shutil.copy2(source, path)


def backup_moved_back(path: Path) -> None:
    backup = path.with_suffix(".bak")
    backup.write_text(TWO)
    os.utime(backup, (1000, 1000))
    backup.rename(path)


def temporary_file_renamed(path: Path) -> None:
    temporary = path.with_name("4913")
    temporary.write_text(TWO)
    temporary.rename(path)


def backup_renamed_away_and_written_anew(path: Path) -> None:
    path.rename(path.with_name("fold.py~"))
    path.write_text(TWO)


def truncated_then_written(path: Path) -> None:
    with open(path, "w") as file:
        file.flush()
        file.write(TWO)


def in_the_future(path: Path) -> None:
    path.write_text(TWO)
    os.utime(path, (2e9, 2e9))


@pytest.mark.parametrize("settled", [False, True])
@pytest.mark.parametrize(
    "save",
    [
        same_size_and_times,
        older_times,
        copied_with_its_times,
        backup_moved_back,
        temporary_file_renamed,
        backup_renamed_away_and_written_anew,
        truncated_then_written,
        in_the_future,
    ],
)
def test_every_way_to_save_is_seen(folder: Folder, save: Callable[[Path], None], settled: bool) -> None:
    path = folder.write("fold.py", ONE)
    folder.look()
    if settled:  # as if the file had lain there for ten seconds when it was looked at
        folder.clock.ahead = 10
        folder.look()
    save(path)
    assert folder.changes() == CHANGED
    assert folder.changes() == []


@pytest.mark.parametrize(
    "touch",
    [
        lambda path: os.utime(path),
        lambda path: os.utime(path, (1, 1)),
        lambda path: path.write_text(ONE),
        lambda path: path.chmod(0o600),
        lambda path: (path.rename(path.with_suffix(".bak")), path.with_suffix(".bak").rename(path)),
        lambda path: (shutil.copy2(path, path.with_suffix(".new")), path.with_suffix(".new").rename(path)),
    ],
)
def test_a_touch_is_silent_and_leaves_the_same_objects(folder: Folder, touch: Callable[[Path], object]) -> None:
    path = folder.write("fold.py", ONE)
    folder.look()
    cls, module = tfm.One1, sys.modules["fold"]
    touch(path)
    assert not folder.look()
    assert tfm.One1 is cls
    assert sys.modules["fold"] is module


def test_a_file_gone_for_a_moment_is_kept_then_unregistered_after_a_grace(folder: Folder) -> None:
    path = folder.write("fold.py", ONE)
    folder.look()
    path.rename(path.with_suffix(".bak"))
    for ahead in (0.0, 0.4, 0.8):
        folder.clock.ahead = ahead
        assert folder.changes() == []
        assert folder.reloader.waiting == [str(path)]
    path.with_suffix(".bak").rename(path)
    assert folder.changes() == []
    assert folder.reloader.waiting == []
    path.unlink()
    folder.look()
    folder.clock.ahead = 2.5
    assert folder.changes() == ["- tfm.One1"]


def test_a_file_truncated_for_longer_than_a_moment_is_an_empty_file(folder: Folder) -> None:
    path = folder.write("fold.py", ONE)
    folder.look()
    path.write_text("")
    assert folder.changes() == []
    folder.clock.ahead = 1.5
    assert folder.changes() == ["- tfm.One1"]
    folder.write("fold.py", TWO)
    assert folder.changes() == ["+ tfm.Two2"]


def test_a_write_between_stat_and_read_is_not_lost(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes that are executed are those of the signature that is kept: a later look sees the write."""
    path = folder.write("fold.py", ONE)
    real = os.pread

    def write_first(descriptor: int, length: int, offset: int) -> bytes:
        monkeypatch.setattr(os, "pread", real)
        path.write_text(TWO + "# longer\n")
        return real(descriptor, length, offset)

    monkeypatch.setattr(os, "pread", write_first)
    assert folder.changes() == ["+ tfm.Two2"]
    assert folder.changes() == []


def test_a_write_after_the_read_is_seen_next_time(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder.write("fold.py", ONE)
    real = watch.read

    def write_after(name: str, now: int, *, trusted: bool) -> watch.Contents:
        contents = real(name, now, trusted=trusted)
        path.write_text(TWO)
        return contents

    monkeypatch.setattr(watch, "read", write_after)
    assert folder.changes() == ["+ tfm.One1"]
    monkeypatch.setattr(watch, "read", real)
    assert folder.changes() == CHANGED


def test_files_come_and_go_in_a_watched_folder(folder: Folder) -> None:
    assert folder.changes() == []
    folder.clock.ahead = 10
    folder.look()
    folder.write("fold.py", ONE)
    assert folder.changes() == ["+ tfm.One1"]
    folder.write("other.py", TWO)
    assert folder.changes() == ["+ tfm.Two2"]


def test_a_folder_that_is_removed_and_made_again(folder: Folder) -> None:
    folder.write("fold.py", ONE)
    folder.write("other.py", TWO)
    folder.look()
    shutil.rmtree(folder.path)
    assert folder.changes() == []
    folder.clock.ahead = 2
    assert folder.changes() == ["- tfm.One1", "- tfm.Two2"]
    folder.write("fold.py", ONE)
    folder.write("new.py", TWO)
    assert folder.changes() == ["+ tfm.One1", "+ tfm.Two2"]


def test_a_folder_that_a_file_takes_the_place_of(folder: Folder) -> None:
    init = folder.write("pack/__init__.py", ONE)
    folder.look()
    shutil.rmtree(init.parent)
    init.parent.write_text("")
    assert folder.changes() == []
    folder.clock.ahead = 2
    assert folder.changes() == ["- tfm.One1"]
    assert not folder.reloader.failures


def test_a_link_that_is_pointed_elsewhere(folder: Folder, tmp_path: Path) -> None:
    first, second = tmp_path / "first.py", tmp_path / "second.py"
    first.write_text(ONE)
    second.write_text(TWO)
    link = folder.path / "fold.py"
    link.symlink_to(first)
    assert folder.changes() == ["+ tfm.One1"]
    link.unlink()
    link.symlink_to(second)
    assert folder.changes() == CHANGED


def test_what_is_above_a_link_is_above_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "real" / "inner").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real" / "inner")
    for place in (tmp_path, tmp_path / "real"):
        (place / "p.py").write_text(f"@step\ndef {'inside' if place.name == 'real' else 'outside'}(model): pass\n")
    folder = Folder(tmp_path, tmp_path / "link" / ".." / "p.py", Path(f"{tmp_path}/link/../../p.py"))
    assert folder.changes() == ["+ steps.inside", "+ steps.outside"]
    folder.reloader.close()


def test_a_link_and_its_target_are_one_file(folder: Folder) -> None:
    target = folder.write("fold.py", ONE)
    (folder.path / "link.py").symlink_to(target)
    report = folder.look()
    assert folder.changes(report) == ["+ tfm.One1"]
    assert not report.failures
    target.write_text(TWO)
    assert folder.changes() == CHANGED


def test_a_link_takes_over_when_its_target_leaves_the_folder(folder: Folder, tmp_path: Path) -> None:
    target = folder.write("fold.py", ONE)
    (folder.path / "link.py").symlink_to(target)
    folder.look()
    target.rename(tmp_path / "elsewhere.py")
    (folder.path / "link.py").unlink()
    (folder.path / "link.py").symlink_to(tmp_path / "elsewhere.py")
    folder.look()
    folder.clock.ahead = 2
    folder.look()
    assert folder.names() == ["tfm.One1"]


@pytest.mark.parametrize("name", [".#fold.py", "fold.py~", ".fold.py.swp", "4913", "#fold.py#", "_fold.py", "fold.pyc"])
def test_editor_litter_is_ignored(folder: Folder, name: str) -> None:
    folder.write(name, "1 / 0")
    assert not folder.look()


def test_a_dangling_lock_link_is_ignored(folder: Folder) -> None:
    (folder.path / ".#fold.py").symlink_to("user@host.1234")
    (folder.path / "fold.py").symlink_to("nowhere")
    assert not folder.look()


def refused(folder: Folder) -> str:
    report = folder.look()
    (failure,) = report.failures
    assert not folder.look()  # told once
    return failure.error


def test_a_folder_called_like_a_file_is_no_plugin_file(folder: Folder) -> None:
    (folder.path / "x.py").mkdir()
    assert not folder.look()


def test_a_fifo_is_refused_and_never_waited_for(folder: Folder) -> None:
    os.mkfifo(folder.path / "pipe.py")
    assert refused(folder) == "pipe.py is not a regular file"


def test_a_device_is_refused(folder: Folder) -> None:
    (folder.path / "zero.py").symlink_to("/dev/zero")
    assert "is not a regular file" in refused(folder)


def test_a_huge_file_is_refused_unread(folder: Folder) -> None:
    with open(folder.path / "huge.py", "wb") as file:
        file.truncate(100_000_000)
    assert refused(folder) == "huge.py has 100 MB; too large for a plugin file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(folder: Folder) -> None:
    folder.write("secret.py", ONE).chmod(0)
    assert refused(folder) == "secret.py cannot be read: Permission denied"


def test_a_file_that_cannot_be_opened_is_refused_and_comes_back(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder.write("fold.py", ONE)
    folder.look()
    real = os.open

    def denied(name: str, flags: int) -> int:
        if name == str(path):
            raise PermissionError(13, "Permission denied")
        return real(name, flags)

    monkeypatch.setattr(os, "open", denied)
    path.chmod(0)
    assert refused(folder) == "fold.py cannot be read: Permission denied"
    assert folder.names() == ["tfm.One1"]
    monkeypatch.undo()
    path.chmod(0o600)
    report = folder.look()
    assert [Path(each).name for each in report.fixed] == ["fold.py"]


@pytest.mark.parametrize("ahead", [-100_000, 100_000])
def test_a_clock_that_jumps_hides_no_change(folder: Folder, ahead: float) -> None:
    path = folder.write("fold.py", ONE)
    folder.look()
    folder.clock.ahead = ahead
    assert folder.changes() == []
    same_size_and_times(path)
    assert folder.changes() == CHANGED


def test_a_clock_that_goes_backwards_does_not_prolong_the_grace_for_ever(folder: Folder) -> None:
    path = folder.write("fold.py", ONE)
    folder.look()
    path.unlink()
    folder.look()
    folder.clock.ahead = -1000
    folder.look()
    folder.clock.ahead = -998
    assert folder.changes() == ["- tfm.One1"]


def test_forty_files_at_once_are_one_report_and_fail_on_their_own(folder: Folder) -> None:
    for n in range(40):
        folder.write(f"plugin_{n:02}.py", ONE.replace("One1", f"P{n:02}"))
    report = folder.look()
    assert len(folder.changes(report)) == len(report.executed) == 40
    for n in range(40):
        folder.write(f"plugin_{n:02}.py", ONE.replace("One1", f"Q{n:02}") if n % 2 else "oops")
    report = folder.look()
    assert len(report.failures) == 20
    assert len(report.executed) == 20
    assert len(folder.names()) == 40


def test_a_file_that_is_written_to_without_end_is_read_all_the_same(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder.write("fold.py", ONE)
    real = os.pread

    def append_first(descriptor: int, length: int, offset: int) -> bytes:
        with open(path, "a") as file:
            file.write("# more\n")
        return real(descriptor, length, offset)

    monkeypatch.setattr(os, "pread", append_first)
    assert folder.changes() == ["+ tfm.One1"]


def test_a_disk_that_fails_is_told(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write("fold.py", ONE)

    def fail(descriptor: int, length: int, offset: int) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "pread", fail)
    assert refused(folder) == "fold.py cannot be read: Input/output error"


def test_a_look_asks_the_disk_once_for_each_file(
    screen: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved, other = tmp_path / "plugins" / "fold.py", tmp_path / "plugins" / "other.py"
    saved.write_text(ONE)
    other.write_text("")
    screen.clock.ahead = 10
    screen.type("0")
    asked: list[object] = []
    stat = os.stat

    def counted(path: Any, **options: Any) -> os.stat_result:
        asked.append(path)
        return stat(path, **options)

    monkeypatch.setattr(os, "stat", counted)
    screen.type("0")
    assert asked.count(str(other)) == 1
    saved.write_text(TWO)
    screen.type("0")
    assert asked.count(str(other)) == 2
    saved.write_text(ONE)
    assert screen.console.reloader.is_due()  # as the waiting prompt does
    screen.console.look(looked=True)
    assert asked.count(str(other)) == 3
    assert "One1" in tfm


# Files that are written while others are executed, as a checkout does

WRITES = "from pathlib import Path\nhere = Path(__file__).parent\n"


def test_a_checkout_that_is_seen_half_done_is_one_change(folder: Folder) -> None:
    folder.write("_shared.py", "ONE = 1\n")
    folder.write("fold.py", "from _shared import ONE\n" + ONE)
    folder.look()
    folder.write("fold.py", "from _shared import TWO\n" + TWO)
    folder.write("last.py", WRITES + "(here / '_shared.py').write_text('TWO = 2')\n")
    report = folder.look()
    assert (report.failures, report.fixed, report.gone) == ([], [], [])
    assert folder.changes(report) == CHANGED
    assert sorted(Path(path).name for path in report.executed) == ["_shared.py", "fold.py", "last.py"]
    assert [Path(path).name for path in report.new] == ["last.py"]
    assert not folder.look()


def test_a_save_that_is_read_half_done_is_told_as_it_ends(folder: Folder) -> None:
    fold = folder.write("fold.py", ONE)
    folder.look()
    fold.write_text(f"{WRITES}print('half')\n(here / 'fold.py').write_text({TWO!r})\n1 / 0\n")
    report = folder.look()
    assert (report.failures, report.fixed, report.output) == ([], [], [])
    assert folder.changes(report) == CHANGED


def test_a_file_that_a_checkout_takes_away_for_a_moment_was_never_gone(screen: Screen) -> None:
    fold = screen.folder / "fold.py"
    fold.write_text(ONE)
    screen.type("held = [tfm.One1, tfm.One1()]")
    fold.unlink()
    edited = ONE.replace("return", "self.seen = 1; return")
    (screen.folder / "other.py").write_text(WRITES + f"(here / 'fold.py').write_text({edited!r})\n")
    printed = screen.type("held[0] is tfm.One1 is type(held[1])")
    assert "~ tfm.One1  apply() changed" in printed
    assert "True" in printed.splitlines()
    assert "- tfm" not in printed
    assert "gone" not in printed
    assert "stale" not in printed


def test_files_that_never_rest_are_told_all_the_same(folder: Folder) -> None:
    text = WRITES + "me = here / 'fold.py'\nme.write_text(me.read_text() + '# again\\n')\n"
    folder.write("fold.py", text + ONE)
    folder.write("other.py", TWO)
    assert folder.changes() == ["+ tfm.One1", "+ tfm.Two2"]


# Git locks its index before it writes the first file, and replaces it after the last


MOVED = ["+ tfm.Two2", "~ tfm.One1 moved from fold.py:1"]


@pytest.fixture(params=["a repository", "another working tree of one"])
def index(folder: Folder, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The index of the repository that the folder of plugin files lies in."""
    place = tmp_path / ".git"
    if request.param != "a repository":
        place.write_text("gitdir: main/trees/one\n")
        place = tmp_path / "main" / "trees" / "one"
    place.mkdir(parents=True)
    (place / "index").write_text("")
    folder.write("fold.py", ONE)
    folder.write("other.py", "")
    folder.look()
    return place / "index"


def test_a_checkout_of_which_the_first_file_is_seen_is_one_change(folder: Folder, index: Path) -> None:
    folder.write("fold.py", "from _shared import TWO\n" + TWO)
    assert folder.reloader.is_due()
    folder.write("_shared.py", "TWO = 2\n")
    folder.write("other.py", ONE)
    index.write_text("new")
    report = folder.reloader.refresh(looked=True)
    assert (folder.changes(report), report.failures) == (MOVED, [])
    assert len(report.executed) == 3


@pytest.mark.parametrize(
    ("edit", "later", "changes"),
    [
        (lambda path: path.write_text(TWO), ONE, MOVED),
        (lambda path: path.unlink(), TWO, CHANGED),
    ],
)
def test_a_checkout_that_goes_on_is_waited_for(
    folder: Folder,
    index: Path,
    monkeypatch: pytest.MonkeyPatch,
    edit: Callable[[Path], object],
    later: str,
    changes: list[str],
) -> None:
    lock = index.with_name("index.lock")

    def go_on(seconds: float) -> None:
        folder.write("other.py", later)
        lock.rename(index)

    monkeypatch.setattr("bsrepl.reload.files.checkout.time.sleep", go_on)
    lock.write_text("")
    edit(folder.path / "fold.py")
    assert folder.changes() == changes
    assert not folder.look()
    assert folder.reloader.waiting == []


def test_a_lock_that_a_crash_left_behind_delays_nothing(
    folder: Folder, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bsrepl.reload.files.checkout.time.sleep", None)
    index.with_name("index.lock").write_text("")
    os.utime(index.with_name("index.lock"), (1, 1))
    folder.write("fold.py", TWO)
    assert folder.changes() == CHANGED


@pytest.mark.parametrize("change", [Path.unlink, lambda path: path.write_text("")], ids=["deletes", "empties"])
def test_a_file_that_git_deletes_or_empties_is_so_at_once(
    folder: Folder, index: Path, change: Callable[[Path], object]
) -> None:
    folder.write("other.py", TWO)
    change(folder.path / "fold.py")
    index.write_text("new")
    assert folder.changes() == CHANGED
