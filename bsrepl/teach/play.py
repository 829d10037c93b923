"""Plays a lesson by itself: what is to be read, the code as if typed, what comes of it; and tells which steps fail."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import Terminated, TimeLimit
from ..text.styled import Text
from ..text.terminal import Terminal
from . import lesson_text
from .guide import Guide, Problem
from .lesson import Step
from .outputs import first_difference, same_output
from .pace import KEY, LINE, reading, skimming
from .recording import Entry
from .time_limit import limited


def play(
    guide: Guide,
    out: Terminal,
    *,
    run: Callable[[str], Entry],
    look: Callable[[], object],
    pause: Callable[[float], None],
    hand_in: Callable[[], None] | None = None,
    limit: float = 0.0,
) -> list[Problem]:
    """Plays every step. Returns what is wrong: a check that is not true, an output that is another, an error.

    `run` runs a command as the prompt does, `look` looks at the files, and `pause` waits for seconds. `hand_in` brings
    what a learner has handed in, in the place of each exercise. A step may take `limit` seconds; 0 is any time.
    """
    problems: list[Problem] = []
    out.write(lesson_text.beginning(guide.lesson, out.width))
    while (step := guide.step) is not None:
        number = guide.place + 1
        out.write(lesson_text.heading(guide.lesson, guide.place, out.width))
        out.write(lesson_text.prose(step.text, out.width))
        pause(reading(step.text))
        entry = Entry(step.code)
        try:
            with limited(limit):
                if step.is_exercise and hand_in is not None:
                    hand_in()
                    step = step._replace(output=None)
                else:
                    entry = _saved(guide, step, out, look, pause) if step.file else _typed(step, out, run, pause)
                messages = _wrong(guide, step, entry)
        except TimeLimit as error:  # in a check, or while nothing of the lesson ran
            messages = [str(error)]
        problems += [Problem(number, step, message) for message in messages]
        pause(skimming(entry.output))
        guide.go(1)
    return problems


def _typed(step: Step, out: Terminal, run: Callable[[str], Entry], pause: Callable[[float], None]) -> Entry:
    code = step.code.rstrip("\n")
    out.write([("bold", ">>> ")])
    for number, line in enumerate(code.split("\n")):
        if number:
            out.write([("bold", "... ")])
        for key in line:
            out.write([("", key)])
            pause(KEY)
        out.write([("", "\n")])
    try:
        return run(code)
    except Terminated:
        raise
    except SystemExit:  # the rest is played all the same, or what fails in it would not be told
        return Entry(code, "it leaves the shell", failed=True)


def _saved(
    guide: Guide, step: Step, out: Terminal, look: Callable[[], object], pause: Callable[[float], None]
) -> Entry:
    out.write([("path", f"{step.file}\n")])
    line: Text = []
    for pair in lesson_text.code(step, out.width):
        line.append(pair)
        if pair[1].endswith("\n"):
            out.write(line)
            pause(LINE)
            line = []
    guide.save()
    look()
    return Entry(step.code)


def _wrong(guide: Guide, step: Step, entry: Entry) -> list[str]:
    is_other = step.output is not None and not same_output(step.output, entry.output)
    messages = guide.missing()
    if entry.failed and (is_other or messages or (step.output is None and not step.checks)):
        last = entry.output.strip().rpartition("\n")[2] or "no message"
        messages.insert(0, f"it failed: {last}")
    elif is_other:
        expected, got = first_difference(step.output or "", entry.output)
        messages.append(f"it printed {got!r}, where {expected!r} is expected")
    return messages
