"""The garbage collector around a diff."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from bsrepl.graphdiff.collecting import without_collecting


class Ring:
    """Garbage that only the collector frees."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def nothing_frozen() -> Iterator[None]:
    """While this lasts, nothing is frozen, as the tests have it: that is asked again after a hundred diffs."""
    gc.unfreeze()
    for _ in range(100):
        with without_collecting():
            pass
    yield
    gc.freeze()


@pytest.fixture
def passes() -> Iterator[list[int]]:
    """The generations that are collected."""
    generations: list[int] = []

    def note(phase: str, details: dict[str, int]) -> None:
        if phase == "start":
            generations.append(details["generation"])

    gc.callbacks.append(note)
    yield generations
    gc.callbacks.remove(note)


@pytest.mark.usefixtures("nothing_frozen")
def test_what_a_diff_creates_is_not_gone_through(passes: list[int]) -> None:
    with without_collecting():
        before = len(passes)
        created = [[number] for number in range(20_000)]
    more = [[number] for number in range(100)]
    assert passes[before:] == []
    assert len(created) == 20_000
    assert len(more) == 100
    assert gc.isenabled()
    assert gc.is_tracked(created[0])


def test_garbage_of_before_does_not_become_old() -> None:
    ring = weakref.ref(Ring())
    with without_collecting():
        assert ring() is None


def test_old_garbage_is_collected_as_often_as_pythons_collector_would(passes: list[int]) -> None:
    for _ in range(100):
        with without_collecting():
            pass
    assert passes.count(2) == 1


def test_what_is_frozen_stays_frozen_and_a_collector_that_is_off_stays_off() -> None:
    gc.freeze()
    try:
        with without_collecting():
            pass
        assert gc.get_freeze_count()
        gc.disable()
        with without_collecting():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
