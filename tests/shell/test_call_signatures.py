"""The signature that stands below a call: nothing is imported, and nothing of the session is run."""

from __future__ import annotations

import sys

import pytest
from prompt_toolkit.document import Document

from bsrepl.shell.prompt.call_signatures import known_signatures

from ..conftest import Screen


def signatures(screen: Screen, text: str) -> list[str] | None:
    """Each signature and which of its parameters is being typed; None if somebody else has to say."""
    known = known_signatures(Document(text), screen.names, screen.console.registry.snapshot)
    if known is None:
        return None
    return [
        f"{one.name}({', '.join(f'{p.name}={p.default}' if p.default else p.name for p in one.parameters)}) {one.index}"
        for one in known
    ]


@pytest.mark.parametrize(
    ("text", "signature"),
    [
        ("tfm.Mine(", "Mine(model, limit=3) 0"),
        ("tfm.Mine(m, ", "Mine(model, limit=3) 1"),
        ("tfm.Mine(f(1, 2), '(', limit=", "Mine(model, limit=3) 1"),
        ("m = m.transform(tfm.Mine(", "Mine(model, limit=3) 0"),
        ("source(", "source(thing) 0"),
        ("add(1, b=", "add(a, b=2, **more) 1"),
    ],
)
def test_plugins_commands_and_functions(screen: Screen, text: str, signature: str) -> None:
    screen.type("""
        @transform
        class Mine:
            def __init__(self, model: int, limit: int = 3) -> None: ...
            def apply(self, model): ...
    """)
    screen.type("def add(a: int, b: int = 2, **more: int): ...")
    assert signatures(screen, text) == [signature]


@pytest.mark.parametrize("text", ["plain", "tfm.Mine(m)", "(1, ", "x = [1, (2, ", "f'{"])
def test_outside_a_call_there_is_none(screen: Screen, text: str) -> None:
    assert signatures(screen, text) == []


@pytest.mark.parametrize("text", ["m.transform(tfm.Nobody(m), ", "tfm.Nobody(", "max(", "callable_trap(", "f()("])
def test_of_anything_else_somebody_else_says_it(screen: Screen, text: str) -> None:
    screen.type("class Trap:\n    __signature__ = property(lambda self: 1 / 0)\ncallable_trap = Trap()")
    assert signatures(screen, text) is None


def test_a_plugin_that_is_not_imported_stays_so(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    module = "qonnx.transformation.fold_constants"
    monkeypatch.delitem(sys.modules, module, raising=False)
    assert signatures(screen, "tfm.qonnx.FoldConstantsFiltered(") is None
    assert module not in sys.modules
