"""What QONNX's own passes, its wrapper and its cleanup cost in a command of the shell, beside the same outside."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.batchnorm_to_affine import BatchNormToAffine
from qonnx.transformation.bipolar_to_xnor import ConvertBipolarMatMulToXnorPopcount
from qonnx.transformation.fold_constants import FoldConstants
from qonnx.transformation.general import (
    ConvertDivToMul,
    ConvertSubToAdd,
    GiveReadableTensorNames,
    GiveUniqueNodeNames,
)
from qonnx.transformation.infer_data_layouts import InferDataLayouts
from qonnx.transformation.infer_datatypes import InferDataTypes
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.transformation.lower_convs_to_matmul import LowerConvsToMatMul
from qonnx.transformation.remove import RemoveIdentityOps

from bsrepl.frameworks.qonnx import steps
from bsrepl.frameworks.qonnx.acceleration import Acceleration
from bsrepl.models.workbench import load

from .graphs import NoOp, chain
from .rows import Effort, Row, alone, beside, in_turn, tenfold, timed

PEER = "QONNX outside"
_PATIENCE = 10.0  # seconds that a row may take, with what is beside it; a round that has begun is finished
_PASSES = (
    InferShapes, InferDataTypes, InferDataLayouts, FoldConstants, GiveUniqueNodeNames, GiveReadableTensorNames,
    BatchNormToAffine, LowerConvsToMatMul, ConvertSubToAdd, ConvertDivToMul, RemoveIdentityOps,
    ConvertBipolarMatMulToXnorPopcount,
)  # fmt: skip


def quantised(blocks: int) -> ModelProto:
    """A network of 7 nodes a block: quantised weights, convolution, batch norm, scale, bias, activation, quantiser."""
    shape, weights, nodes = [1, 4, 4, 4], [], []
    numbers = np.random.default_rng(0)

    def weight(name: str, *dims: int) -> str:
        values = numbers.uniform(0.5, 1.5, dims).astype(np.float32)
        weights.append(numpy_helper.from_array(values, name))
        return name

    def quant(source: str, result: str, signed: int) -> NodeProto:
        bits = ("scale", "zero", "bits")
        kind = {"signed": signed, "narrow": 0, "rounding_mode": "ROUND"}
        return helper.make_node("Quant", [source, *bits], [result], domain="qonnx.custom_op.general", **kind)

    for name, value in (("scale", 0.25), ("zero", 0.0), ("bits", 4.0)):
        weights.append(numpy_helper.from_array(np.array(value, np.float32), name))
    window = {"kernel_shape": [1, 1], "strides": [1, 1], "pads": [0] * 4, "dilations": [1, 1], "group": 1}
    source = "in"
    for n in range(blocks):
        nodes += [
            quant(weight(f"w{n}", 4, 4, 1, 1), f"q{n}", 1),
            helper.make_node("Conv", [source, f"q{n}"], [f"c{n}"], **window),
            helper.make_node(
                "BatchNormalization", [f"c{n}", *(weight(f"{kind}{n}", 4) for kind in ("g", "b", "m", "v"))], [f"n{n}"]
            ),
            helper.make_node("Div", [f"n{n}", weight(f"d{n}", 1)], [f"s{n}"]),
            helper.make_node("Sub", [f"s{n}", weight(f"o{n}", 1)], [f"a{n}"]),
            helper.make_node("Relu", [f"a{n}"], [f"r{n}"]),
            quant(f"r{n}", f"t{n}", 0),
        ]
        source = f"t{n}"
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("in", source)]
    graph = helper.make_graph(nodes, "quantised", ends[:1], ends[1:], weights)
    opsets = [helper.make_opsetid("", 11), helper.make_opsetid("qonnx.custom_op.general", 1)]
    return helper.make_model(graph, opset_imports=opsets)


def passing(effort: Effort) -> Iterator[Row]:
    """Milliseconds, in a command and outside; outside up to 1,000 nodes, since ten times that take minutes."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    works: dict[str, list[Callable[[], object]]] = {}
    for length, most in ((100, None), (1_000, 0.05), (10_000, None)):
        proto = chain(length, 0, "t")
        model = _wrapped(proto)  # a copy: the wrapper adds value infos, and then there is less to do
        data = proto.SerializeToString()
        for name, work, bound in (
            ("transform that does nothing", partial(model.transform, NoOp()), most),
            ("ModelWrapper(...)", partial(ModelWrapper, proto, True), most and 0.1),
            ("load(...)", partial(load, data), most and 0.1),
        ):
            yield _row(f"{name}, N nodes", effort, work, length, bound)
            works.setdefault(name, []).append(work)
    for name, (*_, thousand, ten_thousand) in works.items():
        with Acceleration().active():
            times = tenfold(effort.runs(9), thousand, ten_thousand)
        yield alone(f"{name}, 10,000 nodes beside 1,000", "times", times, 12)
    yield from _passes(effort)
    yield from _streamlining(effort)


def _passes(effort: Effort) -> Iterator[Row]:
    network = _wrapped(quantised(36 if effort.is_quick else 143))
    with Acceleration().active():
        for preparing in (InferShapes(), InferDataTypes(), GiveUniqueNodeNames()):
            network = network.transform(preparing)
    ratios = []
    for transformation in _PASSES:
        apply = partial(network.transform, transformation())
        row = _row(f"{transformation.__name__} on a quantised network", effort, apply, None, 1.0)
        yield row
        with Acceleration().active():
            if row.ratio is not None and apply().model != network.model:
                ratios.append(row.ratio)
    yield alone(f"the median of the {len(ratios)} that change something, beside {PEER}", "times", ratios, 1 / 3)
    data = quantised(36 if effort.is_quick else 143).SerializeToString()
    yield _row("steps.qonnx.cleanup of it", effort, lambda: steps.cleanup(load(data)), None, 1.0)


def _streamlining(effort: Effort) -> Iterator[Row]:
    """FINN's Streamline, where FINN is found: dozens of passes, each of them until it changes nothing more."""
    try:
        from finn.transformation.streamline import Streamline
    except ImportError:
        return
    network = _wrapped(quantised(5 if effort.is_quick else 20))
    with Acceleration().active():
        for preparing in (FoldConstants(exclude_op_types=[]), InferShapes(), InferDataTypes(), GiveUniqueNodeNames()):
            network = network.transform(preparing)
    length = len(network.graph.node)
    work = partial(network.transform, Streamline())
    yield _row(f"FINN's Streamline on {length} nodes", effort, work, None, 1.0)


def _wrapped(proto: ModelProto) -> ModelWrapper:
    with Acceleration().active():
        return ModelWrapper(deepcopy(proto))


def _row(series: str, effort: Effort, work: Callable[[], object], length: int | None, most: float | None) -> Row:
    def inside() -> float:
        with Acceleration().active():
            return 1e3 * timed(work, 1, 1)[0]

    if length is not None and length > 1_000:
        return alone(series, "ms", [inside() for _ in range(effort.runs(9))], None, length)
    ours, theirs = in_turn(effort.runs(5), inside, lambda: 1e3 * timed(work, 1, 1)[0], seconds=_PATIENCE)
    return beside(series, "ms", ours, PEER, theirs, most, length)
