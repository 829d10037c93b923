"""What a transformation did, told from the two graphs alone."""

from __future__ import annotations

import random
import sys
from collections import Counter
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.general import (
    GiveRandomTensorNames,
    GiveReadableTensorNames,
    GiveUniqueNodeNames,
    GiveUniqueParameterTensors,
)
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.transformation.lower_convs_to_matmul import LowerConvsToMatMul

from bsrepl.frameworks.qonnx import steps as qonnx_steps
from bsrepl.frameworks.qonnx.samples import samples
from bsrepl.graphdiff import constants
from bsrepl.graphdiff.difference import Difference, between
from bsrepl.graphdiff.viewing import view
from bsrepl.models.workbench import load

Line = tuple[str, str, str]  # op type, inputs, outputs


def graph(lines: list[Line], inputs: str = "in", outputs: str = "out", **constants: Any) -> ModelProto:
    """A model: `("Add", "in w", "out")` is a node, `w=2.0` a constant; `Softmax/1` has the axis 1."""
    nodes = []
    for number, (op, source, result) in enumerate(lines):
        op_type, _, axis = op.partition("/")
        attributes = {"axis": int(axis)} if axis else {}
        nodes.append(helper.make_node(op_type, source.split(), result.split(), name=f"n{number}", **attributes))
    values = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in names.split()]
              for names in (inputs, outputs)]  # fmt: skip
    kept = [numpy_helper.from_array(np.array([value], np.float32), name) for name, value in constants.items()]
    return helper.make_model(helper.make_graph(nodes, "test", *values, kept))


def summary(difference: Difference) -> dict[str, Any]:
    """What a difference says, without what is empty."""
    old, new = difference.old.nodes, difference.new.nodes
    found = {
        "removed": [old[node].op_type for node in difference.removed],
        "inserted": [new[node].op_type for node in difference.inserted],
        "edited": {old[edit.old].op_type: edit.changes for edit in difference.edited},
        "moved": sorted(old[node].op_type for node, _ in difference.moved),
        "annotated": dict(Counter(change.what for change in difference.annotations)),
        "interface": difference.interface,
        "tidying": dict(difference.tidying),
    }
    return {name: value for name, value in found.items() if value}


CHAIN = [("Relu", "in", "a"), ("Add", "a w", "b"), ("Mul", "b v", "c"), ("Softmax/1", "c", "out")]
VALUES: dict[str, Any] = {"w": 1.0, "v": 2.0}


@pytest.mark.parametrize(
    ("lines", "constants", "expected"),
    [
        (CHAIN, VALUES, {}),
        ([("Relu", "in", "x"), ("Add", "x q", "y"), ("Mul", "y p", "z"), ("Softmax/1", "z", "out")],
         {"q": 1.0, "p": 2.0}, {}),
        (CHAIN[::-1], VALUES, {}),  # the order in the file is no part of the graph
        ([("Relu", "in", "b"), ("Mul", "b v", "c"), CHAIN[3]], VALUES, {"removed": ["Add"]}),
        ([CHAIN[0], ("Elu", "a", "e"), ("Add", "e w", "b"), *CHAIN[2:]], VALUES, {"inserted": ["Elu"]}),
        ([CHAIN[0], ("Sub", "a w", "b"), *CHAIN[2:]], VALUES, {"removed": ["Add"], "inserted": ["Sub"]}),
        ([*CHAIN[:3], ("Softmax/0", "c", "out")], VALUES, {"edited": {"Softmax": ("axis 1 -> 0",)}}),
        ([*CHAIN[:3], ("Softmax", "c", "out")], VALUES, {"edited": {"Softmax": ("axis 1 -> none",)}}),
        (CHAIN, {"w": 1.5, "v": 2.0}, {"edited": {"Add": ("input 1 1 -> 1.5",)}}),
        ([CHAIN[0], ("Mul", "a v", "b"), ("Add", "b w", "c"), CHAIN[3]], VALUES, {"moved": ["Add", "Mul", "Softmax"]}),
    ],
)  # fmt: skip
def test_a_chain(lines: list[Line], constants: dict[str, Any], expected: dict[str, Any]) -> None:
    difference = between(graph(CHAIN, **VALUES), graph(lines, **constants))
    assert summary(difference) == expected
    assert bool(difference) is bool(expected)


