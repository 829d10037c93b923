"""What commands did to a model, the model as it was before, and the difference of any two."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import ModelProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper

from bsrepl.frameworks.qonnx import steps as qonnx_steps
from bsrepl.graphdiff import constants
from bsrepl.graphdiff.viewing import view
from bsrepl.models.snapshots import Snapshots
from bsrepl.models.workbench import load

from ..conftest import Screen


@pytest.fixture
def m(screen: Screen) -> Screen:
    screen.console.proofs.is_on = False
    screen.names["m"] = qonnx_steps.cleanup(load("mnist-conv"))
    screen.type("first = m.model.SerializeToString(deterministic=True)")
    screen.type("m = m.transform(tfm.LowerConvsToMatMul())")
    screen.type("m = m.transform(tfm.GiveUniqueNodeNames())")
    return screen


LOG = """\
before it       verdict  pass or command      what changed
before("m", 2)           LowerConvsToMatMul   11 -> 17 nodes, 2 rewrites
before("m")              GiveUniqueNodeNames  17 nodes, renamed only
"""


def test_history_is_a_row_for_each_command(m: Screen) -> None:
    assert m.type("history('m')") == LOG
    assert m.type("history(m)") == LOG
    assert m.type("history()") == LOG
    assert m.type("[event.command for event in history(m)][-1]") == "'m = m.transform(tfm.GiveUniqueNodeNames())'\n"
    m.type("m.graph.node[0].name = 'other'")
    assert m.type("history(m)").splitlines()[-1] == (
        "before(\"m\")              m.graph.node[0].name = 'other'  17 nodes, renamed only"
    )


def test_the_verdict_is_in_it_also_one_that_comes_later(m: Screen) -> None:
    m.type("q = before(m, 2)")
    m.console.proofs.is_on, m.console.proofs.patience = True, 0.0
    m.console.run("q = q.transform(tfm.LowerConvsToMatMul())")
    assert m.names["history"]("q")[-1].verdict == "awaited"
    while not m.console.proofs.is_due():  # it has a limit
        pass
    m.console.tell_late_proofs()
    assert 'before("q")     OK rel ' in m.type("history('q')")


def test_a_model_as_it_was_is_a_copy_equal_byte_for_byte(m: Screen) -> None:
    assert m.type("before('m', 2).model.SerializeToString(deterministic=True) == first") == "True\n"
    assert m.type("before(m, 2).graph.node[0].op_type, before('m').graph.node[0].op_type") == "('Conv', 'Transpose')\n"
    m.type("old = before('m'); old.graph.ClearField('node')")
    assert m.type("len(before('m').graph.node)") == "17\n"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("before('q')", "no command has changed q so far; changed were: m"),
        ("before('m', 3)", "2 commands changed m so far; give a number from 1 to 2"),
        ("before('m', 0)", "2 commands changed m so far; give a number from 1 to 2"),
        ("before(load('mnist-conv'))", 'no name of the session holds this model; give the name, as in before("m")'),
    ],
)
def test_what_is_not_there_is_told(m: Screen, command: str, message: str) -> None:
    assert message in m.type(command)


def wide(weights: float, bias: float) -> ModelProto:
    """A model with a large weight and a small one."""
    kept = [numpy_helper.from_array(np.full([100, 100], weights, np.float32), "w"),
            numpy_helper.from_array(np.full([100], bias, np.float32), "b")]  # fmt: skip
    nodes = [helper.make_node("MatMul", ["x", "w"], ["a"]), helper.make_node("Add", ["a", "b"], ["y"])]
    ends = [helper.make_tensor_value_info(name, 1, [1, 100]) for name in ("x", "y")]
    return helper.make_model(helper.make_graph(nodes, "wide", ends[:1], ends[1:], kept))


def test_large_weights_are_kept_once() -> None:
    snapshots = Snapshots()
    models = [wide(1, 1), wide(1, 2), wide(2, 2), wide(1, 3)]
    taken = [snapshots.take(model, view(model)) for model in models]
    sizes: dict[int, int] = {}
    for snapshot in taken:
        sizes |= snapshot.parts()
    assert 80_000 < sum(sizes.values()) < 85_000
    assert [snapshot.model() for snapshot in taken] == models


def test_weights_are_read_by_the_first_command_alone(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the history has of them is compared with what the model has; protobuf copies nothing for it."""
    screen.console.proofs.is_on = False
    screen.names["m"] = ModelWrapper(wide(1, 1))
    sizes: list[int] = []
    digest = constants._digest

    def noted(data: bytes) -> bytes:
        sizes.append(len(data))
        return digest(data)

    monkeypatch.setattr(constants, "_digest", noted)
    screen.type("m.model.graph.doc_string = 'x'; m = m.transform(tfm.GiveUniqueNodeNames())")
    assert sizes.count(40_000) == 1
    sizes.clear()
    assert "shape" in screen.type("m = m.transform(tfm.InferShapes())")
    assert sizes.count(40_000) == 0
    screen.type("m.set_initializer('w', 2 * m.get_initializer('w'))")
    assert sizes.count(40_000) > 0  # it was edited in place
    assert (
        screen.type("float(before(m).get_initializer('w').max()), float(m.get_initializer('w').max())")
        == "(1.0, 2.0)\n"
    )


