"""All that can be reached from some namespaces, who holds what of it, and the way there."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import Context, ContextVar
from importlib.machinery import ModuleSpec
from itertools import pairwise
from types import FrameType, FunctionType, MethodType, ModuleType, TracebackType
from typing import Any
from weakref import CallableProxyType, ProxyType

from ...registry.namespaces import Namespace
from ...registry.snapshot import Snapshot
from ...registry.store import Registry
from . import raw
from .class_lookups import AbstractData
from .edges import Outside, edges, frame_of, is_c_memory, is_of_numpy
from .frozen import is_frozen
from .island import ATOMIC

_MOST = 3_000_000  # objects that are looked at

#: The modules whose instances are the shell's own.
_OURS = ("bsrepl.reload.", "bsrepl.shell.")
#: The ids of types whose instances are not entered: what they hold has happened, or is Python's or the shell's own.
_ENDS = frozenset(map(id, (FrameType, TracebackType, Snapshot, Registry, ModuleSpec, AbstractData)))


class Reach:
    """The objects that `roots` lead to, namespaces and others by what to type for them; the nearest come first.

    What `stops` says True of is reached, but not entered; of that, and of what is frozen, it is noted who holds it.
    Neither are the registry and what imports modules entered, nor libraries, of which only what they hold themselves
    counts. `proxied` are the objects that weak proxies stand for, by the ids of those.
    """

    def __init__(
        self,
        roots: Mapping[str, dict[str, Any] | Outside],
        stops: Callable[[Any], bool],
        proxied: Mapping[int, Any],
    ) -> None:
        self.objects: list[Any] = []
        self.holders: dict[int, list[int]] = {}  # the numbers of those that hold one, by its id
        self.is_complete = True
        self._stops = stops
        self._stopped: dict[int, Any] = {}  # what was not entered, by its id
        self._proxied = proxied
        self._parents: list[int] = []
        self._numbers: dict[int, int] = {}
        self._roots = roots
        modules = list(sys.modules.values())
        namespaces = [vars(module) for module in modules if type(module) is ModuleType]
        self._modules = set(map(id, modules))
        self._dicts = set(map(id, namespaces))
        self._loaders = {id(names.get("__loader__")) for names in namespaces}  # pytest's leads to all its tests
        self._live = set(map(id, roots.values()))
        for root in roots.values():
            self._add(root, -1)
        self._walk()

    def __contains__(self, value: Any) -> bool:
        return id(value) in self._numbers

    def way(self, value: Any) -> str:
        """What to type to get at an object that was reached; at what it lies in, if nothing leads from there on."""
        chain = [self._numbers[id(value)]]
        while self._parents[chain[-1]] >= 0:
            chain.append(self._parents[chain[-1]])
        return self._typed([self.objects[number] for number in reversed(chain)])

    def way_through(self, holder: Any, *values: Any) -> str:
        """What to type to get at an object through one of those that hold it, or a chain of them."""
        chain = [self._numbers[id(holder)]]
        while self._parents[chain[-1]] >= 0:
            chain.append(self._parents[chain[-1]])
        return self._typed([*(self.objects[number] for number in reversed(chain)), *values])

    def _typed(self, chain: list[Any]) -> str:
        way = next(name for name, names in self._roots.items() if names is chain[0])
        is_namespace = True
        for holder, held in pairwise(chain):
            if not raw.is_type(holder) and held is raw.attributes(holder):
                is_namespace = True
                continue
            step = next((edge.step for edge in edges(holder, is_namespace) if edge.value is held), "")
            if not step:
                break
            way += step
            is_namespace = False
        return way.removeprefix(".")

    def farthest_first(self, values: Iterable[Any]) -> list[Any]:
        """Objects that were reached, the farthest first."""
        return sorted(values, key=lambda value: self._numbers[id(value)], reverse=True)

    def stopped(self) -> list[Any]:
        """The objects that `stops` says True of, the nearest first."""
        return list(self._stopped.values())

    def holders_of(self, value: Any) -> list[Any]:
        """The objects that hold one that is stopped at or frozen, the nearest first."""
        return [self.objects[number] for number in self.holders.get(id(value), ()) if number >= 0]

    def is_namespace(self, holder: Any) -> bool:
        """Whether an object is the dictionary of names of the session or of a live module."""
        return id(holder) in self._live

    def _walk(self) -> None:
        number = 0
        while number < len(self.objects):
            value = self.objects[number]
            if number == 0 or id(value) in self._live or id(value) not in self._stopped:
                for child in self._children(value):
                    if id(type(child)) not in ATOMIC:
                        self._add(child, number)
            number += 1
            if number > _MOST:
                self.is_complete = False
                return

    def _add(self, value: Any, holder: int) -> None:
        key = id(value)
        if key not in self._numbers:
            if key in self._dicts and key not in self._live:
                return
            self._numbers[key] = len(self.objects)
            self.objects.append(value)
            self._parents.append(holder)
            if self._stops(value):
                self._stopped[key] = value
                self.holders[key] = []
            elif is_frozen(value):
                self.holders[key] = []
        if key in self.holders:
            self.holders[key].append(holder)

    def _children(self, value: Any) -> Iterable[Any]:
        kind = type(value)
        if kind is dict or kind is tuple or kind is list:  # most are
            return gc.get_referents(value)
        if kind is FunctionType:
            return () if _is_own(value) else _of_function(value)
        if kind is MethodType:
            return () if _is_own(value.__func__) else gc.get_referents(value)
        if raw.is_type(value):
            return self._of_class(value)
        if issubclass(kind, ModuleType):
            return self._of_module(value)
        if kind is Outside or is_c_memory(value):
            return [edge.value for edge in edges(value)]
        if id(value) in self._loaders or id(kind) in _ENDS or issubclass(kind, Namespace):
            return ()
        if raw.module_name(kind).startswith(_OURS):
            return ()
        if kind is Context:
            return [*value.keys(), *value.values()]
        if kind is ProxyType or kind is CallableProxyType:
            return [self._proxied[id(value)]] if id(value) in self._proxied else ()
        if sys.version_info < (3, 11) and (frame := frame_of(value)) is not None:  # later it is no object of its own
            outside = (frame.f_globals, frame.f_builtins)
            return [child for child in gc.get_referents(frame) if not any(child is names for names in outside)]
        if kind is ContextVar or issubclass(kind, (weakref.ref, threading.local)) or is_of_numpy(value):
            return [*gc.get_referents(value), *(edge.value for edge in edges(value))]
        return gc.get_referents(value)

    def _of_class(self, cls: type) -> Iterator[Any]:
        module = sys.modules.get(raw.module_name(cls))
        values = [*raw.members(cls).values(), *raw.mro(cls)[1:], type(cls)]
        if type(module) is not ModuleType or id(vars(module)) in self._live:
            yield from values
        elif raw.qualified_name(cls).partition(".")[0] in vars(module):  # a library's: only what somebody put there
            yield from filter(self._stops, values)
        else:
            yield from values

    def _of_module(self, module: ModuleType) -> Iterator[Any]:
        names = _names_of(module)
        if id(names) in self._live:
            yield names
        elif id(module) in self._modules:  # a library's: only what somebody put there
            yield from filter(self._stops, list(names.values()))
        else:
            yield from names.values()


_names_of: Callable[[ModuleType], dict[str, Any]] = vars(ModuleType)["__dict__"].__get__


def _of_function(function: FunctionType) -> list[Any]:
    outside = (function.__globals__, getattr(function, "__builtins__", None))
    known = (function.__closure__, function.__defaults__)
    if any(type(value) is tuple and not any(value is part for part in known) for value in gc.get_referents(function)):
        vars(function), function.__annotations__  # kept as a tuple until somebody asks
    return [value for value in gc.get_referents(function) if not any(value is names for names in outside)]


def _is_own(function: Any) -> bool:
    """Whether a function is one of the shell's own: a command, whose parts are no part of the session."""
    return type(function) is FunctionType and str(function.__globals__.get("__name__")).startswith("bsrepl.")
