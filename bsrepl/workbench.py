"""What one does with models at the prompt: `load`, `verify`, `trace`."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import ModelNotFound
from .samples import samples

if TYPE_CHECKING:
    from qonnx.core.modelwrapper import ModelWrapper

    from .pipeline import Trace
    from .verify import Verdict


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


def verify(before: Any, after: Any, inputs: Any = None, **options: Any) -> Verdict:
    """Executes two models on the same inputs and compares every output: a verdict in one line, which is true or false.

    `inputs` are the values of the inputs in their order. Without them, `probe_count=4` sets are made: what was recorded
    with the sample, else seeded values that honour shapes and datatype annotations. `tolerance=1e-5` is relative to the
    largest magnitude of an output. Where the models differ, the first tensor that does is named.

    Raises ExecutionFailed if a model cannot be executed.
    """
    from .verify import verify as executed  # only now: it brings onnxruntime along

    return executed(before, after, inputs, **options)


def trace(model: Any, passes: Sequence[Any], **options: Any) -> Trace:
    """Applies passes one after the other, a row for each: changed, nodes, rewrites, times, parity.

    A pass is a transformation, a class of them, or a step, which gets `cfg=`. The model stays as it is; `trace.model`
    is what came of it. `parity=True` executes the models before and after each pass, `parity=False` none; without
    either it is done while it takes less than a second. `blame=True` finds the first pass after which the model
    computes something else. A pass that raises or never ends stops the trace; the model before it is kept.
    """
    from .trace import trace as applied  # only now: it brings onnxruntime along

    return applied(model, passes, **options, clock=time.perf_counter)
