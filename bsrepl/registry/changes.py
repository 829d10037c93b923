"""What happened between two snapshots, as people want to read it."""

from __future__ import annotations

from types import CodeType, FunctionType
from typing import Any, NamedTuple

from ..text.format import safe_repr
from .plugin import KINDS, Lazy, Plugin, precedence
from .snapshot import Snapshot

_SIGNS = "+~-"


class Change(NamedTuple):
    """One plugin that was added (`+`), changed (`~`) or removed (`-`)."""

    sign: str
    plugin: Plugin  # the one that is seen now; of a removed one, the last that was
    details: tuple[str, ...] = ()


def changes_between(old: Snapshot, new: Snapshot) -> list[Change]:
    """The changes that lead from one snapshot to another, by kind, then sign, then name.

    A plugin that was executed again and came out the same is no change. The cost is proportional to the number of
    keys that were touched, whatever the size of the registry.
    """
    changes = []
    for key in new.changed_since(old):
        before, after = old.seen(key), new.seen(key)
        if before is after:
            continue
        if before is None:
            assert after is not None
            changes.append(Change("+", after))
        elif after is None:
            changes.append(Change("-", before))
        elif details := differences(before, after):
            changes.append(Change("~", after, tuple(details)))
    return sorted(changes, key=_order)


def _order(change: Change) -> tuple[int, int, tuple[int, str], str]:
    plugin = change.plugin
    return (
        KINDS.index(plugin.kind),
        _SIGNS.index(change.sign),
        precedence(plugin.framework),
        plugin.name,
    )


def differences(before: Plugin, after: Plugin) -> list[str]:
    """What differs between two plugins of one name, in words: `apply() changed`, `stage cleanup -> topology_opt`.

    Code is compared as it was compiled, so comments and line numbers do not count.
    """
    details = _code_differences(before.target, after.target)
    for field in {**before.metadata, **after.metadata}:
        old, new = before.metadata.get(field), after.metadata.get(field)
        if not same_code(old, new):
            details.append(f"{field} {_shown(old)} -> {_shown(new)}")
    if before.origin.file != after.origin.file:
        if before.origin.is_file and after.origin.is_file:
            details.append(f"moved from {before.origin}")
        else:
            details.append(f"takes the place of {before.origin}")
    return details


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_shown, value)) + "]"
    return value if isinstance(value, str) else safe_repr(value)


def _code_differences(old: Any, new: Any) -> list[str]:
    if old is new or isinstance(old, Lazy) or isinstance(new, Lazy):
        return []
    if not isinstance(old, type) or not isinstance(new, type):
        return [] if same_code(old, new) else ["changed"]
    differences = [] if _bases(old) == _bases(new) else ["base classes changed"]
    before, after = _members(old), _members(new)
    for name in {**after, **before}:
        if name not in after:
            what = "removed"
        elif name not in before:
            what = "added"
        elif not same_code(before[name], after[name]) or _nested_differs(old, before[name], after[name]):
            what = "changed"
        else:
            continue
        member = after.get(name, before.get(name))
        label = {"__doc__": "docstring"}.get(name, f"{name}()" if _is_callable(member) else name)
        differences.append(f"{label} {what}")
    return differences


def _nested_differs(outer: type, old: Any, new: Any) -> bool:
    """Whether a class that is defined inside another differs; one that is only referred to could refer back."""
    inside = isinstance(old, type) and old.__qualname__.startswith(f"{outer.__qualname__}.")
    return inside and bool(_code_differences(old, new))


#: What the interpreter puts into a class: it differs, or says nothing, however little was edited.
_BOOKKEEPING = {
    "__module__", "__dict__", "__weakref__", "__qualname__", "__firstlineno__", "__static_attributes__",
    "__abstractmethods__", "_abc_impl", "__annotate__", "__annotate_func__", "__annotations_cache__",
    "__slotnames__", "__type_params__",
}  # fmt: skip


def _members(cls: type) -> dict[str, Any]:
    members = {name: value for name, value in vars(cls).items() if name not in _BOOKKEEPING}
    if members.get("__doc__") is None:
        members.pop("__doc__", None)
    if not members.get("__annotations__", True):  # asking a class for its annotations leaves an empty dict in it
        del members["__annotations__"]
    return members


def _bases(cls: type) -> list[tuple[str, str]]:
    return [_name(base) for base in cls.__mro__[1:]]


def _name(cls: type) -> tuple[str, str]:
    return cls.__module__, cls.__qualname__


def _is_callable(member: Any) -> bool:
    return isinstance(member, (FunctionType, staticmethod, classmethod))


_PLAIN = (int, float, complex, bool, str, bytes, frozenset)


def same_code(old: Any, new: Any) -> bool:
    """Whether two values came out of the same code. Runs nothing of the user's: no `__eq__`, no `__repr__`."""
    if old is new:
        return True
    if type(old) is not type(new):  # the same if only their class was executed again; what is in them nobody knows
        return not isinstance(old, type) and _name(type(old)) == _name(type(new))
    if type(old) in _PLAIN:
        return bool(old == new)
    if type(old) in (list, tuple):
        return len(old) == len(new) and all(map(same_code, old, new))
    if type(old) is dict:
        return same_code(list(old), list(new)) and all(map(same_code, old.values(), new.values()))
    if isinstance(old, CodeType):
        return all(
            same_code(getattr(old, part), getattr(new, part))
            for part in ("co_code", "co_consts", "co_names", "co_varnames", "co_freevars", "co_flags")
        )
    if isinstance(old, FunctionType):
        return (
            same_code(old.__code__, new.__code__)
            and same_code(old.__defaults__, new.__defaults__)
            and same_code(old.__kwdefaults__, new.__kwdefaults__)
        )
    if isinstance(old, (staticmethod, classmethod)):
        return same_code(old.__func__, new.__func__)
    if isinstance(old, property):
        return same_code((old.fget, old.fset, old.fdel), (new.fget, new.fset, new.fdel))
    if isinstance(old, type):
        return _name(old) == _name(new)
    return True
