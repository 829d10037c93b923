"""What comparing two graphs costs, beside a `transform` of QONNX that does nothing on the same graph."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from onnx import ModelProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.base import Transformation

from bsrepl.graphdiff.difference import between

from .rows import Effort, Row, alone, beside, in_turn, tenfold, timed

NAME = "graph diff, N nodes, 17% rewritten"
PEER = "QONNX's no-op transform"
MOST = 0.086  # of it: 60 ms where it takes 700


def chain(length: int, rewritten: float, prefix: str) -> ModelProto:
    """A chain of nodes, some with a weight of their own; a share of them is replaced by two nodes of another kind."""
    kinds, replaced = random.Random(0), random.Random(1)
    nodes, weights, source = [], [], "in"
    for number in range(length):
        op, value, result = kinds.choice(("Relu", "Add", "Mul", "Sigmoid", "Neg")), kinds.random(), f"{prefix}{number}"
        if replaced.random() < rewritten:
            nodes.append(helper.make_node("Elu", [source], [f"{result}.half"], name=f"{prefix}n{number}a"))
            nodes.append(helper.make_node("Tanh", [f"{result}.half"], [result], name=f"{prefix}n{number}b"))
        else:
            read = [source]
            if op in ("Add", "Mul"):
                weights.append(numpy_helper.from_array(np.array([value], np.float32), f"{prefix}w{number}"))
                read.append(weights[-1].name)
            nodes.append(helper.make_node(op, read, [result], name=f"{prefix}n{number}"))
        source = result
    ends = [helper.make_tensor_value_info(name, 1, [1]) for name in ("in", source)]
    return helper.make_model(helper.make_graph(nodes, "chain", ends[:1], ends[1:], weights))


class NoOp(Transformation):  # type: ignore[misc]
    """What QONNX's `transform` costs when the pass does nothing: a copy and the cleanup."""

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        return model, False


def diffing(effort: Effort) -> Iterator[Row]:
    """Milliseconds to compare a chain with itself renamed and with 17% of it rewritten, beside a no-op `transform`.

    QONNX's cleanup is quadratic, so that is measured up to 1,000 nodes: 10,000 take it minutes, 100,000 hours.
    """
    smaller: Callable[[], object] = object
    for length, most in ((100, None), (1_000, 40), (10_000, 450), (100_000, 5_000)):
        if effort.is_quick and length > 1_000:
            return
        before, after = chain(length, 0, "t"), chain(length, 0.17, "x")

        work = partial(between, before, after)

        def diff() -> float:
            return 1e3 * timed(work, 1, 1)[0]  # noqa: B023

        if length > 1_000:
            yield alone(NAME, "ms", [diff() for _ in range(effort.runs(9) if length == 10_000 else 1)], most, length)
            times = tenfold(effort.runs(9) if length == 10_000 else 3, smaller, work)
            yield alone(f"{NAME}, beside a tenth of them", "times", times, 11, length)
        else:
            wrapped = ModelWrapper(before, True)  # a copy: it adds value infos

            def transform() -> float:
                return 1e3 * timed(lambda: wrapped.transform(NoOp()), 1, 1)[0]  # noqa: B023

            ours, theirs = in_turn(effort.runs(11), diff, transform)
            yield alone(NAME, "ms", ours, most, length)
            yield beside(NAME, "ms", ours, PEER, theirs, MOST if length == 1_000 else None, length)
        smaller = work
