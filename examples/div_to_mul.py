"""A transform: m = load("mnist-conv"); m = m.transform(tfm.DivByConstantToMul())"""

from qonnx.transformation.base import Transformation


@transform(stage="topology_opt")
class DivByConstantToMul(Transformation):
    """Division by a constant becomes multiplication with its inverse, for which hardware is cheaper."""

    def apply(self, model):
        for node in model.get_nodes_by_op_type("Div"):
            divisor = model.get_initializer(node.input[1])
            if divisor is not None:
                model.set_initializer(node.input[1], 1 / divisor)
                node.op_type = "Mul"
        return model, False
