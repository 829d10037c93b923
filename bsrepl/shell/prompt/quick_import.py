"""ptpython, imported without the lexers of ten languages.

Its history browser names the lexer of reStructuredText, whose module imports those of LilyPond, Lisp, Java and others:
a sixteenth of the time to the first prompt. Few sessions open a browser; it makes the lexer then.
"""

from __future__ import annotations

from typing import Any

import pygments.lexers

_NAME = "RstLexer"


class _LateLexer:
    """Stands for the lexer of reStructuredText while ptpython is imported; an instance of it is one of that."""

    name = "reStructuredText"

    def __new__(cls, **options: Any) -> Any:
        from pygments.lexers.markup import RstLexer  # only now: see above

        return RstLexer(**options)


def import_ptpython() -> None:
    """Imports ptpython."""
    lexers = vars(pygments.lexers)
    if _NAME in lexers:  # the module is imported already
        return
    lexers[_NAME] = _LateLexer
    try:
        import ptpython.python_input  # noqa: F401
    finally:
        del lexers[_NAME]
