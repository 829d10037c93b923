"""Executing a model: as a whole with onnxruntime where it is standard, node by node with QONNX where it is not."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, TypeAlias

import numpy as np
import onnxruntime
from onnx import ModelProto, TypeProto, ValueInfoProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.general import SortGraph
from qonnx.transformation.infer_shapes import InferShapes

from ..errors import ExecutionFailed
from .probes import inputs_of

Array: TypeAlias = Any  # numpy's ndarray

_WARNINGS, _ERRORS = 2, 3  # onnxruntime's levels; the first is what it begins with
_STANDARD = ("", "ai.onnx", "ai.onnx.ml")


class Executable:
    """A model that can be executed on one set of inputs after the other. The model itself stays as it is.

    `wanted` are tensors to give besides the outputs of the graph. Raises ExecutionFailed, also when called.
    """

    def __init__(self, model: ModelWrapper, shapes: Iterable[tuple[int, ...]], wanted: Iterable[str] = ()) -> None:
        self.inputs = [value.name for value in inputs_of(model)]
        self._wanted = [name for name in wanted if name not in self.inputs]
        self.is_standard = _is_standard(model.model)
        try:
            self._run = self._whole(model) if self.is_standard else self._by_node(model, shapes)
        except Exception as error:
            raise ExecutionFailed(f"the model cannot be executed: {type(error).__name__}: {error}") from error

    def __call__(self, values: Iterable[Array]) -> dict[str, Array]:
        """The outputs, and the tensors that were asked for, by name."""
        given = dict(zip(self.inputs, values, strict=True))
        try:
            with _by_itself():
                return {**self._run(given), **given}
        except Exception as error:
            raise ExecutionFailed(f"executing the model failed: {type(error).__name__}: {error}") from error

    def _whole(self, model: ModelWrapper) -> Any:
        proto = model.model
        outputs = [value.name for value in proto.graph.output]
        more = [name for name in self._wanted if name not in outputs]
        if more:
            proto = ModelProto.FromString(proto.SerializeToString())
            proto.graph.output.extend(ValueInfoProto(name=name, type=TypeProto()) for name in more)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
        names = [*outputs, *more]
        return lambda given: dict(zip(names, session.run(names, given), strict=True))

    def _by_node(self, model: ModelWrapper, shapes: Iterable[tuple[int, ...]]) -> Any:
        copied = deepcopy(model)
        for name, shape in zip(self.inputs, shapes, strict=True):
            if tuple(copied.get_tensor_shape(name) or ()) != shape:
                copied.set_tensor_shape(name, list(shape))
        copied = copied.transform(SortGraph(), cleanup=False).transform(InferShapes(), cleanup=False)
        outputs = [value.name for value in copied.graph.output]

        def run(given: Mapping[str, Array]) -> dict[str, Array]:
            found = execute_onnx(copied, dict(given), return_full_exec_context=bool(self._wanted))
            return {name: found[name] for name in (*outputs, *self._wanted) if name in found}

        return run


def _is_standard(model: ModelProto) -> bool:
    return all(node.domain in _STANDARD for node in model.graph.node)


@contextmanager
def _by_itself() -> Iterator[None]:
    """What a model does with the global random states is undone; onnxruntime's warnings for each node are not told."""
    numbers, python = np.random.get_state(), random.getstate()
    onnxruntime.set_default_logger_severity(_ERRORS)
    try:
        yield
    finally:
        onnxruntime.set_default_logger_severity(_WARNINGS)
        np.random.set_state(numbers)
        random.setstate(python)
