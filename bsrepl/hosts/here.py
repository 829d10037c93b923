"""Where a program stands: the file, the function, and the lines around."""

from __future__ import annotations

import linecache
from types import FrameType

from ..text.columns import cut
from ..text.format import file_name
from ..text.styled import Styled, Text, headed

_AROUND = 4  # lines before and after


class Here(Styled):
    """The line of a frame, as a value that prints as the lines around it."""

    def __init__(self, frame: FrameType) -> None:
        self.file = frame.f_code.co_filename
        self.line = frame.f_lineno
        self.function = frame.f_code.co_name
        self._lines = linecache.getlines(self.file, frame.f_globals)

    def __str__(self) -> str:
        """`build.py:12`"""
        return f"{file_name(self.file)}:{self.line}"

    def styled(self, width: int, shows_time: bool) -> Text:
        inside = "" if self.function == "<module>" else f"in {self.function}"
        text = headed("path", str(self), inside, width)
        for number in range(max(self.line - _AROUND, 1), self.line + _AROUND + 1):
            if number <= len(self._lines):
                is_here = number == self.line
                source = self._lines[number - 1].rstrip()
                line = cut(f"{'->' if is_here else '  '} {number:4}  {source}", width)
                text.append(("bold" if is_here else "dim", f"{line.rstrip()}\n"))
        return text

    __repr__ = __str__
