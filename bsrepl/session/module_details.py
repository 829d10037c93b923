"""What `show` tells of a module: its name, version and file, what it is for, and what it offers."""

from __future__ import annotations

import inspect
from importlib import metadata
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from ..text.format import safe_repr

_MOST = 20  # names that it offers


def fields(module: ModuleType) -> list[tuple[str, str]]:
    """The fields of a module; nothing that it imports on demand is imported."""
    known = vars(module)
    summary = " ".join((inspect.getdoc(module) or "").strip().partition("\n\n")[0].rstrip("=\n").split())
    exported: Any = known.get("__all__")
    if type(exported) not in (list, tuple):
        exported = [name for name, value in known.items() if _is_from(module, value)]
    names = sorted((str(name) for name in exported if not str(name).startswith("_")), key=str.lower)
    more = f" and {len(names) - _MOST} more; dir({module.__name__}) lists all" if len(names) > _MOST else ""
    pairs = [
        ("module", module.__name__),
        ("version", _version(module)),
        ("file", str(known.get("__file__") or "none; it is built in, or a folder")),
        ("about", summary.partition(". ")[0]),
        ("offers", ", ".join(names[:_MOST]) + more),
    ]
    return [(field, value) for field, value in pairs if value]


def _is_from(module: ModuleType, value: Any) -> bool:
    """Whether a module defines a value, rather than imports it."""
    if type(value) in (FunctionType, BuiltinFunctionType) or issubclass(type(value), type):
        return bool(value.__module__ == module.__name__)
    return type(value) is not ModuleType and type(value).__module__ != "__future__"


def _version(module: ModuleType) -> str:
    version = vars(module).get("__version__")
    if version is not None:
        return version if type(version) is str else safe_repr(version)
    try:
        return metadata.version(module.__name__)
    except (metadata.PackageNotFoundError, ValueError):
        return ""
