"""The frameworks that are installed, and what they bring: found by reading their source, remembered in an index."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from ..registry.plugin import BRAINSMITH, Key, Lazy, Origin, Plugin
from .brainsmith import source as brainsmith_source
from .brainsmith.installed import definition_line
from .cache import Index, python_files
from .cache import state as index_state
from .plugin_data import as_data, from_data
from .source_reader import Module, modules

_QONNX = ("qonnx.transformation", "qonnx.custom_op")
#: The packages that are read for each framework.
_PACKAGES = {
    "qonnx": _QONNX,
    "finn": (*_QONNX, "finn"),  # much of FINN derives from what QONNX has
    "brainsmith": ("brainsmith",),
}
_NOTHING_KEPT = Index(None)


class Framework(NamedTuple):
    """A framework that is installed: its name, the folders of its package, its plugins, and where it is read."""

    name: str
    folders: tuple[str, ...]
    plugins: list[Plugin]
    places: Mapping[str, Sequence[str]]  # the folders of each package that is read


def installed(index: Index = _NOTHING_KEPT) -> Iterator[Framework]:
    """The frameworks that can be found, those without a plugin left out. Imports none of them.

    What was read of them is kept in the index, and read again when a file of theirs was changed since.
    """
    for name, packages in _PACKAGES.items():
        folders = package_folders(name)
        if not folders:
            continue
        places = {package: _roots(package) for package in packages}
        state = index_state(file for roots in places.values() for root in roots for file in python_files(root))
        plugins = _recalled(name, index.recall(name, state))
        if plugins is None:
            read: dict[str, Module] = {}
            for package, roots in places.items():
                read |= modules(roots, package)
            plugins = plugins_of(name, read)
            index.keep(name, state, [as_data(plugin) for plugin in plugins])
        if plugins:
            yield Framework(name, folders, plugins, places)


def _recalled(framework: str, held: Any) -> list[Plugin] | None:
    try:
        return None if held is None else [from_data(entry, framework, (framework, "bsrepl")) for entry in held]
    except (KeyError, TypeError, ValueError):  # damaged
        return None


def plugins_of(framework: str, read: Mapping[str, Module]) -> list[Plugin]:
    """The plugins of a framework, of which these are the modules, by their names."""
    from . import finn as finn_source  # only now: most starts read the index
    from .qonnx import source as qonnx_source

    readers = {
        "qonnx": qonnx_source.plugins,
        "finn": finn_source.plugins,
        "brainsmith": brainsmith_source.plugins,
    }
    return readers[framework](read)


def builtin_plugins() -> list[Plugin]:
    """The plugins that bsrepl brings along."""
    path = Path(__file__).with_name("qonnx") / "remove_identity.py"
    name = "RemoveIdentity"
    origin = Origin(str(path), definition_line(path.read_bytes(), name))
    return [
        Plugin(
            Key("transform", BRAINSMITH, name),
            Lazy("bsrepl.frameworks.qonnx.remove_identity", name),
            origin,
            {"stage": "cleanup"},
        )
    ]


def package_folders(package: str) -> tuple[str, ...]:
    """The folders of a package, several only of a namespace package; none if it is not installed."""
    try:
        spec = find_spec(package)
    except ValueError:  # a module of that name is half there: in sys.modules, without a spec
        return ()
    return tuple(spec.submodule_search_locations or ()) if spec is not None else ()


def _roots(package: str) -> list[str]:
    """The folders of a package that may lie in another."""
    top, *rest = package.split(".")
    return [os.path.join(folder, *rest) for folder in package_folders(top)]
