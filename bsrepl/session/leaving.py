"""What `exit` and `quit` are in a session."""

from __future__ import annotations

from typing import Any, NoReturn

from ..errors import Left


class Leave:
    """`exit` and `quit`. Those of Python close standard input, which a session that goes on has need of."""

    def __call__(self, code: Any = None) -> NoReturn:
        raise Left(code)

    def __repr__(self) -> str:
        return "type exit, or press Ctrl-D, to leave"
