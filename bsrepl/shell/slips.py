"""Slips in using the shell's own objects, `tour.savee()` or `tour.save(3)`, in a line instead of a traceback."""

from __future__ import annotations

import linecache
import re
import sys
import traceback
from functools import partial

from ..errors import BsreplError
from ..registry.listing import nearest
from ..registry.namespaces import Namespace
from ..text import tracebacks
from ..text.patterns import late_pattern
from .command import Command

_CALLED = late_pattern(
    r"(?P<type>\w+)\.(?P<method>\w+)\(\) (?P<problem>(?:takes|missing|got) [^?]*?)(?:\. Did you mean .*)?"
)
_MISSING = late_pattern(r"missing \d+ required \S+ arguments?: (?P<names>.*)")
_QUOTE = "'"  # around a name
_OURS = __name__.partition(".")[0] + "."
_MOST = 12  # attributes that are listed


def slip(error: BaseException) -> str | None:
    """What is wrong with an attribute or a call of an object of ours, where a command mentions it; or None."""
    if isinstance(error, BsreplError) or not tracebacks.is_raised_by_call(error):
        return None
    steps = list(traceback.walk_tb(error.__traceback__))
    is_theirs = [not tracebacks.is_library(frame.f_code.co_filename) for frame, _ in steps]
    frame, number = steps[is_theirs.index(True)]
    line = linecache.getline(frame.f_code.co_filename, number)
    if isinstance(error, AttributeError) and isinstance(error.name, str) and _is_ours(error.obj):
        says_it_itself = not is_theirs[-1] and not isinstance(error.obj, Namespace)
        return str(error) if says_it_itself else _missing(error.obj, error.name, line)
    if isinstance(error, TypeError) and is_theirs[-1] and (called := _CALLED.fullmatch(str(error))):
        return _wrong_call(called["type"], called["method"], called["problem"], line)
    return None


def _is_ours(value: object) -> bool:
    module: object = type(value).__module__
    return isinstance(module, str) and module.startswith(_OURS)


def _missing(owner: object, name: str, line: str) -> str:
    written = _typed(name, line) or type(owner).__name__
    if isinstance(owner, Command):
        return f"{written} is a command and has no {name!r}; call it as {owner.usage}"
    public = [each for each in dir(type(owner)) if each[0] != "_" and each != "styled"]
    near = nearest(name, public) if len(name) > 1 else []
    if isinstance(owner, Namespace) and not near:
        return owner.missing(name)
    has = f"nearest: {', '.join(near)}" if near else f"it has {', '.join(public[:_MOST])}"
    return f"{written} has no {name!r}; {has}"


def _wrong_call(owner: str, method: str, problem: str, line: str) -> str | None:
    modules = [module for name, module in list(sys.modules.items()) if name.startswith(_OURS)]
    classes = [
        cls
        for module in modules
        if isinstance(cls := vars(module).get(owner), type) and cls.__module__.startswith(_OURS)
    ]
    function = next((vars(cls)[method] for cls in classes if method in vars(cls)), None)
    if not callable(function):
        return None
    usage = Command(f"{_typed(method, line) or owner}.{method}", partial(function, None)).usage
    if usage.endswith("()"):
        return f"{usage} takes no arguments"
    if missing := _MISSING.fullmatch(problem):
        problem = f"missing: {missing['names'].replace(_QUOTE, '')}"
    return f"{'too many arguments' if problem.startswith('takes') else problem}; {usage}"


def _typed(attribute: str, line: str) -> str | None:
    """How the object was written whose attribute a line mentions: `tour`, `tfm.qonnx`."""
    match = re.search(rf"(?<![\w.)\]])([A-Za-z_][\w.]*)\.{re.escape(attribute)}\b", line)
    return match[1] if match else None
