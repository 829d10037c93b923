"""Code as people paste it, made into code that runs: without prompts, outputs, Markdown fences and common indentation,
and with what chats and web pages did to spaces and quotes mended.

A text that runs as it stands is never touched, and no repair is kept that does not make the text run.
"""

from __future__ import annotations

import ast
import json
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from ..text.format import counted
from ..text.patterns import late_pattern

#: Whether a text would run as it stands.
Runs = Callable[[str], bool]

_FENCE = late_pattern(r"\s*(?:>\s*)?(?P<mark>```+|~~~+)\s*(?P<language>[\w+-]*).*")
_PYTHON = frozenset({"python", "python3", "py", "py3", "pycon", "ipython", "ipython3", "doctest", "python-repl"})
_OTHER = frozenset({"bash", "c", "console", "cpp", "diff", "json", "output", "sh", "shell", "toml", "yaml", "zsh"})
_PROMPT = late_pattern(r"\s*(?:>>>|!>>)(?: (?P<code>.*))?")
_GOES_ON = late_pattern(r"\s*\.\.\.(?: (?P<code>.*))?")
_IN = late_pattern(r"\s*In ?\[[ \d*]*\]:(?: (?P<code>.*)|\s*)")
_IN_GOES_ON = late_pattern(r"\s*\.\.\.+:(?: (?P<code>.*)|\s*)")
_OUT = late_pattern(r"\s*Out ?\[[ \d*]*\]:.*")

_SPACES = dict.fromkeys(
    "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "
)
_NOTHING = dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", "")
_DOUBLE = "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033"
_SINGLE = "\u2018\u2019\u201a\u201b\u2032"
_STRAIGHT = {**dict.fromkeys(_DOUBLE, '"'), **dict.fromkeys(_SINGLE, "'"), '"': '"', "'": "'"}


class Cleaned(NamedTuple):
    """The code in a pasted text, and what was done to get at it."""

    text: str
    steps: tuple[str, ...] = ()


def cleaned(text: str, runs: Runs) -> Cleaned:
    """The code in `text`. Returns it as it is if it runs so, or if nothing known here would make it run."""
    # `In[3]: x = 1` is an annotation to Python.
    has_cells = "In" in text and any(_IN.fullmatch(line) for line in text.splitlines())
    is_notebook = '"nbformat"' in text and _out_of_notebook(text) is not None  # to Python it is a dictionary
    if not has_cells and not is_notebook and runs(text):
        return Cleaned(text)
    steps: list[str] = []
    code = text.replace("\r\n", "\n").replace("\r", "\n")
    of_python = partial(_without_prompts, _PROMPT, _GOES_ON, False)
    of_ipython = partial(_without_prompts, _IN, _IN_GOES_ON, True)
    for strip in (_out_of_notebook, _without_fences, of_python, of_ipython):
        stripped = strip(code)
        if stripped is not None:
            code, what = stripped
            steps.append(what)
    if steps and not any(line.strip() and not line.lstrip().startswith("#") for line in code.split("\n")):
        return Cleaned("", (*steps, "nothing is left to run"))
    if runs(code):
        return Cleaned(code, tuple(steps))
    repaired = _repaired(code, runs)
    if repaired is not None:
        return Cleaned(repaired[0], (*steps, *repaired[1]))
    return Cleaned(code, tuple(steps)) if steps else Cleaned(text)


def _out_of_notebook(text: str) -> tuple[str, str] | None:
    """The code cells of a notebook, given as the text of its file."""
    try:
        notebook = json.loads(text)
        notebook["nbformat"]
        sources = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return "\n".join(sources), f"{counted(len(sources), 'code cell')} of a notebook"


def _without_fences(text: str) -> tuple[str, str] | None:
    """What stands between Markdown fences: the blocks of Python; if there are none, those of no language, or of any
    but those that are certainly something else."""
    lines = text.split("\n")
    fences = [number for number, line in enumerate(lines) if _FENCE.fullmatch(line)]
    if not fences:
        return None
    if len(fences) == 1:  # the other one was not selected
        before, after = lines[: fences[0]], lines[fences[0] + 1 :]
        kept = after if any(line.strip() for line in after) else before
        return "\n".join(kept), "Markdown fence left out"
    blocks = list(_blocks(lines))
    for languages in (_PYTHON, frozenset({""}), frozenset(language for language, _ in blocks) - _OTHER):
        code = [block for language, block in blocks if language in languages]
        if code:
            break
    if not code:
        return "", f"Markdown without Python left out: {', '.join(dict.fromkeys(language for language, _ in blocks))}"
    return "\n".join(code), f"Markdown around {counted(len(code), 'block')} left out"


