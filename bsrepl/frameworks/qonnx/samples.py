"""The sample models that come with QONNX."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ..discovery import package_folders


@cache
def samples() -> dict[str, Path]:
    """The sample models that come with the installed QONNX: their names and files. Imports nothing."""
    roots = [Path(folder, "data", "onnx") for folder in package_folders("qonnx")[:1]]
    files = [(root, file) for root in roots for file in sorted(root.rglob("*.onnx"))]
    return {file.relative_to(root).with_suffix("").as_posix().removesuffix("/model"): file for root, file in files}
