"""Regular expressions that are compiled when they are first used: a shell has a hundred, and needs ten to start."""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast

_METHODS = ("search", "match", "fullmatch", "sub", "findall", "finditer")


def late_pattern(text: AnyStr, flags: int | re.RegexFlag = 0) -> re.Pattern[AnyStr]:
    """What `re.compile` gives, compiled when it is first used. Raises `re.error` then."""
    return cast("re.Pattern[AnyStr]", _Pattern(text, flags))


class _Pattern:
    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(*self._arguments)
        for method in _METHODS:  # from now on they are found at once
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)
