"""Puts modules where Python looks for them, and takes them out: `sys.modules`, and the attributes of packages."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from itertools import accumulate
from types import ModuleType
from typing import Any


def attach(module: ModuleType, instead: Any = None) -> None:
    """Makes a module the one that is imported by its name, or what it has put there instead of itself."""
    sys.modules[module.__name__] = module if instead is None else instead
    bind(module)


def bind(module: ModuleType) -> None:
    """Makes what is imported by a module's name an attribute of its package, unless that has something else there."""
    package, child = _parent(module.__name__)
    if package is not None and _is_free(package, child):
        setattr(package, child, sys.modules.get(module.__name__, module))


def bind_in_package(module: ModuleType) -> None:
    """As `bind`; a package whose `__init__.py` was deleted goes on without one."""
    parents = module.__name__.split(".")[:-1]
    for name in accumulate(parents, "{}.{}".format):
        if name not in sys.modules:
            with suppress(ImportError, ValueError):
                spec = find_spec(name)
                if spec is not None and spec.origin is None:  # importing it executes nothing
                    import_module(name)
    bind(module)


def detach(name: str) -> ModuleType | None:
    """Makes the next import of a module a first one. Returns the module, if there was one: a file may have put anything
    else in its place."""
    found: object = sys.modules.pop(name, None)
    package, child = _parent(name)
    if package is not None and child in vars(package) and _is_free(package, child):
        delattr(package, child)
    return found if isinstance(found, ModuleType) else None


def put_back(before: Mapping[str, Any], is_followed: Callable[[str], bool]) -> None:
    """Makes what was imported `before` so again where something else has taken its name, or nothing; what `is_followed`
    is put back otherwise, and what is new stays."""
    for name, module in before.items():
        if sys.modules.get(name) is not module and not is_followed(name):
            sys.modules[name] = module


def _parent(name: str) -> tuple[ModuleType | None, str]:
    parent, _, child = name.rpartition(".")
    return sys.modules.get(parent), child


def _is_free(package: ModuleType, child: str) -> bool:
    """Whether a package holds a module, or nothing, under the name of a submodule."""
    return isinstance(vars(package).get(child), ModuleType | None)
