"""A session that runs again, without a terminal, for a test: each command gives its effects as plain values."""

from __future__ import annotations

import ast
import builtins
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from io import StringIO
from typing import Any

from ..errors import PluginFileError
from ..models.process.executor import Executor
from ..models.proof.verdict import Verdict
from ..registry.snapshot import Snapshot
from ..registry.store import registry
from ..session import pasted
from ..session.turn import Turn
from ..text.format import safe_repr
from ..text.terminal import Terminal
from . import assembly, places
from .console import Console
from .settings import Settings

_LONGEST = 500  # characters of a value
_PLAIN = (bool, int, str, type(None))

#: What a command did: `value`, `error`, `registry` and `models`, as far as there is something to say.
Effects = dict[str, Any]


@contextmanager
def replayed(*paths: object, folder: object = ".") -> Iterator[Callable[[str], Effects]]:
    """Begins a session with these plugin files and folders of them, in a folder. Gives a function that runs a command.

    It returns what the command did: `{"value": 18}` if that is a plain value, `{"error": "ValueError"}`,
    `{"registry": ["+ tfm.Fold"]}`, `{"models": {"m": {"nodes": {"Conv": 2}, "verdict": "OK"}}}`, or several of these;
    the first command also what the plugin files register. Raises PluginFileError if one of them fails. At the end the
    process is as before.
    """
    out = Terminal(StringIO(), color=False)
    with _as_it_was(), closing(Executor()) as executor:
        absolute = [os.path.abspath(os.fspath(str(path))) for path in paths]
        os.chdir(str(folder))
        console = assembly.console(registry, absolute, out, out, executor, Settings(index_file=places.index_file()))
        with closing(console):
            console.session.install()
            begin = registry.snapshot
            console.look()
            if failures := [str(failure.error) for failure in console.reloader.failures.values()]:
                raise PluginFileError("; ".join(failures))
            yield partial(_run, console, [begin])


def _run(console: Console, last: list[Snapshot], command: str) -> Effects:
    """Runs a command. `last` is the registry as it was reported last: at first, without the plugin files."""
    console.looking.look(is_command=True)
    turn = console.evaluator.evaluate(pasted.cleaned(command, console.session.understands).text)
    since, last[0] = last[0], turn.after
    return effects(turn, since)


def effects(turn: Turn, since: Snapshot) -> Effects:
    """What a command did, and the registry `since`, as plain values that are the same whenever it does the same."""
    done: Effects = {}
    if turn.error is not None:
        done["error"] = type(turn.error).__name__
    elif isinstance(turn.value, Verdict):
        done["value"] = turn.value.outcome.value
    elif turn.value is not None and _is_plain(turn.value):
        done["value"] = turn.value
    if changes := [f"{change.sign} {change.plugin.key}" for change in turn.changes(since)]:
        done["registry"] = changes
    if turn.models:
        done["models"] = {outcome.change.name: _model(outcome.change.after, outcome.proof) for outcome in turn.models}
    return done


def _model(model: Any, proof: Any) -> dict[str, Any]:
    counts = Counter(node.op_type for node in getattr(model, "model", model).graph.node)
    verdict = {} if proof is None or proof.verdict is None else {"verdict": proof.verdict.outcome.value}
    return {"nodes": dict(sorted(counts.items())), **verdict}


def _is_plain(value: Any) -> bool:
    """Whether a value is written as it is, and no measurement: whole numbers and texts, and collections of them."""
    written = safe_repr(value)
    try:
        return len(written) <= _LONGEST and ast.literal_eval(written) == value and _has_plain_parts(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False


def _has_plain_parts(value: Any) -> bool:
    if type(value) in (tuple, list, set):
        return all(map(_has_plain_parts, value))
    if type(value) is dict:
        return all(map(_has_plain_parts, (*value, *value.values())))
    return type(value) in _PLAIN


@contextmanager
def _as_it_was() -> Iterator[None]:
    """Gives the process back at the end what a session takes: the registry, `__main__`, the path, the folder."""
    folder, main, arguments, path = os.getcwd(), sys.modules["__main__"], sys.argv, list(sys.path)
    leave = {name: getattr(builtins, name) for name in ("exit", "quit") if hasattr(builtins, name)}
    snapshot = registry.snapshot
    registry.replace(Snapshot())
    try:
        yield
    finally:
        registry.replace(snapshot)
        os.chdir(folder)
        sys.modules["__main__"], sys.argv, sys.path[:] = main, arguments, path
        vars(builtins).update(leave)


def run(paths: Sequence[str], folder: str, commands: Sequence[str]) -> list[Effects]:
    """The effects of each command of a session."""
    with replayed(*paths, folder=folder) as command:
        return [command(text) for text in commands]
