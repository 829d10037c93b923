"""A transform with parameters. Try it:

>>> m = load("mnist-conv")
>>> m = m.transform(tfm.InsertTaps("Relu", prefix="probe_"))
m: InsertTaps  mnist-conv   12 -> 14 nodes   2 rewrites, 12 untouched
  + Identity
    1 more like it: probe_1
  ...
  OK  same outputs: ...
"""

from onnx import helper
from qonnx.transformation.base import Transformation


@transform(stage="pre_proc")
class InsertTaps(Transformation):
    """Inserts an Identity after each node of a type, so that the tensor there has a name of its own.

    Args:
        op_type: the nodes to tap.
        prefix: the beginning of the names of the taps.
    """

    def __init__(self, op_type, prefix="tap_"):
        super().__init__()
        self.op_type = op_type
        self.prefix = prefix

    def apply(self, model):
        outputs = {output.name for output in model.graph.output}
        for number, node in enumerate(model.get_nodes_by_op_type(self.op_type)):
            source, tapped = node.output[0], f"{self.prefix}{number}"
            if source in outputs:
                continue  # an output of the graph has a name of its own
            readers = model.find_consumers(source)
            for reader in readers:
                for index, name in enumerate(reader.input):
                    if name == source:
                        reader.input[index] = tapped
            index = list(model.graph.node).index(node) + 1
            model.graph.node.insert(index, helper.make_node("Identity", [source], [tapped], name=tapped))
            model.set_tensor_shape(tapped, model.get_tensor_shape(source))
            model.set_tensor_datatype(tapped, model.get_tensor_datatype(source))
        return model, False