def _blocks(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The language and the content of each fenced block; a fence is closed by one that is as long and says nothing."""
    mark, language, content = "", "", list[str]()
    for line in lines:
        fence = _FENCE.fullmatch(line)
        if fence is not None and not mark:
            mark, language, content = fence["mark"], fence["language"].lower(), []
        elif fence is not None and fence["mark"].startswith(mark) and not fence["language"]:
            yield language, textwrap.dedent("\n".join(content))
            mark = ""
        elif mark:
            content.append(line)
    if mark:
        yield language, textwrap.dedent("\n".join(content))


def _without_prompts(
    begins: re.Pattern[str], goes_on: re.Pattern[str], has_cells: bool, text: str
) -> tuple[str, str] | None:
    """The input of a session, whose lines follow prompts; with `has_cells`, also the code below an empty `In [3]:`."""
    lines = text.split("\n")
    if not any(begins.fullmatch(line) for line in lines):
        return None
    code: list[str] = []
    prompts = outputs = 0
    is_input = is_below = False
    for line in lines:
        if match := begins.fullmatch(line):
            prompts += 1
            is_input, is_below = True, has_cells and not (match["code"] or "").strip()
            code.append(match["code"] or "")
        elif is_input and (match := goes_on.fullmatch(line)):
            is_below = False
            code.append(match["code"] or "")
        elif is_below and not _OUT.fullmatch(line):
            code.append(line)
        else:
            is_input = is_below = False
            outputs += bool(line.strip())
    also = f" and {counted(outputs, 'line')} of output" if outputs else ""
    return "\n".join(code), f"{counted(prompts, 'prompt')}{also} left out"


def _repaired(text: str, runs: Runs) -> tuple[str, list[str]] | None:
    """The text with the first repair, or the first two of them, that make it run."""
    mended = _typed(text)
    for code, steps in ((text, []), (mended, ["typographic spaces and quotes replaced"])):
        if steps and code == text:
            continue
        if steps and runs(code):
            return code, steps
        for change, what in _INDENTATION:
            changed = change(code)
            if changed != code and runs(changed):
                return changed, [*steps, what] if what else steps
    return None


def _typed(text: str) -> str:
    """The text as a keyboard would have typed it: plain spaces and straight quotes outside of strings."""
    written: list[str] = []
    quote = ""  # what ends the string that is open
    position = 0
    while position < len(text):
        char = text[position]
        three = "".join(_STRAIGHT.get(char, "") for char in text[position : position + 3])
        if quote:
            if char == "\\":
                written.append(text[position : position + 2])
                position += 2
                continue
            ends = three == quote if len(quote) == 3 else _closes(char, quote)
            if ends or (char == "\n" and len(quote) == 1):
                written.append(char if char == "\n" else _STRAIGHT[quote[0]] * len(quote))
                position += 1 if char == "\n" else len(quote)
                quote = ""
                continue
            written.append("\\" + char if char == _STRAIGHT[quote[0]] and char != quote[0] else char)
        elif char == "#":
            end = text.find("\n", position)
            end = len(text) if end < 0 else end
            written.append(text[position:end])
            position = end
            continue
        elif three in ('"""', "'''"):
            quote = three
            written.append(three)
            position += 3
            continue
        elif char in _STRAIGHT:
            quote = char
            written.append(_STRAIGHT[char])
        else:
            written.append(_SPACES.get(char, _NOTHING.get(char, char)))
        position += 1
    return "".join(written)


def _closes(char: str, quote: str) -> bool:
    """Whether a character ends the string that `quote` began: a straight quote itself alone, a curly one any curly."""
    if quote in "\"'":
        return char == quote
    return char in (_DOUBLE if quote in _DOUBLE else _SINGLE)


def _dedented(text: str) -> str:
    """Without the indentation of its first line, but for the lines inside a string."""
    lines = text.split("\n")
    first = next((line for line in lines if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip())]
    if not indent:
        return text
    inside = set(_lines_inside_strings(f"if 1:\n{text}\n"))
    return "\n".join(
        line if number + 2 in inside else line.removeprefix(indent) if line.strip() else ""
        for number, line in enumerate(lines)
    )


def _lines_inside_strings(source: str) -> Iterator[int]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.Constant, ast.JoinedStr)) and node.end_lineno is not None:
            yield from range(node.lineno + 1, node.end_lineno + 1)


def _first_line_as_the_rest(text: str) -> str:
    """The first line was selected from its first word on, the others with their indentation."""
    first, _, rest = text.lstrip().partition("\n")
    return f"{first}\n{_dedented(rest)}"


def _with_spaces(text: str) -> str:
    """Tabs before code made spaces, to the next column of eight as Python 2 did."""
    lines = text.split("\n")
    return "\n".join(
        line[: len(line) - len(line.lstrip())].expandtabs(8) + line.lstrip() if "\t" in line else line for line in lines
    )


_INDENTATION: tuple[tuple[Callable[[str], str], str], ...] = (
    (textwrap.dedent, ""),
    (_dedented, ""),
    (_first_line_as_the_rest, ""),
    (_with_spaces, "tabs replaced by spaces"),
    (lambda text: textwrap.dedent(_with_spaces(text)), "tabs replaced by spaces"),
)
