"""`%load_ext bsrepl` in IPython, in a real terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..conftest import files
from ..pty_session import PtySession
from .test_notebook import FOLD

pytest.importorskip("IPython", reason="IPython is not installed; scripts/test-hosts has it")


@pytest.fixture
def ipython(tmp_path: Path) -> Iterator[PtySession]:
    files(tmp_path, {"fold.py": FOLD.format(limit=1)})
    options = ("-m", "IPython", "--no-banner", "--simple-prompt", "--no-confirm-exit", "--colors=NoColor")
    started = PtySession(
        *options, cwd=tmp_path, command=sys.executable, is_fresh=True, IPYTHONDIR=str(tmp_path / ".ipython")
    )
    started.expect("In [1]:")
    yield started
    started.close()


def test_files_models_and_verdicts_are_told_around_each_cell(ipython: PtySession, tmp_path: Path) -> None:
    ipython.enter("%load_ext bsrepl")
    ipython.expect("65 transforms", "In [2]:")
    ipython.enter("%bsrepl fold.py")
    ipython.expect("+ tfm.Fold", "65 -> 66", "In [3]:")
    files(tmp_path, {"fold.py": FOLD.format(limit=2)})
    ipython.enter("tfm.Fold.limit")
    ipython.expect("~ tfm.Fold", "limit changed", "Out[3]: 2", "In [4]:")
    ipython.enter("m = load('mnist-conv')")
    ipython.expect("In [5]:")
    ipython.enter("m = m.transform(tfm.LowerConvsToMatMul())")
    ipython.expect("m: LowerConvsToMatMul", "12 -> 18 nodes", "In [6]:")
    ipython.enter("verify(before('m'), m)")
    ipython.expect("Out[6]: OK  same outputs", "In [7]:")
    ipython.enter("tfm.find('fold', framework='brainsmith')")
    ipython.expect("tfm.Fold  stage=cleanup", "In [8]:")
    ipython.enter("load()")
    ipython.expect("WrongCall: name is missing", "In [9]:")
    ipython.enter("%unload_ext bsrepl")
    ipython.expect("In [10]:")
    ipython.enter("tfm")
    ipython.expect("NameError", "In [11]:")
    ipython.enter("exit")
    assert ipython.status() == 0


def test_the_tour_puts_its_steps_at_the_prompt(ipython: PtySession) -> None:
    ipython.enter("%load_ext bsrepl")
    ipython.expect("65 transforms", "In [2]:")
    ipython.enter("tour()")
    ipython.expect("[1/23] Introduction", "In [3]:")
    ipython.enter("tour.next()")
    ipython.expect("[2/23]", "In [4]:")
    ipython.enter("tour.quit()")
    ipython.expect("In [5]:")
