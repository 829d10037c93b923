"""Passes as people give them: one or several, by themselves or by their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import WrongCall
from ..text.format import safe_repr


def resolved(passes: Any, named: Callable[[str], Any]) -> list[Any]:
    """Passes as a list: one alone, or several; `named` gives one by its name.

    Raises UnknownPlugin, or WrongCall if there is none, or something is none.
    """
    listed = passes if isinstance(passes, (list, tuple)) else [passes]
    found = [named(each) if isinstance(each, str) else each for each in listed]
    wrong = [safe_repr(each) for each in found if not (callable(each) or hasattr(each, "apply"))]
    if wrong or not found:
        forms = "a transformation such as tfm.InferShapes(), its class, its name, a step, or a list of them"
        raise WrongCall(f"a pass is {forms}; {f'not {wrong[0]}' if wrong else 'the list is empty'}")
    return found
