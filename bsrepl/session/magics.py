"""IPython's everyday commands, `%timeit`, `%run`, `%debug` and the like, on the standard library.

A magic that is not here is answered by what to do instead.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from inspect import getsourcefile, getsourcelines, unwrap
from itertools import chain
from pathlib import Path
from typing import Any, Protocol, TextIO

from ..errors import MagicError
from ..registry.namespaces import Namespace
from ..text import tracebacks
from ..text.columns import cut
from ..text.format import counted, duration, safe_repr
from ..text.styled import wrapped
from ..text.whole_file import write_whole
from .magic_arguments import counts_of, numbers_in, words
from .magic_values import current_folder
from .syntax import python_alone

_RUNS = 7  # as IPython measures
_TIME, _PIP = "Runs a statement; the time is always printed", "Runs pip of this Python"  # which the syntax translates
_WIDEST = 100  # characters of a command in the history, or of a value in a list of names

#: What to do here instead of magics that people have in their notebooks.
_INSTEAD = {
    "autoreload": "not needed: plugin files are executed again when they are saved",
    "autoawait": "not needed: await works at the prompt",
    "matplotlib": "not needed here; plots open in windows of their own",
    "config": 'settings are in config.py; see help("prompt")',
    "capture": "end a command with ; to hide its value",
    "prun": "import cProfile; cProfile.run('...', sort='cumulative')",
    "store": 'record("session.py") writes the session into a file',
    "logstart": 'record("session.py") writes the session into a file',
    "notebook": 'record("lesson.md") writes the session as Markdown',
    "reset": "leave with Ctrl-D and start again",
    "load": "paste the file, or %run it",
    "pinfo": "x? shows what is known of x",
    "lsmagic": 'help("prompt") lists what there is',
    "magic": 'help("prompt") lists what there is',
    "quickref": "help() lists what there is",
    "bsrepl": "not needed: this is bsrepl; start it with the paths to watch",
}


class Commands(Protocol):
    """The commands of a session, and its names."""

    number: int  # of the command that runs
    namespace: dict[str, Any]

    def text(self, number: int) -> str | None: ...
    def own_names(self) -> dict[str, Any]: ...


class Magics:
    """The magics of a session."""

    def __init__(self, session: Commands) -> None:
        self._session = session
        self.clock: Callable[[], float] = time.perf_counter  # what %timeit measures with
        #: Whether an exception of a command opens the debugger.
        self.debugs = False
        lines: list[Callable[[str], None]] = [
            self.timeit, self.run, self.debug, self.pdb, self.cd, self.pwd, self.ls, self.who, self.history,
            self.edit, self.save, self.env,
        ]  # fmt: skip
        self._lines = {function.__name__: function for function in lines} | {"whos": self.who}
        self._cells = {"timeit": self.timeit_cell, "writefile": self.writefile, "bash": self.bash, "sh": self.bash}

    def described(self) -> tuple[dict[str, str], dict[str, str]]:
        """What each magic of a line does, and each of a cell, by name."""
        lines = {name: _first_sentence(function) for name, function in self._lines.items()}
        cells = {name: _first_sentence(function) for name, function in self._cells.items()}
        return {"time": _TIME, "pip": _PIP, **lines}, {"time": _TIME, **cells}

    def add(self, name: str, function: Callable[[str], None]) -> None:
        """Adds a line magic: `function` is called with what stands behind its name."""
        self._lines[name] = function

    def line(self, name: str, arguments: str) -> None:
        """Runs `%name arguments`."""
        function = self._lines.get(name)
        if function is not None:
            function(arguments.strip())
            return
        if name in self._cells:
            raise MagicError(f"%%{name} takes the lines below it; {name} alone does nothing")
        asked = arguments.split()[0] if name in ("load_ext", "reload_ext") and arguments.split() else name
        instead = _INSTEAD.get(asked, "bsrepl does not have it; the line was left out")
        _say(f"%{asked}: {instead}", sys.stderr)

    def cell(self, name: str, arguments: str, body: str) -> None:
        """Runs `%%name arguments` with the lines below it."""
        self._cells[name](arguments.strip(), body)

    def matching(self, owner: Any, pattern: str) -> Any:
        """What `owner.PATTERN?` shows: the plugins of a namespace, or the attributes of another object."""
        if isinstance(owner, Namespace):
            return owner.find(name=pattern)
        return [name for name in dir(owner) if fnmatchcase(name, pattern)]

    def timeit(self, arguments: str) -> None:
        """Measures a statement, as often as it takes to be precise, or `-n` loops in each of `-r` runs."""
        counts, statement = counts_of(arguments)
        if not statement:
            raise MagicError("%timeit takes a statement, for example %timeit tfm.FoldConstants")
        self._measure(statement, "pass", counts)

    def timeit_cell(self, arguments: str, body: str) -> None:
        """Measures the lines below it."""
        counts, setup = counts_of(arguments)
        self._measure(body, setup or "pass", counts)

    def _measure(self, statement: str, setup: str, counts: dict[str, int]) -> None:
        import timeit  # only now, as others below: few sessions use magics

        timer = timeit.Timer(statement, setup, self.clock, self._session.namespace)
        number = counts.get("n") or timer.autorange()[0]
        runs = counts.get("r") or _RUNS
        times = sorted(seconds / number for seconds in timer.repeat(runs, number))
        _say(
            f"{duration(times[runs // 2])} a loop: the median of {counted(runs, 'run')} of {counted(number, 'loop')}, "
            f"from {duration(times[0])} to {duration(times[-1])}"
        )

    def run(self, arguments: str) -> None:
        """Runs a Python file as a script; the names that it defines are the session's from then on."""
        file, *options = words(arguments)
        if not os.path.isfile(os.path.expanduser(file)):
            raise MagicError(f"%run takes a Python file and its arguments, not {file!r}")
        import runpy

        with _arguments([file, *options]):
            names = runpy.run_path(os.path.expanduser(file), run_name="__main__")
        self._session.namespace.update({name: value for name, value in names.items() if not name.startswith("__")})

    def debug(self, arguments: str) -> None:
        """Opens the debugger where the last exception was raised."""
        trace = tracebacks.from_users_code(getattr(sys, "last_traceback", None))
        if trace is None:
            raise MagicError("no code of yours has raised an exception yet; %debug opens the debugger where it did")
        import pdb

        pdb.post_mortem(trace)

    def after(self, error: BaseException | None) -> None:
        """Opens the debugger where a command raised an exception, if `%pdb` is on."""
        if self.debugs and isinstance(error, Exception) and tracebacks.from_users_code(error.__traceback__) is not None:
            self.debug("")

    def pdb(self, arguments: str) -> None:
        """Switches on or off that an exception opens the debugger."""
        if arguments.lower() not in ("", "on", "off", "1", "0"):
            raise MagicError(f"%pdb takes on or off, not {arguments!r}")
        self.debugs = arguments.lower() in ("on", "1") if arguments else not self.debugs
        _say(f"the debugger opens at an exception: {'on' if self.debugs else 'off'}")

    def cd(self, folder: str) -> None:
        """Changes the current folder: of the session and of what `!` runs."""
        try:
            os.chdir(os.path.expanduser(folder or "~"))
        except OSError as error:
            raise MagicError(f"%cd takes a folder, not {folder!r}: {error.strerror}") from None
        self.pwd("")

    def pwd(self, arguments: str) -> None:
        """Prints the current folder."""
        print(current_folder())

    def ls(self, arguments: str) -> None:
        """Lists files and folders."""
        subprocess.run(f"ls -C {arguments}", shell=True, check=False)

    def who(self, arguments: str) -> None:
        """Prints the names that commands have defined, with their values."""
        names = self._session.own_names()
        width = max(map(len, names), default=0)
        for name, value in sorted(names.items()):
            shown = cut(safe_repr(value).partition("\n")[0], min(_WIDEST, max(_columns() - width - 2, 10)))
            print(f"{name.ljust(width)}  {shown}")
        if not names:
            print("no names yet")

    def history(self, arguments: str) -> None:
        """Prints the commands of the session with their numbers; with a number, that many of the last ones."""
        if arguments and not arguments.isdecimal():
            raise MagicError(f"%history takes the number of commands to show, as %history 5, not {arguments!r}")
        last = self._session.number - 1
        count = int(arguments or last)
        for number in range(max(last - count, 0) + 1, last + 1):
            first, *others = (self._session.text(number) or "").rstrip().split("\n")
            for line in (f"{number:4}  {first}", *(f"      {line}" for line in others)):
                print(wrapped(line, _columns(), "      "), end="")

    def save(self, arguments: str) -> None:
        """Writes commands into a file: `%save fold.py 3-5 8`."""
        file, *ranges = words(arguments)
        numbers = [numbers_in(part) for part in ranges]
        if not file or not any(numbers) or any(self._session.text(number) is None for number in chain(*numbers)):
            raise MagicError("%save takes a file and numbers of commands, for example %save fold.py 3-5; see %history")
        path = Path(os.path.expanduser(file))
        if path.exists():
            raise MagicError(f"{path} exists; choose another name")
        texts = [str(self._session.text(number)).rstrip() for number in chain(*numbers)]
        _write(path, "\n".join(f"{python_alone(text) if path.suffix == '.py' else text}\n" for text in texts))
        _say(f"{path} has {counted(len(texts), 'command')}")

    def edit(self, arguments: str) -> None:
        """Opens a file, or the definition of a class or function, in the editor."""
        file, line = self._place(arguments)
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
        try:
            subprocess.run([*shlex.split(editor), f"+{line}", file], check=False)
        except OSError as error:
            raise MagicError(f"the editor {editor} does not start: {error.strerror}; %env EDITOR=...") from None

    def _place(self, arguments: str) -> tuple[str, int]:
        """The file and the line that an expression or a path means."""
        if os.path.exists(os.path.expanduser(arguments)) or arguments.endswith(".py"):
            return os.path.expanduser(arguments), 1
        if not arguments:
            raise MagicError("%edit takes a class, a function or a file, for example %edit tfm.FoldConstants")
        try:
            definition = unwrap(eval(arguments, self._session.namespace))
        except (NameError, AttributeError, SyntaxError) as error:
            raise MagicError(f"%edit takes a class, a function or a file, not {arguments!r}: {error}") from None
        try:
            file = getsourcefile(definition)
            _, line = getsourcelines(definition)
        except (OSError, TypeError):
            file = None
        if file is None or not os.path.exists(file):
            raise MagicError(f"{arguments} is in no file; %save FILE NUMBERS writes commands into one")
        return file, line

    def env(self, arguments: str) -> None:
        """Prints environment variables, or sets one: `%env NAME=value`."""
        name, equals, value = arguments.partition("=")
        if equals and not name.strip():
            raise MagicError("%env takes a name and a value, as %env NAME=value")
        if equals:
            os.environ[name.strip()] = value.strip()
        elif arguments:
            print(os.environ.get(name, f"{name} is not set"))
        else:
            print("\n".join(f"{name}={value}" for name, value in sorted(os.environ.items())))

    def writefile(self, file: str, body: str) -> None:
        """Writes the lines below it into a file."""
        path = Path(os.path.expanduser(file))
        _write(path, body)
        print(f"{path} is written")

    def bash(self, arguments: str, body: str) -> None:
        """Runs the lines below it in bash."""
        subprocess.run(["bash", "-c", body], check=False)


def _first_sentence(function: Callable[..., Any]) -> str:
    return (function.__doc__ or "").partition(".")[0].partition(": ")[0].strip("\n ")


def _columns() -> int:
    return shutil.get_terminal_size().columns


def _say(text: str, stream: TextIO | None = None) -> None:
    print(wrapped(text, _columns()), end="", file=stream)


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, text.encode(errors="backslashreplace"))
    except OSError as error:
        raise MagicError(f"{path} cannot be written: {error.strerror}") from None


@contextmanager
def _arguments(arguments: list[str]) -> Iterator[None]:
    before = sys.argv
    sys.argv = arguments
    try:
        yield
    finally:
        sys.argv = before
