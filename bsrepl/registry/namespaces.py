"""`tfm`, `kernels`, `backends` and `steps`: how people reach plugins.

`tfm.X` is the registered class, at the price of a plain attribute: what has been imported is an attribute of the
namespace, what has not is a descriptor in its class, which imports it when it is first taken and then makes way. So
each namespace has a class of its own. Nothing else here imports anything.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ..errors import UnknownPlugin, WrongCall
from . import kernel_backends
from .listing import BackendListing, Listing, nearest
from .plugin import NAMESPACES, Key, Plugin, precedence
from .snapshot import Snapshot
from .store import Registry, registry


class Namespace:
    """The plugins of one kind, or those of one framework among them."""

    # Kept in the class, never in the instance; and `__dict__` is never asked for. Before 3.13 an instance of many
    # attributes, or one whose dictionary was once looked at, is slower to read.
    _registry: Registry
    _kind: str
    _framework: str | None
    _taken: set[str]  # the plugins that are attributes of the instance, because they have been imported
    _namespaces: set[str]  # the frameworks whose namespaces are

    def __new__(cls, registry: Registry, kind: str, framework: str | None = None) -> Namespace:
        state = {"_registry": registry, "_kind": kind, "_framework": framework, "_taken": set(), "_namespaces": set()}
        own = type(cls.__name__, (cls,), {"__module__": cls.__module__, "__doc__": cls.__doc__, **state})
        namespace: Namespace = object.__new__(own)
        namespace._follow(plugin.key for plugin in registry.snapshot.plugins(kind, framework))
        if framework is None:  # the namespaces of its frameworks are followed through it
            registry.followers.append(namespace._follow)
        return namespace

    def __init__(self, registry: Registry, kind: str, framework: str | None = None) -> None:
        """Everything is done in `__new__`, which gives each namespace a class of its own."""

    def __getitem__(self, name: str) -> Any:
        """The class or function of a short name (`FoldBias`) or a qualified one (`qonnx:FoldConstants`).

        Raises UnknownPlugin, a KeyError, whose message has the nearest names.
        """
        if not isinstance(name, str):
            raise WrongCall(f'{self._typed}[...] takes the name of a plugin, as {self._typed}["NAME"], not {name!r}')
        if name in self._taken:
            return getattr(self, name)
        plugin = self._get(name)
        if plugin is None and self._registry.load_pending(name.partition(":")[0] if ":" in name else None):
            plugin = self._get(name)
        if plugin is None:
            raise UnknownPlugin(self.missing(name))
        return plugin.load()

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._get(name) is not None

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{self._typed} cannot be assigned to; register {name} with @{self._kind}", name=name)

    def __len__(self) -> int:
        return self._snapshot.count(self._kind, self._framework)

    def __iter__(self) -> Iterator[str]:
        """The names, each one that this namespace can be indexed with."""
        for plugin in self.all().plugins:
            yield plugin.name if self._get(plugin.name) is plugin else plugin.key.qualified

    def __dir__(self) -> list[str]:
        return sorted(
            {
                *(name for name in RESERVED if not name.startswith("_")),
                *self.frameworks(),
                *(p.name for p in self._plugins() if p.name.isidentifier()),
            }
        )

    def find(self, text: str | None = None, /, **criteria: Any) -> Listing:
        """The plugins that match: `tfm.find(stage="cleanup")`, `tfm.find("identity")`, `tfm.find(name="*Fold*")`.

        `text` is looked for in names and metadata whatever its case; `name` and any string with `*` or `?` are glob
        patterns; every other keyword names a metadata field. What is found prints as a table, and iterates and indexes
        to the classes.
        """
        for wanted in (text, criteria.get("name")):
            if not (wanted is None or isinstance(wanted, str)):
                raise WrongCall(f'{self._typed}.find takes a part of a name, as find("identity"), not {wanted!r}')
        if self._framework is not None:
            criteria.setdefault("framework", self._framework)
        framework = criteria.get("framework")
        if isinstance(framework, str) and framework not in self.frameworks():
            self._registry.load_pending(framework)
        plugins = self._snapshot.find(self._kind, text, **criteria)
        return Listing(plugins, "" if plugins else self._nothing_found(text, criteria))

    def all(self) -> Listing:
        """Every plugin of the namespace, by framework and name."""
        ordered = sorted(self._plugins(), key=lambda plugin: (precedence(plugin.framework), plugin.name))
        return Listing(ordered, f"{self._typed} is empty")

    def frameworks(self) -> list[str]:
        """The frameworks that have plugins here, each a namespace of its own: `tfm.qonnx`."""
        return [] if self._framework else list(self._snapshot.frameworks(self._kind))

    def missing(self, name: str) -> str:
        """What to say when there is no plugin of that name: the nearest names, or where it is instead."""
        sentence = f"{self._typed} has no {name!r}"
        bare = name.rpartition(":")[2]
        elsewhere = [str(plugin.key) for kind in NAMESPACES if (plugin := self._snapshot.get(kind, bare)) is not None]
        near = elsewhere or nearest(bare, [p.name for p in self._plugins()])
        if elsewhere:
            return f"{sentence}; there is {', '.join(elsewhere)}"
        return (
            f"{sentence}; nearest: {', '.join(near)}" if near else f"{sentence}; {self._typed}.all() lists what it has"
        )

    def __repr__(self) -> str:
        counts = ", ".join(f"{name} {self._snapshot.count(self._kind, name)}" for name in self.frameworks())
        return f"<{self._typed}: {len(self)} {self._kind}s{f' ({counts})' if counts else ''}>"

    @property
    def _typed(self) -> str:
        """How to reach this namespace: `tfm`, `tfm.qonnx`."""
        return NAMESPACES[self._kind] + (f".{self._framework}" if self._framework else "")

    if TYPE_CHECKING or sys.version_info >= (3, 12):
        # Before 3.12 a class with __getattr__ pays for it on every hit, twice the price of a plain attribute; there the
        # shell adds the nearest names when it shows the error.
        def __getattr__(self, name: str) -> Any:
            if not name.startswith("_") and self._registry.load_pending() and self._get(name) is not None:
                return getattr(self, name)
            raise AttributeError(self.missing(name), name=name, obj=self)

    def _expect(self, framework: str) -> None:
        """Makes a framework that is pending an attribute, which loads it when it is first taken."""
        if framework not in RESERVED and framework not in self.frameworks():
            setattr(type(self), framework, _NotLoaded(framework))

    @property
    def _snapshot(self) -> Snapshot:
        return self._registry.snapshot

    def _get(self, name: str) -> Plugin | None:
        return self._snapshot.get(self._kind, name, self._framework)

    def _plugins(self) -> Iterator[Plugin]:
        return self._snapshot.plugins(self._kind, self._framework)

    def _nothing_found(self, text: str | None, criteria: dict[str, Any]) -> str:
        for field, value in criteria.items():
            if field == "name" or value is None:
                continue
            if not self._snapshot.find(self._kind, **{field: value}):
                known = self._snapshot.values(self._kind, field)
                if not known:
                    return f"no {self._kind} has {field}; fields: {', '.join(self._snapshot.fields(self._kind))}"
                counted = sorted(known.items(), key=lambda item: (-item[1], str(item[0])))
                listed = ", ".join(f"{value} ({count})" for value, count in counted[:8])
                return f"no {self._kind} has {field}={value!r}; there are: {listed}"
        sought = criteria.get("name", text)
        if isinstance(sought, str):
            near = nearest(sought.strip("*?"), [plugin.name for plugin in self._plugins()])
            if near:
                return f"no {self._kind} matches {sought!r}; nearest: {', '.join(near)}"
        return f"no {self._kind} matches all of that"

    def _follow(self, changed: Iterable[Key]) -> None:
        """Makes the attributes equal to the snapshot again, for the keys that changed."""
        keys = [key for key in changed if key.kind == self._kind and self._framework in (None, key.framework)]
        frameworks = self.frameworks()
        for name in {key.name for key in keys}:
            if name not in RESERVED and name not in frameworks:
                self._show(name)
        for framework in {key.framework for key in keys} if self._framework is None else ():
            if framework not in frameworks:
                if framework in self._namespaces:
                    delattr(self, framework)
                    self._namespaces.remove(framework)
                    self._show(framework)
            elif framework in self._namespaces:
                getattr(self, framework)._follow(key for key in keys if key.framework == framework)
            elif framework not in RESERVED:
                self._clear(framework)
                own = type(self).__bases__[0](self._registry, self._kind, framework)
                object.__setattr__(self, sys.intern(framework), own)
                self._namespaces.add(framework)

    def _show(self, name: str) -> None:
        """Gives one name the attribute, or the descriptor, that the snapshot calls for."""
        plugin = self._get(name)
        if plugin is None or not plugin.is_loaded:
            self._clear(name)
            if plugin is not None:
                setattr(type(self), name, _NotImported(name))
            return
        # Over what was there: an attribute that is deleted first is slower to read. So is one whose name is another
        # object than that in the code which reads it, which is interned.
        object.__setattr__(self, sys.intern(name), plugin.load())
        self._taken.add(name)
        self._drop_descriptor(name)

    def _clear(self, name: str) -> None:
        """Takes away what a name stands for."""
        self._drop_descriptor(name)
        if name in self._taken:
            delattr(self, name)
            self._taken.remove(name)

    def _drop_descriptor(self, name: str) -> None:
        if isinstance(vars(type(self)).get(name), _Deferred):
            delattr(type(self), name)


class Backends(Namespace):
    """The namespace of backends, which knows the kernels that they belong to as well."""

    def for_kernel(self, kernel: str) -> BackendListing:
        """The backends of a kernel: `backends.for_kernel("FastMatMul")`; its `default`, and what is `missing`."""
        if not isinstance(kernel, str):
            raise WrongCall(f'for_kernel takes the name of a kernel, as for_kernel("FastMatMul"), not {kernel!r}')
        known = kernel_backends.of(kernel, self._snapshot)
        mine = [plugin for plugin in known.registered if self._framework in (None, plugin.framework)]
        if self._snapshot.get("kernel", kernel) is None and not mine:
            near = nearest(kernel, [plugin.name for plugin in self._snapshot.plugins("kernel")])
            return BackendListing(mine, known, f"kernels has no {kernel!r}; nearest: {', '.join(near) or 'none'}")
        return BackendListing(mine, known, f"no backend of {kernel} is registered")


def belonging(namespace: Namespace) -> tuple[str, str | None]:
    """The kind of the plugins in a namespace, and their framework if it is that of one."""
    return namespace._kind, namespace._framework


class _Deferred:
    """Stands in a namespace's class for something that is fetched when it is first taken."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, namespace: Namespace | None, owner: type) -> Any:
        return self if namespace is None else self._taken(namespace)

    def _taken(self, namespace: Namespace) -> Any:
        raise NotImplementedError


class _NotImported(_Deferred):
    """A plugin whose module has not been imported yet."""

    __slots__ = ()

    def _taken(self, namespace: Namespace) -> Any:
        taken = namespace[self._name]
        namespace._show(self._name)
        return taken


class _NotLoaded(_Deferred):
    """A framework that is not loaded yet."""

    __slots__ = ()

    def _taken(self, namespace: Namespace) -> Any:
        namespace._registry.load_pending(self._name)
        if self._name not in namespace.frameworks():
            raise AttributeError(namespace.missing(self._name), name=self._name, obj=namespace)
        return getattr(namespace, self._name)


#: The names that a namespace needs for itself: a plugin of such a name is reached by `tfm["find"]` alone.
RESERVED = frozenset({*dir(Backends), *Namespace.__annotations__})


def expect(framework: str, load: Callable[[], None]) -> None:
    """Makes a framework known that `load` would register the plugins of: it is called when it is first asked for."""
    registry.expect(framework, load)
    for namespace in (tfm, kernels, backends, steps):
        namespace._expect(framework)


tfm = Namespace(registry, "transform")
kernels = Namespace(registry, "kernel")
backends = Backends(registry, "backend")
steps = Namespace(registry, "step")
