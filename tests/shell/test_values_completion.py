"""Completion of what values hold, and the signatures of plugins: nothing is imported, no property is run."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from bsrepl.shell.prompt.call_signatures import plugin_signatures
from bsrepl.shell.prompt.values_completion import ValuesCompleter

from ..conftest import Screen


class Others(Completer):
    """Offers names as Jedi does, one of which has no value."""

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        typed = len(document.get_word_before_cursor())
        return [Completion(name, -typed) for name in ("AbstractSet", "alpha", "abs", "argument", "stage=")]


@pytest.fixture
def values(screen: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ValuesCompleter:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folding.md").write_text("# A lesson\n")
    screen.type("m = load('mnist-conv'); d = {'alpha': 1, 'beta': 2, 3: 4}; alpha = 1")
    screen.type("class Trap:\n    @property\n    def graph(self): raise SystemExit\ntrap = Trap()")
    return ValuesCompleter(screen.console.registry, screen.names, Others())


def offered(completer: Completer, text: str) -> list[str]:
    return [completion.text for completion in completer.get_completions(Document(text), CompleteEvent())]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("d['", ["alpha", "beta"]),
        ('x = d["be', ["beta"]),
        ("m.graph.node[0].op", ["op_type"]),
        ("m.graph.input[0].type.tensor_type.el", ["elem_type"]),
        ("m.model.graph.ini", ["initializer"]),
        ("m.graph.node.rem", ["remove"]),
        ("show('FoldConstantsF", ["FoldConstantsFiltered"]),
        ("source('qx", []),
        ("help('relo", ["reload"]),
        ("lesson('fo", ["folding.md"]),
    ],
)
def test_what_values_hold(values: ValuesCompleter, text: str, names: list[str]) -> None:
    assert offered(values, text) == names


@pytest.mark.parametrize("text", ["trap.graph.", "m.graph.node[99].", "m.nothing.", "nobody[0].", "d[0]."])
def test_nothing_else_is_evaluated(values: ValuesCompleter, text: str) -> None:
    assert "AbstractSet" in offered(values, text)


def test_no_name_that_would_be_a_name_error(values: ValuesCompleter) -> None:
    assert offered(values, "a") == ["alpha", "abs", "stage="]
    assert offered(values, "def f(argument):\n    return a") == ["alpha", "abs", "argument", "stage="]
    assert "AbstractSet" in offered(values, "from collections.abc import A")


@pytest.mark.parametrize(
    ("text", "signature"),
    [
        ("tfm.Mine(", "Mine(model, limit=3) 0"),
        ("tfm.Mine(m, ", "Mine(model, limit=3) 1"),
        ("tfm.Mine(f(1, 2), '(', limit=", "Mine(model, limit=3) 1"),
        ("m = m.transform(tfm.Mine(", "Mine(model, limit=3) 0"),
        ("m.transform(tfm.Mine(m), ", ""),
        ("tfm.Nobody(", ""),
    ],
)
def test_the_signature_of_a_plugin(screen: Screen, text: str, signature: str) -> None:
    screen.type("""
        @transform
        class Mine:
            def __init__(self, model: int, limit: int = 3) -> None: ...
            def apply(self, model): ...
    """)
    found = plugin_signatures(Document(text), screen.names, screen.console.registry.snapshot)
    described = [
        f"{one.name}({', '.join(f'{p.name}={p.default}' if p.default else p.name for p in one.parameters)}) {one.index}"
        for one in found
    ]
    assert described == ([signature] if signature else [])


def test_the_signature_of_a_plugin_imports_nothing(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    module = "qonnx.transformation.fold_constants"
    monkeypatch.delitem(sys.modules, module, raising=False)
    document = Document("tfm.qonnx.FoldConstantsFiltered(")
    assert plugin_signatures(document, screen.names, screen.console.registry.snapshot) == []
    assert module not in sys.modules
