"""A property: after any edits of a package under development its namespaces are those of a new process."""

from __future__ import annotations

import random
import shutil
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

from bsrepl.registry.store import Registry
from bsrepl.reload.imports.development import Development
from bsrepl.reload.reloader import Reloader
from bsrepl.shell.preloaded import PRELOADED

from ..seeds import seeds

MODULES = ["pk", "pk.a", "pk.b", "pk.c", "pk.sub", "pk.sub.d", "pk.sub.e"]


class Package:
    """A package of a few modules that import each other, on the path, and the reloader that follows it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.folder = folder / "live"
        self.fresh = folder / "fresh"
        self.ahead = 0
        for name in MODULES:
            self.write(name, "VALUE = 0\n")
        sys.path.insert(0, str(self.folder))
        self.reloader = Reloader(
            Registry(), [], PRELOADED, lambda: time.time_ns() + self.ahead, development=Development()
        )
        self.objects = {name: import_module(name) for name in MODULES}
        self.reloader.refresh()

    def file(self, name: str, folder: Path | None = None) -> Path:
        place = (folder or self.folder).joinpath(*name.split("."))
        return place / "__init__.py" if name in ("pk", "pk.sub") else place.with_suffix(".py")

    def write(self, name: str, text: str) -> None:
        self.file(name).parent.mkdir(parents=True, exist_ok=True)
        self.file(name).write_text(text)

    def edit(self) -> str:
        """Does one random thing to one file. Returns what."""
        name = self.random.choice(MODULES)
        action = self.random.choices(["write", "break", "delete", "wait"], [8, 2, 1, 1])[0]
        if action in ("write", "break"):
            text = self.source(name) + ("1 / 0\n" if action == "break" else "")
            self.write(name, text)
            return f"{name}:\n{text}"
        if action == "delete" and "." in name and name != "pk.sub":
            self.file(name).unlink(missing_ok=True)
        self.ahead += 2_000_000_000
        return f"{action} {name}"

    def source(self, name: str) -> str:
        """A module that takes something of others, in every way that imports have."""
        choose = self.random
        lines = [f"VALUE = {choose.randrange(9)}"]
        later = MODULES[MODULES.index(name) + 1 :]
        for other in choose.sample(later, min(len(later), choose.choice([0, 1, 1, 2]))):
            parent, _, child = other.rpartition(".")
            alias = other.replace(".", "_")
            lines += choose.choice(
                [
                    [f"import {other}", f"{alias} = {other}.VALUE"],
                    [f"from {other} import VALUE as {alias}"],
                    [f"from {parent} import {child} as {alias}", f"VALUE += {alias}.VALUE"],
                    [f"import importlib; {alias} = importlib.import_module('{other}').VALUE"],
                    [f"try:\n    from {other} import Thing as {alias}\nexcept ImportError:\n    {alias} = None"],
                    [f"from {other} import *"] if other != "pk.sub" else [],
                    ["def late():", f"    import {other}", f"    return {other}.VALUE"],
                ]
            )
        if choose.random() < 0.5:
            lines += ["class Thing:", f"    number = VALUE + {choose.randrange(3)}", "    def value(self):"]
            lines += [f"        return VALUE * {choose.randrange(3)}"]
        return "\n".join(lines) + "\n"

    def namespaces(self, names: list[str]) -> dict[str, Any]:
        return {name: {key: described(value) for key, value in sorted(own(name).items())} for name in names}

    def afresh(self) -> dict[str, Any]:
        """The namespaces of the live sources, imported as if nothing had been before."""
        modules = self.reloader.package_modules
        names = sorted(module.__name__ for module in modules.values())
        shutil.rmtree(self.fresh, ignore_errors=True)
        for path, module in modules.items():
            copy = self.file(module.__name__, self.fresh)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(self.reloader.live_source(path))
        live = {name: sys.modules.pop(name) for name in MODULES if name in sys.modules}
        folders, finders = sys.path[:], sys.meta_path[:]
        sys.path[:] = [str(self.fresh), *(folder for folder in folders if folder != str(self.folder))]
        sys.meta_path[:] = [finder for finder in finders if type(finder).__name__ != "PluginImporter"]
        sys.dont_write_bytecode = True
        try:
            for name in [name for name in MODULES if name in names]:
                import_module(name)
            return self.namespaces(names)
        finally:
            sys.path[:], sys.meta_path[:] = folders, finders
            for name in MODULES:
                sys.modules.pop(name, None)
            sys.modules.update(live)

    def check(self) -> None:
        names = sorted(module.__name__ for module in self.reloader.package_modules.values())
        live = self.namespaces(names)
        afresh = self.afresh()
        assert live == afresh
        for name in names:
            if sys.modules[name] is not self.objects.setdefault(name, sys.modules[name]):
                assert name not in live, f"{name} was forked"


def own(name: str) -> dict[str, Any]:
    return {key: value for key, value in vars(sys.modules[name]).items() if not key.startswith("__")}


def described(value: Any) -> Any:
    """What can be compared between two processes."""
    if isinstance(value, ModuleType):
        return f"module {value.__name__}"
    if isinstance(value, type):
        return value.__qualname__, {key: described(item) for key, item in vars(value).items() if key[0] != "_"}
    if isinstance(value, FunctionType):
        is_in_place = value.__globals__ is vars(sys.modules[value.__module__])
        return value.__code__.co_code, value.__code__.co_consts, is_in_place
    return value


@pytest.fixture
def package(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    package = Package(tmp_path, request.param)
    yield package
    package.reloader.close()
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("package", seeds(6), indirect=True)
def test_the_namespaces_are_those_of_a_process_that_begins_anew(package: Package) -> None:
    done = []
    for _ in range(25):
        done.append(package.edit())
        package.reloader.refresh()
        try:
            package.check()
        except BaseException:
            print("\n".join(done))
            raise
