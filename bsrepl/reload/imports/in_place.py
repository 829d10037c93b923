"""Modules of packages are executed again in their own namespace: everybody goes on holding the one module object.

Until the transaction has decided, the namespace as it was is kept aside; it comes back if the new code does not count.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from os.path import basename, dirname, join
from types import ModuleType
from typing import Any
from weakref import WeakValueDictionary

from .module_names import INIT


class InPlace:
    """The modules that are being executed again, by the paths of their files, with their namespaces as they were."""

    def __init__(self) -> None:
        self._modules: dict[str, ModuleType] = {}
        self._former: dict[str, ModuleType] = {}
        self._classes: dict[str, type] = {}  # a module may change its own
        self._imported: dict[str, Any] = {}  # what was imported by its name: it may have put that there
        self._known: WeakValueDictionary[str, ModuleType] = WeakValueDictionary()  # a file that was deleted may return
        self._namespaces: WeakValueDictionary[str, ModuleType] = WeakValueDictionary()  # packages without `__init__.py`

    def begin(self, path: str, imported: Any) -> None:
        """Keeps the namespace of a module. The first call for a path counts, until `settle` or `restore`.

        `imported` is what is imported by its name: the module, unless that has put something else there.
        """
        known = self._held(path)
        module = imported if known is None else known
        if path not in self._former and isinstance(module, ModuleType):
            self._classes[path], self._imported[path] = type(module), imported
            former = ModuleType(module.__name__)
            vars(former).clear()
            vars(former).update(vars(module))
            self._modules[path], self._former[path] = module, former

    def emptied(self, path: str, name: str) -> ModuleType | None:
        """The module to execute again, with nothing in it but its submodules that stay; None: it is a new one, or
        imported by another name, as `package.__init__`."""
        known = self._held(path)
        if path not in self._modules and known is not None and known.__name__ == name:
            self.begin(path, known)
        module = self._modules.get(path)
        if module is not None:
            name = module.__name__
            names = vars(self._former[path])
            stay = {child: value for child, value in names.items() if _is_submodule(f"{name}.{child}", value)}
            vars(module).clear()
            vars(module).update(__name__=name, __doc__=None, **stay)
            with suppress(TypeError):
                module.__class__ = ModuleType
        return module

    def former(self, path: str) -> dict[str, Any] | None:
        """The namespace as it was; None of a module that is not executed again in place."""
        return vars(self._former[path]) if path in self._former else None

    def holds(self, path: str) -> bool:
        """Whether somebody holds the module of a file, live or not."""
        return self._held(path) is not None

    def name(self, path: str) -> str:
        """The name of the module that a file was executed as; empty if nobody holds it."""
        return str(getattr(self._held(path), "__name__", ""))

    def _held(self, path: str) -> ModuleType | None:
        known = self._known.get(path)
        return self._namespaces.get(path) if known is None else known

    def executed(self, path: str, module: ModuleType) -> None:
        """Notes the module that a file was executed as."""
        self._known[path] = module

    def awaited(self, path: str, name: str) -> set[str]:
        """The `__init__.py` of each package that a module lies in, and that has none: it is executed in place when it
        appears."""
        missing: set[str] = set()
        folder = dirname(dirname(path) if basename(path) == INIT else path)
        while name := name.rpartition(".")[0]:
            package = sys.modules.get(name)
            if type(package) is ModuleType and getattr(package, "__file__", None) is None:
                self._namespaces[join(folder, INIT)] = package
                missing.add(join(folder, INIT))
            folder = dirname(folder)
        return missing

    def had_no_init(self, path: str) -> bool:
        """Whether a file is the `__init__.py` of a package that had none at first."""
        return path in self._namespaces

    def settle(self, path: str) -> ModuleType | None:
        """Lets the new code count. Returns what the module was, if it was executed again in place."""
        self._modules.pop(path, None)
        self._imported.pop(path, None)
        return self._former.pop(path, None)

    def restore(self, path: str) -> Any:
        """Puts the namespace back as it was. Returns what was imported by the module's name; None if nothing was."""
        module, former = self._modules.pop(path, None), self._former.pop(path, None)
        if module is not None and former is not None:
            vars(module).clear()
            vars(module).update(vars(former))
            with suppress(TypeError):
                module.__class__ = self._classes[path]
        return self._imported.pop(path, None)


def _is_submodule(name: str, value: Any) -> bool:
    return type(value) is ModuleType and sys.modules.get(name) is value
