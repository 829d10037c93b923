"""What the prompt looks like, and which commands it lets through."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout import Layout
from prompt_toolkit.layout.margins import PromptMargin
from prompt_toolkit.styles import Style
from ptpython.prompt_style import PromptStyle
from ptpython.validator import PythonValidator

from ...session.pasted import cleaned

STYLE = Style.from_dict(
    {
        "prompt.failing": "bold ansired",
        "status": "noinherit reverse",
        "status.failing": "noinherit bg:ansired ansiwhite bold",
    }
)


def indent_wrapped_lines(layout: Layout) -> None:
    """Lets `...` stand before lines of a command alone, not before the rest of one that is wider than the screen."""
    margins = (margin for window in layout.find_all_windows() for margin in window.left_margins)
    for margin in margins:
        if isinstance(margin, PromptMargin) and margin.get_continuation is not None:
            margin.get_continuation = partial(_continued, margin.get_continuation)


def _continued(
    before_new_line: Callable[[int, int, bool], StyleAndTextTuples], width: int, line: int, is_wrapped: bool
) -> StyleAndTextTuples:
    if is_wrapped or line == 0:  # prompt_toolkit does not know it of the first line
        return [("", " " * width)]
    return before_new_line(width, line, is_wrapped)


class CommandValidator(PythonValidator):
    """Lets through what the session understands; a syntax error is shown before the command is accepted."""

    def __init__(self, understands: Callable[[str], bool]) -> None:
        super().__init__()
        self._understands = understands

    def validate(self, document: Document) -> None:
        if not self._understands(cleaned(document.text, self._understands).text):
            super().validate(document)


class Prompt(PromptStyle):
    """`>>> `, or `!>> ` while a plugin file fails."""

    def __init__(self, is_failing: Callable[[], bool]) -> None:
        self._is_failing = is_failing

    def in_prompt(self) -> StyleAndTextTuples:
        if self._is_failing():
            return [("class:prompt.failing", "!>> ")]
        return [("class:prompt", ">>> ")]

    def in2_prompt(self, width: int) -> StyleAndTextTuples:
        return [("class:prompt.dots", "... ")]

    def out_prompt(self) -> StyleAndTextTuples:
        return []
