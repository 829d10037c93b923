"""The sessions of onnxruntime in which QONNX executes single nodes.

QONNX makes one for each node and each set of inputs, and each starts threads and ends them again: that takes longer
than most nodes. Here the session of a light node has no threads of its own, and is kept for the next set of inputs.
What it computes is the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import onnxruntime
from onnx import ModelProto

_HEAVY = {"Conv", "ConvInteger", "ConvTranspose", "Gemm", "MatMul", "MatMulInteger", "QLinearConv", "QLinearMatMul"}


class NodeSessions:
    """Keeps sessions by the models that they execute, unless these draw random numbers: a session goes on with them."""

    def __init__(self, *, is_random: bool) -> None:
        self._is_random = is_random
        self._kept: dict[bytes, Any] = {}

    @contextmanager
    def used(self) -> Iterator[None]:
        """While in here, whoever makes a session without options of its own gets one of these."""
        make = onnxruntime.InferenceSession

        def session(model: Any, *given: Any, **options: Any) -> Any:
            if given or options or not isinstance(model, bytes):
                return make(model, *given, **options)
            if (kept := self._kept.get(model)) is not None:
                return kept
            is_light = all(node.op_type not in _HEAVY for node in ModelProto.FromString(model).graph.node)
            made = make(model, session_options(is_light=is_light), providers=["CPUExecutionProvider"])
            if is_light and not self._is_random:
                self._kept[model] = made
            return made

        onnxruntime.InferenceSession = session
        try:
            yield
        finally:
            onnxruntime.InferenceSession = make


def session_options(*, is_light: bool) -> Any:
    """How a session shares the machine with others; one of a light model has no threads of its own."""
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads would take a core
    options.enable_cpu_mem_arena = False  # what one session gives back is for the next one
    if is_light:
        options.intra_op_num_threads = options.inter_op_num_threads = 1
    return options
