"""What the script of a reproduction runs on: written beside it, it needs QONNX and numpy, and nothing of bsrepl."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnxruntime
from onnx import ModelProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx

HERE = Path(__file__).resolve().parent
TOLERANCE = 1e-5  # relative to the largest magnitude of an output

_PLUGINS = HERE / "plugins"
_NEWEST_IR = 11  # every onnxruntime that QONNX can have executes it
_RUNTIME = ("", "ai.onnx", "com.microsoft", "org.pytorch.aten")  # domains of onnxruntime
_DECORATORS = (
    "transform",
    "kernel",
    "backend",
    "step",
    "kernel_inference",
    "framework_transform",
    "plugin",
    "register_op",
)


def opened(file: str) -> ModelWrapper:
    """The model of a file beside this one."""
    return ModelWrapper(str(HERE / file))


def with_state(cls: Any, state: Mapping[str, Any]) -> Any:
    """An instance of a class with these attributes."""
    instance = cls.__new__(cls)
    vars(instance).update(state)
    return instance


def plugin_file(file: str) -> ModuleType:
    """The module of a file in `plugins`, which is executed the first time."""
    name = "plugin_" + Path(file).stem
    if name not in sys.modules:
        spec = spec_from_file_location(name, _PLUGINS / file)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


class Namespace:
    """Stands in for `tfm` and the other namespaces: holds the plugins that the files use.

    `plugins` gives each by a function, so that a file may use its own plugins once it has defined them.
    """

    def __init__(self, plugins: Mapping[str, Callable[[], Any]]) -> None:
        self._plugins = plugins

    def __getattr__(self, name: str) -> Any:
        return self._plugins[name]() if name in self._plugins else self


def prepare(**namespaces: Namespace) -> None:
    """Gives plugin files what they expect: the namespaces, decorators that register nothing, and their helpers."""
    sys.path.append(str(_PLUGINS))
    sys.modules["bsrepl"] = ModuleType("bsrepl")
    for name, value in {**dict.fromkeys(_DECORATORS, _unregistered), **namespaces}.items():
        setattr(builtins, name, value)
        setattr(sys.modules["bsrepl"], name, value)


def _unregistered(*arguments: Any, **metadata: Any) -> Any:
    """A decorator, with or without arguments, that returns what it decorates."""
    if len(arguments) == 1 and callable(arguments[0]) and not metadata:
        return arguments[0]
    return lambda definition: definition


def compare(before: ModelWrapper, after: ModelWrapper) -> None:
    """Executes two models on the inputs in `inputs.npz` and prints how far their outputs differ.

    Exits with the status 1 if they differ by more than `TOLERANCE`, or if the model after cannot be executed.
    """
    is_same = True
    expected = _outputs(before)
    try:
        computed = _outputs(after)
    except Exception as error:  # of onnxruntime, of QONNX or of an op: it is what is shown
        why = " ".join(f"{type(error).__name__}: {error}".split())
        print(f"BROKEN  it could be executed before and cannot now: the model cannot be executed: {why}")
        sys.exit(1)
    for value, was, now in zip(before.graph.output, expected, computed, strict=False):
        was, now = np.asarray(was, np.float64), np.asarray(now, np.float64)
        has_same_shape = was.shape == now.shape
        absolute = np.abs(was - now).max(initial=0) if has_same_shape else float("nan")
        relative = absolute / max(np.abs(was).max(initial=0), 1e-30)
        is_same = is_same and bool(relative <= TOLERANCE)
        difference = f"largest difference {absolute:.1e} (relative {relative:.0e})"
        print(f"{value.name}: {was.shape} -> {now.shape}, {difference}")
    print("OK" if is_same else "DIFFERENT")
    sys.exit(not is_same)


def _outputs(model: ModelWrapper) -> list[Any]:
    """The outputs of a model for the inputs in `inputs.npz`, which are in the order of the model's.

    onnxruntime executes it as a whole, unless it has ops of Python packages: QONNX executes these node by node.
    """
    constants = {tensor.name for tensor in model.graph.initializer}
    values = [value for value in model.graph.input if value.name not in constants]
    with np.load(HERE / "inputs.npz") as inputs:
        given = {value.name: _typed(array, value) for value, array in zip(values, inputs.values(), strict=True)}
    if not _runs_whole(model.model):
        return list(execute_onnx(model, given).values())
    copied = ModelProto.FromString(model.model.SerializeToString())
    copied.ir_version = min(copied.ir_version, _NEWEST_IR)
    session = onnxruntime.InferenceSession(copied.SerializeToString(), providers=["CPUExecutionProvider"])
    return list(session.run(None, given))


def _typed(array: Any, value: Any) -> Any:
    element = value.type.tensor_type.elem_type
    return array.astype(helper.tensor_dtype_to_np_dtype(element)) if element and array.dtype.kind in "fiub" else array


def _runs_whole(model: ModelProto) -> bool:
    """Whether onnxruntime knows the domains of all nodes, those of sub-graphs and functions among them."""
    known = {*_RUNTIME, *(function.domain for function in model.functions)}
    graphs: list[Any] = [model.graph, *model.functions]
    for graph in graphs:  # it grows
        for node in graph.node:
            if node.domain not in known and not node.domain.startswith(("ai.onnx.", "com.microsoft.")):
                return False
            for attribute in node.attribute:
                graphs += [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]
    return True
