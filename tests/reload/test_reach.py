"""What is looked through for those that hold something."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from bsrepl.reload.follow.reach import Reach


class Loader:
    """Imports modules, and leads to much that is not theirs, as that of pytest leads to all tests."""

    def __init__(self) -> None:
        self.tests = [[number] for number in range(100)]


def test_what_imported_a_module_is_no_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("imported")
    module.__loader__ = Loader()  # type: ignore[assignment]
    held = ["held"]
    vars(module)["held"] = held
    monkeypatch.setitem(sys.modules, "imported", module)
    reach = Reach({"imported": vars(module)}, lambda value: False, {})
    assert held in reach
    assert module.__loader__.tests not in reach  # type: ignore[union-attr]
    assert len(reach.objects) < 10
