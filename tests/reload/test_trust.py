"""Files that somebody else may have written are not executed by themselves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bsrepl.registry.store import registry
from bsrepl.reload.reloader import Reloader
from bsrepl.shell.preloaded import PRELOADED

from ..conftest import Folder
from ..shell.test_command_line import bsrepl

FOLD = "@step\ndef answer(model):\n    return 1\n"

DOUBTS = {
    "a file that anyone may write to": (lambda path: path.chmod(0o666), "anyone may write to it; chmod o-w"),
    "a folder that anyone may write to": (lambda path: path.parent.chmod(0o777), "anyone may write to its folder"),
    "a file of another user": (lambda path: os.chown(path, 12345, -1), "it belongs to another user, 12345"),
    "a folder of another user": (lambda path: os.chown(path.parent, 12345, -1), "its folder belongs to another user"),
}


@pytest.mark.parametrize("doubt", DOUBTS)
def test_a_doubtful_file_is_not_executed_and_it_says_why_and_what_to_do(folder: Folder, doubt: str) -> None:
    make, said = DOUBTS[doubt]
    if "another user" in doubt and os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    path = folder.write("fold.py", FOLD)
    make(path)
    (failure,) = folder.look().failures
    assert failure.error.startswith(f"fold.py is not executed: {said}")
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
    assert bsrepl("--check", "fold.py", *option, cwd=tmp_path).returncode == status
