"""Completion of what values hold: nothing is imported, no property is run."""

from __future__ import annotations

from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent, Completer
from prompt_toolkit.document import Document

from bsrepl.shell.prompt.values_completion import ValuesCompleter

from ..conftest import Screen
from .test_names_completion import Others


@pytest.fixture
def values(screen: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ValuesCompleter:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folding.md").write_text("# A lesson\n")
    screen.type("m = load('mnist-conv'); proto = m.model; d = {'alpha': 1, 'beta': 2, 3: 4}; alpha = 1")
    screen.type("class Trap:\n    @property\n    def graph(self): raise SystemExit\ntrap = Trap()")
    screen.type("class Held: d = d\nheld = Held()")
    screen.type("import os, collections; many = collections.defaultdict(int, gamma=1)")
    screen.type("class Own(collections.UserDict):\n    def __iter__(self): raise SystemExit\nown = Own(b=1)")
    return ValuesCompleter(screen.console.registry, screen.names, Others())


def offered(completer: Completer, text: str) -> list[str]:
    return [completion.text for completion in completer.get_completions(Document(text), CompleteEvent())]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("d['", ["alpha", "beta"]),
        ('x = d["be', ["beta"]),
        ("m.graph.node[0].op", ["op_type"]),
        ("proto.ir_", ["ir_version"]),
        ("m.graph.input[0].type.tensor_type.el", ["elem_type"]),
        ("m.model.graph.ini", ["initializer"]),
        ("m.graph.node.rem", ["remove"]),
        ("m.graph.node[0].input.app", ["append"]),
        ("m.graph.node[0].input[0].upp", ["upper"]),
        ("m.graph.node[0].op_type.isdi", ["isdigit"]),
        ("held.d['", ["alpha", "beta"]),
        ("many['", ["gamma"]),
        ("os.environ['PAT", ["PATH"]),
        ("own['", ["AbstractSet", "alpha", "abs", "argument", "stage="]),
        ("show('FoldConstantsF", ["FoldConstantsFiltered"]),
        ("source('qx", []),
        ("help('relo", ["reload"]),
        ("lesson('fo", ["folding.md"]),
    ],
)
def test_what_values_hold(values: ValuesCompleter, text: str, names: list[str]) -> None:
    assert offered(values, text) == names


@pytest.mark.parametrize(
    "text", ["trap.graph.", "m.graph.node[99].", "m.nothing.", "nobody[0].", "d[0].", "'d[\"", "'m.graph.", "# d['"]
)
def test_nothing_else_is_evaluated(values: ValuesCompleter, text: str) -> None:
    assert "AbstractSet" in offered(values, text)
