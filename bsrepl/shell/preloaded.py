"""What plugin files and commands find without an import."""

from __future__ import annotations

from typing import Any

from ..registry.decorators import (
    backend,
    framework_transform,
    kernel,
    kernel_inference,
    plugin,
    register_op,
    step,
    transform,
)
from ..registry.namespaces import backends, kernels, steps, tfm

_DECORATORS = (transform, kernel, backend, step, kernel_inference, framework_transform, plugin, register_op)

PRELOADED: dict[str, Any] = {
    "tfm": tfm,
    "kernels": kernels,
    "backends": backends,
    "steps": steps,
    **{decorator.__name__: decorator for decorator in _DECORATORS},
}
