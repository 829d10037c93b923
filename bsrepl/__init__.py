"""A live shell for graph transforms, kernels, backends and build steps of QONNX and Brainsmith.

These names are what plugin files and scripts may import; inside the shell they are there already.
"""

from .decorators import backend, framework_transform, kernel, kernel_inference, plugin, step, transform
from .namespaces import backends, kernels, steps, tfm

__version__ = "0.1.0"

__all__ = [
    "backend",
    "backends",
    "framework_transform",
    "kernel",
    "kernel_inference",
    "kernels",
    "plugin",
    "step",
    "steps",
    "tfm",
    "transform",
]
