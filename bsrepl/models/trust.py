"""Whether transforming or executing a model could run code that the model chose.

QONNX imports the module that the domain of a node names, and evaluates some annotations of tensors.
"""

from __future__ import annotations

import ast
import os
import site
import sys
import sysconfig
import warnings
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ..errors import UntrustedModel
from ..text.onnx_values import with_sub_graphs
from ..text.tracebacks import level_outside

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

_RUNTIME = ("", "ai.onnx", "com.microsoft")  # domains that onnxruntime implements
_FRAMEWORKS = ("qonnx", "finn", "brainsmith")  # they need no distribution: many use them from a clone
_EVALUATED = {"tensor_layout": "layout", "tensor_sparsity": "sparsity"}  # annotations that QONNX evaluates
_MOST = 60  # characters of an annotation that are shown
#: How the message of UntrustedModel ends.
TRUSTING = "; load(..., trust=True) opens it anyway"


def refuse_untrusted(model: ModelProto, place: str) -> None:
    """Raises UntrustedModel if a model could run code of its choice. Warns if it uses ops of installed packages.

    `place` is what messages call the model.
    """
    graphs = list(with_sub_graphs(model.graph))
    nodes = [*(node for graph in graphs for node in graph.node), *(node for f in model.functions for node in f.node)]
    local = {function.domain for function in model.functions}
    modules = {module for module in map(_module, nodes) if module}
    strange = sorted(module for module in modules if not _is_harmless(module, module in local))
    if strange:
        raise UntrustedModel(
            f"{place} has ops of the domain {', '.join(strange)}, which is no installed package: transforming or "
            f"executing it would import a module of that name{TRUSTING}"
        )
    for graph in graphs:
        for annotation in graph.quantization_annotation:
            for entry in annotation.quant_parameter_tensor_names:
                if entry.key in _EVALUATED and not _is_literal(entry.value):
                    raise UntrustedModel(
                        f"{place} annotates {annotation.tensor_name} with a {_EVALUATED[entry.key]} that QONNX would "
                        f"execute: {entry.value[:_MOST]!r}{TRUSTING}"
                    )
    running = sorted(module for module in modules - local if not _is_of_runtime(module))
    if running:
        message = f"{place} has ops of {', '.join(running)}: transforming or executing it runs code of those packages"
        warnings.warn(message, stacklevel=level_outside())  # where `load` was called: Python shows it once there


def _module(node: NodeProto) -> str:
    """The module that QONNX imports for a node: its domain, but for the old spellings that QONNX replaces."""
    from qonnx.custom_op import registry

    domain = node.domain
    if not hasattr(registry, "resolve_domain"):  # QONNX before 1.0
        return str(domain).replace("onnx.brevitas", "qonnx.custom_op.general")
    if domain == "finn.custom_op.general" or (domain == "finn" and all(a.name != "backend" for a in node.attribute)):
        return "qonnx.custom_op.general"
    return str(registry.resolve_domain(domain))


def _is_of_runtime(module: str) -> bool:
    return module in _RUNTIME or module.startswith("ai.onnx.")


def _is_harmless(module: str, is_local: bool) -> bool:
    """Whether importing a module runs nothing, or only what was installed or registered on purpose.

    The domain of a local function, `is_local`, and those of onnxruntime are harmless as long as no module has the name.
    """
    from qonnx.custom_op import registry as ops

    package = module.partition(".")[0]
    places = _places(package)
    if not places and (is_local or _is_of_runtime(module)):
        return True
    if getattr(ops, "_OP_REGISTRY", {}).get(module) and not is_local:
        return True
    if all(map(_is_in_site_packages, places)) and places:
        return True
    is_trusted = package in sys.modules or not any(map(_is_in_current_directory, places))
    return bool(places) and is_trusted and (package in _FRAMEWORKS or package in packages_distributions())


def _places(package: str) -> list[str]:
    """Where a package would be imported from; empty if there is no such package."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError, AttributeError):
        return []
    if spec is None:
        return []
    places = [*(spec.submodule_search_locations or ()), *([spec.origin] if spec.has_location and spec.origin else [])]
    return [os.path.realpath(place) for place in places] or ["built-in"]


def _is_in_site_packages(place: str) -> bool:
    folders = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()]
    if site.ENABLE_USER_SITE:
        folders.append(site.getusersitepackages())
    return any(place.startswith(os.path.realpath(folder) + os.sep) for folder in folders)


def _is_in_current_directory(place: str) -> bool:
    current = os.path.realpath(os.curdir)
    return place == current or place.startswith(current.rstrip(os.sep) + os.sep)


def _is_literal(text: str) -> bool:
    """Whether evaluating a text gives a list, a dict or another plain value, and runs nothing."""
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False
    return True
