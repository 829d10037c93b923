"""What FINN's streamlining does: scales move past layers and into thresholds, and datatypes become integers."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import helper, numpy_helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.util.basic import qonnx_make_model

from bsrepl.models.proof.verdict import Outcome
from bsrepl.models.proof.verify import verify
from bsrepl.models.runtime import execution
from bsrepl.models.runtime.execution import Executable

RNG = np.random.default_rng(0)
WEIGHTS = {name: RNG.integers(-7, 8, (8, 8)).astype(np.float32) for name in ("w1", "w2")}
STEPS = np.sort(RNG.normal(size=(8, 15)), axis=1).astype(np.float32)
QONNX = "qonnx.custom_op.general"


def model(nodes: list[tuple[str, str, str]], **numbers: object) -> ModelWrapper:
    """A model from `x` to `y`, whose nodes are given by their types, inputs and output."""
    made = [
        helper.make_node(op, read.split(), [output], domain=QONNX if op == "MultiThreshold" else "")
        for op, read, output in nodes
    ]
    ends = [helper.make_tensor_value_info(name, 1, [1, 8]) for name in ("x", "y")]
    values = {**WEIGHTS, "bias": 1, **numbers}
    constants = [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in values.items()]
    graph = helper.make_graph(made, "streamlined", ends[:1], ends[1:], constants)
    return ModelWrapper(qonnx_make_model(graph)).transform(InferShapes())


def before() -> ModelWrapper:
    """Two layers of thresholds, a scale and weights."""
    nodes = [
        ("MultiThreshold", "x t1", "q1"), ("Mul", "q1 s1", "p1"), ("MatMul", "p1 w1", "m1"),
        ("MultiThreshold", "m1 t2", "q2"), ("Mul", "q2 s2", "p2"), ("MatMul", "p2 w2", "m2"),
        ("Mul", "m2 s3", "p3"), ("Add", "p3 bias", "y"),
    ]  # fmt: skip
    return model(nodes, t1=STEPS, t2=30 * STEPS, s1=1.5, s2=0.25, s3=1.0)


def after(scale: float) -> ModelWrapper:
    """The same, if the scale is right, with integers up to a scale at the end."""
    nodes = [
        ("MultiThreshold", "x t1", "q1"), ("MatMul", "q1 w1", "m1"),
        ("MultiThreshold", "m1 t2", "q2"), ("MatMul", "q2 w2", "m2"),
        ("Mul", "m2 s3", "p3"), ("Add", "p3 bias", "y"),
    ]  # fmt: skip
    moved = model(nodes, t1=STEPS, t2=20 * STEPS, s3=scale)
    for name in ("m1", "m2"):
        moved.set_tensor_datatype(name, DataType["INT32"])
    return moved


def test_scales_that_make_up_for_each_other_are_ok() -> None:
    """Each part alone computes other values, and QONNX refuses those of the one model for integers of the other."""
    assert verify(before(), after(0.25)).outcome is Outcome.OK


@pytest.mark.parametrize("scale", [0.2525, 0.24999])
def test_a_scale_that_does_not_make_up_for_the_others_is_different(scale: float) -> None:
    assert verify(before(), after(scale)).outcome is Outcome.DIFFERENT


def test_nodes_that_are_in_order_are_not_sorted(monkeypatch: pytest.MonkeyPatch) -> None:
    """QONNX before 1.0 loses a node that reads and feeds no other as it sorts, as one is between two cuts."""
    monkeypatch.setattr(execution, "SortGraph", None)
    executable = Executable(before().model, ["m1"])
    x = RNG.normal(size=(1, 8)).astype(np.float32)
    assert executable({"x": x})["m1"].shape == (1, 8)
    monkeypatch.undo()
    mixed = before()
    first = mixed.graph.node[0]
    mixed.graph.node.remove(first)
    mixed.graph.node.append(first)
    assert np.array_equal(Executable(mixed.model)({"x": x})["y"], executable({"x": x})["y"])