REWIRED = {"annotated": {"shape": 1}, "interface": ["output out comes from another node"]}
SPLIT = [("Split", "in", "a b"), ("Relu", "a", "c"), ("Sub", "c b", "out")]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (SPLIT, [*SPLIT[:2], ("Sub", "b c", "out")], {"moved": ["Sub"]}),
        (SPLIT, [SPLIT[0], ("Relu", "b", "c"), SPLIT[2]], {"moved": ["Relu"]}),
        (SPLIT, [SPLIT[0], ("Relu", "nowhere", "c"), SPLIT[2]], {"moved": ["Relu"]}),
        ([("Relu", "in", "out")], [("Relu", "nowhere", "out")], {"moved": ["Relu"]}),
        ([("Relu", "nowhere", "out")], [("Relu", "in", "out")], {"moved": ["Relu"]}),
        ([("Relu", "nowhere", "out")], [("Relu", "elsewhere", "out")], {}),
        ([("Relu", "in", "a"), ("Neg", "a", "out"), ("Exp", "a", "x")],
         [("Relu", "in", "a"), ("Neg", "a", "y"), ("Exp", "a", "out")], REWIRED),
        ([("Relu", "in", "a"), ("Mul", "a w", "out")], [("Relu", "in", "a"), ("Mul", "a a", "out")],
         {"edited": {"Mul": ("input 1 is no longer a constant",)}}),
        ([("Relu", "in", "a"), ("Clip", "a w", "out")], [("Relu", "in", "a"), ("Clip", "a", "out")],
         {"edited": {"Clip": ("inputs 2 -> 1",)}}),
    ],
)  # fmt: skip
def test_no_change_of_the_wiring_is_lost(before: list[Line], after: list[Line], expected: dict[str, Any]) -> None:
    assert summary(between(graph(before, w=1.0), graph(after, w=1.0))) == expected


def test_the_values_of_an_output_that_is_a_constant_are_compared() -> None:
    before, after = (graph([("Relu", "in", "a")], outputs="a w", w=value) for value in (1.0, 2.5))
    assert summary(between(before, after)) == {"interface": ["output w: 1 -> 2.5"]}
    assert not between(before, before)


def test_a_constant_without_a_name_is_not_what_an_input_that_is_left_out_reads() -> None:
    before = graph([("Clip", "in", "out")], low=1.0)
    before.graph.node[0].input.extend(["", "low"])
    after = ModelProto.FromString(before.SerializeToString())
    after.graph.initializer.add(data_type=TensorProto.FLOAT, dims=[1], raw_data=bytes(4))
    assert summary(between(before, after)) == {}


def test_a_model_of_one_node_can_be_edited() -> None:
    difference = between(graph([("Softmax/1", "in", "out")]), graph([("Softmax/0", "in", "out")]))
    assert summary(difference) == {"edited": {"Softmax": ("axis 1 -> 0",)}}


@pytest.mark.parametrize("name", samples())
def test_a_renamed_sample_is_renamed_only(name: str) -> None:
    before = load(name).transform(GiveUniqueParameterTensors()).transform(GiveUniqueNodeNames())
    random.seed(1)
    after = before.transform(GiveRandomTensorNames()).transform(GiveReadableTensorNames())
    for node in after.graph.node:
        node.name = f"renamed {node.name}"
    difference = between(before, after)
    assert summary(difference).keys() <= {"interface"}
    assert all(" renamed global_" in line for line in difference.interface)
    for ends, others in ((after.graph.input, before.graph.input), (after.graph.output, before.graph.output)):
        for value, other in zip(ends, others, strict=True):
            after.rename_tensor(value.name, other.name)
    difference = between(before, after)
    assert difference.is_renamed_only
    assert difference.renamed >= len(before.graph.node)
    assert difference.untouched == len(before.graph.node)
    assert not between(before, before).is_renamed_only


