"""The names that the nodes of a graph see, and the numbers of the tensors that they stand for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .view import Tensor

if TYPE_CHECKING:
    from onnx import NodeProto

LEFT_OUT = 0  # the number of what stands for an input or an output that is left out


def as_text(name: str | bytes) -> str:
    """A name as text: protobuf gives bytes for one that is not UTF-8."""
    return name if isinstance(name, str) else name.decode(errors="backslashreplace")


class Names(dict["str | bytes", int]):
    """The numbers of the tensors of a graph by their names; of other names, those that the graphs around it see.

    A name that no graph around it sees and no node produces is a tensor of the graph itself.
    """

    def __init__(
        self, outer: Names | None, scope: str, tensors: list[Tensor | None], nodes: Iterable[NodeProto]
    ) -> None:
        self[""] = LEFT_OUT
        self._outer = outer
        self._scope = scope
        self._tensors = tensors
        self._unread = nodes
        if outer is not None:
            self.complete()

    def __missing__(self, name: str | bytes) -> int:
        if not isinstance(name, str):
            return self[as_text(name)]
        if self._outer is not None and (known := self._outer._seen(name)) is not None:
            return known
        number = self[name] = len(self._tensors)
        self._tensors.append((self._scope, name))
        return number

    def _seen(self, name: str) -> int | None:
        number = self.get(name)
        return number if number is not None or self._outer is None else self._outer._seen(name)

    def add(self, name: str | bytes) -> int:
        """Makes a name one of the graph itself. Returns the number of its tensor."""
        text = as_text(name)
        number = self.get(text, LEFT_OUT)
        if number == LEFT_OUT:
            number = len(self._tensors)
            self._tensors.append((self._scope, text))
            if text:
                self[text] = number
        return number

    def complete(self) -> None:
        """Adds what the nodes of the graph produce, wherever they stand: without a graph around it and graphs in it,
        that makes no difference."""
        nodes, self._unread = self._unread, ()
        for node in nodes:
            for name in filter(None, node.output[:]):
                self.add(name)
