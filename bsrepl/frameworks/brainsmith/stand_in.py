"""`import brainsmith...` where Brainsmith is not installed: its plugin files find bsrepl's registry.

The finder stands last: whatever else can be imported comes first. What Brainsmith has besides its registry is missing,
and the error says so.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from ...registry.decorators import register_op
from ..after_import import AfterImport

_PLUGINS = ("api_2025", "NAMES")
_REGISTRY = ("api_0_1", "NAMES")
_HELPERS = ("api_2025", "HELPERS")

#: The modules that are there, and where the names in each are; few sessions need any.
_MODULES = {
    "brainsmith": _REGISTRY,
    "brainsmith.core": _HELPERS,
    "brainsmith.core.plugins": _PLUGINS,
    "brainsmith.core.plugins.decorators": _PLUGINS,
    "brainsmith.core.plugins.plugin_collections": _PLUGINS,
    "brainsmith.core.plugins.registry": _PLUGINS,
    "brainsmith.core.utils": _HELPERS,
    "brainsmith.plugin": _PLUGINS,
    "brainsmith.plugin.core": _PLUGINS,
    "brainsmith.plugin.decorators": _PLUGINS,
    "brainsmith.plugins": _PLUGINS,
    "brainsmith.registry": _REGISTRY,
    "brainsmith.registry.constants": _REGISTRY,
    "brainsmith.utils": _HELPERS,
}
_OPS = "qonnx.custom_op.registry"


class BrainsmithImporter(MetaPathFinder, Loader):
    """Imports the modules of Brainsmith's registry, and gives QONNX's registry of ops its former `register_op`."""

    gives_way = True  # to a plugin package of the same name

    def __init__(self) -> None:
        #: Whether it has stood in for Brainsmith.
        self.was_used = False
        self._is_noted = False
        self._after_ops = AfterImport(_OPS, _add_register_op)

    def take_notes(self) -> list[str]:
        """What the user is to be told once: that this stands in for Brainsmith, when something has imported it."""
        if self._is_noted or not self.was_used:
            return []
        self._is_noted = True
        return ["brainsmith is not installed; its imports are served by bsrepl's registry"]

    def install(self) -> None:
        """Makes the import system ask here last, and notice when QONNX's registry of ops is imported."""
        sys.meta_path.append(self)
        self._after_ops.install()

    def uninstall(self) -> None:
        """Takes this and its modules out of the import system again."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        self._after_ops.uninstall()
        for name in _MODULES:
            if getattr(sys.modules.get(name), "__loader__", None) is self:
                del sys.modules[name]

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        parent, _, _ = fullname.rpartition(".")
        if fullname not in _MODULES or (parent and getattr(sys.modules.get(parent), "__loader__", None) is not self):
            return None
        return ModuleSpec(fullname, self, origin="bsrepl", is_package=True)

    def exec_module(self, module: ModuleType) -> None:
        self.was_used = True
        ours, names = _MODULES[module.__name__]
        vars(module).update(getattr(import_module(f".{ours}", __package__), names))
        module.__doc__ = "bsrepl's registry, in the place of Brainsmith's."


def _add_register_op(module: ModuleType) -> None:
    """An op registered by a QONNX that has none is registered by ours."""
    if not hasattr(module, "register_op"):
        module.register_op = register_op  # type: ignore[attr-defined]
