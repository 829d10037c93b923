"""Finds the modules of packages under development, and has them executed by whoever follows them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import resolve_name
from types import ModuleType
from typing import TYPE_CHECKING

from ...errors import PluginFileError
from ..files.fixed_modules import FixedModules
from .development import Development
from .execution import Execution
from .import_frames import part_of_import
from .module_names import ModuleNames

if TYPE_CHECKING:
    from .importer import PluginImporter


class PackageFinder:
    """Asks the other finders of the import system, and takes over the modules that are followed.

    `asking` is the finder that must not be asked again. `loader` makes the loader of a module from its name and file.
    """

    def __init__(
        self, asking: MetaPathFinder, development: Development, loader: Callable[[str, str], SourceFileLoader]
    ) -> None:
        self._asking = asking
        self._development = development
        self._loader = loader
        self.fixed = FixedModules()
        self._packages: dict[str, bool] = {}  # which packages, by their names, may have modules that are followed

    def find(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        """The spec of a module that is followed, and of any module that is in no package; None of any other."""
        package = fullname.partition(".")[0]
        if path is not None and not self._packages.get(package):
            return None
        spec = self._found_by_others(fullname, path, target)
        if spec is None:
            return None
        if path is None:
            places = [spec.origin] if spec.has_location and spec.origin else spec.submodule_search_locations or ()
            self._packages[package] = any(self._development.lies(package, place) for place in places)
        if self._is_followed(package, spec):
            assert spec.origin is not None
            spec.loader = self._loader(fullname, spec.origin)
        elif self._packages.get(package):
            self.fixed.add(spec)
        return spec

    def imported(self) -> list[ModuleType]:
        """The modules that are followed, and were imported before this was asked for anything."""
        modules: list[ModuleType] = []
        if not self._development.is_on:
            return modules
        for name, module in list(sys.modules.items()):
            spec = getattr(module, "__spec__", None)
            if type(module) is ModuleType and type(spec) is ModuleSpec and spec.name == name:
                package = name.partition(".")[0]
                if self._is_followed(package, spec):
                    self._packages[package] = True
                    modules.append(module)
        return modules

    def _is_followed(self, package: str, spec: ModuleSpec) -> bool:
        is_plain = type(spec.loader) is SourceFileLoader and spec.origin is not None and spec.origin.endswith(".py")
        return is_plain and self._development.follows(package, str(spec.origin))

    def _found_by_others(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> ModuleSpec | None:
        for finder in list(sys.meta_path):
            find_spec = getattr(finder, "find_spec", None)
            if find_spec is not None and type(finder) is not type(self._asking):
                spec: ModuleSpec | None = find_spec(fullname, path, target)
                if spec is not None:
                    return spec
        return None


class PackageLoader(SourceFileLoader):
    """Has a module of a package executed by an importer, again in its own namespace; by itself when that is gone."""

    def __init__(self, importer: PluginImporter, fullname: str, path: str) -> None:
        super().__init__(fullname, path)
        self._importer = importer

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._importer.emptied(self.path, spec.name)

    @part_of_import
    def exec_module(self, module: ModuleType) -> None:
        if self._importer.is_installed:
            self._importer.exec_module(module)
        else:
            super().exec_module(module)


def adopted(modules: Iterable[ModuleType], names: ModuleNames, read: Callable[[str], bytes]) -> list[Execution]:
    """Modules of packages that were imported before, as if they had been executed just now, and named in `names`."""
    executions = []
    for module in modules:
        path = str(module.__file__)
        with suppress(FileNotFoundError, PluginFileError):
            executions.append(Execution(path, read(path), module))
            names.claim(module.__name__, path, True)
    for execution in executions:
        assert execution.module is not None
        imported = _imported_names(execution.module)
        execution.depends |= {names.path(name) for name in imported if name in names} - {execution.path}
    return executions


def _imported_names(module: ModuleType) -> set[str]:
    """The modules that one has imported, as far as its text and its namespace tell."""
    from ...frameworks.source_reader import Module  # only now: few sessions begin in a program that has imported them

    package = str(module.__package__ or "")
    names = {value.__name__ for value in vars(module).values() if type(value) is ModuleType}
    for name in Module(module.__name__, str(module.__file__)).imports:
        with suppress(ImportError):
            names.add(resolve_name(name, package))
    return names
