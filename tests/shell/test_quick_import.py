"""What ptpython imports and few sessions need."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pygments.lexers
import pytest
from prompt_toolkit.lexers import PygmentsLexer

from bsrepl.shell.prompt.quick_import import import_ptpython


@pytest.fixture
def without_ptpython(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """While this lasts, ptpython and the lexers of markup are not imported."""
    for name in [name for name in sys.modules if name.split(".")[0] == "ptpython"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "pygments.lexers.markup", raising=False)
    had = vars(pygments.lexers).pop("RstLexer", None)
    yield
    vars(pygments.lexers).update({"RstLexer": had} if had else {})


@pytest.mark.usefixtures("without_ptpython")
def test_the_lexer_of_the_history_browser_is_made_when_one_is_opened() -> None:
    import_ptpython()
    browser = sys.modules["ptpython.history_browser"]
    assert "pygments.lexers.markup" not in sys.modules
    lexer = PygmentsLexer(browser.RstLexer).pygments_lexer  # as the browser does
    assert lexer.name == "reStructuredText"
    assert lexer.get_tokens("*a*")
    assert pygments.lexers.RstLexer is type(lexer)
