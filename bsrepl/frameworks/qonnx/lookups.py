"""ModelWrapper's look-ups by name, answered from where a name was seen before if it is still there.

A position is a guess: before it is an answer, the graph as it is now is asked at that position. By ONNX's rule of
single assignment the item found there is the only one of its name, and what a node produces is no initializer. A name
that is not known, that moved too far, or that was given twice is left to QONNX's own scan.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cached_property, wraps
from typing import Any
from weakref import WeakKeyDictionary

from onnx import GraphProto, TensorProto, numpy_helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.util.basic import get_by_name

_UNKNOWN: Any = object()  # only a scan can tell
_MOST_MISSES = 8  # until the positions are read again, which costs about as much as three scans


class Positions:
    """Where the names in one container of a graph are."""

    def __init__(self, items: Sequence[Any], names_of: Callable[[Any], Collection[str]]) -> None:
        self._items = items
        self._names_of = names_of
        self._positions: dict[str, int] = {}
        self._doubled: set[str] = set()
        self._length = 0
        self._last: tuple[str, ...] = ()  # the names of the last item
        self._drift = 0  # how far the last name had moved that was found elsewhere
        self._misses = 0
        self._has_gaps = False  # whether something was inserted or removed that was not read
        self._read()

    def find(self, name: str) -> Any:
        """The item of a name, as the container is now; None if it is not known to have one."""
        self._refresh()
        position = self._positions.get(name)
        if position is None:
            if self._has_gaps:
                self._miss()
            return None
        if name in self._doubled:
            return None
        drift = self._drift
        for guess in (position, position + drift, position + drift - 1, position + drift + 1, self._length - 1):
            if 0 <= guess < self._length and name in self._names_of(self._items[guess]):
                self._drift = guess - position
                return self._items[guess]
        self._miss()
        return None

    def has_had(self, name: str) -> bool:
        """Whether an item had the name when it was read."""
        self._refresh()
        return name in self._positions

    def lacks(self, name: str) -> bool:
        """Whether no item had the name when it was read, and none was inserted since."""
        return not self.has_had(name) and not self._has_gaps

    def _read(self) -> None:
        self._positions.clear()
        self._doubled.clear()
        self._drift = self._misses = 0
        self._has_gaps = False
        for position, item in enumerate(self._items):
            self._note(item, position)
        self._length = len(self._items)
        self._last = self._names_at(self._length - 1)

    def _refresh(self) -> None:
        """Reads what was appended since the last time."""
        length = len(self._items)
        last = self._names_at(length - 1)
        if length == self._length and last == self._last:
            return
        start = length
        while start and self._names_at(start - 1) != self._last:
            start -= 1
        if not start:
            self._read()
            return
        for position in range(start, length):
            self._note(self._items[position], position)
        self._has_gaps |= start != self._length
        self._length, self._last = length, last

    def _note(self, item: Any, position: int) -> None:
        for name in self._names_of(item):
            if name in self._positions and name in self._names_at(self._positions[name]):
                self._doubled.add(name)
            self._positions[name] = position

    def _names_at(self, position: int) -> tuple[str, ...]:
        return tuple(self._names_of(self._items[position])) if 0 <= position < len(self._items) else ()

    def _miss(self) -> None:
        self._misses += 1
        if self._misses > _MOST_MISSES:
            self._read()


class GraphIndex:
    """The positions of everything in a graph that is looked up by its name; read when they are first asked for."""

    def __init__(self, graph: GraphProto) -> None:
        self.graph = graph

    @cached_property
    def nodes(self) -> Positions:
        return Positions(self.graph.node, lambda node: node.output)

    @cached_property
    def initializers(self) -> Positions:
        return Positions(self.graph.initializer, _name)

    @cached_property
    def inputs(self) -> Positions:
        return Positions(self.graph.input, _name)

    @cached_property
    def outputs(self) -> Positions:
        return Positions(self.graph.output, _name)

    @cached_property
    def value_infos(self) -> Positions:
        return Positions(self.graph.value_info, _name)

    @cached_property
    def annotations(self) -> Positions:
        return Positions(self.graph.quantization_annotation, lambda annotation: (annotation.tensor_name,))

    def value_info(self, name: str) -> Any:
        """The value info of a name, if it is known to have exactly one."""
        items = [values.find(name) for values in (self.value_infos, self.inputs, self.outputs) if values.has_had(name)]
        return items[0] if len(items) == 1 else None

    def annotation(self, name: str, key: str) -> Any:
        """The text of an annotation of a tensor; None if it has none of that key, `_UNKNOWN` if that is not known."""
        annotated = self.annotations.find(name)
        if annotated is None:
            return _UNKNOWN if self.graph.quantization_annotation else None
        pair = get_by_name(annotated.quant_parameter_tensor_names, key, "key")
        return None if pair is None else pair.value

    def is_no_initializer(self, name: str) -> bool:
        """Whether a node, or the caller of the graph, provides the name."""
        if not self.initializers.lacks(name):
            return False
        return self.nodes.find(name) is not None or self.inputs.find(name) is not None

    def is_no_output(self, name: str) -> bool:
        """Whether the name is an initializer or an input, so that no node produces it."""
        if not self.nodes.lacks(name):
            return False
        return self.initializers.find(name) is not None or self.inputs.find(name) is not None


def _name(item: Any) -> Collection[str]:
    return (item.name,)


class Lookups:
    """Answers from indices, which live as long as a command does. `_UNKNOWN` is what only QONNX's scan can tell."""

    def __init__(self) -> None:
        self._indices: WeakKeyDictionary[ModelWrapper, GraphIndex] = WeakKeyDictionary()

    def forget(self) -> None:
        """Forgets every index: a command begins."""
        self._indices = WeakKeyDictionary()

    def methods(self) -> dict[str, Callable[..., Any]]:
        """Stand-ins for methods of ModelWrapper, by their names."""
        answers = (
            self.find_producer, self.get_initializer, self.get_tensor_valueinfo, self.get_tensor_shape,
            self.get_tensor_datatype, self.get_tensor_layout,
        )  # fmt: skip
        return {answer.__name__: self._method(getattr(ModelWrapper, answer.__name__), answer) for answer in answers}

    def _method(self, scan: Callable[..., Any], answer: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(scan)
        def method(self_: ModelWrapper, *arguments: Any, **options: Any) -> Any:
            known = answer(self._index(self_), *arguments, **options)
            return scan(self_, *arguments, **options) if known is _UNKNOWN else known

        return method

    def _index(self, model: ModelWrapper) -> GraphIndex:
        index = self._indices.get(model)
        if index is None or index.graph is not model.graph:
            index = self._indices[model] = GraphIndex(model.graph)
        return index

    @staticmethod
    def find_producer(index: GraphIndex, tensor_name: str) -> Any:
        node = index.nodes.find(tensor_name)
        return node if node is not None or index.is_no_output(tensor_name) else _UNKNOWN

    @staticmethod
    def get_initializer(index: GraphIndex, tensor_name: str, return_dtype: bool = False) -> Any:
        none = (None, None) if return_dtype else None
        tensor = index.initializers.find(tensor_name)
        if tensor is None:
            return none if index.is_no_initializer(tensor_name) else _UNKNOWN
        try:
            value = numpy_helper.to_array(tensor)
        except ValueError:  # QONNX takes one that cannot be read for none
            return none
        return (value, tensor.data_type) if return_dtype else value

    @staticmethod
    def get_tensor_valueinfo(index: GraphIndex, tensor_name: str) -> Any:
        value_info = index.value_info(tensor_name)
        return _UNKNOWN if value_info is None else value_info

    @staticmethod
    def get_tensor_shape(index: GraphIndex, tensor_name: str, fix_missing_init_shape: bool = False) -> Any:
        value_info = index.value_info(tensor_name)
        return _UNKNOWN if value_info is None else [dim.dim_value for dim in value_info.type.tensor_type.shape.dim]

    @staticmethod
    def get_tensor_datatype(index: GraphIndex, tensor_name: str) -> Any:
        annotation = index.annotation(tensor_name, "finn_datatype")
        if annotation is not None:
            return annotation if annotation is _UNKNOWN else DataType[annotation]
        value_info = index.value_info(tensor_name)
        if value_info is None:
            return _UNKNOWN
        is_half = value_info.type.tensor_type.elem_type == TensorProto.FLOAT16
        return DataType["FLOAT16" if is_half else "FLOAT32"]

    @staticmethod
    def get_tensor_layout(index: GraphIndex, tensor_name: str) -> Any:
        annotation = index.annotation(tensor_name, "tensor_layout")
        return annotation if annotation is None or annotation is _UNKNOWN else eval(annotation)  # as QONNX does
