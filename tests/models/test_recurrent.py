"""Rewrites of convolutions that an LSTM and a product follow, as in models that read text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from bsrepl.models.proof.verify import verify

Weights = dict[str, Any]
UNITS, CHANNELS = 16, 8
GATES = 4 * UNITS
node = helper.make_node
RNG = np.random.default_rng(7)
SHAPES = {
    "w": (CHANNELS, 1, 3, 3), "b": (CHANNELS,), "i": (2, GATES, CHANNELS), "r": (2, GATES, UNITS),
    "o": (2, 2 * GATES), "m": (12, 2 * UNITS), "e": (12,),
}  # fmt: skip
PLAIN = {name: (0.4 * RNG.normal(size=shape)).astype(np.float32) for name, shape in SHAPES.items()}


def reader(weights: Weights, *, is_transposed: bool = True) -> ModelProto:
    """A convolution, an LSTM in both directions and a product, for images of any width; shapes are computed."""
    nodes = [
        node("Conv", ["x", "w", "b"], ["c"], pads=[1, 1, 1, 1], name="conv"), node("Relu", ["c"], ["a"]),
        node("ReduceMean", ["a"], ["d"], axes=[2], keepdims=0), node("Transpose", ["d"], ["t"], perm=[2, 0, 1]),
        node("LSTM", ["t", "i", "r", "o"], ["h"], hidden_size=UNITS, direction="bidirectional", name="lstm"),
        node("Transpose", ["h"], ["s"], perm=[0, 2, 1, 3]), node("Reshape", ["s", "k"], ["l"]),
        node("Shape", ["l"], ["n"]), node("Slice", ["n", "p", "q"], ["u"]), node("Concat", ["u", "v"], ["f"], axis=0),
        node("Reshape", ["l", "z"], ["g"]),
        node("Gemm", ["g", "m", "e"], ["j"], name="product", **({"transB": 1} if is_transposed else {})),
        node("Reshape", ["j", "f"], ["y"]),
    ]  # fmt: skip
    sizes = {"k": [0, 0, -1], "p": [0], "q": [2], "v": [12], "z": [-1, 2 * UNITS]}
    constants = {**weights, **{name: np.array(values) for name, values in sizes.items()}}
    infos = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 1, 4, "T"]),
             helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]  # fmt: skip
    kept = [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "g", infos[:1], infos[1:], kept)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def in_order(order: Any) -> Weights:
    """The units of the LSTM in another order, in both directions, and what the product reads of them."""
    rows = np.concatenate([UNITS * gate + order for gate in range(8)])
    columns = np.concatenate([order, UNITS + order])
    changed = {"i": PLAIN["i"][:, rows[:GATES]], "r": PLAIN["r"][:, rows[:GATES]][..., order], "o": PLAIN["o"][:, rows]}
    return {**PLAIN, **changed, "m": PLAIN["m"][:, columns]}


def negated(unit: int) -> Weights:
    """One unit of the LSTM with the other sign, which the product takes back."""
    weights = {name: values.copy() for name, values in PLAIN.items()}
    cell = 3 * UNITS + unit
    weights["i"][:, cell] *= -1
    weights["r"][:, cell] *= -1
    weights["r"][..., unit] *= -1
    weights["o"][:, [cell, GATES + cell]] *= -1
    weights["m"][:, [unit, UNITS + unit]] *= -1
    return weights


def moved(count: int) -> Weights:
    """Some biases on what the LSTM reads moved to those on its state, to which it adds them."""
    biases = PLAIN["o"].copy()
    biases[:, GATES : GATES + count] += biases[:, :count]
    biases[:, :count] = 0
    return {**PLAIN, "o": biases}


def scaled() -> Weights:
    factors = np.linspace(0.3, 3, CHANNELS).astype(np.float32)
    changed = {"w": PLAIN["w"] * factors[:, None, None, None], "b": PLAIN["b"] * factors, "i": PLAIN["i"] / factors}
    return {**PLAIN, **changed}


SWAPPED = np.array([1, 0, *range(2, UNITS)])
RIGHT = {
    "two units swapped": in_order(SWAPPED),
    "all units in another order": in_order(np.random.default_rng(1).permutation(UNITS)),
    "a unit with the other sign": negated(3),
    "two biases moved": moved(2),
    "all biases moved": moved(GATES),
    "channels scaled": scaled(),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_rewrite_of_a_recurrent_layer_is_right(name: str) -> None:
    verdict = verify(reader(PLAIN), reader(RIGHT[name]))
    assert verdict.outcome.name == "OK", verdict


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("weight", PLAIN)
def test_and_one_weight_of_it_that_is_wrong_is_found(name: str, weight: str) -> None:
    changed = RIGHT[name][weight].copy()
    changed.flat[np.abs(changed).argmax()] *= np.float32(1.01)
    assert verify(reader(PLAIN), reader({**RIGHT[name], weight: changed}), probe_count=2).is_wrong


def test_a_matrix_that_is_stored_the_other_way_round_is_the_same() -> None:
    turned = reader({**PLAIN, "m": PLAIN["m"].T}, is_transposed=False)
    assert verify(reader(PLAIN), turned).outcome.name == "OK"
    wrong = PLAIN["m"].T.copy()
    wrong[3, 5] *= np.float32(1.01)
    assert verify(reader(PLAIN), reader({**PLAIN, "m": wrong}, is_transposed=False)).is_wrong
