"""A short run of the random edits; `python -m tests.reload.fuzz` runs them for as long as one likes."""

from __future__ import annotations

import pytest

from ..seeds import seeds
from . import fuzz


@pytest.mark.parametrize("seed", seeds(10))
def test_the_live_registry_is_that_of_a_fresh_load(seed: int) -> None:
    fuzz.run(seed, steps=25, processes=1 if seed % 10 == 0 else 0)


@pytest.mark.parametrize("seed", seeds(4))
def test_dynamic_imports_moves_and_what_is_held(seed: int) -> None:
    fuzz.run(seed, steps=20, is_wide=True)


@pytest.mark.parametrize("seed", [1034, 1068, 1137, 1226, 1361, 1581, 101138])
def test_what_once_went_wrong(seed: int) -> None:
    fuzz.run(seed, steps=40)


def test_a_file_that_is_executed_for_another_waits_with_all_that_it_waited_with() -> None:
    fuzz.run(81, steps=20, is_wide=True)
