"""Moves what the session holds of modules that were executed again to what took its place.

A name, a list or a dictionary that holds a replaced class or function gets the new one; an instance gets the new class
where that is safe, and is told as stale where it is not. Who holds what, the garbage collector knows; it is asked only
when a count of references says that somebody outside the module holds something.
"""

from __future__ import annotations

import enum
import functools
import gc
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from ..registry.changes import alike

_MISSING = object()


class Stale(NamedTuple):
    """Something that stays as it was made, though what made it was replaced."""

    holder: str  # the session name that leads to it
    why: str


class Replaced(NamedTuple):
    """A module that was executed again, or is gone (`new` is None)."""

    old: ModuleType
    new: ModuleType | None
    counts: Mapping[str, int]  # what `reference_counts` said of `old` when it was made


def reference_counts(module: ModuleType) -> dict[str, int]:
    """How often each class and function that a module defines is referred to."""
    return {name: sys.getrefcount(value) for name, value in _defined(module)}


def follow(replaced: Sequence[Replaced], names: dict[str, Any]) -> list[Stale]:
    """Moves whatever is held of the old modules to the new ones. Returns what could not follow.

    `names` is the namespace of the session: modules in it are exchanged, and it is where stale objects are looked for.
    """
    for name, value in list(names.items()):
        for each in replaced:
            if value is each.old and each.new is not None:
                names[name] = each.new
    if not _are_held(replaced):
        return []
    gc.collect()  # so that what nobody can reach any more is neither moved nor told
    return _Move(replaced, names).done()


