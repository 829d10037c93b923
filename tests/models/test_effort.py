"""How much is executed for a verdict: no more than it needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, helper, numpy_helper

from bsrepl.models.feeds.probes import KINDS, Probes
from bsrepl.models.proof.verify import verify
from bsrepl.models.runtime import execution


def model(nodes: Iterable[Any], inputs: dict[str, Any], output: list[Any], **constants: Any) -> ModelProto:
    ends = [helper.make_tensor_value_info(name, 1, shape) for name, shape in (*inputs.items(), ("y", output))]
    weights = [numpy_helper.from_array(np.float32(value), name) for name, value in constants.items()]
    graph = helper.make_graph(list(nodes), "g", ends[:-1], ends[-1:], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def test_sizes_that_no_values_suit_are_not_tried_with_every_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    weight = np.random.default_rng(0).normal(size=(512, 3))
    node = helper.make_node("MatMul", ["x", "w"], ["y"], "MatMul_0")
    before = model([node], {"x": ["N", "S"]}, ["N", 3], w=weight)
    tried: list[tuple[tuple[int, ...], str]] = []
    generated = Probes.generated

    def noted(self: Probes, shapes: Any, kind: str) -> Any:
        tried.append((shapes["x"], kind))
        return generated(self, shapes, kind)

    monkeypatch.setattr(Probes, "generated", noted)
    assert "S=512" in str(verify(before, before).notes)
    assert {kind for shape, kind in tried if shape[1] != 512} == set(KINDS[:2])


def test_sizes_that_no_values_suit_are_not_tried_again_to_show_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    weight = np.random.default_rng(0).normal(size=(512, 3))
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["p"], "MatMul_0"),
        helper.make_node("Clip", ["p", "", "most"], ["y"], "Clip_0"),
    ]
    models = [model(nodes, {"x": ["N", "S"]}, ["N", 3], w=weight, most=most) for most in (1e9, 1e8)]
    tried: dict[str, list[tuple[int, ...]]] = {"generated": [], "mixed": []}

    def note(name: str) -> None:
        generate = getattr(Probes, name)

        def noted(self: Probes, shapes: Any, kind: Any) -> Any:
            tried[name].append(shapes["x"])
            return generate(self, shapes, kind)

        monkeypatch.setattr(Probes, name, noted)

    note("generated")
    note("mixed")
    assert "Clip_0 changed" in verify(*models).why
    refused = {shape for shape in tried["generated"] if shape[1] != 512}
    assert refused.isdisjoint(tried["mixed"])
    assert sum(shape[1] == 512 for shape in tried["mixed"]) == 12


def choosing(*ops: str) -> ModelProto:
    """An If whose branch has ops one behind the other, where the input is not very small."""
    ends = [helper.make_tensor_value_info(name, 1, [4]) for name in ("t", "e")]
    names = ["x", *(f"t{number}" for number in range(1, len(ops))), "t"]
    nodes = [helper.make_node(op, [names[k]], [names[k + 1]], f"{op}_{k}") for k, op in enumerate(ops)]
    branches = [
        helper.make_graph(nodes, "then", [], ends[:1]),
        helper.make_graph([helper.make_node("Identity", ["x"], ["e"], "Identity_0")], "else", [], ends[1:]),
    ]
    outer = [
        helper.make_node("ReduceMax", ["x"], ["most"], "ReduceMax_0", keepdims=0),
        helper.make_node("Greater", ["most", "limit"], ["is_large"], "Greater_0"),
        helper.make_node("If", ["is_large"], ["y"], "If_0", then_branch=branches[0], else_branch=branches[1]),
    ]
    return model(outer, {"x": [4]}, [4], limit=-1e9)


def test_a_model_is_not_executed_again_to_see_whether_a_sub_graph_has_an_effect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models = choosing("Neg"), choosing("Neg", "Neg", "Neg")
    executed: list[ModelProto] = []
    create = execution._Session.__init__

    def noted(self: Any, model: ModelProto, wanted: Any) -> None:
        executed.extend([] if wanted else [model])
        create(self, model, wanted)

    monkeypatch.setattr(execution._Session, "__init__", noted)
    assert verify(*models)
    assert [executed.count(model) for model in models] == [1, 1]
