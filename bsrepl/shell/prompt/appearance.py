"""What the prompt looks like, and which commands it lets through."""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
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