def test_lowered_convolutions_are_two_rewrites_of_one_shape() -> None:
    before = qonnx_steps.cleanup(load("mnist-conv"))
    after = before.transform(LowerConvsToMatMul()).transform(GiveUniqueNodeNames())
    difference = between(before, after)
    shapes = {rewrite.shape for rewrite in difference.rewrites}
    assert shapes == {(("Conv",), ("Transpose", "Im2Col", "MatMul", "Transpose"))}
    assert len(difference.rewrites) == 2
    assert difference.untouched == 9
    assert [rewrite.removed for rewrite in between(after, before).rewrites] == [
        rewrite.inserted for rewrite in difference.rewrites
    ]


def test_what_became_known_of_tensors_is_counted() -> None:
    before = load("residual_block_clean")
    stripped = ModelWrapper(ModelProto.FromString(before.model.SerializeToString()))
    del stripped.graph.value_info[:]
    assert summary(between(stripped, stripped.transform(InferShapes()))) == {"annotated": {"shape": 6}}
    annotated = before.transform(GiveUniqueParameterTensors())
    name = annotated.graph.node[0].output[0]
    annotated.set_tensor_datatype(name, DataType["INT4"])
    annotated.set_tensor_layout(name, ["N", "C", "H", "W"])
    assert summary(between(before, annotated)) == {"annotated": {"datatype": 1, "layout": 1}}


def test_inputs_outputs_and_opsets() -> None:
    before = graph(CHAIN, **VALUES)
    after = graph([*CHAIN, ("Relu", "other", "more")], "in other", "out more", **VALUES)
    after.opset_import[0].version -= 1
    version = before.opset_import[0].version
    assert summary(between(before, after))["interface"] == [
        "inputs 1 -> 2", "outputs 1 -> 2", f"opset onnx {version} -> {version - 1}"
    ]  # fmt: skip


def branches(count: int, changed: set[int] = frozenset()) -> ModelProto:  # type: ignore[assignment]
    """So many branches that cannot be told apart, but for those that are changed."""
    lines = []
    for n in range(count):
        middle = "Elu" if n in changed else "Tanh"
        lines += [("Relu", "in", f"a{n}"), (middle, f"a{n}", f"b{n}"), ("Sigmoid", f"b{n}", f"c{n}")]
    return graph([*lines, ("Sum", " ".join(f"c{n}" for n in range(count)), "out")])


@pytest.mark.parametrize("changed", [set(), {0}, {7}, {3, 11}])
def test_branches_that_cannot_be_told_apart(changed: set[int]) -> None:
    difference = between(branches(12), branches(12, changed))
    assert summary(difference) == (
        {"removed": ["Tanh"] * len(changed), "inserted": ["Elu"] * len(changed)} if changed else {}
    )
    assert len(difference.rewrites) == len(changed)


def with_branches(then: list[Line], body: list[Line]) -> ModelProto:
    """A model with an If and a Loop; the branch of the If reads a tensor of the graph around it."""

    def inner(lines: list[Line], name: str, inputs: list[Any]) -> Any:
        made = graph(lines, "", "r").graph
        made.name = name
        made.input.extend(inputs)
        return made

    boolean = helper.make_tensor_value_info("c", TensorProto.BOOL, [])
    number = helper.make_tensor_value_info("i", TensorProto.INT64, [])
    state = helper.make_tensor_value_info("s", TensorProto.FLOAT, [1, 4])
    otherwise = inner([("Neg", "a", "r")], "else", [])
    loop = inner(body, "body", [number, boolean, state])
    loop.output.insert(0, boolean)
    nodes = [
        helper.make_node("Relu", ["in"], ["a"], name="first"),
        helper.make_node("If", ["c"], ["b"], then_branch=inner(then, "then", []), else_branch=otherwise),
        helper.make_node("Loop", ["n", "c", "b"], ["out"], body=loop),
    ]
    outer = graph([], "in n c", "out").graph
    outer.node.extend(nodes)
    return helper.make_model(outer)


THEN, BODY = [("Exp", "a", "x"), ("Sqrt", "x", "r")], [("Abs", "s", "r")]


