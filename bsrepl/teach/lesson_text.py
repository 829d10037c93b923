"""A lesson as styled text: a step's heading and what is to be read, its file, what is still missing, the end."""

from __future__ import annotations

from collections.abc import Sequence

from ..text import highlight
from ..text.format import counted
from ..text.prose import broken, filled
from ..text.styled import Text, wrapped
from .guide import Guide, Problem
from .lesson import Lesson, Step


def introduction(guide: Guide, width: int) -> Text:
    """`[3/14] A simple plugin`, and what is to be read; of a file step its path and content."""
    step = guide.step
    if step is None:
        return []
    text = beginning(guide.lesson, width) if guide.place == 0 else []
    text += heading(guide.lesson, guide.place, width) + prose(step.text, width)
    if step.file:
        text += [("path", f"{guide.folder / step.file}\n"), *code(step, width)]
        text.append(
            (
                "dim",
                wrapped(
                    "Enter saves it; or save it there with your editor. Ctrl-C empties the prompt, Enter refills it.",
                    width,
                ),
            )
        )
    return text


def heading(lesson: Lesson, place: int, width: int) -> Text:
    titles = [step.title for step in lesson.steps[: place + 1] if step.title]
    title = titles[-1] if titles else lesson.title
    return [("", "\n"), ("bold", wrapped(f"[{place + 1}/{len(lesson.steps)}] {title}", width))]


def beginning(lesson: Lesson, width: int) -> Text:
    """The title of a lesson and what stands below it, if anything does."""
    if not lesson.introduction:
        return []
    return [("", "\n"), ("bold", f"{lesson.title}\n"), *prose(lesson.introduction, width)]


def prose(source: str, width: int) -> Text:
    """The paragraphs, each wrapped anew; what is indented stays as it is."""
    return [("", filled(source, min(width, 100)))] if source else []


def code(step: Step, width: int) -> Text:
    """The content of a file, highlighted."""
    shown = "\n".join(part for line in step.code.rstrip("\n").split("\n") for part in broken(line, width - 2))
    return [pair for line in highlight.python_lines(shown) for pair in [("", "  "), *line, ("", "\n")]]


def not_yet(missing: Sequence[str], helps: str, width: int) -> Text:
    """What is not true yet, a hint if there is one, and how to go on all the same."""
    reason = f"not yet: {'; '.join(missing)}" if missing else "that did not work"
    text: Text = [("warning", wrapped(f"{reason}. Try again, or go on with tour.next().", width))]
    return text + (hint(helps, width) if helps else [])


def hint(helps: str, width: int) -> Text:
    """What helps with a step."""
    first, *others = filled(helps, min(width, 100) - len("hint ")).splitlines()
    return [("bold", "hint"), ("", f" {first}\n"), *(("", f"     {line}\n") for line in others)]


def end(lesson: Lesson, width: int) -> Text:
    return [("added", wrapped(f"End of {lesson.title}. The session is as it was before it.", width))]


def check_report(lesson: Lesson, failures: Sequence[Problem], width: int) -> Text:
    """What did not do what it should: a line each, with the place in the lesson; or that all did."""
    text: Text = []
    for problem in failures:
        text.append(("error", "failed"))
        place = f" {lesson.name}:{problem.step.line}  step {problem.number} of {len(lesson.steps)}: {problem.message}"
        text.append(("", wrapped(f"failed{place}", width)[len("failed") :]))
    if not failures:
        text.append(("added", "ok"))
        text.append(("", f" {lesson.name}  {counted(len(lesson.steps), 'step')}\n"))
    return text
