"""What is known of values without asking them: no property, no `__getattr__` and no `__dir__` of theirs runs."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from itertools import islice
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FunctionType,
    MemberDescriptorType,
    MethodDescriptorType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

from ...text.patterns import late_pattern
from ...text.tracebacks import is_library

#: Of a chain of attributes and indexes, such as a.b[0].c: its first name, the rest, and one part of that.
NAME, PARTS = r"[A-Za-z_]\w*", r"(?:\s*\.\s*[A-Za-z_]\w*|\[-?\d+\])*"
PART = late_pattern(r"\.\s*(?P<name>\w+)|\[(?P<index>-?\d+)\]")
_CHAIN = late_pattern(rf"(?<![\w.\])]){NAME}{PARTS}")
_HOOKS = ("__getattr__", "__getattribute__", "__dir__", "__class__")  # which Jedi would run
#: The types of functions and methods, as they stand in a class.
ROUTINES = (
    FunctionType, BuiltinFunctionType, MethodDescriptorType, WrapperDescriptorType, ClassMethodDescriptorType,
    staticmethod, classmethod,
)  # fmt: skip
_HARMLESS = {*sys.stdlib_module_names, "google"}  # enumerations, say, and messages of protobuf
_MOST = 1_000  # items of a container that are looked at


class Unknown(Exception):
    """Code would have to run to know the value: of a property, say."""


def value_of(chain: str, names: Mapping[str, Any]) -> Any:
    """What a chain such as `a.b[0].c` means. Raises Unknown, and LookupError if there is no such value."""
    *_, last = _values_along(chain, names)
    return last


def runs_code(text: str, names: Mapping[str, Any]) -> bool:
    """Whether looking up what a text mentions would run a `__getattr__` or the like."""
    return any(_chain_runs_code(chain[0], names) for chain in _CHAIN.finditer(text))


def has_hooks(value: Any) -> bool:
    """Whether asking a value for an attribute runs a function written in Python."""
    if issubclass(type(value), ModuleType):
        own = _own(value)
        return any(_is_own_code(own.get(hook)) for hook in _HOOKS)
    known = (vars(base).get(hook) for base in _bases(type(value)) for hook in _HOOKS)
    return any(
        type(hook) is property or (type(hook) is FunctionType and _top_package(hook) not in _HARMLESS) for hook in known
    )


def attribute_names(value: Any) -> dict[str, Any]:
    """The attributes of a value by name, with what its class or itself has for each."""
    known: dict[str, Any] = {}
    for base in reversed(_bases(value if is_class(value) else type(value))):
        known |= vars(base)
    if not is_class(value):
        known |= dict.fromkeys(listed(value, "__dir__")) | _own(value)
    exported: Any = known.get("__all__") if issubclass(type(value), ModuleType) else None
    if type(exported) in (list, tuple):  # what a module imports when it is asked for it
        known = {**dict.fromkeys(exported), **known}
    return {name: each for name, each in known.items() if isinstance(name, str)}


def listed(value: Any, method: str) -> list[Any]:
    """What the `__dir__` of a library's class lists, such as the columns of a table, or another such method of it.

    Nothing if the class is the user's own, or has a hook that is.
    """
    defined = [vars(base) for base in _bases(type(value))]
    hooks = [known[hook] for known in defined for hook in (*_HOOKS, "__iter__") if hook in known]
    if any(_is_own_code(hook.fget if type(hook) is property else hook) for hook in hooks):
        return []
    listing = next((known[method] for known in defined if method in known), None)
    if type(listing) is not FunctionType or _is_own_code(listing) or issubclass(type(value), ModuleType):
        return []
    try:
        return list(listing(value))
    except Exception:  # of an object that is half made, say
        return []


def is_class(value: Any) -> bool:
    """Whether a value is a class; `isinstance` would ask it for its `__class__`."""
    return issubclass(type(value), type)


def _bases(cls: type) -> tuple[type, ...]:
    bases: tuple[type, ...] = type.__dict__["__mro__"].__get__(cls)  # whatever its metaclass makes of the name
    return bases


def _own(value: Any) -> dict[str, Any]:
    try:
        own = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return own if type(own) is dict else {}


def _values_along(chain: str, names: Mapping[str, Any]) -> Iterator[Any]:
    """The value of each part of a chain."""
    name = chain.partition(".")[0].partition("[")[0].rstrip()
    value = names[name]
    yield value
    for part in PART.finditer(chain, len(name)):
        value = _attribute(value, part["name"]) if part["name"] else _item(value, int(part["index"]))
        yield value


def _attribute(value: Any, name: str) -> Any:
    try:
        found = inspect.getattr_static(value, name)
        if type(found) is MemberDescriptorType and not is_class(value):  # of __slots__
            return found.__get__(value)
    except AttributeError:
        raise LookupError(name) from None
    if type(found) in (staticmethod, classmethod):
        return found.__func__
    if type(found) in ROUTINES or not any("__get__" in vars(base) for base in _bases(type(found))):
        return found
    raise Unknown


def _item(value: Any, index: int) -> Any:
    if type(value) not in (list, tuple):
        raise Unknown
    return value[index]


def _chain_runs_code(chain: str, names: Mapping[str, Any]) -> bool:
    try:
        return any(map(_holds_hooks, _values_along(chain, names)))
    except (Unknown, LookupError):  # Jedi knows no more than that
        return False


def _holds_hooks(value: Any) -> bool:
    if type(value) in (list, tuple, set, frozenset):
        return any(map(has_hooks, islice(tuple(value), _MOST)))
    if type(value) is dict:
        return any(map(has_hooks, islice(tuple(value.values()), _MOST)))
    return has_hooks(value)


def _is_own_code(hook: Any) -> bool:
    return type(hook) is FunctionType and not is_library(hook.__code__.co_filename)


def _top_package(function: FunctionType) -> str:
    return str(function.__module__).partition(".")[0]
