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


def found(kind: str, name: str, framework: str | None = None) -> Plugin:
    """The plugin of a name, also one that the file which is being executed has just registered.

    Raises UnknownPlugin, a KeyError, with the nearest names.
    """
    prefix, _, bare = name.rpartition(":")
    just_now = recorded(Key(kind, framework or prefix or BRAINSMITH, bare))
    known = just_now or registry.snapshot.get(kind, name, framework)
    if known is None:
        raise UnknownPlugin(_NAMESPACES[kind].missing(name))
    return known


def _matching(kind: str, criteria: Mapping[str, Any]) -> list[Plugin]:
    """Those whose metadata has exactly these values."""
    plugins = registry.snapshot.plugins(kind)
    known = ({**each.metadata, "framework": each.framework, "plugin": each} for each in plugins)
    return [each["plugin"] for each in known if all(each.get(field) == value for field, value in criteria.items())]


def _names(plugins: Iterable[Plugin]) -> list[str]:
    return sorted(each.key.qualified for each in plugins)


class Registry:
    """The object that `get_registry()` returned, with the methods of both months."""

    def get(self, kind: str, name: str) -> Any:
        """The class or function. Raises UnknownPlugin."""
        return found(kind, name).load()

    def find(self, kind: str, **criteria: Any) -> list[Any]:
        """The classes whose metadata has these values."""
        return [each.load() for each in _matching(kind, criteria)]

    def all(self, kind: str) -> dict[str, Any]:
        """Every class of a kind by its name; imports them."""
        return {each.key.qualified: each.load() for each in registry.snapshot.plugins(kind)}

    def register(self, kind: str, name: str, target: Any, framework: str = BRAINSMITH, **metadata: Any) -> None:
        plugin(target, name, type=kind, framework=framework, **metadata)

    def reset(self) -> None:
        """Does nothing: what is registered is what the plugin files say."""

    clear = reset

    def find_backends(self, **criteria: Any) -> list[str]:
        return _names(_matching("backend", criteria))

    def list_backends_by_kernel(self, kernel: str) -> list[str]:
        return list_backends_by_kernel(kernel)

    def get_default_backend(self, kernel: str) -> Any:
        default = backends_of(kernel, registry.snapshot).default
        return None if default is None else default.load()

    def validate_kernel_backends(self, kernel: str, backends: Iterable[str]) -> list[str]:
        """Those of the backends that the kernel does not have."""
        known = list_backends_by_kernel(kernel)
        return [each for each in backends if each not in known]

    def list_transforms_by_stage(self, stage: str) -> list[str]:
        return _names(_matching("transform", {"stage": stage}))

    def list_steps_by_category(self, category: str) -> list[str]:
        return _names(_matching("step", {"category": category}))

    def get_valid_stages(self) -> list[str]:
        return sorted(map(str, registry.snapshot.values("transform", "stage")))

    def get_plugin_metadata(self, name: str) -> dict[str, Any]:
        """The metadata of the plugin of that name, whatever its kind; empty if there is none."""
        for kind in KINDS:
            each = registry.snapshot.get(kind, name)
            if each is not None:
                return _described(each)
        return {}

    def list_all_plugins(self) -> list[dict[str, Any]]:
        every = (each for kind in KINDS for each in registry.snapshot.plugins(kind))
        return [{"name": each.key.qualified, "class": each.load(), "metadata": _described(each)} for each in every]

    def get_stats(self) -> dict[str, Any]:
        counts = {f"{kind}s": registry.snapshot.count(kind) for kind in KINDS}
        frameworks = {name for kind in KINDS for name in registry.snapshot.frameworks(kind)}
        return {"total_plugins": sum(counts.values()), **counts, "frameworks": sorted(frameworks)}

    def __getattr__(self, name: str) -> Any:
        """For each kind: `transforms`, `get_transform`, `register_transform`, `list_available_transforms`,
        `get_framework_transforms`."""
        for kind in KINDS:
            if name == f"{kind}s":
                return _NAMESPACES[kind]
            if name == f"get_{kind}":
                return _getter(kind)
            if name == f"register_{kind}":
                return lambda name, target, **metadata: self.register(kind, name, target, **metadata)
            if name == f"list_available_{kind}s":
                return lambda: _names(registry.snapshot.plugins(kind))
            if name == f"get_framework_{kind}s":
                return lambda framework: {each.name: each.load() for each in registry.snapshot.plugins(kind, framework)}
        raise AttributeError(f"bsrepl's registry has no {name}, as Brainsmith's had: say what it is for in an issue")


