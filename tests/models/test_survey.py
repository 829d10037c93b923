"""Which passes would change a model, each tried in a process of its own."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from qonnx.transformation.base import Transformation
from qonnx.transformation.infer_datatypes import InferDataTypes
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.transformation.lower_convs_to_matmul import LowerConvsToMatMul
from qonnx.transformation.pruning import ApplyMasks

from bsrepl.frameworks.qonnx import steps as qonnx_steps
from bsrepl.models.survey import ANNOTATES, ARGUMENTS, CHANGES, FAILED, LATE, NOTHING, RENAMES, Survey, survey
from bsrepl.models.workbench import load
from bsrepl.registry.plugin import Key, Origin, Plugin

from ..conftest import Screen, unwrapped


class Renaming(Transformation):
    def apply(self, model):
        model.rename_tensor("Relu_0_out0", "renamed")
        return model, False


class Raising(Transformation):
    def apply(self, model: Any) -> Any:
        raise ValueError("no such weight")


class Dying(Transformation):
    def apply(self, model: Any) -> Any:
        os._exit(3)


class Endless(Transformation):
    def apply(self, model: Any) -> Any:
        while True:
            time.sleep(0.01)


class Littering(Transformation):
    def apply(self, model: Any) -> Any:
        print("litter")
        Path("litter").write_text("")
        return model, False


def tried(*classes: type, limit: float = 20.0, progress: Any = lambda done, name: None) -> Survey:
    plugins = [
        Plugin(Key("transform", "qonnx", cls.__name__), cls, Origin("f.py", 1), {"stage": "s"}) for cls in classes
    ]
    return survey(qonnx_steps.cleanup(load("mnist-conv")), plugins, limit, progress)


def test_each_pass_is_told_by_what_it_would_do() -> None:
    told: list[tuple[int, str]] = []
    result = tried(
        LowerConvsToMatMul, Renaming, InferShapes, ApplyMasks, Raising, Dying, InferDataTypes,
        progress=lambda done, name: told.append((done, name)),
    )  # fmt: skip
    assert [(each.plugin.name, each.outcome, each.detail) for each in result.tried] == [
        ("LowerConvsToMatMul", CHANGES, "11 -> 17 nodes, 2 rewrites"),
        ("Renaming", RENAMES, ""),
        ("InferShapes", NOTHING, ""),
        ("ApplyMasks", ARGUMENTS, ""),
        ("Raising", FAILED, "ValueError: no such weight"),
        ("Dying", FAILED, "its process ended with status 3"),
        ("InferDataTypes", ANNOTATES, "datatype of 11 tensors"),
    ]
    assert [plugin.name for plugin in result] == ["LowerConvsToMatMul"]
    assert result.rows() == [("tfm.qonnx.LowerConvsToMatMul", "11 -> 17 nodes, 2 rewrites", "s")]
    assert result.conclusion() == [
        "1 of 7 would change the model",
        "annotates only (1): tfm.qonnx.InferDataTypes (datatype of 11 tensors)",
        "renames only (1): tfm.qonnx.Renaming",
        "changes nothing (1)",
        "needs arguments (1): tfm.qonnx.ApplyMasks",
        "tfm.qonnx.Raising failed: ValueError: no such weight",
        "tfm.qonnx.Dying failed: its process ended with status 3",
    ]
    assert [done for done, _ in told] == [1, 2, 3, 4, 5, 6, 7]
    assert {name for _, name in told} == {str(each.plugin.key) for each in result.tried}


def test_a_pass_that_takes_too_long_is_ended() -> None:
    result = tried(Endless, InferShapes, limit=0.3)
    assert result.tried[0].outcome == LATE


def test_what_a_pass_prints_and_writes_stays_with_it(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert [each.outcome for each in tried(Littering).tried] == [NOTHING]
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_a_control_c_shows_what_came_so_far() -> None:
    def stop(done: int, name: str) -> None:
        raise KeyboardInterrupt

    result = tried(InferShapes, *[Endless] * 6, progress=stop)
    assert [each.plugin.name for each in result.tried] == ["InferShapes"]
    assert result.conclusion()[-1] == "interrupted; 6 not tried"


def test_in_the_shell_it_tries_what_is_registered_and_pasted(screen: Screen) -> None:
    screen.type("m = steps.qonnx.cleanup(load('mnist-conv'))")
    screen.type("""
        @transform(stage="post_proc")
        class Mine(tfm.InferShapes):
            def apply(self, model):
                model.graph.node[2].op_type = "Elu"
                return model, False
    """)
    kept = {"Mine", "LowerConvsToMatMul", "InferShapes"}
    snapshot = screen.console.registry.snapshot
    others = [plugin for plugin in snapshot.plugins("transform") if plugin.name not in kept]
    screen.console.registry.replace(snapshot.replacing(others, ()))
    output = screen.type("result = passes(m); result")
    assert output == (
        "tfm.qonnx.LowerConvsToMatMul  11 -> 17 nodes, 2 rewrites  topology_opt\n"
        "tfm.Mine                      1 rewrite  post_proc\n"
        "2 of 3 would change the model\nchanges nothing (1)\n"
    )
    assert screen.type("[each.name for each in result]") == "['LowerConvsToMatMul', 'Mine']\n"


def test_passes_are_given_in_every_form(screen: Screen) -> None:
    screen.type("m = load('mnist-conv').transform(tfm.InferShapes())")
    one = "1 of 1 would change the model"
    forms = ("'LowerConvsToMatMul'", "tfm.LowerConvsToMatMul", "[tfm.LowerConvsToMatMul()]", "steps.qonnx.cleanup")
    for form in forms:
        assert one in screen.type(f"passes(m, {form})"), form
    screen.type("class Drop(tfm.InferShapes):\n    def __init__(self, op): super().__init__(); self.op = op")
    screen.type("def less(model):\n    del model.graph.node[-1]\n    return model")
    assert "changes nothing (2)" in screen.type("passes(m, [Drop('Relu'), tfm.InferShapes])")
    assert one in screen.type("passes(m, less)")


@pytest.mark.parametrize("command", ["trace", "watch", "passes"])
def test_what_is_no_pass_says_what_is(screen: Screen, command: str) -> None:
    for wrong, why in (("3", "not 3"), ("[]", "the list is empty"), ("[tfm.InferShapes, {}]", "not {}")):
        output = unwrapped(screen.type(f"{command}('mnist-conv', {wrong})"))
        assert "WrongCall: a pass is a transformation such as tfm.InferShapes()" in output
        assert f"a list of them; {why}" in output
