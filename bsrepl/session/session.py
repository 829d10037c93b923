"""The user's session: the namespace that commands run in, and running them."""

from __future__ import annotations
import __future__

import ast
import builtins
import inspect
import linecache
import os
import sys
import warnings
from collections.abc import Callable, Coroutine, Mapping, Sequence
from importlib.machinery import ModuleSpec
from itertools import count, takewhile
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, overload

from ..errors import Left
from ..frameworks.qonnx import ops as custom_ops
from ..registry.plugin import Origin
from ..registry.store import record
from ..reload.imports.shown_source import show_source
from . import syntax as notebook
from .details import written
from .magic_values import assigned
from .magics import Magics
from .system_shell import SystemShell

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

_MOST_OUTPUTS = 20  # values that `Out` keeps
_FUTURES = 0
for _feature in __future__.all_feature_names:
    _FUTURES |= getattr(__future__, _feature).compiler_flag


class Session:
    """A `__main__` module and the commands that run in it; or the names of a host, given as a module.

    Each command is compiled under a name of its own, `<command 3>`, which tracebacks, `inspect.getsource` and the
    origins of plugins can tell from the others.
    """

    def __init__(self, provided: Mapping[str, Any], module: ModuleType | None = None) -> None:
        self.module = ModuleType("__main__") if module is None else module
        self.namespace = vars(self.module)
        #: The provided names that are not available, since the host's module has something else under them.
        self.taken: list[str] = []
        self.provide({"__builtins__": builtins} if module is None else {})
        self.provide(provided)
        self.magics = Magics(self)
        self._outputs: dict[int, Any] = {}
        self._first_names: frozenset[str] = frozenset()  # what was there before the first command
        self._arguments = [""]
        self._scripts: list[str] = []  # what the scripts that ran are called
        self.number = 0  # of the last command
        self._flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT  # and the __future__ imports of the commands so far
        self._last = _parsed("", self._flags)
        #: What awaited commands run on; a shell runs its prompt on it too, so that their tasks go on meanwhile.
        self.loop: AbstractEventLoop | None = None

    def provide(self, names: Mapping[str, Any]) -> None:
        """Adds names to the namespace, but for those that are `taken`."""
        for name, value in names.items():
            if self.namespace.setdefault(name, value) is not value:
                self.taken.append(name)

    def _begin(self) -> None:
        """Adds what commands need, before the first one: a host that runs commands itself has names of its own."""
        if self.number > 0:
            return
        shell = SystemShell(self.namespace)
        self.namespace |= {
            notebook.SYSTEM: shell.run,
            notebook.SYSTEM_LINES: shell.lines,
            notebook.MAGIC: self.magics.line,
            notebook.CELL_MAGIC: self.magics.cell,
            notebook.MAGIC_VALUE: lambda name, arguments: assigned(name, arguments, self.own_names()),
            notebook.MATCHING: self.magics.matching,
        }
        self.namespace.setdefault("In", Inputs(self.text))
        self.namespace.setdefault("Out", self._outputs)

    def start_workers_with(self, module: str, arguments: list[str]) -> None:
        """Makes `multiprocessing` run a module first in each worker that does not begin as a copy of this process.

        `arguments` take the place of `sys.argv`, which is sent to it.
        """
        self.module.__spec__ = ModuleSpec(module, None)
        self._arguments = arguments

    def install(self) -> None:
        """Makes this the `__main__` of the process, so that what is defined in it can be pickled.

        The current folder is importable, but behind everything else: an `onnx.py` in it must not become `onnx`.
        """
        sys.modules["__main__"] = self.module
        vars(builtins).update(exit=Leave(), quit=Leave())
        sys.argv = self._arguments  # a library that parses it must not see the arguments of bsrepl
        sys.path[:] = [*(folder for folder in sys.path if folder not in ("", os.getcwd())), ""]

    @property
    def filename(self) -> str:
        """What the last command is called in tracebacks."""
        return f"<command {self.number}>"

    def understands(self, text: str) -> bool:
        """Whether a text would be run: it is Python, or one of the things that notebooks write besides."""
        return self.parsed(text) is not None

    def parsed(self, text: str) -> ast.Module | None:
        """The syntax tree of a command, or None if it would not run. The last one is kept: several ask for it."""
        if (self._last.text, self._last.flags) != (text, self._flags):
            self._last = _parsed(text, self._flags)
        return self._last.tree

    def run(self, text: str) -> Any:
        """Runs a command. Returns the value of the expression that it is, or ends with; a `;` after it silences.

        Understands `x?`, `!command` and the like besides Python, and `await` outside of functions. Whatever the
        command raises comes through.
        """
        self._begin()
        if self.number == 0:
            self._first_names = frozenset(self.namespace)
        self.namespace["_i"] = self.text(self.number) or ""
        self.number += 1
        filename = self.filename
        show_source(filename, text.encode(errors="surrogatepass"))
        tree = self.parsed(text)
        if tree is None or self._last.warns:
            tree = notebook.parse(text, filename, self._flags)
        body, last = tree.body, None
        final = body[-1] if body else None
        if isinstance(final, ast.Expr) and not text.rstrip().endswith(";"):
            body, last = body[:-1], ast.Expression(final.value)
        if body:
            self._executed(ast.Module(body, []), filename, "exec")
            self._register_plain_ops(body)
        value = None if last is None else self._executed(last, filename, "eval")
        if value is not None:
            self.namespace["__"], self.namespace["_"] = self.namespace.get("_"), value
            self._keep_output(value)
        return value

    def text(self, number: int) -> str | None:
        """The text of a command; None if there was none of that number."""
        if not 1 <= number <= self.number:
            return None
        return "".join(linecache.getlines(f"<command {number}>"))

    def own_names(self) -> dict[str, Any]:
        """What commands have defined, by name; without names that start with `_`."""
        names = self.namespace.keys() - self._first_names
        return {name: self.namespace[name] for name in names if not name.startswith("_")}

    def _keep_output(self, value: Any) -> None:
        if self.namespace.get("Out") is self._outputs:  # the user may have another use for the name
            self._outputs[self.number] = value
            for number in list(self._outputs)[:-_MOST_OUTPUTS]:
                del self._outputs[number]

    def _register_plain_ops(self, body: list[ast.stmt]) -> None:
        """The custom ops that a command defines without a decorator are kernels all the same."""
        for statement in body:
            if isinstance(statement, ast.ClassDef) and not statement.decorator_list:
                defined = self.namespace.get(statement.name)
                if custom_ops.is_custom_op(defined):
                    record(custom_ops.undecorated(defined, Origin(self.filename, statement.lineno)))

    def definitions(self) -> str:
        """The imports, functions and classes of what ran so far, as a module that has nothing else in it."""
        sources: list[str] = []
        for filename in [*self._scripts, *(f"<command {number}>" for number in range(1, self.number + 1))]:
            lines = linecache.getlines(filename)
            tree = self.parsed("".join(lines))
            for statement in tree.body if tree is not None else ():
                if isinstance(statement, (ast.Import, ast.ImportFrom)):
                    sources.append(f"{ast.unparse(statement)}\n")  # other statements may share its line
                elif isinstance(statement, (ast.ClassDef, ast.FunctionDef)):
                    sources.append(written(statement, lines))
        return "\n".join(sources)

    def statements_before(self, text: str, line: int) -> int:
        """How many statements of a command end before a line of it."""
        return sum(
            (statement.end_lineno or statement.lineno) < line
            for statement in notebook.parse(text, flags=self._flags).body
        )

    def run_script(self, text: str, filename: str) -> None:
        """Runs a whole script; no value is shown. Whatever it raises comes through."""
        self._begin()
        self.note(text, filename)
        self._executed(notebook.parse(text, filename, self._flags), filename, "exec")

    def note(self, text: str, filename: str) -> None:
        """Takes a script, or code that a host runs itself, for a part of the session."""
        show_source(filename, text.encode(errors="surrogatepass"))
        self._scripts.append(filename)

    def _executed(self, tree: ast.Module | ast.Expression, filename: str, mode: str) -> Any:
        code: CodeType = compile(tree, filename, mode, self._flags, dont_inherit=True)
        self._flags |= code.co_flags & _FUTURES
        value = eval(code, self.namespace)
        return self._awaited(value) if code.co_flags & inspect.CO_COROUTINE else value

    def _awaited(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """What a coroutine returns, on an event loop that lives as long as the session, as its tasks do."""
        import asyncio  # only now: few commands await

        from .event_loop import completed

        if self.loop is None:
            self.loop = asyncio.new_event_loop()
        return completed(self.loop, coroutine)

    def close(self) -> None:
        """Ends the event loop that awaited commands shared."""
        if self.loop is not None:
            self.loop.close()
            self.loop = None


class Leave:
    """`exit` and `quit`. Those of Python close standard input, which a session that goes on has need of."""

    def __call__(self, code: Any = None) -> NoReturn:
        raise Left(code)

    def __repr__(self) -> str:
        return "type exit, or press Ctrl-D, to leave"


class Inputs(Sequence[str]):
    """`In`: the texts of the commands by their numbers, `In[-1]` the last."""

    def __init__(self, text: Callable[[int], str | None]) -> None:
        self._text = text

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        return ["", *self._texts()][index]

    def __len__(self) -> int:
        return len(self._texts()) + 1

    def _texts(self) -> list[str]:
        return list(takewhile(lambda text: text is not None, map(self._text, count(1))))  # type: ignore[arg-type]


def is_complete_command(text: str) -> bool:
    """Whether a command ends, in its last line, with a statement that could not go on: no open bracket, no block."""
    tree = _parsed(text).tree
    if tree is None or not tree.body:
        return False
    last = tree.body[-1]
    return not hasattr(last, "body") and last.end_lineno == text.count("\n") + 1


class _Parsed(NamedTuple):
    """A text as it was parsed."""

    text: str
    flags: int
    tree: ast.Module | None  # None if it would not run
    warns: bool  # which is told when it runs


def _parsed(text: str, flags: int = 0) -> _Parsed:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            tree = notebook.parse(text, flags=flags)
        except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError):
            return _Parsed(text, flags, None, False)
        return _Parsed(text, flags, tree, bool(warned))
