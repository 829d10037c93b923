"""What happens in the branches of an If is judged as it is outside of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from bsrepl.models.proof.verdict import Outcome
from bsrepl.models.proof.verify import verify
from bsrepl.models.runtime.branches import opened
from bsrepl.models.runtime.execution import Executable

node = helper.make_node
RNG = np.random.default_rng(6)
WEIGHTS = [RNG.normal(size=(4, 3 if not number else 4, 3)).astype(np.float32) for number in range(3)]
BIASES = [RNG.normal(size=4).astype(np.float32) for _ in range(3)]
FACTORS = np.float32([0.5, 8, 1.5, 3])
ORDER = np.array([2, 0, 3, 1])


class Chain(NamedTuple):
    """Three convolutions with a Relu between them, and what is added to the attributes of one of them."""

    weights: list[Any]
    biases: list[Any]
    which: int = 0
    attributes: tuple[tuple[str, Any], ...] = ()

    def nodes(self) -> list[Any]:
        source, nodes = "x", []
        for number in range(3):
            more = dict(self.attributes) if number == self.which else {}
            given = {"pads": [1, 1], **more}
            read = [source, f"w{number}", f"b{number}"]
            nodes.append(node("Conv", read, [f"c{number}"], name=f"conv{number}", **given))
            nodes.append(node("Relu", [f"c{number}"], [f"r{number}"]))
            source = f"r{number}"
        return [*nodes, node("GlobalAveragePool", [source], ["p"])]

    def constants(self) -> list[Any]:
        named = [(f"w{number}", value) for number, value in enumerate(self.weights)]
        named += [(f"b{number}", value) for number, value in enumerate(self.biases)]
        return [numpy_helper.from_array(value, name) for name, value in named]


def branch(name: str, chain: Chain) -> Any:
    return helper.make_graph(chain.nodes(), name, [], [helper.make_tensor_value_info("p", 1, None)], chain.constants())


def choice(then: Chain, other: Chain, limit: float = 0.5) -> ModelProto:
    """One chain if a value of the input is beyond a limit, else the other one; both use the same names."""
    infos = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 6]),
             helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]  # fmt: skip
    nodes = [
        node("ReduceMax", ["x"], ["m"], keepdims=0), node("Greater", ["m", "l"], ["c"]),
        node("If", ["c"], ["y"], then_branch=branch("then", then), else_branch=branch("else", other)),
    ]  # fmt: skip
    graph = helper.make_graph(nodes, "g", infos[:1], infos[1:], [numpy_helper.from_array(np.float32(limit), "l")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def inner(model: ModelProto) -> ModelProto:
    """The model in a branch of another If, whose condition is a constant."""
    changed = ModelProto()
    changed.CopyFrom(model)
    del changed.graph.node[:], changed.graph.initializer[:]
    constants = [*model.graph.initializer, numpy_helper.from_array(np.array(True), "t")]
    whole = helper.make_graph(list(model.graph.node), "whole", [], [helper.make_tensor_value_info("y", 1, None)])
    other = helper.make_graph([node("GlobalMaxPool", ["x"], ["y"])], "o", [], list(whole.output))
    changed.graph.initializer.extend(constants)
    changed.graph.node.append(node("If", ["t"], ["z"], then_branch=whole, else_branch=other))
    changed.graph.output[0].name = "z"
    return changed


def in_function(model: ModelProto) -> ModelProto:
    """The model as a function of its own."""
    constants = [node("Constant", [], [tensor.name], value=tensor) for tensor in model.graph.initializer]
    body = [*constants, *model.graph.node]
    function = helper.make_function("own", "Choice", ["x"], ["y"], body, list(model.opset_import))
    called = node("Choice", ["x"], ["y"], domain="own")
    graph = helper.make_graph([called], "g", list(model.graph.input), list(model.graph.output))
    opsets = [*model.opset_import, helper.make_opsetid("own", 1)]
    return helper.make_model(graph, functions=[function], opset_imports=opsets, ir_version=8)


def with_sparse(model: ModelProto) -> ModelProto:
    """The model with a sparse bias in its first branch."""
    changed = ModelProto()
    changed.CopyFrom(model)
    (first, *_) = [attribute.g for attribute in changed.graph.node[-1].attribute]
    (place,) = [number for number, tensor in enumerate(first.initializer) if tensor.name == "b1"]
    values = numpy_helper.from_array(numpy_helper.to_array(first.initializer[place]), "b1")
    indices = numpy_helper.from_array(np.arange(4), "b1_indices")
    del first.initializer[place]
    first.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [4]))
    return changed


def scaled(weights: list[Any], biases: list[Any], factors: Any = FACTORS) -> Chain:
    """The channels of the first convolution scaled, which the second one takes back."""
    first, second, last = weights
    return Chain([first * factors[:, None, None], second / factors[:, None], last], [biases[0] * factors, *biases[1:]])


def permuted(weights: list[Any], biases: list[Any]) -> Chain:
    first, second, last = weights
    return Chain([first[ORDER], second[:, ORDER], last], [biases[0][ORDER], *biases[1:]])


def worse(chain: Chain, which: int, factor: float = 1.01) -> Chain:
    """The chain, the largest weight of one convolution being wrong by one per cent."""
    weights = [one.copy() for one in chain.weights]
    weights[which].flat[np.abs(weights[which]).argmax()] *= np.float32(factor)
    return chain._replace(weights=weights)


PLAIN = Chain(WEIGHTS, BIASES)
RIGHT: dict[str, Chain] = {
    "powers of two": scaled(WEIGHTS, BIASES, np.float32([0.25, 2, 1, 4])),
    "other factors": scaled(WEIGHTS, BIASES),
    "channels in another order": permuted(WEIGHTS, BIASES),
}
WRONG: dict[str, tuple[Chain, str]] = {
    **{f"a weight of {number}, {name}": (worse(chain, number), f"conv{number}") for number in range(3)
       for name, chain in {"alone": PLAIN, "scaled": scaled(WEIGHTS, BIASES)}.items()
       if name == "alone" or number == 2},
    "a weight of the first one that is scaled": (worse(scaled(WEIGHTS, BIASES), 0), ""),
    "a weight of the one that takes it back": (worse(scaled(WEIGHTS, BIASES), 1), ""),
    "a weight in another order": (worse(permuted(WEIGHTS, BIASES), 1), ""),
    "a bias": (Chain(WEIGHTS, [BIASES[0], BIASES[1] * np.float32(1.01), BIASES[2]]), "conv1"),
    "a dilation": (PLAIN._replace(which=1, attributes=(("dilations", [2]), ("pads", [2, 2]))), "conv1"),
    "padding": (PLAIN._replace(which=2, attributes=(("pads", [0, 2]),)), "conv2"),
}  # fmt: skip


def either(model: Callable[[Chain], ModelProto], chain: Chain) -> tuple[ModelProto, ModelProto]:
    return model(PLAIN), model(chain)


PLACES: dict[str, Callable[[Chain], ModelProto]] = {
    "the branch that most inputs take": lambda chain: choice(chain, PLAIN),
    "the branch that zeros take": lambda chain: choice(PLAIN, chain),
    "both": lambda chain: choice(chain, chain),
    "an inner branch": lambda chain: inner(choice(chain, PLAIN)),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_rewrite_in_a_branch_is_right(name: str, place: str) -> None:
    verdict = verify(*either(PLACES[place], RIGHT[name]), probe_count=4)
    assert verdict.outcome.name == "OK", verdict


@pytest.mark.parametrize("name", WRONG)
def test_an_error_in_a_branch_is_found_at_its_node(name: str) -> None:
    chain, guilty = WRONG[name]
    verdict = verify(*either(PLACES["the branch that most inputs take"], chain))
    assert verdict.outcome.name == "DIFFERENT", verdict
    assert verdict.first is not None
    assert guilty in verdict.first.node


@pytest.mark.parametrize("place", PLACES)
def test_an_error_in_any_branch_is_found(place: str) -> None:
    assert not verify(*either(PLACES[place], worse(scaled(WEIGHTS, BIASES), 1)))


def test_a_model_without_ifs_computes_the_same() -> None:
    models = inner(choice(PLAIN, worse(PLAIN, 0, 2.0))), inner(choice(PLAIN, PLAIN))
    ones: Any = np.ones((2, 3, 6), np.float32)
    sets = [({"x": ones}, {"x": ones}), ({"x": -ones}, {"x": -ones})]
    groups = list(opened(models, sets))
    assert [len(members) for _, members in groups] == [1, 1]
    for both, members in groups:
        for model, original in zip(both, models, strict=True):
            assert "If" not in {one.op_type for one in model.graph.node}
            ((inputs, _),) = members
            assert np.array_equal(Executable(model)(inputs)["z"], Executable(original)(inputs)["z"])


ELSEWHERE = {"in a function": in_function, "with a sparse bias": with_sparse}


@pytest.mark.parametrize("place", ELSEWHERE)
def test_an_if_that_is_not_opened_is_judged_as_before(place: str) -> None:
    moved = ELSEWHERE[place]
    before, right, wrong = (moved(choice(chain, PLAIN)) for chain in (PLAIN, RIGHT["other factors"], worse(PLAIN, 1)))
    assert verify(before, right).outcome in (Outcome.OK, Outcome.UNPROVEN)
    assert verify(before, wrong).outcome is Outcome.DIFFERENT
