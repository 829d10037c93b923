"""Branches that only their weights tell apart are compared with their counterparts, in whatever order they come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from bsrepl.models.proof.verify import verify

Weights = dict[str, Any]
HEADS = 3
node = helper.make_node
RNG = np.random.default_rng(8)
PLAIN: Weights = {f"{kind}{head}{layer}": values for head in range(HEADS) for layer in range(2) for kind, values in {
    "w": RNG.normal(size=(8, 8)), "b": RNG.normal(size=8), "s": RNG.uniform(0.5, 2, 8)}.items()}  # fmt: skip
FOLDED: Weights = {name: values * PLAIN[f"s{name[1:]}"] for name, values in PLAIN.items() if not name.startswith("s")}


def heads(weights: Weights, join: str, order: Sequence[int] = range(HEADS)) -> ModelProto:
    """Products with a bias, a scale if there is one, and a Relu, twice in each head; then all heads are joined."""
    nodes = []
    for head in order:
        source = "x"
        for place in (f"{head}{layer}" for layer in range(2)):
            nodes.append(node("MatMul", [source, f"w{place}"], [f"m{place}"], name=f"product{place}"))
            nodes.append(node("Add", [f"m{place}", f"b{place}"], [f"a{place}"], name=f"bias{place}"))
            source = f"a{place}"
            if f"s{place}" in weights:
                nodes.append(node("Mul", [source, f"s{place}"], [f"n{place}"]))
                source = f"n{place}"
            nodes.append(node("Relu", [source], [f"r{place}"]))
            source = f"r{place}"
    nodes.append(node(join, [f"r{head}1" for head in order], ["y"]))
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 8]) for name in "xy"]
    kept = [numpy_helper.from_array(values.astype(np.float32), name) for name, values in weights.items()]
    return helper.make_model(helper.make_graph(nodes, "g", infos[:1], infos[1:], kept),
                             opset_imports=[helper.make_opsetid("", 17)])  # fmt: skip


JOINS = ("Sum", "Max", "Mean")
ORDERS = {"the same order": range(HEADS), "the other order": range(HEADS)[::-1], "another order": (1, 2, 0)}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("join", JOINS)
def test_scales_that_are_folded_in_each_head_are_right(join: str, order: str) -> None:
    verdict = verify(heads(PLAIN, join), heads(FOLDED, join, ORDERS[order]))
    assert verdict.outcome.name == "OK", verdict


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", FOLDED)
def test_the_guilty_head_is_named(name: str, order: str) -> None:
    worse = FOLDED[name].copy()
    worse.flat[np.abs(worse).argmax()] *= 1.05
    verdict = verify(heads(PLAIN, "Sum"), heads({**FOLDED, name: worse}, "Sum", ORDERS[order]))
    assert not verdict
    guilty = verdict.first.node if verdict.first is not None else verdict.why  # a weight of a unit that is never active
    assert f"product{name[1]}" in guilty or f"bias{name[1]}" in guilty
