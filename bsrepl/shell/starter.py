"""The plugin file that is written for a PATH that does not exist yet: examples, commented out."""

from __future__ import annotations

import ast
from importlib.resources import files
from pathlib import Path

_INTRODUCTION = """\
# Edit this file while bsrepl is running: save it, and the shell has it.
#
# Uncomment an example (take the "# " off its lines) and save:
"""


def text() -> str:
    """The examples of `starter_examples.py`, each with the imports that it needs, commented out."""
    source = files(__package__).joinpath("starter_examples.py").read_text(encoding="utf-8")
    lines = source.splitlines()
    imports: dict[str, str] = {}
    blocks = [_INTRODUCTION]
    for node in ast.parse(source).body:
        if isinstance(node, ast.ImportFrom) and node.module != "bsrepl":  # what bsrepl provides needs no import
            imports.update({alias.name: ast.unparse(node) for alias in node.names})
        elif isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            first = node.decorator_list[0].lineno - 1
            needed = [imports[name] for name in _names(node) if name in imports]
            blocks.append(_commented([*needed, *[""] * bool(needed), *lines[first : node.end_lineno]]))
    return "\n".join(blocks)


def create(path: Path) -> bool:
    """Writes a starter file unless there is something of that name already. Returns whether it did.

    Raises OSError if it cannot be written.
    """
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(text())
    except FileExistsError:
        return False
    return True


def _names(node: ast.AST) -> list[str]:
    names = (name.id for name in ast.walk(node) if isinstance(name, ast.Name))
    return list(dict.fromkeys(names))


def _commented(lines: list[str]) -> str:
    return "".join(f"# {line}".rstrip() + "\n" for line in lines)
