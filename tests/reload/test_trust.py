"""Files that somebody else may have written are not executed by themselves."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import subprocess
from pathlib import Path

import pytest

from bsrepl.registry.store import registry
from bsrepl.reload.files.trust import doubt
from bsrepl.reload.reloader import Reloader
from bsrepl.shell.preloaded import PRELOADED

from ..command_line import forked
from ..conftest import Folder, Start

FOLD = "@step\ndef answer(model):\n    return 1\n"

DOUBTS = {
    "a file that anyone may write to": (lambda path: path.chmod(0o666), "anyone may write to {path}; chmod o-w {path}"),
    "a folder that anyone may write to": (lambda path: path.parent.chmod(0o777), "anyone may write to {folder}; chmod"),
    "a file of another user": (lambda path: os.chown(path, 12345, -1), "{path} belongs to another user, 12345"),
    "a folder of another user": (lambda path: os.chown(path.parent, 12345, -1), "{folder} belongs to another user"),
    "a parent folder of another user": (lambda path: os.chown(path.parent.parent, 12345, -1), "{parent} belongs to"),
    "a file of a foreign group": (lambda path: (os.chown(path, -1, 12345), path.chmod(0o664)), "the group 12345 may"),  # type: ignore[func-returns-value]
    "a parent folder that anyone may write to": (
        lambda path: path.parent.parent.chmod(0o777),
        "anyone may write to {parent}",
    ),
}


@pytest.mark.parametrize("doubt", DOUBTS)
def test_a_doubtful_file_is_not_executed_and_it_says_why_and_what_to_do(folder: Folder, doubt: str) -> None:
    make, message = DOUBTS[doubt]
    if ("another user" in doubt or "foreign" in doubt) and os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    path = folder.write("fold.py", FOLD)
    make(path)
    (failure,) = folder.look().failures
    reason = message.format(path=path, folder=path.parent, parent=path.parent.parent)
    assert failure.error.startswith(f"fold.py is not executed: {reason}")
    assert failure.error.endswith("or start with --trust")
    assert folder.names() == []
    assert not folder.look()
    trusting = Reloader(registry, [str(folder.path)], PRELOADED, folder.clock, trusting=True)
    assert not trusting.refresh().failures
    assert folder.names() == ["steps.answer"]
    trusting.close()


def test_taking_the_write_permission_away_is_enough(folder: Folder) -> None:
    path = folder.write("fold.py", FOLD)
    path.chmod(0o666)
    assert folder.look().failures
    path.chmod(0o644)
    assert folder.changes() == ["+ steps.answer"]


def test_a_file_that_becomes_writable_keeps_its_last_trusted_version(folder: Folder) -> None:
    path = folder.write("fold.py", FOLD)
    folder.look()
    path.chmod(0o666)
    (failure,) = folder.look().failures
    assert [str(key) for key in failure.kept] == ["steps.answer"]


def test_a_helper_is_looked_at_too(folder: Folder) -> None:
    folder.write("_helper.py", "").chmod(0o666)
    folder.write("fold.py", f"import _helper\n{FOLD}")
    (failure,) = folder.look().failures
    assert "_helper.py is not executed" in failure.error


def test_a_folder_with_the_sticky_bit_protects_its_files(folder: Folder) -> None:
    folder.write("fold.py", FOLD)
    folder.path.chmod(0o1777)
    assert folder.changes() == ["+ steps.answer"]


@pytest.mark.parametrize(("option", "status"), [([], 1), (["--trust"], 0)])
def test_the_option(tmp_path: Path, option: list[str], status: int) -> None:
    (tmp_path / "fold.py").write_text(FOLD)
    (tmp_path / "fold.py").chmod(0o666)
    assert forked("--check", "fold.py", *option, cwd=tmp_path).returncode == status


def _linked_in_another_folder(folder: Folder, outside: Path) -> None:
    (outside / "fold.py").write_text(FOLD)
    (folder.path / "fold.py").symlink_to(outside / "fold.py")


@pytest.mark.parametrize("is_folder_linked", [False, True])
def test_the_target_of_a_link_counts_not_the_link_alone(folder: Folder, tmp_path: Path, is_folder_linked: bool) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    if is_folder_linked:
        (outside / "package").mkdir()
        (outside / "package" / "__init__.py").write_text(FOLD)
        (folder.path / "package").symlink_to(outside / "package")
    else:
        _linked_in_another_folder(folder, outside)
    outside.chmod(0o777)
    (failure,) = folder.look().failures
    assert f"anyone may write to {outside}" in failure.error
    outside.chmod(0o755)
    assert folder.changes() == ["+ steps.answer"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a link away")
def test_a_link_of_another_user_in_a_sticky_folder(folder: Folder, tmp_path: Path) -> None:
    _linked_in_another_folder(folder, tmp_path)
    folder.path.chmod(0o1777)
    os.chown(folder.path / "fold.py", 12345, -1, follow_symlinks=False)
    (failure,) = folder.look().failures
    assert "fold.py belongs to another user, 12345" in failure.error
    assert "the symbolic link" in failure.error


def test_a_link_that_leads_to_itself_hides_no_other_file(folder: Folder) -> None:
    (folder.path / "loop").symlink_to("loop")
    (folder.path / "again.py").symlink_to("again.py")
    folder.write("fold.py", FOLD)
    report = folder.look()
    assert folder.names() == ["steps.answer"]
    assert [failure.error.partition(":")[0] for failure in report.failures] in ([], ["again.py cannot be read"])


def test_the_group_of_the_user_alone_may_write(folder: Folder) -> None:
    path = folder.write("fold.py", FOLD)
    os.chown(path, -1, os.getegid())
    path.chmod(0o664)
    assert (doubt(str(path), os.geteuid()) is None) == _is_alone(os.getegid())


def _is_alone(group: int) -> bool:
    members = {*grp.getgrgid(group).gr_mem, *(user.pw_name for user in pwd.getpwall() if user.pw_gid == group)}
    return members <= {pwd.getpwuid(os.geteuid()).pw_name, "root"}


@pytest.mark.skipif(shutil.which("setfacl") is None, reason="setfacl is not installed")
def test_an_access_control_list_that_lets_others_write(folder: Folder) -> None:
    path = folder.write("fold.py", FOLD)
    if subprocess.run(["setfacl", "-m", "u:12345:rw", path], check=False, capture_output=True).returncode:
        pytest.skip("this file system has no access control lists")
    (failure,) = folder.look().failures
    assert "user 12345 may write to" in failure.error


@pytest.mark.parametrize("mode", [0o644, 0o666])
def test_settings_and_startup_files_follow_the_same_rule(start: Start, tmp_path: Path, mode: int) -> None:
    config = tmp_path / ".config" / "bsrepl" / "config.py"
    startup = tmp_path / "startup.py"
    config.parent.mkdir(parents=True)
    for path in (config, startup):
        path.write_text(f"print('executed', {path.name!r})\n")
        path.chmod(mode)
    shell = start(PYTHONSTARTUP=str(startup))
    expected = "executed {}" if mode == 0o644 else "{} is not executed: anyone may write to"
    shell.expect(expected.format("config.py"), expected.format("startup.py"), ">>>")


@pytest.mark.parametrize(("mode", "status"), [(0o644, 0), (0o666, 1)])
def test_a_lesson_follows_the_same_rule(tmp_path: Path, mode: int, status: int) -> None:
    lesson = tmp_path / "lesson.md"
    lesson.write_text("# Lesson\n```python\nopen('executed', 'w').close()\n```\n")
    lesson.chmod(mode)
    done = forked("--check", "lesson.md", cwd=tmp_path)
    assert done.returncode == status, done.stdout
    assert ("is not executed: anyone may write to" in done.stdout) == bool(status)
