"""A session as a test: its commands, and what each of them does now."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import RecordingError

if TYPE_CHECKING:
    from .replay import Effects

_WIDTH = 100  # columns of a dict in one line
_RUN = "import sys; sys.path[:] = {path!r}; from bsrepl.shell.replay import run; print(); print(run(*{arguments!r}))"
_BEGIN = '''\
"""Recorded by bsrepl: it passes as long as each command does what it did. Run it with pytest."""

from pathlib import Path

from bsrepl.shell.replay import replayed

HERE = Path(__file__).parent


def {name}():
    with replayed({paths}) as run:
'''


def written(path: Path, plugin_files: Sequence[str], commands: Sequence[str]) -> str:
    """The source of a test for commands of a session that has these plugin files and folders, to be written at a path.

    The commands run again, twice, in processes of their own: what they do differently is not a part of the test, and
    what they do with the files as these are now is. Raises RecordingError if that fails.
    """
    lasting = [command for command in commands if command.strip()[:1] not in ("!", "%")]  # those act on the machine
    here = path.absolute().parent
    paths = [f'HERE / "{os.path.relpath(file, here)}"' for file in plugin_files]
    folder = os.path.relpath(os.getcwd(), here)
    paths.append("folder=HERE" if folder == "." else f'folder=HERE / "{folder}"')
    first, second = _run_twice(plugin_files, lasting)
    lines = [_BEGIN.format(name=path.stem, paths=", ".join(paths))]
    for command, was, now in zip(lasting, first, second, strict=True):
        same = {key: value for key, value in was.items() if now.get(key) == value}
        lines.append(_step(command, same))
    return "".join(lines) + ("" if lasting else "        pass\n")


def _step(command: str, effects: Effects) -> str:
    call = f"run({_quoted(command.strip(chr(10)))})"
    if not effects:
        return f"        {call}\n"
    return f"        assert {call} == {_literal(effects, ' ' * 8)}\n"


def _literal(value: object, indent: str) -> str:
    """A value as source; a dict that is long has its values on lines of their own."""
    if not isinstance(value, dict) or len(indent) + len(repr(value)) <= _WIDTH:
        return repr(value)
    lines = [f"{indent}    {key!r}: {_literal(part, f'{indent}    ')},\n" for key, part in value.items()]
    return "".join(["{\n", *lines, indent, "}"])


def _quoted(text: str) -> str:
    if "\n" not in text:
        return repr(text)
    escaped = text.replace("\\", "\\\\").replace('"""', r"\"\"\"")
    return f'"""\\\n{escaped}\n"""'


def _run_twice(plugin_files: Sequence[str], commands: Sequence[str]) -> list[list[Effects]]:
    code = _RUN.format(path=sys.path, arguments=(list(plugin_files), os.getcwd(), list(commands)))
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    results = []
    for process in processes:
        out, err = process.communicate()
        if process.returncode:
            last = err.decode(errors="replace").strip().rpartition("\n")[2]
            raise RecordingError(f"the session does not run again: {last}")
        results.append(ast.literal_eval(out.decode().rstrip().rpartition("\n")[2]))
    return results
