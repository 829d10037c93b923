"""A transform of another framework under a name of yours: tfm.qonnx.RemoveIdentity, tfm.find(framework="qonnx")"""

from qonnx.transformation.remove import RemoveIdentityOps


@framework_transform("qonnx", RemoveIdentityOps, stage="cleanup")
class QONNXRemoveIdentity:
    """QONNX's class, unchanged; a method defined here would replace its method."""
