"""Values on a rounding edge of a quantiser are told apart from errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from bsrepl.models.proof.comparison import Comparison
from bsrepl.models.proof.noise import is_noise
from bsrepl.models.proof.verify import verify
from bsrepl.models.runtime.execution import Executable

WEIGHTS = np.random.default_rng(3).normal(size=(512, 64)).astype(np.float32)
LAST = np.random.default_rng(4).normal(size=(64, 8)).astype(np.float32)
ORDER = np.random.default_rng(5).permutation(512)
INPUT = np.random.default_rng(6).integers(-8, 8, (64, 512)).astype(np.float32) * np.float32(0.3)


def quantiser(kind: str, scale: str = "s") -> list[NodeProto]:
    if kind == "Quant":
        attributes: dict[str, Any] = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND"}
        return [
            helper.make_node(
                "Quant", ["b", scale, "z", "n"], ["c"], "q", domain="qonnx.custom_op.general", **attributes
            )
        ]
    return [
        helper.make_node("QuantizeLinear", ["b", scale, "i"], ["l"], "q"),
        helper.make_node("DequantizeLinear", ["l", scale, "i"], ["c"], "d"),
    ]


def quantised(kind: str, order: Any, weights: Any = WEIGHTS, last: Any = LAST, scale: float = 2.0) -> ModelProto:
    """A product, whose sums are in some order, quantised, and another product."""
    nodes = [
        helper.make_node("Gather", ["x", "p"], ["a"], axis=1),
        helper.make_node("MatMul", ["a", "w"], ["b"], "first"),
        *quantiser(kind),
        helper.make_node("MatMul", ["c", "v"], ["y"], "second"),
    ]
    constants: dict[str, Any] = {
        "p": order, "w": weights[order], "v": last, "s": np.float32(scale), "z": np.float32(0), "n": np.float32(8),
        "i": np.int8(0),
    }  # fmt: skip
    kept = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in
              (("x", [64, 512]), ("y", [64, 8]))]  # fmt: skip
    graph = helper.make_graph(nodes, "g", values[:1], values[1:], kept)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def on_edges() -> Any:
    """Inputs for which some of the sums lie on an edge: they are shifted until one of their sums does."""
    sums = (INPUT.astype(np.float64) @ WEIGHTS.astype(np.float64))[:, 0]
    shift = (np.round(sums / 2) + 0.5) * 2 - sums
    inputs = INPUT.astype(np.float64)
    inputs[:, 0] += shift / WEIGHTS[0, 0]
    return inputs.astype(np.float32)


EDGES = [{"x": on_edges()}]
NATURAL = np.arange(512)


@pytest.mark.parametrize("kind", ["Quant", "QuantizeLinear"])
def test_values_on_an_edge_are_counted(kind: str) -> None:
    verdict = verify(quantised(kind, NATURAL), quantised(kind, ORDER), EDGES)
    assert verdict.outcome.name == "ROUNDING", verdict
    assert verdict
    assert verdict.relative > 1e-4
    assert f"values on a rounding edge: {verdict.why.split()[5]} at {kind} q; everything else agrees" == verdict.why


def wrong(weights: Any) -> Any:
    changed = weights.copy()
    changed.flat[np.abs(changed).argmax()] *= np.float32(1.01)
    return changed


@pytest.mark.parametrize("kind", ["Quant", "QuantizeLinear"])
@pytest.mark.parametrize(
    ("after", "guilty"),
    [
        ({"weights": wrong(WEIGHTS)}, "MatMul first"),
        ({"last": wrong(LAST)}, "MatMul second"),
        ({"scale": 2.02}, "q"),
    ],
)
def test_an_error_of_one_per_cent_is_not_hidden_by_them(kind: str, after: dict[str, Any], guilty: str) -> None:
    verdict = verify(quantised(kind, NATURAL), quantised(kind, ORDER, **after), EDGES)
    assert verdict.outcome.name == "DIFFERENT", verdict
    assert verdict.first is not None
    assert guilty in verdict.first.node


def test_rounding_is_measured_with_several_changes_of_each_weight() -> None:
    """Of zeros all runs with the same weights are one, and the first change of this one is rounded away."""

    def left(weight: Any) -> ModelProto:
        nodes = [helper.make_node("Add", ["x", "a"], ["b"]), helper.make_node("Mod", ["b", "m"], ["y"], fmod=1)]
        infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
        kept = [numpy_helper.from_array(value, name) for name, value in (("a", weight), ("m", np.float32([300])))]
        graph = helper.make_graph(nodes, "g", infos[:1], infos[1:], kept)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])

    inputs: dict[str, Any] = {"x": np.zeros(1, np.float32)}
    step = float(np.finfo(np.float32).eps)
    before = left(np.float32([300.1]))
    was = Executable(before)(inputs)
    for weight, is_rounding in (
        (np.nextafter(np.float32([300.1]), np.float32(400)), True),
        (np.float32([300.11]), False),
    ):
        comparison = Comparison()
        comparison.add([("y", "y")], was, Executable(left(weight))(inputs))
        assert not comparison.is_within()
        assert is_noise(comparison, before, [("y", "y")], [inputs], [was], step) is is_rounding
