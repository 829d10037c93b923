"""A live shell for graph transforms, kernels, backends and build steps of QONNX and Brainsmith.

These names are what plugin files and scripts may import; inside the shell they are there already.
"""

from .frameworks.qonnx import ops as ops  # from now on kernels are ops of models
from .registry.decorators import (
    backend,
    framework_transform,
    kernel,
    kernel_inference,
    plugin,
    register_op,
    step,
    transform,
)
from .registry.namespaces import backends, kernels, steps, tfm

__version__ = "0.2.0"

__all__ = [
    "backend",
    "backends",
    "framework_transform",
    "kernel",
    "kernel_inference",
    "kernels",
    "plugin",
    "register_op",
    "step",
    "steps",
    "tfm",
    "transform",
]
