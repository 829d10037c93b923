"""What the words of a difference tell: everything that a computation depends on, and no list without a limit."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from onnx import FunctionProto, ModelProto, TensorProto, helper, numpy_helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.infer_shapes import InferShapes

from bsrepl.graphdiff.difference import between
from bsrepl.graphdiff.words import in_short, lines

from .test_difference import CHAIN, VALUES, Line, graph


def changed(model: ModelProto, edit: Callable[[ModelProto], Any]) -> list[str]:
    """The lines of the difference that an edit of a copy makes."""
    after = ModelProto.FromString(model.SerializeToString())
    edit(after)
    return [f"{sign} {line}" for sign, line in lines(between(model, after))]


def weights(model: ModelProto, *values: float, name: str = "w") -> None:
    """Sets an initializer."""
    kept = next(tensor for tensor in model.graph.initializer if tensor.name == name)
    kept.CopyFrom(numpy_helper.from_array(np.array(values, np.float32), name))


TEN = graph([("Mul", "in w", "out")], w=1.0)
weights(TEN, *range(10))
NAN = float("nan")


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ([0.015], [0.0168], "0.015 -> 0.0168"),
        ([1.0], [1.00000012], "1 -> 1.00000012"),
        ([1, 2], [1, 3], "[1, 2] -> [1, 3]"),
        ([1, 2], [1, 2, 3], "[1, 2] -> [1, 2, 3]"),
        (range(10), range(12), "[10] -> [12]"),
        (range(10), [0, 1, 2.5, *range(3, 10)], "[10] 1 of 10 values, by up to 0.5 (largest 9)"),
        (range(10), range(1, 11), "[10] 10 of 10 values, by up to 1 (largest 9)"),
        (range(10), [*range(9), NAN], "[10] 1 of 10 values, 1 from or to NaN or infinity"),
        ([NAN, *range(9)], [NAN, 0.25, *range(1, 9)], "[10] 1 of 10 values, by up to 0.25 (largest 8)"),
        ([0.0, *range(9)], [-0.0, *range(9)], "[10] the same values with other bits"),
    ],
)
def test_how_a_constant_changed(before: Any, after: Any, told: str) -> None:
    model = ModelProto.FromString(TEN.SerializeToString())
    weights(model, *before)
    assert changed(model, lambda model: weights(model, *after)) == [f"~ Mul  n0  input 1 {told}"]


def test_a_weight_of_another_type_and_one_edited_after_it_was_viewed() -> None:
    def narrow(model: ModelProto) -> None:
        model.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.arange(10, dtype=np.float16), "w"))

    assert changed(TEN, narrow) == ["~ Mul  n0  input 1 [10] float -> float16"]


def sparse(*values: float) -> ModelProto:
    """A model whose weight is a sparse initializer."""
    model = graph([("Mul", "in w", "out")])
    held = numpy_helper.from_array(np.array(values, np.float32), "w")
    places = numpy_helper.from_array(np.arange(len(values)), "")
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(held, places, [9]))
    return model


def test_the_values_of_a_sparse_initializer() -> None:
    assert not between(sparse(1, 2, 3), sparse(1, 2, 3))
    assert [line for _, line in lines(between(sparse(*range(5)), sparse(0, 1, 2, 3, 9)))] == [
        "Mul  n0  input 1 [9] 1 of 5 values, by up to 5 (largest 4)"
    ]


def local(*ops: str, default: float = 1.0, opset: int = 17) -> ModelProto:
    """A model that calls a local function with a body of unary ops."""
    names = ["x", *(f"t{number}" for number in range(len(ops) - 1)), "y"]
    body = [helper.make_node(op, [names[at]], [names[at + 1]]) for at, op in enumerate(ops)]
    function = FunctionProto(name="Act", domain="pkg", input=["x"], output=["y"], node=body)
    function.attribute_proto.append(helper.make_attribute("alpha", default))
    function.opset_import.append(helper.make_opsetid("", opset))
    model = graph([("Relu", "in", "a"), ("Act", "a", "out")])
    model.graph.node[1].domain = "pkg"
    model.opset_import.append(helper.make_opsetid("pkg", 1))
    model.functions.append(function)
    return model


SIGNATURE = "(input 0, alpha=1) of opset onnx 17"


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (local("Exp", "Tanh"), []),
        (local("Exp", "Sqrt"), ["- Tanh  in function pkg.Act", "+ Sqrt"]),
        (local("Exp"), ["- Tanh  in function pkg.Act"]),
        (local("Exp", "Tanh", default=2.0), [f"~ function pkg.Act {SIGNATURE} -> {SIGNATURE.replace('1)', '2)')}"]),
    ],
)
def test_the_body_of_a_local_function(after: ModelProto, told: list[str]) -> None:
    assert [f"{sign} {line}" for sign, line in lines(between(local("Exp", "Tanh"), after))] == told


def type_input(model: ModelProto, kind: int, shape: list[Any]) -> None:
    model.graph.input[0].CopyFrom(helper.make_tensor_value_info("in", kind, shape))


BASE = graph(CHAIN, **VALUES)


def rename_input(model: ModelProto) -> None:
    ModelWrapper(model).rename_tensor("in", "pixels")


def list_initializer(model: ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [1]))


def add_metadata(model: ModelProto) -> None:
    model.metadata_props.add(key="author", value="A" * 90)


def swap(model: ModelProto) -> None:
    for node in model.graph.node[1:3]:
        node.input[:] = [*node.input][::-1]


def as_nodes(model: ModelProto) -> None:
    """Makes the initializers Constant nodes."""
    for number, tensor in enumerate(model.graph.initializer):
        model.graph.node.insert(number, helper.make_node("Constant", [], [tensor.name], value=tensor))
    del model.graph.initializer[:]


def annotate(datatype: str) -> Callable[[ModelProto], None]:
    def edit(model: ModelProto) -> None:
        ModelWrapper(model).set_tensor_datatype("a", DataType[datatype])

    return edit


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (rename_input, "input in renamed pixels"),
        (lambda model: type_input(model, TensorProto.INT64, [1, 4]), "input in: element type float -> int64"),
        (lambda model: type_input(model, TensorProto.FLOAT, ["N", 4]), "input in: shape [1,4] -> [N,4]"),
        (add_metadata, f"metadata author none -> {'A' * 57}..."),
        (annotate("INT4"), "datatype INT4 added to 1 tensor: a"),
        (list_initializer, "tidied: 1 initializer listed as inputs"),
        (swap, "tidied: inputs of 2 commutative nodes swapped"),
        (as_nodes, "tidied: 2 initializers made Constant nodes"),
    ],
)
def test_what_an_edit_is_told_as(edit: Callable[[ModelProto], None], told: str) -> None:
    assert changed(BASE, edit) == [f"~ {told}"]


def test_what_a_cleanup_does_to_every_model_is_no_change_and_told_once() -> None:
    def untidy(model: ModelProto) -> None:
        list_initializer(model)
        swap(model)

    before = ModelProto.FromString(BASE.SerializeToString())
    untidy(before)
    after = ModelWrapper(ModelProto.FromString(before.SerializeToString())).transform(InferShapes())
    del after.graph.value_info[:]
    difference = between(before, after)
    assert not difference
    assert difference.is_tidied_only
    assert [line for _, line in lines(difference)] == [
        "tidied: inputs of 2 commutative nodes swapped, 1 initializer no longer listed as inputs"
    ]


def test_nodes_that_were_edited_alike_are_told_once() -> None:
    before = graph([("Elu", "in", "a"), ("Elu", "a", "b"), ("Elu", "b", "out")])
    after = graph([("Elu/1", "in", "a"), ("Elu/1", "a", "b"), ("Elu/1", "b", "out")])
    assert str(between(before, after)).splitlines()[1:] == ["  ~ Elu  n0  axis none -> 1", "    2 more like it: n1, n2"]


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (1, ["shape [1] -> [2]: t0"]),
        (2, ["shape [1] -> [2]: t0", "shape [1] -> [3]: t1"]),
        (6, ["shape of 6 tensors: t0 [1] -> [2], t1 [1] -> [3], t2 [1] -> [4], t3 [1] -> [5], ..."]),
    ],
)
def test_shapes_that_changed_each_in_its_own_way(count: int, told: list[str]) -> None:
    names = ["in", *(f"t{number}" for number in range(count)), "out"]

    def typed(size_of: Callable[[int], int]) -> ModelProto:
        model = graph([("Relu", names[at], names[at + 1]) for at in range(count + 1)])
        infos = [helper.make_tensor_value_info(f"t{n}", TensorProto.FLOAT, [size_of(n)]) for n in range(count)]
        model.graph.value_info.extend(infos)
        return model

    assert [line for _, line in lines(between(typed(lambda n: 1), typed(lambda n: n + 2)))] == told


def test_swapped_inputs_that_are_no_constants() -> None:
    shared = [("Relu", "in", "a"), ("Tanh", "in", "b")]
    difference = between(graph([*shared, ("Add", "a b", "out")]), graph([*shared, ("Add", "b a", "out")]))
    assert not difference
    assert difference.tidying == {"swapped": 1}
    assert between(graph([*shared, ("Sub", "a b", "out")]), graph([*shared, ("Sub", "b a", "out")])).moved


def test_a_datatype_from_what_to_what() -> None:
    before = ModelProto.FromString(BASE.SerializeToString())
    annotate("INT4")(before)
    assert changed(before, annotate("INT3")) == ["~ datatype INT4 -> INT3: a"]
    assert changed(before, lambda model: model.graph.ClearField("quantization_annotation")) == [
        "~ datatype INT4 removed from 1 tensor: a"
    ]


def test_inputs_and_outputs_in_another_order() -> None:
    lines_ = [("Relu", "x", "p"), ("Tanh", "y", "q")]
    before, after = graph(lines_, "x y", "p q"), graph(lines_, "y x", "q p")
    assert between(before, after).interface == ["inputs reordered: y, x", "outputs reordered: q, p"]


MOVED = [("MultiThreshold", "r w", "b"), ("Transpose", "b", "c"), ("Sigmoid", "c", "out")]
ABSORBED = [("MultiThreshold", "r w", "c"), ("Sigmoid", "c", "out")]


@pytest.mark.parametrize(("after", "rest"), [(MOVED, [("Sigmoid", "b", "out")]), (ABSORBED, MOVED[1:])])
def test_transposes_around_an_edited_node_are_one_rewrite(after: list[Line], rest: list[Line]) -> None:
    """FINN's AbsorbTransposeIntoMultiThreshold: the node gets another layout, the Transpose comes after it or ends."""
    head = ("Relu", "in", "r")
    before = graph([head, ("Transpose", "r", "a"), ("MultiThreshold", "a w", "b"), *rest], w=1.0)
    model = graph([head, *after], w=1.0)
    model.graph.node[1].attribute.append(helper.make_attribute("data_layout", "NHWC"))
    assert len(between(before, model).rewrites) == 1


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (np.ones([10, 30], np.float32), "100 -> 300 parameters (400 B -> 1.2 kB)"),
        (np.ones([10, 10], np.float16), "parameters 400 B -> 200 B, 16,384 -> 8,192 bit operations"),
        (np.ones([10, 10], np.float32), ""),
    ],
)
def test_what_happened_to_the_parameters_is_in_the_headline(after: Any, told: str) -> None:
    def with_weights(values: Any) -> ModelProto:
        model = graph([("MatMul", "in w", "out")])
        model.graph.initializer.append(numpy_helper.from_array(values, "w"))
        return model

    headline = str(between(with_weights(np.zeros([10, 10], np.float32)), with_weights(after))).splitlines()[0]
    assert headline == f"1 node   1 edited, 0 untouched   {told}".rstrip()


