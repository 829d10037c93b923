"""The hint below an exception: what a user of QONNX can write instead."""

from __future__ import annotations

import builtins
import inspect
import linecache
import re
import sys
import traceback
from collections.abc import Collection, Sequence
from types import FrameType, ModuleType

from ..errors import UntrustedFile
from ..frameworks.qonnx.observing import Observed
from ..registry.namespaces import Namespace
from ..registry.plugin import BRAINSMITH, Plugin
from ..registry.snapshot import Snapshot
from ..text.format import file_name
from ..text.patterns import late_pattern

_CANNOT_IMPORT = late_pattern(r"cannot import name '(?P<name>\w+)' from '(?P<module>[\w.]+)'")
_NOT_THE_SAME = late_pattern(r"it's not the same object as [\w.@]*?(?P<name>\w+)$")
_NO_ATTRIBUTE = late_pattern(r"module '(?P<module>[\w.]+)' has no attribute '(?P<name>\w+)'")

#: What QONNX removed, and what to write now.
_DROPPED = {
    ("qonnx.transformation.general", "ApplyConfig"): (
        "ApplyConfig is now in FINN: from finn.transformation.general import ApplyConfig"
    ),
    ("qonnx.custom_op.general", "custom_op"): (
        "custom_op was removed; write: from qonnx.custom_op.registry import add_op_to_domain; "
        'add_op_to_domain("qonnx.custom_op.general", MyOp)'
    ),
}
_NO_ARGUMENTS = late_pattern(r"\(\) takes (?:no arguments|1 positional argument but 2)")
_PASS_CALLED = late_pattern(r"tfm(?:\.\w+)+(?=\()")
_NOT_A_PAIR = late_pattern(r"cannot unpack non-iterable (?P<type>\w+) object|values to unpack")


def hint(error: BaseException, snapshot: Snapshot) -> str | None:
    """What to write instead of what raised `error`, or None if nothing is known.

    Knows names that QONNX has moved or dropped, misspelt names in the namespaces, and slips in calling `transform`.
    """
    if isinstance(error, UntrustedFile):
        return "when only you can write to it, type retry()"
    if isinstance(error, ModuleNotFoundError) and error.name:
        return _not_installed(error.name)
    if isinstance(error, ImportError):
        return _moved(_CANNOT_IMPORT.search(str(error)), snapshot)
    if isinstance(error, AttributeError):
        if isinstance(error.obj, Namespace) and error.name:
            message = error.obj.missing(error.name)
            return None if message == str(error) else message
        return _moved(_NO_ATTRIBUTE.search(str(error)), snapshot) or _nearest_attribute(error)
    from pickle import PicklingError  # only now, to be quick at the prompt

    if isinstance(error, PicklingError) and (stale := _NOT_THE_SAME.search(str(error))):
        return f"{stale['name']} was replaced after this instance was created; create it again"
    if isinstance(error, NameError) and error.name and sys.version_info < (3, 12):  # from then on Python says so
        return _nearest_name(error)
    if isinstance(error, TypeError) and _NO_ARGUMENTS.search(str(error)) and (called := _called_pass(error)):
        return f"a model applies a pass: m = m.transform({called}())"
    if isinstance(error, (TypeError, ValueError, KeyboardInterrupt)):
        return _misapplied(error)
    return None


def undecorated(module: ModuleType, registered: Collection[object]) -> list[str]:
    """The classes of a plugin file that are passes, but that no decorator registers."""
    return [
        name
        for name, value in vars(module).items()
        if isinstance(value, type)
        and value.__module__ == module.__name__
        and callable(vars(value).get("apply"))
        and not name.startswith("_")
        and value not in registered
    ]


def _called_pass(error: TypeError) -> str | None:
    """What was called, if the line that raised calls a transform."""
    frame, line = list(traceback.walk_tb(error.__traceback__))[-1]
    called = _PASS_CALLED.search(linecache.getline(frame.f_code.co_filename, line))
    return called[0] if called else None