@pytest.mark.parametrize(
    ("then", "body", "expected"),
    [
        (THEN, BODY, {}),
        ([("Exp", "a", "renamed"), ("Sqrt", "renamed", "r")], BODY, {}),
        ([("Exp", "a", "x"), ("Ceil", "x", "r")], BODY, {"removed": ["Sqrt"], "inserted": ["Ceil"]}),
        (
            THEN,
            [("Abs", "s", "t"), ("Floor", "t", "r")],
            {"inserted": ["Floor"], "annotated": {"shape": 1}},
        ),  # an output is typed, what leads to it not
    ],
)
def test_sub_graphs_are_part_of_the_graph(then: list[Line], body: list[Line], expected: dict[str, Any]) -> None:
    difference = between(with_branches(THEN, BODY), with_branches(then, body))
    assert summary(difference) == expected
    assert len(difference.old.nodes) == 7


def test_a_name_that_is_not_text_belongs_to_the_sub_graph_that_produces_it() -> None:
    model = with_branches([("Exp", "a", "zz"), ("Sqrt", "zz", "r")], BODY)
    model.graph.node.insert(0, helper.make_node("Neg", ["in"], ["zz"]))
    damaged = ModelProto.FromString(model.SerializeToString().replace(b"zz", b"z\xff"))
    assert not isinstance(damaged.graph.node[0].output[0], str)
    assert view(damaged).makers == view(model).makers
    assert view(damaged).readers == view(model).readers


def test_a_constant_is_compared_by_its_content_whatever_it_is_stored_in() -> None:
    before, after = graph(CHAIN, **VALUES), graph(CHAIN, **VALUES)
    for tensor in after.graph.initializer:
        values = numpy_helper.to_array(tensor).tolist()
        tensor.CopyFrom(helper.make_tensor(tensor.name, TensorProto.FLOAT, [1], values))
        assert not tensor.raw_data
    assert summary(between(before, after)) == {}


def heavy(**weights: float) -> ModelProto:
    """A chain of products with weights of 64 kB, each full of one value."""
    model = graph([("Mul", f"t{n} {name}", f"t{n + 1}") for n, name in enumerate(weights)], "t0", f"t{len(weights)}")
    model.graph.initializer.extend(
        numpy_helper.from_array(np.full([16384], value, np.float32), name) for name, value in weights.items()
    )
    return model


def test_weights_that_both_models_have_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    digest = constants._digest

    def noted(data: bytes) -> bytes:
        sizes.append(len(data))
        return digest(data)

    monkeypatch.setattr(constants, "_digest", noted)

    def large() -> int:
        """How many large weights were read since the last time."""
        count = len([size for size in sizes if size > 4096])
        sizes.clear()
        return count

    before = heavy(a=1, b=2, c=1)
    assert summary(between(before, heavy(a=1, b=2, c=1))) == {}
    assert large() == 0
    assert list(summary(between(before, heavy(a=1, b=3, c=1)))) == ["edited"]
    assert large() == 3 + 1 + 2  # those of one, that of the other which differs, and both to tell by how much
    assert summary(between(before, heavy(x=1, y=2, z=1))) == {}
    assert large() == 3 + 3
    seen = view(before)
    before.graph.initializer[0].CopyFrom(heavy(a=5).graph.initializer[0])
    assert list(summary(between(seen, before))) == ["edited"]


def test_zeros_of_two_signs_are_two_values() -> None:
    """Equality of messages must not hide what the contents would tell apart."""
    before, after = heavy(a=0.0), heavy(a=-0.0)
    assert list(summary(between(before, after))) == ["edited"]
    for model in (before, after):
        (tensor,) = model.graph.initializer
        values = numpy_helper.to_array(tensor).tolist()
        tensor.CopyFrom(helper.make_tensor(tensor.name, TensorProto.FLOAT, [16384], values))
    assert list(summary(between(before, after))) == ["edited"]
    nodes = [helper.make_node("Elu", ["in"], ["out"], alpha=alpha) for alpha in (0.0, -0.0)]
    before, after = graph([]), graph([])
    for model, node in zip((before, after), nodes, strict=True):
        model.graph.node.append(node)
    assert list(summary(between(before, after))) == ["edited"]


UNARY, BINARY = ("Relu", "Tanh", "Abs", "Exp", "Neg"), ("Add", "Mul", "Sub")


