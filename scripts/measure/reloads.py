"""What watching and reloading cost, beside the bare operations and beside others that reload."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bsrepl.shell.preloaded import PRELOADED

from .plugins import PLUGIN, settled, watched
from .reloaders import MODULE, Reloading
from .rows import Effort, Row, beside, in_turn, timed


def watching(effort: Effort) -> Iterator[Row]:
    """Milliseconds per prompt while nothing changes, beside the bare loop of `os.stat` over the same files."""
    for count in (100, 1_000) if effort.is_quick else (100, 1_000, 10_000):
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
            yield beside("nothing changed, N files", "ms", ours, "os.stat of each", bare, 1.3, count)


def saving(effort: Effort) -> Iterator[Row]:
    """Milliseconds from a save to the registry, beside a stat of each file, and reading, compiling and executing that
    one; then the same beyond a look at unchanged files, which has rows of its own, beside the same without the stats.
    """
    for count in (1, 100, 1_000):
        with tempfile.TemporaryDirectory() as folder:
            reloader = watched(folder, count)
            path = Path(folder, f"plugin_{count // 2:04}.py")
            other = Path(folder, "_another")  # that nobody watches: a look comes after a write, as one at a save does
            other.touch()
            source = PLUGIN.format(count // 2)
            number = iter(range(1_000_000))
            looks: list[float] = []
            stats: list[float] = []

            def save() -> float:
                other.write_text(f"{source}NUMBER = {next(number)}\n")  # noqa: B023
                looks.append(1e3 * timed(reloader.is_due, 1, 1)[0])  # noqa: B023
                path.write_text(f"{source}NUMBER = {next(number)}\n")  # noqa: B023
                start = time.perf_counter()
                reloader.refresh()  # noqa: B023
                return 1e3 * (time.perf_counter() - start)

            paths = reloader.plugin_files

            def limit() -> float:
                path.write_text(f"{source}NUMBER = {next(number)}\n")  # noqa: B023
                start = time.perf_counter()
                for each in paths:  # noqa: B023
                    os.stat(each)
                stats.append(1e3 * (time.perf_counter() - start))  # noqa: B023
                exec(compile(path.read_bytes(), "limit", "exec"), dict(PRELOADED))  # noqa: B023
                return 1e3 * (time.perf_counter() - start)

            ours, bare = in_turn(effort.runs(61), save, limit)
            reloader.close()
            most = 2.0 if count == 1_000 else None
            yield beside("one of N files saved", "ms", ours, "stat of each, read, compile, exec", bare, most, count)
            beyond = [sum(pair) for pair in zip(ours, (-look for look in looks[1:]), strict=True)]
            rest = [sum(pair) for pair in zip(bare, (-stat for stat in stats[1:]), strict=True)]
            yield beside("one of N files saved, beyond a look", "ms", beyond, "read, compile, exec", rest, most, count)


def reloading(effort: Effort) -> Iterator[Row]:
    """Milliseconds until one edited number in one of many files is live: looking for it included, ours too."""
    peers = {
        "autoreload": "IPython's autoreload",
        "jurigged": "jurigged, told which file",
        "importlib.reload": "importlib.reload of that file",
    }
    for count in (1, 100, 1_000):
        others = [Reloading("measure.reloaders", which, count) for which in peers]
        with tempfile.TemporaryDirectory() as folder:
            reloader = watched(folder, count)
            name = f"Plugin{count // 2}"
            path = Path(folder, f"plugin_{count // 2:04}.py")
            values = iter(range(1_000_000))

            def save() -> float:
                value = next(values)  # noqa: B023
                path.write_text(f"@transform\n{MODULE.format(name, value)}")  # noqa: B023
                start = time.perf_counter()
                report = reloader.refresh()  # noqa: B023
                taken = 1e3 * (time.perf_counter() - start)
                plugin = report.after.get("transform", name)  # noqa: B023
                assert plugin is not None
                assert plugin.load()().apply(1) == (1, value)
                return taken

            ours, *theirs = in_turn(effort.runs(15), save, *(other.save for other in others))
            reloader.close()
        for peer, other, samples in zip(peers.values(), others, theirs, strict=True):
            other.close()
            yield beside("one of N files saved, the look included", "ms", ours, peer, samples, size=count)


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
        yield beside("a helper of 100 files saved", "ms", ours, "compile and exec of all", bare, 2.0)
