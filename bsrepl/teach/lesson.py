"""Lessons: Markdown files whose Python fences are steps, with what is to be read before each and true after it.

# The title
## A step
Some lines to read.
```python                     put at the prompt
```python file=fold.py        written into the lesson's folder, as a plugin file
```check                      expressions, a line each, that are true once the step was done
```output                     what the step printed when the lesson was recorded
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from ..errors import LessonError

_FENCE = re.compile(r"^(?P<mark>`{3,}|~{3,})\s*(?P<info>.*?)\s*$")
_FILE = re.compile(r"\bfile=(?P<quote>[\"']?)(?P<name>[^\s\"']+)(?P=quote)")
_CODE = ("python", "py", "python3", "pycon")


class Step(NamedTuple):
    """One fence of code, and what belongs to it."""

    title: str  # of the section; empty if it is the one of the step before
    text: str  # what is to be read before
    code: str  # a command, or the content of a file
    file: str = ""  # the name of the file; empty of a command
    checks: tuple[str, ...] = ()  # expressions that are true afterwards
    output: str | None = None  # what it printed when it was recorded
    line: int = 0  # where it begins in the lesson


class Lesson(NamedTuple):
    """The steps of a lesson."""

    title: str
    steps: tuple[Step, ...]
    name: str  # of the file that it is from


def parsed(text: str, name: str) -> Lesson:
    """The lesson in a Markdown text. Raises LessonError, which says at which line, if it is none."""
    title, heading = "", ""
    prose: list[str] = []
    steps: list[Step] = []
    lines = enumerate(text.splitlines(), 1)
    for number, line in lines:
        fence = _FENCE.match(line)
        if fence is None:
            if line.startswith("#"):
                prose.clear()
                heading = line.lstrip("#").strip()
                title = title or heading
            else:
                prose.append(line)
            continue
        body = []
        for _, inner in lines:
            if inner.strip() == fence["mark"]:
                break
            body.append(inner)
        else:
            raise LessonError(f"{name}:{number} opens a fence that is never closed; close it with {fence['mark']}")
        content = "\n".join(body) + "\n" if body else ""
        kind = fence["info"].partition(" ")[0].lower()
        if kind in ("check", "output"):
            if not steps:
                raise LessonError(f"{name}:{number} is a {kind} fence without a step; put a python fence before it")
            more = tuple(filter(None, map(str.strip, body)))
            steps[-1] = (
                steps[-1]._replace(checks=steps[-1].checks + more)
                if kind == "check"
                else steps[-1]._replace(output=content)
            )
        elif kind in _CODE:
            file = _FILE.search(fence["info"])
            if file is not None and not _is_plain(file["name"]):
                raise LessonError(
                    f"{name}:{number} names {file['name']}; file= takes a .py file in the lesson's folder"
                )
            steps.append(
                Step(heading, "\n".join(prose).strip("\n").rstrip(), content, file["name"] if file else "", line=number)
            )
            heading = ""
            prose.clear()
        else:
            prose += [f"    {code_line}" for code_line in body]
    if not steps:
        raise LessonError(f"{name} has no python fence; each step is a fenced block marked python")
    return Lesson(title or name, tuple(steps), name)


def written(title: str, steps: Iterable[Step]) -> str:
    """The Markdown text of a lesson."""
    parts = [f"# {title}\n"]
    for step in steps:
        parts += [f"## {step.title}\n"] if step.title else []
        parts += [f"{step.text}\n"] if step.text else []
        parts.append(_fenced(f"python file={step.file}" if step.file else "python", step.code))
        parts += [_fenced("check", "\n".join(step.checks))] if step.checks else []
        parts += [_fenced("output", step.output)] if step.output is not None else []
    return "\n".join(parts)


def _fenced(info: str, content: str) -> str:
    longest = max((len(run) for run in re.findall(r"^`{3,}", content, re.M)), default=2)
    mark = "`" * (longest + 1)
    return f"{mark}{info}\n{content.rstrip()}\n{mark}\n" if content.strip() else f"{mark}{info}\n{mark}\n"


def _is_plain(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and path.suffix == ".py"


#: What is different each time: times, addresses, numbers of commands, folders that were made for the occasion.
_VARYING = (
    (re.compile(r"\b\d+(\.\d+)? (ns|us|ms|s)\b"), "TIME"),
    (re.compile(r"\b0x[0-9a-f]+\b"), "0x"),
    (re.compile(r"<command \d+>"), "<command>"),
    (re.compile(r"\d(\.\d+)?e[+-]\d\d"), "NUMBER"),
    (re.compile(r"[ \t]+"), " "),
    (re.compile(r" *\n"), "\n"),
)


def same_output(one: str, other: str) -> bool:
    """Whether two outputs are the same but for what is different each time."""
    return _steady(one) == _steady(other)


def first_difference(expected: str, got: str) -> tuple[str, str]:
    """The first lines that differ, of two outputs that are not alike."""
    old, new = (_steady(text).splitlines() for text in (expected, got))
    for number in range(max(len(old), len(new))):
        pair: Sequence[str] = [lines[number] if number < len(lines) else "nothing" for lines in (old, new)]
        if pair[0] != pair[1]:
            return pair[0], pair[1]
    return "", ""


def _steady(text: str) -> str:
    for pattern, instead in _VARYING:
        text = pattern.sub(instead, text)
    return text.strip()
