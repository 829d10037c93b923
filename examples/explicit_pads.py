"""A transform that sees one node at a time, and that QONNX may run in several processes. Try it:

>>> m = load("mnist-conv")
>>> m = m.transform(tfm.ExplicitPads())
m: ExplicitPads  mnist-conv   12 nodes   2 edited, 10 untouched
  ~ Conv  Convolution28  auto_pad SAME_UPPER -> none, pads none -> [2, 2, 2, 2]
    1 more like it: Convolution110
  ...
  OK  same outputs: ...
"""

from onnx import helper
from qonnx.transformation.base import NodeLocalTransformation
from qonnx.util.basic import auto_pad_to_explicit_padding


@transform(stage="pre_proc")
class ExplicitPads(NodeLocalTransformation):
    """Replaces auto_pad of a Conv by the pads that it stands for, which channels-last passes need."""

    def applyNodeLocal(self, node):
        attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        auto_pad = attributes.get("auto_pad", b"NOTSET").decode()
        shape = self.ref_input_model.get_tensor_shape(node.input[0])
        if node.op_type != "Conv" or auto_pad == "NOTSET" or shape is None or len(shape) != 4:
            return node, False
        kernel = attributes["kernel_shape"]
        strides = attributes.get("strides", [1, 1])
        if len(set(strides)) > 1 or set(attributes.get("dilations", [1, 1])) != {1}:
            return node, False
        pads = auto_pad_to_explicit_padding(auto_pad, *shape[2:], *kernel, *strides, 2)
        kept = [attribute for attribute in node.attribute if attribute.name not in ("auto_pad", "pads")]
        del node.attribute[:]
        node.attribute.extend([*kept, helper.make_attribute("pads", pads)])
        return node, False
