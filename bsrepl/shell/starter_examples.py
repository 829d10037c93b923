"""The examples of a starter file, which has them commented out."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc"

from qonnx.custom_op.base import CustomOp
from qonnx.transformation.remove import RemoveIdentityOps

from bsrepl import backend, framework_transform, kernel, step, tfm, transform


@transform(name="MyTransform", stage="cleanup")
class MyTransform:
    """Changes nothing yet. Try it: m = load("mnist-conv"); m = m.transform(tfm.MyTransform())"""

    def apply(self, model):
        for node in model.graph.node:
            print(node.op_type, node.name)
        return model, False


@kernel(name="CustomKernel", backends=["hls", "rtl"])
class CustomKernel:
    """Try it: kernels.CustomKernel? and kernels.find(backends="rtl")"""


@backend(name="CustomKernelHLS", kernel="CustomKernel", language="hls", default=True)
class CustomKernelHLS:
    """Try it: backends.find(kernel="CustomKernel")"""


@step(category="cleanup")
def tidy(model, cfg=None):
    """Try it: m = steps.tidy(load("mnist-conv"))"""
    return model.transform(tfm.InferShapes()).transform(tfm.FoldConstants())


@transform(name="RemoveRedundantOps", stage="cleanup")
class RemoveRedundantOps:
    """Takes every Identity between two nodes out of the graph. Try it:
    m = load("mnist-conv").transform(tfm.InsertIdentityOnAllTopLevelIO()); m = m.transform(tfm.RemoveRedundantOps())
    """

    def apply(self, model):
        for node in model.get_nodes_by_op_type("Identity"):
            readers = model.find_consumers(node.output[0])
            if readers:
                for reader in readers:
                    for index, name in enumerate(reader.input):
                        if name == node.output[0]:
                            reader.input[index] = node.input[0]
                model.graph.node.remove(node)
                return model, True  # there may be another one: apply is called again
        return model, False


@kernel(name="FastMatMul", backends=["hls", "rtl", "dsp"])
class FastMatMul(CustomOp):
    """An op of models at once. Try it: kernels.FastMatMul? and show(kernels.FastMatMul)"""

    def get_nodeattr_types(self):
        return {"M": ("i", True, 512), "N": ("i", True, 512), "K": ("i", True, 512), "dtype": ("s", False, "INT8")}

    def make_shape_compatible_op(self, model):
        from onnx import helper

        return helper.make_node("MatMul", list(self.onnx_node.input), list(self.onnx_node.output))

    def infer_node_datatype(self, model):
        from qonnx.core.datatype import DataType

        model.set_tensor_datatype(self.onnx_node.output[0], DataType["INT32"])

    def execute_node(self, context, graph):
        x, w = (context[name] for name in self.onnx_node.input)
        context[self.onnx_node.output[0]] = x @ w

    def verify_node(self):
        return []


@framework_transform("qonnx", RemoveIdentityOps)
class QONNXRemoveIdentity:
    """Try it: tfm.qonnx.RemoveIdentity? and tfm.find(framework="qonnx", name="*Identity*")"""
