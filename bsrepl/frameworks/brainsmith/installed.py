"""The registry of an installed Brainsmith, once something has imported it: read, and kept in step with plugin files.

Brainsmith 0.1.0 silently keeps the first of two registrations of one name. So what a plugin file registered there is
taken out before the file is executed again, and put back if that fails.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from ...registry.plugin import BRAINSMITH, Key, Lazy, Origin, Plugin
from ...registry.store import Registry
from ..source_reader import Module
from .source import plugins

_FIELDS = ("import_spec", "loaded_obj", "backend_target", "backend_language", "kernel_infer", "is_infrastructure")
#: The sources that Brainsmith gives to what no package brought.
NOBODYS = ("custom", "project")


class _Entry(NamedTuple):
    """Something that is registered, and where."""

    store: dict[str, Any]
    place: str
    held: Any
    kind: str
    framework: str
    name: str
    target: Any  # the class or function, or a Lazy
    metadata: dict[str, Any]

    @property
    def module(self) -> str:
        return str(getattr(self.target, "__module__", "")) if not isinstance(self.target, Lazy) else self.target.module


class InstalledBrainsmith:
    """What is registered with Brainsmith's own code. Nothing, as long as nobody has imported that."""

    def __init__(self) -> None:
        self._released: WeakKeyDictionary[ModuleType, list[_Entry]] = WeakKeyDictionary()
        self._sources: dict[str, str] = {}  # what packages register as, by their names
        self._known = 0

    def release(self, name: str, module: ModuleType | None) -> None:
        """Takes out what the module of that name registered, and remembers it for `module`."""
        entries = [entry for entry in _entries() if entry.module == name]
        for entry in entries:
            entry.store.pop(entry.place, None)
            if entry.held.source not in NOBODYS:
                self._sources[name.partition(".")[0]] = entry.held.source
            for other in entry.store.values():
                if entry.place in (getattr(other, "kernel_backends", None) or ()):
                    other.kernel_backends.remove(entry.place)
        if module is not None:
            self._released[module] = entries

    def put_back(self, name: str, module: ModuleType) -> None:
        """Makes what `module` registered under its name what counts again."""
        held = self._released.pop(module, None)
        if held is None:
            return
        self.release(name, None)
        for entry in held:
            for store in (entry.store, _index()):  # another one, if its module was executed meanwhile
                store[entry.place] = entry.held
                target = store.get(getattr(entry.held, "backend_target", None) or "")
                if target is not None and entry.place not in (target.kernel_backends or ()):
                    target.kernel_backends = [*(target.kernel_backends or ()), entry.place]

    @contextmanager
    def source_of(self, module: str) -> Iterator[None]:
        """While this lasts, what is executed registers as what the package of `module` did before.

        Brainsmith says what that is around the first import alone.
        """
        source = self._sources.get(module.partition(".")[0])
        current = getattr(sys.modules.get("brainsmith.registry._decorators"), "_current_source", None)
        if source is None or not isinstance(current, ContextVar) or current.get(None):
            yield
            return
        token = current.set(source)
        try:
            yield
        finally:
            current.reset(token)

    def registered_by(self, module: ModuleType, source: bytes) -> Iterator[Plugin]:
        """What a module that was executed has registered there, as plugins, with all that its decorators say."""
        entries = [entry for entry in _entries() if entry.module == module.__name__]
        entries = [entry for entry in entries if not isinstance(entry.target, Lazy)]
        text = Module(module.__name__, str(module.__file__), source.decode(errors="replace"))
        stated = {each.target.attribute: each.metadata for each in plugins({text.name: text})} if entries else {}
        for entry in entries:
            _relink(entry)
            name = getattr(entry.target, "__name__", "")
            metadata = {**entry.metadata, **stated.get(name, {}), **entry.metadata}  # its own come first
            origin = Origin(str(module.__file__), definition_line(source, name))
            yield _plugin(entry._replace(metadata=metadata), origin)

    def news(self) -> list[Plugin]:
        """What is registered there, if that has changed since the last call."""
        entries = list(_entries())
        if len(entries) == self._known:
            return []
        self._known = len(entries)
        return [_plugin(entry, _origin(entry)) for entry in entries]

    def adopt(self, registry: Registry) -> None:
        """Registers what an installed Brainsmith has come to know, if something has imported it."""
        unknown = [plugin for plugin in self.news() if registry.snapshot.seen(plugin.key) is None]
        if unknown:
            registry.change((), unknown)


def definition_line(source: bytes, name: str) -> int:
    """The line of a class or function statement; 1 if there is none of that name."""
    statement = re.search(rb"^\s*(?:class|(?:async\s+)?def)\s+%s\b" % re.escape(name.encode()), source, re.MULTILINE)
    return source.count(b"\n", 0, statement.end()) + 1 if statement else 1


def _plugin(entry: _Entry, origin: Origin) -> Plugin:
    return Plugin(Key(entry.kind, entry.framework, entry.name), entry.target, origin, entry.metadata)


def _origin(entry: _Entry) -> Origin:
    file = getattr(sys.modules.get(entry.module), "__file__", None)
    if file is None:
        return Origin(f"<{entry.module}>", 1)
    source = Module(entry.module, file).text.encode()
    return Origin(file, definition_line(source, getattr(entry.target, "__name__", "")))


def _relink(entry: _Entry) -> None:
    """A kernel that was registered anew has the backends of before: their files were not executed again."""
    for place, held in entry.store.items():
        if getattr(held, "backend_target", None) == entry.place:
            linked = entry.held.kernel_backends or []
            entry.held.kernel_backends = linked if place in linked else [*linked, place]


def _index() -> dict[str, Any]:
    """What Brainsmith keeps its components in, `source:name` -> a component; empty if it has not been imported."""
    index = getattr(sys.modules.get("brainsmith.registry._state"), "_component_index", None)
    return index if isinstance(index, dict) else {}


def _entries() -> Iterator[_Entry]:
    """Everything that is registered, if Brainsmith's registry has been imported."""
    index = _index()
    for place, held in list(index.items()):
        known: dict[str, Any] = {name: getattr(held, name, None) for name in _FIELDS}  # versions differ
        spec = known["import_spec"]
        if known["loaded_obj"] is None and spec is None:
            continue
        backend_of = known["backend_target"]
        fields = {
            "target_kernel": backend_of,
            "kernel": str(backend_of).rpartition(":")[2] if backend_of else None,
            "language": known["backend_language"],
            "infer_transform": known["kernel_infer"],
            "is_infrastructure": known["is_infrastructure"] or None,
        }
        target = known["loaded_obj"] or Lazy(spec.module, spec.attr)
        framework = BRAINSMITH if held.source in NOBODYS else held.source
        metadata = {field: value for field, value in fields.items() if value is not None}
        yield _Entry(index, place, held, str(held.component_type), framework, held.name, target, metadata)
