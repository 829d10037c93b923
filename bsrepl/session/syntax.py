"""What people write at a prompt besides Python: `!command`, `lines = !command`, `x?`, `x??`, and IPython's `%magic`.

Only a line that Python refuses is looked at, so a `!` inside a string stays what it is.
"""

from __future__ import annotations

import ast
import re
import shlex
import sys
from collections.abc import Callable, Mapping

from ..text.patterns import late_pattern

#: The names that translated lines call; a session provides them.
SYSTEM = "__system__"
SYSTEM_LINES = "__system_lines__"
MAGIC = "__magic__"
CELL_MAGIC = "__cell_magic__"
MAGIC_VALUE = "__magic_value__"
MATCHING = "__matching__"

_LINES = late_pattern(r"(?P<indent>\s*)!!(?P<command>.*)")
_COMMAND = late_pattern(r"(?P<indent>\s*)!(?!>> )(?P<command>.*)")
_ASSIGNED = late_pattern(r"(?P<target>\s*[\w.,\[\] \"']+=)\s*!(?P<command>.*)")
_VALUE = late_pattern(r"(?P<target>\s*[\w.,\[\] \"']+=)\s*%(?P<name>[A-Za-z_]\w*)(?P<arguments>.*)")
_AFTER = late_pattern(r"(?P<indent>\s*)(?P<expression>[^\s?].*?)(?P<marks>\?\??)\s*")
_BEFORE = late_pattern(r"(?P<indent>\s*)(?P<marks>\?\??)(?P<expression>[^\s?].*?)\s*")
_TIME = late_pattern(r"(?P<indent>\s*)%%?time\b\s*(?P<statement>.*)")
_PIP = late_pattern(r"(?P<indent>\s*)%pip\b\s*(?P<arguments>.*)")
_MAGIC = late_pattern(r"(?P<indent>\s*)%%?(?P<name>[A-Za-z_]\w*)(?P<arguments>.*)")
_CELL = late_pattern(r"\s*%%(?P<name>timeit|writefile|bash|sh)\b(?P<arguments>[^\n]*)\n(?P<body>.*)", re.DOTALL)
_CELL_HEAD = late_pattern(r"\s*%%(?:time|timeit|writefile|bash|sh)\b[^\n]*")
_MATCHING = late_pattern(r"(?P<indent>\s*)(?P<owner>[A-Za-z_][\w.]*)\.(?P<pattern>[\w*]*\*[\w*]*)\?\s*")
_FIELD = late_pattern(r"(?<!\$)\{(?P<expression>[^{}]+)\}|(?<![\\$\w])\$(?P<name>[A-Za-z_]\w*)")


def parse(text: str, filename: str = "<input>", flags: int = 0) -> ast.Module:
    """The syntax tree of a command, each statement on the line where it was written.

    Raises SyntaxError, where the text is neither Python nor one of the other things.
    """
    if cell := _CELL.fullmatch(text):
        text = f"{CELL_MAGIC}({cell['name']!r}, {cell['arguments']!r}, {cell['body']!r})"
    lines: list[str] | None = None
    while True:
        try:
            source = text if lines is None else "\n".join(lines)
            tree: ast.Module = compile(source, filename, "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
            return tree
        except SyntaxError as error:
            lines = lines or text.split("\n")
            number = (error.lineno or 0) - 1
            translated = _translated(lines[number]) if 0 <= number < len(lines) else None
            if translated is None:
                raise
            lines[number] = translated


def python_alone(text: str) -> str:
    """A command as it stands in a Python file: the lines that are not Python are comments there."""
    lines = text.split("\n")
    while True:
        try:
            compile("\n".join(lines), "<input>", "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
        except SyntaxError as error:
            number = (error.lineno or 0) - 1
            if 0 <= number < len(lines) and _translated(lines[number]) is not None:
                lines[number] = _commented(lines[number])
                continue
        return "\n".join(lines)


def _commented(line: str) -> str:
    if match := _TIME.fullmatch(line):
        return f"{match['indent']}{match['statement'] or 'pass'}"
    written = line.lstrip()
    indent = line[: len(line) - len(written)]
    return f"{indent}pass  # {written}" if indent else f"# {written}"


def begins_cell(text: str) -> bool:
    """Whether a text is the first line of a cell, such as `%%bash`, and nothing more."""
    return _CELL_HEAD.fullmatch(text) is not None


def _translated(line: str) -> str | None:
    """The Python for one line that is none."""
    if match := _LINES.fullmatch(line):
        return f"{match['indent']}{SYSTEM_LINES}({match['command'].strip()!r})"
    if match := _COMMAND.fullmatch(line):
        return f"{match['indent']}{SYSTEM}({match['command'].strip()!r})"
    if match := _ASSIGNED.fullmatch(line):
        return f"{match['target']} {SYSTEM_LINES}({match['command'].strip()!r})"
    if match := _VALUE.fullmatch(line):
        if match["name"] == "time":
            return f"{match['target']} {match['arguments']}"
        return f"{match['target']} {MAGIC_VALUE}({match['name']!r}, {match['arguments']!r})"
    if match := _TIME.fullmatch(line):  # the time is told anyway
        return f"{match['indent']}{match['statement'] or 'pass'}"
    if match := _PIP.fullmatch(line):  # that of this Python
        command = f"{shlex.quote(sys.executable)} -m pip {match['arguments']}"
        return f"{match['indent']}{SYSTEM}({command!r})"
    if match := _MAGIC.fullmatch(line):
        return f"{match['indent']}{MAGIC}({match['name']!r}, {match['arguments']!r})"
    if match := _MATCHING.fullmatch(line):
        return f"{match['indent']}{MATCHING}({match['owner']}, {match['pattern']!r})"
    if match := _AFTER.fullmatch(line) or _BEFORE.fullmatch(line):
        command = {"?": "show", "??": "source"}[match["marks"]]
        if _is_python(match["expression"], "eval"):
            return f"{match['indent']}{command}({match['expression']})"
    if line.strip() in ("?", "??"):
        return f"{line[: len(line) - len(line.lstrip())]}help()"
    before, semicolon, last = line.rpartition(";")
    is_asked = semicolon and last.rstrip().endswith("?") and _is_python(before.strip(), "exec")
    asked = _translated(last.strip()) if is_asked else None
    return f"{before}; {asked}" if asked else None


def expanded(command: str, names: Mapping[str, object], evaluate: Callable[[str], object]) -> str:
    """A `!command` with `{expression}` and `$name` replaced by what they are in the session.

    What is not made of the session's names stays for the system's shell: `$HOME`, `awk '{print $1}'`.
    """

    def replaced(match: re.Match[str]) -> str:
        expression = match["expression"] or match["name"]
        if not any(name in names for name in _names(expression)):
            return match[0]
        return str(evaluate(expression))

    return _FIELD.sub(replaced, command)


def _names(expression: str) -> list[str]:
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError):
        return []
    return [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]


def _is_python(text: str, mode: str) -> bool:
    try:
        ast.parse(text, mode=mode)
    except (SyntaxError, ValueError):
        return False
    return True
