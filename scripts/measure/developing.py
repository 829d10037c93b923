"""What following QONNX as it is developed costs: a copy of it on the path, all of which is imported.

python -m measure.developing importlib.reload FILE      the peer, in a process of its own
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bsrepl.frameworks.catalogue import Installed
from bsrepl.frameworks.discovery import package_folders
from bsrepl.registry.store import Registry
from bsrepl.reload.follow.rebind import follow
from bsrepl.reload.imports.development import Development
from bsrepl.reload.reloader import Reloader
from bsrepl.shell.preloaded import PRELOADED

from .reloaders import RELOADERS, Reloading
from .rows import Effort, Row, beside, in_turn, timed

LEAF = "transformation/subpixel_to_deconv.py"
CORE = "core/modelwrapper.py"


class Saved:
    """A file that is saved again and again, each time with another number in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = 0
        self._text = path.read_text()
        self._time = time.time_ns()

    def save(self) -> None:
        self.number += 1
        self.path.write_text(f"{self._text}\nNUMBER = {self.number}\n")
        self._time += 2_000_000_000  # some compare whole seconds
        os.utime(self.path, ns=(self._time, self._time))


def developing(effort: Effort) -> Iterator[Row]:
    """Milliseconds of a look that finds nothing; and from a save to the registry and to all that holds something of the
    module, beyond that look."""
    with copied() as folder:
        now = time.time_ns() + 10_000_000_000  # the files have settled
        registry = Registry()
        reloader = Reloader(registry, [], PRELOADED, lambda: now, development=Development())
        reloader.follow_listings(Installed(registry, None))
        import_all()
        reloader.refresh()
        files = list(reloader.package_modules)
        places = [*files, *{os.path.dirname(file) for file in files}]  # a new file is seen by its folder

        def stats() -> None:
            for place in places:
                os.stat(place)

        ours, bare = in_turn(
            effort.runs(15), lambda: 1e3 * timed(reloader.is_due, 20, 1)[0], lambda: 1e3 * timed(stats, 20, 1)[0]
        )
        name = f"nothing changed, {len(files)} modules of QONNX followed"
        yield beside(name, "ms", ours, "os.stat of each and of their folders", bare, 1.5)
        for name, file, most in (("one leaf module", LEAF, 2.0), ("core/modelwrapper.py", CORE, None)):
            saved = Saved(folder / "qonnx" / file)

            def save() -> float:
                looking = timed(reloader.is_due, 3, 1)[0]
                saved.save()  # noqa: B023
                start = time.perf_counter()
                report = reloader.refresh()
                followed = follow(report.replaced, lambda: names(reloader), report.after.seen)
                taken = 1e3 * (time.perf_counter() - start - looking)
                assert saved.number == sys.modules[module_name(file)].NUMBER  # noqa: B023
                assert followed.error is None
                assert not followed.stale
                return taken

            peers = {peer: Reloading("measure.developing", peer, file) for peer in ("importlib.reload", "autoreload")}
            ours, *theirs = in_turn(effort.runs(31), save, *(peer.save for peer in peers.values()))
            for (peer, process), samples in zip(peers.items(), theirs, strict=True):
                process.close()
                bound = most if peer == "importlib.reload" else None
                yield beside(f"{name} of QONNX saved, beyond a look", "ms", ours, peer, samples, bound)
        reloader.close()


def names(reloader: Reloader) -> dict[str, dict[str, object]]:
    return {"": {}, **{module.__name__: vars(module) for module in reloader.holding_modules()}}


def module_name(file: str) -> str:
    return f"qonnx.{file.removesuffix('.py').replace('/', '.')}"


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of QONNX, in a folder that is on the path."""
    with tempfile.TemporaryDirectory() as folder:
        (installed,) = package_folders("qonnx")
        shutil.copytree(installed, Path(folder, "qonnx"), ignore=shutil.ignore_patterns("__pycache__", "*.onnx"))
        sys.path.insert(0, folder)
        importlib.invalidate_caches()
        for name in [name for name in sys.modules if name.partition(".")[0] == "qonnx"]:
            del sys.modules[name]  # other measurements have imported the installed one
        yield Path(folder)


def import_all() -> list[str]:
    """Imports every module of QONNX that can be. Returns the names."""
    package = importlib.import_module("qonnx")
    for module in pkgutil.walk_packages(package.__path__, "qonnx."):
        with suppress(ImportError):  # some take what is not installed
            importlib.import_module(module.name)
    return [name for name in sys.modules if name.partition(".")[0] == "qonnx"]


def main(which: str, file: str) -> None:
    with copied() as folder:
        saved = Saved(folder / "qonnx" / file)
        reload: Callable[[], object] = RELOADERS[which](import_all(), module_name(file))
        for _ in sys.stdin:
            saved.save()
            start = time.perf_counter()
            reload()
            taken = 1e3 * (time.perf_counter() - start)
            assert saved.number == sys.modules[module_name(file)].NUMBER
            print(taken, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
