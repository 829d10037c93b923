"""Whether a framework was written for another QONNX than the installed one, by the names that it imports of it.

Their metadata does not tell: FINN and Brainsmith pin QONNX by a commit, in a script of their checkouts. Nothing is
imported.
"""

from __future__ import annotations

import os
import re
import symtable
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from ..registry.plugin import Origin
from .discovery import package_folders
from .source_reader import Module, modules

_QONNX = "qonnx"
_SCRIPTS = ("fetch-repos.sh", os.path.join("docker", "fetch-repos.sh"))
_COMMIT = re.compile(r"^\s*QONNX_COMMIT=[\"']?(\w+)|/qonnx(?:\.git)?@(\w+)", re.MULTILINE)


class MissingName(NamedTuple):
    """A name that QONNX does not have where a framework imports it."""

    name: str  # dotted
    origin: Origin  # where it is imported first


class WantedQonnx(NamedTuple):
    """What a framework misses in the installed QONNX, and the commit that its checkout names, if it does."""

    framework: str
    missing: tuple[MissingName, ...]
    commit: str


def wanted_qonnx(framework: str) -> WantedQonnx | None:
    """What an installed framework misses in the installed QONNX; None if it imports nothing that is missing."""
    folders, qonnx = package_folders(framework), modules(package_folders(_QONNX), _QONNX)
    missing = missing_names(modules(folders, framework).values(), qonnx) if framework != _QONNX and qonnx else ()
    return WantedQonnx(framework, missing, _commit(folders)) if missing else None


def missing_names(importing: Iterable[Module], qonnx: Mapping[str, Module]) -> tuple[MissingName, ...]:
    """The names that modules import of QONNX, of which these are the modules, and that it does not have."""
    bound: dict[str, frozenset[str] | None] = {}
    missing: dict[str, MissingName] = {}
    for module in importing:
        for dotted in module.imports:
            package, _, name = dotted.rpartition(".")
            if dotted in missing or dotted in qonnx or not dotted.startswith(f"{_QONNX}."):
                continue
            if package in qonnx:
                if package not in bound:
                    bound[package] = _bound(qonnx[package])
                names = bound[package]
                if names is None or name in names:
                    continue
            missing[dotted] = MissingName(dotted, _origin(module, package, name))
    return tuple(missing.values())


def _bound(module: Module) -> frozenset[str] | None:
    """The names at the top level of a module; None if more could be there than its text shows."""
    try:
        table = symtable.symtable(module.text, module.path, "exec")
    except (SyntaxError, ValueError):  # written for a newer Python
        return None
    names = frozenset(each.get_name() for each in table.get_symbols() if each.is_assigned() or each.is_imported())
    return None if "__getattr__" in names or re.search(r"^from .+ import \*", module.text, re.MULTILINE) else names


def _origin(module: Module, package: str, name: str) -> Origin:
    """The line of a module at which a name is imported."""
    statement = re.compile(rf"^(?:from {re.escape(package)} import|import)\b[^)]*?\b{re.escape(name)}\b", re.MULTILINE)
    found = statement.search(module.text)
    return Origin(module.path, module.text.count("\n", 0, found.end() if found else 0) + 1)


def _commit(folders: Iterable[str]) -> str:
    """The commit of QONNX that the script which fetches a framework's dependencies names, where there is a checkout."""
    for folder in folders:
        for root in list(Path(folder).parents)[:2]:
            for script in _SCRIPTS:
                try:
                    found = _COMMIT.search((root / script).read_text(encoding="utf-8", errors="replace"))
                except OSError:
                    continue
                if found:
                    return found[1] or found[2]
    return ""
