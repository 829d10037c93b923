"""How one object holds others: under which name, as one would type it, and how another is put in its place.

Everything is read and written as C does it, past whatever a class says about its attributes, items and comparisons.
"""

from __future__ import annotations

import functools
import sys
import threading
import weakref
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from types import (
    AsyncGeneratorType,
    CellType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    GenericAlias,
    MethodType,
    UnionType,
)
from typing import Any, NamedTuple

from . import placing, raw

# By the ids of the types: a metaclass may have a hash that raises.
_FRAMES = {id(GeneratorType): "gi_frame", id(CoroutineType): "cr_frame", id(AsyncGeneratorType): "ag_frame"}
_PARTS = {
    id(MethodType): ("__func__", "__self__"),
    id(property): ("fget", "fset", "fdel"),
    id(staticmethod): ("__func__",),
    id(classmethod): ("__func__",),
    id(GenericAlias): ("__origin__", "__args__"),
    id(UnionType): ("__args__",),
}


class Edge(NamedTuple):
    """One way in which a holder holds a value. `put` puts another in its place; None if nothing can."""

    step: str  # what to type behind the holder
    value: Any
    put: Callable[[Any], object] | None


class Outside:
    """Something in no namespace that holds values, such as the variables of code that runs; `advice` on what is old."""

    def __init__(self, edges: list[Edge], advice: str) -> None:
        self.edges = edges
        self.advice = advice


def edges(holder: Any, namespace: bool = False) -> Iterator[Edge]:
    """All that is known of what an object holds. The keys of a `namespace` are names."""
    kind = type(holder)
    if kind is FunctionType:
        yield from _of_function(holder)
    elif raw.is_type(holder):
        for name, value in list(raw.members(holder).items()):
            yield Edge(f".{name}", value, _class_writer(holder, name))
    elif kind is CellType:
        try:
            yield Edge(".cell_contents", holder.cell_contents, functools.partial(setattr, holder, "cell_contents"))
        except ValueError:
            return
    elif kind is ContextVar:
        if holder in (current := copy_context()):
            yield Edge(".get()", current[holder], holder.set)
    elif kind is Context:
        for variable, value in holder.items():
            yield Edge("", value, functools.partial(placing.put_into_context, holder, variable))
    elif (frame := frame_of(holder)) is not None:
        for name, value in dict(frame.f_locals).items():
            yield Edge(f".{_FRAMES[id(kind)]}.f_locals[{name!r}]", value, None)
    elif id(kind) in _PARTS:
        for name in _PARTS[id(kind)]:
            yield Edge(f".{name}", getattr(holder, name), None)
    elif kind is Outside:
        yield from holder.edges
    elif is_c_memory(holder):
        yield from (Edge("", value, None) for value in _kept_for_memory(holder))
        yield from _of_instance(holder, namespace)
    elif is_of_numpy(holder):
        yield from _of_numpy(holder)
    else:
        yield from _of_instance(holder, namespace)


def frame_of(value: Any) -> FrameType | None:
    """The frame of a generator or coroutine that has not ended; None of anything else."""
    name = _FRAMES.get(id(type(value)))
    frame: FrameType | None = None if name is None else getattr(value, name)
    return frame


