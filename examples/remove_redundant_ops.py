"""A transform that removes nodes. Try it:

>>> m = load("mnist-conv").transform(tfm.InsertTaps("Relu"))
  ...
>>> m = m.transform(tfm.RemoveRedundantOps())
m: RemoveRedundantOps  mnist-conv   14 -> 12 nodes   2 rewrites, 12 untouched
  - Identity  tap_0  [1,8,28,28] -> [1,8,28,28]
    1 more like it: tap_1
  ...
  OK  same outputs: ...
"""

from qonnx.transformation.base import Transformation


@transform(stage="cleanup")
class RemoveRedundantOps(Transformation):
    """Removes every Identity between two nodes. Returns True until none is left."""

    def apply(self, model):
        for node in model.get_nodes_by_op_type("Identity"):
            producer = model.find_producer(node.input[0])
            readers = model.find_consumers(node.output[0])
            if producer is not None and readers:
                for reader in readers:
                    for index, name in enumerate(reader.input):
                        if name == node.output[0]:
                            reader.input[index] = node.input[0]
                model.graph.node.remove(node)
                return model, True
        return model, False
