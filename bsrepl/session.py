"""The user's session: the namespace that commands run in, and running them."""

from __future__ import annotations
import __future__

import ast
import builtins
import codeop
import os
import subprocess
import sys
from collections.abc import Mapping
from types import CodeType, ModuleType
from typing import Any

from .loader import show_source

_FUTURES = 0
for _feature in __future__.all_feature_names:
    _FUTURES |= getattr(__future__, _feature).compiler_flag


class Session:
    """A `__main__` module and the commands that run in it.

    Each command is compiled under a name of its own, `<command 3>`, which tracebacks, `inspect.getsource` and the
    origins of plugins can tell from the others.
    """

    def __init__(self, provided: Mapping[str, Any]) -> None:
        self.module = ModuleType("__main__")
        self.namespace = vars(self.module)
        self.namespace.update(provided)
        self.namespace["__builtins__"] = builtins
        self.number = 0  # of the last command
        self._flags = 0  # the __future__ imports of the commands so far

    def install(self) -> None:
        """Makes this the `__main__` of the process, so that what is defined in it can be pickled.

        The current folder is importable, but behind everything else: an `onnx.py` in it must not become `onnx`.
        """
        sys.modules["__main__"] = self.module
        sys.path[:] = [*(folder for folder in sys.path if folder not in ("", os.getcwd())), ""]

    def run(self, text: str) -> Any:
        """Runs a command. Returns the value of the expression that it is, or ends with; a `;` after it silences.

        Understands `x?` and `x??` (`show(x)`, `source(x)`) and `!command` besides Python. Whatever the command raises
        comes through.
        """
        self.number += 1
        if text.lstrip().startswith("!"):
            return self._system(text.lstrip()[1:])
        filename = f"<command {self.number}>"
        source = _question(text) or text
        show_source(filename, source.encode())
        tree = compile(source, filename, "exec", self._flags | ast.PyCF_ONLY_AST, dont_inherit=True)
        assert isinstance(tree, ast.Module)
        last: ast.Expression | None = None
        if tree.body and isinstance(tree.body[-1], ast.Expr) and not text.rstrip().endswith(";"):
            last = ast.Expression(tree.body.pop().value)  # type: ignore[attr-defined]
        value = None
        if tree.body:
            exec(self._compiled(tree, filename, "exec"), self.namespace)
        if last is not None:
            value = eval(self._compiled(last, filename, "eval"), self.namespace)
        if value is not None:
            self.namespace["_"] = value
        return value

    def run_script(self, text: str, filename: str) -> None:
        """Runs a whole script; no value is shown. Whatever it raises comes through."""
        show_source(filename, text.encode())
        exec(compile(text, filename, "exec", dont_inherit=True), self.namespace)

    def _compiled(self, tree: ast.Module | ast.Expression, filename: str, mode: str) -> CodeType:
        code: CodeType = compile(tree, filename, mode, self._flags, dont_inherit=True)
        self._flags |= code.co_flags & _FUTURES
        return code

    def _system(self, command: str) -> None:
        status = subprocess.call(command, shell=True, executable=os.environ.get("SHELL") or None)
        self.namespace["_exit_code"] = status


def is_no_python(text: str) -> bool:
    """Whether a command is one that the session understands besides Python: `x?`, `x??`, `!command`."""
    return text.lstrip().startswith("!") or _question(text) is not None


def is_complete_command(text: str) -> bool:
    """Whether Python would run a command of several lines now: no bracket is open, and no block that could go on."""
    try:
        return codeop.compile_command(text, "<input>", "single") is not None
    except (SyntaxError, ValueError, OverflowError):
        return False


def _question(text: str) -> str | None:
    """`show(x)` for `x?`, `source(x)` for `x??`."""
    asked = text.strip()
    for mark, command in (("??", "source"), ("?", "show")):
        expression = asked.removesuffix(mark).strip()
        if asked.endswith(mark) and _is_expression(expression):
            return f"{command}({expression})"
    return None


def _is_expression(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except (SyntaxError, ValueError):
        return False
    return True
