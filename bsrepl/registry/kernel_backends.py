"""The backends of a kernel: those it declares, those that are registered, the one to take, those that are missing."""

from __future__ import annotations

from typing import NamedTuple

from .plugin import Plugin
from .snapshot import Snapshot


class KernelBackends(NamedTuple):
    """What is known of the backends of one kernel."""

    declared: tuple[str, ...]  # languages, or names of backends, as the kernel's `backends=` has them
    registered: tuple[Plugin, ...]
    default: Plugin | None  # the one to take when nobody says which
    missing: tuple[str, ...]  # declared, but nobody registered one


def of(kernel: str, snapshot: Snapshot) -> KernelBackends:
    """The backends of the kernel that a name, short or qualified, means.

    The default is the one registered with `default=True`, or else the first in the order in which the kernel declares
    them; those that it does not declare follow by name.
    """
    plugin = snapshot.get("kernel", kernel)
    bare = kernel.rpartition(":")[2]
    names = dict.fromkeys([bare, kernel, plugin.key.qualified if plugin else bare])
    registered = tuple(backend for name in names for backend in snapshot.find("backend", kernel=name))
    wanted = plugin.metadata.get("backends", ()) if plugin else ()
    declared = tuple(map(str, wanted)) if isinstance(wanted, (list, tuple)) else (str(wanted),)
    in_order = sorted(registered, key=lambda backend: (not backend.metadata.get("default"), _rank(backend, declared)))
    return KernelBackends(
        declared,
        registered,
        in_order[0] if in_order else None,
        tuple(one for one in declared if not any(_is_meant(one, backend) for backend in registered)),
    )


def _is_meant(declared: str, backend: Plugin) -> bool:
    names = (backend.name, backend.key.qualified, str(backend.metadata.get("language", "")))
    return declared.lower() in map(str.lower, names)


def _rank(backend: Plugin, declared: tuple[str, ...]) -> int:
    return next((n for n, one in enumerate(declared) if _is_meant(one, backend)), len(declared))
