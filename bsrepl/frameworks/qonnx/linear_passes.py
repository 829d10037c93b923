"""The passes of QONNX's cleanup, and the shape check of its constructor, in time linear in the graph.

Each function does to a graph what one `apply` of QONNX 1.0 does, byte for byte: it looks at the whole graph first and
changes it afterwards. A graph that breaks ONNX's rules, such as one with a name given twice, raises `LeftToQonnx`
before anything has changed: what becomes of it depends on how QONNX walks it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain
from math import prod
from typing import TYPE_CHECKING, Any

from onnx import GraphProto, NodeProto, TensorAnnotation, TensorProto, numpy_helper
from qonnx.util.basic import random_string

if TYPE_CHECKING:
    from qonnx.core.modelwrapper import ModelWrapper

#: Bytes of one element, of the types whose raw data numpy takes as they are.
_SIZES = {
    TensorProto.FLOAT: 4, TensorProto.DOUBLE: 8, TensorProto.FLOAT16: 2, TensorProto.BOOL: 1,
    TensorProto.INT8: 1, TensorProto.INT16: 2, TensorProto.INT32: 4, TensorProto.INT64: 8,
    TensorProto.UINT8: 1, TensorProto.UINT16: 2, TensorProto.UINT32: 4, TensorProto.UINT64: 8,
}  # fmt: skip
_COMMUTATIVE = {"Add", "Mul", "And", "Or", "Xor", "Sum"}  # SortCommutativeInputsInitializerLast


class LeftToQonnx(Exception):
    """A graph that QONNX's own code has to walk."""


def remove_unused_tensors(model: ModelWrapper) -> bool:
    """RemoveUnusedTensors. Returns whether anything was removed."""
    graph = model.graph
    used = {name for node in graph.node for name in (*node.input, *node.output)}
    containers: tuple[tuple[Any, str], ...] = (
        (graph.initializer, "name"),
        (graph.value_info, "name"),
        (graph.quantization_annotation, "tensor_name"),
    )
    removals = [_removed([getattr(item, field) for item in items], used.__contains__) for items, field in containers]
    for (items, _), positions in zip(containers, removals, strict=True):
        for position in reversed(positions):
            del items[position]
    return any(removals)


def _removed(names: Sequence[str], stays: Callable[[str], bool]) -> list[int]:
    """The positions that one walk removes, which passes over whatever follows something that it removes."""
    positions, position = [], 0
    while position < len(names):
        if not stays(names[position]):
            positions.append(position)
            position += 1
        position += 1
    if positions and len(set(names)) < len(names):  # removing takes the first that is equal
        raise LeftToQonnx
    return positions


def remove_static_graph_inputs(model: ModelWrapper) -> bool:
    """RemoveStaticGraphInputs. Returns whether an input became a value info."""
    graph = model.graph
    initializers = Initializers(graph)
    names = [value.name for value in graph.input]
    positions = _removed(names, lambda name: name not in initializers)
    for position in positions:
        graph.value_info.append(graph.input[position])
    for position in reversed(positions):
        del graph.input[position]
    return bool(positions)


def sort_graph(model: ModelWrapper) -> bool:
    """SortGraph: nodes by level, then by position; a node that nothing leads to and nothing reads is removed."""
    graph = model.graph
    nodes = list(graph.node)
    if len(nodes) == 1:
        return False
    order = _order(nodes, graph)
    if order != list(range(len(nodes))):
        del graph.node[:]
        graph.node.extend(nodes[position] for position in order)
    return False


def _order(nodes: Sequence[NodeProto], graph: GraphProto) -> list[int]:
    producers: dict[str, int] = {}
    for position, node in enumerate(nodes):
        for name in node.output:
            producers.setdefault(name, position)
    fed = Counter(value.name for values in (graph.initializer, graph.input) for value in values)
    is_doubled = any(
        max(Counter(value.name for value in values).values(), default=0) > 1
        for values in (graph.initializer, graph.input)
    )
    before: dict[int, set[int]] = {}
    for position, node in enumerate(nodes):
        sources = {producers[name] for name in node.input if name in producers}
        if sources:
            before[position] = sources - {position}
        elif is_doubled:  # asking for such a name raises
            raise LeftToQonnx
        elif any(name in fed for name in node.input):
            before[position] = set()
    for position in {source for sources in before.values() for source in sources} - before.keys():
        before[position] = set()
    return _by_level(before)


def _by_level(before: dict[int, set[int]]) -> list[int]:
    """The positions in the order of toposort_flatten: the levels one after the other, each sorted."""
    after: dict[int, list[int]] = {position: [] for position in before}
    missing = {}
    for position, sources in before.items():
        missing[position] = len(sources)
        for source in sources:
            after[source].append(position)
    level = sorted(position for position, count in missing.items() if count == 0)
    order: list[int] = []
    while level:
        order += level
        following = []
        for position in level:
            for reader in after[position]:
                missing[reader] -= 1
                if missing[reader] == 0:
                    following.append(reader)
        level = sorted(following)
    if len(order) < len(before):  # a cycle
        raise LeftToQonnx
    return order


def sort_commutative_inputs(model: ModelWrapper) -> bool:
    """SortCommutativeInputsInitializerLast. Returns whether inputs were swapped."""
    initializers = Initializers(model.graph)
    swapped: list[tuple[NodeProto, list[str]]] = []
    for node in model.graph.node:
        if node.op_type in _COMMUTATIVE:
            names = list(node.input)
            static = [initializers.may_contain(name) for name in names]
            if not any(static[:-1]):  # whether the last one can be read makes no difference
                continue
            dynamic = [name for name in names if name not in initializers]
            ordered = [*dynamic, *(name for name in names if name in initializers)]
            if ordered != names:
                swapped.append((node, ordered))
    for node, ordered in swapped:
        node.input[:] = ordered
    return bool(swapped)