def test_a_difference_is_a_line_as_repr_words_as_str_and_plain_values_for_json() -> None:
    after = graph([CHAIN[0], ("Sub", "a w", "b"), *CHAIN[2:]], w=1.0, v=3.0)
    difference = between(BASE, after)
    assert repr(difference) == "<Difference 1 rewrite, 1 edited>"
    assert str(difference).splitlines() == [
        "4 nodes   1 rewrite, 1 edited, 2 untouched",
        "  - Add  n1  W[1]",
        "  + Sub W[1]",
        "  ~ Mul  n2  input 1 2 -> 3",
    ]
    values = difference.to_dict()
    assert json.loads(json.dumps(values)) == values
    assert values["nodes"] == {"before": 4, "after": 4, "untouched": 2}
    assert values["parameters"] == {"before": 2, "after": 2}
    assert values["bytes_of_parameters"] == {"before": 8, "after": 8}
    node = {"name": "n1", "domain": "", "in": "", "inputs": ["a", "w"], "outputs": ["b"]}
    assert values["rewrites"] == [{"removed": [{"op_type": "Add", **node}], "inserted": [{"op_type": "Sub", **node}]}]
    assert [(edit["name"], edit["changes"]) for edit in values["edited"]] == [("n2", ["input 1 2 -> 3"])]
    assert repr(between(BASE, BASE)) == "<Difference 4 nodes>"


