"""QONNX's utilities as build steps, and its analyses, each on a sample model."""

from __future__ import annotations

import runpy
import sys
from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from onnx import helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.util.basic import qonnx_make_model

from bsrepl import steps
from bsrepl.errors import StepConfigError
from bsrepl.frameworks.catalogue import Installed
from bsrepl.frameworks.qonnx import steps as qonnx_steps
from bsrepl.frameworks.qonnx.analyses import inference_cost, range_analysis
from bsrepl.models.workbench import load
from bsrepl.registry.store import registry

from ..conftest import Screen

MODULE = "bsrepl.frameworks.qonnx.steps"


def ops(model: ModelWrapper) -> Counter[str]:
    return Counter(node.op_type for node in model.graph.node)


def output(model: ModelWrapper, given: Any = None) -> Any:
    """What a model of one input makes of the same values."""
    model = model.transform(InferShapes())
    value = model.graph.input[0]
    shape = model.get_tensor_shape(value.name)
    made = np.random.default_rng(0).integers(0, 2, shape).astype(np.float32) if given is None else given
    return execute_onnx(model, {value.name: made})[model.graph.output[0].name]


def test_the_steps_are_there_and_stay_equal_to_the_module() -> None:
    Installed(registry, None)
    defined = (name for name, value in vars(qonnx_steps).items() if getattr(value, "__module__", "") == MODULE)
    public = {name for name in defined if not name.startswith("_")}
    assert set(steps.qonnx) == public
    assert all(steps.qonnx[name] is getattr(qonnx_steps, name) for name in public)
    assert all(plugin.metadata["category"] for plugin in registry.snapshot.plugins("step"))


def test_cleanup() -> None:
    before = load("sdp")
    after = qonnx_steps.cleanup(before)
    assert (len(before.graph.node), len(after.graph.node)) == (27, 16)
    assert all(node.name for node in after.graph.node)


@pytest.mark.parametrize("cfg", [{"extract_conv_bias": True, "jobs": 4}, SimpleNamespace(extract_conv_bias=True)])
def test_options_come_from_a_mapping_or_from_attributes(cfg: object) -> None:
    before = load("residual_block_clean")
    assert ops(qonnx_steps.cleanup(before))["Add"] == 1
    after = qonnx_steps.cleanup(before, cfg)
    assert ops(after)["Add"] == 4
    assert np.allclose(output(before), output(after), atol=1e-4)


def test_to_channels_last() -> None:
    weights = np.random.default_rng(0).normal(size=(3, 2, 3, 3)).astype(np.float32)
    node = helper.make_node("Conv", ["in", "w"], ["out"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1],
        dilations=[1, 1], group=1)  # fmt: skip
    values = [helper.make_tensor_value_info(*each) for each in (("in", 1, [1, 2, 4, 4]), ("out", 1, [1, 3, 4, 4]))]
    graph = helper.make_graph([node], "test", values[:1], values[1:], [numpy_helper.from_array(weights, "w")])
    before = qonnx_steps.cleanup(ModelWrapper(qonnx_make_model(graph)))
    after = qonnx_steps.to_channels_last(before)
    assert {node.domain for node in after.graph.node if node.op_type == "Conv"} == {"qonnx.custom_op.channels_last"}
    inputs_too = qonnx_steps.to_channels_last(before, {"make_input_channels_last": True})
    assert ops(inputs_too)["Transpose"] < ops(after)["Transpose"]
    assert np.allclose(output(before), output(after), atol=1e-5)
    sample = load("qonnx_act_weight_fp8")
    assert np.allclose(output(sample), output(qonnx_steps.to_channels_last(sample)))


@pytest.mark.filterwarnings("ignore:.*opset")
def test_to_qcdq_and_back_to_quant() -> None:
    before = qonnx_steps.cleanup(load("subpixel/quant_model"))
    qcdq = qonnx_steps.convert_to_qcdq(before)
    assert ops(before)["Quant"] == ops(qcdq)["QuantizeLinear"] == ops(qcdq)["DequantizeLinear"] == 8
    assert ops(qcdq)["Quant"] == 0
    again = qonnx_steps.convert_to_quant(qcdq)
    assert ops(again) == ops(before)
    assert np.allclose(output(before), output(qcdq), atol=1e-3)
    assert np.allclose(output(before), output(again), atol=1e-3)


def test_quantize() -> None:
    before = qonnx_steps.cleanup(load("mnist-conv"))
    places = {"op_type": {"Conv": [(("input", 0), (1, 0, 8, 0, 1, "ROUND"))]}}
    after = qonnx_steps.quantize(before, {"quantnode_map": places})
    assert ops(after) - ops(before) == {"Quant": 2}


def test_quantize_parameters() -> None:
    before = qonnx_steps.cleanup(load("mnist-conv"))
    after = qonnx_steps.quantize_parameters(before, {"fixedpt_dtype": "FIXED<8,4>"})
    bias = after.get_nodes_by_op_type("Add")[0].input[1]
    values = after.get_initializer(bias)
    assert np.array_equal(values * 16, np.round(values * 16))
    assert after.get_tensor_datatype(bias).name == "FIXED<8,4>"


