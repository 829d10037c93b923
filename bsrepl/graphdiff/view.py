"""An ONNX graph as plain values: nodes, which node produces each tensor and which read it, types, annotations.

`viewing.view` reads one from a model.

Sub-graphs are part of it: the nodes in the branches of an If or the body of a Loop are in the same list, their tensors
are distinguished by the scope that they are in, and the node that has the sub-graphs reads their outputs. So are the
bodies of local functions, each in a scope of its own.

A Constant node is a constant like an initializer, not one of the nodes. The constants that a commutative node reads
come last, as QONNX's cleanup sorts them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import NamedTuple

from ..text.tensor_sizes import element_bits
from .constants import Content, Stored

#: A tensor: its scope, which is empty for the graph itself, and its name.
Tensor = tuple[str, str]

#: An input or an output of a node: the number of the node and the number of the input or output.
Port = tuple[int, int]

#: The element type and the shape of a tensor; 0 and None as far as they are unknown.
Type = tuple[int, tuple[int | str | None, ...] | None]

STANDARD = ("", "ai.onnx")  # domains of the ops of ONNX
_COMMUTATIVE = frozenset(
    ("Add", "And", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Equal", "Max", "Mean", "Min", "Mul", "Or", "Sum", "Xor")
)


class Node(NamedTuple):
    """A node with the tensors that it reads and produces."""

    name: str
    op_type: str
    domain: str
    scope: str
    inputs: tuple[Tensor | None, ...]  # None for an optional input that is left out; outputs of sub-graphs come last
    outputs: tuple[Tensor | None, ...]
    attributes: tuple[tuple[str, bytes], ...]  # sorted names, serialized values; without sub-graphs

    @property
    def is_commutative(self) -> bool:
        """Whether the order of its inputs does not matter."""
        return self.op_type in _COMMUTATIVE and self.domain in STANDARD


class Scope(NamedTuple):
    """A sub-graph, or the body of a function."""

    label: str  # `then_branch`; of a function `function pkg.Gelu`
    owner: int | None  # the node that has the sub-graph; None for a function


@dataclass
class View:
    """A graph, with its sub-graphs and local functions."""

    nodes: list[Node] = field(default_factory=list)
    inputs: dict[Tensor | None, str] = field(default_factory=dict)  # tensor -> which input it is: `0`, `body 1`
    outputs: dict[Tensor | None, list[str]] = field(default_factory=dict)  # tensor -> which outputs it is: `0`
    constants: dict[Tensor | None, Content] = field(default_factory=dict)
    stored: dict[Tensor | None, Stored] = field(default_factory=dict)  # the messages that constants were read from
    constant_nodes: set[Tensor | None] = field(default_factory=set)  # the constants that are Constant nodes
    static_inputs: set[Tensor | None] = field(default_factory=set)  # the initializers that are listed as inputs
    types: dict[Tensor | None, Type] = field(default_factory=dict)
    annotations: dict[tuple[Tensor, str], str] = field(default_factory=dict)  # (tensor, `finn_datatype`) -> value
    header: dict[str, str] = field(default_factory=dict)  # `opset onnx`, `metadata author`, `function pkg.Gelu`
    scopes: dict[str, Scope] = field(default_factory=dict)
    sorted: set[int] = field(default_factory=set)  # the commutative nodes whose constants did not come last
    numbers: Mapping[str, Mapping[str | bytes, int]] = field(default_factory=dict)  # scope -> name -> a tensor's number
    tensors: list[Tensor | None] = field(default_factory=list)  # in the order of their numbers, like the next two
    producers: list[Port | None] = field(default_factory=list)  # what produces each tensor
    consumers: list[Sequence[Port]] = field(default_factory=list)  # what reads each tensor
    constant_readers: set[int] = field(default_factory=set)  # the nodes that read constants
    makers: list[tuple[Port | None, ...]] = field(default_factory=list)  # node -> what produces each of its inputs
    readers: list[tuple[Sequence[Port], ...]] = field(default_factory=list)  # node -> what reads each of its outputs

    def producer(self, tensor: Tensor | None) -> Port | None:
        """The output of a node that a tensor is; None if no node produces it."""
        number = self._number(tensor)
        return None if number is None else self.producers[number]

    def consumers_of(self, tensor: Tensor | None) -> Sequence[Port]:
        """The inputs of nodes that read a tensor."""
        number = self._number(tensor)
        return () if number is None else self.consumers[number]

    def _number(self, tensor: Tensor | None) -> int | None:
        if tensor is None:
            return None
        scope, name = tensor
        return self.numbers[scope].get(name) if scope in self.numbers else None

    @property
    def node_count(self) -> int:
        """The number of nodes, Constant nodes among them."""
        return len(self.nodes) + len(self.constant_nodes)

    @property
    def parameters(self) -> int:
        """The number of values of all constants."""
        return sum(prod(content.shape) for content in self.constants.values())

    @property
    def parameter_bytes(self) -> float:
        """The bytes that they take."""
        return sum(prod(content.shape) * element_bits(content.dtype) for content in self.constants.values()) / 8

    def order(self) -> list[int]:
        """The nodes, each after those that it reads from; nodes on a cycle come last."""
        waiting = [len(makers) - makers.count(None) for makers in self.makers]
        ready = [number for number, count in enumerate(waiting) if not count]
        for number in ready:
            for readers in self.readers[number]:
                for reader, _ in readers:
                    waiting[reader] -= 1
                    if not waiting[reader]:
                        ready.append(reader)
        if len(ready) < len(self.nodes):
            ready += sorted(set(range(len(self.nodes))) - set(ready))
        return ready
