"""What is offered while one types, from the registry alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from bsrepl.registry.namespaces import Namespace
from bsrepl.registry.plugin import Key, Lazy, Origin, Plugin
from bsrepl.registry.snapshot import Snapshot
from bsrepl.registry.store import Registry
from bsrepl.shell.prompt.completion import NamespaceCompleter
from bsrepl.shell.prompt.elsewhere import completer as completer_elsewhere

from ..conftest import Screen


class Jedi(Completer):
    """Stands for the completer of everything else."""

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        yield Completion("jedi")


def offered(completer: Completer, typed: str) -> dict[str, str]:
    """The completions, and what stands beside each."""
    found = completer.get_completions(Document(typed), CompleteEvent())
    return {each.text: each.display_meta_text for each in found}


@pytest.fixture
def completer(screen: Screen) -> NamespaceCompleter:
    screen.type("@transform(stage='cleanup')\nclass Mine:\n    def apply(self, model): return model, False")
    screen.type("@backend(kernel='Quant', language='hls', default=True)\nclass QuantHLS: pass")
    return NamespaceCompleter(screen.console.registry, lambda: screen.names, Jedi())


FIRST = {
    "tfm.Mi": "Mine",
    "x = [tfm.mine": "Mine",
    "tfm.qonn": "qonnx",
    "tfm.FoldConstantsF": "FoldConstantsFiltered",
    "tfm.constantsf": "FoldConstantsFiltered",
    "tfm.qonnx.InferSh": "InferShapes",
    "tfm.fin": "find",
    'tfm["Mi': "Mine",
    "tfm['qonnx:InferSh": "qonnx:InferShapes",
    'tfm["infersh': "qonnx:InferShapes",
    'tfm.qonnx["InferSh': "InferShapes",
    "tfm.find(sta": "stage=",
    "tfm.find(": "framework=",
    'tfm.find(stage="clean': "cleanup",
    'tfm.qonnx.find(stage="clean': "cleanup",
    'tfm.find(framework="qonnx", stage="clean': "cleanup",
    "tfm.find(stage=": "'cleanup'",
    'tfm.find("Mi': "Mine",
    "tfm.find(name='FoldConstantsF": "FoldConstantsFiltered",
    "backends.find(default=": "True",
    "backends.fo": "for_kernel",
    'backends.for_kernel("Im2': "Im2Col",
    "m.transform(tfm.Mi": "Mine",
    'load("mnist': "mnist-conv",
    "print('tfm.": "jedi",
    "print(\"tfm['Mi": "jedi",
    "# tfm.Mi": "jedi",
    "'' + tfm.Mi": "Mine",
    "f'{tfm.Mi": "Mine",
    "tfm.find(name='a(b', stage='clean": "cleanup",
    "print('load(\"mn": "jedi",
    "print(": "jedi",
    "model.graph.": "jedi",
    'm.transform(tfm.Mine()).save("': "jedi",
}


@pytest.mark.parametrize(("typed", "first"), FIRST.items(), ids=FIRST)
def test_what_is_offered_first(completer: Completer, typed: str, first: str) -> None:
    assert next(iter(offered(completer, typed))) == first


def test_kind_stage_and_origin_stand_beside(completer: Completer) -> None:
    assert offered(completer, "tfm.Mine")["Mine"].startswith("transform  stage=cleanup  <command 1>:")
    assert offered(completer, "tfm.qonnx.FoldConstantsF")["FoldConstantsFiltered"].startswith(
        "transform  stage=cleanup  "
    )


def test_counts_stand_beside_values(completer: Completer, screen: Screen) -> None:
    values = offered(completer, 'tfm.find(stage="')
    assert values["cleanup"] == f"{len(screen.console.registry.snapshot.find('transform', stage='cleanup'))} transforms"
    assert list(values) == sorted(values)
    ours = offered(completer, 'tfm.brainsmith.find(stage="')
    assert ours == {"cleanup": "2 transforms"}


def test_the_attributes_of_a_plugin_are_not_offered_as_that_would_import_it(completer: Completer) -> None:
    before = set(sys.modules)
    assert offered(completer, "tfm.FoldConstants.ap") == {}
    assert offered(completer, "tfm.qonnx.FoldConstants.ap") == {}
    for typed in FIRST:
        offered(completer, typed)
    assert not {name for name in set(sys.modules) - before if name.startswith("qonnx")}


def test_names_come_and_go_with_the_registry(completer: Completer, screen: Screen) -> None:
    assert "Another" not in offered(completer, "tfm.Ano")
    screen.type("@transform\nclass Another:\n    def apply(self, model): return model, False")
    assert next(iter(offered(completer, "tfm.Ano"))) == "Another"
    screen.console.registry.replace(Snapshot())
    assert offered(completer, "tfm.Ano") == {}


def test_a_name_of_two_frameworks_is_offered_as_the_one_that_it_means(completer: Completer, screen: Screen) -> None:
    screen.type("@transform\nclass InferShapes:\n    def apply(self, model): return model, False")
    assert list(offered(completer, "tfm.InferShapes")) == ["InferShapes"]
    assert "<command 3>" in offered(completer, "tfm.InferShapes")["InferShapes"]


def test_no_more_are_offered_than_anybody_reads() -> None:
    registry = Registry()
    plugins = [Plugin(Key("transform", "brainsmith", f"P{n}"), object, Origin("a.py", 1), {}) for n in range(8_000)]
    registry.replace(Snapshot().replacing((), plugins))
    completer = NamespaceCompleter(registry, lambda: {"tfm": Namespace(registry, "transform")}, Jedi())
    assert len(offered(completer, "tfm.P799")) == 11
    assert 500 <= len(offered(completer, "tfm.")) <= 510


def test_at_a_prompt_that_is_not_ours_only_what_belongs_to_us_is_offered() -> None:
    registry = Registry()
    targets = {"Mine": object, "Theirs": Lazy("nowhere", "Theirs")}
    plugins = [Plugin(Key("transform", "mine", n), targets[n], Origin("a.py", 1), {"stage": "late"}) for n in targets]
    registry.replace(Snapshot().replacing((), plugins))
    offers = completer_elsewhere(registry, {"tfm": Namespace(registry, "transform")})
    assert offers("x = tfm.Min") == [("Mine", "Min", "transform")]
    assert offers('tfm.find(stage="la') == [("late", "la", "2 transforms")]
    assert offers("tfm.Theirs.app") == [("app", "app", "")]  # it is not imported: not asked what it has
    assert offers("tfm.Nobody") == [("Nobody", "Nobody", "")]
    assert offers("tfm.Mine.app") == offers("tfm.mine.Mine.app") == offers("screen.") == offers("pri") == []
