"""An immutable mapping that shares what it has in common with the one it was made from.

A registry snapshot keeps its plugins in these. Taking one apart from its successor costs what changed, not what is
in it, so neither a reload nor the diff that is printed after it grows with the number of plugins.

The structure is Bagwell's hash array mapped trie, kept simple: a branch is a tuple of 32 nodes, a leaf is a dict that
is never altered. https://infoscience.epfl.ch/record/64398
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, Mapping, ValuesView
from typing import Any, Generic, TypeVar, overload

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")

_BITS = 5
_WIDTH = 1 << _BITS
_LEAF = 24  # entries in a leaf before it is split
_DEPTH = 12  # levels after which a hash has no bits left, so equal hashes share a leaf of any size

_Node = Any  # a tuple of _WIDTH nodes, or a dict
_EMPTY: dict[Any, Any] = {}
_GONE = object()


class PersistentMap(Mapping[K, V], Generic[K, V]):
    """An immutable mapping; `updated` gives a new one in time proportional to the update."""

    __slots__ = ("_len", "_root")

    def __init__(self, items: Mapping[K, V] = _EMPTY) -> None:
        self._root, self._len = _apply(_EMPTY, dict(items), 0)

    def updated(self, changes: Mapping[K, V], removed: Iterable[K] = ()) -> PersistentMap[K, V]:
        """This mapping with `changes` put in and `removed` taken out; a removed key need not be there."""
        gone = dict.fromkeys(removed, _GONE)
        work: Mapping[K, Any] = {**gone, **changes} if gone else changes
        if not work:
            return self
        new: PersistentMap[K, V] = PersistentMap.__new__(PersistentMap)
        new._root, grown = _apply(self._root, work, 0)
        new._len = self._len + grown
        return new

    def __getitem__(self, key: K) -> V:
        node, bits = self._root, hash(key)
        while type(node) is tuple:
            node = node[bits & (_WIDTH - 1)]
            bits >>= _BITS
        return node[key]  # type: ignore[no-any-return]

    @overload
    def get(self, key: K, /) -> V | None: ...
    @overload
    def get(self, key: K, /, default: V | T) -> V | T: ...
    def get(self, key: K, /, default: Any = None) -> Any:
        """Like a Mapping's own, but a key that is not there raises nothing on the way: most look-ups are of such."""
        node, bits = self._root, hash(key)
        while type(node) is tuple:
            node = node[bits & (_WIDTH - 1)]
            bits >>= _BITS
        return node.get(key, default)

    def __iter__(self) -> Iterator[K]:
        for leaf in _leaves(self._root):
            yield from leaf

    def __len__(self) -> int:
        return self._len

    def items(self) -> ItemsView[K, V]:
        return _Items(self)

    def values(self) -> ValuesView[V]:
        return _Values(self)

    def __repr__(self) -> str:
        return f"PersistentMap({dict(self)!r})"


class _Items(ItemsView[K, V]):
    """Reads the leaves one after the other, where a Mapping's own view would look each key up."""

    _mapping: PersistentMap[K, V]

    def __iter__(self) -> Iterator[tuple[K, V]]:
        for leaf in _leaves(self._mapping._root):
            yield from leaf.items()


class _Values(ValuesView[V]):
    _mapping: PersistentMap[Any, V]

    def __iter__(self) -> Iterator[V]:
        for leaf in _leaves(self._mapping._root):
            yield from leaf.values()


def differences(old: PersistentMap[K, V], new: PersistentMap[K, V]) -> Iterator[K]:
    """The keys that only one of the two holds, or that hold different objects (compared by identity)."""
    return iter(()) if old._root is new._root else _differences(old._root, new._root)


def _differences(old: _Node, new: _Node) -> Iterator[Any]:
    if type(old) is tuple and type(new) is tuple:
        for before, after in zip(old, new, strict=True):
            if before is not after:
                yield from _differences(before, after)
        return
    before, after = _flat(old), _flat(new)
    for key in before.keys() | after.keys():
        if before.get(key, _GONE) is not after.get(key, _GONE):
            yield key


def _leaves(node: _Node) -> Iterator[dict[Any, Any]]:
    if type(node) is tuple:
        for child in node:
            yield from _leaves(child)
    else:
        yield node


def _flat(node: _Node) -> dict[Any, Any]:
    if type(node) is not tuple:
        return node  # type: ignore[no-any-return]
    return {key: value for leaf in _leaves(node) for key, value in leaf.items()}


def _apply(node: _Node, work: Mapping[Any, Any], depth: int) -> tuple[_Node, int]:
    """The node with `work` done to it, and by how many entries it has grown. `depth` is in levels."""
    if type(node) is not tuple:
        leaf = {**node}
        for key, value in work.items():
            if value is _GONE:
                leaf.pop(key, None)
            else:
                leaf[key] = value
        grown = len(leaf) - len(node)
        if len(leaf) <= _LEAF or depth >= _DEPTH:
            return leaf or _EMPTY, grown
        return _spread(leaf, depth), grown
    children = list(node)
    grown = 0
    for slot, share in _shares(work, depth * _BITS).items():
        children[slot], more = _apply(children[slot], share, depth + 1)
        grown += more
    if grown < 0 and all(type(child) is dict for child in children) and sum(map(len, children)) <= _LEAF // 2:
        return _flat(tuple(children)), grown
    return tuple(children), grown


def _shares(work: Mapping[Any, Any], shift: int) -> dict[int, Mapping[Any, Any]]:
    """The parts of `work` that concern each child of a branch."""
    if len(work) == 1:  # one plugin is saved more often than many
        return {hash(key) >> shift & (_WIDTH - 1): work for key in work}
    shares: dict[int, dict[Any, Any]] = {}
    for key, value in work.items():
        shares.setdefault(hash(key) >> shift & (_WIDTH - 1), {})[key] = value
    return {**shares}


def _spread(leaf: dict[Any, Any], depth: int) -> _Node:
    """The branch that holds what an overfull leaf held."""
    return _apply((_EMPTY,) * _WIDTH, leaf, depth)[0]
