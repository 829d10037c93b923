"""The models that a folder, a glob or a list stands for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import Any

from ..errors import ModelNotFound


def collected(sources: Any) -> list[Any]:
    """The models of a list, a folder or a glob; of files only their paths.

    The files of a folder or glob are in the order in which they were written. Raises ModelNotFound if there are none.
    """
    return [model for source in _listed(sources) for model in _models(source)]


def model_name(model: Any) -> str:
    """What a report calls a model: the name of its file or sample, or that of its graph."""
    if isinstance(model, (str, os.PathLike)):
        path = os.fspath(model)
        return os.path.basename(path) if path.endswith(".onnx") else path
    graph = getattr(getattr(model, "model", model), "graph", None)
    return str(getattr(graph, "name", "")) or "a model"


def _listed(sources: Any) -> Sequence[Any]:
    return sources if isinstance(sources, (list, tuple)) else [sources]


def _models(source: Any) -> Iterator[Any]:
    if isinstance(source, (list, tuple)):
        yield from collected(source)
        return
    if not isinstance(source, (str, os.PathLike)):
        yield source
        return
    path = os.path.expanduser(os.fspath(source))
    if os.path.isdir(path):
        yield from _written(list(Path(path).glob("*.onnx")), f"no *.onnx file in {path}")
    elif has_magic(path) and not os.path.exists(path):
        yield from _written([Path(match) for match in glob(path, recursive=True)], f"no file matches {path}")
    else:
        yield source


def _written(files: list[Path], problem: str) -> list[str]:
    """The paths of files, the one that was written last last."""
    if not files:
        raise ModelNotFound(f"{problem}; give models, a folder of ONNX files, or a glob such as 'models/*.onnx'")
    return [str(file) for file in sorted(files, key=lambda file: (file.stat().st_mtime_ns, file.name))]
