"""What the shell says of the models that session names hold, after each command."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest

from bsrepl.graphdiff.constants import content_of
from bsrepl.models.held import Models

from ..conftest import Screen


@pytest.fixture
def m(screen: Screen) -> Screen:
    """A console in which `m` is a sample model that was cleaned up."""
    screen.console.proofs.is_on = False
    screen.type("m = load('mnist-conv')")
    screen.type("m = steps.qonnx.cleanup(m)")
    return screen


LOWERED = """\
m: LowerConvsToMatMul  mnist-conv   11 -> 17 nodes   2 rewrites, 9 untouched
  - Conv  Conv_0  W[8,1,5,5]  [1,1,28,28] -> [1,8,28,28]
  + Transpose, Im2Col(5x5, pad 2), MatMul W[25,8], Transpose
    1 more like it: Conv_1
  ! 8 new nodes have no name
"""


UNCHANGED = "m: GiveUniqueNodeNames  mnist-conv   11 nodes\n  nothing changed\n"
RENAMED = """\
n: GiveUniqueNodeNames  mnist-conv   12 nodes, renamed only
  ~ tidied: 8 initializers no longer listed as inputs
"""


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("m = m.transform(tfm.LowerConvsToMatMul())", LOWERED),
        ("lower = tfm.LowerConvsToMatMul(); m = m.transform(lower)", LOWERED.replace("LowerConvsToMatMul", "lower")),
        ("m = m.transform(tfm.GiveUniqueNodeNames())", UNCHANGED),
        ("m = m.rename_tensor('Relu_0_out0', 'r') or m", "m: mnist-conv   11 nodes, renamed only\n"),
        ("m.graph.node[0].name = 'other'", "m: mnist-conv   11 nodes, renamed only\n"),
        ("n = load('mnist-conv').transform(tfm.GiveUniqueNodeNames())", RENAMED),
        ("g = m.graph; g.node[2].name", "'Relu_0'\n"),
        ("m.get_tensor_shape('global_in')", "[1, 1, 28, 28]\n"),
        ("x = 3", ""),
    ],
)  # fmt: skip
def test_a_command_that_changes_a_model_says_what_it_did(m: Screen, command: str, told: str) -> None:
    assert m.type(command) == told


def test_a_model_edited_in_place_is_told_with_what_is_wrong_now(m: Screen) -> None:
    output = m.type("x = m.graph.node.pop(0)")
    assert output.startswith("m: mnist-conv   11 -> 10 nodes   1 rewrite, 1 moved, 9 untouched   786,560 -> 629,760 ")
    assert "  - Conv  Conv_0  W[8,1,5,5]  " in output
    assert "  ~ Add  Add_0  reads from Conv_0_out0, before from Conv Conv_0\n" in output
    assert output.endswith("  ! Add_0 reads Conv_0_out0, which no node produces\n")
    assert m.type("m.graph.node[0].op_type") == "'Add'\n"  # it was told; nothing is new now


def test_a_step_and_a_function_of_ones_own(m: Screen) -> None:
    m.type("def double(model):\n    w = model.get_initializer('MatMul_0_param0')\n"
           "    model.set_initializer('MatMul_0_param0', 2 * w)")  # fmt: skip
    output = m.type("double(m)")
    assert "m: mnist-conv   11 nodes   1 edited, 10 untouched\n" in output
    assert "  ~ MatMul  MatMul_0  input 1 [256,10] 2560 of 2560 values, by up to 1.19 (largest 1.19)\n" in output
    output = m.type("m = steps.qonnx.change_batch_size(m, {'batch_size': 2})")
    assert output.startswith("m: change_batch_size  mnist-conv   11 nodes")
    assert "  ~ input global_in: shape [1,1,28,28] -> [2,1,28,28]\n" in output


def test_a_new_name_is_compared_with_the_model_it_came_of(m: Screen) -> None:
    assert m.type("n = m.transform(tfm.LowerConvsToMatMul())") == LOWERED.replace("m:", "n:")
    assert m.type("other = load('sdp')") == ""
    assert m.type("m = load('sdp')") == ""


def test_a_command_that_fails_half_way_tells_what_it_changed(m: Screen) -> None:
    output = m.type("m.graph.node[1].op_type = 'Sub'; 1 / 0")
    assert "ZeroDivisionError" in output
    assert "m: mnist-conv   11 nodes   1 rewrite, 10 untouched\n  - Add  Add_0" in output


def test_several_passes_in_one_command_are_one_change(m: Screen) -> None:
    output = m.type("m = m.transform(tfm.LowerConvsToMatMul()).transform(tfm.GiveUniqueNodeNames())")
    assert output == LOWERED.replace("Mul  mnist", "Mul, GiveUniqueNodeNames  mnist").replace(
        "  ! 8 new nodes have no name\n", ""
    )


@pytest.mark.parametrize("width", [60, 40])
def test_a_narrow_terminal_wraps_between_words(m: Screen, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    output = m.type("m = m.transform(tfm.LowerConvsToMatMul())")
    assert max(map(len, output.splitlines())) <= width
    assert " ".join(output.split()) == " ".join(LOWERED.split())


def test_without_a_model_nothing_is_looked_at(screen: Screen) -> None:
    asked = []
    held = Models(screen.names, content_of, clock=lambda: 0.0).before("1", lambda: asked.append(1))
    assert (held.models, asked) == ({}, [])


PROVEN = re.compile(
    r"  OK  same outputs: largest difference \d\.\de-\d\d \(relative \de-0\d\), same argmax, 2 inputs\n$"
)


def test_a_changed_model_is_proven_to_compute_the_same(m: Screen) -> None:
    m.console.proofs.is_on = True
    output = m.type("n = m.transform(tfm.LowerConvsToMatMul())")
    assert PROVEN.search(" ".join(output.split("\n    ")))
    assert "verif" not in m.type("n = n.transform(tfm.GiveRandomTensorNames())")
    m.type("""
        class Scale(tfm.LowerConvsToMatMul):
            def apply(self, model):
                model.set_initializer("MatMul_0_param0", 2 * model.get_initializer("MatMul_0_param0"))
                return model, False
    """)
    output = m.type("m = m.transform(Scale())")
    assert "  ~ MatMul  MatMul_0  input 1 [256,10] 2560 of 2560 values, by up to 1.19 (largest 1.19)\n" in output
    assert "  DIFFERENT  other outputs: largest " in output
    assert "first at MatMul_0_out0, from MatMul MatMul_0: relative " in " ".join(output.split())


def test_a_verdict_that_takes_long_is_told_before_a_later_command(m: Screen) -> None:
    m.console.proofs.is_on = True
    m.console.proofs.patience = 0.0
    output = m.type("n = m.transform(tfm.LowerConvsToMatMul())")
    assert output.endswith("  the models are still being executed; the verdict comes later\n")
    while not m.console.proofs.is_due():  # it has a limit
        pass
    assert m.type("1").startswith("n: LowerConvsToMatMul  mnist-conv\n  OK  same outputs: ")


def test_a_model_that_cannot_be_executed_says_why(m: Screen) -> None:
    m.console.proofs.is_on = True
    m.type("from copy import deepcopy; n = deepcopy(m); n.graph.node[2].op_type = 'NoSuchOp'")
    output = m.type("m = n")
    assert output.startswith("m: mnist-conv   11 nodes   1 rewrite, 10 untouched\n")
    assert "  BROKEN  it could be executed before and cannot now: the model cannot be executed: " in output


def test_an_output_of_another_size_is_different_and_can_be_reproduced(m: Screen, tmp_path: Path) -> None:
    m.console.proofs.is_on = True
    m.type("""
        from onnx import helper
        class Twice(tfm.InferShapes):
            def apply(self, model):
                last = model.graph.node[-1]
                model.graph.node.append(helper.make_node("Concat", ["once", "once"], [last.output[0]], axis=0))
                last.output[0] = "once"
                del model.graph.output[0].type.tensor_type.shape.dim[:]
                model.graph.output[0].type.tensor_type.ClearField("shape")
                return model, False
    """)
    output = m.type("n = m.transform(Twice())")
    assert "DIFFERENT" in output
    assert "global_out [1, 10] -> [2, 10]" in " ".join(output.split())
    assert "internal error" not in output
    assert "reproduce.py shows it" in m.type(f"reproduce({str(tmp_path / 'found')!r})")


CHANGED = "LowerConvsToMatMul  mnist-conv   11 -> 17 nodes   2 rewrites, 9 untouched\n"


@pytest.mark.parametrize(
    ("before", "command", "told"),
    [
        ("", "m = m.transform(tfm.LowerConvsToMatMul(), make_deepcopy=False)", "m: " + CHANGED),
        ("", "m.set_initializer('MatMul_0_param0', 2 * m.get_initializer('MatMul_0_param0'))", "DIFFERENT"),
        ("", "m.graph.node[0].attribute[0].ints[0] = 7", "m: mnist-conv   11 nodes   1 edited"),
        ("g = m.graph", "g.node[2].op_type = 'Elu'", "+ Elu"),
        ("ms = [m, m]", "ms[0] = ms[0].transform(tfm.LowerConvsToMatMul())", "ms[0]: LowerConvsToMatMul"),
        ("ms = {'a': m}", "ms['a'] = ms['a'].transform(tfm.LowerConvsToMatMul())", "ms['a']: LowerConvsToMatMul"),
        ("", "k = load('mnist-conv'); k = k.transform(tfm.LowerConvsToMatMul())",
         "k: LowerConvsToMatMul  mnist-conv   12 -> 18 nodes"),
        ("", "k = load('mnist-conv').transform(tfm.LowerConvsToMatMul())", "k: LowerConvsToMatMul"),
        ("", "k = load('mnist-conv'); k.graph.node[3].op_type = 'Elu'", "+ Elu"),
        ("", "k = steps.qonnx.cleanup(load('mnist-conv'))", "k: cleanup  mnist-conv   12 -> 11 nodes"),
        ("def edit(model):\n    model.graph.node[2].op_type = 'Elu'\n    return model", "m = edit(m)", "+ Elu"),
        ("def edit(model):\n    model.graph.node[2].op_type = 'Elu'\n    return model",
         "k = edit(load('mnist-conv'))", "+ Elu"),
        ("", "m = m.transform(tfm.FoldConstants())\nm = m.transform(tfm.LowerConvsToMatMul())",
         "m: FoldConstants, LowerConvsToMatMul"),
        ("", "m = m.transform(tfm.FoldConstants())", "m: FoldConstants  mnist-conv   11 nodes\n  nothing changed"),
    ],
)  # fmt: skip
def test_every_way_to_change_a_model_is_told_with_a_verdict(m: Screen, before: str, command: str, told: str) -> None:
    m.console.proofs.is_on = True
    m.type(before or "pass")
    output = m.type(command)
    assert told in output
    assert any(f"  {word}  " in output for word in ("OK", "DIFFERENT", "BROKEN")) or "nothing changed" in output
    assert "internal" not in output


def test_a_model_that_is_only_read_is_not_copied(m: Screen) -> None:
    models = Models(m.names, content_of, clock=lambda: 0.0)
    reading = ["m", "m.graph.node[0].name", "len(m.graph.node)", "verify(m, m)", "m.get_initializer('w') is None",
               "n = m", "n = m.transform(tfm.FoldConstants())", "print(m)", "f'{m}'"]  # fmt: skip
    editing = [
        "edit(m)",
        "m.set_initializer('a', b)",
        "m.graph.node.pop()",
        "del m.graph.node[:]",
        "g = m.graph",
        "m.graph.node[0].name = 'x'",
        "m.transform(t, make_deepcopy=False)",
        "for n in m.graph.node: f(n)",
    ]
    for command in reading + editing:
        held = models.before(command, partial(m.console.session.parsed, command))
        assert list(held.copies) == (["m"] if command in editing else []), command


def test_a_wrapper_that_lost_its_model_is_a_value_like_others(m: Screen) -> None:
    assert "internal error" not in m.type("m._model_proto = None")
    assert "internal error" not in m.type("m")