def is_of_numpy(value: Any) -> bool:
    """Whether a value is a NumPy array, a walk through some, or an item of one with fields: the garbage collector knows
    nothing of what they hold."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return False
    return issubclass(type(value), (numpy.ndarray, numpy.void, numpy.flatiter, numpy.nditer))


def is_c_memory(value: Any) -> bool:
    """Whether a value is memory of `ctypes`. What that keeps alive for it must stay, for the memory refers to it."""
    ctypes = sys.modules.get("_ctypes")
    return ctypes is not None and issubclass(type(value), ctypes.Array.__base__)


def _kept_for_memory(memory: Any) -> Iterator[Any]:
    waiting = [sys.modules["_ctypes"].Array.__base__.__dict__["_objects"].__get__(memory)]
    while waiting:
        value = waiting.pop()
        if type(value) is dict:
            waiting += value.values()
        else:
            yield value


def _of_function(function: FunctionType) -> Iterator[Edge]:
    yield Edge(".__closure__", function.__closure__, None)
    yield Edge(".__defaults__", function.__defaults__, functools.partial(setattr, function, "__defaults__"))
    yield Edge(".__kwdefaults__", function.__kwdefaults__, None)
    if sys.version_info < (3, 14):  # from then on they are computed when somebody asks
        yield Edge(".__annotations__", function.__annotations__, None)
    for name, value in list(vars(function).items()):
        yield Edge(f".{name}", value, functools.partial(vars(function).__setitem__, name))


def _class_writer(cls: type, name: str) -> Callable[[Any], object] | None:
    """How an attribute of a class is set, unless its metaclass has a say in that."""
    if raw.lookup(type(cls), name) is not raw.MISSING:
        return None
    return functools.partial(type.__setattr__, cls, name)


def _of_numpy(array: Any) -> Iterator[Edge]:
    numpy = sys.modules["numpy"]
    if issubclass(type(array), numpy.void):
        for name in array.dtype.names or () if array.dtype.hasobject else ():
            yield Edge(f"[{name!r}]", array[name], functools.partial(numpy.void.__setitem__, array, name))
        return
    if type(array) is numpy.flatiter:
        yield Edge(".base", array.base, None)
        return
    if issubclass(type(array), numpy.nditer):
        with suppress(ValueError):  # it is closed
            yield from (Edge(f".operands[{n}]", each, None) for n, each in enumerate(array.operands))
        return
    plain = numpy.ndarray.view(array, numpy.ndarray)
    if plain.dtype == object:
        for n, value in enumerate(plain.flat):
            yield Edge(f".flat[{n}]", value, functools.partial(plain.flat.__setitem__, n))
    elif plain.dtype.hasobject and plain.dtype.names:
        for name in plain.dtype.names:
            for edge in _of_numpy(plain[name]):
                yield edge._replace(step=f"[{name!r}]{edge.step}")


def _of_instance(holder: Any, namespace: bool) -> Iterator[Edge]:
    kind = type(holder)
    if issubclass(kind, dict):
        yield from _of_dict(holder, namespace)
    if issubclass(kind, defaultdict):
        factory = defaultdict.__dict__["default_factory"]
        yield Edge(".default_factory", factory.__get__(holder), functools.partial(factory.__set__, holder))
    sequence: Any
    for sequence in (list, deque):
        if issubclass(kind, sequence):
            for n, value in enumerate(list(sequence.__iter__(holder))):
                yield Edge(f"[{n}]", value, functools.partial(placing.put_item, sequence, holder, n, value))
    if issubclass(kind, set):
        for value in list(set.__iter__(holder)):
            yield Edge("", value, functools.partial(placing.put_into_set, holder, value))
    for sequence in (tuple, frozenset):
        if issubclass(kind, sequence):
            for n, value in enumerate(sequence.__iter__(holder)):
                yield Edge(f"[{n}]" if sequence is tuple else "", value, None)
    if issubclass(kind, BaseException):
        args = BaseException.__dict__["args"]
        yield Edge(".args", args.__get__(holder), functools.partial(args.__set__, holder))
    if issubclass(kind, weakref.ref):
        yield Edge("()", weakref.ref.__call__(holder), None)
    if issubclass(kind, functools.partial):
        for name, change in (("func", placing.partial_func), ("args", placing.partial_args)):
            yield Edge(f".{name}", functools.partial.__dict__[name].__get__(holder), functools.partial(change, holder))
        yield Edge(".keywords", functools.partial.__dict__["keywords"].__get__(holder), None)
    own = _thread_attributes(holder) if issubclass(kind, threading.local) else raw.attributes(holder)
    if own is not None:
        for name, value in list(own.items()):
            yield Edge(f".{name}", value, functools.partial(own.__setitem__, name))
    for name, slot, value in raw.slots(holder):
        yield Edge(f".{name}", value, functools.partial(slot.__set__, holder))


def _of_dict(holder: Any, namespace: bool) -> Iterator[Edge]:
    for key, value in list(dict.items(holder)):
        step = f".{key}" if namespace and type(key) is str else f"[{_shown(key)}]"
        yield Edge(step, value, functools.partial(placing.put_item, dict, holder, key, value))
        if type(key) is not str and type(key) is not int:
            ordered = issubclass(type(holder), OrderedDict)
            yield Edge("", key, functools.partial(placing.put_ordered_key if ordered else placing.put_key, holder, key))


_LITERAL = frozenset(map(id, (str, int, bool, float, bytes)))


def _shown(key: Any) -> str:
    if id(type(key)) in _LITERAL:
        return repr(key)
    return raw.qualified_name(key) if raw.is_type(key) else "..."


def _thread_attributes(local: threading.local) -> dict[str, Any] | None:
    """The attributes that a thread-local object has in this thread."""
    found = threading.local.__getattribute__(local, "__dict__")
    return found if type(found) is dict else None
