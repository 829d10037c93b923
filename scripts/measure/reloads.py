"""What watching and reloading cost, beside the bare operations and beside others that reload."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import tempfile
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

from bsrepl.console import PRELOADED

from .plugins import PLUGIN, settled, watched
from .rows import Effort, Row, alone, beside, in_turn, timed


def watching(effort: Effort) -> Iterator[Row]:
    """Milliseconds per prompt while nothing changes, beside the bare loop of `os.stat` over the same files."""
    for count in (100, 1_000, 10_000):
        with tempfile.TemporaryDirectory() as folder:
            reloader = watched(folder, count)
            paths = [os.path.join(folder, name) for name in os.listdir(folder)]

            def stats(paths: list[str] = paths) -> None:
                for path in paths:
                    os.stat(path)

            number = max(1, 2_000 // count)
            ours, bare = in_turn(
                effort.runs(15),
                lambda: 1e3 * timed(reloader.is_due, number, 1)[0],  # noqa: B023
                lambda: 1e3 * timed(stats, number, 1)[0],  # noqa: B023
            )
            reloader.close()
            yield beside(f"nothing changed, {count:,} files", "ms", ours, "os.stat of each", bare, 1.5)


def saving(effort: Effort) -> Iterator[Row]:
    """Milliseconds from a save to the registry, beyond a look at unchanged files, which has rows of its own; beside
    reading, compiling and executing the file after a stat of each."""
    for count in (1, 100, 1_000):
        with tempfile.TemporaryDirectory() as folder:
            reloader = watched(folder, count)
            path = Path(folder, f"plugin_{count // 2:04}.py")
            source = PLUGIN.format(count // 2)
            number = iter(range(1_000_000))

            def save() -> float:
                looking = timed(reloader.is_due, 3, 1)[0]  # noqa: B023
                path.write_text(f"{source}NUMBER = {next(number)}\n")  # noqa: B023
                start = time.perf_counter()
                reloader.refresh()  # noqa: B023
                return 1e3 * (time.perf_counter() - start - looking)

            paths = reloader.plugin_files

            def limit() -> float:
                path.write_text(f"{source}NUMBER = {next(number)}\n")  # noqa: B023
                for each in paths:  # noqa: B023 # not timed: it leaves the caches as cold as a look does
                    os.stat(each)
                start = time.perf_counter()
                exec(compile(path.read_bytes(), "limit", "exec"), dict(PRELOADED))  # noqa: B023
                return 1e3 * (time.perf_counter() - start)

            ours, bare = in_turn(effort.runs(61), save, limit)
            reloader.close()
            name = f"one of {count:,} files saved, beyond a look"
            yield beside(name, "ms", ours, "read, compile, exec", bare, 2.0 if count == 1_000 else None)


MODULE = 'class Plugin:\n    def apply(self, model):\n        """{0}"""\n        return model, {1}\n'


def reloading(effort: Effort) -> Iterator[Row]:
    """Milliseconds until one edited method of one file among many is live: the look at all files included, ours too."""
    peers: dict[str, type[Peer]] = {
        "IPython's autoreload": Autoreload,
        "importlib.reload, that file alone": Reload,
    }
    for count in (1, 100, 1_000):
        with tempfile.TemporaryDirectory() as folder:
            reloader = watched(folder, count)
            path = Path(folder, f"plugin_{count // 2:04}.py")
            number = iter(range(1_000_000))

            def save() -> float:
                path.write_text(f"{PLUGIN.format(count // 2)}NUMBER = {next(number)}\n")  # noqa: B023
                start = time.perf_counter()
                reloader.refresh()  # noqa: B023
                return 1e3 * (time.perf_counter() - start)

            others = [peer(count) for peer in peers.values()]
            ours, *theirs = in_turn(effort.runs(15), save, *(other.save for other in others))
            reloader.close()
            for name, other, samples in zip(peers, others, theirs, strict=True):
                other.close()
                yield beside(f"one of {count:,} files saved, the look included", "ms", ours, name, samples)


class Peer:
    """As many modules as there are plugin files, of which the middle one is edited and made live."""

    def __init__(self, count: int) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._value = 0
        self._now = time.time_ns()
        prefix = type(self).__name__.lower()
        self._names = [f"{prefix}_{n:04}" for n in range(count)]
        self.name = self._names[count // 2]
        self.path = Path(self._folder.name, f"{self.name}.py")
        for name in self._names:
            Path(self._folder.name, f"{name}.py").write_text(MODULE.format(name, 0))
        sys.path.insert(0, self._folder.name)
        importlib.invalidate_caches()
        for name in self._names:
            importlib.import_module(name)
        sys.path.pop(0)
        self.prepare(self._names)

    def prepare(self, names: list[str]) -> None:
        """Makes the peer know the modules."""

    def refresh(self) -> None:
        """Makes what was edited live."""
        raise NotImplementedError

    def save(self) -> float:
        self._value += 1
        self._now += 2_000_000_000  # some compare whole seconds
        self.path.write_text(MODULE.format(self.name, self._value))
        os.utime(self.path, ns=(self._now, self._now))
        start = time.perf_counter()
        self.refresh()
        taken = 1e3 * (time.perf_counter() - start)
        assert sys.modules[self.name].Plugin().apply(1) == (1, self._value), self.name
        return taken

    def close(self) -> None:
        for name in self._names:
            del sys.modules[name]
        self._folder.cleanup()


class Autoreload(Peer):
    def prepare(self, names: list[str]) -> None:
        from IPython.extensions.autoreload import ModuleReloader

        self._reloader = ModuleReloader()
        self._reloader.enabled = True
        self._reloader.modules = dict.fromkeys(names, True)
        self._reloader.check()

    def refresh(self) -> None:
        self._reloader.check()


class Reload(Peer):
    def prepare(self, names: list[str]) -> None:
        sys.path.insert(0, self._folder.name)

    def refresh(self) -> None:
        importlib.reload(sys.modules[self.name])

    def close(self) -> None:
        sys.path.remove(self._folder.name)
        super().close()


def depending(effort: Effort) -> Iterator[Row]:
    """Milliseconds from saving a helper that 100 plugin files import; beside compiling and executing all 101."""
    with tempfile.TemporaryDirectory() as folder:
        for n in range(100):
            Path(folder, f"plugin_{n:03}.py").write_text(f"import _helper\n{PLUGIN.format(n)}")
        helper = Path(folder, "_helper.py")
        helper.write_text("NUMBER = -1\n")
        reloader = settled(folder)
        number = iter(range(1_000_000))

        def save() -> float:
            helper.write_text(f"NUMBER = {next(number)}\n")
            start = time.perf_counter()
            report = reloader.refresh()
            assert len(report.executed) == 101
            return 1e3 * (time.perf_counter() - start)

        def limit() -> float:
            start = time.perf_counter()
            for n in range(100):
                exec(compile(PLUGIN.format(n), "limit", "exec"), dict(PRELOADED))
            return 1e3 * (time.perf_counter() - start)

        ours, bare = in_turn(effort.runs(11), save, limit)
        reloader.close()
        yield beside("a helper of 100 files saved", "ms", ours, "compile and exec", bare, 2.0)


def soaking(effort: Effort) -> Iterator[Row]:
    """10,000 reloads of one file: memory, live classes and objects, and the last hundred reloads beside the first."""
    count = 2_000 if effort.is_quick else 10_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "plugin.py")
        path.write_text(PLUGIN.format(0))
        reloader = settled(folder)
        classes: weakref.WeakSet[type] = weakref.WeakSet()
        times: list[float] = []
        kilobytes, objects = [], []
        for number in range(count):
            path.write_text(f"{PLUGIN.format(0)}NUMBER = {number}\n")
            start = time.perf_counter()
            report = reloader.refresh()
            times.append(1e3 * (time.perf_counter() - start))
            classes.add(report.after.get("transform", "Plugin0").load())  # type: ignore[union-attr]
            if number in (count // 10, count - 1):
                del report
                gc.collect()
                kilobytes.append(resident_kilobytes())
                objects.append(len(gc.get_objects()))
        reloader.close()
        later = count - count // 10
        yield alone(f"memory grown in {later:,} reloads", "kB", [kilobytes[1] - kilobytes[0]], 512)
        yield alone(f"objects more after {later:,} reloads", "", [float(objects[1] - objects[0])], 10)
        yield alone(f"classes alive after {count:,} reloads", "", [float(len(classes))], 1)
        yield beside(f"the last 100 reloads of {count:,}", "ms", times[-100:], "the first 100", times[:100], 1.25)


def resident_kilobytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024
