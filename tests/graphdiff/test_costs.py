"""What an inference costs: MACs and bit operations as QONNX counts them, and how a pass changed them."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.lower_convs_to_matmul import LowerConvsToMatMul

from bsrepl.frameworks.qonnx.analyses import inference_cost
from bsrepl.frameworks.qonnx.samples import samples
from bsrepl.frameworks.qonnx.steps import cleanup
from bsrepl.graphdiff import between
from bsrepl.graphdiff.costs import Costs, costs
from bsrepl.graphdiff.viewing import view
from bsrepl.graphdiff.words import cost_change, headline
from bsrepl.models.workbench import load


def gemm(inner: int, width: int | None = None, known: bool = True, **attributes: int) -> ModelProto:
    """A Gemm of [4,inner] and [inner,8]; its input quantised to a width, and handed on, if that is given."""
    first = [inner, 4] if attributes.get("transA") else [4, inner]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, first)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [4, 8 if known else "N"])
    values = {"w": np.ones((inner, 8)), "scale": np.ones(()), "zero": np.zeros(()), "width": np.array(width or 0)}
    nodes = [helper.make_node("Gemm", ["x" if width is None else "r", "w"], ["y"], **attributes)]
    if width is not None:
        quant = helper.make_node("Quant", ["x", "scale", "zero", "width"], ["q"], domain="qonnx.custom_op.general")
        nodes = [quant, helper.make_node("Identity", ["q"], ["r"]), *nodes]
    weights = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in values.items()]
    shape = helper.make_tensor_value_info("r", TensorProto.FLOAT, first)
    return helper.make_model(helper.make_graph(nodes, "g", [x], [y], weights, value_info=[shape]))


@pytest.mark.parametrize("name", [name for name in samples() if "float_model" not in name and name != "mnist-conv"])
def test_they_are_those_of_qonnx(name: str) -> None:
    model = cleanup(load(name))
    expected = inference_cost(model, discount_sparsity=False)["total_cost"]
    cost = costs(view(model.model))
    assert cost is not None
    assert cost.macs == expected["total_macs"]
    assert cost.bit_operations == expected["total_bops"]


@pytest.mark.parametrize(
    ("model", "cost"),
    [
        (gemm(16), Costs(512, 512 * 32 * 32)),
        (gemm(16, transA=1), Costs(512, 512 * 32 * 32)),
        (gemm(16, width=4), Costs(512, 512 * 4 * 32)),
        (gemm(16, known=False), None),
    ],
)
def test_a_node_costs_what_it_sums_up(model: ModelProto, cost: Costs | None) -> None:
    assert costs(view(model)) == cost


def test_what_a_pass_did_to_them_is_told() -> None:
    assert cost_change(between(gemm(16), gemm(8))) == (
        "131 -> 67 parameters (524 B -> 268 B), 512 -> 256 MACs, 524,288 -> 262,144 bit operations"
    )
    assert headline(between(gemm(16, 8), gemm(16, 4))).endswith("131,072 -> 65,536 bit operations")
    assert cost_change(between(gemm(16), gemm(16))) == ""
    replaced = gemm(16)
    replaced.graph.node[0].op_type, replaced.graph.node[0].domain = "FastMatMul", "my.kernels"
    assert cost_change(between(gemm(16), replaced)) == ""  # it costs something, but what?
    assert between(gemm(16), gemm(16, known=False)).to_dict()["macs"] == {"before": 512, "after": None}


@pytest.mark.filterwarnings("ignore")
def test_lowering_a_convolution_keeps_them() -> None:
    model = cleanup(load("bsd300x3-espcn/subpixel/quant_model"))
    lowered: ModelWrapper = model.transform(LowerConvsToMatMul())
    change = cost_change(between(model, lowered))
    assert "MACs" not in change
    assert "bit operations" not in change
