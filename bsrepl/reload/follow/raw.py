"""Reads objects without running their code: nothing is asked that a class, a metaclass or a proxy can answer itself.

So neither `isinstance`, which asks for `__class__`, nor `in`, which compares; `issubclass` of a built-in class is safe,
and so are the ids of classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any

MISSING: Any = object()

_get_mro = type.__dict__["__mro__"].__get__
_get_members = type.__dict__["__dict__"].__get__
_get_module = type.__dict__["__module__"].__get__
_get_qualname = type.__dict__["__qualname__"].__get__
_set_bases = type.__dict__["__bases__"].__set__
_set_class = object.__dict__["__class__"].__set__


def mro(cls: type) -> tuple[type, ...]:
    return _get_mro(cls)  # type: ignore[no-any-return]


def is_type(value: Any) -> bool:
    """Whether a value is a class; a proxy that pretends to be one is not."""
    return issubclass(type(value), type)


def members(cls: type) -> Mapping[str, Any]:
    """What a class itself defines, by name."""
    return _get_members(cls)  # type: ignore[no-any-return]


def lookup(cls: type, name: str) -> Any:
    """What a class defines or inherits under a name, as it stands there; MISSING if nothing."""
    for base in mro(cls):
        value = members(base).get(name, MISSING)
        if value is not MISSING:
            return value
    return MISSING


def module_name(cls: type) -> str:
    """The name of the module that a class says it is from; empty if it does not say."""
    try:
        name = _get_module(cls)
    except AttributeError:
        return ""
    return name if type(name) is str else ""


def qualified_name(cls: type) -> str:
    return str(_get_qualname(cls))


def attributes(value: Any) -> dict[str, Any] | None:
    """The dictionary of an instance; None if it has none, or hides it."""
    for base in mro(type(value)):
        descriptor = members(base).get("__dict__")
        if type(descriptor) is GetSetDescriptorType or type(descriptor) is MemberDescriptorType:
            found = descriptor.__get__(value)
            return found if type(found) is dict else None
    return None


def slots(value: Any) -> Iterator[tuple[str, Any, Any]]:
    """The slots of an instance that are filled: name, descriptor, value."""
    for base in mro(type(value)):
        if "__slots__" not in members(base):  # what else looks like a slot is read-only
            continue
        for name, descriptor in list(members(base).items()):
            if type(descriptor) is MemberDescriptorType:
                try:
                    yield name, descriptor, descriptor.__get__(value)
                except AttributeError:
                    continue


def set_class(value: Any, cls: type) -> None:
    """Makes a value an instance of another class. Raises TypeError if it is laid out differently."""
    _set_class(value, cls)


def set_bases(cls: type, bases: tuple[type, ...]) -> None:
    """Makes a class derive from others. Raises whatever its `mro()` raises, and TypeError."""
    _set_bases(cls, bases)
