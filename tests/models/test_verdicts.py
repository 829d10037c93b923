"""What a verdict says of pairs of small models: no OK that means nothing, no DIFFERENT that is rounding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from bsrepl.models.proof.stored_weights import misfit
from bsrepl.models.proof.verdict import Outcome
from bsrepl.models.proof.verify import verify

FLOAT, HALF, BRAIN = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16
RNG = np.random.default_rng(1)
node = helper.make_node


def values(*shape: int) -> Any:
    return RNG.normal(size=shape).astype(np.float32)


def model(
    *nodes: NodeProto, shape: Sequence[Any] = ("N", 8), element: int = FLOAT, name: str = "x", **constants: Any
) -> ModelProto:
    """A model from an input of a shape, `x`, to an output of any, `y`."""
    kept = [
        numpy_helper.from_array(np.asarray(value), key) if not isinstance(value, TensorProto) else value
        for key, value in constants.items()
    ]
    floats = element if element in (HALF, BRAIN) else FLOAT
    inputs = [helper.make_tensor_value_info(name, element, list(shape))]
    outputs = [helper.make_tensor_value_info("y", floats, None)]
    return helper.make_model(
        helper.make_graph(list(nodes), "g", inputs, outputs, kept), opset_imports=[helper.make_opsetid("", 17)]
    )


def unary(op_type: str, *, shape: Sequence[Any] = ("N", "S"), **attributes: Any) -> ModelProto:
    return model(node(op_type, ["x"], ["y"], **attributes), shape=shape)


def scaled(*scales: float) -> ModelProto:
    """Channels on scales of their own."""
    return model(node("Mul", ["x", "s"], ["y"]), shape=[1, len(scales)], s=np.array(scales, np.float32))


def embedding(table: Any) -> ModelProto:
    return model(node("Gather", ["t", "x"], ["y"]), shape=["N", "S"], element=TensorProto.INT64, t=table)


def reshaped(*shape: int) -> ModelProto:
    return model(node("Reshape", ["x", "s"], ["y"]), s=np.array(shape))


def attention(query: Any, key: Any) -> ModelProto:
    return model(
        node("MatMul", ["x", "q"], ["Q"], name="query"),
        node("MatMul", ["x", "k"], ["K"], name="key"),
        node("Transpose", ["K"], ["T"], perm=[0, 2, 1]),
        node("MatMul", ["Q", "T"], ["s"], name="scores"),
        node("Softmax", ["s"], ["p"]),
        node("MatMul", ["p", "x"], ["y"], name="mix"),
        shape=["N", "S", 8], q=query, k=key,
    )  # fmt: skip


def infinite(sign: float) -> ModelProto:
    factors = np.array([sign * np.inf, 1, 1, 1], np.float32)
    return model(node("Mul", ["x", "k"], ["a"]), node("Abs", ["x"], ["b"]), node("Concat", ["a", "b"], ["y"], axis=0),
                 shape=[4], k=factors)  # fmt: skip


def through(factor: float, then: float, more: Any) -> ModelProto:
    """The input times a factor, times another, plus something."""
    return model(node("Mul", ["x", "f"], ["a"]), node("Mul", ["a", "t"], ["b"]), node("Add", ["b", "m"], ["y"]),
                 f=np.float32([factor]), t=np.float32([then]), m=np.float32(more))  # fmt: skip


def summed(weights: Any, order: Any, *last: str) -> ModelProto:
    """A product whose sums are in some order."""
    end = [node(last[0], ["b"], ["y"])] if last else []
    return model(node("Gather", ["x", "p"], ["a"], axis=1), node("MatMul", ["a", "w"], ["b" if last else "y"]), *end,
                 shape=["N", len(weights)], p=order, w=weights[order])  # fmt: skip


def scaled_product(scale: Any, weights: Any, element: int) -> ModelProto:
    return model(node("Mul", ["x", "s"], ["a"]), node("MatMul", ["a", "w"], ["y"]), shape=["N", len(weights)],
                 element=element, s=scale, w=weights)  # fmt: skip


def product(weights: Any, element: int = FLOAT) -> ModelProto:
    rows = weights.dims[0] if isinstance(weights, TensorProto) else len(weights)
    return model(node("MatMul", ["x", "w"], ["y"]), shape=["N", rows], element=element, w=weights)


def worse(weights: Any, factor: float = 1.01, place: int | None = None) -> Any:
    """The weights, the largest of them, or the one at a place, being wrong by one per cent."""
    changed = weights.copy()
    changed.flat[np.abs(weights).argmax() if place is None else place] *= weights.dtype.type(factor)
    return changed


TABLE, SMALL = values(30_000, 4), values(2, 4)
NEGATED = np.concatenate([TABLE[:1000], -TABLE[1000:]])
QUERY, KEY, WEIGHTS, WIDE = values(8, 8), values(8, 8), values(64, 8), values(256, 8)
SQUARE = values(16, 16).astype(np.float16)
SCALE = np.array([0.37], np.float16)
HALVES = values(256, 64).astype(np.float16)
ROWS = np.linspace(0.5, 2, 256).astype(np.float16)
PLAIN = values(256, 80)
ORDER = np.random.default_rng(2).permutation(256)
BRAINS = helper.make_tensor("w", BRAIN, [16, 4], values(64))


def pieces(*sizes: int) -> ModelProto:
    """The columns of the input as a sequence of tensors of these widths."""
    whole = model(node("SplitToSequence", ["x", "s"], ["y"], axis=1), s=np.array(sizes))
    whole.graph.output[0].CopyFrom(helper.make_tensor_sequence_value_info("y", FLOAT, None))
    return whole


def negated(split: ModelProto) -> ModelProto:
    changed = ModelProto()
    changed.CopyFrom(split)
    changed.graph.node[0].input[0] = "n"
    changed.graph.node.insert(0, node("Neg", ["x"], ["n"]))
    return changed


PAIRS = {
    "a sequence": (pieces(3, 5), pieces(3, 5), "OK"),
    "a sequence of other values": (pieces(3, 5), negated(pieces(3, 5)), "DIFFERENT"),
    "a sequence of other tensors": (pieces(3, 5), pieces(3, 4, 1), "DIFFERENT"),
    "another axis of Softmax": (unary("Softmax", axis=1), unary("Softmax", axis=0), "DIFFERENT"),
    "another reduction": (unary("ReduceMean", axes=[1]), unary("ReduceMax", axes=[1]), "DIFFERENT"),
    "one weight of an attention": (attention(QUERY, KEY), attention(worse(QUERY), KEY), "DIFFERENT"),
    "a batch of one": (reshaped(-1, 2, 4), reshaped(1, 2, 4), "BROKEN"),
    "the upper rows of a table": (embedding(TABLE), embedding(NEGATED), "DIFFERENT"),
    "the last row of a table": (embedding(SMALL), embedding(worse(SMALL, place=7)), "DIFFERENT"),
    "a table of two rows": (embedding(SMALL), embedding(SMALL.copy()), "OK"),
    "the sign of infinity": (infinite(1), infinite(-1), "DIFFERENT"),
    "NaN everywhere": (through(1, np.nan, 0), through(2, np.nan, 0), "UNPROVEN"),
    "zero everywhere": (through(1, 0, 0), through(2, 0, 0), "UNPROVEN"),
    "the same for all inputs": (through(1, 0, SMALL[0, 0]), through(2, 0, SMALL[0, 0]), "UNPROVEN"),
    "an empty output": (unary("Relu", shape=[0, 4]), unary("Neg", shape=[0, 4]), "UNPROVEN"),
    "a small channel beside a large one": (scaled(1e6, 1), scaled(1e6, 3), "DIFFERENT"),
    "a very small channel": (scaled(1e6, 1e-3), scaled(1e6, 3e-3), "DIFFERENT"),
    "one of many weights": (product(WIDE), product(worse(WIDE, place=5)), "DIFFERENT"),
    "a sum in another order": (summed(WIDE, np.arange(256)), summed(WIDE, ORDER), "OK"),
    "the same before it saturates": (
        summed(5 * WIDE, np.arange(256), "Sigmoid"), summed(5 * WIDE, ORDER, "Sigmoid"), "OK",
    ),
    "a scale folded in float16": (
        scaled_product(SCALE, SQUARE, HALF), product(SQUARE * SCALE[0], HALF), "OK",
    ),
    "one weight in float16": (
        scaled_product(SCALE, SQUARE, HALF), scaled_product(SCALE, worse(SQUARE, 1.02), HALF), "DIFFERENT",
    ),
    "one weight of many, in float16": (
        scaled_product(SCALE, HALVES, HALF), product(worse(HALVES * SCALE[0]), HALF), "UNPROVEN",
    ),
    "scales of many rows folded in float16": (
        scaled_product(ROWS, HALVES, HALF), product(ROWS[:, None] * HALVES, HALF), "OK",
    ),
    "bfloat16": (product(BRAINS, BRAIN), product(BRAINS, BRAIN), "OK"),
    "a large weight that nothing reads any more": (
        product(PLAIN), model(node("MatMul", ["x", "v"], ["y"]), shape=["N", 256], w=PLAIN, v=PLAIN), "OK",
    ),
    "a node that cannot be executed": (unary("Relu"), unary("NoSuchOp"), "BROKEN"),
    "a model that never could be": (unary("NoSuchOp"), unary("Relu"), "UNPROVEN"),
    "an input of another shape": (unary("Relu", shape=[2, 3]), unary("Relu", shape=[3, 2]), "UNPROVEN"),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_the_verdict_on_a_pair_of_models(name: str) -> None:
    before, after, outcome = PAIRS[name]
    verdict = verify(before, after, probe_count=2)
    assert verdict.outcome.name == outcome, verdict
    assert bool(verdict) is (outcome == "OK")
    assert verdict.is_wrong is (outcome in ("DIFFERENT", "BROKEN"))


@pytest.mark.parametrize("stored", [lambda w: w, lambda w: w.T, lambda w: w.reshape(128, 128).T])
def test_a_weight_that_its_channels_do_not_explain_is_found(stored: Any) -> None:
    scaled = HALVES if stored(HALVES).shape[0] == 128 else ROWS[:, None] * HALVES * SCALE
    assert misfit(HALVES, stored(scaled), 4e-3) == 0.0
    assert misfit(HALVES, stored(worse(scaled)), 4e-3) == pytest.approx(0.01, rel=0.1)


def test_weights_of_which_most_were_dead_do_not_say_what_others_should_be() -> None:
    dead = np.full((64, 64), 1e-30)
    dead[::32, ::16] = 1
    assert misfit(dead, values(64, 64), 4e-3) == 0.0


def chain(*nodes: NodeProto) -> ModelProto:
    """From `x` through `a` and `b` to `y`."""
    return model(*nodes, w=QUERY, v=KEY, s=np.float32([2]), d=2 * QUERY, e=np.float32(2.1) * QUERY)


FIRST, LAST = node("MatMul", ["x", "w"], ["a"], name="first"), node("MatMul", ["b", "v"], ["y"], name="last")
BEFORE = chain(FIRST, node("Relu", ["a"], ["b"], name="act"), LAST)
SCALED = chain(FIRST, node("Mul", ["a", "s"], ["b"], name="scale"), LAST)
WRONG = {
    "a replaced node": (BEFORE, chain(FIRST, node("Elu", ["a"], ["b"], name="elu"), LAST), "Relu act, now Elu elu"),
    "the node that reads a constant": (
        BEFORE, chain(node("MatMul", ["x", "e"], ["a"], name="other"), BEFORE.graph.node[1], LAST), "MatMul other",
    ),
    "an inserted node": (BEFORE, chain(FIRST, node("Neg", ["a"], ["c"], name="neg"),
                                       node("Relu", ["c"], ["b"], name="act"), LAST), "Neg neg"),
    "a scale folded wrongly": (SCALED, chain(node("MatMul", ["x", "e"], ["b"], name="first"), LAST),
                               "MatMul first, without Mul scale"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_the_guilty_one_is_named(name: str) -> None:
    before, after, guilty = WRONG[name]
    first = verify(before, after).first
    assert first is not None
    assert guilty in first.node


def test_a_scale_that_is_folded_right_names_nobody() -> None:
    verdict = verify(SCALED, chain(node("MatMul", ["x", "d"], ["b"], name="first"), LAST))
    assert (verdict.outcome.name, verdict.first) == ("OK", None)


def two(*outputs: str, **names: str) -> ModelProto:
    nodes = [node("Relu", ["x"], ["r"]), node("Neg", ["x"], ["n"])]
    infos = [helper.make_tensor_value_info(name, FLOAT, [4]) for name in outputs]
    return helper.make_model(
        helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", FLOAT, [4])], infos),
        opset_imports=[helper.make_opsetid("", 17)],
    )


def dead(weights: Any, then: Any) -> ModelProto:
    """A product of which a large negative bias lets nothing through, then another one."""
    return model(node("MatMul", ["x", "w"], ["a"], name="product"), node("Add", ["a", "b"], ["s"], name="shift"),
                 node("Relu", ["s"], ["r"]), node("MatMul", ["r", "v"], ["m"]), node("Add", ["m", "x"], ["y"]),
                 w=weights, v=then, b=np.float32([-1e6] * 4 + [0] * 4))  # fmt: skip


def doubled(before: ModelProto) -> ModelProto:
    """The second product, doubled behind it."""
    before.graph.node[3].output[0] = "half"
    before.graph.node.insert(4, node("Mul", ["half", "two"], ["m"]))
    before.graph.initializer.append(numpy_helper.from_array(np.float32(2), "two"))
    return before


def branching(weights: Any, branch: str, limit: float, op_type: str = "MatMul") -> ModelProto:
    """One product if the largest value of the input is beyond a limit, else another one."""
    names = ["w" if branch == "then" else "q", "w" if branch == "else" else "q"]
    empty: Any = []
    inner = [
        helper.make_graph([node(op_type, ["x", name], ["z"], name=f"of_{name}")], "g", empty,
                          [helper.make_tensor_value_info("z", FLOAT, None)]) for name in names
    ]  # fmt: skip
    return model(
        node("ReduceMax", ["x"], ["m"], keepdims=0), node("Greater", ["m", "l"], ["c"]),
        node("If", ["c"], ["y"], name="choice", then_branch=inner[0], else_branch=inner[1]),
        w=weights, q=QUERY, l=np.float32(limit),
    )  # fmt: skip


def named(*names: str) -> ModelProto:
    """The name of the largest value of each row: the last column is never the largest one."""
    texts = model(node("Mul", ["x", "k"], ["a"]), node("Abs", ["a"], ["b"]), node("ArgMax", ["b"], ["i"], axis=-1),
                  node("Gather", ["n", "i"], ["y"]), shape=["N", 3], k=np.float32([1, 1, 0]),
                  n=np.array(names, object))  # fmt: skip
    texts.graph.output[0].type.tensor_type.elem_type = TensorProto.STRING
    return texts


def layered(*scales: float, wrong: int | None = None, last: str = "Identity") -> ModelProto:
    """Products, each of weights on a scale of its own, with a Relu between them; one of the weights may be wrong."""
    nodes, weights, source = [], {}, "x"
    for number, scale in enumerate(scales):
        stored = np.float32(scale) * LAYERS[number]
        weights[f"w{number}"] = worse(stored) if number == wrong else stored
        nodes.append(node("MatMul", [source, f"w{number}"], [f"p{number}"], name=f"product{number}"))
        nodes.append(node("Relu", [f"p{number}"], [f"r{number}"]))
        source = f"r{number}"
    return model(*nodes[:-1], node(last, [f"p{len(scales) - 1}"], ["y"]), shape=["N", 32], **weights)


LAYERS = [values(32, 32) for _ in range(8)]
SLIGHT = float(np.float32(1.0005))
ONES = [1.0] * 6


def merged(weights: Any, bias: Any, element: int = FLOAT) -> ModelProto:
    return model(node("MatMul", ["x", "w"], ["a"]), node("Add", ["a", "b"], ["y"]), shape=["N", 64], element=element,
                 w=weights, b=bias)  # fmt: skip


def activated(*ops: str) -> ModelProto:
    """A product, and then two ops; Mul is by positive numbers."""
    ends = [["a", "b"], ["b", "y"]]
    last = [node(op, [ends[k][0], "s"][: 1 + (op == "Mul")], [ends[k][1]]) for k, op in enumerate(ops)]
    return model(node("MatMul", ["x", "w"], ["a"]), *last, w=QUERY, s=np.abs(KEY[0]))


NARROW, THEN, SHIFT, ENDS = values(64, 16), values(16, 32), values(16), values(32)
FACTORS = model(
    node("MatMul", ["x", "w"], ["a"]), node("Add", ["a", "s"], ["b"]), node("MatMul", ["b", "v"], ["c"]),
    node("Add", ["c", "e"], ["y"]), shape=["N", 64], w=NARROW, v=THEN, s=SHIFT, e=ENDS,
)  # fmt: skip
PRODUCT, SUM = NARROW @ THEN, SHIFT @ THEN + ENDS
TWO_HALVES = [(values(64, 16) / 8).astype(np.float16), (values(16, 32) / 8).astype(np.float16)]
HALF_FACTORS = model(node("MatMul", ["x", "w"], ["a"]), node("MatMul", ["a", "v"], ["y"]), shape=["N", 64],
                     element=HALF, w=TWO_HALVES[0], v=TWO_HALVES[1])  # fmt: skip
HALF_PRODUCT = np.matmul(*(one.astype(np.float64) for one in TWO_HALVES)).astype(np.float16)


FACTOR = np.float32(1.7)


def refactored(weights: Any) -> ModelProto:
    """BEFORE, its first weights being scaled, and these at the end."""
    return model(FIRST, node("Relu", ["a"], ["b"], name="act"), LAST, w=FACTOR * QUERY, v=weights)


def quantised(weights: Any) -> ModelProto:
    """The input times weights that are rounded to tenths."""
    tenths = node("QuantizeLinear", ["w", "s", "z"], ["q"]), node("DequantizeLinear", ["q", "s", "z"], ["r"])
    return model(*tenths, node("MatMul", ["x", "r"], ["y"]), shape=["N", 8], w=weights, s=np.float32(0.1), z=np.int8(0))


COLUMN, ROW = worse(KEY, place=3), worse(KEY, place=8)  # the bias of the first four columns is the one that is large
FOURS, STEPS = RNG.integers(-8, 8, (8, 8)), np.abs(values(8)) / 8
WIDE = FOURS.astype(np.float32) * STEPS


def narrow() -> ModelProto:
    """A product with weights that are stored in 4 bits."""
    stored = helper.make_tensor("w", TensorProto.INT4, FOURS.shape, FOURS.ravel().tolist())
    dequantised = node("DequantizeLinear", ["w", "s"], ["f"], axis=1)
    narrow = model(dequantised, node("MatMul", ["x", "f"], ["y"]), w=stored, s=STEPS)
    narrow.opset_import[0].version = 21
    return narrow


def compared(op_type: str, limit: float) -> ModelProto:
    return model(node("MatMul", ["x", "w"], ["a"]), node(op_type, ["a", "m"], ["b"]), node("Cast", ["b"], ["y"], to=1),
                 w=QUERY, m=np.float32(limit))  # fmt: skip


def repeated(limit: float) -> ModelProto:
    """One is added until a sum reaches a limit."""
    kinds = {"i": TensorProto.INT64, "c": TensorProto.BOOL, "v": FLOAT, "d": TensorProto.BOOL, "u": FLOAT}
    infos = [helper.make_tensor_value_info(name, kind, None if kind == FLOAT else []) for name, kind in kinds.items()]
    total = node("ReduceSum", ["u"], ["s"], keepdims=0)
    steps = [node("Add", ["v", "one"], ["u"]), total, node("Less", ["s", "m"], ["d"])]
    body = helper.make_graph(steps, "body", infos[:3], infos[3:])
    constants = {"t": np.int64(50), "b": np.array(True), "one": np.float32(1), "m": np.float32(limit)}
    return model(node("Loop", ["t", "b", "x"], ["y"], body=body), **constants)


def biased(bias: int) -> ModelProto:
    """A convolution in 8 bits whose outputs have steps that are much larger than those of its bias."""
    constants = {"s": np.float32(0.05), "z": np.uint8(128), "w": np.ones((1, 1, 1, 1), np.int8),
                 "o": np.float32(0.01), "i": np.int8(0), "t": np.float32(0.04), "b": np.int32([bias])}  # fmt: skip
    return model(
        node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        node("QLinearConv", ["q", "s", "z", "w", "o", "i", "t", "z", "b"], ["r"]),
        node("DequantizeLinear", ["r", "t", "z"], ["y"]), shape=["N", 1, 2, 2], **constants,
    )  # fmt: skip


def summed_in_a_branch(order: Any) -> ModelProto:
    """A sum of weights, with the signs of the input, in some order; much is added to it and taken away again."""
    steps = [node("Sign", ["x"], ["s"]), node("Gather", ["s", "p"], ["a"], axis=1), node("MatMul", ["a", "w"], ["b"]),
             node("Add", ["b", "l"], ["e"]), node("Sub", ["e", "l"], ["d"])]  # fmt: skip
    info, other = helper.make_tensor_value_info("d", FLOAT, None), [node("Sub", ["x", "x"], ["d"])]
    then, other = (helper.make_graph(nodes, "g", [], [info]) for nodes in (steps, other))
    return model(node("If", ["c"], ["y"], then_branch=then, else_branch=other), shape=["N", 256],
                 p=order, w=PLAIN[order], l=np.float32(1e4), c=np.array(True))  # fmt: skip


def recurrent(op_type: str, moved: float, gates: int, **attributes: Any) -> ModelProto:
    """A recurrent layer; a share of the biases on its input is moved to those on its state."""
    weights, bias = GATES[:, : 8 * gates], GATES[0, : 8 * gates, 0]
    biases = np.concatenate([bias, bias[::-1]]) + np.repeat([-moved, moved], 8 * gates).astype(np.float32)
    layer = node(op_type, ["x", "w", "r", "b"], ["y"], hidden_size=8, **attributes)
    return model(layer, shape=["S", "N", 8], w=weights, r=weights, b=biases[None])


def pooled(*reductions: str) -> ModelProto:
    """Two reductions along an axis of which one value in four is left."""
    first, second = (node(op_type, ["p"], [op_type], axes=[2], keepdims=0) for op_type in reductions)
    pool = node("MaxPool", ["x"], ["p"], kernel_shape=[3], strides=[4], pads=[1, 1])
    return model(pool, first, second, node("Concat", [*reductions], ["y"], axis=1), shape=["N", 2, "S"])


def filtered(weight: float) -> ModelProto:
    """Products with waves, as far as they are larger than those of noise are."""
    angles = np.outer(np.arange(256), np.arange(1, 33)) * 2 * np.pi / 256
    waves = np.hstack([np.sin(angles), np.cos(angles)]).astype(np.float32) / 256
    return model(
        node("MatMul", ["x", "f"], ["a"]), node("ReduceL2", ["x"], ["n"], axes=[1]), node("Mul", ["n", "k"], ["m"]),
        node("Sub", ["a", "m"], ["d"]), node("Relu", ["d"], ["r"]), node("Mul", ["r", "w"], ["b"]),
        node("Add", ["a", "b"], ["y"]), shape=["N", 256], f=waves, k=np.float32(0.014), w=np.float32(weight),
    )  # fmt: skip


def padded(*steps: NodeProto) -> ModelProto:
    """Two convolutions of an image of any size, the first of which reads a border of zeros."""
    last = node("Conv", ["c", "v"], ["d"], name="last"), node("Add", ["d", "d"], ["y"])
    return model(node("Relu", ["x"], ["r"]), *steps, *last, shape=["N", 1, "H", "W"], w=BORDERED,
                 v=GATES[:, :2, :1, None], p=np.array([0, 0, 1, 1, 0, 0, 1, 1]))  # fmt: skip


def cancelling(*steps: NodeProto) -> ModelProto:
    """Products that nearly take each other away, and the mean of what a Relu leaves of that."""
    mean = node("Relu", ["s"], ["r"]), node("ReduceMean", ["r"], ["y"], axes=[1])
    return model(*steps, *mean, shape=["N", 200], u=PART, v=REST - PART,
                 w=np.concatenate([PART, REST - PART]))  # fmt: skip


def shifted(*steps: NodeProto) -> ModelProto:
    """Large values to some of which something is added, and then the same again."""
    return model(*steps, shape=["N", 64], w=np.float32(1e4) * NARROW, v=THEN, b=FEW, e=ENDS)


def beside(before: ModelProto, scale: float) -> ModelProto:
    """The input being scaled, and scaled back, before it is added at the end."""
    before.graph.node[4].input[1] = "again"
    before.graph.node.insert(0, node("Mul", ["x", "f"], ["far"]))
    before.graph.node.insert(1, node("Mul", ["far", "g"], ["again"]))
    for name, factor in (("f", scale), ("g", 1 / scale)):
        before.graph.initializer.append(numpy_helper.from_array(np.float32(factor), name))
    return before


PART = PLAIN[:200]
REST = np.float32(0.03) * values(*PART.shape)
FEW = np.where(np.arange(16) < 3, values(16), 0).astype(np.float32)
GATES = values(1, 32, 8)
BORDERED = GATES[0, :18, 0].reshape(2, 1, 3, 3)
OTHERS = np.hstack([KEY[:, 3::-1], KEY[:, 4:]])  # in the columns that are dead
UNSHOWN = {
    "what a later node hides": (dead(KEY, QUERY), dead(COLUMN, QUERY), "UNPROVEN", "MatMul product computes other"),
    "a weight that meets zeros alone": (dead(QUERY, KEY), dead(QUERY, ROW), "UNPROVEN", "1 of 64 values"),
    "a branch that is not taken": (
        branching(KEY, "then", 1e9), branching(COLUMN, "then", 1e9), "UNPROVEN", "the then_branch of If choice",
    ),
    "a branch that other inputs take": (branching(KEY, "else", 0.1), branching(COLUMN, "else", 0.1), "DIFFERENT", ""),
    "a branch that other inputs take, rewritten": (
        branching(KEY, "else", 0.1), branching(KEY, "else", 0.1, "Gemm"), "OK", "",
    ),
    "a sum in another order in a branch": (
        summed_in_a_branch(np.arange(256)), summed_in_a_branch(ORDER), "OK", "",
    ),
    "a bias that LSTM adds to another one": (recurrent("LSTM", 0, 4), recurrent("LSTM", 0.5, 4), "OK", ""),
    "a bias that GRU adds to another one": (recurrent("GRU", 0, 3), recurrent("GRU", 0.5, 3), "OK", ""),
    "a bias of GRU that it does not": (
        recurrent("GRU", 0, 3, linear_before_reset=1), recurrent("GRU", 0.5, 3, linear_before_reset=1), "DIFFERENT", "",
    ),
    "reductions of what a stride leaves": (
        pooled("ReduceMean", "ReduceMax"), pooled("ReduceMax", "ReduceMean"), "DIFFERENT", "",
    ),
    "what noise does not excite": (filtered(1), filtered(1.1), "DIFFERENT", ""),
    "a border that is made explicit": (
        padded(node("Conv", ["r", "w"], ["c"], name="first", pads=[1, 1, 1, 1])),
        padded(node("Pad", ["r", "p"], ["b"]), node("Conv", ["b", "w"], ["c"], name="first")), "OK", "",
    ),
    "sums that cancel, of other parts": (
        cancelling(node("Concat", ["x", "x"], ["a"], axis=1), node("MatMul", ["a", "w"], ["s"])),
        cancelling(
            node("MatMul", ["x", "u"], ["a"]), node("MatMul", ["x", "v"], ["b"]), node("Add", ["a", "b"], ["s"])
        ),
        "OK", "",
    ),
    "a small bias that a product takes over": (
        shifted(node("Gemm", ["x", "w"], ["a"]), node("Add", ["a", "b"], ["c"]), node("Identity", ["c"], ["d"]),
                node("Gemm", ["d", "v"], ["f"]), node("Add", ["f", "e"], ["y"])),
        shifted(node("Gemm", ["x", "w", "b"], ["d"]), node("Gemm", ["d", "v", "e"], ["y"], alpha=1.0)), "OK", "",
    ),
    "what a later node hides, beside rounding": (
        beside(dead(KEY, QUERY), 1), beside(dead(OTHERS, QUERY), 3), "UNPROVEN", "MatMul product computes other",
    ),
    "a branch that is taken": (branching(KEY, "else", 1e9), branching(COLUMN, "else", 1e9), "DIFFERENT", ""),
    "a scale that is taken back": (through(4, 0.5, 1), through(2, 1, 1), "OK", ""),
    "a scale of two that is folded": (SCALED, chain(node("MatMul", ["x", "d"], ["b"], name="first"), LAST), "OK", ""),
    "a weight of a fold that meets zeros alone": (
        doubled(dead(QUERY, KEY)), dead(QUERY, 2 * ROW), "UNPROVEN", "of which a few differ by 1.0%",
    ),
    "a scale that is taken back at an output": (BEFORE, refactored(KEY / FACTOR), "OK", ""),
    "and one of its weights is wrong": (BEFORE, refactored(worse(KEY / FACTOR)), "DIFFERENT", ""),
    "a slight scale that the next weights take back": (layered(1, 1), layered(SLIGHT, 1 / SLIGHT), "OK", ""),
    "and one of these is wrong": (layered(1, 1), layered(SLIGHT, 1 / SLIGHT, wrong=1), "DIFFERENT", ""),
    "a scale that is taken back far behind": (layered(*ONES, 1, 1), layered(1, 3, *ONES[:5], 1 / 3), "OK", ""),
    "and a weight between is wrong": (layered(*ONES, 1, 1), layered(1, 3, *ONES[:5], 1 / 3, wrong=4), "DIFFERENT", ""),
    "a slight scale that is not taken back": (layered(1, 1), layered(SLIGHT, 1), "DIFFERENT", ""),
    "scales that a last node hides": (
        layered(1, 1, 1, last="Sign"), layered(3, 1 / 3, 1.5, last="Sign"), "UNPROVEN", "MatMul product2 computes",
    ),
    "two products as one": (FACTORS, merged(PRODUCT, SUM), "OK", ""),
    "and one weight of it is wrong": (FACTORS, merged(worse(PRODUCT), SUM), "DIFFERENT", ""),
    "and one value of its bias is wrong": (FACTORS, merged(PRODUCT, worse(SUM)), "DIFFERENT", ""),
    "two products as one in float16": (HALF_FACTORS, product(HALF_PRODUCT, HALF), "OK", ""),
    "and one weight of that is wrong": (
        HALF_FACTORS, product(worse(HALF_PRODUCT), HALF), "UNPROVEN", "of which a few differ by 1.0%",
    ),
    "a Relu behind a positive scale": (activated("Relu", "Mul"), activated("Mul", "Relu"), "OK", ""),
    "what a quantiser of weights rounds away": (quantised(KEY), quantised(KEY.round(1)), "OK", ""),
    "one weight that it rounds to the same": (quantised(KEY.round(1)), quantised(worse(KEY.round(1))), "OK", ""),
    "what it does not": (quantised(KEY), quantised(KEY + np.float32(0.2)), "DIFFERENT", ""),
    "a number that becomes an array of one": (
        model(node("Max", ["x", "m"], ["y"]), m=np.float32(-1e9)),
        model(node("Max", ["x", "m"], ["y"]), m=np.float32([-1e8])), "UNPROVEN", "Max changed",
    ),
    "a text that is not met": (named("cat", "dog", "owl"), named("cat", "dog", "eel"), "UNPROVEN", "Gather changed"),
    "a limit that nothing reaches": (
        model(node("Clip", ["x", "", "m"], ["y"]), m=np.float32(1e9)),
        model(node("Clip", ["x", "", "m"], ["y"]), m=np.float32(1e8)), "UNPROVEN", "Clip changed: input 2 1e+09",
    ),
    "a limit that nothing reaches, removed": (
        model(node("Clip", ["x", "", "m"], ["y"]), m=np.float32(1e9)), unary("Clip", shape=["N", 8]), "UNPROVEN",
        "Clip changed: inputs 3 -> 1",
    ),
    "the largest number as a limit, removed": (
        model(node("Clip", ["x", "", "m"], ["y"]), m=np.finfo(np.float32).max), unary("Clip", shape=["N", 8]), "OK", "",
    ),
    "equal values that no input makes": (
        compared("Less", 0.1), compared("LessOrEqual", 0.1), "UNPROVEN", "Less became LessOrEqual",
    ),
    "equal values that zeros make": (compared("Less", 0), compared("LessOrEqual", 0), "DIFFERENT", ""),
    "a limit in the body of a loop": (repeated(100), repeated(100.2), "UNPROVEN", "Less changed: input 1 100 -> 100.2"),
    "a bias in 32 bits that is rounded away": (biased(10), biased(11), "UNPROVEN", "QLinearConv changed: input 8"),
    "weights in 4 bits as float32": (narrow(), model(node("MatMul", ["x", "w"], ["y"]), w=WIDE), "OK", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", UNSHOWN)
def test_equal_outputs_are_no_proof_if_they_do_not_show_a_change(name: str) -> None:
    before, after, outcome, reason = UNSHOWN[name]
    verdict = verify(before, after, probe_count=2)
    assert verdict.outcome.name == outcome, verdict
    assert reason in verdict.why


def test_zeros_show_which_one_of_equal_values_is_first() -> None:
    first, last = (unary("ArgMax", shape=["N", 8], select_last_index=last) for last in (0, 1))
    for either in (first, last):
        either.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
    assert verify(first, last).outcome.name == "DIFFERENT"


def test_zeros_show_that_what_kept_a_logarithm_finite_is_missing() -> None:
    power = node("MatMul", ["x", "w"], ["a"]), node("Mul", ["a", "a"], ["p"])
    guard, log = node("Add", ["p", "e"], ["g"]), node("Log", ["g"], ["y"])
    before = model(*power, guard, log, w=QUERY, e=np.float32(1e-10))
    verdict = verify(before, model(*power, node("Log", ["p"], ["y"]), w=QUERY))
    assert (verdict.outcome.name, "-Inf in y" in verdict.why) == ("DIFFERENT", True)


def test_differences_that_may_be_rounding_prove_nothing_if_nothing_inside_can_be_compared() -> None:
    """Sums that cancel, folded: onnxruntime gives no tensor beside an optional one."""
    first, second = 1e3 + values(8, 64), values(64, 8)
    second -= second.mean(0)
    product = (first.astype(np.float64) @ second.astype(np.float64)).astype(np.float32)
    optional = node("Optional", ["j"], ["o"]), node("OptionalGetElement", ["o"], ["k"]), node("Relu", ["k"], ["y"])
    pairs = node("MatMul", ["x", "a"], ["h"]), node("MatMul", ["h", "b"], ["j"])
    verdict = verify(
        model(*pairs, *optional, a=first, b=second), model(node("MatMul", ["x", "p"], ["j"]), *optional, p=product)
    )
    assert verdict.outcome is Outcome.UNPROVEN
    assert "which may be rounding, but nothing inside the models can be compared" in verdict.why


def test_random_numbers_prove_nothing_unless_they_are_the_same() -> None:
    drawn = [
        model(node("Dropout", ["x", "r", "t"], ["y"]), shape=["N", 64], r=np.float32(ratio), t=np.array(True))
        for ratio in (0.5, 0.6)
    ]
    assert verify(drawn[0], drawn[0])
    verdict = verify(*drawn)
    assert (verdict.outcome.name, "random numbers" in verdict.why) == ("UNPROVEN", True)


def test_outputs_in_another_order_are_compared_by_their_names() -> None:
    verdict = verify(two("r", "n"), two("n", "r"))
    assert verdict
    assert list(verdict.notes) == ["the outputs are in another order: n, r"]
    assert "1 output" in verify(two("r", "n"), two("r")).why


def test_dynamic_dimensions_have_the_sizes_that_are_asked_for() -> None:
    verdict = verify(unary("Relu"), unary("Relu"), shapes={"N": 6, "S": 4})
    assert verdict.inputs["x"].shape == (6, 4)
    assert "no input and no dimension is called Q" in verify(unary("Relu"), unary("Relu"), shapes={"Q": 6}).why


def test_expected_outputs_take_the_place_of_the_model_before() -> None:
    given: Any = [{"x": np.ones((2, 2), np.float32)}]
    right: Any = [{"y": -np.ones((2, 2), np.float32)}]
    wrong: Any = [{0: np.ones((2, 2), np.float32)}]
    assert verify(unary("Relu"), unary("Neg"), given, expected=right).outcome.name == "OK"
    assert verify(unary("Relu"), unary("Neg"), given, expected=wrong).outcome.name == "DIFFERENT"
    assert verify(unary("Relu"), unary("Relu"), given, expected=right).outcome.name == "DIFFERENT"  # both are wrong
