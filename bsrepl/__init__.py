"""A live shell for graph transforms, kernels, backends and build steps of QONNX and Brainsmith.

These names are what plugin files and scripts may import; inside the shell they are there already.
"""

from importlib import import_module
from typing import Any

from .frameworks.qonnx import ops as ops  # from now on kernels are ops of models
from .models.assertion import assert_same
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
    "assert_same",
    "backend",
    "backends",
    "embed",
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

#: What is imported when somebody asks for it: plugin files have no use for it.
_HOSTS = {
    "embed": ".hosts.embedding",
    "load_ipython_extension": ".hosts.ipython",
    "unload_ipython_extension": ".hosts.ipython",
}


def __getattr__(name: str) -> Any:
    if name not in _HOSTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOSTS[name], __name__), name)
