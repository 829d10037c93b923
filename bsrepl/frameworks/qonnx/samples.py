"""The sample models that come with QONNX."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def samples() -> dict[str, Path]:
    """The sample models that come with the installed QONNX: their names and files. Imports nothing."""
    spec = find_spec("qonnx")
    if spec is None or not spec.submodule_search_locations:
        return {}
    root = Path(spec.submodule_search_locations[0], "data", "onnx")
    files = sorted(root.rglob("*.onnx"))
    return {file.relative_to(root).with_suffix("").as_posix().removesuffix("/model"): file for file in files}