def test_the_difference_of_two_models_is_words_a_verdict_and_lanes(m: Screen) -> None:
    assert m.type("diff(before(m, 2), 'm')").splitlines() == [
        "diff: CNTKGraph   11 -> 17 nodes   2 rewrites, 9 untouched",
        "  - Conv  Conv_0  W[8,1,5,5]  [1,1,28,28] -> [1,8,28,28]",
        "  + Transpose, Im2Col(5x5, pad 2), MatMul W[25,8], Transpose",
        "    1 more like it: Conv_1",
        m.type("_.verdict").rstrip().replace("OK", "  OK", 1),
        "",
        "  ○  input  global_in  [1,1,28,28]",
        "- ├─●  Conv  Conv_0  5x5 W[8,1,5,5]  -> [1,8,28,28]",
        "+ ● │  Transpose  Transpose_0  perm=[0,2,3,1]  -> [1,28,28,1]",
        "+ ● │  Im2Col  Im2Col_0  5x5 pad 2  -> [1,28,28,25]",
        "+ ● │  MatMul  MatMul_0  W[25,8]  -> [1,28,28,8]",
        "+ ● │  Transpose  Transpose_1  perm=[0,3,1,2]  -> [1,8,28,28]",
        "  ●─╯  Add  Add_0  W[8,1,1]  -> [1,8,28,28]",
        "  ●  Relu  Relu_0  -> [1,8,28,28]",
        "  ●  MaxPool  MaxPool_0  2x2 strides=2  -> [1,8,14,14]",
        "- ├─●  Conv  Conv_1  5x5 W[16,8,5,5]  -> [1,16,14,14]",
        "+ ● │  Transpose  Transpose_2  perm=[0,2,3,1]  -> [1,14,14,8]",
        "+ ● │  Im2Col  Im2Col_1  5x5 pad 2  -> [1,14,14,200]",
        "+ ● │  MatMul  MatMul_1  W[200,16]  -> [1,14,14,16]",
        "+ ● │  Transpose  Transpose_3  perm=[0,3,1,2]  -> [1,16,14,14]",
        "  ●─╯  Add  Add_1  W[16,1,1]  -> [1,16,14,14]",
        "  ⋮  5 nodes: Relu, MaxPool, Reshape, MatMul, 1 more",
    ]
    assert m.type("d = diff('mnist-conv', load('mnist-conv').model); d, bool(d)") == "(12 nodes, False)\n"
    assert m.type("d") == "diff: CNTKGraph   12 nodes\n  the graphs are the same\n"


def test_a_difference_to_hand_on(m: Screen) -> None:
    m.type("d = diff(before(m, 2), m)")
    assert m.type("import json; json.loads(json.dumps(d.to_dict()))['verdict']['outcome']") == "'OK'\n"
    assert m.type("show(d, lines=3)").splitlines()[-1] == "18 more nodes; show(_, lines=0) draws all"


def test_a_model_that_is_gone_leaves_its_row(m: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bsrepl.models.history._MOST_BYTES", 30_000)
    m.type("m = m.transform(tfm.GiveUniqueParameterTensors())")
    m.type("m = m.transform(tfm.GiveRandomTensorNames())")
    assert m.type("history(m)").splitlines()[1].startswith("not kept")
    assert "is not kept" in m.type("before(m, 3)")
