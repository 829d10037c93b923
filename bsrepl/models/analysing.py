"""Analyses of models that are given as `load` takes them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from .workbench import load


def of_opened(analysis: Callable[..., Any]) -> Callable[..., Any]:
    """An analysis of a model that is given as `load` takes it."""

    @wraps(analysis)
    def opened(model: Any, *arguments: Any, **options: Any) -> Any:
        return analysis(load(model), *arguments, **options)

    return opened
