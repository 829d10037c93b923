"""The signature of the plugin that is being called, from the class itself where it has been imported."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

from prompt_toolkit.document import Document
from ptpython.signatures import Parameter, Signature

from ...registry.namespaces import Namespace, belonging
from ...registry.plugin import Plugin
from ...registry.snapshot import Snapshot
from ...text.format import safe_repr

_CALLEE = re.compile(r"(?<![\w.])(?P<namespace>\w+)(?:\.(?P<framework>\w+))??\.(?P<name>\w+)$")
_OPENING, _CLOSING = "([{", ")]}"


def plugin_signatures(document: Document, names: Mapping[str, Any], snapshot: Snapshot) -> list[Signature]:
    """The signature of the plugin whose call the cursor is in, as a list of one; nothing is imported."""
    text = document.text_before_cursor
    bracket, commas, keyword = _innermost_call(text)
    plugin = _plugin(text[:bracket].rstrip(), names, snapshot) if bracket >= 0 else None
    if plugin is None or not plugin.is_loaded:
        return []
    target = plugin.load()
    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):
        return []
    parameters = [_parameter(parameter) for parameter in signature.parameters.values()]
    named = list(signature.parameters)
    index = named.index(keyword) if keyword in named else commas
    return [Signature(plugin.name, inspect.getdoc(target) or "", parameters, index)]


def _parameter(parameter: inspect.Parameter) -> Parameter:
    default = None if parameter.default is parameter.empty else safe_repr(parameter.default)
    return Parameter(parameter.name, None, default, parameter.kind)


def _plugin(text: str, names: Mapping[str, Any], snapshot: Snapshot) -> Plugin | None:
    callee = _CALLEE.search(text)
    namespace = names.get(callee["namespace"]) if callee else None
    if callee is None or not isinstance(namespace, Namespace):
        return None
    kind, framework = belonging(namespace)
    return snapshot.get(kind, callee["name"], callee["framework"] or framework)


def _innermost_call(text: str) -> tuple[int, int, str]:
    """Where the last round bracket is that is still open, or -1; the commas since it, and the keyword behind those."""
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
    if not stack:
        return -1, 0, ""
    bracket, commas, start = stack[-1]
    keyword = re.match(r"\s*(\w+)\s*=(?!=)", text[start:])
    return bracket, commas, keyword[1] if keyword else ""
