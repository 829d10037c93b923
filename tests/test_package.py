"""What is installed: every package, and every file beside the code that the code reads."""

from __future__ import annotations

import re
from configparser import ConfigParser
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CONFIG = ConfigParser()
CONFIG.read(ROOT / "setup.cfg")
FILES = [path for path in sorted((ROOT / "bsrepl").rglob("*")) if path.is_file() and "__pycache__" not in path.parts]


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix != ".py"], ids=lambda path: path.name)
def test_a_file_that_is_no_code_is_data_of_its_package(path: Path) -> None:
    package = ".".join(path.parent.relative_to(ROOT).parts)
    patterns = re.split(r"[,\s]*[,\n]\s*", CONFIG["options.package_data"].get(package, ""))  # as setuptools does
    assert any(fnmatch(path.name, pattern) for pattern in patterns), f"{path.name} is not installed with {package}"


def test_every_folder_with_code_is_a_package() -> None:
    folders = {path.parent for path in FILES if path.suffix == ".py"}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").is_file()] == []
