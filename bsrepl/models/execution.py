"""Executing a model: a standard model as a whole with onnxruntime, any other node by node with QONNX."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from onnx import ModelProto, TypeProto, ValueInfoProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.general import SortGraph
from qonnx.transformation.infer_shapes import InferShapes

from ..errors import ExecutionFailed
from ..text.columns import cut
from .probes import inputs_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST = 300  # characters of what onnxruntime or QONNX says
_WARNINGS, _ERRORS = 2, 3  # onnxruntime's levels; the first is its default
_STANDARD = ("", "ai.onnx", "ai.onnx.ml")


class Executable:
    """A model that can be executed on any number of sets of inputs. The model itself is not changed.

    `wanted` are tensors to return besides the outputs of the graph. Raises ExecutionFailed, also when called.
    """

    def __init__(self, model: ModelWrapper, shapes: Iterable[tuple[int, ...]], wanted: Iterable[str] = ()) -> None:
        self.inputs = [value.name for value in inputs_of(model)]
        self._wanted = [name for name in wanted if name not in self.inputs]
        self.is_standard = _is_standard(model.model)
        try:
            self._run = self._whole(model) if self.is_standard else self._by_node(model, shapes)
        except Exception as error:
            raise ExecutionFailed(f"the model cannot be executed: {_in_a_line(error)}") from error

    def __call__(self, values: Iterable[NDArray[Any]]) -> dict[str, Any]:
        """The outputs, the wanted tensors and the inputs, by name: arrays, or lists where a value is a sequence."""
        try:
            given = dict(zip(self.inputs, values, strict=True))
            with _isolated():
                return {**self._run(given), **given}
        except Exception as error:
            raise ExecutionFailed(f"executing the model failed: {_in_a_line(error)}") from error

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

        def run(given: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
            values = execute_onnx(copied, dict(given), return_full_exec_context=bool(self._wanted))
            return {name: values[name] for name in (*outputs, *self._wanted) if name in values}

        return run


def _in_a_line(error: Exception) -> str:
    return cut(" ".join(f"{type(error).__name__}: {error}".split()), _MOST)


def _is_standard(model: ModelProto) -> bool:
    return all(node.domain in _STANDARD for node in model.graph.node)


@contextmanager
def _isolated() -> Iterator[None]:
    """Restores the global random states afterwards, and suppresses onnxruntime's warnings for each node."""
    numbers, python = np.random.get_state(), random.getstate()
    onnxruntime.set_default_logger_severity(_ERRORS)
    try:
        yield
    finally:
        onnxruntime.set_default_logger_severity(_WARNINGS)
        np.random.set_state(numbers)
        random.setstate(python)
