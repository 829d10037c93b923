"""The plugin file that is written for a PATH that does not exist yet."""

from __future__ import annotations

from pathlib import Path

TEXT = '''\
# Edit this file while bsrepl is running: save it, and the shell has it.
#
# Uncomment an example (take the "# " off its lines) and save:

# @transform(name="MyTransform", stage="cleanup")
# class MyTransform:
#     """Changes nothing yet. Try it: m = load("mnist-conv"); m = m.transform(tfm.MyTransform())"""
#
#     def apply(self, model):
#         for node in model.graph.node:
#             print(node.op_type, node.name)
#         return model, False

# @kernel(name="CustomKernel", backends=["hls", "rtl"])
# class CustomKernel:
#     """Try it: kernels.CustomKernel? and kernels.find(backends="rtl")"""

# @backend(name="CustomKernelHLS", kernel="CustomKernel", language="hls", default=True)
# class CustomKernelHLS:
#     """Try it: backends.find(kernel="CustomKernel")"""

# @step(category="cleanup")
# def tidy(model, cfg=None):
#     """Try it: m = steps.tidy(load("mnist-conv"))"""
#     return model.transform(tfm.InferShapes()).transform(tfm.FoldConstants())

# @transform(name="RemoveRedundantOps", stage="cleanup")
# class RemoveRedundantOps:
#     """Takes every Identity between two nodes out of the graph. Try it:
#     m = load("mnist-conv").transform(tfm.InsertIdentityOnAllTopLevelIO()); m = m.transform(tfm.RemoveRedundantOps())
#     """
#
#     def apply(self, model):
#         for node in model.get_nodes_by_op_type("Identity"):
#             readers = model.find_consumers(node.output[0])
#             if readers:
#                 for reader in readers:
#                     for index, name in enumerate(reader.input):
#                         if name == node.output[0]:
#                             reader.input[index] = node.input[0]
#                 model.graph.node.remove(node)
#                 return model, True  # there may be another one: apply is called again
#         return model, False

# from qonnx.custom_op.base import CustomOp
#
# @kernel(name="FastMatMul", backends=["hls", "rtl", "dsp"])
# class FastMatMul(CustomOp):
#     """An op of models at once. Try it: kernels.FastMatMul? and show(kernels.FastMatMul)"""
#
#     def get_nodeattr_types(self):
#         return {"M": ("i", True, 512), "N": ("i", True, 512), "K": ("i", True, 512), "dtype": ("s", False, "INT8")}
#
#     def make_shape_compatible_op(self, model):
#         from onnx import helper
#
#         return helper.make_node("MatMul", list(self.onnx_node.input), list(self.onnx_node.output))
#
#     def infer_node_datatype(self, model):
#         from qonnx.core.datatype import DataType
#
#         model.set_tensor_datatype(self.onnx_node.output[0], DataType["INT32"])
#
#     def execute_node(self, context, graph):
#         x, w = (context[name] for name in self.onnx_node.input)
#         context[self.onnx_node.output[0]] = x @ w
#
#     def verify_node(self):
#         return []

# from qonnx.transformation.remove import RemoveIdentityOps
#
# @framework_transform("qonnx", RemoveIdentityOps)
# class QONNXRemoveIdentity:
#     """Try it: tfm.qonnx.RemoveIdentity? and tfm.find(framework="qonnx", name="*Identity*")"""
'''


def create(path: Path) -> bool:
    """Writes a starter file unless there is something of that name already. Returns whether it did.

    Raises OSError if it cannot be written.
    """
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(TEXT)
    except FileExistsError:
        return False
    return True
