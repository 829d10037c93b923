"""ptpython's code styles, each made when it is first chosen.

ptpython makes all of pygments' fifty while it starts, a fifth of the time to its prompt; one is in use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prompt_toolkit.styles import BaseStyle, Style, style_from_pygments_cls
from ptpython.style import default_ansi_code_style, win32_code_style
from pygments.styles import get_all_styles, get_style_by_name

_OWN = {"win32": win32_code_style, "default-ansi": default_ansi_code_style}


class CodeStyles(Mapping[str, BaseStyle]):
    """What `ptpython.style.get_all_code_styles` returns, but lazy."""

    def __init__(self) -> None:
        self._styles: dict[str, BaseStyle] = {}

    def __getitem__(self, name: str) -> BaseStyle:
        if name not in self._styles:
            if name not in self:
                raise KeyError(name)
            own = _OWN.get(name)
            self._styles[name] = Style.from_dict(own) if own else style_from_pygments_cls(get_style_by_name(name))
        return self._styles[name]

    def __contains__(self, name: object) -> bool:
        return name in _OWN or name in get_all_styles()

    def __iter__(self) -> Iterator[str]:
        yield from get_all_styles()
        yield from _OWN

    def __len__(self) -> int:
        return sum(1 for _ in self)
