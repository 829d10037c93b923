"""Random edits, saves, breakages, deletions and renames of a few files that import each other.

After each look the live registry must be what a fresh one is that loads the applied sources; no live module may refer
to one that is not; and once everything on disk is sound, what is on disk is what is live. By hand, for as long as one
likes:

    python -m tests.reload.fuzz --minutes 20 [--seed N]
"""

from __future__ import annotations

import argparse
import functools
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from bsrepl.registry.plugin import KINDS
from bsrepl.registry.snapshot import Snapshot
from bsrepl.registry.store import Registry
from bsrepl.reload.follow.rebind import follow
from bsrepl.reload.imports.importer import PluginImporter
from bsrepl.reload.reloader import Reloader
from bsrepl.shell.preloaded import PRELOADED

PLUGIN_FILES = ["a.py", "b.py", "c.py", "pack/__init__.py"]
HELPERS = ["_h.py", "_k.py", "pack/part.py"]
# A module imports only those after it. What comes of an import cycle depends on where it is entered, in any Python.
MODULES = ["a", "b", "c", "_h", "_k", "pack", "pack.part"]
NAMES = ["One", "Two", "Three", "Four"]


class World:
    """A folder, the reloader that watches it, and a clock that only moves when it is told to."""

    def __init__(self, folder: Path, seed: int, *, is_wide: bool = False) -> None:
        self.random = random.Random(seed)
        self.is_wide = is_wide  # dynamic imports, moves of plugins between files and held objects among it
        self.held: dict[str, Any] = {}  # the names of a session
        self.named: list[type] = []  # the old classes that were named, each by one way to it
        self.folder = folder / "live"
        self.folder.mkdir()
        self.fresh = folder / "fresh"
        self.ahead = 0
        self.registry = Registry()
        self.reloader = Reloader(self.registry, [str(self.folder)], PRELOADED, lambda: time.time_ns() + self.ahead)
        self.history: dict[str, list[str]] = {}

    def close(self) -> None:
        self.reloader.close()

    # What happens on disk

    def act(self) -> str:
        """Does one random thing to the files. Returns what."""
        name = self.random.choice(PLUGIN_FILES + HELPERS)
        actions = [self.edit, self.break_, self.revert, self.delete, self.rename, self.touch, self.wait]
        weights = [8, 3, 2, 2, 1, 1, 1]
        if self.is_wide:
            actions += [self.move, self.hold]
            weights += [3, 5]
        action = self.random.choices(actions, weights)[0]
        return f"{action.__name__} {name}: {action(name)}"

    def edit(self, name: str) -> str:
        return self.write(name, self.source(name))

    def break_(self, name: str) -> str:
        trouble = self.random.choice(["1 / 0", "def f(:", "raise SystemExit", "import no_such_module"])
        return self.write(name, self.source(name) + trouble + "\n")

    def revert(self, name: str) -> str:
        return self.write(name, self.random.choice(self.history.get(name) or [self.source(name)]))

    def delete(self, name: str) -> str:
        (self.folder / name).unlink(missing_ok=True)
        return ""

    def rename(self, name: str) -> str:
        files = PLUGIN_FILES[:3] + HELPERS[:2] + [PLUGIN_FILES[3], HELPERS[2]]
        other = self.random.choice(files[: files.index(name)] or files[:1])
        if (self.folder / name).exists():
            (self.folder / other).parent.mkdir(exist_ok=True)
            (self.folder / name).rename(self.folder / other)
        return other

    def touch(self, name: str) -> str:
        if (self.folder / name).exists():
            (self.folder / name).touch()
        return ""

    def wait(self, name: str) -> str:
        self.ahead += self.random.choice([300_000_000, 1_100_000_000, 3_000_000_000])
        return str(self.ahead)

    def move(self, name: str) -> str:
        """A plugin goes from one file to another one, in one look or in two."""
        other = self.random.choice([file for file in PLUGIN_FILES if file != name])
        here, there = self.folder / name, self.folder / other
        if not (here.exists() and there.exists()):
            return ""
        head, mark, plugin = here.read_text().rpartition("@kernel")
        if not mark:
            return ""
        self.write(name, head)
        if self.random.random() < 0.3:
            self.refresh()
        return self.write(other, there.read_text() + mark + plugin)

    def hold(self, name: str) -> str:
        """The session takes a class, an instance or a container of them, or lets go of one."""
        classes = [plugin.target for plugins in self.reloader.files.values() for plugin in plugins]
        variable = f"v{self.random.randrange(8)}"
        if not classes or self.random.random() < 0.2:
            return f"{variable} is dropped: {self.held.pop(variable, None)!r}"
        cls = self.random.choice(classes)
        self.held[variable] = self.random.choice(
            [lambda: cls, cls, lambda: [cls()], lambda: {"key": (cls, [cls()])}, lambda: functools.partial(cls)]
        )()
        return f"{variable} = {self.held[variable]!r}"

    def refresh(self) -> None:
        """A look at the files; what is held follows."""
        report = self.reloader.refresh()
        modules = {module.__name__: vars(module) for module in self.reloader.modules.values()}
        followed = follow(report.replaced, lambda: {"": self.held, **modules}, report.after.seen)
        assert followed.error is None, followed.error
        holders = {re.split(r"\W", stale.holder)[0] for stale in followed.stale}
        self.named += [cls for holder in holders & self.held.keys() for cls in _classes(self.held[holder])]

    def write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        self.history.setdefault(name, []).append(text)
        return text

    def source(self, name: str) -> str:
        """A file that imports some others and registers some plugins, whose metadata tell what it saw of them."""
        choose = self.random
        own = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        lines = []
        seen = [f"{choose.randrange(5)}"]
        later = MODULES[MODULES.index(own) + 1 :]
        for module in choose.sample(later, min(len(later), choose.choice([0, 0, 1, 1, 2]))):
            style = choose.randrange(6 if self.is_wide else 4)
            if style == 0:
                lines.append(f"import {module}")
            elif style == 1:
                lines.append(f"from {module} import VALUE as v_{module.replace('.', '_')}")
                seen.append(f"v_{module.replace('.', '_')}")
            elif style == 4:
                lines.append(f"import importlib\nloaded = importlib.import_module({module!r})")
                seen.append("getattr(loaded, 'VALUE', None)")
            elif style == 5 and "." not in module:
                seen.append(f"getattr(__import__({module!r}), 'VALUE', None)")
            elif style == 2 and "." not in module:
                lines.append(f"import {module}")
                seen.append(f"getattr({module}, 'VALUE', None)")
            else:
                lines.append(f"try:\n    import {module}\nexcept ImportError:\n    pass")
        lines.append(f"VALUE = [{', '.join(seen)}]")
        for plugin in choose.sample(NAMES, choose.choice([0, 1, 1, 2])):
            lines.append(f"@kernel({plugin!r}, seen=repr(VALUE))\nclass {plugin}:\n    value = VALUE")
        return "\n".join(lines) + "\n"

    # What must be true

    def check(self, in_a_fresh_process: bool = False) -> None:
        """Raises AssertionError if the live state is not that of a fresh load of the applied sources."""
        live = described(self.registry.snapshot, self.folder)
        afresh = self.loaded_afresh(in_a_fresh_process)
        assert live == afresh, f"live only: {set(live) - set(afresh)}; afresh only: {set(afresh) - set(live)}"
        plugins = self.reloader.files
        modules = self.reloader.modules
        ids = set(map(id, modules.values()))
        for path, module in modules.items():
            assert sys.modules[module.__name__] is module, path
            for name, value in vars(module).items():
                if isinstance(value, ModuleType) and str(getattr(value, "__file__", "")).startswith(str(self.folder)):
                    assert id(value) in ids, f"{path}: {name} is a module that is not live"
            for plugin in plugins[path]:
                assert vars(module)[plugin.name] is plugin.target, plugin

    def check_held(self) -> None:
        """Raises AssertionError if something that is held is old and was not named."""
        live = [vars(module) for module in self.reloader.modules.values()]
        for name, value in self.held.items():
            for cls in _classes(value):
                is_live = any(cls is other for names in live for other in names.values())
                is_named = any(cls is other for other in self.named)
                assert is_live or is_named, f"{name} = {value!r} holds an old {cls} that nobody named"

    def live_source(self, path: str) -> bytes:
        """The source of the code of a file that is live."""
        source = self.reloader.source_of(self.reloader.modules[path].__name__)
        assert source is not None
        return source.files[source.file]

    def loaded_afresh(self, in_a_process: bool) -> list[tuple[str, ...]]:
        shutil.rmtree(self.fresh, ignore_errors=True)
        self.fresh.mkdir()
        if (self.folder / "pack").is_dir():  # a folder can be imported without a file in it
            (self.fresh / "pack").mkdir()
        for path in self.reloader.modules:
            copy = self.fresh / Path(path).relative_to(self.folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(self.live_source(path))
        if in_a_process:
            command = [str(Path(sys.executable).with_name("bsrepl")), "--check", "--json", str(self.fresh)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            report = json.loads(done.stdout)
            return sorted(
                (plugin["kind"], plugin["name"], str(Path(file["path"]).relative_to(self.fresh)), str(plugin["line"]),
                 plugin["metadata"]["seen"])
                for file in report["files"] for plugin in file["plugins"]
            )  # fmt: skip
        with self.hidden():
            registry = Registry()
            reloader = Reloader(registry, [str(self.fresh)], PRELOADED, time.time_ns)
            try:
                reloader.refresh()
                assert not reloader.failures, reloader.failures
                return described(registry.snapshot, self.fresh)
            finally:
                reloader.close()

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """While this lasts, no live module can be imported: the process is as good as a fresh one."""
        live = {name: sys.modules.pop(name) for name in MODULES if name in sys.modules}
        finders, sys.meta_path[:] = list(sys.meta_path), [f for f in sys.meta_path if not isinstance(f, PluginImporter)]
        try:
            yield
        finally:
            sys.meta_path[:] = finders
            sys.modules.update(live)

    def repair(self) -> None:
        """Makes everything on disk sound, and checks that it is what is live then."""
        for name in PLUGIN_FILES + HELPERS:
            self.write(name, f"VALUE = [{self.random.randrange(100)}]\n")
        for _ in range(2):
            self.refresh()
            self.ahead += 2_000_000_000
        assert not self.reloader.failures, self.reloader.failures
        for name in PLUGIN_FILES:
            assert self.live_source(str(self.folder / name)) == (self.folder / name).read_bytes(), name


def _classes(value: Any) -> Iterator[type]:
    """The classes that a held value is, is an instance of, or has in it."""
    if isinstance(value, type):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _classes(item)
    elif isinstance(value, dict):
        yield from _classes(list(value.values()))
    elif isinstance(value, functools.partial):
        yield from _classes(value.func)
    else:
        yield type(value)


def described(snapshot: Snapshot, folder: Path) -> list[tuple[str, ...]]:
    return sorted(
        (
            plugin.kind,
            plugin.name,
            str(Path(plugin.origin.file).relative_to(folder)),
            str(plugin.origin.line),
            plugin.metadata["seen"],
        )
        for kind in KINDS
        for plugin in snapshot.plugins(kind)
    )


def run(seed: int, steps: int, processes: int = 0, *, is_wide: bool = False) -> None:
    """One world, `steps` looks at it, of which about `processes` are compared with a fresh process."""
    log: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder).resolve(), seed, is_wide=is_wide)
        try:
            for step in range(steps):
                for _ in range(world.random.choice([1, 1, 1, 2, 3])):
                    log.append(world.act())
                world.refresh()
                log.append("-- look")
                world.check_held()
                world.check(in_a_fresh_process=processes > 0 and step % (steps // processes) == steps // processes - 1)
            log.append("-- repair")
            world.repair()
            world.check()
        except BaseException:
            print(f"seed {seed}", *log[-40:], sep="\n")
            raise
        finally:
            world.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=1000)
    options = parser.parse_args()
    deadline = time.monotonic() + 60 * options.minutes
    seed = options.seed
    while time.monotonic() < deadline:
        run(seed, 40, processes=1 if seed % 10 == 0 else 0, is_wide=seed % 2 == 1)
        seed += 1
    print(f"{seed - options.seed} worlds of 40 looks each, from seed {options.seed}: no difference")


if __name__ == "__main__":
    main()
