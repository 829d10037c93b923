"""Which modules are under development: those found outside site-packages and the standard library, and named ones.

That is where editable installs and what PYTHONPATH names lie, whichever tool made them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from importlib.util import find_spec
from os.path import basename, dirname, isdir, isfile, join, realpath, samefile, sep

from ...registry.listing import nearest
from ..files.trust import doubt

#: What the shell itself runs on: executed again, it would pull the floor from under the prompt.
_SHELL = frozenset({"bsrepl", "ptpython", "prompt_toolkit", "pygments", "jedi", "parso", "wcwidth"})
_INIT = "__init__.py"


class Development:
    """Decides which modules are followed. `named` are packages to follow wherever they are; `is_on` False: none.

    `trusting`, modules are followed even if somebody else may have written them. `files`, if given, are all that is
    followed.
    """

    def __init__(
        self,
        named: Collection[str] = (),
        is_on: bool = True,
        trusting: bool = False,
        files: Collection[str] | None = None,
    ) -> None:
        self._named = frozenset(named)
        self.is_on = is_on
        self._trusting = trusting
        self._files = files
        #: The packages that are not followed, since others may have written them, and why.
        self.refused: dict[str, str] = {}
        self._told: set[str] = set()

    def take_notes(self) -> list[str]:
        """What is to be told once: the packages that are refused."""
        new = self.refused.keys() - self._told
        self._told |= new
        reasons = [(name, self.refused[name]) for name in sorted(new)]
        return [f"changes of {name} are not followed: {reason}; or start with --trust" for name, reason in reasons]

    def lies(self, package: str, path: str) -> bool:
        """Whether a file or folder of a package is under development, trusted or not."""
        if not self.is_on or package in _SHELL:
            return False
        if self._files is not None:
            return any(file == path or file.startswith(dirname(path) + sep) for file in self._files)
        return package in self._named or not _is_installed(path)

    def follows(self, package: str, path: str) -> bool:
        """Whether a module of a package is followed. One that somebody else may have written is `refused`."""
        if not self.lies(package, path):
            return False
        if self._files is not None:
            return path in self._files
        try:
            reason = None if self._trusting else doubt(path, os.getuid())
        except OSError:
            return False
        if reason is not None:
            self.refused[package] = reason
        return reason is None


def unknown_package(name: str) -> str | None:
    """Why there is no package of that name to follow, with the nearest ones; None if there is one."""
    top = name.partition(".")[0]
    if top != name:
        return f"a package is followed as a whole; --dev {top}"
    if name.isidentifier() and (isdir(name) or isfile(f"{name}.py") or find_spec(name) is not None):
        return None
    from importlib.metadata import packages_distributions  # only now: it reads the list of files of each package

    modules = packages_distributions()
    of_project = [module for module, projects in modules.items() if name in projects]
    near = of_project or nearest(name, [module for module in modules if module[0] != "_"])
    return "no installed package has that name" + (f"; nearest: {', '.join(near)}" if near else "")


def dotted_name(path: str) -> tuple[str, str]:
    """The name that Python's layout of packages gives a file, and the file of the outermost package in it."""
    folder, stem = dirname(path), basename(path).removesuffix(".py")
    parts, top = ([] if basename(path) == _INIT else [stem]), path
    while isfile(join(folder, _INIT)):
        parts.insert(0, basename(folder))
        top = join(folder, _INIT)
        folder = dirname(folder)
    return ".".join(parts), top


def is_same_file(path: str, other: str | None) -> bool:
    """Whether two paths are one file that exists."""
    return other is not None and isfile(path) and isfile(other) and samefile(path, other)


def is_in_current_folder(path: str) -> bool:
    """Whether a top-level module is importable only because it lies in the current folder."""
    folder = dirname(dirname(path)) if basename(path) == _INIT else dirname(path)
    return folder == os.getcwd() and folder not in sys.path


def _is_installed(path: str) -> bool:
    """Whether a path lies in the standard library, or in the site-packages of any environment."""
    if any(f"{sep}{name}{sep}" in path for name in ("site-packages", "dist-packages")):
        return True
    return path.startswith(_STANDARD) or realpath(path).startswith(_STANDARD)


_STANDARD = (dirname(os.__file__) + sep, dirname(realpath(os.__file__)) + sep)
