"""A transform of another framework under a name of yours. Try it:

>>> tfm.qonnx.RemoveIdentity
<class 'wrapped.QONNXRemoveIdentity'>
>>> tfm.find("RemoveIdentity")
tfm.RemoveIdentity           stage=cleanup  remove_identity.py:...
tfm.qonnx.RemoveIdentity     stage=cleanup  wrapped.py:...
tfm.qonnx.RemoveIdentityOps  stage=cleanup  remove.py:...
"""

from qonnx.transformation.remove import RemoveIdentityOps


@framework_transform("qonnx", RemoveIdentityOps, stage="cleanup")
class QONNXRemoveIdentity:
    """QONNX's class, unchanged; a method defined here would replace its method."""
