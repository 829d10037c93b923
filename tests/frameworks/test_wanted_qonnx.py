"""A framework that was written for another QONNX is told by what it imports of it; nothing is imported for that."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bsrepl.frameworks.discovery import package_folders
from bsrepl.frameworks.source_reader import modules
from bsrepl.frameworks.wanted_qonnx import missing_names, wanted_qonnx

from ..conftest import Screen, files, forget, unwrapped

FINN = {
    "builder/steps.py": """
        import qonnx.core.onnx_exec as oxe
        from qonnx.core.datatype import DataType
        from qonnx.transformation.general import (
            GiveUniqueNodeNames,  # there
            ApplyOldConfig as Apply,
            SortGraph,
        )

        def step_one(model, cfg):
            from qonnx.transformation.general import OnlyWhenItIsCalled
    """,
    "transformation/pads.py": """
        import numpy as np
        from qonnx.transformation.lower_convs_to_matmul import LowerConvsToMatMul, _old_padding
        from qonnx.transformation import general
        import qonnx.no_such_module

        class Pads(Transformation):
            def apply(self, model): ...
    """,
}
MISSING = [
    "steps.py:5: qonnx.transformation.general.ApplyOldConfig",
    "pads.py:2: qonnx.transformation.lower_convs_to_matmul._old_padding",
    "pads.py:4: qonnx.no_such_module",
]
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def finn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A checkout of FINN's shape on the path, without the script that fetches what it needs."""
    files(tmp_path / "finn" / "src" / "finn", FINN)
    monkeypatch.syspath_prepend(tmp_path / "finn" / "src")
    yield tmp_path / "finn"
    forget("finn")


@pytest.mark.usefixtures("finn")
def test_what_is_imported_at_the_top_level_and_missing_is_told_with_its_line() -> None:
    wanted = wanted_qonnx("finn")
    assert wanted is not None
    assert [f"{origin}: {name}" for name, origin in wanted.missing] == MISSING
    assert (wanted.commit, "finn" in sys.modules) == ("", False)


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("fetch-repos.sh", f'URL="https://x/y.git"\nQONNX_COMMIT="{COMMIT}"\n'),
        ("docker/fetch-repos.sh", f'    ["qonnx"]="https://github.com/fastmachinelearning/qonnx.git@{COMMIT}"\n'),
    ],
)
def test_the_commit_to_install_is_that_of_the_checkout(finn: Path, script: str, text: str) -> None:
    files(finn, {script: text})
    wanted = wanted_qonnx("finn")
    assert wanted is not None
    assert wanted.commit == COMMIT


@pytest.mark.parametrize(
    "text",
    [
        "Name = 1",
        "import os as Name",
        "try:\n    from os import path as Name\nexcept ImportError:\n    Name = None",
        "if True:\n    class Name: ...",
        "for Name in (): ...",
        "def __getattr__(name): ...",
        "from os.path import *",
        "class (",
    ],
)
def test_a_name_that_is_bound_in_any_way_or_may_be_is_not_missing(tmp_path: Path, text: str) -> None:
    files(tmp_path, {"qonnx/a.py": text, "mine/b.py": "from qonnx.a import Name\n"})
    (mine, qonnx) = (modules([str(tmp_path / name)], name) for name in ("mine", "qonnx"))
    assert missing_names(mine.values(), qonnx) == ()


def test_the_installed_qonnx_misses_nothing_of_itself() -> None:
    assert wanted_qonnx("qonnx") is None
    qonnx = modules(package_folders("qonnx"), "qonnx")
    assert missing_names(qonnx.values(), qonnx) == ()


@pytest.mark.parametrize("width", [100, 40])
def test_frameworks_warns_and_says_what_to_install(
    finn: Path, screen: Screen, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    files(finn, {"fetch-repos.sh": f"QONNX_COMMIT={COMMIT}\n"})
    monkeypatch.setenv("COLUMNS", str(width))
    told = unwrapped(screen.type("frameworks()"))
    needs = ["needs another QONNX than the installed one, which lacks what finn imports:", *MISSING]
    install = (
        f'install that: pip install --no-deps "qonnx @ git+https://github.com/fastmachinelearning/qonnx.git@{COMMIT}"'
    )
    assert " ".join([*needs, install]) in told
    assert told.count("needs another QONNX") == 1
