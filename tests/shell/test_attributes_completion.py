"""Completion of attributes: no code of the session runs while one types."""

from __future__ import annotations

import pytest
from prompt_toolkit.document import Document
from ptpython.completer import JediCompleter

from bsrepl.shell.prompt.asking_jedi import names_for_jedi, signatures
from bsrepl.shell.prompt.attributes_completion import AttributeCompleter
from bsrepl.shell.prompt.place import place

from ..conftest import Screen
from .test_completion import Jedi, offered

SESSION = """
import unittest.mock
mock, ran = unittest.mock.Mock(spec_set=["depth"]), []
class Asked:
    def __getattr__(self, name): ran.append(name); raise AttributeError(name)
class Listed:
    def __dir__(self): ran.append('dir'); return ['nothing']
    @property
    def slow(self): ran.append('slow'); return 'text'
    @property
    def text(self) -> str: ran.append('text'); return 'text'
class Posing:
    @property
    def __class__(self): ran.append('class'); return int
class Slotted:
    __slots__ = ('inner',)
class Outer:
    weight = 'kilogram'
    _hidden = 1
    def __init__(self): self.asked = Asked(); self.listed = Listed(); self.items = [Asked(), 'text']
    def give(self) -> str: ran.append('give'); return ''
asked, posing, outer, slotted, several, by_name = Asked(), Posing(), Outer(), Slotted(), [Asked()], {'a': Asked()}
slotted.inner = 'text'
"""


@pytest.fixture
def completer(screen: Screen) -> AttributeCompleter:
    """With the real Jedi behind it."""
    screen.type(SESSION)
    names = screen.names
    return AttributeCompleter(names, JediCompleter(lambda: names_for_jedi(names), lambda: names_for_jedi(names)))


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("outer.", ["asked", "give", "items", "listed", "weight"]),
        ("f(outer.WEI", ["weight"]),
        ("outer._h", ["_hidden"]),
        ("mock.dep", ["depth"]),
        ("outer.weight.upp", ["upper"]),
        ("outer.items[1].upp", ["upper"]),
        ("slotted.inner.upp", ["upper"]),
        ("outer.listed.", ["slow", "text"]),
        ("outer.listed.slow.", []),
        ("outer.asked.nothing.", []),
        ("outer.nothing.", []),
        ("outer.items[9].", []),
        ("posing.__cla", ["__class__"]),
        ("Outer.gi", ["give"]),
        ("f(outer.listed.text, outer.listed.slow.", []),
        ("str(asked).upp", []),
        ("str(outer.asked).upp", []),
        ("several[0].nothing.", []),
        ("[each for each in several][0].", []),
        ("by_name['a'].", []),
        ("# outer.", []),
    ],
)
def test_what_is_offered_and_nothing_runs(
    screen: Screen, completer: AttributeCompleter, typed: str, names: list[str]
) -> None:
    assert list(offered(completer, typed)) == names
    assert screen.names["ran"] == []


@pytest.mark.parametrize(
    "typed", ["outer.give().upp", "'a'.upp", "outer = 'a'; outer.upp", "print('outer.", "Outer().gi"]
)
def test_jedi_works_out_the_rest(screen: Screen, typed: str) -> None:
    screen.type(SESSION)
    assert list(offered(AttributeCompleter(screen.names, Jedi()), typed)) == ["jedi"]


@pytest.mark.parametrize("typed", ["outer.asked(", "asked.nothing(", "outer.listed.slow(", "posing("])
def test_signatures_run_nothing_either(screen: Screen, typed: str) -> None:
    screen.type(SESSION)
    signatures(Document(typed), screen.names, screen.console.registry.snapshot)
    assert screen.names["ran"] == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("tfm.", "code"),
        ("'tfm.", "string"),
        ("rb'tfm.", "string"),
        ('"""one\n\ntfm.', "string"),
        ("# tfm.", "comment"),
        ("'#' + tfm.", "code"),
        ("'a' # it's\ntfm.", "code"),
        ("'it\\'s' + tfm.", "code"),
        ('f"{tfm.', "code"),
        ("f\"{one} and {tfm['Fo", "string"),
        ("f'{{tfm.", "string"),
        ("it's\ntfm.", "code"),
    ],
)
def test_where_the_cursor_is(text: str, kind: str) -> None:
    where = place(text)
    assert kind == ("comment" if where.is_comment else "code" if where.is_code else "string")
    assert len(where.code) == len(text)
