"""Completion of bare names, where Jedi is not asked, and what it offers without a value."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from bsrepl.shell.prompt.names_completion import NameCompleter

from ..conftest import Screen


class Others(Completer):
    """Offers names as Jedi does, one of which has no value."""

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        typed = len(document.get_word_before_cursor())
        return [Completion(name, -typed) for name in ("AbstractSet", "alpha", "abs", "argument", "stage=")]


def offered(screen: Screen, text: str) -> dict[str, str]:
    """The names that are offered, with what they stand for."""
    completions = NameCompleter(screen.names, Others()).get_completions(Document(text), CompleteEvent())
    return {completion.text: completion.display_meta_text for completion in completions}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("rang", {"range": "class", "range_analysis": "function"}),
        ("m = loa", {"load": "function"}),
        ("x.y + ALP", {"alpha": "instance"}),
        ("del alph", {"alpha": "instance"}),
        ("not glo", {"global": "keyword", "globals": "function"}),
        ("_hidd", {"_hidden": "instance"}),
        ("transf", {"transform": "function"}),
        ("collec", {"collections": "module"}),
        ("nothing_like_it", {}),
    ],
)
def test_a_name_that_stands_alone(screen: Screen, text: str, names: dict[str, str]) -> None:
    screen.type("import collections; alpha = _hidden = 1")
    assert offered(screen, text) == names


def test_names_that_begin_with_an_underscore_come_where_there_are_no_others(screen: Screen) -> None:
    screen.type("_one = 1")
    assert "_one" not in offered(screen, "o")
    assert "_one" in offered(screen, "_")


@pytest.mark.parametrize("text", ["f(a", "[a", "if x: a", "x.a", "def f(argument):\n    return a", "f'{a"])
def test_anything_else_is_asked_of_jedi_and_no_name_would_be_a_name_error(screen: Screen, text: str) -> None:
    screen.type("alpha = 1")
    names = list(offered(screen, text))
    if text == "x.a":
        assert names == ["AbstractSet", "alpha", "abs", "argument", "stage="]
    else:
        assert names == ["alpha", "abs", *(["argument"] if "argument" in text else []), "stage="]


@pytest.mark.parametrize("text", ["from collections.abc import A", "import a", "  from a"])
def test_what_is_imported_needs_no_value(screen: Screen, text: str) -> None:
    assert "AbstractSet" in offered(screen, text)
