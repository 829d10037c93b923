"""QONNX's own passes on QONNX's own samples: what each does to the graph, and whether the model computes the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

import pytest
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.base import Transformation
from qonnx.transformation.batchnorm_to_affine import BatchNormToAffine
from qonnx.transformation.channels_last import InsertChannelsLastDomainsAndTrafos
from qonnx.transformation.extract_conv_bias import ExtractBiasFromConv
from qonnx.transformation.gemm_to_matmul import GemmToMatMul
from qonnx.transformation.insert_topk import InsertTopK
from qonnx.transformation.lower_convs_to_matmul import LowerConvsToMatMul
from qonnx.transformation.resize_conv_to_deconv import ResizeConvolutionToDeconvolution
from qonnx.transformation.subpixel_to_deconv import SubPixelToDeconvolution

from bsrepl.frameworks.qonnx import steps as qonnx_steps
from bsrepl.graphdiff.words import in_short
from bsrepl.models.proof.verify import verify
from bsrepl.models.trace import trace
from bsrepl.models.workbench import load

Pass = type[Transformation] | Callable[[ModelWrapper], ModelWrapper]

TABLE = [
    ("mnist-conv", LowerConvsToMatMul, "11 -> 17 nodes, 2 rewrites", "OK"),
    ("mnist-conv", InsertTopK, "11 -> 12 nodes, 1 rewrite, output global_out renamed ", "BROKEN"),
    ("nn_resize/float_model", ResizeConvolutionToDeconvolution, "10 -> 9 nodes, 1 rewrite", "OK"),
    ("nn_resize/float_model", ExtractBiasFromConv, "10 -> 13 nodes, 3 rewrites, 3 edited", "OK"),
    ("nn_resize/quant_model", BatchNormToAffine, "22 -> 25 nodes, 3 rewrites", "OK"),
    ("subpixel/float_model", SubPixelToDeconvolution, "8 -> 7 nodes, 1 rewrite", "OK"),
    (
        "subpixel/float_model",
        InsertChannelsLastDomainsAndTrafos,
        "8 -> 20 nodes, 4 rewrites, opset qonnx.custom_op.channels_last none -> 11",
        "OK",
    ),
    ("eltwise_chanlast_testcase", qonnx_steps.convert_to_qcdq, "6 -> 12 nodes, 1 rewrite, opset onnx 9 -> 13", "OK"),
    ("qonnx_act_weight_fp8", GemmToMatMul, "2 -> 4 nodes, 1 rewrite", "OK"),
]


@cache
def cleaned(name: str) -> ModelWrapper:
    return qonnx_steps.cleanup(load(name))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("sample", "each", "did", "outcome"), TABLE)
def test_what_a_pass_does_to_a_sample(sample: str, each: Pass, did: str, outcome: str) -> None:
    (row, *_) = trace(cleaned(sample), [each], parity=True, clock=time.perf_counter, prove=verify).rows
    assert row.difference is not None
    assert in_short(row.difference).startswith(did)
    assert row.parity is not None
    assert row.parity.outcome.value == outcome, row.parity
