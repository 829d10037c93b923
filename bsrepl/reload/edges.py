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

from . import raw

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
            yield Edge("", value, functools.partial(_put_into_context, holder, variable))
    elif (frame := frame_of(holder)) is not None:
        for name, value in dict(frame.f_locals).items():
            yield Edge(f".{_FRAMES[id(kind)]}.f_locals[{name!r}]", value, None)
    elif id(kind) in _PARTS:
        for name in _PARTS[id(kind)]:
            yield Edge(f".{name}", getattr(holder, name), None)
    elif is_array(holder):
        yield from _of_array(holder)
    else:
        yield from _of_instance(holder, namespace)


def frame_of(value: Any) -> FrameType | None:
    """The frame of a generator or coroutine that has not ended; None of anything else."""
    name = _FRAMES.get(id(type(value)))
    frame: FrameType | None = None if name is None else getattr(value, name)
    return frame


def is_array(value: Any) -> bool:
    """Whether a value is a NumPy array, of which the garbage collector knows nothing."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and issubclass(type(value), numpy.ndarray)


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


def _of_array(array: Any) -> Iterator[Edge]:
    numpy = sys.modules["numpy"]
    plain = numpy.ndarray.view(array, numpy.ndarray)
    if plain.dtype == object:
        for n, value in enumerate(plain.flat):
            yield Edge(f".flat[{n}]", value, functools.partial(plain.flat.__setitem__, n))


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
                yield Edge(f"[{n}]", value, functools.partial(_put_item, sequence, holder, n, value))
    if issubclass(kind, set):
        for value in list(set.__iter__(holder)):
            yield Edge("", value, functools.partial(_put_into_set, holder, value))
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
        for name, change in (("func", _partial_func), ("args", _partial_args)):
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
        yield Edge(step, value, functools.partial(_put_item, dict, holder, key, value))
        if type(key) is not str and type(key) is not int:
            ordered = issubclass(type(holder), OrderedDict)
            yield Edge("", key, functools.partial(_put_ordered_key if ordered else _put_key, holder, key))


_LITERAL = frozenset(map(id, (str, int, bool, float, bytes)))


def _shown(key: Any) -> str:
    if id(type(key)) in _LITERAL:
        return repr(key)
    return raw.qualified_name(key) if raw.is_type(key) else "..."


def _put_item(kind: Any, holder: Any, key: Any, old: Any, new: Any) -> None:
    """Puts an item in the place of another one. Raises LookupError if a thread was quicker: what it put there stays."""
    current = kind.__getitem__(holder, key)
    if current is old:
        kind.__setitem__(holder, key, new)
    elif current is not new:
        raise LookupError


def _put_key(holder: dict[Any, Any], old: Any, new: Any) -> None:
    """Puts a key in the place of another one, at the same position."""
    changed = {new if key is old else key: value for key, value in dict.items(holder)}
    dict.clear(holder)
    dict.update(holder, changed)


def _put_ordered_key(holder: OrderedDict[Any, Any], old: Any, new: Any) -> None:
    items = [(new if key is old else key, value) for key, value in dict.items(holder)]
    dict.fromkeys([key for key, _ in items])  # raises what their hashes raise, before anything is lost
    OrderedDict.clear(holder)
    for key, value in items:
        OrderedDict.__setitem__(holder, key, value)


def _put_into_set(holder: set[Any], old: Any, new: Any) -> None:
    hash(new)  # what it raises, it raises before anything is lost
    set.remove(holder, old)
    set.add(holder, new)


def _put_into_context(context: Context, variable: ContextVar[Any], new: Any) -> None:
    try:
        context.run(variable.set, new)
    except RuntimeError:  # it is the one that this runs in
        variable.set(new)


def _partial_func(holder: functools.partial[Any], new: Any) -> None:
    _set_partial(holder, new, None)


def _partial_args(holder: functools.partial[Any], new: Any) -> None:
    _set_partial(holder, None, new)


def _set_partial(holder: functools.partial[Any], func: Any, args: Any) -> None:
    own = functools.partial.__dict__
    state = (
        own["func"].__get__(holder) if func is None else func,
        own["args"].__get__(holder) if args is None else args,
        own["keywords"].__get__(holder),
        raw.attributes(holder),
    )
    functools.partial.__setstate__(holder, state)  # type: ignore[attr-defined]


def _thread_attributes(local: threading.local) -> dict[str, Any] | None:
    """The attributes that a thread-local object has in this thread."""
    found = threading.local.__getattribute__(local, "__dict__")
    return found if type(found) is dict else None
