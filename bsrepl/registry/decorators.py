"""The decorators that register plugins.

Each works bare, called, with keywords, or with the name first, on classes and on functions:

    @transform
    @transform("FoldBias", stage="cleanup")
    @kernel(name="FastMatMul", backends=["hls", "rtl"])

Whatever keyword a decorator does not know is kept as metadata, and plugins are found by it. A class stays the class it
is: a decorator registers it and hands it back. A slip in the metadata warns, and registers all the same.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType, FunctionType
from typing import Any, TypeVar
from weakref import WeakKeyDictionary, getweakrefs

from ..errors import MetadataError, PluginWarning
from .namespaces import RESERVED
from .plugin import BRAINSMITH, KINDS, NAMESPACES, WORDS, Key, Origin, Plugin
from .store import record, recorded

#: The stages of the compiler flow, in its order. Any other word is welcome; one that is nearly one of these is a slip.
STAGES = ("pre_proc", "cleanup", "topology_opt", "kernel_opt", "dataflow_opt", "post_proc")

#: Words that older plugin files use, and the metadata fields that say the same.
_ALIASES = {"backend": {"backend_type": "language", "target_kernel": "kernel"}}

_HERE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")

_T = TypeVar("_T", bound=Callable[..., Any])

_framework: ContextVar[str] = ContextVar("framework", default=BRAINSMITH)
_keys: WeakKeyDictionary[type, Key] = WeakKeyDictionary()  # what each class was registered under last
_ops: WeakKeyDictionary[type, dict[str, str]] = WeakKeyDictionary()  # the domain and the op type it was given


def _forgetting(classes: WeakKeyDictionary[type, Any]) -> Any:
    """What a dictionary calls when one of its classes is collected."""
    probe = type("Probe", (), {})
    classes[probe] = None
    return next(ref.__callback__ for ref in getweakrefs(probe) if ref.__callback__ is not None)


#: What tells the weak references of this module from others: their callbacks.
WEAK_CALLBACKS = (_forgetting(_keys), _forgetting(_ops))


def transform(target: Any = None, /, name: str | None = None, **metadata: Any) -> Any:
    """Registers a graph transform, reached as `tfm.NAME`. Known metadata: `stage`, `framework`.

    A class should have `apply(self, model) -> (model, changed)`, as QONNX's `Transformation` asks.
    """
    return _decorator("transform", target, name, metadata)


def kernel(target: Any = None, /, name: str | None = None, **metadata: Any) -> Any:
    """Registers a hardware kernel, reached as `kernels.NAME`.

    Known metadata: `backends`, the languages or names of the backends it is meant to have; `framework`. One that
    derives from QONNX's `CustomOp` is an op of models at once, with the op type `op_type`, or its name, in the domain
    `domain`, or `qonnx.custom_op.general`.
    """
    return _decorator("kernel", target, name, metadata)


def backend(target: Any = None, /, name: str | None = None, **metadata: Any) -> Any:
    """Registers a backend of a kernel, reached as `backends.NAME`.

    Known metadata: `kernel`, the name of the kernel; `language`, such as `hls` or `rtl`; `default`, whether it is the
    one to take when nobody says which; `framework`.
    """
    return _decorator("backend", target, name, metadata)


def register_op(domain: str, op_type: str | None = None) -> Callable[[type], type]:
    """Makes a class derived from QONNX's `CustomOp` an op of a domain, as the QONNX that Brainsmith began with had it.

    Registers a kernel named `op_type`, or like the class. A class that another decorator registers, before or after
    this one, is one plugin, with that decorator's name.

    Raises MetadataError if `domain` is no string.
    """
    origin = _caller_origin()
    if not isinstance(domain, str):
        raise MetadataError(f"{origin}: register_op takes a domain and an op type, strings, not {domain!r}")

    def decorate(cls: type) -> type:
        op = {"domain": domain, "op_type": op_type or cls.__name__}
        earlier = recorded(_keys[cls]) if cls in _keys else None
        if earlier is None or earlier.target is not cls:
            _register("kernel", cls, op["op_type"], op, origin)
            _ops[cls] = op
        else:
            record(Plugin(earlier.key, cls, earlier.origin, {**earlier.metadata, **op}), instead_of=earlier)
        return cls

    return decorate


@contextmanager
def source_context(framework: str) -> Iterator[None]:
    """While this lasts, plugins that name no framework belong to this one: `with source_context("acme"): ...`."""
    token = _framework.set(framework)
    try:
        yield
    finally:
        _framework.reset(token)


def current_framework() -> str:
    """The framework that plugins belong to which name none."""
    return _framework.get()


def step(target: Any = None, /, name: str | None = None, **metadata: Any) -> Any:
    """Registers a build step, `step(model, cfg) -> model`, reached as `steps.NAME`. Known metadata: `category`."""
    return _decorator("step", target, name, metadata)


def kernel_inference(target: Any = None, /, name: str | None = None, **metadata: Any) -> Any:
    """Registers a transform that puts a kernel into a graph. `kernel` names it: `tfm.find(kernel="FastMatMul")`."""
    return _decorator("transform", target, name, metadata, slips=_inference_slips)


def plugin(target: Any = None, /, name: str | None = None, **metadata: Any) -> Any:
    """Registers a plugin of the kind that `type` (or `kind`) names: `@plugin(type="transform", name="FoldBias")`.

    Raises MetadataError if the kind is missing or unknown.
    """
    kind = metadata.pop("type", None) or metadata.pop("kind", None)
    if kind == "kernel_inference":
        return kernel_inference(target, name, **metadata)
    if kind not in KINDS:
        raise MetadataError(
            f"{_caller_origin()}: plugin(type=...) takes one of {', '.join(KINDS)} or kernel_inference, not {kind!r}"
        )
    return _decorator(kind, target, name, metadata)


def framework_transform(
    framework: str, wrapped: type, /, name: str | None = None, **metadata: Any
) -> Callable[[type], type]:
    """Registers a transform that wraps one of a framework, reached as `tfm.FRAMEWORK.NAME`.

        @framework_transform("qonnx", RemoveIdentityOps)
        class QONNXRemoveIdentity:
            pass

    The class becomes a subclass of itself and of `wrapped`: it runs the wrapped transform, with whatever it overrides.
    When no name is given, the framework's is taken off the front of the class's: this makes `tfm.qonnx.RemoveIdentity`.

    Raises MetadataError if `wrapped` is not a class.
    """
    origin = _caller_origin()
    if not isinstance(framework, str) or not isinstance(wrapped, type):
        raise MetadataError(
            f"{origin}: framework_transform takes the framework's name and the class to wrap, "
            f'as in framework_transform("qonnx", RemoveIdentityOps), not {framework!r}, {wrapped!r}'
        )

    def decorate(cls: type) -> type:
        combined = cls if issubclass(cls, wrapped) else _combined(cls, wrapped)
        short = name or _without_prefix(cls.__name__, framework)
        wraps = {"wraps": f"{wrapped.__module__}.{wrapped.__qualname__}"}
        _register("transform", combined, short, {**metadata, **wraps, "framework": framework}, origin)
        return combined

    return decorate


def _combined(cls: type, wrapped: type) -> type:
    namespace = {
        "__module__": cls.__module__,
        "__qualname__": cls.__qualname__,
        "__doc__": cls.__doc__ or wrapped.__doc__,
    }
    metaclass = type(cls) if issubclass(type(cls), type(wrapped)) else type(wrapped)
    return metaclass(cls.__name__, (cls, wrapped), namespace)


def _without_prefix(name: str, prefix: str) -> str:
    stripped = name[len(prefix) :].lstrip("_") if name.lower().startswith(prefix.lower()) else name
    return stripped or name


def _decorator(
    kind: str,
    target: Any,
    name: str | None,
    metadata: dict[str, Any],
    slips: Callable[[Plugin], list[str]] | None = None,
) -> Any:
    origin = _caller_origin()
    if isinstance(target, str):
        if name is not None:
            raise MetadataError(f"{origin}: {kind} got two names, {target!r} and {name!r}")
        target, name = None, target

    def decorate(definition: _T) -> _T:
        _register(kind, definition, name, metadata, origin, slips)
        return definition

    return decorate if target is None else decorate(target)


def _register(
    kind: str,
    target: Any,
    name: str | None,
    metadata: dict[str, Any],
    origin: Origin,
    slips: Callable[[Plugin], list[str]] | None = None,
) -> None:
    if not callable(target):
        raise MetadataError(f"{origin}: {kind} decorates a class or a function, not {type(target).__name__}")
    name = name or getattr(target, "__name__", None)
    if not isinstance(name, str) or not name or ":" in name or not name.isprintable():
        raise MetadataError(f"{origin}: {kind} needs a name, a printable string without a colon, not {name!r}")
    if isinstance(target, FunctionType) and target.__code__.co_filename == origin.file:
        origin = Origin(origin.file, target.__code__.co_firstlineno)  # Python 3.10 has the def here, not its decorator
    framework = metadata.get("framework") or _framework.get()
    op = _ops.pop(target, {}) if isinstance(target, type) else {}
    earlier = recorded(_keys[target]) if op else None
    kept = {**op, **{field: value for field, value in metadata.items() if field != "framework" and value is not None}}
    for alias, meant in _ALIASES.get(kind, {}).items():
        if alias in kept:
            kept.setdefault(meant, str(kept[alias]).rpartition(":")[2])
    registered = Plugin(Key(kind, str(framework), name), target, origin, kept)
    messages = (slips or _SLIPS[kind])(registered)
    if name in RESERVED or name in WORDS:
        messages.append(f'{NAMESPACES[kind]}.{name} is something else; reach it by {NAMESPACES[kind]}["{name}"]')
    for slip in messages:
        warnings.warn_explicit(f"{kind} {name}: {slip}", PluginWarning, origin.file, origin.line)
    if isinstance(target, type):
        _keys[target] = registered.key
    record(registered, instead_of=earlier if earlier is not None and earlier.target is target else None)


def _caller_origin() -> Origin:
    """Where the code outside this package is that called a decorator: the line the decorator stands in."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_HERE):
        frame = frame.f_back
    if frame is None:
        return Origin("<unknown>", 0)
    return Origin(frame.f_code.co_filename, frame.f_lineno)


def _transform_slips(plugin: Plugin) -> list[str]:
    slips = []
    if isinstance(plugin.target, type) and not callable(getattr(plugin.target, "apply", None)):
        slips.append("has no apply(self, model), so model.transform() cannot run it")
    if plugin.stage is not None and plugin.stage not in STAGES:
        import difflib  # only a slip needs it

        nearest = difflib.get_close_matches(plugin.stage, STAGES, n=1, cutoff=0.8)
        if nearest:
            slips.append(f'stage "{plugin.stage}" looks like "{nearest[0]}"')
    return slips


def _inference_slips(plugin: Plugin) -> list[str]:
    missing = [] if plugin.metadata.get("kernel") else ["has no kernel; give kernel=..."]
    return missing + _transform_slips(plugin)


def _backend_slips(plugin: Plugin) -> list[str]:
    return [f"has no {field}; give {field}=..." for field in ("kernel", "language") if not plugin.metadata.get(field)]


def _no_slips(plugin: Plugin) -> list[str]:
    return []


_SLIPS: dict[str, Callable[[Plugin], list[str]]] = {
    "transform": _transform_slips,
    "kernel": _no_slips,
    "backend": _backend_slips,
    "step": _no_slips,
}
