"""Which plugins a file takes from the namespaces while it is executed: `class B(tfm.A)` depends on the file of A.

Functions and lambdas take a plugin each time they are called, so what stands in their bodies is no dependency.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..errors import UnknownPlugin
from ..registry.namespaces import Namespace
from ..registry.plugin import NAMESPACES, WORDS, Plugin
from ..registry.snapshot import Snapshot
from ..text.patterns import late_pattern

_KINDS = {typed: kind for kind, typed in NAMESPACES.items()}
_MENTION = late_pattern(rb"\b(?:%s)\b" % b"|".join(typed.encode() for typed in _KINDS))

#: The kind, the framework or None, and the name of a plugin.
Use = tuple[str, str | None, str]


def mentions_namespaces(source: bytes) -> bool:
    """Whether a file may take anything from the namespaces. Costs a scan of its bytes."""
    return _MENTION.search(source) is not None


def uses(source: bytes) -> set[Use]:
    """The plugins that a file takes while it is executed, as far as its text says so."""
    if not mentions_namespaces(source):
        return set()
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return set()
    return set(_uses(tree))


def is_miss(error: BaseException | None) -> bool:
    """Whether a file failed because a namespace does not hold what it takes."""
    if isinstance(error, AttributeError):
        return isinstance(error.obj, Namespace)
    return isinstance(error, UnknownPlugin)


def plugin_of(use: Use, snapshot: Snapshot) -> Plugin | None:
    """The plugin that a use means now."""
    kind, framework, name = use
    return snapshot.get(kind, name, framework)


def _uses(node: ast.AST) -> Iterator[Use]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        arguments = node.args
        evaluated = [*node.decorator_list, *arguments.defaults, *arguments.kw_defaults]
        for part in filter(None, evaluated):
            yield from _uses(part)
        return
    if isinstance(node, ast.Lambda):
        return
    if isinstance(node, (ast.Attribute, ast.Subscript)) and (use := _use(node)) is not None:
        yield use
        return
    for child in ast.iter_child_nodes(node):
        yield from _uses(child)


def _use(node: ast.Attribute | ast.Subscript) -> Use | None:
    """`tfm.A`, `tfm.qonnx.A`, `tfm["A"]`, `tfm["qonnx:A"]`."""
    if isinstance(node, ast.Subscript):
        if not isinstance(node.slice, ast.Constant) or not isinstance(node.slice.value, str):
            return None
        name = node.slice.value
    else:
        name = node.attr
    holder: ast.expr = node.value
    framework: str | None = None
    if isinstance(holder, ast.Attribute):
        framework, holder = holder.attr, holder.value
    if not isinstance(holder, ast.Name) or holder.id not in _KINDS or name in WORDS or framework in WORDS:
        return None
    return _KINDS[holder.id], framework, name
