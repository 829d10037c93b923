"""Which module a file is: the name it gets, and where an import in it looks. No plugin file shadows a module."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from itertools import chain, count
from os.path import basename, dirname, isdir, isfile, join

from .development import is_in_current_folder, is_same_file

INIT = "__init__.py"


class ModuleNames:
    """The names of the modules that are made from files, in both directions.

    `exists` tells of a file that is not on disk whether it is to be taken for one that is: an editor may be saving it,
    or another file still needs it. `is_followed` tells of a package and a file of it, which anybody can import, whether
    it is under development.
    """

    def __init__(self, exists: Callable[[str], bool], is_followed: Callable[[str, str], bool]) -> None:
        self._exists = exists
        self._is_followed = is_followed
        self._packaged: set[str] = set()
        self._names: dict[str, str] = {}  # path -> module name
        self._paths: dict[str, str] = {}  # module name -> path; a folder for a package without __init__.py
        self._vacated: dict[str, str] = {}  # the names of files that are gone, until that is committed
        self._elsewhere: dict[str, str | None] = {}  # the files that names mean without ours, as `_origin` has them

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __contains__(self, name: str) -> bool:
        return name in self._paths

    def path(self, name: str) -> str:
        """The file of a module, or the folder of a package without `__init__.py`. Raises KeyError for other names."""
        return self._paths[name]

    def is_named(self, path: str) -> bool:
        """Whether a file has a name already."""
        return path in self._names

    def is_packaged(self, path: str) -> bool:
        """Whether a file is a module of a package under development: it has the name that everybody imports it by."""
        return path in self._packaged

    def depth(self, path: str) -> int:
        """How deep in packages a file's module is; 0 of one that has none yet."""
        return self._names[path].count(".") + 1 if path in self._names else 0

    def of(self, path: str) -> str:
        """The name of a file's module: that of the file, unless an importable module or another file has it.

        In a package it is dotted, as Python has it.
        """
        if path not in self._names:
            is_package = basename(path) == INIT
            stem = basename(dirname(path) if is_package else path).removesuffix(".py").replace(".", "_")
            folder = dirname(dirname(path) if is_package else path)
            if is_package and dirname(path) in self._names:  # it was a package without an __init__.py so far
                sys.modules.pop(self._names[dirname(path)], None)
                self.forget(dirname(path))
            package = self._package(folder)
            if package is not None:
                is_packaged = join(folder, INIT) in self._packaged
                self.claim(
                    f"{package}.{stem}", path, is_packaged and self._is_followed(package.partition(".")[0], path)
                )
            else:
                suffix = basename(folder).replace(".", "_")
                candidates = chain((stem, f"{stem}@{suffix}"), (f"{stem}@{suffix}{n}" for n in count(2)))
                name = next(n for n in candidates if n not in self._paths and not self.is_elsewhere(n, path))
                self.claim(name, path, self._is_importable_as(name, path))
        return self._names[path]

    def locate(self, name: str) -> str | None:
        """The file or folder that a module is made from, if any: one in a package may have no name yet."""
        if name not in self._paths:
            parent, _, child = name.rpartition(".")
            if parent not in self._paths:
                return None
            file = self.module_file(package_folder(self._paths[parent]), child)
            if file is None:
                return None
            if file in self._names:  # it had another name while its folder was no package
                sys.modules.pop(self._names[file], None)
                self.forget(file)
            self.claim(name, file)
        return self._paths[name]

    def is_free(self, name: str, path: str) -> bool:
        """Whether no other file has a module name."""
        return self._paths.get(name, path) == path

    def claim_again(self, name: str, path: str) -> None:
        """Gives a file of a package that has returned the name that its module has, unless another file has it."""
        is_ours = name and path not in self._names and name not in self._paths
        if is_ours and self._is_followed(name.partition(".")[0], path):
            self.claim(name, path, True)

    def vacate(self, path: str) -> None:
        """Frees the name of a file that is gone for others, until it is forgotten or reclaimed."""
        if path in self._names:
            name = self._vacated[path] = self._names.pop(path)
            del self._paths[name]
            self._elsewhere.pop(name, None)  # it may mean another file now

    def reclaim(self, path: str) -> None:
        """Gives a file back the name that it vacated, whoever has it now."""
        if path in self._vacated:
            name = self._vacated.pop(path)
            self._names.pop(self._paths.get(name, ""), None)
            self.claim(name, path)

    def rename(self, path: str, name: str) -> None:
        """Gives a file the name of its live module, which an import has changed meanwhile; whoever has it loses it."""
        self.forget(path)
        self._names.pop(self._paths.get(name, ""), None)
        self.claim(name, path)

    def forget(self, path: str) -> None:
        """Gives up the name of a file."""
        self._vacated.pop(path, None)
        self._packaged.discard(path)
        self._paths.pop(self._names.pop(path, ""), None)

    def meant(self, importer: str, name: str) -> str:
        """The module that an absolute import of a dotted name means in a file."""
        if importer in self._packaged:
            return name
        top, dot, rest = name.partition(".")
        return self.beside(importer, top) + dot + rest

    def beside(self, importer: str, top: str) -> str:
        """The module name that `import top` means in a file: a module beside it, unless `top` is importable anyway."""
        file = self.module_file(self.folder(importer), top) or self.module_file(dirname(importer), top)
        return top if file is None or self.is_elsewhere(top, file) else self.of(file)

    def depended_on(self, importer: str, absolute: str, fromlist: Sequence[str]) -> set[str]:
        """The files that an import statement of a file depends on, whether it worked or not."""
        files: set[str] = set()
        parts = absolute.split(".") if absolute else []
        prefixes = [".".join(parts[: end + 1]) for end in range(len(parts))]
        children = [f"{absolute}.{child}" for child in fromlist]
        if fromlist:  # of the packages under development that a name lies in only what is taken counts
            takes_more = any(child not in self._paths for child in children)
            counts = {absolute} if takes_more else set()
            prefixes = [name for name in prefixes if name in counts or self._paths.get(name) not in self._packaged]
        for name in [*prefixes, *children]:
            if name in self._paths:
                path = self._paths[name]
                files.update(_candidates(dirname(path), basename(path)) if isdir(path) else [path])
                continue
            parent, _, child = name.rpartition(".")
            if parent in self._paths:
                folder = package_folder(self._paths[parent])
                attributes = getattr(sys.modules.get(parent), "__dict__", {})
                if folder is not None and child.isidentifier() and child not in attributes:
                    files.update(_candidates(folder, child))
            elif not parent and name not in sys.modules and not self.is_elsewhere(name, ""):
                files.update(_candidates(self.folder(importer), name))
        return files

    def folder(self, path: str) -> str:
        """The folder that a file's absolute imports look in: that of the outermost package it belongs to."""
        folder = dirname(path)
        while self._is_file(join(folder, INIT)):
            folder = dirname(folder)
        return folder

    def module_file(self, folder: str | None, name: str) -> str | None:
        """The file that a module of that name in a folder is made from, or the folder of a package without any."""
        if folder is None:
            return None
        for candidate in _candidates(folder, name):
            if self._is_file(candidate):
                return candidate
        return join(folder, name) if isdir(join(folder, name)) and name.isidentifier() else None

    def is_elsewhere(self, name: str, path: str) -> bool:
        """Whether `import name` finds a module that is not the file `path`, and no plugin file."""
        if name in self._paths:
            return self._paths[name] in self._packaged
        if name not in self._elsewhere:
            self._elsewhere[name] = _origin(name)
        origin = self._elsewhere[name]
        return origin is not None and not is_same_file(path, origin)

    def _is_importable_as(self, name: str, path: str) -> bool:
        """Whether anybody can import a file by this name, and it is under development. What only lies in the current
        folder is not: the shell itself has made that importable."""
        return is_same_file(path, self._elsewhere.get(name)) and not (
            is_in_current_folder(path) or not self._is_followed(name, path)
        )

    def _package(self, folder: str) -> str | None:
        """The name of the package that a folder is, if it is one."""
        if self._is_file(join(folder, INIT)):
            return self.of(join(folder, INIT))
        return self._names.get(folder)

    def _is_file(self, path: str) -> bool:
        return isfile(path) or (path in self._names and self._exists(path))

    def claim(self, name: str, path: str, is_packaged: bool = False) -> None:
        """Makes a module name that of a file."""
        self._names[path] = name
        self._paths[name] = path
        if is_packaged:
            self._packaged.add(path)


def package_folder(path: str) -> str | None:
    """The folder of a package, of which `path` is the `__init__.py` or, without one, the folder; None of a module."""
    if basename(path) == INIT:
        return dirname(path)
    return path if isdir(path) else None


def other_form(path: str) -> str:
    """The file that makes the same module: `part/__init__.py` for `part.py`, and the other way round."""
    return f"{dirname(path)}.py" if basename(path) == INIT else join(path.removesuffix(".py"), INIT)


def _origin(name: str) -> str | None:
    """The file that `import name` finds; empty if that is something else, None if there is no such module."""
    if name in sys.modules:
        return ""
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.loader is None:  # a folder without __init__.py gives way to a file, as Python has it
        return None
    if getattr(spec.loader, "gives_way", False):  # it stands in for something that a plugin package may really be
        return None
    return str(spec.origin) if spec.has_location and spec.origin else ""


def _candidates(folder: str, name: str) -> tuple[str, str]:
    return join(folder, name, INIT), join(folder, f"{name}.py")
