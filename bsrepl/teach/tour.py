"""`tour` and `lesson` at the prompt: what is said before a step, after it, and at the end."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..errors import LessonError, PluginFileError, WrongCall
from ..reload.files.signatures import read_once
from ..text.styled import asides, headed
from ..text.terminal import Terminal
from . import lesson_text
from .guide import Guide
from .lesson import Lesson, parsed


class Tour:
    """Leads through bsrepl, step by step: tour(), then tour.save(), tour.next(), tour.back(), tour.quit().

    Enter runs what stands at the prompt, or what you make of it. A step that is a file is written by `tour.save()`, or
    by you in an editor. tour.hint() helps where the lesson has a hint. At the end, and after `tour.quit()`, the session
    is what it was before.
    """

    def __init__(self, out: Terminal, begin: Callable[[Lesson, bool], Guide], *, trusting: bool = False) -> None:
        self._out = out
        self._begin = begin
        self._trusting = trusting
        self.guide: Guide | None = None
        self._left: dict[str, int] = {}  # the step at which a lesson was left, by its name

    def __call__(self, *given: Any) -> None:
        if given:
            raise WrongCall("tour() takes no arguments; lesson(PATH) leads through a lesson of yours")
        self.start(own(), alone=True)

    def lesson(self, path: Any, step: int | None = None) -> None:
        """Leads through a lesson of your own: a Markdown file, whose Python fences are the steps.

        Begins at `step`, or where you left that lesson. Raises LessonError if there is none in the file.
        """
        lesson = read_lesson(path, trusting=self._trusting)
        if step is not None and not 1 <= step <= len(lesson.steps):
            raise LessonError(f"{lesson.name} has steps 1 to {len(lesson.steps)}, not {step}")
        self.start(lesson)
        place = self._left.get(lesson.name, 0) if step is None else step - 1
        if place and self.guide is not None:
            self.guide.go(place)
            said = f"{lesson.name} goes on at step {place + 1}; tour.back() goes back"
            self._out.write(asides([said], self._out.width))

    def start(self, lesson: Lesson, *, alone: bool = False) -> None:
        """Begins a lesson; one that is running ends. With `alone`, the user's plugin files are set aside meanwhile."""
        self.quit()
        self.guide = self._begin(lesson, alone)

    def save(self) -> None:
        """Writes the file of the step."""
        if (guide := self._going_on()) is not None:
            self._out.write(headed("added", str(guide.save()), "is written", self._out.width))

    def next(self, steps: int = 1) -> None:
        """Goes on to the next step, or by so many steps, without doing this one."""
        self._move(steps, 1, "next")

    def back(self, steps: int = 1) -> None:
        """Goes back by a step, or by so many."""
        self._move(steps, -1, "back")

    def hint(self) -> None:
        """Gives a hint for the step, another one each time."""
        if (guide := self._going_on()) is not None:
            self._out.write(lesson_text.hint(guide.hint() or "this step has no hint", self._out.width))

    def quit(self) -> None:
        """Ends the lesson; the session is what it was before."""
        guide, self.guide = self.guide, None
        if guide is not None:
            self._left[guide.lesson.name] = guide.place if guide.step is not None else 0
            guide.end()

    @property
    def position(self) -> tuple[Guide | None, int]:
        """The lesson and the step that it is at."""
        return self.guide, self.guide.place if self.guide is not None else 0

    @property
    def progress(self) -> str:
        """`step 3/24`; empty if no lesson is running."""
        return f"step {self.guide.place + 1}/{len(self.guide.lesson.steps)}" if self.guide is not None else ""

    def show(self) -> None:
        """Says what the step is about, once."""
        guide = self.guide
        if guide is not None and not guide.introduced():
            self._out.write(lesson_text.introduction(guide, self._out.width))

    def after(self, code: str | None, failed: bool) -> None:
        """Notes that a command has run, or, with `code` None, that files were executed."""
        guide = self.guide
        if guide is None:
            return
        is_try = guide.is_try(code)
        if not guide.done(code, failed):
            if is_try:
                self._out.write(lesson_text.not_yet(guide.missing(), guide.hint(), self._out.width))
        elif guide.step is None:
            self._out.write(lesson_text.end(guide.lesson, self._out.width))
            self.quit()

    def _move(self, steps: int, direction: int, name: str) -> None:
        if type(steps) is not int or steps < 1:
            raise WrongCall(f"tour.{name}() takes a number of steps, as in tour.{name}(2), not {steps!r}")
        if (guide := self._going_on()) is not None:
            guide.go(direction * steps)
            if guide.step is None:
                self.quit()

    def _going_on(self) -> Guide | None:
        if self.guide is None:
            self._out.write(asides(["no tour is running; start one with tour()"], self._out.width))
        return self.guide

    def __repr__(self) -> str:
        return "<tour() begins; tour.save(), tour.next(), tour.back(), tour.quit()>"


def own() -> Lesson:
    """The tour of bsrepl itself."""
    return parsed(files(__package__).joinpath("tour.md").read_text(encoding="utf-8"), "tour.md")


def read_lesson(path: Any, *, trusting: bool = False) -> Lesson:
    """The lesson in a file.

    Raises LessonError if it cannot be read, is no lesson, or, unless `trusting`, could have been written by somebody
    else: its code is going to run.
    """
    file = Path(os.path.expanduser(path))
    try:
        text = read_once(str(file), trusted=trusting).decode("utf-8")
    except FileNotFoundError as error:
        raise LessonError(f"no lesson {file}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise LessonError(f"{file} cannot be read: {error}") from error
    except PluginFileError as error:
        raise LessonError(str(error)) from error
    return parsed(text, file.name)
