"""Python packages read as text: the class and function statements of their modules, and what a module needs.

Nothing is imported. Statements are matched, not parsed: a file takes a tenth of a millisecond.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from ..registry.plugin import Origin
from ..text.patterns import late_pattern

_CLASS = late_pattern(r"^class (?P<name>\w+)\((?P<bases>[^()]*)\)\s*:", re.MULTILINE)
_FUNCTION = late_pattern(r"^(?:async )?def (?P<name>\w+)\(", re.MULTILINE)
_METHOD = late_pattern(r"^    (?P<abstract>@abstractmethod\s+)?(?:async )?def (?P<name>\w+)", re.MULTILINE)
_IMPORT = late_pattern(
    r"^(?:from (?P<package>[\w.]+) import (?:\((?P<listed>[^)]*)|(?P<names>[\w, \t]*))"
    r"|import (?P<modules>[\w., \t]+?)[ \t]*(?:#.*)?$)",
    re.MULTILINE,
)
_COMMENT = late_pattern(r"#.*")
_NEXT_STATEMENT = late_pattern(r"^[^\s#)]", re.MULTILINE)


class ClassStatement(NamedTuple):
    """A class statement: where it stands, what it derives from, the methods that it declares and defines."""

    name: str
    module: str
    bases: tuple[str, ...]  # the last part of each dotted name
    abstract: frozenset[str]
    defined: frozenset[str]
    origin: Origin
    body: str


class FunctionStatement(NamedTuple):
    """A function statement of a module."""

    name: str
    module: str
    origin: Origin


class Module:
    """A module of a package, as text: that of its file, or `text`."""

    def __init__(self, name: str, path: str, text: str | None = None) -> None:
        self.name = name
        self.path = path
        if text is not None:
            self.text = text

    @cached_property
    def text(self) -> str:
        try:
            with open(self.path, encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError:  # it was deleted since the folder was listed; the next look at the files will see that
            return ""

    @cached_property
    def classes(self) -> tuple[ClassStatement, ...]:
        """The class statements with bases at the top level of the module."""
        return tuple(self._class_statements())

    def _class_statements(self) -> Iterator[ClassStatement]:
        for statement in _CLASS.finditer(self.text):
            following = _NEXT_STATEMENT.search(self.text, statement.end())
            body = self.text[statement.end() : following.start() if following else len(self.text)]
            methods = list(_METHOD.finditer(body))
            bases = _COMMENT.sub("", statement["bases"]).split(",")
            yield ClassStatement(
                name=statement["name"],
                module=self.name,
                bases=tuple(base.strip().rpartition(".")[2] for base in bases if base.strip()),
                abstract=frozenset(method["name"] for method in methods if method["abstract"]),
                defined=frozenset(method["name"] for method in methods if not method["abstract"]),
                origin=self._origin(statement),
                body=body,
            )

    def functions(self) -> Iterator[FunctionStatement]:
        """The function statements at the top level of the module."""
        for statement in _FUNCTION.finditer(self.text):
            yield FunctionStatement(statement["name"], self.name, self._origin(statement))

    @cached_property
    def imports(self) -> tuple[str, ...]:
        """What the module imports when it is imported: dotted names, each of a module, or of something in one.

        Imports that are indented do not count: they wait for a function to be called, or a failure of theirs is caught.
        """
        imported: list[str] = []
        for statement in _IMPORT.finditer(self.text):
            package = statement["package"]
            listed = _COMMENT.sub("", statement["listed"] or statement["names"] or statement["modules"] or "")
            names = [name.split(" as ")[0].strip() for name in listed.split(",")]
            imported += [package, *(f"{package}.{name}" for name in names if name)] if package else names
        return tuple(imported)

    def _origin(self, statement: re.Match[str]) -> Origin:
        return Origin(self.path, self.text.count("\n", 0, statement.start()) + 1)


def modules(roots: Iterable[str], package: str) -> dict[str, Module]:
    """The modules of a package by their dotted names, `__init__` modules by those of their packages.

    `roots` are the folders of the package; there are several only of a namespace package.
    """
    named: dict[str, Module] = {}
    for root in roots:
        for folder, folders, files in os.walk(root):
            folders[:] = sorted(name for name in folders if name.isidentifier() and name != "__pycache__")
            dotted = ".".join([package, *os.path.relpath(folder, root).split(os.sep)]).removesuffix("..")
            for file in sorted(files):
                if file.endswith(".py"):
                    name = dotted if file == "__init__.py" else f"{dotted}.{file[:-3]}"
                    named.setdefault(name, Module(name, os.path.join(folder, file)))
    return named


class Classes(dict[str, ClassStatement]):
    """Class statements by name, and what follows from what they derive from."""

    def lineage(self, name: str) -> list[str]:
        """A class and what it derives from, in the order in which methods are looked up, as far as it is known.

        Depth first, each where it stands last: that is Python's order wherever it does not refuse the bases.
        """
        inherited = [ancestor for base in (self[name].bases if name in self else ()) for ancestor in self.lineage(base)]
        return list(dict.fromkeys(reversed([name, *inherited])))[::-1]

    def descends(self, name: str, base: str) -> bool:
        """Whether a class is `base`, or derives from it."""
        return base in self.lineage(name)

    def abstract(self, name: str) -> frozenset[str]:
        """The methods that a class leaves abstract."""
        is_abstract_by_name: dict[str, bool] = {}
        for ancestor in self.lineage(name):
            if ancestor in self:
                is_abstract_by_name = {
                    **dict.fromkeys(self[ancestor].abstract, True),
                    **dict.fromkeys(self[ancestor].defined, False),
                    **is_abstract_by_name,
                }
        return frozenset(method for method, is_abstract in is_abstract_by_name.items() if is_abstract)

    def concrete(self, base: str) -> Iterator[ClassStatement]:
        """The classes that derive from `base` and leave no method abstract."""
        return (
            statement
            for statement in self.values()
            if self.descends(statement.name, base) and not self.abstract(statement.name)
        )


def classes(of: Iterable[Module]) -> Classes:
    """The class statements of modules."""
    return Classes({statement.name: statement for module in of for statement in module.classes})


def needs(name: str, known: Mapping[str, Module]) -> tuple[str, ...]:
    """The packages, Python's own left out, that must be installed for a module to be imported.

    Follows the imports among the `known` modules, and the packages that a module lies in.
    """
    outside: set[str] = set()
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        dotted = waiting.pop()
        parts = dotted.split(".")
        for end in range(1, len(parts) + 1):
            module = ".".join(parts[:end])
            if module in known and module not in seen:
                seen.add(module)
                waiting += known[module].imports
        if parts[0] != name.partition(".")[0] and parts[0].isidentifier():
            outside.add(parts[0])
    return tuple(sorted(outside - sys.stdlib_module_names))
