"""Modules that cannot be executed again: when one of them changes on disk, that is said."""

from __future__ import annotations

import sys
from importlib.machinery import ExtensionFileLoader, ModuleSpec

from ...text.format import file_name
from . import signatures


class FixedModules:
    """Compiled modules of packages under development, and the file that was run as the main program."""

    def __init__(self) -> None:
        self._seen: dict[str, signatures.Signature] = {}
        self._reasons: dict[str, str] = {}

    def add(self, spec: ModuleSpec) -> None:
        """Watches a module if it is a compiled one."""
        if isinstance(spec.loader, ExtensionFileLoader) and spec.origin is not None:
            self._add(spec.origin, f"{spec.name} is compiled")

    def add_main(self) -> None:
        """Watches the file of the main program."""
        file = getattr(sys.modules.get("__main__"), "__file__", None)
        if file is not None:
            self._add(file, f"{file_name(file)} runs as the main program")

    def take_notes(self) -> list[str]:
        """What is to be told once: which of them have changed, at the cost of a stat for each."""
        changed = signatures.suspects(self._seen)
        for path in changed:
            self._seen[path] = _signature(path)
        return [
            f"{self._reasons[path]} and cannot be executed again; start again to use the new one" for path in changed
        ]

    def _add(self, path: str, reason: str) -> None:
        self._seen.setdefault(path, _signature(path))
        self._reasons[path] = reason


def _signature(path: str) -> signatures.Signature:
    return signatures.signature(path, sys.maxsize)
