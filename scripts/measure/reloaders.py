"""Others that reload, each in a process of its own: as many modules as there are plugin files, of which the middle one
is edited and made live, once for each line that is read.

    python -m measure.reloaders jurigged 1000
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

MODULE = "class {0}:\n    def apply(self, model):\n        return model, {1}\n"  # of which the number is edited


class Reloading:
    """The process of one that reloads, run from a module of ours, seen from outside."""

    def __init__(self, module: str, *arguments: object) -> None:
        command = [sys.executable, "-m", module, *map(str, arguments)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def save(self) -> float:
        """Has the file edited. Returns the milliseconds until it is live."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


def autoreload(names: list[str], edited: str) -> Callable[[], object]:
    """IPython's `%autoreload 2`, which looks at every module."""
    from IPython.extensions.autoreload import ModuleReloader

    reloader = ModuleReloader()
    reloader.enabled = True
    reloader.modules = dict.fromkeys(names, True)
    reloader.check()
    return lambda: reloader.check()


def jurigged(names: list[str], edited: str) -> Callable[[], object]:
    """jurigged, told at once which file it is: its wait for the file system's event, and after that, is left out."""
    from jurigged.register import registry

    for name in names:
        registry.prepare(name, sys.modules[name].__file__)
    return lambda: registry.get(sys.modules[edited].__file__).refresh()


def importlib_reload(names: list[str], edited: str) -> Callable[[], object]:
    """`importlib.reload` of the one module."""
    return lambda: importlib.reload(sys.modules[edited])


RELOADERS = {"autoreload": autoreload, "jurigged": jurigged, "importlib.reload": importlib_reload}


def main(which: str, count: int) -> None:
    names = [f"plugin_{n:04}" for n in range(count)]
    edited = names[count // 2]
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            Path(folder, f"{name}.py").write_text(MODULE.format("Plugin", 0))
        sys.path.insert(0, folder)
        for name in names:
            importlib.import_module(name)
        reload = RELOADERS[which](names, edited)
        path = Path(folder, f"{edited}.py")
        saved = time.time_ns()
        for value, _ in enumerate(sys.stdin, 1):
            path.write_text(MODULE.format("Plugin", value))
            saved += 2_000_000_000  # some compare whole seconds
            os.utime(path, ns=(saved, saved))
            start = time.perf_counter()
            reload()
            taken = 1e3 * (time.perf_counter() - start)
            assert sys.modules[edited].Plugin().apply(1) == (1, value), which
            print(taken, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
