"""Which object of a module that was executed again takes the place of which old one."""

from __future__ import annotations

import enum
import functools
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any, NamedTuple

from ...registry.changes import same_code
from ...registry.plugin import Key, Lazy, Plugin
from . import raw
from .edges import frame_of
from .island import Island

LruCache = type(functools.lru_cache(lambda: None))
_DEEPEST = 8  # containers inside containers whose items are paired


class Replaced(NamedTuple):
    """A module that was executed again, or is gone (`new` is None), with the plugins that it registered.

    Where it was executed again in place, `old` has the namespace as it was, `new` is the module itself, and `code` is
    what was executed: old and new functions have the same globals, and only their code tells them apart.
    """

    old: ModuleType
    new: ModuleType | None
    plugins: tuple[Plugin, ...] = ()
    code: CodeType | None = None


def with_successors(replaced: list[Replaced], modules: Iterable[ModuleType]) -> list[Replaced]:
    """What was replaced, a module that is gone by the one of these that has its name: `part.py` became
    `part/__init__.py`."""
    if all(item.new is not None for item in replaced):
        return replaced
    named = {module.__name__: module for module in modules}
    return [item if item.new is not None else item._replace(new=named.get(item.old.__name__)) for item in replaced]


def island_of(replaced: Sequence[Replaced], seeds: Iterable[Any] = ()) -> Island:
    """What belongs to the modules that were replaced."""
    shared = [vars(item.new) for item in replaced if item.new is not None and item.code is not None]
    return Island([item.old for item in replaced], seeds, shared)


