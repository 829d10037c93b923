"""What a large model costs that is held: a command that mentions it, a pass on it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import numpy as np
from onnx import ModelProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper

from .graphs import NoOp
from .registries import session
from .rows import Effort, Row, alone, beside, in_turn, timed

_WIDTH = 1024  # a weight of it squared takes 4 MiB
_MENTIONS = ("m", "len(m.graph.node)", "m.graph.node[0].name", "m.get_tensor_shape('w0')")


def network(megabytes: int, last: str = "Relu") -> ModelProto:
    """Matrix products and Relus, with so many megabytes of weights, and a last node that changes nothing any more."""
    numbers = np.random.default_rng(0)
    nodes, weights, source = [], [], "in"
    for n in range(max(1, megabytes // 4)):
        values = numbers.normal(0, _WIDTH**-0.5, [_WIDTH, _WIDTH]).astype(np.float32)
        weights.append(numpy_helper.from_array(values, f"w{n}"))
        nodes.append(helper.make_node("MatMul", [source, f"w{n}"], [f"p{n}"], name=f"MatMul_{n}"))
        nodes.append(helper.make_node("Relu", [f"p{n}"], [f"t{n}"], name=f"Relu_{n}"))
        source = f"t{n}"
    nodes.append(helper.make_node(last, [source], ["out"], name=f"{last}_last"))
    ends = [helper.make_tensor_value_info(name, 1, [1, _WIDTH]) for name in ("in", "out")]
    graph = helper.make_graph(nodes, "large", ends[:1], ends[1:], weights)
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)])


def large(effort: Effort) -> Iterator[Row]:
    """Milliseconds."""
    size = 40 if effort.is_quick else 350
    console = session(1_000)
    console.proofs.is_on = False
    names = console.session.namespace
    names.update(m=ModelWrapper(network(size)), NoOp=NoOp)
    comments = count()

    def commanded(text: str) -> float:
        return 1e3 * timed(lambda: console.run(f"{text}  # {next(comments)}"), 1, 1)[0]

    def bare_eval(text: str) -> float:
        return 1e3 * timed(lambda: eval(compile(f"{text}  # {next(comments)}", "bare", "eval"), names), 1, 1)[0]

    for text in _MENTIONS:
        ours, bare = in_turn(effort.runs(15), lambda: commanded(text), lambda: bare_eval(text))  # noqa: B023
        above = [one - other for one, other in zip(ours, bare, strict=True)]
        yield alone(f"`{text}` of a held {size} MB model, above eval", "ms", above, 5)
    commanded("m.graph.node[0].name = 'first'; n = m.transform(NoOp())")
    ours, copied, theirs = in_turn(
        effort.runs(9),
        lambda: commanded("n = m.transform(NoOp())"),
        lambda: 1e3 * timed(lambda: type(m := names["m"].model)().CopyFrom(m), 1, 1)[0],
        lambda: 1e3 * timed(lambda: names["m"].transform(NoOp()), 1, 1)[0],
    )
    yield beside(f"n = m.transform(no-op), {size} MB, told", "ms", ours, "QONNX outside", theirs)
    yield beside(f"n = m.transform(no-op), {size} MB, told", "ms", ours, "copying the model", copied)
    console.close()
