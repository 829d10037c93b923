"""An installed Brainsmith's transforms, kernels, backends and steps, from the decorators in its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from ...registry.plugin import BRAINSMITH, KINDS, Key, Lazy, Origin, Plugin
from .. import source_reader as source_text
from ..source_reader import Module

_DECORATORS = (*KINDS, "kernel_inference", "plugin")
_REGISTRIES = ("brainsmith.registry", "brainsmith.core.plugins", "brainsmith.plugin")


def plugins(modules: Mapping[str, Module]) -> list[Plugin]:
    """Whatever a decorator of Brainsmith's registers, in any of its generations.

    Arguments of a decorator that are no literals are left out of the metadata. Tests are no plugins.
    """
    listed = []
    for name, module in modules.items():
        if "tests" not in name.split(".") and any(each.startswith(_REGISTRIES) for each in module.imports):
            needs = source_text.needs(name, modules)
            listed += [_plugin(module, needs, *each) for each in _decorated(module)]
    return listed


_Definition = ast.ClassDef | ast.FunctionDef


def _decorated(module: Module) -> Iterator[tuple[str, _Definition, dict[str, Any]]]:
    """The kind, the statement and the arguments of each definition at the top level that has such a decorator."""
    try:
        tree = ast.parse(module.text)
    except SyntaxError:  # written for another Python
        return
    for statement in tree.body:
        if not isinstance(statement, (ast.ClassDef, ast.FunctionDef)):
            continue
        for decorator in statement.decorator_list:
            call = decorator if isinstance(decorator, ast.Call) else None
            name = call.func if call else decorator
            if isinstance(name, ast.Name) and name.id in _DECORATORS:
                arguments = dict(_literals(call)) if call else {}
                kind = arguments.pop("type", None) if name.id == "plugin" else name.id
                if kind in _DECORATORS:
                    yield ("transform" if kind == "kernel_inference" else str(kind)), statement, arguments


def _literals(call: ast.Call) -> Iterator[tuple[str, Any]]:
    for keyword in call.keywords:
        if keyword.arg is not None:
            try:
                value = ast.literal_eval(keyword.value)
            except ValueError:
                continue
            if value is not None:
                yield keyword.arg, list(value) if isinstance(value, (set, tuple)) else value


def _plugin(
    module: Module, needs: tuple[str, ...], kind: str, statement: _Definition, arguments: dict[str, Any]
) -> Plugin:
    name = str(arguments.pop("name", None) or statement.name)
    framework = str(arguments.pop("framework", BRAINSMITH))
    for alias, meant in (("target_kernel", "kernel"), ("backend_type", "language")):
        if alias in arguments:
            arguments.setdefault(meant, str(arguments[alias]).rpartition(":")[2])
    origin = Origin(module.path, statement.lineno)
    return Plugin(Key(kind, framework, name), Lazy(module.name, statement.name, needs), origin, arguments)
