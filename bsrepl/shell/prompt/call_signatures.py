"""The signature of what is being called: a plugin that has been imported, a command, a function of the session."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from types import FunctionType
from typing import Any, NamedTuple

from prompt_toolkit.document import Document
from ptpython.signatures import Parameter, Signature

from ...registry.namespaces import Namespace, belonging
from ...registry.snapshot import Snapshot
from ...text.format import safe_repr
from ...text.patterns import late_pattern
from ..command import Command

_PLUGIN = late_pattern(r"(?<![\w.])(?P<namespace>\w+)(?:\.(?P<framework>\w+))??\.(?P<name>\w+)$")
_NAME = late_pattern(r"(?<![\w.])[A-Za-z_]\w*$")
_CALLABLE = late_pattern(r"[\w)\]]$")
_OPENING, _CLOSING = "([{", ")]}"


class Call(NamedTuple):
    """A call that the cursor is in."""

    callee: str  # the text before its bracket
    commas: int  # since its bracket
    keyword: str  # of the argument that the cursor is in, or ""


def known_signatures(document: Document, names: Mapping[str, Any], snapshot: Snapshot) -> list[Signature] | None:
    """The signature of the call that the cursor is in, as a list of one; [] if it is in none, None if it is not known.

    Nothing is imported, and no code of the session is run.
    """
    call = _innermost_call(document.text_before_cursor)
    if call is None:
        return []
    target = _target(call.callee, names, snapshot)
    if target is None:
        return None
    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):
        return None
    parameters = [_parameter(parameter) for parameter in signature.parameters.values()]
    named = list(signature.parameters)
    index = named.index(call.keyword) if call.keyword in named else call.commas
    return [Signature(target.__name__, inspect.getdoc(target) or "", parameters, index)]


def _parameter(parameter: inspect.Parameter) -> Parameter:
    default = None if parameter.default is parameter.empty else safe_repr(parameter.default)
    name = str(parameter.replace(annotation=parameter.empty, default=parameter.empty))  # with its stars
    return Parameter(name, None, default, parameter.kind)


def _target(callee: str, names: Mapping[str, Any], snapshot: Snapshot) -> Any:
    """What is called, if its signature can be asked for without running anything; otherwise None."""
    if name := _NAME.search(callee):
        value = names.get(name[0])
        return value if type(value) in (Command, FunctionType) else None
    match = _PLUGIN.search(callee)
    namespace = names.get(match["namespace"]) if match else None
    if match is None or not isinstance(namespace, Namespace):
        return None
    kind, framework = belonging(namespace)
    plugin = snapshot.get(kind, match["name"], match["framework"] or framework)
    return plugin.load() if plugin is not None and plugin.is_loaded else None


def _innermost_call(text: str) -> Call | None:
    """The call whose bracket is the last round one that is still open."""
    stack: list[tuple[int, int, int]] = []  # each open bracket, the commas in it, where the last argument begins
    quote = ""
    for position, char in enumerate(text):
        if quote:
            quote = "" if char == quote and text[position - 1] != "\\" else quote
        elif char in "\"'":
            quote = char
        elif char in _OPENING:
            stack.append((position, 0, position + 1))
        elif char in _CLOSING and stack:
            stack.pop()
        elif char == "," and stack:
            bracket, commas, _ = stack.pop()
            stack.append((bracket, commas + 1, position + 1))
    while stack and text[stack[-1][0]] != "(":
        stack.pop()
    callee = text[: stack[-1][0]].rstrip() if stack else ""
    if not _CALLABLE.search(callee):  # a bracket that groups
        return None
    _, commas, start = stack[-1]
    keyword = re.match(r"\s*(\w+)\s*=(?!=)", text[start:])
    return Call(callee, commas, keyword[1] if keyword else "")
