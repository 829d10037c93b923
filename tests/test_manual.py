"""Each page of the manual is a lesson that does what it says, and everything public is on a page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bsrepl.shell import options
from bsrepl.teach import manual, tour
from bsrepl.text.markdown import rendered
from bsrepl.text.styled import wrapped

from .conftest import Screen

FOLDER = Path(manual.__file__).parent.parent / "manual"
ALL = "\n".join(path.read_text() for path in FOLDER.glob("*.md"))


@pytest.mark.parametrize("name", sorted(manual.titles()))
def test_a_page_does_what_it_says(screen: Screen, name: str) -> None:
    problems = screen.console.play(tour.read_lesson(FOLDER / f"{name}.md"), lambda seconds: None)
    assert [(problem.step.line, problem.message) for problem in problems] == []


@pytest.mark.parametrize("width", [100, 60, 40])
@pytest.mark.parametrize("name", sorted(manual.titles()))
def test_a_page_is_read_in_the_shell_at_any_width(name: str, width: int) -> None:
    text = rendered(manual.page(name), width)
    assert text[0] == ("bold", wrapped(manual.titles()[name], width))
    too_long = [line for _, part in text for line in part.splitlines() if len(line) > width]
    assert [line for line in too_long if " " in line.strip()] == []
    assert [part for style, part in text if style == "bold" and "`" in part] == []
    assert "```" not in "".join(part for style, part in text if style != "path")


def test_every_command_is_on_a_page(screen: Screen) -> None:
    assert [name for name in screen.commands if not re.search(rf"\b{name}\(", ALL)] == []
    assert [name for name, command in screen.commands.items() if not (command.__doc__ or "").strip()] == []


def test_every_option_is_on_a_page() -> None:
    flags = [action.option_strings[-1] for action in options._parser()._actions if action.option_strings]
    assert [name for name in flags if name not in ("--help", "--version") and not re.search(rf"{name}\b", ALL)] == []


def test_every_decorator_is_on_a_page() -> None:
    import bsrepl

    assert [name for name in bsrepl.__all__ if not re.search(rf"\b{name}\b", ALL)] == []


def test_help_opens_a_page(screen: Screen) -> None:
    assert screen.type('help("reload")').startswith("Reload: what happens when a file is saved\n")
    assert screen.type('help("frameworks")').startswith("frameworks()\n")
    assert 'help("trust")' in screen.type("help()")