def give_unique_parameter_tensors(model: ModelWrapper) -> bool:
    """GiveUniqueParameterTensors: a parameter that was read before gets a copy of its own, under a random name."""
    graph = model.graph
    initializers = Initializers(graph)
    seen: set[str] = set()
    repeated: list[tuple[NodeProto, int, str]] = []
    for node in graph.node:
        for position, name in enumerate(node.input):
            if initializers.may_contain(name):
                if name in seen and name in initializers:
                    repeated.append((node, position, name))
                seen.add(name)
    if repeated:
        if len({tensor.name for tensor in graph.initializer}) < len(graph.initializer):
            raise LeftToQonnx
        copies = _Copies(model, initializers)
        for node, position, name in repeated:
            node.input[position] = copies.of(name)
    return False


class _Copies:
    """Copies of parameters, each with a value info and a datatype annotation, as `set_initializer` makes them."""

    def __init__(self, model: ModelWrapper, initializers: Initializers) -> None:
        graph = model.graph
        self._model = model
        self._initializers = initializers
        self._taken = {value.name for values in (graph.value_info, graph.input, graph.output) for value in values}
        self._others = {tensor.name for tensor in graph.initializer}
        self._others |= {annotation.tensor_name for annotation in graph.quantization_annotation}
        self._datatypes: dict[str, str] = {}

    def of(self, name: str) -> str:
        """Adds a copy of a parameter to the graph, and returns its name."""
        graph = self._model.graph
        new: str = random_string()
        while new in self._taken or new in self._others:
            new = random_string()
        self._taken.add(new)
        if name not in self._datatypes:
            self._datatypes[name] = self._model.get_tensor_datatype(name).name
        tensor = numpy_helper.from_array(numpy_helper.to_array(self._initializers[name]))
        tensor.name = new
        graph.initializer.append(tensor)
        _add_value_info(graph, new, tensor)
        annotation = TensorAnnotation(tensor_name=new)
        annotation.quant_parameter_tensor_names.add(key="finn_datatype", value=self._datatypes[name])
        graph.quantization_annotation.append(annotation)
        return new


def check_all_tensor_shapes_specified(model: ModelWrapper, fix_missing_init_shape: bool = False) -> bool:
    """Whether every tensor that a node reads or writes has a shape.

    With `fix_missing_init_shape`, initializers without a value info get one.
    """
    graph = model.graph
    given_names = [value.name for values in (graph.input, graph.output, graph.value_info) for value in values]
    given = set(given_names)
    names = dict.fromkeys(
        chain.from_iterable(chain(filter(None, node.input[:]), node.output[:]) for node in graph.node)
    )
    if len(given) < len(given_names):
        repeated = [name for name, count in Counter(given_names).items() if count > 1]
        if not names.keys().isdisjoint(repeated):  # that raises, after what came before it was fixed
            raise LeftToQonnx
    missing = [name for name in names if name not in given]
    if not missing:
        return True
    initializers = Initializers(graph)
    known = [name for name in missing if name in initializers]
    if fix_missing_init_shape:
        for name in known:
            _add_value_info(graph, name, initializers[name])
    return len(known) == len(missing)


def _add_value_info(graph: GraphProto, name: str, tensor: TensorProto) -> None:
    """Adds what `helper.make_tensor_value_info` makes of an initializer, without copying it into place."""
    tensor_type = graph.value_info.add(name=name).type.tensor_type
    tensor_type.elem_type = tensor.data_type
    tensor_type.shape.SetInParent()  # a scalar has a shape, too
    for size in tensor.dims[:]:
        tensor_type.shape.dim.add(dim_value=size)


class Initializers:
    """The initializers of a graph by name: the first of a name, and those that can be read, as `get_initializer` has
    it. Reading copies the data, so it is left out wherever it makes no difference."""

    def __init__(self, graph: GraphProto) -> None:
        self._tensors: dict[str, TensorProto] = {}
        for tensor in graph.initializer:
            self._tensors.setdefault(tensor.name, tensor)
        self._readable: dict[str, bool] = {}

    def __contains__(self, name: str) -> bool:
        if name not in self._tensors:
            return False
        if name not in self._readable:
            self._readable[name] = is_readable(self._tensors[name])
        return self._readable[name]

    def __getitem__(self, name: str) -> TensorProto:
        return self._tensors[name]

    def may_contain(self, name: str) -> bool:
        """Whether there is an initializer of the name. It is read only if that could raise something."""
        return name in self._tensors and (_reads_without_raising(self._tensors[name]) or name in self)


def _reads_without_raising(tensor: TensorProto) -> bool:
    """Whether reading a tensor gives its values, or raises ValueError, which QONNX takes for none."""
    is_whole = tensor.data_location == TensorProto.DEFAULT and not tensor.HasField("segment")
    return bool(is_whole and tensor.HasField("raw_data") and tensor.data_type in _SIZES)


def is_readable(tensor: TensorProto) -> bool:
    """Whether `get_initializer` returns a value; raises what it would raise."""
    if _reads_without_raising(tensor) and len(tensor.raw_data) == _SIZES[tensor.data_type] * prod(tensor.dims[:]):
        return True
    try:
        numpy_helper.to_array(tensor)
    except ValueError:
        return False
    return True
