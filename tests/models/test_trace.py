"""Running a pipeline: a row for each pass, where it stops, which pass is to blame."""

from __future__ import annotations

import re
from typing import Any

import pytest
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.base import Transformation
from qonnx.transformation.general import GiveUniqueNodeNames
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.transformation.lower_convs_to_matmul import LowerConvsToMatMul
from qonnx.transformation.pruning import PropagateMasks

from bsrepl.errors import EndlessPass
from bsrepl.frameworks.qonnx import steps as qonnx_steps
from bsrepl.models.proof.verify import verify
from bsrepl.models.trace import trace
from bsrepl.models.trace_result import Trace
from bsrepl.models.workbench import load

from ..conftest import Screen


class Ticking:
    """A clock that goes on by a millisecond each time somebody looks."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


def run(model: ModelWrapper, passes: list[Any], **options: Any) -> Trace:
    return trace(model, passes, clock=Ticking(), prove=verify, **options)


@pytest.fixture(scope="module")
def model() -> ModelWrapper:
    return qonnx_steps.cleanup(load("mnist-conv"))


class Scale(Transformation):
    """Breaks the bias of the first Add, and says that it did nothing."""

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        node = model.get_nodes_by_op_type("Add")[0]
        model.set_initializer(node.input[1], 1.5 * model.get_initializer(node.input[1]))
        return model, False


class Boasting(Transformation):
    """Does nothing, and says once that it did."""

    calls = 0

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        self.calls += 1
        return model, self.calls == 1


class Flipping(Transformation):
    """Goes back and forth between two states for ever, and is interrupted at some point."""

    def __init__(self, patience: int = 10**9) -> None:
        super().__init__()
        self.calls, self.patience = 0, patience

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        self.calls += 1
        if self.calls == self.patience:
            raise KeyboardInterrupt
        node = next(node for node in model.graph.node if node.name == "Relu_1")
        node.op_type = "Tanh" if node.op_type == "Relu" else "Relu"
        return model, True


class Failing(Transformation):
    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        model.graph.node.pop(0)
        raise ValueError("no such weight")


def test_each_pass_has_a_row_with_what_it_did(model: ModelWrapper) -> None:
    done = run(model, [InferShapes, LowerConvsToMatMul(), GiveUniqueNodeNames, Boasting, qonnx_steps.convert_to_quant])
    heading, *cells = done.table()
    assert heading == ("pass", "changed", "nodes", "rewrites", "parity", "apply", "cleanup", "diff")
    rows = [row[:4] for row in cells if not row[0].startswith(" ")]
    assert rows == [
        ("InferShapes", "no", "11", ""),
        ("LowerConvsToMatMul", "yes (returned False)", "11 -> 17", "2"),
        ("GiveUniqueNodeNames", "renamed (returned False)", "17", ""),
        ("Boasting x2", "no (returned True)", "17", ""),
        ("convert_to_quant", "renamed", "17", ""),
    ]
    assert [row[4] for row in cells if row[0] in ("InferShapes", "GiveUniqueNodeNames")] == ["OK rel 0e+00"] * 2
    assert cells[0][5:8] == ("1.0 ms", "1.0 ms", "1.0 ms")
    assert len(model.graph.node) == 11
    assert len(done.model.graph.node) == 17
    assert done
    assert done.conclusion() == ["LowerConvsToMatMul: 8 new nodes have no name", "proof of 5 passes: 5 OK"]


def test_passes_that_a_pass_applies_are_indented_below_it(model: ModelWrapper) -> None:
    names = [row[0] for row in run(load("mnist-conv"), [qonnx_steps.cleanup], parity=False).table()[1:]]
    assert names[:3] == ["cleanup", "  InferShapes", "  GiveUniqueParameterTensors"]
    assert names[3:5] == ["  FoldConstants x2", "    InferShapes"]
    assert not any("SortGraph" in name for name in names)
    assert ModelWrapper.transform.__module__ == "qonnx.core.modelwrapper"


def test_a_pass_that_fails_ends_it_and_the_model_before_is_kept(model: ModelWrapper) -> None:
    done = run(model, [LowerConvsToMatMul, Failing, GiveUniqueNodeNames])
    assert not done
    assert done.conclusion()[:2] == [
        "stopped at Failing, pass 2 of 3: ValueError: no such weight",
        "trace.model is the model before that pass",
    ]
    assert len(done.model.graph.node) == 17
    assert [row.name for row in done.rows if not row.depth] == ["LowerConvsToMatMul"]


@pytest.mark.parametrize(
    ("endless", "output"),
    [
        (Flipping, "stopped after Flipping.apply was called 1000 times; the last call changed Relu_1"),
        (Flipping(patience=7), "interrupted after Flipping.apply was called 7 times; the last call changed Relu_1"),
    ],
)
def test_a_pass_that_never_ends_is_stopped_and_names_the_nodes_that_oscillate(
    model: ModelWrapper, endless: Any, output: str
) -> None:
    done = run(model, [GiveUniqueNodeNames, endless])
    assert isinstance(done.error, EndlessPass)
    assert str(done.error) == output
    assert done.conclusion()[0].startswith(f"stopped at Flipping, pass 2 of 2: EndlessPass: {output}")


@pytest.mark.filterwarnings("ignore")
def test_a_shipped_pass_that_always_says_true_is_stopped() -> None:
    done = run(qonnx_steps.cleanup(load("subpixel/float_model")), [PropagateMasks])
    assert str(done.error) == "PropagateMasks.apply keeps returning True although it no longer changes anything"


def test_a_pass_that_breaks_the_model_is_seen_in_its_row(model: ModelWrapper) -> None:
    done = run(model, [GiveUniqueNodeNames, Scale, LowerConvsToMatMul])
    verdicts = [row.parity.outcome.value for row in done.rows if row.parity is not None]
    assert verdicts == ["OK", "DIFFERENT", "OK"]
    assert done.conclusion()[-1] == "proof of 3 passes: 2 OK, 1 DIFFERENT"
    assert done.conclusion()[0].startswith("Scale: DIFFERENT  other outputs: largest difference ")
    assert "; first at Add_0_out0, from Add Add_0: relative " in done.conclusion()[0]
    assert not done


@pytest.mark.parametrize(
    ("passes", "blamed"),
    [
        ([GiveUniqueNodeNames, InferShapes, Scale, LowerConvsToMatMul, GiveUniqueNodeNames], "Scale"),
        ([Scale, InferShapes], "Scale"),
        ([GiveUniqueNodeNames, LowerConvsToMatMul], ""),
        ([], ""),
    ],
)
def test_the_first_pass_that_broke_parity_is_found(model: ModelWrapper, passes: list[Any], blamed: str) -> None:
    done = run(model, passes, blame=True)
    assert done.blamed == blamed
    assert bool(done) is not bool(blamed)


def test_comparing_stops_when_it_takes_too_long(model: ModelWrapper) -> None:
    class Slow(Ticking):
        def __call__(self) -> float:
            self.now += 0.6
            return self.now

    done = trace(model, [InferShapes, GiveUniqueNodeNames], clock=Slow(), prove=verify)
    assert [row.parity is not None for row in done.rows] == [True, True]
    done = trace(model, [InferShapes, GiveUniqueNodeNames], parity=False, clock=Slow(), prove=verify)
    assert [row.parity for row in done.rows] == [None, None]


def test_what_returns_no_model_says_so(model: ModelWrapper) -> None:
    done = run(model, [lambda model: None])
    assert "TypeError: <lambda> returned a NoneType, not a model" in done.conclusion()[0]


def test_in_the_shell_it_is_a_table(screen: Screen) -> None:
    screen.type("m = load('mnist-conv')")
    output = screen.type("trace(m, [tfm.InferShapes, steps.qonnx.cleanup, tfm.LowerConvsToMatMul], parity=True)")
    lines = output.splitlines()
    assert re.match(r"pass +changed +nodes +rewrites +parity +apply", lines[0])
    assert re.match(r"InferShapes +no +12 ", lines[1])
    assert re.search(r"\nLowerConvsToMatMul +yes \(returned False\) +11 -> 17 +2 ", output)
    assert max(map(len, lines)) <= 100
    assert lines[-2:] == ["LowerConvsToMatMul: 8 new nodes have no name", "proof of 3 passes: 3 OK"]


class Breaking(Transformation):
    """Leaves a node that no library knows."""

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        model.graph.node[2].op_type = "NoSuchOp"
        return model, False


def test_a_model_that_cannot_be_executed_any_more_has_a_culprit(model: ModelWrapper) -> None:
    done = run(model, [GiveUniqueNodeNames, Breaking, InferShapes, GiveUniqueNodeNames], blame=True)
    assert done.blamed == "Breaking"
    assert done.culprit is not None
    assert done.culprit.verdict.outcome.name == "BROKEN"
    assert not done
    assert done.conclusion()[-1] == "proof of 4 passes: 1 OK, 1 BROKEN, 2 UNPROVEN"
    assert "parity" in done.table()[0]


@pytest.mark.parametrize("passes", ["tfm.FoldConstants", "tfm.FoldConstants()", "'FoldConstants'", "['FoldConstants']"])
def test_passes_are_given_alone_and_by_name(screen: Screen, passes: str) -> None:
    screen.type("m = load('mnist-conv')")
    assert "proof of 1 pass: 1 OK" in screen.type(f"trace(m, {passes})")
    assert "FoldConstants" in screen.type(f"w = watch(m, {passes}); w.name")
    assert "1 of 1 would change the model" in screen.type(f"passes(m, {passes})")


def test_a_name_that_is_no_pass_says_which_are_near(screen: Screen) -> None:
    screen.type("m = load('mnist-conv')")
    assert "FoldConstants" in screen.type("trace(m, 'FoldConstant')")
