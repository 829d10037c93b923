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

PRELOADED: dict[str, Any] = {
    "tfm": tfm,
    "kernels": kernels,
    "backends": backends,
    "steps": steps,
    "transform": transform,
    "kernel": kernel,
    "backend": backend,
    "step": step,
    "kernel_inference": kernel_inference,
    "framework_transform": framework_transform,
    "plugin": plugin,
    "register_op": register_op,
}
