"""The passes of QONNX that give tensors other names, in time linear in the graph.

`ModelWrapper.rename_tensor` walks the whole graph for each name. Here the names are read once, renamed in the same
order, and written once. What QONNX refuses, a name given twice, raises `LeftToQonnx` before anything has changed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from qonnx.util.basic import random_string

from .linear_passes import LeftToQonnx, is_readable

if TYPE_CHECKING:
    from onnx import GraphProto
    from qonnx.core.modelwrapper import ModelWrapper


class _Named:
    """Some items of a graph, and their names as they are to be."""

    def __init__(self, items: Any, field: str = "name") -> None:
        self._items = items
        self._field = field
        self.names: list[str] = [getattr(item, field) for item in items]
        self._changed: set[int] = set()
        self.positions: dict[str, list[int]] = {}
        for position, name in enumerate(self.names):
            self.positions.setdefault(name, []).append(position)

    def rename(self, old: str, new: str) -> None:
        positions = self.positions.get(old, [])
        if len(positions) > 1:
            raise LeftToQonnx
        for position in positions:
            del self.positions[old]
            self.positions.setdefault(new, []).append(position)
            self.names[position] = new
            self._changed.add(position)

    def write(self) -> None:
        for position in self._changed:
            setattr(self._items[position], self._field, self.names[position])


class Renaming:
    """The names in a graph, which `rename` changes as `rename_tensor` does, and `write` puts back."""

    def __init__(self, graph: GraphProto) -> None:
        self._graph = graph
        self.inputs, self.outputs = _Named(graph.input), _Named(graph.output)
        self.initializers = _Named(graph.initializer)
        annotations = _Named(graph.quantization_annotation, "tensor_name")
        self._named = (self.inputs, self.outputs, _Named(graph.value_info), self.initializers, annotations)
        self.read = [list(node.input) for node in graph.node]
        self.made = [list(node.output) for node in graph.node]
        self._users: dict[str, set[int]] = {}  # the nodes that read or make a name
        self._changed: set[int] = set()
        for position, (read, made) in enumerate(zip(self.read, self.made, strict=True)):
            for name in (*read, *made):
                self._users.setdefault(name, set()).add(position)

    def rename(self, old: str, new: str) -> None:
        """Gives a tensor another name; of a node that reads it twice, the first input alone. Raises LeftToQonnx."""
        for named in self._named:
            named.rename(old, new)
        for position in self._users.pop(old, ()):
            self._changed.add(position)
            self._users.setdefault(new, set()).add(position)
            for names in (self.read[position], self.made[position]):
                if old in names:
                    names[names.index(old)] = new
                if old in names:
                    self._users.setdefault(old, set()).add(position)

    def write(self) -> None:
        for named in self._named:
            named.write()
        for position, node in enumerate(self._graph.node):
            if position in self._changed:
                node.input[:], node.output[:] = self.read[position], self.made[position]


def give_unique_tensor_names(model: ModelWrapper) -> tuple[ModelWrapper, bool]:
    """GiveUniqueTensorNames."""
    return _renamed_all(model, lambda number: f"tensor_{number}")


def give_random_tensor_names(model: ModelWrapper) -> tuple[ModelWrapper, bool]:
    """GiveRandomTensorNames."""
    with _drawing():
        return _renamed_all(model, lambda number: str(random_string()))


def _renamed_all(model: ModelWrapper, name_of: Callable[[int], str]) -> tuple[ModelWrapper, bool]:
    renaming = Renaming(model.graph)
    for number, name in enumerate(model.get_all_tensor_names()):
        renaming.rename(name, name_of(number))
    renaming.write()
    return model, False


def give_readable_tensor_names(model: ModelWrapper) -> tuple[ModelWrapper, bool]:
    """GiveReadableTensorNames."""
    from qonnx.transformation.general import GiveUniqueTensorNames  # as it is now: it may have been executed again

    with _drawing():
        model = model.transform(GiveUniqueTensorNames())
        _give_readable_names(model.graph)
    return model, False


def _give_readable_names(graph: GraphProto) -> None:
    renaming = Renaming(graph)
    is_parameter = cache(lambda position: is_readable(graph.initializer[position]))
    for node, read, made in zip(graph.node, renaming.read, renaming.made, strict=True):
        if not node.name:
            raise LeftToQonnx
        for number in range(len(made)):  # names change meanwhile
            renaming.rename(made[number], f"{node.name}_out{number}")
        parameters = 0
        for number in range(len(read)):
            held = renaming.initializers.positions.get(read[number])
            if held and is_parameter(min(held)):
                renaming.rename(read[number], f"{node.name}_param{parameters}")
                parameters += 1
    for named, kind in ((renaming.inputs, "global_in"), (renaming.outputs, "global_out")):
        for number in range(len(named.names)):
            renaming.rename(named.names[number], f"{kind}_{number}" if number else kind)
    renaming.write()


@contextmanager
def _drawing() -> Iterator[None]:
    """If a graph is left to QONNX in here, QONNX draws the same random numbers again."""
    state = random.getstate()
    try:
        yield
    except LeftToQonnx:
        random.setstate(state)
        raise
