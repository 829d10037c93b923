"""Lessons: Markdown files whose Python fences are steps, with what is to be read before each and true after it.

# The title
## A step
Some lines to read.
```python                     put at the prompt
```python file=fold.py        written into the lesson's folder, as a plugin file
```python exercise            what a learner begins with; of work that was handed in, that counts instead
```check                      expressions, a line each, that are true once the step was done
```output                     what the step printed when the lesson was recorded; `...` stands for any text
```hint                       shown after a try that did not work, and on demand; one fence after the other
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from ..errors import LessonError
from ..text.patterns import late_pattern

_FENCE = late_pattern(r"^(?P<begin>[ >]*)(?P<mark>`{3,}|~{3,})\s*(?P<info>[^`]*?)\s*$")
_COMMENT = late_pattern(r"<!--.*?-->", re.DOTALL)
_FILE = late_pattern(r"\bfile=(?P<quote>[\"']?)(?P<name>[^\s\"']+)(?P=quote)")
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
    hints: tuple[str, ...] = ()  # what helps, the least telling first
    is_exercise: bool = False


class Lesson(NamedTuple):
    """The steps of a lesson."""

    title: str
    steps: tuple[Step, ...]
    name: str  # of the file that it is from
    introduction: str = ""  # what stands between its title and the first section


def parsed(text: str, name: str) -> Lesson:
    """The lesson in a Markdown text. Raises LessonError, which says at which line, if it is none."""
    title = heading = introduction = ""
    prose: list[str] = []
    steps: list[Step] = []
    for block in _blocks(text, name):
        if isinstance(block, str):
            if block.startswith("#"):
                introduction = introduction or ("" if steps else _joined(prose))
                prose.clear()
                heading = block.lstrip("#").strip()
                title = title or heading
            else:
                prose.append(block)
        elif block.kind in ("check", "output", "hint"):
            if not steps:
                what = f"{'an' if block.kind == 'output' else 'a'} {block.kind} fence"
                raise LessonError(f"{name}:{block.line} is {what} without a step; put a python fence before it")
            steps[-1] = _with(steps[-1], block)
        elif block.kind in _CODE and not block.is_left_alone:
            step = Step(heading, _joined(prose), block.content, _file(block, name), line=block.line)
            steps.append(step._replace(is_exercise="exercise" in block.info.split()))
            heading = ""
            prose.clear()
        else:
            prose += [f"    {line}" for line in block.content.splitlines()]
    if not steps:
        raise LessonError(f"{name} has no python fence; each step is a fenced block marked python")
    return Lesson(title or name, tuple(steps), name, introduction)


class _Fence(NamedTuple):
    """A fenced block."""

    info: str
    content: str
    line: int  # where it begins

    @property
    def kind(self) -> str:
        """`python`, also of `{python}` and of `{code-cell} ipython3`."""
        words = self.info.replace("{", " ").replace("}", " ").split()
        return "python" if words[:1] == ["code-cell"] else words[0].lower() if words else ""

    @property
    def is_left_alone(self) -> bool:
        return "notest" in self.info.split()


def _blocks(text: str, name: str) -> Iterator[str | _Fence]:
    """The lines outside of fences and comments, and the fences, also those in items of lists and in quotes."""
    lines = enumerate(_COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), text).splitlines(), 1)
    for number, line in lines:
        fence = _FENCE.match(line)
        if fence is None:
            yield line
            continue
        body: list[str] = []
        for _, inner in lines:
            bare = _unquoted(inner, fence["begin"])
            if bare.strip().startswith(fence["mark"]) and not bare.strip().strip(fence["mark"][0]):
                break
            body.append(bare)
        else:
            raise LessonError(f"{name}:{number} opens a fence that is never closed; close it with {fence['mark']}")
        yield _Fence(fence["info"], "\n".join(body) + "\n" if body else "", number)


def _unquoted(line: str, begin: str) -> str:
    """A line without what its fence has before it: the indentation of an item, the mark of a quote."""
    for char in begin:
        if line.startswith(char) or (char == " " and line.startswith(" ")):
            line = line[1:]
    return line


def _joined(prose: Sequence[str]) -> str:
    return "\n".join(prose).strip("\n").rstrip()


def _with(step: Step, block: _Fence) -> Step:
    if block.kind == "output":
        return step._replace(output=block.content)
    if block.kind == "hint":
        return step._replace(hints=(*step.hints, block.content.strip()))
    return step._replace(checks=(*step.checks, *filter(None, map(str.strip, block.content.splitlines()))))


def _file(block: _Fence, name: str) -> str:
    file = _FILE.search(block.info)
    if file is not None and not _is_plain(file["name"]):
        raise LessonError(f"{name}:{block.line} names {file['name']}; file= takes a .py file in the lesson's folder")
    return file["name"] if file is not None else ""


def written(title: str, steps: Iterable[Step]) -> str:
    """The Markdown text of a lesson."""
    parts = [f"# {title}\n"]
    for step in steps:
        parts += [f"## {step.title}\n"] if step.title else []
        parts += [f"{step.text}\n"] if step.text else []
        info = ["python", *([f"file={step.file}"] if step.file else []), *(["exercise"] if step.is_exercise else [])]
        parts.append(_fenced(" ".join(info), step.code))
        parts += [_fenced("check", "\n".join(step.checks))] if step.checks else []
        parts += [_fenced("output", step.output)] if step.output is not None else []
        parts += [_fenced("hint", hint) for hint in step.hints]
    return "\n".join(parts)


def _fenced(info: str, content: str) -> str:
    longest = max((len(run) for run in re.findall(r"^`{3,}", content, re.M)), default=2)
    mark = "`" * (longest + 1)
    return f"{mark}{info}\n{content.rstrip()}\n{mark}\n" if content.strip() else f"{mark}{info}\n{mark}\n"


def _is_plain(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and path.suffix == ".py"
