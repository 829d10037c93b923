"""What `brainsmith.registry` of Brainsmith 0.1.0 has, on bsrepl's registry.

Names that a function returns are `source:name`, a source being what bsrepl calls a framework. What it takes may be
short. Brainsmith's own sources `project` and `custom`, for what is nobody's, are bsrepl's `brainsmith`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

from ...errors import UnknownPlugin
from ...registry import decorators
from ...registry.kernel_backends import of as backends_of
from ...registry.plugin import BRAINSMITH, Plugin
from ...registry.store import registry
from .api_2025 import plugin_named
from .installed import NOBODYS


def kernel(definition: Any = None, /, **arguments: Any) -> Any:
    """Registers a kernel, under its `name=`, its attribute `op_type` or its own name. Bare or called."""
    return _registering(decorators.kernel, definition, arguments, {"name": "op_type", "infer_transform": None})


def backend(definition: Any = None, /, **arguments: Any) -> Any:
    """Registers a backend of the kernel `target_kernel=`, in a `language=`; a class may have those as attributes."""
    return _registering(decorators.backend, definition, arguments, {"target_kernel": None, "language": None})


def step(definition: Any = None, /, **arguments: Any) -> Any:
    """Registers a build step. Bare or called."""
    return decorators.step(definition, **arguments)


def _registering(decorate: Any, definition: Any, arguments: dict[str, Any], attributes: dict[str, str | None]) -> Any:
    """Registers with those arguments that are not given taken from attributes of the class."""

    def register(cls: Any) -> Any:
        defaults = {field: getattr(cls, attribute or field, None) for field, attribute in attributes.items()}
        return decorate(cls, **{**defaults, **arguments})

    return register if definition is None else register(definition)


class ImportSpec(NamedTuple):
    """Where a component is imported from."""

    module: str
    attr: str


class ComponentMetadata(NamedTuple):
    """What is known of a component."""

    name: str
    source: str
    component_type: str
    import_spec: ImportSpec
    kernel_infer: Any = None
    kernel_backends: list[str] | None = None
    is_infrastructure: bool = False
    backend_target: str | None = None
    backend_language: str | None = None

    @property
    def full_name(self) -> str:
        return f"{self.source}:{self.name}"


def _component(kind: str, name: str) -> Plugin:
    source, _, bare = name.rpartition(":")
    return plugin_named(kind, bare if source in NOBODYS else name)


def _full_name(plugin: Plugin) -> str:
    return f"{plugin.framework}:{plugin.name}"


def _has(kind: str, name: str) -> bool:
    try:
        _component(kind, name)
    except UnknownPlugin:
        return False
    return True


def _of_kind(kind: str) -> dict[str, Callable[..., Any]]:
    """`get_step`, which raises UnknownPlugin, a KeyError, like all of these; `list_steps`."""
    return {
        f"get_{kind}": lambda name: _component(kind, name).load(),
        f"list_{kind}s": lambda source=None: sorted(map(_full_name, registry.snapshot.plugins(kind, source))),
    }


def get_kernel_infer(name: str) -> Any:
    """The transform that puts a kernel into a graph: its `infer_transform`, or one registered for it.

    Raises UnknownPlugin if there is none.
    """
    plugin = _component("kernel", name)
    infer = plugin.metadata.get("infer_transform")
    if isinstance(infer, str) and ":" in infer:
        module, _, attribute = infer.partition(":")
        infer = {"module": module, "class_name": attribute}
    if isinstance(infer, dict):
        infer = getattr(import_module(infer["module"]), infer["class_name"])
    if infer is None:
        registered = registry.snapshot.find("transform", kernel=plugin.name)
        if not registered:
            said = f"{plugin.key} has no infer_transform, and no transform says kernel={plugin.name!r}"
            raise UnknownPlugin(said)
        infer = registered[0].load()
    return infer


def get_backend_metadata(name: str) -> dict[str, Any]:
    plugin = _component("backend", name)
    target = plugin.metadata.get("target_kernel", plugin.metadata.get("kernel"))
    return {"class": plugin.load(), "target_kernel": target, "language": plugin.metadata.get("language")}


def list_backends_for_kernel(
    kernel: str, language: str | None = None, sources: Iterable[str] | None = None
) -> list[str]:
    known = backends_of(_component("kernel", kernel).key.qualified, registry.snapshot).registered
    return sorted(
        _full_name(backend)
        for backend in known
        if language in (None, backend.metadata.get("language")) and (sources is None or backend.framework in sources)
    )


def get_component_metadata(name: str, component_type: str) -> ComponentMetadata:
    return _described(_component(component_type, name))


def _described(plugin: Plugin) -> ComponentMetadata:
    backends = backends_of(plugin.key.qualified, registry.snapshot) if plugin.kind == "kernel" else None
    target = plugin.target
    return ComponentMetadata(
        plugin.name,
        plugin.framework,
        plugin.kind,
        ImportSpec(plugin.module, str(getattr(target, "attribute", getattr(target, "__name__", plugin.name)))),
        plugin.metadata.get("infer_transform"),
        None if backends is None else [_full_name(backend) for backend in backends.registered],
        bool(plugin.metadata.get("is_infrastructure")),
        plugin.metadata.get("target_kernel", plugin.metadata.get("kernel")) if plugin.kind == "backend" else None,
        plugin.metadata.get("language"),
    )


def get_domain_for_backend(backend_name: str) -> str:
    """The `domain` of a backend, or the package of its module."""
    plugin = _component("backend", backend_name)
    return str(plugin.metadata.get("domain") or plugin.module.rpartition(".")[0] or plugin.module)


def discover_components(use_cache: bool = True, force_refresh: bool = False) -> None:
    """Does nothing: everything is there."""


_FUNCTIONS = (
    kernel, backend, step, decorators.source_context,
    get_kernel_infer, get_backend_metadata, list_backends_for_kernel, get_component_metadata, get_domain_for_backend,
    discover_components,
)  # fmt: skip

#: What the module has, by name.
NAMES: dict[str, Any] = {
    **{function.__name__: function for function in _FUNCTIONS},
    **{name: function for kind in ("step", "kernel", "backend") for name, function in _of_kind(kind).items()},
    "has_step": partial(_has, "step"),
    "has_kernel": partial(_has, "kernel"),
    "ComponentMetadata": ComponentMetadata,
    "ImportSpec": ImportSpec,
    "CORE_NAMESPACE": BRAINSMITH,
    "SOURCE_BRAINSMITH": BRAINSMITH,
    "SOURCE_FINN": "finn",
    "SOURCE_PROJECT": "project",
    "SOURCE_CUSTOM": "custom",
}
