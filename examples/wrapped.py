"""A transform of another framework under a name of yours: tfm.qonnx.RemoveIdentity, tfm.find(framework="qonnx")"""

from qonnx.transformation.remove import RemoveIdentityOps


@framework_transform("qonnx", RemoveIdentityOps, stage="cleanup")
class QONNXRemoveIdentity:
    """QONNX's own, as it is; what is defined here would take the place of what it defines."""
