"""A transform that finds where a kernel fits. Try it:

>>> m = steps.qonnx.cleanup(load("mnist-conv"))
>>> m = m.transform(tfm.InferFastMatMul())
m: InferFastMatMul  mnist-conv   11 nodes   1 rewrite, 10 untouched
  - MatMul  MatMul_0  W[256,10]  [1,256] -> [1,10]
  + FastMatMul W[256,10]
  ...
  OK  same outputs: ...
"""

from onnx import helper
from qonnx.transformation.base import Transformation


@kernel_inference(kernel="FastMatMul", stage="kernel_opt")
class InferFastMatMul(Transformation):
    """A MatMul with a constant matrix on its right becomes a FastMatMul."""

    def apply(self, model):
        for node in model.get_nodes_by_op_type("MatMul"):
            weights = model.get_initializer(node.input[1])
            if weights is None or weights.ndim != 2:
                continue
            fast = helper.make_node(
                "FastMatMul",
                list(node.input),
                list(node.output),
                name=node.name,
                domain="qonnx.custom_op.general",
                K=weights.shape[0],
                N=weights.shape[1],
                weightDataType=model.get_tensor_datatype(node.input[1]).name,
            )
            model.graph.node.insert(list(model.graph.node).index(node), fast)
            model.graph.node.remove(node)
        return model, False