def random_lines(rng: random.Random, count: int) -> tuple[list[Line], dict[str, Any]]:
    """A random graph without cycles: each node reads from the last few, or a constant of its own."""
    lines: list[Line] = []
    constants = {}
    tensors = ["in"]
    for n in range(count):
        sources = [rng.choice(tensors[-6:])]
        if rng.random() < 0.5:
            op = rng.choice(BINARY)
            if rng.random() < 0.6:
                constants[f"k{n}"] = rng.random()
                sources.append(f"k{n}")
            else:
                sources.append(rng.choice(tensors[-6:]))
        else:
            op = rng.choice(UNARY)
        lines.append((op, " ".join(sources), f"t{n}"))
        tensors.append(f"t{n}")
    read = {source for _, sources, _ in lines for source in sources.split()}
    ends = [result for _, _, result in lines if result not in read]
    return [*lines, ("Sum", " ".join(ends), "out")], constants


def rewritten(rng: random.Random, lines: list[Line], share: float) -> tuple[list[Line], int]:
    """The lines with every name changed, and some nodes replaced by two of a kind that is new."""
    made: list[Line] = []
    replaced = 0
    for op, sources, result in lines:
        inputs = " ".join(name if name == "in" else f"x{name}" for name in sources.split())
        output = "out" if result == "out" else f"x{result}"
        if op != "Sum" and rng.random() < share:
            replaced += 1
            made += [("Erf", inputs, f"{output}.half"), ("Ceil", f"{output}.half", output)]
        else:
            made.append((op, inputs, output))
    return made, replaced


@pytest.mark.parametrize("seed", range(40))
def test_random_rewrites_are_told_exactly(seed: int) -> None:
    rng = random.Random(seed)
    lines, constants = random_lines(rng, rng.randrange(5, 120))
    made, replaced = rewritten(rng, lines, rng.choice((0.0, 0.05, 0.2)))
    difference = between(
        graph(lines, **constants), graph(made, **{f"x{name}": each for name, each in constants.items()})
    )
    assert (len(difference.removed), len(difference.inserted)) == (replaced, 2 * replaced)
    assert summary(difference).keys() <= {"removed", "inserted"}
    for rewrite in difference.rewrites:
        assert len(rewrite.inserted) == 2 * len(rewrite.removed)


def test_the_work_grows_with_the_graph_and_not_with_its_square() -> None:
    def work(count: int) -> int:
        """The number of calls that a comparison makes."""
        rng = random.Random(0)
        lines, constants = random_lines(rng, count)
        made, _ = rewritten(rng, lines, 0.1)
        before = view(graph(lines, **constants))
        after = view(graph(made, **{f"x{name}": value for name, value in constants.items()}))
        calls = 0

        def count_call(frame: Any, event: str, argument: Any) -> None:
            nonlocal calls
            calls += event in ("call", "c_call")

        profiler = sys.getprofile()
        sys.setprofile(count_call)
        try:
            between(before, after)
        finally:
            sys.setprofile(profiler)
        return calls

    assert work(800) < 5 * work(200)


def test_how_a_tensor_in_an_attribute_is_stored_and_called_is_no_change() -> None:
    def filled(value: TensorProto, note: str = "") -> ModelProto:
        model = graph([("ConstantOfShape", "in", "out")])
        model.graph.node[0].attribute.append(helper.make_attribute("value", value, note))
        return model

    zero = helper.make_tensor("", TensorProto.FLOAT, [1], [0.0])
    assert zero.float_data
    assert not between(filled(zero), filled(numpy_helper.from_array(np.zeros(1, np.float32), "zero"), "a note"))
    (edit,) = between(filled(zero), filled(numpy_helper.from_array(np.ones(1, np.float32)))).edited
    assert edit.changes == ("value other values -> other values",)


def test_an_attribute_that_says_the_default_says_nothing() -> None:
    def made(op_type: str, **attributes: Any) -> ModelProto:
        model = graph([(op_type, "in", "out")])
        model.graph.node[0].attribute.extend(helper.make_attribute(name, value) for name, value in attributes.items())
        return model

    assert not between(made("Conv"), made("Conv", auto_pad="NOTSET", group=1))
    assert not between(made("Shape", start=0), made("Shape"))
    assert between(made("Conv"), made("Conv", group=2)).edited
    assert between(made("Softmax"), made("Softmax", axis=-1)).edited  # it was 1 before
