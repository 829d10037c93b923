"""The user's settings: `config.py`, with a function `configure` as ptpython has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...errors import PluginFileError
from ...reload.files.signatures import read_once
from .repl import Shell


def configure(shell: Shell, path: Path, *, trusting: bool = False) -> None:
    """Runs the user's `config.py`, if there is one, and its `configure(repl)`. An error in it is told."""
    console = shell.console
    try:
        source = read_once(str(path), trusted=trusting)
    except FileNotFoundError:
        return
    except PluginFileError as error:
        console.err.write([("warning", f"{error}\n")])
        return
    names: dict[str, Any] = {"__name__": "bsrepl_config", "__file__": str(path)}
    try:
        exec(compile(source, str(path), "exec", dont_inherit=True), names)
        if "configure" in names:
            names["configure"](shell)
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        console.tell_error(error)
