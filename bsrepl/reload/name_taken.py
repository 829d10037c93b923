"""Two files that claim one name: the second is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..errors import PluginFileError
from ..registry.plugin import Key, Plugin


class NameTaken(PluginFileError):
    """A plugin file registers a name that another plugin file has."""

    def __init__(self, plugin: Plugin, other: Plugin) -> None:
        message = f"{plugin.key} is already registered at {other.origin}; rename one of the two"
        super().__init__(message, plugin.origin.line)
        self.key = plugin.key


def first_conflict(
    registered: Iterable[tuple[str, Plugin]], owner_of: Callable[[Key], tuple[str, Plugin] | None]
) -> tuple[str, NameTaken] | None:
    """The first file that registers a name which another file has, and why it is refused.

    `registered` are the plugins of the files that are to become live, with their paths. `owner_of` gives the live
    plugin of that name and its file, unless that file is to be replaced as well.
    """
    claimed: dict[Key, Plugin] = {}
    for path, plugin in registered:
        if plugin.key in claimed:
            return path, NameTaken(plugin, claimed[plugin.key])
        owner = owner_of(plugin.key)
        if owner is not None and owner[0] != path:
            return path, NameTaken(plugin, owner[1])
        claimed[plugin.key] = plugin
    return None
