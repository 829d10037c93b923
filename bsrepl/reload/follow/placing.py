"""Puts one object in the place of another in what holds it: completely or, if something raises, not at all."""

from __future__ import annotations

import functools
from collections import OrderedDict, deque
from collections.abc import Iterable
from contextvars import Context, ContextVar
from itertools import chain, repeat
from typing import Any

from . import raw


def put_item(kind: Any, holder: Any, key: Any, old: Any, new: Any) -> None:
    """Puts an item in the place of another one. Raises LookupError if a thread was quicker: what it put there stays."""
    current = kind.__getitem__(holder, key)
    if current is old:
        kind.__setitem__(holder, key, new)
    elif current is not new:
        raise LookupError


def put_key(holder: dict[Any, Any], old: Any, new: Any) -> None:
    """Puts a key in the place of another one, at the same position. Raises whatever a hash or a comparison raises."""
    before = dict.copy(holder)
    changed = {new if key is old else key: value for key, value in before.items()}
    try:
        _at_once(map(dict.clear, [holder]), map(dict.update, [holder], [changed]))
    except BaseException:
        _at_once(map(dict.clear, [holder]), map(dict.update, [holder], [before]))
        raise


def put_ordered_key(holder: OrderedDict[Any, Any], old: Any, new: Any) -> None:
    """As `put_key`, of a dictionary that keeps an order of its own."""
    before = list(OrderedDict.items(holder))  # in its own order, not in that of a dict
    changed = [(new if key is old else key, value) for key, value in before]
    dict.fromkeys([key for key, _ in changed])  # raises what they raise, before anything is changed
    try:
        _refill(holder, changed)
    except BaseException:
        _refill(holder, before)
        raise


def _refill(holder: OrderedDict[Any, Any], items: list[tuple[Any, Any]]) -> None:
    put = map(OrderedDict.__setitem__, repeat(holder), [key for key, _ in items], [value for _, value in items])
    _at_once(map(OrderedDict.clear, [holder]), put)


def put_into_set(holder: set[Any], old: Any, new: Any) -> None:
    """Puts an element in the place of another one. Raises whatever a hash or a comparison raises."""
    hash(new)  # what it raises, it raises before anything is changed
    before = set.copy(holder)
    try:
        _at_once(map(set.remove, [holder], [old]), map(set.add, [holder], [new]))
    except BaseException:
        _at_once(map(set.clear, [holder]), map(set.update, [holder], [before]))
        raise


def _at_once(*steps: Iterable[object]) -> None:
    """Takes steps in one call of C: no signal and no thread sees what is between two of them."""
    deque(chain(*steps), maxlen=0)


def put_into_context(context: Context, variable: ContextVar[Any], new: Any) -> None:
    """Sets a variable in a context, whether this runs in it or not."""
    try:
        context.run(variable.set, new)
    except RuntimeError:  # it is the one that this runs in
        variable.set(new)


def partial_func(holder: functools.partial[Any], new: Any) -> None:
    """Makes a partial call another function."""
    _set_partial(holder, new, None)


def partial_args(holder: functools.partial[Any], new: Any) -> None:
    """Gives a partial other arguments."""
    _set_partial(holder, None, new)


def _set_partial(holder: functools.partial[Any], func: Any, args: Any) -> None:
    own = functools.partial.__dict__
    state = (
        own["func"].__get__(holder) if func is None else func,
        own["args"].__get__(holder) if args is None else args,
        own["keywords"].__get__(holder),
        raw.attributes(holder),
    )
    functools.partial.__setstate__(holder, state)  # type: ignore[attr-defined]
