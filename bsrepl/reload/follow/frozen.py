"""Objects that cannot be changed: what refers to something that was replaced is made again, and takes their place."""

from __future__ import annotations

import functools
import operator
import weakref
from collections.abc import Callable
from types import GenericAlias, MethodType, UnionType
from typing import Any

from . import raw

_Change = Callable[[Any], Any]


def is_frozen(value: Any) -> bool:
    """Whether a value can only be changed by making another one."""
    kind = type(value)
    return id(kind) in _COPIES or issubclass(kind, _FROZEN) or raw.module_name(kind) == "typing"


def copied(value: Any, change: _Change, new_kind: type) -> Any:
    """The same value as a `new_kind`, of what `change` gives for all that it refers to.

    Raises TypeError if nobody knows how, and whatever a hash raises.
    """
    kind = type(value)
    if id(kind) in _COPIES:
        return _COPIES[id(kind)](value, change)
    sequence: Any
    for sequence in (tuple, frozenset):
        if issubclass(kind, sequence):
            copy = sequence.__new__(new_kind, map(change, sequence.__iter__(value)))
            return _with_attributes(copy, value, change)
    if raw.module_name(kind) == "typing" and raw.attributes(value) is not None:  # Optional[A], Callable[[A], B]
        return _with_attributes(object.__new__(new_kind), value, change)
    if kind is weakref.KeyedRef:
        return weakref.KeyedRef(change(value()), value.__callback__, change(value.key))
    raise TypeError(f"a {kind.__name__} cannot be changed")


def _with_attributes(copy: Any, value: Any, change: _Change) -> Any:
    attributes = raw.attributes(value)
    if attributes:
        own = raw.attributes(copy)
        assert own is not None
        own.update({name: change(item) for name, item in attributes.items()})
    return copy


def _union(value: Any, change: _Change) -> Any:
    return functools.reduce(operator.or_, map(change, value.__args__))


_FROZEN = (tuple, frozenset, weakref.ref)
_BY_KIND: dict[type, Callable[[Any, _Change], Any]] = {
    tuple: lambda value, change: tuple(map(change, value)),
    frozenset: lambda value, change: frozenset(map(change, value)),
    slice: lambda value, change: slice(change(value.start), change(value.stop), change(value.step)),
    MethodType: lambda value, change: MethodType(change(value.__func__), change(value.__self__)),
    staticmethod: lambda value, change: staticmethod(change(value.__func__)),
    classmethod: lambda value, change: classmethod(change(value.__func__)),
    property: lambda value, change: property(change(value.fget), change(value.fset), change(value.fdel), value.__doc__),
    weakref.ref: lambda value, change: weakref.ref(change(value()), change(value.__callback__)),
    GenericAlias: lambda value, change: GenericAlias(change(value.__origin__), change(value.__args__)),
    UnionType: _union,
}
_COPIES = {id(kind): copy for kind, copy in _BY_KIND.items()}  # a metaclass may have a hash that raises
