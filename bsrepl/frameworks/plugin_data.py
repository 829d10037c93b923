"""Plugins that are not imported yet as plain data, as JSON has it, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..registry.plugin import KINDS, Key, Lazy, Origin, Plugin


def as_data(plugin: Plugin) -> dict[str, Any]:
    """A plugin whose target is a `Lazy`."""
    lazy: Lazy = plugin.target
    return {
        "kind": plugin.kind,
        "name": plugin.name,
        "module": lazy.module,
        "attribute": lazy.attribute,
        "needs": list(lazy.needs),
        "file": plugin.origin.file,
        "line": plugin.origin.line,
        "metadata": dict(plugin.metadata),
    }


def from_data(held: Mapping[str, Any], framework: str, packages: tuple[str, ...] = ()) -> Plugin:
    """The plugin that the data describes; `packages`, where given, are those whose modules it may name.

    Raises KeyError, TypeError or ValueError if that is none.
    """
    kind, name, module, attribute = (held[field] for field in ("kind", "name", "module", "attribute"))
    needs, metadata = held["needs"], held["metadata"]
    texts = (name, module, attribute, held["file"], *needs)
    fits = kind in KINDS and all(isinstance(text, str) for text in texts) and isinstance(metadata, dict)
    if not fits or (packages and module.partition(".")[0] not in packages) or not attribute.isidentifier():
        raise ValueError(f"no plugin of {framework}: {held}")
    target = Lazy(module, attribute, tuple(needs))
    return Plugin(Key(kind, framework, name), target, Origin(held["file"], int(held["line"])), metadata)
