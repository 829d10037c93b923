"""Models to try things on."""

from __future__ import annotations

import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import ModelNotFound

if TYPE_CHECKING:
    from qonnx.core.modelwrapper import ModelWrapper


def load(name: str | os.PathLike[str]) -> ModelWrapper:
    """Opens a model: a sample of the QONNX wheel by its name, `load("mnist-conv")`, or the path of an ONNX file.

    A sample may be named by the end of its name, as long as that means one only. Loading a model executes nothing of
    it, but transforming or executing one imports the module that each custom op's domain names: open a stranger's
    model with care.

    Raises ModelNotFound, with the samples there are.
    """
    from qonnx.core.modelwrapper import ModelWrapper  # taken only now: it brings numpy and onnx along

    path = Path(name).expanduser()
    if path.is_file():
        return ModelWrapper(str(path))
    known = samples()
    wanted = str(name)
    hits = [sample for sample in known if sample == wanted or sample.endswith("/" + wanted)]
    if len(hits) == 1:
        return ModelWrapper(str(known[hits[0]]))
    if hits:
        raise ModelNotFound(f"{wanted!r} may be {' or '.join(hits)}; name one of them")
    raise ModelNotFound(f"{wanted!r} is no file and no sample model; the samples are {', '.join(known)}")


@cache
def samples() -> dict[str, Path]:
    """The sample models that come with the installed QONNX: their names and files. Imports nothing."""
    spec = find_spec("qonnx")
    if spec is None or not spec.submodule_search_locations:
        return {}
    root = Path(spec.submodule_search_locations[0], "data", "onnx")
    files = sorted(root.rglob("*.onnx"))
    return {file.relative_to(root).with_suffix("").as_posix().removesuffix("/model"): file for file in files}
