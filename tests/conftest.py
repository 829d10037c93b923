from __future__ import annotations

import gc
import io
import os
import re
import signal
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bsrepl.models.process.executor import Executor
from bsrepl.registry.changes import changes_between
from bsrepl.registry.plugin import KINDS
from bsrepl.registry.snapshot import Snapshot
from bsrepl.registry.store import Registry, registry
from bsrepl.reload.outcome import Report
from bsrepl.reload.reloader import Reloader
from bsrepl.shell import places
from bsrepl.shell.assembly import console as build_console
from bsrepl.shell.command import Command
from bsrepl.shell.preloaded import PRELOADED
from bsrepl.shell.settings import Settings
from bsrepl.teach.tour import Tour
from bsrepl.text.terminal import Terminal

from . import runners
from .nursery import nursery
from .pty_session import PtySession

Start = Callable[..., PtySession]

#: All consoles of the tests execute models in one process.
EXECUTOR = Executor()

signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background inherits that it is ignored


@pytest.fixture(autouse=True, scope="session")
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """All processes of the tests share what they find out once, as Jedi does of Python, and it is not the user's."""
    base = tmp_path_factory.getbasetemp()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache"))
        yield


@pytest.fixture(autouse=True, scope="session")
def _processes() -> Iterator[None]:
    """What the tests share besides: a process that executes models, and one that forks shells."""
    _, requests = runners.runners()
    runners.use(requests)
    yield
    EXECUTOR.close()
    if nursery.cache_info().currsize:
        nursery().close()
    runners.close()
    gc.collect()
    gc.freeze()  # pytest collects ten times, looking for what was not closed


@pytest.fixture(autouse=True, scope="module")
def _frozen() -> None:
    """The garbage collector looks only at what the tests of a module make: what is held is looked for often here."""
    gc.freeze()


@pytest.fixture(autouse=True)
def _empty_registry() -> Iterator[None]:
    """Each test begins and ends with an empty registry."""
    registry.replace(Snapshot())
    yield
    registry.replace(Snapshot())
    registry.pending.clear()


def files(folder: Path, contents: dict[str, str]) -> None:
    """Writes files into a folder, by their paths in it."""
    for name, text in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")


def forget(package: str) -> None:
    """Makes the next import of a package a first one."""
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        del sys.modules[name]


class Clock:
    """The wall clock, which a test can put forward instead of waiting."""

    ahead = 0.0  # seconds

    def __call__(self) -> int:
        return time.time_ns() + int(self.ahead * 1e9)


class Folder:
    """A folder of plugin files, watched by a reloader."""

    def __init__(self, path: Path, *roots: Path) -> None:
        self.path = path
        self.clock = Clock()
        self.registry: Registry = registry
        self.reloader = Reloader(registry, [str(root) for root in roots or (path,)], PRELOADED, self.clock)

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def look(self) -> Report:
        return self.reloader.refresh()

    def changes(self, report: Report | None = None) -> list[str]:
        """The changes of a look at the files: `+ tfm.Fold`, `~ tfm.Fold apply() changed`."""
        report = report or self.look()
        told = changes_between(report.before, report.after)
        return [" ".join([change.sign, str(change.plugin.key), ", ".join(change.details)]).strip() for change in told]

    def names(self) -> list[str]:
        snapshot = self.registry.snapshot
        return sorted(str(plugin.key) for kind in KINDS for plugin in snapshot.plugins(kind))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    path = tmp_path / "plugins"
    path.mkdir()
    made = Folder(path)
    yield made
    made.reloader.close()


class Screen:
    """A console that writes to memory."""

    def __init__(self, *paths: Path, shows_time: bool = True) -> None:
        self.out = io.StringIO()
        self.clock = Clock()
        self.seconds: Callable[[], float] = time.perf_counter  # measures how long things take
        self.thaw: Callable[[], object] = lambda: None  # what the tests before it left is no part of the session
        self.folder = paths[0] if paths else Path()
        terminal = Terminal(self.out, color=False)
        self.console = build_console(
            registry,
            [str(path) for path in paths],
            terminal,
            terminal,
            EXECUTOR,
            Settings(
                clock=lambda: self.seconds(),
                now=self.clock,
                thaw=lambda: self.thaw(),
                shows_time=shows_time,
                index_file=places.index_file(),
            ),
        )

    def type(self, command: str) -> str:
        """Runs a command and returns what was printed."""
        start = self.out.tell()
        self.console.run(textwrap.dedent(command))
        return self.out.getvalue()[start:]

    @property
    def commands(self) -> dict[str, Any]:
        """The commands that are preloaded, by their names."""
        return {name: value for name, value in self.names.items() if isinstance(value, (Command, Tour))}

    @property
    def names(self) -> dict[str, Any]:
        return self.console.session.namespace


def unwrapped(printed: str) -> str:
    """What was printed, with its indented lines joined to those that they go on from."""
    return re.sub(r"\n +", " ", printed)


@pytest.fixture
def screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    """A console that watches `tmp_path / "plugins"`, 100 columns wide."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", sys.argv)
    path = tmp_path / "plugins"
    path.mkdir()
    made = Screen(path, shows_time=False)
    made.console.session.install()
    yield made
    made.console.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts shells in pseudo-terminals, in the folder of the test."""
    sessions = []

    def begin(*arguments: object, **options: Any) -> PtySession:
        sessions.append(PtySession(*arguments, cwd=tmp_path, **options))
        return sessions[-1]

    yield begin
    for session in sessions:
        session.close()


@pytest.fixture(scope="module")
def _shells(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[PtySession]]:
    """The shell that the tests of a module share, if one has been started."""
    shells = [PtySession(cwd=tmp_path_factory.mktemp("shell"))]
    shells[0].expect(">>>", "tfm 65")
    yield shells
    shells[0].close()


@pytest.fixture
def shell(_shells: list[PtySession], tmp_path_factory: pytest.TempPathFactory) -> PtySession:
    """A shell at an empty prompt, in a pseudo-terminal; other tests may have defined names in it."""
    (shared,) = _shells
    shared.type("\x03")
    shared.enter("'re' + 'ady'")  # what comes after this is not from the test before
    try:
        shared.expect("'ready'", ">>>", "tfm 65")
    except AssertionError:  # the test before failed, and left it in no state to go on
        shared.close()
        _shells[:] = [PtySession(cwd=tmp_path_factory.mktemp("shell"))]
        _shells[0].expect(">>>", "tfm 65")
    return _shells[0]