def _nearest_name(error: NameError) -> str | None:
    """A name of the place where one was missing that is most like it."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    if not frames:
        return None
    names = {*frames[-1].f_locals, *frames[-1].f_globals, *dir(builtins)}
    near = _nearest(str(error.name), sorted(names))
    return f"did you mean {near}?" if near else None


def _nearest_attribute(error: AttributeError) -> str | None:
    """The attribute that is most like the one that was missing; from Python 3.12 on it is in the message."""
    if not error.name or sys.version_info >= (3, 12):
        return None
    near = _nearest(error.name, dir(error.obj))
    return f"did you mean .{near}?" if near else None


def _nearest(name: str, names: Sequence[str]) -> str | None:
    """The one that is most like a name; None if none is much like it."""
    from difflib import get_close_matches  # only now, to be quick at the prompt

    return next(iter(get_close_matches(name, names, n=1, cutoff=0.7)), None)


def _not_installed(module: str) -> str | None:
    package = module.partition(".")[0]
    if package == BRAINSMITH and module != package:
        return f"Brainsmith is not installed; bsrepl replaces its registry only, not {module}"
    if package != module:
        return None
    return f"no module {package} is installed or lies beside the file; if it is a package: %pip install {package}"


def _moved(sought: re.Match[str] | None, snapshot: Snapshot) -> str | None:
    """Where a name is now that was removed from a module."""
    if sought is None:
        return None
    if (sought["module"], sought["name"]) in _DROPPED:
        return _DROPPED[sought["module"], sought["name"]]
    framework = sought["module"].partition(".")[0]
    for kind in ("transform", "kernel", "step"):
        plugin: Plugin | None = snapshot.get(kind, sought["name"], framework)
        if plugin is not None and plugin.module != sought["module"]:
            return f"{plugin.name} is now in {plugin.module}:\nfrom {plugin.module} import {plugin.name}"
    return None


def _misapplied(error: BaseException) -> str | None:
    """What was wrong with the argument of `ModelWrapper.transform`, or with what its `apply` returned."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    calls = [frame for frame in frames if _is_transform(frame)]
    if not calls:
        return None
    applied = calls[-1].f_locals.get("transformation")
    so_far = ""
    if isinstance(applied, Observed):
        if isinstance(error, KeyboardInterrupt) and applied.application.calls < 2:
            return None  # the one call takes long
        so_far = f", {applied.application.calls:,} times so far"
        applied = applied.transformation
    name = getattr(applied, "__name__", type(applied).__name__)
    if isinstance(applied, type):
        return f"{name} is a class; give transform() an instance: {name}()"
    at = _defined_at(applied)
    if isinstance(error, KeyboardInterrupt):
        return (
            f"transform() calls {name}.apply again as long as its second return value is True{at}{so_far}; "
            "return model, False once there is nothing left to change"
        )
    if frames[-1] is calls[-1] and (returned := _NOT_A_PAIR.search(str(error))):
        what = {"NoneType": "None", None: "something else"}.get(returned["type"], f"a {returned['type']} alone")
        pair = "return model, False (or True, to be called again)"
        return f"{name}.apply returned {what}{at}; it has to return a pair: {pair}"
    return _shapeless(calls[0].f_locals.get("self")) if "'NoneType'" in str(error) else None


def _shapeless(model: object) -> str | None:
    """What to do first with a model whose shapes are not all known: `get_tensor_shape` is None then."""
    graph = getattr(model, "graph", None)
    if graph is None:
        return None
    known = {value.name for values in (graph.value_info, graph.input, graph.output) for value in values}
    unknown = [name for node in graph.node for name in node.output if name and name not in known]
    if not unknown:
        return None
    count = f"{len(unknown)} tensors, such as {unknown[0]}" if len(unknown) > 1 else unknown[0]
    first = "run m = m.transform(tfm.InferShapes()) first"
    return f"the model has no shape for {count}, so get_tensor_shape() is None; {first}"


def _is_transform(frame: FrameType) -> bool:
    return frame.f_code.co_name == "transform" and frame.f_globals.get("__name__") == "qonnx.core.modelwrapper"


def _defined_at(applied: object) -> str:
    """` (passes.py:8)`: where the `apply` of a transformation is."""
    apply = getattr(type(applied), "apply", None)
    code = getattr(inspect.unwrap(apply), "__code__", None) if callable(apply) else None
    return f" ({file_name(code.co_filename)}:{code.co_firstlineno})" if code is not None else ""
