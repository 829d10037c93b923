"""Whether what a lesson expects after a step holds, and what came instead."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from ..text.columns import cut
from ..text.format import safe_repr

_LONGEST = 60  # characters of a value


def unmet(check: str, evaluate: Callable[[str], Any]) -> str:
    """Why an expression is not true: `len(x) == 3 is not true: len(x) is 4`; empty if it is."""
    try:
        if evaluate(check):
            return ""
        values = [f"{part} is {cut(safe_repr(evaluate(part)), _LONGEST)}" for part in _parts(check)]
    except Exception as error:  # what it asks for is not there yet
        return f"{check} raises {type(error).__name__}: {error}"
    return f"{check} is not true" + (f": {', '.join(values)}" if values else "")


def _parts(check: str) -> list[str]:
    """What is compared in a comparison; what has no name in it says itself what it is."""
    tree = ast.parse(check, mode="eval").body
    if not isinstance(tree, ast.Compare):
        return []
    named = (
        part for part in (tree.left, *tree.comparators) if any(isinstance(node, ast.Name) for node in ast.walk(part))
    )
    return list(map(ast.unparse, named))
