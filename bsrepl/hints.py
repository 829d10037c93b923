"""What to add to an exception: the one line that tells a user of QONNX what to write instead."""

from __future__ import annotations

import re
from pickle import PicklingError

from .namespaces import Namespace
from .plugin import Plugin
from .registry import Snapshot

_CANNOT_IMPORT = re.compile(r"cannot import name '(?P<name>\w+)' from '(?P<module>[\w.]+)'")
_NOT_THE_SAME = re.compile(r"it's not the same object as [\w.@]*?(?P<name>\w+)$")
_NO_ATTRIBUTE = re.compile(r"module '(?P<module>[\w.]+)' has no attribute '(?P<name>\w+)'")


def hint(error: BaseException, snapshot: Snapshot) -> str | None:
    """What to write instead of what raised `error`, or None if nothing is known.

    Knows names that QONNX has moved to another module, and misspelt names in the namespaces.
    """
    if isinstance(error, ImportError):
        return _moved(_CANNOT_IMPORT.search(str(error)), snapshot)
    if isinstance(error, AttributeError):
        if isinstance(error.obj, Namespace) and error.name:
            said = error.obj.missing(error.name)
            return None if said == str(error) else said
        return _moved(_NO_ATTRIBUTE.search(str(error)), snapshot)
    if isinstance(error, PicklingError) and (stale := _NOT_THE_SAME.search(str(error))):
        return f"{stale['name']} was replaced since this instance was made; make it anew"
    return None


def _moved(sought: re.Match[str] | None, snapshot: Snapshot) -> str | None:
    """Where a name lives now that a module no longer has."""
    if sought is None:
        return None
    framework = sought["module"].partition(".")[0]
    for kind in ("transform", "kernel", "step"):
        plugin: Plugin | None = snapshot.get(kind, sought["name"], framework)
        if plugin is not None and plugin.module != sought["module"]:
            return f"{plugin.name} lives in {plugin.module} now:\nfrom {plugin.module} import {plugin.name}"
    return None