def _defined(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The classes, functions and enum members that a module defines, by name."""
    for name, value in list(vars(module).items()):
        if isinstance(value, (type, FunctionType)) and value.__module__ == module.__name__:
            yield name, value
            if isinstance(value, enum.EnumMeta):
                for member in value.__members__:
                    yield f"{name}.{member}", value.__members__[member]


def _are_held(replaced: Sequence[Replaced]) -> bool:
    """Whether anything of the old modules is referred to more often than when it was made."""
    in_modules = Counter(id(value) for each in replaced for value in vars(each.old).values())
    for each in replaced:
        own = Counter(id(value) for value in vars(each.old).values())
        counts = reference_counts(each.old)
        for name, value in _defined(each.old):
            if counts[name] > each.counts.get(name, 0) + in_modules[id(value)] - own[id(value)]:
                return True
    return False


class _Move:
    """One exchange of old objects for new ones."""

    def __init__(self, replaced: Sequence[Replaced], names: dict[str, Any]) -> None:
        self._names = names
        self._new: dict[int, Any] = {}  # the id of an old object -> the new one, or _MISSING
        self._old: list[Any] = []
        self._own_dicts = {id(vars(each.old)) for each in replaced}
        self._stale: list[Stale] = []
        for each in replaced:
            new = dict(_defined(each.new)) if each.new is not None else {}
            for name, old in _defined(each.old):
                self._add(old, new.get(name, _MISSING))

    def _add(self, old: Any, new: Any) -> None:
        is_alike = isinstance(old, type) is isinstance(new, type)
        self._old.append(old)
        self._new[id(old)] = new if is_alike else _MISSING
        if isinstance(old, type):
            self._own_dicts.update(id(each) for each in gc.get_referents(old) if type(each) is dict)

    def done(self) -> list[Stale]:
        holders = gc.get_referrers(*self._old)
        classes = {id(old): old for old in self._old if isinstance(old, type)}
        methods: list[FunctionType] = []
        for holder in holders:
            if id(type(holder)) in classes and id(holder) not in self._new:
                self._move_instance(holder)
        for cls in classes.values():
            self._move_subclasses(cls)
            methods += [value for value in vars(cls).values() if type(value) is FunctionType]
        self._exchange(holders)
        self._move_methods(methods)
        self._tell_names()
        return self._stale

    def _move_instance(self, instance: Any) -> None:
        old = type(instance)
        new = self._new[id(old)]
        why = _why_not(old, new)
        if why is None:
            try:
                object.__setattr__(instance, "__class__", new)
                return
            except TypeError:
                why = f"{old.__qualname__} has other slots now; this instance keeps the old code, create it again"
        self._tell(instance, why)

    def _move_subclasses(self, cls: type) -> None:
        """Classes of the session that derive from an old one derive from the new one."""
        new = self._new[id(cls)]
        derived: Any
        for derived in type.__subclasses__(cls):
            if id(derived) in self._new or new is _MISSING:
                continue
            bases = tuple(new if base is cls else base for base in derived.__bases__)
            try:
                derived.__bases__ = bases
            except TypeError as error:
                self._tell(derived, f"it cannot derive from the new {cls.__qualname__}: {error}; define it again")

    def _move_methods(self, functions: Iterable[FunctionType]) -> None:
        """Bound methods of instances that were moved are bound anew."""
        known = list({id(function): function for function in functions}.values())
        if not known:
            return
        bound = [
            holder for holder in gc.get_referrers(*known) if type(holder) is MethodType and holder.__func__ in known
        ]
        if not bound:
            return
        for method in bound:
            name = method.__func__.__name__
            self._new[id(method)] = getattr(method.__self__, name, _MISSING)
            self._old.append(method)
        self._exchange(gc.get_referrers(*bound))

    def _exchange(self, holders: Iterable[Any]) -> None:
        """Puts the new object for the old one into each holder that can be changed."""
        for holder in holders:
            if holder is self._old or holder is self._new or id(holder) in self._own_dicts:
                continue
            if type(holder) is dict:
                for key, value in list(holder.items()):
                    if id(value) in self._new:
                        holder[key] = self._exchanged(value)
                    if id(key) in self._new:
                        holder[self._exchanged(key)] = holder.pop(key)
            elif type(holder) is list:
                holder[:] = map(self._exchanged, holder)
            elif type(holder) is set:
                for value in [value for value in holder if id(value) in self._new]:
                    holder.remove(value)
                    holder.add(self._exchanged(value))
            elif type(holder) is CellType:
                holder.cell_contents = self._exchanged(holder.cell_contents)
            elif type(holder) is functools.partial:
                args = tuple(map(self._exchanged, holder.args))
                state = (self._exchanged(holder.func), args, holder.keywords, vars(holder))
                holder.__setstate__(state)  # type: ignore[attr-defined]
            elif type(holder) is tuple:
                for name in [name for name, value in self._names.items() if value is holder]:
                    self._names[name] = tuple(map(self._exchanged, holder))

    def _exchanged(self, value: Any) -> Any:
        new = self._new.get(id(value), _MISSING)
        return value if new is _MISSING else new

    def _tell_names(self) -> None:
        """Tells of the session names that hold a class, function or enum member of which there is no new one."""
        for name, value in self._names.items():
            if self._new.get(id(value), self) is not _MISSING:
                continue
            if isinstance(value, enum.Enum):
                self._stale.append(Stale(name, f"{type(value).__qualname__} has no member {value.name}"))
            else:
                self._stale.append(
                    Stale(name, f"{getattr(value, '__qualname__', value)} was removed; this name keeps the old one")
                )

    def _tell(self, thing: Any, why: str) -> None:
        holder = next((name for name, value in self._names.items() if _holds(value, thing)), None)
        if holder is None:
            others = [
                each
                for each in gc.get_referrers(thing)
                if type(each) in (dict, list, tuple, set) and id(each) not in self._own_dicts and each is not self._old
            ]
            if len(others) <= 1:  # the list of holders that is being gone through
                return
            holder = f"an instance of {type(thing).__qualname__}"
        self._stale.append(Stale(holder, why))


def _why_not(old: type, new: Any) -> str | None:
    """Why instances of one class should not become instances of the other; None if they should."""
    if new is _MISSING:
        return f"{old.__qualname__} was removed; this instance keeps the old code"
    for method in ("__init__", "__new__", "__post_init__"):
        if not alike(getattr(old, method, None), getattr(new, method, None)):
            return f"{old.__qualname__}.{method}() changed; this instance keeps the old code, create it again"
    return None


def _holds(value: Any, thing: Any) -> bool:
    """Whether a value is the thing, or a container or an object that has it directly in it."""
    if value is thing:
        return True
    if type(value) in (list, tuple, set, frozenset):
        return any(each is thing for each in value)
    if type(value) is dict:
        return any(each is thing for each in value.values())
    return any(each is thing for each in getattr(value, "__dict__", {}).values())
