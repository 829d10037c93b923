"""A transform in five lines. Try it:

>>> m = load("mnist-conv").transform(tfm.LowerConvsToMatMul())
  ...
  ! 8 new nodes have no name
  ...
>>> m = m.transform(tfm.NameNodes())
m: NameNodes  mnist-conv   18 nodes, renamed only
  ...
"""

from qonnx.transformation.base import Transformation


@transform(stage="cleanup")
class NameNodes(Transformation):
    def apply(self, model):
        for number, node in enumerate(model.graph.node):
            node.name = node.name or f"{node.op_type}_{number}"
        return model, False
