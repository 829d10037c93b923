"""What a command says of models: which it mentions, may edit in place, and loads, and which passes it names."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

_OPENING = {"load", "ModelWrapper", "steps"}
#: Functions that leave a model as it is.
_READING = {
    "bool", "draw", "diff", "hasattr", "id", "inference_cost", "inputs", "isinstance", "len", "print", "range_analysis",
    "repr", "show", "source", "str", "trace", "type", "verify", "watch", "passes", "sweep", "before", "history",
}  # fmt: skip
_PLAIN = {"op_type", "name", "domain", "doc_string", "ir_version", "producer_name", "data_type", "i", "f", "s"}
_READING_METHODS = ("get_", "check_", "find_", "is_", "Byte", "Has", "List", "Serialize", "Which", "analysis", "save")


def mentioned(tree: ast.AST) -> set[str]:
    """The names that a command reads."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def may_be_edited(tree: ast.AST) -> set[str]:
    """The names whose values a command may edit: those it does more with than to read, or to transform a copy of it."""
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    is_single = len(getattr(tree, "body", ())) == 1
    names = (node for node in parents if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))
    return {node.id for node in names if not _is_reading(node, parents, is_single)}


def _is_reading(node: ast.expr, parents: dict[ast.AST, ast.AST], is_single: bool) -> bool:
    """Whether a mention of a name leaves its value as it is."""
    parent, depth = parents.get(node), 0
    while isinstance(parent, (ast.Attribute, ast.Subscript)) and parent.value is node:
        if not isinstance(parent.ctx, ast.Load):
            return isinstance(parent, ast.Subscript) and not depth  # an element is another model from now on
        node, depth = parent, depth + 1
        parent = parents.get(node)
    if isinstance(parent, ast.Call) and parent.func is node:
        return isinstance(node, ast.Attribute) and _is_reading_call(node.attr, parent)
    if isinstance(parent, ast.Call):
        return isinstance(parent.func, ast.Name) and parent.func.id in _READING
    if isinstance(node, ast.Attribute) and node.attr in _PLAIN:
        return True
    if isinstance(parent, (ast.Expr, ast.Compare, ast.FormattedValue, ast.Module, ast.Expression)):
        return True
    return isinstance(parent, ast.Assign) and is_single and not depth


def _is_reading_call(method: str, call: ast.Call) -> bool:
    if method == "transform":
        return not any(keyword.arg == "make_deepcopy" for keyword in call.keywords) and len(call.args) < 2
    return method.startswith(_READING_METHODS)


def opens_models(text: str, parse: Callable[[], ast.AST | None]) -> bool:
    """Whether a command, whose syntax tree `parse` returns, may open models: then the passes that it applies are
    observed. Most commands are known not to by their text, which is quicker to look through."""
    if text.isascii() and not any(name in text for name in _OPENING):  # other letters may stand for these
        return False
    names = (node for node in ast.walk(parse() or ast.Module([], [])) if isinstance(node, (ast.Name, ast.Attribute)))
    return any(_last_name(node) in _OPENING for node in names)


def is_plain_load(tree: ast.AST | None) -> bool:
    """Whether a command does nothing but load a model into a name."""
    body = getattr(tree, "body", [])
    return len(body) == 1 and isinstance(body[0], ast.Assign) and _is_load(body[0].value)


def _is_load(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and _last_name(node) in ("load", "ModelWrapper")


def loads(tree: ast.AST | None) -> Iterator[tuple[str, str]]:
    """The names that a command assigns a loaded model to, or what it turns it into at once, and what it loads."""
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Assign):
            calls = [call for call in ast.walk(node.value) if isinstance(call, ast.Call) and _last_name(call) == "load"]
            if len(calls) == 1:
                source = calls[0].args[0] if calls[0].args else None
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        yield target.id, str(source.value) if isinstance(source, ast.Constant) else ""


def passes(tree: ast.AST | None) -> tuple[str, ...]:
    """The transformations and steps that a command names, in the order in which they are applied."""
    named = []
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Call):
            if _is_transform(node) and node.args:
                named.append((node.end_lineno, node.end_col_offset, _last_name(node.args[0])))
            elif isinstance(node.func, ast.Attribute) and _first_name(node.func) == "steps":
                named.append((node.end_lineno, node.end_col_offset, _last_name(node.func)))
    return tuple(name for *_, name in sorted(named) if name)


def _is_transform(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "transform"


def _last_name(node: ast.AST) -> str:
    """The last part of the name of a class, a function or a variable, called or not."""
    if isinstance(node, ast.Call):
        return _last_name(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _first_name(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
