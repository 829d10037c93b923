"""The cache of what was found out of installed packages."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bsrepl

KEEP = "from bsrepl.frameworks.cache import Index; from pathlib import Path; i = Index(Path('index.json')); "


def run(code: str, folder: Path) -> str:
    command = [sys.executable, "-c", KEEP + code]
    done = subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    "file", ["text/format.py", "frameworks/qonnx/source.py", "frameworks/qonnx/stages.tsv", "new.py"]
)
def test_what_another_version_of_bsrepl_found_out_does_not_count(tmp_path: Path, file: str) -> None:
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(bsrepl.__file__).parent, tmp_path / "bsrepl", ignore=ignore)
    run("i.keep('qonnx', [1], ['kept']); i.save()", tmp_path)
    assert run("print(i.recall('qonnx', [1]))", tmp_path) == "['kept']"
    with open(tmp_path / "bsrepl" / file, "a") as changed:
        changed.write("\n")
    assert run("print(i.recall('qonnx', [1]))", tmp_path) == "None"
