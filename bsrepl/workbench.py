"""What one does with models at the prompt: `load`, `verify`, `trace`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qonnx.core.modelwrapper import ModelWrapper

    from .pipeline import Trace
    from .verify import Verdict


def load(name: Any, *, trust: bool = False) -> ModelWrapper:
    """Opens a model: a sample of QONNX by its name, `load("mnist-conv")`, the path of an ONNX file, bytes, or a model.

    A sample may be named by the end of its name, as long as that means one only. Loading a model executes nothing of
    it. But transforming or executing one imports the module that each custom op's domain names; so a model with a
    domain that is no installed package is refused, unless you `trust` it.

    Raises ModelNotFound, with the samples there are, UnreadableModel or UntrustedModel.
    """
    from .loading import opened  # only now: it brings numpy and onnx along

    return opened(name, trust)


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