def _getter(kind: str) -> Callable[..., Any]:
    def get(name: str, *_: Any, framework: str | None = None, **criteria: Any) -> Any:
        """The class or function, or None."""
        try:
            each = found(kind, name, framework)
        except UnknownPlugin:
            return None
        return each.load() if all(each.metadata.get(field) == value for field, value in criteria.items()) else None

    return get


def _described(each: Plugin) -> dict[str, Any]:
    return {"type": each.kind, "framework": each.framework, **each.metadata}


_registry = Registry()


def get_registry() -> Registry:
    return _registry


def list_backends_by_kernel(kernel: str) -> list[str]:
    return _names(backends_of(kernel, registry.snapshot).registered)


def get_default_backend(kernel: str) -> str | None:
    default = backends_of(kernel, registry.snapshot).default
    return None if default is None else default.name


def list_all_steps() -> list[str]:
    return sorted({each.name for each in registry.snapshot.plugins("step")})


def list_all_kernels() -> dict[str, list[str]]:
    """Every kernel that has a backend, with the names of its backends."""
    named: dict[str, set[str]] = {}
    for each in registry.snapshot.plugins("backend"):
        if each.metadata.get("kernel"):
            named.setdefault(str(each.metadata["kernel"]), set()).add(each.name)
    return {kernel: sorted(names) for kernel, names in sorted(named.items())}


def apply_transforms(model: Any, transform_names: Iterable[str], debug_path: str | None = None) -> Any:
    """Applies transforms by their names, in order; with `debug_path`, saves the model after each."""
    for number, name in enumerate(transform_names):
        model = model.transform(found("transform", name).load()())
        if debug_path:
            model.save(f"{debug_path}_step{number:02d}_{name}.onnx")
    return model


def apply_transforms_with_params(model: Any, transforms: Iterable[tuple[str, Mapping[str, Any]]]) -> Any:
    """Applies transforms by their names and arguments, in order."""
    for name, arguments in transforms:
        model = model.transform(found("transform", name).load()(**arguments))
    return model


def create_collections(_: object = None) -> dict[str, Namespace]:
    return {f"{kind}s": namespace for kind, namespace in _NAMESPACES.items()}


def _of_kind(kind: str) -> dict[str, Callable[..., Any]]:
    """`get_transform`, `has_transform`, `list_transforms`, `get_transforms_by_metadata`."""

    def get(name: str) -> Any:
        return found(kind, name).load()

    def has(name: str) -> bool:
        return registry.snapshot.get(kind, name) is not None

    def names() -> list[str]:
        return _names(registry.snapshot.plugins(kind))

    def by_metadata(**criteria: Any) -> list[str]:
        return _names(_matching(kind, criteria))

    return {f"get_{kind}": get, f"has_{kind}": has, f"list_{kind}s": names, f"get_{kind}s_by_metadata": by_metadata}


#: What those modules have, by name.
NAMES: dict[str, Any] = {
    **{each.__name__: each for each in (transform, kernel, backend, step, kernel_inference, plugin)},
    **create_collections(),
    **{name: function for kind in KINDS for name, function in _of_kind(kind).items()},
    "Registry": Registry,
    "BrainsmithPluginRegistry": Registry,
    "get_registry": get_registry,
    "create_collections": create_collections,
    "list_backends_by_kernel": list_backends_by_kernel,
    "get_default_backend": get_default_backend,
    "list_all_steps": list_all_steps,
    "list_all_kernels": list_all_kernels,
    "plugin_status": _registry.get_stats,
    "reset_plugin_system": _registry.reset,
    "find_backends": _registry.find_backends,
    "list_transforms_by_stage": _registry.list_transforms_by_stage,
}

#: What `brainsmith.utils` and `brainsmith.core` had for build steps.
HELPERS: dict[str, Any] = {
    "apply_transforms": apply_transforms,
    "apply_transforms_with_params": apply_transforms_with_params,
}
