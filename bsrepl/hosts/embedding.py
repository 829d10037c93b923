"""`embed()`: the shell at a line of a program, with the names of its caller. Leaving it, the program goes on."""

from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from types import FrameType, FunctionType, ModuleType
from typing import NoReturn

from ..errors import Left
from ..models.process.executor import Executor
from ..registry.store import registry
from ..reload.imports.development import Development
from ..reload.imports.importer import PluginImporter
from ..session.session import Leave
from ..shell import assembly, places
from ..shell.command import Command
from ..shell.console import Console
from ..shell.settings import Settings
from ..teach.tour import Tour
from ..text.styled import asides, wrapped
from ..text.terminal import Terminal, wants_color
from .here import Here
from .process import lent, why_no_prompt

_COMMANDS = (Command, Tour)
_LEAVING = ("exit", "quit")


class _Skipping:
    """How many of the next calls of `embed` do nothing."""

    count = 0
    is_off = False

    def skip(self, count: int = 1) -> NoReturn:
        """Goes on, and past the next `count` calls of `embed`."""
        self.count = count
        raise Left

    def off(self) -> NoReturn:
        """Goes on, and past all calls of `embed` from now on."""
        self.is_off = True
        raise Left

    def passes(self) -> bool:
        """Whether this call does nothing."""
        if self.count > 0:
            self.count -= 1
            return True
        return self.is_off


_skipping = _Skipping()


def embed(*paths: str | os.PathLike[str]) -> None:
    """Opens the shell where it is called, with the caller's names, watching the plugin files and folders `paths`.

    `exit` or Ctrl-D leave it, and the program goes on; so do `skip(5)`, which passes over the next five calls, and
    `off()`, which passes over all. Names assigned in it are its own. Without a terminal it says so, and returns.
    """
    frame = sys._getframe(1)
    here = Here(frame)
    watched = tuple(os.fspath(path) for path in paths)
    if _skipping.passes():
        return
    if why := why_no_prompt():
        print(f"bsrepl: embed() at {here} does nothing: {why}", file=sys.stderr)
        return
    with lent(), closing(Executor()) as executor:
        console = _console(frame, watched, executor)
        try:
            _converse(console, here, [path for path in watched if not os.path.exists(path)])
        except Left:
            pass
        finally:
            _tell_old(console, frame)
            console.close()


def _console(frame: FrameType, paths: tuple[str, ...], executor: Executor) -> Console:
    out, err = (Terminal(stream, wants_color("auto", stream)) for stream in (sys.stdout, sys.stderr))
    is_inside = any(isinstance(finder, PluginImporter) for finder in sys.meta_path)  # the files are followed already
    settings = Settings(
        index_file=places.index_file(), development=None if is_inside else Development(), module=_names(frame)
    )
    return assembly.console(registry, paths, out, err, executor, settings)


def _names(frame: FrameType) -> ModuleType:
    """The names that the code at a frame sees, as globals: functions and comprehensions see those as well.

    The commands of a session around it are not among them, nor is `exit`, which here ends this session alone.
    """
    module = ModuleType(str(frame.f_globals.get("__name__", "__main__")))
    seen = {**frame.f_globals, **frame.f_locals}
    vars(module).update({name: value for name, value in seen.items() if type(value) not in _COMMANDS})
    for name in _LEAVING:
        vars(module).pop(name, None)
    vars(module).setdefault("__builtins__", builtins)
    return module


def _converse(console: Console, here: Here, missing: Sequence[str]) -> None:
    from ..shell.prompt import history
    from ..shell.prompt.config_file import configure
    from ..shell.prompt.keyboard import Keyboard
    from ..shell.prompt.repl import Shell  # only now: a program may never come here

    out, session = console.out, console.session
    session.provide(
        {**{name: Leave() for name in _LEAVING}, "skip": _skipping.skip, "off": _skipping.off, "here": here}
    )
    out.write(here.styled(out.width, True))
    for path in missing:
        out.write([("warning", wrapped(f"{path} does not exist yet; save it, and it is executed", out.width))])
    if session.taken:
        out.write(asides([f"{', '.join(session.taken)}: the program's own, not bsrepl's"], out.width))
    with closing(Keyboard()) as keyboard:
        commands = history.open_history(places.history_file(), lambda message: out.write([("warning", f"{message}\n")]))
        shell = Shell(console, color=out.color, history=commands, keyboard=keyboard)
        configure(shell, places.config_file())
        shell.run()


def _tell_old(console: Console, frame: FrameType) -> None:
    """Says which names of the caller hold what was replaced: nobody but the function itself can assign them."""
    names = console.session.namespace
    old = [
        name
        for name, value in frame.f_locals.items()
        if isinstance(value, (type, FunctionType))
        and (new := names.get(name)) is not value
        and (value.__module__, value.__qualname__) == (getattr(new, "__module__", ""), getattr(new, "__qualname__", ""))
    ]
    if old:
        keeps = f"stale  {', '.join(old)}: {frame.f_code.co_name} keeps the old code, import it again in the function"
        console.out.write([("warning", f"{keeps}\n")])
