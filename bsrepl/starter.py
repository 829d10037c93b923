"""The plugin file that is written for a PATH that does not exist yet."""

from __future__ import annotations

from pathlib import Path

TEXT = '''\
# Edit this file while bsrepl is running: save it, and the shell has it.
#
# Uncomment an example (take the "# " off its lines) and save:

# @transform(name="MyTransform", stage="cleanup")
# class MyTransform:
#     """Changes nothing yet. Try it: m = load("mnist-conv"); m = m.transform(tfm.MyTransform())"""
#
#     def apply(self, model):
#         for node in model.graph.node:
#             print(node.op_type, node.name)
#         return model, False

# @kernel(name="CustomKernel", backends=["hls", "rtl"])
# class CustomKernel:
#     """Try it: kernels.CustomKernel? and kernels.find(backends="rtl")"""

# @backend(name="CustomKernelHLS", kernel="CustomKernel", language="hls", default=True)
# class CustomKernelHLS:
#     """Try it: backends.find(kernel="CustomKernel")"""

# @step(category="cleanup")
# def tidy(model, cfg=None):
#     """Try it: m = steps.tidy(load("mnist-conv"))"""
#     return model.transform(tfm.InferShapes()).transform(tfm.FoldConstants())
'''


def create(path: Path) -> bool:
    """Writes a starter file unless there is something of that name already. Returns whether it did.

    Raises OSError if it cannot be written.
    """
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(TEXT)
    except FileExistsError:
        return False
    return True
