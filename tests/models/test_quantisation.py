"""What the fused ops of quantised models read is what the quantisers beside the ops before them read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from bsrepl.models.proof.verify import verify

node = helper.make_node
NUMBERS: dict[str, Any] = {
    "s": np.array(0.05, np.float32), "z": np.array(128, np.uint8), "v": np.array(0.001, np.float32),
    "n": np.array(0, np.int8), "t": np.array(0.2, np.float32), "o": np.array(127, np.uint8),
    "u": np.array(1 / 8, np.float32), "i": np.array(0, np.uint8), "k": np.array(0.98, np.float32),
    "w": np.random.default_rng(4).integers(-127, 128, (16, 10)).astype(np.int8),
}  # fmt: skip


def model(*nodes: Any, **changed: Any) -> ModelProto:
    """A model from `x` to `y`. A constant that is `changed` has another value for all nodes that read it."""
    read = {name for one in nodes for name in one.input}
    infos = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", size]) for name, size in (("x", 16), ("y", 10))
    ]
    constants = {**NUMBERS, **changed}.items()
    kept = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants if name in read]
    graph = helper.make_graph(list(nodes), "g", infos[:1], infos[1:], kept)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets)


def quantised(name: str, *read: str) -> list[Any]:
    names = [name, f"{name}q", f"{name}d"]
    return [
        node("QuantizeLinear", [names[0], *read], [names[1]]),
        node("DequantizeLinear", [names[1], *read], [names[2]]),
    ]


X, A = quantised("x", "s", "z"), quantised("a", "t", "o")
WEIGHTS, PRODUCT = node("DequantizeLinear", ["w", "v", "n"], ["m"]), node("MatMul", ["xd", "m"], ["a"])
SOFTMAX, SIGMOID = node("Softmax", ["ad"], ["y"]), node("Sigmoid", ["ad"], ["g"])
SCALED = *quantised("g", "u", "i"), node("Mul", ["gd", "k"], ["y"])
BEFORE = model(*X, WEIGHTS, PRODUCT, *A, SOFTMAX)
GATED = model(*X, WEIGHTS, PRODUCT, *A, SIGMOID, *SCALED)


def fused(*last: Any, zero: str = "o", **changed: Any) -> ModelProto:
    """The product in 8 bits, and what follows."""
    product = node("QLinearMatMul", ["xq", "s", "z", "w", "v", "n", "t", zero], ["aq"])
    return model(X[0], product, *last, **changed)


def gated(*, scale: str = "t", **changed: Any) -> ModelProto:
    gate = node("QLinearSigmoid", ["aq", scale, "o", "u", "i"], ["gq"], domain="com.microsoft")
    return fused(gate, *SCALED[1:], **changed)


def folded(factor: float) -> ModelProto:
    """The last factor, as it is taken over by the scale before it."""
    last = node("DequantizeLinear", ["gq", "f", "i"], ["y"])
    return model(*X, WEIGHTS, PRODUCT, *A, SIGMOID, SCALED[0], last, f=NUMBERS["u"] * np.float32(factor))


def worse(place: int, steps: int) -> Any:
    """The weights, one of which is wrong."""
    weights = NUMBERS["w"].copy()
    weights.flat[place] -= np.int8(steps)
    return weights


def dense(bias: float, *, is_fused: bool = False) -> ModelProto:
    """A product, a bias and Relu, which cuts off what the last unit computes; in three nodes or in one."""
    biases = np.float32([0.1 * number for number in range(9)] + [bias])
    weights = (NUMBERS["w"] * NUMBERS["v"]).astype(np.float32)
    three = node("MatMul", ["x", "m"], ["p"]), node("Add", ["p", "b"], ["a"]), node("Relu", ["a"], ["y"])
    one = node("FusedGemm", ["x", "m", "b"], ["y"], domain="com.microsoft", activation="Relu")
    return model(*((one,) if is_fused else three), m=weights, b=biases)


ARRAYS = {name: value.reshape(1) for name, value in NUMBERS.items() if not value.ndim}
RIGHT = {
    "a product": (BEFORE, fused(A[1], SOFTMAX)),
    "scalars that become arrays of one": (BEFORE, fused(A[1], SOFTMAX, **ARRAYS)),
    "an activation": (GATED, gated()),
    "a zero point that was left out": (
        model(*X, node("DequantizeLinear", ["w", "v"], ["m"]), PRODUCT, *A, SOFTMAX), fused(A[1], SOFTMAX),
    ),
    "weights whose scale is applied": (
        BEFORE, model(*X, node("MatMul", ["xd", "m"], ["a"]), *A, SOFTMAX, m=NUMBERS["w"] * NUMBERS["v"]),
    ),
    "a factor that a scale takes over": (GATED, folded(0.98)),
    "a bias that another node reads": (dense(-40), dense(-40, is_fused=True)),
}  # fmt: skip
WRONG = {
    "the zero point that Softmax hides": (
        BEFORE, fused(A[1], SOFTMAX, o=np.array(128, np.uint8)), "a zero point that differs by 1 from the one before",
    ),
    "the zero point of a node that was there": (
        BEFORE, fused(node("DequantizeLinear", ["aq", "t", "p"], ["ad"]), SOFTMAX, p=np.array(128, np.uint8)),
        "DequantizeLinear reads a zero point",
    ),
    "a scale that an activation hides": (
        GATED, gated(scale="e", e=np.array(0.202, np.float32)), "QLinearSigmoid reads a scale that differs by 1.0%",
    ),
    "a bias of a unit that is cut off": (
        dense(-40), dense(-41.2, is_fused=True), "FusedGemm reads weights of which a few differ by 3.0%",
    ),
}  # fmt: skip
CHANGED = {
    "a scale of the input": (BEFORE, fused(A[1], SOFTMAX, s=NUMBERS["s"] * np.float32(1.01))),
    "a scale of the weights": (BEFORE, fused(A[1], SOFTMAX, v=NUMBERS["v"] * np.float32(1.01))),
    "a zero point of the input": (BEFORE, fused(A[1], SOFTMAX, z=np.array(129, np.uint8))),
    "a zero point of the product alone": (
        BEFORE, fused(A[1], SOFTMAX, zero="p", p=np.array(128, np.uint8)),
    ),
    "a weight": (BEFORE, fused(A[1], SOFTMAX, w=worse(0, 1))),
    "a factor that a scale takes over wrongly": (GATED, folded(0.99)),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_fused_ops_that_read_what_there_was_are_right(name: str) -> None:
    verdict = verify(*RIGHT[name], probe_count=2)
    assert verdict.outcome.name == "OK", verdict


@pytest.mark.parametrize("name", WRONG)
def test_scales_and_zero_points_that_outputs_hide_are_compared_with_those_before(name: str) -> None:
    *models, reason = WRONG[name]
    verdict = verify(*models, probe_count=2)
    assert verdict.outcome.name == "UNPROVEN", verdict
    assert reason in verdict.why


@pytest.mark.parametrize("name", CHANGED)
def test_other_ones_are_no_ok(name: str) -> None:
    assert not verify(*CHANGED[name], probe_count=2)
