"""What `brainsmith.core.plugins` had in July and August 2025, on bsrepl's registry.

Names that a function takes or returns are short for plugins of brainsmith and `framework:name` for others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ...errors import UnknownPlugin
from ...registry.decorators import backend, kernel, kernel_inference, plugin, step, transform
from ...registry.kernel_backends import of as backends_of
from ...registry.namespaces import Namespace, backends, kernels, steps, tfm
from ...registry.plugin import BRAINSMITH, KINDS, Key, Plugin
from ...registry.store import recorded, registry

_NAMESPACES: dict[str, Namespace] = {"transform": tfm, "kernel": kernels, "backend": backends, "step": steps}


def plugin_named(kind: str, name: str, framework: str | None = None) -> Plugin:
    """The plugin of a name, also one that the file which is being executed has just registered.

    Raises UnknownPlugin, a KeyError, with the nearest names.
    """
    prefix, _, bare = name.rpartition(":")
    just_now = recorded(Key(kind, framework or prefix or BRAINSMITH, bare))
    plugin = just_now or registry.snapshot.get(kind, name, framework)
    if plugin is None:
        raise UnknownPlugin(_NAMESPACES[kind].missing(name))
    return plugin


def _matching(kind: str, criteria: Mapping[str, Any]) -> list[Plugin]:
    """The plugins whose metadata has exactly these values."""
    return [
        plugin
        for plugin in registry.snapshot.plugins(kind)
        if criteria.items() <= {**plugin.metadata, "framework": plugin.framework}.items()
    ]


def _names(plugins: Iterable[Plugin]) -> list[str]:
    return sorted(plugin.key.qualified for plugin in plugins)


class Registry:
    """The object that `get_registry()` returned, with what steps and plugin files asked it for."""

    def get(self, kind: str, name: str) -> Any:
        """The class or function. Raises UnknownPlugin."""
        return plugin_named(kind, name).load()

    def find(self, kind: str, **criteria: Any) -> list[Any]:
        """The classes whose metadata has these values."""
        return [plugin.load() for plugin in _matching(kind, criteria)]

    def all(self, kind: str) -> dict[str, Any]:
        """Every class of a kind by its name; imports them."""
        return {plugin.key.qualified: plugin.load() for plugin in registry.snapshot.plugins(kind)}

    def list_backends_by_kernel(self, kernel: str) -> list[str]:
        return list_backends_by_kernel(kernel)

    def __getattr__(self, name: str) -> Any:
        """For each kind: `transforms` and `get_transform`."""
        for kind in KINDS:
            if name == f"{kind}s":
                return _NAMESPACES[kind]
            if name == f"get_{kind}":
                return _getter(kind)
        raise AttributeError(f"bsrepl's registry has no {name}")


def _getter(kind: str) -> Callable[..., Any]:
    def get(name: str, framework: str | None = None, **criteria: Any) -> Any:
        """The class or function, or None if there is none with that metadata."""
        try:
            plugin = plugin_named(kind, name, framework)
        except UnknownPlugin:
            return None
        return plugin.load() if criteria.items() <= plugin.metadata.items() else None

    return get


_registry = Registry()


def get_registry() -> Registry:
    return _registry


def list_backends_by_kernel(kernel: str) -> list[str]:
    return _names(backends_of(kernel, registry.snapshot).registered)


def list_all_steps() -> list[str]:
    return sorted({plugin.name for plugin in registry.snapshot.plugins("step")})


def list_all_kernels() -> dict[str, list[str]]:
    """Every kernel that has a backend, with the names of its backends."""
    names: dict[str, set[str]] = {}
    for owner in filter(None, registry.snapshot.values("backend", "kernel")):
        names[str(owner)] = {backend.name for backend in registry.snapshot.find("backend", kernel=owner)}
    return {kernel: sorted(backend_names) for kernel, backend_names in sorted(names.items())}


def apply_transforms(model: Any, transform_names: Iterable[str], debug_path: str | None = None) -> Any:
    """Applies transforms by their names, in order; with `debug_path`, saves the model after each."""
    for number, name in enumerate(transform_names):
        model = model.transform(plugin_named("transform", name).load()())
        if debug_path:
            model.save(f"{debug_path}_step{number:02d}_{name}.onnx")
    return model


def apply_transforms_with_params(model: Any, transforms: Iterable[tuple[str, Mapping[str, Any]]]) -> Any:
    """Applies transforms by their names and arguments, in order."""
    for name, arguments in transforms:
        model = model.transform(plugin_named("transform", name).load()(**arguments))
    return model


def create_collections(_: object = None) -> dict[str, Namespace]:
    return {f"{kind}s": namespace for kind, namespace in _NAMESPACES.items()}


def _of_kind(kind: str) -> dict[str, Callable[..., Any]]:
    """`get_transform`, `has_transform`, `list_transforms`, `get_transforms_by_metadata`."""
    return {
        f"get_{kind}": lambda name: plugin_named(kind, name).load(),
        f"has_{kind}": lambda name: registry.snapshot.get(kind, name) is not None,
        f"list_{kind}s": lambda: _names(registry.snapshot.plugins(kind)),
        f"get_{kind}s_by_metadata": lambda **criteria: _names(_matching(kind, criteria)),
    }


#: What those modules have, by name.
NAMES: dict[str, Any] = {
    **{decorator.__name__: decorator for decorator in (transform, kernel, backend, step, kernel_inference, plugin)},
    **create_collections(),
    **{name: function for kind in KINDS for name, function in _of_kind(kind).items()},
    "get_registry": get_registry,
    "create_collections": create_collections,
    "list_backends_by_kernel": list_backends_by_kernel,
    "list_all_steps": list_all_steps,
    "list_all_kernels": list_all_kernels,
}

#: What `brainsmith.utils` and `brainsmith.core` had for build steps.
HELPERS: dict[str, Any] = {
    "apply_transforms": apply_transforms,
    "apply_transforms_with_params": apply_transforms_with_params,
}
