"""A transform in five lines:
m = load("mnist-conv").transform(tfm.LowerConvsToMatMul()); m = m.transform(tfm.NameNodes())
"""

from qonnx.transformation.base import Transformation


@transform(stage="cleanup")
class NameNodes(Transformation):
    def apply(self, model):
        for number, node in enumerate(model.graph.node):
            node.name = node.name or f"{node.op_type}_{number}"
        return model, False
