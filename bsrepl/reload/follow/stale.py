"""What keeps the old code, and what is said of it."""

from __future__ import annotations

from types import FunctionType
from typing import Any, NamedTuple

from . import raw
from .edges import Outside, frame_of
from .successors import LruCache

KEEPS = "this instance keeps the old code, create it again"
RUNS = "it runs the old code; start it again"


class Stale(NamedTuple):
    """Something that keeps the old code."""

    holder: str  # what to type to get at it
    why: str


def about_old(value: Any) -> str:
    """Why a class, a function or something that runs is old and has no successor."""
    if frame_of(value) is not None:
        return RUNS
    name = raw.qualified_name(value) if raw.is_type(value) else value.__qualname__
    if "<locals>" in name:
        return f"{name} was created by the old code; create it again"
    return f"{name} was removed; this is the old one"


def about_holder(holder: Any, value: Any) -> str:
    """Why what holds an old value keeps it."""
    name = getattr(value, "__qualname__", "") if is_definition(value) else type(value).__qualname__
    if type(holder) is Outside:
        return f"it is the old {name}; {holder.advice}"
    if type(holder) is LruCache:
        return f"its cache refers to the old {name}; empty it with cache_clear()"
    return f"it refers to the old {name}; create it again"


def is_definition(value: Any) -> bool:
    """Whether a value is a class or a function."""
    return type(value) is FunctionType or raw.is_type(value)
