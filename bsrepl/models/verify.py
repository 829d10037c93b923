"""Whether two models compute the same: both are executed on the same inputs, and every output is compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from onnx import ModelProto
from qonnx.core.modelwrapper import ModelWrapper

from ..errors import ExecutionFailed
from ..graphdiff.difference import between
from ..graphdiff.view import Tensor
from ..text.format import counted
from .execution import Executable
from .probes import inputs_of, probes, shape_of

Array: TypeAlias = Any  # numpy's ndarray

#: How far outputs may differ, relative to the largest magnitude among them, and count as equal. float32 has 1.2e-07 for
#: one operation; sums of thousands of products in another order differ by some 1e-6.
TOLERANCE = 1e-5


class Divergence(NamedTuple):
    """The first tensor that differs, in the order of the graph before."""

    before: str  # the tensor's name
    after: str
    node: str  # what makes it
    relative: float


@dataclass(frozen=True, repr=False)
class Verdict:
    """What executing two models on the same inputs showed. True if they computed the same."""

    is_same: bool
    absolute: float  # the largest difference of two values
    relative: float  # that, relative to the largest magnitude of the output
    argmax_equal: bool | None  # None if no output has more than one value along its last axis
    probes: int
    why: str  # what differs besides the values, if anything does
    first: Divergence | None
    inputs: Sequence[Array] = field(default=(), compare=False)  # those on which they differ the most

    def __bool__(self) -> bool:
        return self.is_same

    @property
    def short(self) -> str:
        """`OK rel 7e-08`"""
        return f"{'OK' if self.is_same else 'DIFFERENT'} rel {self.relative:.0e}"

    def __repr__(self) -> str:
        """`OK max|d| 4.9e-04 rel 7e-08 argmax equal, 4 probes`"""
        said = [f"{'OK' if self.is_same else 'DIFFERENT'} max|d| {self.absolute:.1e} rel {self.relative:.0e}"]
        if self.argmax_equal is not None:
            said.append("argmax equal" if self.argmax_equal else "argmax differs")
        said = [f"{' '.join(said)}, {counted(self.probes, 'probe')}"]
        if self.why:
            said.append(self.why)
        if self.first is not None:
            names = (
                self.first.before
                if self.first.before == self.first.after
                else f"{self.first.before} ({self.first.after} now)"
            )
            said.append(f"first at {names}, made by {self.first.node}: rel {self.first.relative:.0e}")
        return "; ".join(said)


def verify(
    before: ModelWrapper | ModelProto,
    after: ModelWrapper | ModelProto,
    inputs: Sequence[Array] | None = None,
    *,
    probe_count: int = 4,
    seed: int = 0,
    tolerance: float = TOLERANCE,
) -> Verdict:
    """Executes two models on the same inputs and compares every output. The verdict prints in one line, and is true or
    false.

    `inputs` are the values of the inputs, in their order; without them, `probe_count` sets are made: what was recorded
    with the sample, and seeded values that honour shapes and datatype annotations. Inputs and outputs of the two
    belong together by their order. Where they differ, the first tensor that does is looked for, across renaming.

    Raises ExecutionFailed if a model cannot be executed, or the inputs do not fit.
    """
    old, new = _wrapped(before), _wrapped(after)
    sets = [list(inputs)] if inputs is not None else [values for _, values in probes(old, probe_count, seed)]
    shapes = [value.shape for value in sets[0]] if sets else [shape_of(value) for value in inputs_of(old)]
    if len(inputs_of(old)) != len(inputs_of(new)):
        raise ExecutionFailed(f"the models have {len(inputs_of(old))} and {len(inputs_of(new))} inputs")
    for mine, theirs, shape in zip(inputs_of(old), inputs_of(new), shapes, strict=True):
        other = shape_of(theirs)
        if shape == shape_of(mine) != other and len(shape) == len(other):
            said = f"the input {mine.name} is {list(shape)}, and {list(other)} after: no values fit both"
            raise ExecutionFailed(said)
    runs = [Executable(model, shapes) for model in (old, new)]
    outputs = [[value.name for value in model.graph.output] for model in (old, new)]
    absolute = relative = 0.0
    argmax: bool | None = None
    why = "" if len(outputs[0]) == len(outputs[1]) else f"{len(outputs[0])} -> {counted(len(outputs[1]), 'output')}"
    worst: list[Array] = []
    for values in sets:
        was, now = (run(values) for run in runs)
        for mine, theirs in zip(*outputs, strict=False):
            a, b = np.asarray(was[mine]), np.asarray(now[theirs])
            if a.size != b.size:
                why = why or f"{mine} {list(a.shape)} -> {list(b.shape)}"
                continue
            if a.shape != b.shape:
                why = why or f"{mine} {list(a.shape)} -> {list(b.shape)}"
                b = b.reshape(a.shape)
            why = why or _not_numbers(mine, a, b)
            difference, scaled = _distance(a, b)
            if scaled > relative or not worst:
                worst = values
            absolute, relative = max(absolute, difference), max(relative, scaled)
            if a.ndim and a.shape[-1] > 1:
                argmax = argmax is not False and bool(np.array_equal(a.argmax(-1), b.argmax(-1)))
    is_same = relative <= tolerance and not why
    first = None if is_same or not worst else _first(old, new, worst, tolerance)
    return Verdict(is_same, absolute, relative, argmax, len(sets), why, first, worst)


def _wrapped(model: ModelWrapper | ModelProto) -> ModelWrapper:
    return model if isinstance(model, ModelWrapper) else ModelWrapper(model)


def _distance(a: Array, b: Array) -> tuple[float, float]:
    """The largest difference of finite values, and that relative to the largest magnitude."""
    if not a.size or a.dtype.kind not in "fiub":
        return 0.0, float(not np.array_equal(a, b))
    a, b = a.astype(np.float64), b.astype(np.float64)
    finite = np.isfinite(a) & np.isfinite(b)
    difference = float(np.abs(a - b, where=finite, out=np.zeros_like(a)).max())
    scale = float(np.abs(a, where=np.isfinite(a), out=np.zeros_like(a)).max())
    return difference, difference / scale if scale else float(difference > 0)


def _not_numbers(name: str, a: Array, b: Array) -> str:
    if a.dtype.kind != "f" or b.dtype.kind != "f":
        return ""
    for what, test in (("NaN", np.isnan), ("Inf", np.isinf)):
        if not np.array_equal(test(a), test(b)):
            return f"{what} in {name}: {int(test(a).sum())} -> {int(test(b).sum())}"
    return ""


def _first(old: ModelWrapper, new: ModelWrapper, values: list[Array], tolerance: float) -> Divergence | None:
    """The first tensor of the graph before that differs, among those that both graphs have."""
    difference = between(old, new)
    order: list[tuple[Tensor, Tensor, int]] = []
    for number in difference.old.order():
        for tensor in difference.old.nodes[number].outputs:
            if tensor is not None and not tensor[0] and tensor in difference.tensors:
                order.append((tensor, difference.tensors[tensor], number))
    shapes = [value.shape for value in values]
    try:
        was = Executable(old, shapes, [mine[1] for mine, _, _ in order])(values)
        now = Executable(new, shapes, [theirs[1] for _, theirs, _ in order])(values)
    except ExecutionFailed:  # a tensor inside cannot be had; the verdict stands without it
        return None
    for mine, theirs, number in order:
        a, b = was.get(mine[1]), now.get(theirs[1])
        if a is None or b is None or np.asarray(a).size != np.asarray(b).size:
            continue
        a, b = np.asarray(a), np.asarray(b).reshape(np.asarray(a).shape)
        _, relative = _distance(a, b)
        if relative > tolerance or _not_numbers(mine[1], a, b):
            node = difference.new.nodes[difference.match.forward[number]]
            return Divergence(mine[1], theirs[1], " ".join(filter(None, (node.op_type, node.name))), relative)
    return None
