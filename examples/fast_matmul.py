"""A kernel that models can use as an op at once. Try it:

>>> kernels.FastMatMul?
  ...
  declared backends    hls, rtl
  registered backends  backends.FastMatMulHLS (hls, default), backends.FastMatMulRTL (rtl)
  inferred by          tfm.InferFastMatMul
  ...
>>> backends.for_kernel("FastMatMul")
backends.FastMatMulHLS  kernel=FastMatMul language=hls default=True  fast_matmul_hls.py:...
backends.FastMatMulRTL  kernel=FastMatMul language=rtl               fast_matmul_rtl.py:...
"""

import numpy as np
from onnx import helper
from qonnx.core.datatype import DataType
from qonnx.custom_op.base import CustomOp


@kernel("FastMatMul", backends=["hls", "rtl"])
class FastMatMul(CustomOp):
    """x[..., K] @ w[K, N], as an array of N accumulators that takes one element of x in a clock cycle."""

    def get_nodeattr_types(self):
        return {
            "K": ("i", True, 0),
            "N": ("i", True, 0),
            "weightDataType": ("s", False, "FLOAT32"),
            "accBits": ("i", False, 32),
        }

    def make_shape_compatible_op(self, model):
        return helper.make_node("MatMul", list(self.onnx_node.input), list(self.onnx_node.output))

    def infer_node_datatype(self, model):
        node = self.onnx_node
        is_integer = all(model.get_tensor_datatype(name).is_integer() for name in node.input)
        datatype = DataType[f"INT{self.get_nodeattr('accBits')}"] if is_integer else DataType["FLOAT32"]
        model.set_tensor_datatype(node.output[0], datatype)

    def execute_node(self, context, graph):
        node = self.onnx_node
        context[node.output[0]] = np.matmul(context[node.input[0]], context[node.input[1]])

    def verify_node(self):
        return []
