"""What Python itself remembers of classes: which count as subclasses of an abstract one, and which function of a
`singledispatch` serves which. Answers are forgotten, for they can be found again; what was registered follows.
"""

from __future__ import annotations

import _abc  # type: ignore[import-not-found]
import copyreg
import gc
import typing
import weakref
from abc import ABC, ABCMeta, get_cache_token
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache, singledispatch
from types import BuiltinFunctionType, FunctionType, MappingProxyType
from typing import Any
from weakref import WeakKeyDictionary

from ...registry.decorators import WEAK_CALLBACKS

#: What an abstract class keeps of others, weakly.
AbstractData = type(vars(ABC)["_abc_impl"])

_Pair = tuple[Callable[[], type | None], Callable[[], type | None]]


def forget_annotations() -> None:
    """Empties the caches of `typing`: `Optional[A]` in an annotation is no reason to look for who holds A."""
    for empty in getattr(typing, "_cleanups", ()):
        empty()


def forget_dispatch(classes: Iterable[type]) -> None:
    """Makes each `singledispatch` function that has served one of these classes, or one derived from it, look again."""
    served: dict[int, Any] = {}
    for cls in _with_derived(classes):
        for reference in weakref.getweakrefs(cls):
            cache = _weak_dictionary(getattr(reference, "__callback__", None))
            if cache is not None:
                served[id(cache)] = cache
    for function in gc.get_referrers(_DISPATCH) if served else ():
        if type(function) is FunctionType and function.__closure__ is not None:
            cache = function.__closure__[_CACHE].cell_contents
            if id(cache) in served:
                cache.clear()


def implementations(value: Any) -> Mapping[type, Any]:
    """What is registered with a function of `singledispatch`, by class; nothing of any other value."""
    registry = vars(value).get("registry") if type(value) is FunctionType else None
    return registry if type(registry) is MappingProxyType else {}


def forget_subclasses() -> None:
    """Makes every abstract class find out again which are its subclasses."""
    for cls in _abstract_classes():
        _abc._reset_caches(cls)


def registered(classes: Iterable[type]) -> Iterator[tuple[type, type]]:
    """The abstract classes and the classes that were registered with each; nothing if none of `classes` can be one of
    them, which is found out without looking at all others."""
    if not any(map(_may_be_registered, classes)):
        return
    for abstract, reference in _registered(get_cache_token()):
        one, other = abstract(), reference()
        if one is not None and other is not None:
            yield one, other


def _may_be_registered(cls: type) -> bool:
    """Whether a class is abstract and others are registered with it, or an abstract one knows it."""
    if issubclass(type(cls), ABCMeta) and _abc._get_dump(cls)[0]:
        return True
    return any(is_of_abstract_class(getattr(known, "__callback__", None)) for known in weakref.getweakrefs(cls))


def is_of_abstract_class(callback: Any) -> bool:
    """Whether a weak reference with this callback is one of those that abstract classes keep."""
    return type(callback) is BuiltinFunctionType and callback.__name__ == "_destroy"


@lru_cache(maxsize=1)
def _registered(token: object) -> list[_Pair]:
    """All of these pairs, weakly. Each registration changes the token."""
    return [(weakref.ref(cls), reference) for cls in _abstract_classes() for reference in _abc._get_dump(cls)[0]]


def register(abstract: type, cls: type) -> None:
    """Makes a class count as a subclass of an abstract one. Raises whatever the check of that raises."""
    ABCMeta.register(abstract, cls)  # type: ignore[arg-type]


def expect_subclass(abstract: type, cls: type) -> None:
    """Raises TypeError if a class does not count as a subclass of an abstract one, and whatever the check raises."""
    if not ABCMeta.__subclasscheck__(abstract, cls):  # type: ignore[arg-type]
        raise TypeError


def tables(holders: Iterable[Any]) -> list[dict[Any, Any]]:
    """The dictionaries by class in which something was registered, others may be caches: that of `copyreg`, and those
    among `holders` that belong to a `singledispatch`, which publishes them."""
    known = [each for each in holders if type(each) is dict]
    published = gc.get_referrers(*known) if known else []
    shown = {id(held) for each in published if type(each) is MappingProxyType for held in gc.get_referents(each)}
    return [copyreg.dispatch_table, *(table for table in known if id(table) in shown)]


#: What `singledispatch` makes of each function to look up what serves a class, and where in its closure the cache is.
_DISPATCH = next(code for code in singledispatch.__code__.co_consts if getattr(code, "co_name", "") == "dispatch")
_CACHE = _DISPATCH.co_freevars.index("dispatch_cache")


def _abstract_classes() -> list[type]:
    return [cls for cls in _with_derived([object]) if issubclass(type(cls), ABCMeta)]


def _with_derived(classes: Iterable[type]) -> list[type]:
    """Classes and all that derive from them."""
    found: dict[int, type] = {id(cls): cls for cls in classes}
    waiting = list(found.values())
    while waiting:
        derived: list[type] = type.__subclasses__(waiting.pop())
        new = [cls for cls in derived if id(cls) not in found]
        found |= {id(cls): cls for cls in new}
        waiting += new
    return list(found.values())


_REMOVE = next(code for code in WeakKeyDictionary.__init__.__code__.co_consts if hasattr(code, "co_code"))


def _weak_dictionary(callback: Any) -> WeakKeyDictionary[Any, Any] | None:
    """The dictionary whose key a weak reference with this callback is, if any."""
    if type(callback) is not FunctionType or callback.__code__ is not _REMOVE:
        return None
    if any(callback is known for known in WEAK_CALLBACKS):  # the decorators' own
        return None
    dictionary: WeakKeyDictionary[Any, Any] | None = callback.__defaults__[0]()  # type: ignore[index]
    return dictionary
