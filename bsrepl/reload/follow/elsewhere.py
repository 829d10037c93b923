"""What holds something old though nothing named leads to it: the filters of a logger, the objects of a thread."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterable, Iterator
from string import hexdigits
from types import FrameType, ModuleType, TracebackType
from typing import Any

from . import raw
from .class_lookups import tables
from .edges import Edge, edges, is_c_memory
from .frozen import is_frozen

_HIGHEST = 20  # objects around objects that cannot be changed
_NUMBERED = frozenset(hexdigits + ":")  # the keys of what `ctypes` keeps alive for its memory
_PASSED = frozenset(map(id, (FrameType, TracebackType, ModuleType)))


class Elsewhere:
    """The objects that refer to old ones, and those that hold these where they cannot be changed themselves.

    `is_known` tells of what is looked at in another way. `lists` are those in which the caller keeps old objects.
    """

    def __init__(self, old: list[Any], is_known: Callable[[Any], bool], lists: Iterable[Any]) -> None:
        self.direct: list[Any] = []
        self.frozen: list[Any] = [reference for value in old for reference in _finalizers(value)]
        self._changeable: dict[int, Any] = {}
        seen: dict[int, Any] = {}
        own = [seen, self.direct, self.frozen, self._changeable, *lists]
        waiting = [*old, *self.frozen]
        for height in range(_HIGHEST):
            if not waiting:
                break
            own += [waiting, own]
            referrers = _referrers(waiting, own)
            own.append(referrers)
            holders = [each for each in referrers if id(each) not in seen and not is_known(each)]
            seen.update({id(each): each for each in holders})
            if height == 0:
                self.direct += holders
            for each in filter(is_c_memory, referrers):  # its memory holds the same, and counts on the reference
                for child in gc.get_referents(each):
                    self._changeable.pop(id(child), None)
            waiting = [each for each in holders if self._must_know_holders(each)]

    def edges(self) -> Iterator[Edge]:
        """How what can be changed holds what it holds; keys only where something was registered by class."""
        dicts = [each for each in self._changeable.values() if type(each) is dict]
        by_class = [each for each in dicts if any(map(raw.is_type, list(each)))]
        registered = {id(table): table for table in tables(by_class)}
        for holder in (self._changeable | registered).values():
            for edge in edges(holder):
                if edge.put is not None and (edge.step or id(holder) in registered):
                    yield edge

    def _must_know_holders(self, holder: Any) -> bool:
        """Keeps a holder as what can be changed, or what cannot. Returns whether it matters who holds it."""
        if is_frozen(holder):
            self.frozen.append(holder)
            return True
        if type(holder) is dict and "__module__" in holder and "__doc__" in holder:  # that of a class
            return True
        if id(type(holder)) not in _PASSED:
            self._changeable[id(holder)] = holder
        return type(holder) is dict and all(type(key) is str and _NUMBERED.issuperset(key) for key in list(holder))


def _finalizers(value: Any) -> list[Any]:
    """The weak references by which `weakref.finalize` knows a value."""
    kinds = ((reference, type(getattr(reference, "__callback__", None))) for reference in weakref.getweakrefs(value))
    return [reference for reference, kind in kinds if kind is weakref.finalize]


def _referrers(values: list[Any], own: list[Any]) -> list[Any]:
    """What refers to one of these values, what is the shell's own left out."""
    arguments = tuple(values)  # from Python 3.13 on it refers to them as well
    ids = set(map(id, (arguments, *own)))
    return [each for each in gc.get_referrers(*arguments) if id(each) not in ids and not _is_shells(each)]


def _is_shells(value: Any) -> bool:
    kind = value if raw.is_type(value) else type(value)
    return raw.module_name(kind).partition(".")[0] == "bsrepl"
