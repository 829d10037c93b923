"""A transform that replaces one node by several. Try it:

>>> m = steps.qonnx.cleanup(load("nn_resize/quant_model"))
>>> m = m.transform(tfm.ExpandBatchNormalization())
m: ExpandBatchNormalization  nn_resize/quant_model   22 -> 28 nodes   3 rewrites, 19 untouched
  ...
  - BatchNormalization  BatchNormalization_0  W[64]  [1,64,128,128] -> [1,64,128,128]
  + Sub W[64,1,1], Mul W[64,1,1], Add W[64,1,1]
    2 more like it: BatchNormalization_1, BatchNormalization_2
  ...
  OK  same outputs: ...
"""

import numpy as np
from onnx import helper
from qonnx.transformation.base import Transformation


@transform(stage="topology_opt")
class ExpandBatchNormalization(Transformation):
    """BatchNormalization becomes Sub, Mul, Add with constants: y = (x - mean) * scale / sqrt(var + epsilon) + bias.

    https://onnx.ai/onnx/operators/onnx__BatchNormalization.html, with training_mode=0
    """

    def apply(self, model):
        for node in model.get_nodes_by_op_type("BatchNormalization"):
            scale, bias, mean, var = (model.get_initializer(name) for name in node.input[1:5])
            shape = model.get_tensor_shape(node.input[0])
            if any(value is None for value in (scale, bias, mean, var, shape)):
                continue
            epsilon = next((attribute.f for attribute in node.attribute if attribute.name == "epsilon"), 1e-5)
            channels = [-1] + [1] * (len(shape) - 2)  # broadcast along N and the spatial dimensions
            constants = {"Sub": mean, "Mul": scale / np.sqrt(var + epsilon), "Add": bias}
            source = node.input[0]
            index = list(model.graph.node).index(node)
            for op_type, value in constants.items():
                constant = model.make_new_valueinfo_name()
                model.set_initializer(constant, value.reshape(channels).astype(np.float32))
                result = node.output[0] if op_type == "Add" else model.make_new_valueinfo_name()
                model.set_tensor_shape(result, shape)
                inserted = helper.make_node(op_type, [source, constant], [result], name=f"{node.name}_{op_type}")
                model.graph.node.insert(index, inserted)
                source, index = result, index + 1
            model.graph.node.remove(node)
        return model, False
