"""What belongs to a module alone, and whether anything outside refers to it.

This is how Python's garbage collector finds cycles that nobody reaches: the references that come from inside are
counted, and what is referred to more often is held by somebody outside. It costs what the module has in it.
"""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Iterable, Sequence
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, ModuleType, TracebackType
from typing import Any

from ...registry.decorators import WEAK_CALLBACKS
from .class_lookups import is_of_abstract_class
from .raw import is_type, module_name

#: The ids of types whose instances refer to nothing that could be replaced.
ATOMIC = frozenset(map(id, (int, float, complex, bool, str, bytes, bytearray, type(None), type(...), CodeType, range)))

#: The modules whose instances may be a part of what a module defines: containers, descriptors, annotations, fields.
_PLAIN = frozenset({"builtins", "collections", "dataclasses", "enum", "functools", "types", "typing", "weakref"})
_OUTSIDE = frozenset(map(id, (ModuleType, FrameType, TracebackType, BuiltinFunctionType)))


class Island:
    """The objects that belong to some modules: what is reached from them without leaving what they define.

    `shared` are the namespaces that functions of theirs have as globals, though others are in them by now.
    """

    def __init__(
        self, modules: Sequence[ModuleType], seeds: Iterable[Any] = (), shared: Iterable[dict[str, Any]] = ()
    ) -> None:
        self._shared = set(map(id, shared))
        self.dicts = self._shared | {id(vars(module)) for module in modules}
        self.names = {str(vars(module).get("__name__")) for module in modules}
        self.nodes: list[Any] = []
        self.inside: dict[int, int] = {}  # how often a node is referred to from inside, by its id
        for seed in (*modules, *seeds):
            self.inside[id(seed)] = 0
            self.nodes.append(seed)
        position = 0
        while position < len(self.nodes):
            self._enter(self.nodes[position])
            position += 1

    def defines(self, value: Any) -> bool:
        """Whether a value is a class of these modules, one of their functions, or an instance of such a class."""
        if type(value) is FunctionType:
            return id(value.__globals__) in self.dicts
        if is_type(value):
            return module_name(value) in self.names
        return module_name(type(value)) in self.names

    def is_held(self, exempt: set[int], held_by: Sequence[Any]) -> bool:
        """Whether something outside leads to what these modules define.

        What holds `exempt`, by their ids, is known, and so are the references that the objects `held_by` have.
        """
        for key in [id(value) for holder in held_by for value in gc.get_referents(holder)]:
            if key in self.inside:
                self.inside[key] += 1
        outside = _unexplained(self.nodes, [self.inside[id(node)] for node in self.nodes])
        outside = [node for node in outside if id(node) not in exempt]
        if any(type(node) is ModuleType for node in outside) or self._leads_in(outside):
            return True
        return any(self.defines(node) and _is_held_weakly(node) for node in self.nodes)

    def _enter(self, node: Any) -> None:
        for child in gc.get_referents(node):
            key = id(child)
            if key in self.inside:
                self.inside[key] += 1
            elif self._belongs(child):
                self.inside[key] = 1
                self.nodes.append(child)

    def _belongs(self, value: Any) -> bool:
        kind = type(value)
        if id(kind) in ATOMIC or id(kind) in _OUTSIDE:
            return False
        if kind is FunctionType:
            module = value.__module__
            return id(value.__globals__) in self.dicts or (type(module) is str and module in self.names)
        if is_type(value):
            return module_name(value) in self.names
        if kind is dict and (id(value) in self._shared or "__build_class__" in value):
            return False
        return module_name(kind) in _PLAIN or module_name(kind) in self.names

    def _leads_in(self, outside: list[Any]) -> bool:
        """Whether one of these nodes is, or leads to, something that the modules define."""
        seen = set(map(id, outside))
        waiting = list(outside)
        while waiting:
            node = waiting.pop()
            if self.defines(node):
                return True
            new = [child for child in gc.get_referents(node) if id(child) in self.inside and id(child) not in seen]
            seen.update(map(id, new))
            waiting += new
        return False


def _unexplained(nodes: list[Any], inside: list[int]) -> list[Any]:
    """The nodes that are referred to more often than from inside."""
    return [node for node, count in zip(nodes, inside, strict=True) if sys.getrefcount(node) > count + _OWN]


def _own_references() -> int:
    """How many references the loop above itself has to a node."""
    nodes, count = [object()], [0]
    return max(sys.getrefcount(node) for node, _ in zip(nodes, count, strict=True))


_OWN = _own_references()


def _is_held_weakly(value: Any) -> bool:
    """Whether somebody has a weak reference to something, besides bases, caches of abstract classes and decorators."""
    bases = len(type.__dict__["__bases__"].__get__(value)) if is_type(value) else 0
    for reference, count in _weak_references(value):
        callback: Any = getattr(reference, "__callback__", None) if type(reference) is weakref.ref else reference
        if callback is None and count <= bases + _OWN_WEAK:
            continue  # all bases share the one that has no callback
        if is_of_abstract_class(callback):
            continue
        if any(callback is known for known in WEAK_CALLBACKS):
            continue
        return True
    return False


def _weak_references(value: Any) -> list[tuple[Any, int]]:
    return [(reference, sys.getrefcount(reference)) for reference in weakref.getweakrefs(value)]


_OWN_WEAK = max(count for _, count in _weak_references(type("Probe", (), {}))) - 1
