"""Frames that stand between a module and what imports it, and that belong to the import system as Python sees it."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import ParamSpec, TypeVar, cast

_P = ParamSpec("_P")
_T = TypeVar("_T")


def part_of_import(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Marks a function whose frames are skipped when a module warns its importer.

    Python skips those of the import system, which it knows by this part of the names of their files.
    """
    code = cast(FunctionType, function).__code__
    cast(FunctionType, function).__code__ = code.replace(co_filename=f"{code.co_filename} (importlib._bootstrap)")
    return function