def random_change(rng: random.Random) -> tuple[ModelProto, ModelProto]:
    """Two unrelated models, with as many changes of every kind as fit."""

    def one(prefix: str) -> ModelProto:
        count = rng.randrange(20, 60)
        ops = [rng.choice(("Relu", "Tanh", "Add", "Softmax/1", "Softmax/0")) for _ in range(count)]
        source = [
            ("in" if not at else f"{prefix}{at - 1}") + (" w" if op == "Add" else "") for at, op in enumerate(ops)
        ]
        made = graph([(op, source[at], f"{prefix}{at}") for at, op in enumerate(ops)], w=rng.random())
        for number in range(30):
            made.graph.input.add(name=f"{prefix}in{number}")
            made.graph.output.add(name=f"{prefix}{number % count}")
            made.metadata_props.add(key=f"k{number}", value=prefix)
            made.opset_import.add(domain=f"{prefix}{number}", version=1)
        return made

    return one("a"), one("b")


@pytest.mark.parametrize("seed", range(10))
def test_no_list_is_without_limit(seed: int) -> None:
    difference = between(*random_change(random.Random(seed)))
    words = list(lines(difference))
    assert len(words) < 120
    assert all(len(line) < 1_000 for _, line in words)
    assert len(in_short(difference)) < 300
    assert json.dumps(difference.to_dict())