def test_prune_channels() -> None:
    cfg = {"extract_conv_bias": True, "preserve_qnt_ops": False}
    before = qonnx_steps.cleanup(load("residual_block_clean"), cfg)
    weight = before.get_nodes_by_op_type("Conv")[0].input[1]
    after = qonnx_steps.prune_channels(before, {"prune_spec": {weight: {0: {1, 3}}}})
    assert before.get_tensor_shape(weight) == [14, 1, 8, 8]
    assert after.get_tensor_shape(weight) == [12, 1, 8, 8]


def test_change_batch_size() -> None:
    before = qonnx_steps.cleanup(load("eltwise_chanlast_testcase"))
    after = qonnx_steps.change_batch_size(before, {"batch_size": 4})
    assert after.get_tensor_shape(after.graph.output[0].name)[0] == 4
    assert qonnx_steps.change_batch_size(after).get_tensor_shape(after.graph.input[0].name)[0] == 1


@pytest.mark.parametrize(
    ("step", "option"),
    [("quantize", "quantnode_map"), ("quantize_parameters", "fixedpt_dtype"), ("prune_channels", "prune_spec")],
)
def test_a_missing_option_is_named_with_an_example(step: str, option: str) -> None:
    with pytest.raises(StepConfigError, match=f"{step} needs {option}; give it a cfg such as {{'{option}': "):
        getattr(qonnx_steps, step)(load("mnist-conv"))


@pytest.mark.filterwarnings("ignore:.*opset")
def test_the_model_that_is_given_stays_as_it_is() -> None:
    model = load("subpixel/quant_model")
    for node in model.graph.node:
        node.domain = "onnx.brevitas" if node.op_type == "Quant" else node.domain
    before = model.model.SerializeToString(deterministic=True)
    for name in ("cleanup", "convert_to_qcdq", "convert_to_quant", "change_batch_size"):
        getattr(qonnx_steps, name)(model)
        assert model.model.SerializeToString(deterministic=True) == before, name


def test_inference_cost() -> None:
    model = load("mnist-conv")
    total = inference_cost(model)["total_cost"]
    assert total["total_macs"] == 786560
    assert total == model.analysis(inference_cost)["total_cost"]
    assert set(inference_cost(model, cost_breakdown=True)) == {"total_cost", "optype_cost", "node_cost"}


COST = """\
layer   MACs    bit operations  weights           outputs           MACs of
Conv_0  77.8 M  4.98 G          4,747 (4.75 kB)   1.05 M (4.19 MB)  SCALEDINT<8> x SCALEDINT<8>
Conv_1  489 M   7.82 G          29,850 (14.9 kB)  1.05 M (4.19 MB)  SCALEDINT<4> x SCALEDINT<4>
Conv_2  247 M   3.96 G          15,102 (7.55 kB)  524,288 (2.1 MB)  SCALEDINT<4> x SCALEDINT<4>
Conv_3  56.2 M  3.6 G           858 (858 B)       196,608 (786 kB)  SCALEDINT<8> x SCALEDINT<8>
total   870 M   20.4 G          50,557 (28.1 kB)  2.82 M (11.3 MB)  SCALEDINT<8> x SCALEDINT<8>, ...
not counted, as QONNX knows no cost of them: Resize
"""
RANGES = """\
tensor       min       max      channels   integer type
global_in    0         255      all alike  UINT8
Conv_0_out0  -301155   228990   32         INT20
Mul_0_out0   -4.68377  4.67405  32         INT4
Add_0_out0   -3.95993  5.39789  32         INT4
Relu_0_out0  0         5.39789  32         UINT3
Mul_1_out0   0         67.3596  32         UINT7
global_out   0         15       32         UINT4
integer type: the narrowest that covers the range, if the values are whole numbers
"""


def test_an_analysis_prints_as_a_table_and_changes_nothing(screen: Screen) -> None:
    screen.type("q = load('nn_resize/quant_model'); m = steps.qonnx.cleanup(load('eltwise_chanlast_testcase'))")
    assert screen.type("inference_cost(q)") == COST
    assert screen.type("range_analysis(m, do_cleanup=True)") == RANGES
    stuck = screen.type("range_analysis(load('mnist-conv'), (0, 0), report_mode='zerostuck_channel')").splitlines()
    assert [line.split() for line in stuck[:2]] == [
        ["tensor", "stuck", "channels"],
        ["Convolution28_Output_0", *["0,", "1,", "2,", "3,", "4,", "5,", "6,", "7"]],
    ]


def test_a_table_says_what_it_has_no_room_for(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    screen.type("q = load('nn_resize/quant_model')")
    monkeypatch.setenv("COLUMNS", "40")
    assert screen.type("inference_cost(q)").splitlines()[-4:] == [
        "total   870 M   20.4 G",
        "no room for: weights, outputs, MACs of",
        "not counted, as QONNX knows no cost of",
        "  them: Resize",
    ]


def test_range_analysis() -> None:
    model = load("eltwise_chanlast_testcase")
    name = model.graph.input[0].name
    low, high = range_analysis(model, (0, 1))[name]
    assert (low, high) == (0, 1)
    assert range_analysis(model)[name] == (0, 255)  # its annotation is UINT8
    biased = load("residual_block_clean")
    assert range_analysis(biased, (0, 1), do_cleanup=True)
    assert range_analysis(load("mnist-conv"), (0, 0), report_mode="zerostuck_channel")


def test_the_steps_need_nothing_that_qonnx_before_1_0_has_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "qonnx.transformation.fixedpt_quantize", None)
    assert "cleanup" in runpy.run_path(qonnx_steps.__file__, run_name=qonnx_steps.__name__)
