"""The persistent map behaves as a dict does, and shares."""

from __future__ import annotations

import random

import pytest

from bsrepl.registry.persistent_map import PersistentMap, differences

from ..seeds import seeds


class Collides:
    """A key whose hash every other of its kind has."""

    def __hash__(self) -> int:
        return 7


@pytest.mark.parametrize("seed", seeds(10))
def test_it_equals_a_dict_through_random_updates(seed: int) -> None:
    random_ = random.Random(seed)
    collisions: list[object] = [Collides() for _ in range(40)]
    keys = [*range(-500, 500), *map(str, range(500)), *collisions]
    model: dict[object, int] = {}
    tested: PersistentMap[object, int] = PersistentMap()
    for _ in range(60):
        put = {random_.choice(keys): random_.random() for _ in range(random_.randrange(60))}
        gone = set(random_.choices(keys, k=random_.randrange(120))) - put.keys()
        before, snapshot = tested, dict(model)
        tested = tested.updated(put, gone)  # type: ignore[arg-type]
        for key in gone:
            model.pop(key, None)
        model.update(put)
        assert dict(tested) == model
        assert len(tested) == len(model)
        assert dict(before) == snapshot
        expected = {key for key in {*snapshot, *model} if snapshot.get(key) is not model.get(key)}
        assert set(differences(before, tested)) == expected


def test_a_missing_key_raises_key_error() -> None:
    with pytest.raises(KeyError):
        PersistentMap({"a": 1})["b"]


def test_one_update_of_many_entries_leaves_nearly_all_of_them_shared() -> None:
    old = PersistentMap({n: object() for n in range(100_000)})
    new = old.updated({5: object()})
    assert _nodes(new._root) - _nodes(old._root) != set()
    assert len(_nodes(new._root) - _nodes(old._root)) <= 6


def _nodes(node: object) -> set[int]:
    if isinstance(node, tuple):
        return {id(node)}.union(*map(_nodes, node))
    return {id(node)}
