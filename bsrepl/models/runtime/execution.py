"""Executing a model: as a whole with onnxruntime, or node by node with QONNX where it has ops of Python packages."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, TypeProto, ValueInfoProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.general import SortGraph
from qonnx.transformation.infer_shapes import InferShapes

from ...errors import ExecutionFailed
from ...graphdiff.mapped import data_at, fill, place_of
from ...text.columns import cut
from ...text.format import error_line
from .node_sessions import NodeSessions, session_options
from .packing import whole, without_data

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST = 300  # characters of what onnxruntime or QONNX says
_WARNINGS, _ERRORS = 2, 3  # onnxruntime's levels; the first is its default
_NEWEST_IR = 11  # every onnxruntime that QONNX can have executes it
_HEAVY = 2**14  # values of a weight
_RANDOM = {
    "RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Bernoulli", "Multinomial", "Dropout",
}  # fmt: skip
_RUNTIME = ("", "ai.onnx", "com.microsoft", "org.pytorch.aten")  # domains of onnxruntime, besides `ai.onnx.*`

#: Values of tensors by name: arrays, or lists where a value is a sequence.
Values = dict[str, Any]


class Executable:
    """A model that can be executed on any number of sets of inputs. The model itself is not changed.

    `wanted` are tensors to return besides the outputs of the graph. Random numbers that it draws follow from `seed`.
    Raises ExecutionFailed, also when called; its message begins with `failure`.
    """

    def __init__(
        self,
        model: ModelProto,
        wanted: Iterable[str] = (),
        seed: int = 0,
        failure: str = "the model cannot be executed",
    ) -> None:
        self.inputs = [value.name for value in inputs_of(model)]
        self.outputs = [value.name for value in model.graph.output]
        self._wanted = list(dict.fromkeys(name for name in wanted if name not in {*self.inputs, *self.outputs}))
        self.is_whole = runs_whole(model)
        self._model = model
        self._seed = seed
        self._failure = failure
        self._is_random = draws_numbers(model)
        self._session: _Session | None = None
        self._nodes = NodeSessions(is_random=self._is_random)
        self._sized: dict[tuple[tuple[int, ...], ...], ModelWrapper] = {}  # for QONNX, which needs fixed shapes

    def __call__(self, given: Mapping[str, NDArray[Any]]) -> Values:
        """The outputs, the wanted tensors and the inputs, by name."""
        with _isolated(), _told(self._failure):
            values = self._whole(given) if self.is_whole else self._by_node(given)
        missing = [name for name in self.outputs if name not in values]
        if missing:
            raise ExecutionFailed(f"the output {missing[0]} has no value")
        return {**values, **given}

    def release(self) -> None:
        """Gives the memory back that onnxruntime takes for the model, until it is executed again."""
        self._session, self._nodes = None, NodeSessions(is_random=self._is_random)

    def _whole(self, given: Mapping[str, NDArray[Any]]) -> Values:
        names = [*self.outputs, *self._wanted]
        if self._session is None or self._is_random:  # a session goes on with the numbers that it drew before
            onnxruntime.set_seed(self._seed)
            self._session = _Session(self._model, self._wanted)
        return self._session.run(names, given)

    def _by_node(self, given: Mapping[str, NDArray[Any]]) -> Values:
        shapes = tuple(given[name].shape for name in self.inputs)
        if shapes not in self._sized:
            self._sized[shapes] = _sized(self._model, dict(zip(self.inputs, shapes, strict=True)))
        with self._nodes.used():
            values = execute_onnx(self._sized[shapes], dict(given), return_full_exec_context=bool(self._wanted))
        return {name: values[name] for name in (*self.outputs, *self._wanted) if name in values}


def inputs_of(model: ModelProto) -> list[ValueInfoProto]:
    """The inputs of a model that are not constants."""
    constants = {tensor.name for tensor in model.graph.initializer}
    constants |= {tensor.values.name for tensor in model.graph.sparse_initializer}
    return [value for value in model.graph.input if value.name not in constants]


def runs_whole(model: ModelProto) -> bool:
    """Whether onnxruntime knows the domains of all nodes: its own, and those of the functions in the model."""
    known = {*_RUNTIME, *(function.domain for function in model.functions)}
    return all(domain in known or domain.startswith(("ai.onnx.", "com.microsoft.")) for domain in domains(model))


def domains(model: ModelProto) -> set[str]:
    """The domains of all nodes, those of sub-graphs and functions among them."""
    return {node.domain for node in _all_nodes(model)}


def draws_numbers(model: ModelProto) -> bool:
    """Whether a node draws random numbers, in a sub-graph or a function as well."""
    return not _RANDOM.isdisjoint(op_types(model))


def op_types(model: ModelProto) -> set[str]:
    """The op types of all nodes, those of sub-graphs and functions among them."""
    return {node.op_type for node in _all_nodes(model)}


def _all_nodes(model: ModelProto) -> Iterator[NodeProto]:
    graphs: list[Any] = [model.graph, *model.functions]
    for graph in graphs:  # it grows
        for node in graph.node:
            yield node
            graphs += subgraphs(node)


def without_inputs(model: ModelProto, names: Collection[str]) -> ModelProto:
    """A copy of a model without some of its inputs; the model itself if there are none."""
    if not names:
        return model
    copied = deepcopy(model)
    kept = [value for value in model.graph.input if value.name not in names]
    del copied.graph.input[:]
    copied.graph.input.extend(kept)
    return copied


def read_names(model: ModelProto) -> set[str]:
    """The tensors that nodes read, those of sub-graphs among them, or that are outputs."""
    graphs: list[Any] = [model.graph]
    names: set[str] = set()
    for graph in graphs:  # it grows
        names.update(value.name for value in graph.output)
        for node in graph.node:
            names.update(node.input)
            graphs += subgraphs(node)
    return names


def subgraphs(node: Any) -> list[GraphProto]:
    """The graphs in the attributes of a node."""
    graphs = []
    for attribute in node.attribute:
        graphs += [attribute.g] if attribute.HasField("g") else []
        graphs += attribute.graphs
    return graphs


class _Session:
    """A model in onnxruntime. It gets large weights beside the model: within it, they would be copied four times."""

    def __init__(self, model: ModelProto, wanted: Collection[str]) -> None:
        tensors = model.graph.initializer
        read = read_names(model)  # onnxruntime takes none that is not
        heavy = [number for number, tensor in enumerate(tensors) if _is_heavy(tensor) and tensor.name in read]
        light = without_data(model, heavy)
        light.ir_version = min(model.ir_version, _NEWEST_IR)
        light.graph.output.extend(ValueInfoProto(name=name, type=TypeProto()) for name in wanted)
        for number in heavy:
            light.graph.initializer[number].data_location = TensorProto.EXTERNAL
            light.graph.initializer[number].external_data.add(key="location", value="beside")
        for tensor in light.graph.initializer:
            fill(tensor)
        options = session_options(is_light=False)
        options.log_severity_level = 4
        options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")  # float32, not 8 bits
        self._arrays = [_array(tensors[number]) for number in heavy]  # onnxruntime reads them as long as it runs
        if heavy:
            values = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in self._arrays]
            options.add_external_initializers([tensors[number].name for number in heavy], values)
        providers = ["CPUExecutionProvider"]
        self._session = onnxruntime.InferenceSession(light.SerializeToString(), options, providers=providers)

    def run(self, names: Sequence[str], given: Mapping[str, NDArray[Any]]) -> Values:
        return dict(zip(names, self._session.run(names, dict(given)), strict=True))


def _is_heavy(tensor: TensorProto) -> bool:
    is_large = tensor.data_type == TensorProto.FLOAT and prod(tensor.dims) > _HEAVY
    return bool(is_large and (tensor.HasField("raw_data") or place_of(tensor) is not None))


def _array(tensor: TensorProto) -> NDArray[Any]:
    place = place_of(tensor)
    return np.frombuffer(tensor.raw_data if place is None else data_at(place), np.float32).reshape(tensor.dims)


def _sized(model: ModelProto, shapes: Mapping[str, tuple[int, ...]]) -> ModelWrapper:
    """A copy of a model for QONNX: its inputs have these shapes, its nodes are in order, its shapes are known."""
    copied = ModelWrapper(whole(model))
    for name, shape in shapes.items():
        if tuple(copied.get_tensor_shape(name) or ()) != shape:
            copied.set_tensor_shape(name, list(shape))
            del copied.graph.value_info[:]  # they were inferred from the shape before
    if not _is_in_order(copied.graph):  # QONNX before 1.0 drops nodes that no other node is beside, as it sorts
        copied = copied.transform(SortGraph(), cleanup=False)
    return copied.transform(InferShapes(), cleanup=False)


def _is_in_order(graph: GraphProto) -> bool:
    """Whether each node stands behind those whose outputs it reads."""
    missing = {name for node in graph.node for name in node.output}
    for node in graph.node:
        if not missing.isdisjoint(node.input):
            return False
        missing.difference_update(node.output)
    return True


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Whatever is raised in here is raised as ExecutionFailed, in a line."""
    try:
        yield
    except Exception as error:
        raise ExecutionFailed(f"{what}: {cut(error_line(error), _MOST)}") from error


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
