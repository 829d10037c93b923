"""What is known of one plugin or object: the fields that `show` prints, the source that `source` prints."""

from __future__ import annotations

import ast
import inspect
import linecache
import textwrap
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from ..registry import kernel_backends
from ..registry.plugin import BRAINSMITH, KINDS, Plugin
from ..registry.snapshot import Snapshot
from ..text.format import safe_repr
from ..text.onnx_values import is_node, node_fields
from ..text.patterns import late_pattern
from ..text.tracebacks import is_library
from . import module_details

_QUOTED = late_pattern(
    r"(?<=: |> )'(?P<annotation>[^']*)'(?=[,) ]|$)"
)  # as `from __future__ import annotations` has it


def plugin_of(thing: Any, snapshot: Snapshot) -> Plugin | None:
    """The plugin that a class or function is registered as, or that a name means: `FoldBias`, `qonnx:Im2Col`."""
    for kind in KINDS:
        if isinstance(thing, str):
            if (named := snapshot.get(kind, thing)) is not None:
                return named
        else:
            for plugin in snapshot.plugins(kind):
                if plugin.is_loaded and plugin.load() is thing:
                    return plugin
    return None


def fields(thing: Any, plugin: Plugin | None, snapshot: Snapshot) -> list[tuple[str, str]]:
    """The fields of an object, and of the plugin that it is: name, kind, framework, stage, module, file:line,
    signature, metadata, backends, public methods. The docstring is not among them."""
    if type(thing) is ModuleType:
        return module_details.fields(thing)
    if is_node(thing):
        return node_fields(thing)
    pairs: list[tuple[str, str]] = []
    if plugin is not None:
        pairs += [("name", str(plugin.key)), ("kind", plugin.kind), ("framework", _framework(plugin))]
        if plugin.kind == "transform":
            pairs.append(("stage", plugin.stage or "none"))
        pairs += [("module", plugin.module), ("defined", f"{plugin.origin.file}:{plugin.origin.line}")]
    else:
        pairs += [
            ("type", type(thing).__qualname__),
            ("module", str(getattr(thing, "__module__", None) or "none")),
        ]
    if (call := signature(thing)) is not None:
        pairs.append(("call", call))
    if plugin is not None:
        shown = ("stage", "backends")
        pairs += [(field, safe_repr(value)) for field, value in plugin.metadata.items() if field not in shown]
        if plugin.kind == "kernel":
            pairs += _backends(plugin, snapshot)
    if methods := public_methods(thing):
        pairs.append(("methods", ", ".join(methods)))
    return pairs


def _framework(plugin: Plugin) -> str:
    is_own = plugin.framework == BRAINSMITH and not is_library(plugin.origin.file)
    return f"{plugin.framework} (yours)" if is_own else plugin.framework


def _backends(kernel: Plugin, snapshot: Snapshot) -> list[tuple[str, str]]:
    known = kernel_backends.of(kernel.key.qualified, snapshot)
    described = [
        f"{backend.key} ({backend.metadata.get('language', '?')}{', default' if backend is known.default else ''})"
        for backend in known.registered
    ]
    inference = [str(backend.key) for backend in snapshot.find("transform", kernel=kernel.name)]
    return [
        ("declared backends", ", ".join(known.declared)),
        ("registered backends", ", ".join(described)),
        *([("missing backends", ", ".join(known.missing))] if known.missing else []),
        *([("inferred by", ", ".join(inference))] if inference else []),
    ]


def backends_of(thing: Any, snapshot: Snapshot) -> str | None:
    """The backends of a kernel class in one line; None of anything else, and of a kernel without any."""
    if not issubclass(type(thing), type):  # isinstance would ask the object for its class
        return None
    for plugin in snapshot.plugins("kernel"):
        if plugin.is_loaded and plugin.load() is thing:
            rows = dict(_backends(plugin, snapshot))
            lines = [f"{row}: {rows[row]}" for row in ("registered backends", "missing backends") if rows.get(row)]
            return "; ".join(lines) or None
    return None


def signature(thing: Any) -> str | None:
    """How to call it: `FoldBias(atol=1e-05)`; None if it cannot be called, or does not say."""
    if not callable(thing):
        return None
    try:
        called = _QUOTED.sub(r"\g<annotation>", str(inspect.signature(thing)))
        return f"{getattr(thing, '__name__', type(thing).__name__)}{called}"
    except (TypeError, ValueError):
        return None


def public_methods(thing: Any) -> list[str]:
    """The methods of a class, or of an instance's class, without those that start with `_`; its own come first."""
    cls = thing if isinstance(thing, type) else type(thing)
    if cls.__module__ == "builtins":
        return []
    names: dict[str, None] = {}
    for base in cls.__mro__:
        for name, value in vars(base).items():
            if not name.startswith("_") and callable(getattr(value, "__func__", value)) and not isinstance(value, type):
                names.setdefault(name)
    return list(names)


def docstring(thing: Any) -> str:
    """The docstring of an object; empty for modules and nodes, whose fields say enough."""
    if type(thing) is ModuleType or is_node(thing):
        return ""
    return inspect.getdoc(thing) or ""


def source(thing: Any, plugin: Plugin | None = None) -> str | None:
    """The source of a class or function, as it was executed, of what was pasted too; None if it has none."""
    try:
        return inspect.getsource(thing)
    except (OSError, TypeError):
        pass
    cls = thing if isinstance(thing, type) else type(thing)
    places = [(plugin.origin.file, plugin.origin.line)] if plugin is not None else []
    places += [(code.co_filename, code.co_firstlineno) for code in _codes(cls)]
    for file, line in places:
        text = "".join(linecache.getlines(file))
        if (text_of_class := _class_source(text, cls.__name__, line)) is not None:
            return text_of_class
    return None


def _codes(cls: type) -> list[Any]:
    return [value.__code__ for value in vars(cls).values() if inspect.isfunction(value)]


def _class_source(text: str, name: str, line: int) -> str | None:
    """The class statement of that name that holds a line, or begins nearest to it, with its decorators."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return None
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == name]
    if not classes:
        return None
    node = min(
        classes,
        key=lambda statement: (
            not statement.lineno <= line <= (statement.end_lineno or 0),
            abs(statement.lineno - line),
        ),
    )
    return textwrap.dedent(written(node, text.splitlines(keepends=True)))


def written(statement: ast.ClassDef | ast.FunctionDef, lines: Sequence[str]) -> str:
    """The lines of a class or function statement among others, with its decorators."""
    first = min([statement.lineno, *(decorator.lineno for decorator in statement.decorator_list)])
    return "".join(lines[first - 1 : statement.end_lineno])
