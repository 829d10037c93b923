"""What `find` and `all` give: plugins as a table, and the names nearest to one that is missing."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from typing import Any, overload
from weakref import WeakSet

from ..text.columns import Importance, columns
from ..text.format import one_line, safe_repr
from ..text.styled import Styled, Text
from . import kernel_backends
from .plugin import Plugin
from .unavailable import installed_packages

_NEAREST = 4  # names that a miss suggests
_UNAVAILABLE = "unavailable:"


class Listing(Styled, Sequence[Any]):
    """Plugins that were found. Prints as a table, iterates and indexes to the classes, importing those taken."""

    #: What to say below them.
    note = ""

    def __init__(self, plugins: Sequence[Plugin], otherwise: str = "") -> None:
        self.plugins = tuple(plugins)
        _alive.add(self)
        #: What to say when there are none.
        self.otherwise = otherwise

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Listing: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return Listing(self.plugins[index], self.otherwise)
        return self.plugins[index].load()

    def __len__(self) -> int:
        return len(self.plugins)

    def __contains__(self, item: object) -> bool:
        """Whether a name, or a class that has been imported, is among them."""
        return any(item in (p.name, p.key.qualified) or (p.is_loaded and p.load() is item) for p in self.plugins)

    def rows(self) -> list[tuple[str, str, str]]:
        """What to type, why it is unavailable if it is, the metadata, and the origin of each."""
        is_installed = installed_packages()
        rows = []
        for plugin in self.plugins:
            why = plugin.unavailable(is_installed)
            described = "  ".join(filter(None, (why and f"{_UNAVAILABLE} {why}", summary(plugin))))
            rows.append((str(plugin.key), described, str(plugin.origin)))
        return rows

    def styled(self, width: int, shows_time: bool) -> Text:
        from .report import listing

        return listing(self, width)

    def __repr__(self) -> str:
        rows, width = self.rows(), shutil.get_terminal_size().columns
        cells = columns(rows, width, importance=self.importance(rows, width)) if rows else []
        lines = ["  ".join(row).rstrip() for row in cells] or [self.otherwise]
        return "\n".join([*lines, self.note] if self.note else lines)

    @staticmethod
    def importance(rows: Sequence[Sequence[str]], width: int) -> Importance:
        """What a table of rows gives up first: the metadata, and all of it where it is the same, which was asked for;
        then the end of the place.
        """
        names, metadata, places = zip(*rows, strict=True)
        if max(map(len, names)) + 2 + max(map(len, places)) > width:
            return Importance((0, 2, 1), elastic=2)
        is_asked_for = len(rows) > 1 and len(set(metadata)) == 1 and not metadata[0].startswith(_UNAVAILABLE)
        return Importance((0, 2, 1), elastic=None if is_asked_for else 1)


class BackendListing(Listing):
    """The backends of one kernel."""

    def __init__(self, plugins: Sequence[Plugin], known: kernel_backends.KernelBackends, otherwise: str) -> None:
        super().__init__(plugins, otherwise)
        self._default = known.default
        #: What the kernel declares, and nobody registered: languages, or names of backends.
        self.missing = known.missing
        if self.missing:
            self.note = f"missing: {', '.join(self.missing)}; declared, but not registered"

    @property
    def default(self) -> Any:
        """The class to take when nobody says which, imported if need be; None if there is none."""
        return None if self._default is None else self._default.load()


_alive: WeakSet[Listing] = WeakSet()


def alive() -> list[Listing]:
    """The listings that somebody holds."""
    return list(_alive)


def summary(plugin: Plugin) -> str:
    """The metadata of a plugin in one line, as one would write it: `stage=cleanup kernel=FastMatMul`."""
    return " ".join(f"{field}={_written(value)}" for field, value in plugin.metadata.items() if field != "wraps")


def _written(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ",".join(map(_written, value))
    is_word = isinstance(value, str) and " " not in value and value.isprintable()
    return str(value) if is_word else one_line(safe_repr(value))


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """The names that are most like `name`: those that contain it, whatever its case, then those that resemble it."""
    import difflib  # only a miss needs it

    unique = sorted(set(names))
    lowered = name.lower()
    containing = [other for other in unique if lowered and lowered in other.lower()]
    resembling = difflib.get_close_matches(name, unique, n=_NEAREST, cutoff=0.6)
    return list(dict.fromkeys([*resembling, *containing]))[:_NEAREST]
