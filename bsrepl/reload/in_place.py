"""Modules of packages are executed again in their own namespace: everybody goes on holding the one module object.

Until the transaction has decided, the namespace as it was is kept aside; it comes back if the new code does not count.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any
from weakref import WeakValueDictionary


class InPlace:
    """The modules that are being executed again, by the paths of their files, with their namespaces as they were."""

    def __init__(self) -> None:
        self._modules: dict[str, ModuleType] = {}
        self._former: dict[str, ModuleType] = {}
        self._known: WeakValueDictionary[str, ModuleType] = WeakValueDictionary()  # a file that was deleted may return

    def begin(self, path: str, module: ModuleType) -> None:
        """Keeps the namespace of a module. The first call for a path counts, until `settle` or `restore`."""
        if path not in self._former:
            former = ModuleType(module.__name__)
            vars(former).clear()
            vars(former).update(vars(module))
            self._modules[path], self._former[path] = module, former

    def emptied(self, path: str) -> ModuleType | None:
        """The module to execute again, with nothing in it but its submodules that stay; None: it is a new one."""
        if path not in self._modules and path in self._known:
            self.begin(path, self._known[path])
        module = self._modules.get(path)
        if module is not None:
            name = module.__name__
            names = vars(self._former[path])
            stay = {child: value for child, value in names.items() if _is_submodule(f"{name}.{child}", value)}
            vars(module).clear()
            vars(module).update(__name__=name, **stay)
        return module

    def former(self, path: str) -> dict[str, Any] | None:
        """The namespace as it was; None of a module that is not executed again in place."""
        return vars(self._former[path]) if path in self._former else None

    def settle(self, path: str) -> ModuleType | None:
        """Lets the new code count. Returns what the module was, if it was executed again in place."""
        module = self._modules.pop(path, None)
        if module is not None:
            self._known[path] = module
        return self._former.pop(path, None)

    def restore(self, path: str) -> None:
        """Puts the namespace back as it was."""
        module, former = self._modules.pop(path, None), self._former.pop(path, None)
        if module is not None and former is not None:
            vars(module).clear()
            vars(module).update(vars(former))


def _is_submodule(name: str, value: Any) -> bool:
    return type(value) is ModuleType and sys.modules.get(name) is value
