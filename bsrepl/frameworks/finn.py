"""FINN's transformations, hardware custom ops, their backends and its build steps, from its source.

Importing most of FINN takes tools that few machines have, and an environment that is set up for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..registry.plugin import Key, Lazy, Plugin
from . import source_reader as source_text
from .source_reader import Classes, ClassStatement, Module

_LANGUAGES = {"HLSBackend": "hls", "RTLBackend": "rtl"}
_NODE_MADE = re.compile(r"make_node\(\s*[\"'](?P<op_type>\w+)[\"']")


def plugins(modules: Mapping[str, Module]) -> list[Plugin]:
    """Every concrete transformation, kernel and backend among FINN's modules, and its builder's `step_*` functions.

    The modules of QONNX among them tell what classes derive from.

    Those transformations that put a hardware kernel into a graph (`Infer...`) name it as their `kernel`. A backend's
    language is that of the `HLSBackend` or `RTLBackend` that it derives from, its kernel the other base. Each plugin
    knows which packages importing its module takes.
    """
    known = source_text.classes(modules.values())
    ours = {name: module for name, module in modules.items() if name.partition(".")[0] == "finn"}
    kernels = [each for each in _concrete(known, "CustomOp", ours) if _language(each.name, known) is None]
    names = {each.name for each in kernels}
    listed = [
        *(_plugin("transform", each, _inferred(each, names)) for each in _concrete(known, "Transformation", ours)),
        *(_plugin("kernel", each, {"domain": _package(each)}) for each in kernels),
        *(_plugin("backend", each, metadata) for each, metadata in _backends(known, ours)),
        *_steps(ours),
    ]
    return [_with_needs(each, ours) for each in listed]


def _concrete(known: Classes, base: str, modules: Mapping[str, Module]) -> list[ClassStatement]:
    return [statement for statement in known.concrete(base) if statement.module in modules]


def _plugin(kind: str, statement: ClassStatement, metadata: dict[str, Any]) -> Plugin:
    return Plugin(Key(kind, "finn", statement.name), Lazy(statement.module, statement.name), statement.origin, metadata)


def _with_needs(plugin: Plugin, modules: Mapping[str, Module]) -> Plugin:
    lazy: Lazy = plugin.target
    return replace(plugin, target=replace(lazy, needs=source_text.needs(lazy.module, modules)))


def _inferred(transformation: ClassStatement, kernels: set[str]) -> dict[str, Any]:
    if not transformation.name.startswith("Infer"):
        return {}
    op_types = dict.fromkeys(node["op_type"] for node in _NODE_MADE.finditer(transformation.body))
    put = [op_type for op_type in op_types if op_type in kernels]
    return {"kernel": put[0] if len(put) == 1 else put} if put else {}


def _backends(known: Classes, modules: Mapping[str, Module]) -> Iterator[tuple[ClassStatement, dict[str, Any]]]:
    for statement in _concrete(known, "CustomOp", modules):
        language = _language(statement.name, known)
        if language is not None:
            kernel = _kernel(statement.name, known)
            yield (
                statement,
                {"language": language, **({"kernel": kernel} if kernel else {}), "domain": _package(statement)},
            )


def _language(name: str, known: Classes) -> str | None:
    return next((language for base, language in _LANGUAGES.items() if known.descends(name, base)), None)


def _kernel(name: str, known: Classes) -> str | None:
    """The kernel that a backend is one of: the nearest base that is no backend and is more than `HWCustomOp`."""
    bases = [base for base in known[name].bases if base in known and base != "HWCustomOp"]
    for base in bases:
        if _language(base, known) is None and known.descends(base, "CustomOp"):
            return base
    return next((kernel for base in bases if base not in _LANGUAGES and (kernel := _kernel(base, known))), None)


def _package(statement: ClassStatement) -> str:
    """The domain of a custom op: the package of its module."""
    return statement.module.rpartition(".")[0]


def _steps(modules: Mapping[str, Module]) -> Iterator[Plugin]:
    for name, module in modules.items():
        if name.startswith("finn.builder."):
            for function in module.functions():
                if function.name.startswith("step_"):
                    target = Lazy(function.module, function.name)
                    yield Plugin(Key("step", "finn", function.name), target, function.origin, {"category": "build"})
