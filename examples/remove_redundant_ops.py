"""A transform that removes nodes:
m = load("mnist-conv").transform(tfm.InsertTaps("Relu")); m = m.transform(tfm.RemoveRedundantOps())
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
