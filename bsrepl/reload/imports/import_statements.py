"""`__import__` and `importlib.import_module` as modules that are followed see them.

They find the modules that lie beside a plugin file, and tell who imports what. Plugin files have an `__import__` of
their own; modules of packages find Python's, which is watched while one of them is executed.
"""

from __future__ import annotations

import builtins
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import resolve_name
from types import ModuleType
from typing import Any

from .import_frames import part_of_import
from .module_names import ModuleNames
from .process_state import kept


class ImportStatements:
    """The imports of the modules in `names`. `note` is told the importing file, what it names, and the names it takes
    of that."""

    def __init__(self, names: ModuleNames, note: Callable[[str, str, Sequence[str]], None]) -> None:
        self._names = names
        self._note = note
        self._depth = 0  # of modules that are being executed
        self._replaced: Callable[..., ModuleType] | None = None  # Python's `__import__`, while it is watched
        self._import_module = importlib.import_module

    def install(self) -> None:
        self._import_module = importlib.import_module
        importlib.import_module = self._function

    def uninstall(self) -> None:
        if importlib.import_module == self._function:
            importlib.import_module = self._import_module

    @contextmanager
    def watched(self) -> Iterator[None]:
        """While this lasts, the import statements of modules that have no `__import__` of their own are noted."""
        if not self._depth:  # otherwise a module imports another, or is imported in another thread
            self._replaced = builtins.__import__
            builtins.__import__ = self.statement
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                if builtins.__import__ == self.statement and self._replaced is not None:
                    builtins.__import__ = self._replaced
                self._replaced = None

    @contextmanager
    def kept(self) -> Iterator[list[str]]:
        """Puts back what `process_state.kept` does, and `__import__`: watching it here is no change."""
        python = self._replaced or builtins.__import__
        with kept() as restored:
            try:
                yield restored
            finally:
                if builtins.__import__ not in (python, self.statement):
                    builtins.__import__ = self.statement if self._depth else python
                    restored.append("builtins.__import__")

    @part_of_import
    def statement(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """`__import__`: notes what the importer depends on, and looks beside a plugin file."""
        python = self._replaced or builtins.__import__
        if globals is None:  # called as a function
            globals = sys._getframe(1).f_globals
        importer = str(globals.get("__name__"))
        package = str(globals.get("__package__") or "")
        if importer not in self._names or (level and not package):
            return python(name, globals, locals, fromlist or (), level)
        path = self._names.path(importer)
        if level == 0:
            name = self._names.meant(path, name)
        try:
            return python(name, globals, locals, fromlist or (), level)
        finally:
            self._note(path, resolve_name("." * level + name, package), fromlist or ())

    def _function(self, name: str, package: str | None = None) -> ModuleType:
        """`importlib.import_module`: from a file that is followed it does what an import statement does."""
        importer = str(sys._getframe(1).f_globals.get("__name__"))
        if importer not in self._names:
            return self._import_module(name, package)
        path = self._names.path(importer)
        name = resolve_name(name, package or "") if name.startswith(".") else self._names.meant(path, name)
        try:
            return self._import_module(name)
        finally:
            self._note(path, name, ())