class Successors:
    """The new object for each old one, as far as there is one.

    What has the same name, or the same place in what has the same name, is the same thing; so is a plugin registered
    under the same key, which `current` gives.
    """

    def __init__(self, replaced: Sequence[Replaced], old: Island, current: Callable[[Key], Plugin | None]) -> None:
        self.old = old
        fresh = Island([item.new for item in replaced if item.new is not None])
        self._fresh = fresh.inside.keys() - old.inside.keys()
        self._new_code = {id(code) for item in replaced if item.code is not None for code in _nested(item.code)}
        self._modules = {item.new.__name__: item.new for item in replaced if item.new is not None}
        self._new: dict[int, Any] = {}
        self._kept: list[Any] = [*replaced]  # so that no id is used again
        for item in replaced:
            if item.new is not None:
                self._put(item.old, item.new)
                self._put(vars(item.old), vars(item.new))
                self._pair_all(vars(item.old), vars(item.new), _DEEPEST)
        for item in replaced:
            for plugin in item.plugins:
                self._follow_plugin(plugin, current(plugin.key))

    def __contains__(self, value: Any) -> bool:
        return id(value) in self._new

    def of(self, value: Any) -> Any:
        """The object that takes the place of a value; the value itself if there is none."""
        return self._new.get(id(value), value)

    def pairs(self) -> list[Any]:
        """All old objects that have a successor."""
        return [value for value in self._kept if id(value) in self._new]

    def own_lists(self) -> tuple[list[Any], ...]:
        """The lists in which this keeps old objects."""
        return self._kept, self.old.nodes

    def proxied(self) -> dict[int, Any]:
        """The old classes and functions that weak proxies stand for, by the ids of those."""
        return {
            id(reference): value
            for value in self._kept
            for reference in (weakref.getweakrefs(value) if self.is_old(value) else ())
            if not issubclass(type(reference), weakref.ref)
        }

    def is_old(self, value: Any) -> bool:
        """Whether a value is a class, a function or running code of a module that was replaced."""
        kind = type(value)
        if id(value) in self._new:
            return True
        if kind is dict or kind is tuple or kind is list:  # most are
            return False
        if kind is FunctionType:  # what dataclasses generate is in no module's code
            return id(value) not in self._fresh and self._is_of_old_code(value.__globals__, value.__code__)
        if (frame := frame_of(value)) is not None:
            return self.runs(frame)
        return raw.is_type(value) and self.is_old_class(value)

    def runs(self, frame: FrameType) -> bool:
        """Whether what runs is code of a module that was replaced."""
        return self._is_of_old_code(frame.f_globals, frame.f_code)

    def _is_of_old_code(self, names: dict[str, Any], code: CodeType) -> bool:
        return id(names) in self.old.dicts and id(code) not in self._new_code

    def is_old_class(self, cls: type) -> bool:
        """Whether a class was made by a module that was replaced."""
        if raw.module_name(cls) not in self.old.names or id(cls) in self._fresh:
            return False
        if id(cls) in self._new:
            return True
        is_old = self._was_made_before(cls)
        if is_old:
            self._pair_by_name(cls)
        return is_old

    def _was_made_before(self, cls: type) -> bool:
        functions = [value for value in raw.members(cls).values() if type(value) is FunctionType]
        if any(id(function.__code__) in self._new_code for function in functions):
            return False
        if id(cls) in self.old.inside:
            return True
        return not functions or any(id(function.__globals__) in self.old.dicts for function in functions)

    def why_not(self, instance: Any) -> str | None:
        """Why an instance of an old class should not become one of the new class; None if it should."""
        old = type(instance)
        name = raw.qualified_name(old)
        new = self.of(old)
        if issubclass(type(old), enum.EnumMeta):
            return f"{name} has no member {raw.attributes(instance).get('_name_')} any more"  # type: ignore[union-attr]
        if new is old:
            return f"{name} was removed; this instance keeps the old code"
        for method in ("__init__", "__new__", "__post_init__"):
            if not same_code(raw.lookup(old, method), raw.lookup(new, method)):
                return f"{name}.{method}() changed; this instance keeps the old code, create it again"
        return None

    # Pairing

    def _put(self, old: Any, new: Any) -> None:
        if old is not new and id(old) not in self._new:
            self._new[id(old)] = new
            self._kept.append(old)

    def _follow_plugin(self, old: Plugin, new: Plugin | None) -> None:
        if new is None or new is old:
            return
        self._put(old, new)
        if not isinstance(new.target, Lazy):
            self._pair(old.target, new.target, _DEEPEST)
            if type(old.target) is FunctionType or raw.is_type(old.target):
                self._put(old.target, new.target)

    def _pair_all(self, old: Mapping[Any, Any], new: Mapping[Any, Any], depth: int) -> None:
        for name, value in list(old.items()):
            if type(name) is str and (other := new.get(name, raw.MISSING)) is not raw.MISSING:
                self._pair(value, other, depth)

    def _pair(self, old: Any, new: Any, depth: int) -> None:
        """Pairs two objects that stand in the same place, if they are of one kind, and what is in them."""
        kind = type(old)
        if old is new or id(old) in self._new or depth == 0:
            return
        if raw.is_type(old):
            if raw.is_type(new) and self.old.defines(old):
                self._put(old, new)
                self._pair_classes(old, new, depth - 1)
        elif kind is not type(new):
            if self.old.defines(old) and self.of(kind) is type(new):
                self._put(old, new)
        elif kind is FunctionType:
            if self.old.defines(old) or id(old) in self.old.inside:
                self._put(old, new)
                for before, after in _inner(old, new):
                    self._pair(before, after, depth - 1)
        elif kind is LruCache or kind is functools.partial:
            before, after = _wrapped(old), _wrapped(new)
            self._pair(before, after, depth - 1)
            if self.is_old(before):
                self._put(old, new)
        elif kind is staticmethod or kind is classmethod:
            self._pair(old.__func__, new.__func__, depth - 1)
        elif kind is property:
            for part in ("fget", "fset", "fdel"):
                self._pair(getattr(old, part), getattr(new, part), depth - 1)
        elif (kind is list or kind is tuple) and len(old) == len(new):
            for before, after in zip(old, new, strict=True):
                self._pair(before, after, depth - 1)
        elif kind is dict:
            self._pair_all(old, new, depth - 1)

    def _pair_by_name(self, cls: type) -> None:
        """Pairs a class that an earlier execution has made, and somebody still has an instance of."""
        value: Any = self._modules.get(raw.module_name(cls))
        for name in raw.qualified_name(cls).split("."):
            value = vars(value).get(name) if raw.is_type(value) or type(value) is ModuleType else None
        if raw.is_type(value) and not self._was_made_before(value):
            self._put(cls, value)

    def _pair_classes(self, old: type, new: type, depth: int) -> None:
        self._pair_all(raw.members(old), raw.members(new), depth)
        if issubclass(type(old), enum.EnumMeta) and issubclass(type(new), enum.EnumMeta):
            members = raw.members(new)["_member_map_"]
            for name, member in raw.members(old)["_member_map_"].items():
                if name in members:
                    self._put(member, members[name])
            if issubclass(old, enum.Flag):
                self._pair_combinations(old, new)

    def _pair_combinations(self, old: type, new: type) -> None:
        """Pairs `Color.RED | Color.BLUE`, which Python creates when asked for it, while the flags mean the same."""
        old_flags, new_flags = (raw.members(cls)["_member_map_"] for cls in (old, new))
        if any(name not in new_flags or new_flags[name]._value_ != flag._value_ for name, flag in old_flags.items()):
            return
        for value, member in list(raw.members(old)["_value2member_map_"].items()):
            with suppress(Exception):  # what the class itself makes of a value
                self._put(member, new(value))


def _nested(code: CodeType) -> Iterator[CodeType]:
    """A code object and all those in it."""
    yield code
    for constant in code.co_consts:
        if type(constant) is CodeType:
            yield from _nested(constant)


def _wrapped(value: Any) -> Any:
    return value.func if type(value) is functools.partial else vars(value).get("__wrapped__")


def _inner(old: FunctionType, new: FunctionType) -> Iterator[tuple[Any, Any]]:
    """What two functions hold in their closures and wrap."""
    for before, after in zip(old.__closure__ or (), new.__closure__ or (), strict=False):
        try:
            yield before.cell_contents, after.cell_contents
        except ValueError:
            continue
    yield vars(old).get("__wrapped__"), vars(new).get("__wrapped__")
