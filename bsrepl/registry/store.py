"""The registry: the one cell with the current snapshot, and the journal that decorators write into."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ..errors import PluginWarning, UnavailablePlugin
from .plugin import Key, Plugin
from .snapshot import Snapshot


class Registry:
    """One cell with the current snapshot. Replacing it is one assignment: no reader ever sees half of a change.

    Threads may register while others do: each change is made to what is registered at that moment.
    """

    def __init__(self) -> None:
        self.snapshot = Snapshot()
        #: The namespaces, told which keys changed so that their attributes stay equal to the snapshot.
        self.followers: list[Callable[[list[Key]], None]] = []
        #: The frameworks that nobody has loaded yet, and how: an entry point loads what it publishes.
        self.pending: dict[str, Callable[[], None]] = {}
        self._tried: set[str] = set()
        self._changing = threading.RLock()  # a follower may register, too
        #: What was registered for a file after it was executed, by its path: by a thread or a function of it.
        self.late: dict[str, list[Plugin]] = {}

    def replace(self, snapshot: Snapshot) -> None:
        """Makes another snapshot the current one, whatever was registered since that was made."""
        with self._changing:
            changed = list(snapshot.changed_since(self.snapshot))
            self.snapshot = snapshot
            for follow in self.followers:
                follow(changed)

    def change(
        self,
        withdrawn: Iterable[Plugin],
        registered: Iterable[Plugin],
        exchanged: Iterable[tuple[Plugin, Plugin]] = (),
    ) -> None:
        """Withdraws, registers and exchanges plugins, as `Snapshot.replacing` does."""
        with self._changing:
            self.replace(self.snapshot.replacing(withdrawn, registered, exchanged))

    def rebase(self, base: Snapshot, since: Snapshot) -> None:
        """Makes `base` the current snapshot, with what was registered since another one was."""
        with self._changing:
            self.replace(self.snapshot.rebased(base, since))

    def expect(self, framework: str, load: Callable[[], None]) -> None:
        """Makes a framework pending: `load` registers its plugins, or raises UnavailablePlugin."""
        self.pending[framework] = load
        self._tried.discard(framework)

    def load_pending(self, framework: str | None = None) -> bool:
        """Loads a framework that is pending. Returns whether anything new is registered.

        Raises UnavailablePlugin if that fails. Without a name, each that was not tried yet is loaded, and a failure is
        a warning.
        """
        before = self.snapshot
        names = self.pending.keys() - self._tried if framework is None else self.pending.keys() & {framework}
        for name in sorted(names):
            self._tried.add(name)
            try:
                self.pending[name]()
            except UnavailablePlugin as error:
                if framework is not None:
                    raise
                warnings.warn(str(error), PluginWarning, stacklevel=3)
            else:
                del self.pending[name]
        return self.snapshot is not before

    def register(self, plugin: Plugin) -> None:
        self.change((), (plugin,))


#: The registry of this process: what decorators register into and the namespaces show.
registry = Registry()


class Journal:
    """What the decorators of a file wrote while it was executed, to be committed whole or dropped whole."""

    def __init__(self) -> None:
        self.plugins: list[Plugin] = []

    @contextmanager
    def recording(self) -> Iterator[None]:
        """While this lasts, `record` in this thread writes here, not into the registry."""
        token = _journal.set(self)
        try:
            yield
        finally:
            _journal.reset(token)


_journal: ContextVar[Journal | None] = ContextVar("journal", default=None)


def recorded(key: Key) -> Plugin | None:
    """The plugin that was recorded under a key last: in the file that is being executed, or in the registry."""
    journal = _journal.get()
    if journal is None:
        return registry.snapshot.seen(key)
    return next((plugin for plugin in journal.plugins if plugin.key == key), None)


def register_at_once(plugin: Plugin, instead_of: Plugin | None = None) -> None:
    """Registers a plugin at once, in the place of another one if that is given."""
    withdrawn = () if instead_of is None else (instead_of,)
    registry.change(withdrawn, (plugin,))
    if plugin.origin.is_file:
        registry.late.setdefault(plugin.origin.file, []).append(plugin)


def record(plugin: Plugin, instead_of: Plugin | None = None) -> None:
    """Registers a plugin: at once, or, while a plugin file is being executed, when the file has succeeded.

    `instead_of` is one that was recorded just before and turned out to be the same.
    """
    journal = _journal.get()
    if journal is None:
        register_at_once(plugin, instead_of)
        return
    for earlier in [
        recorded_plugin
        for recorded_plugin in journal.plugins
        if recorded_plugin.key == plugin.key or recorded_plugin is instead_of
    ]:
        if earlier is not instead_of:
            message = f"{plugin.key} is registered twice, at {earlier.origin} too"
            warnings.warn_explicit(message, PluginWarning, plugin.origin.file, plugin.origin.line)
        journal.plugins.remove(earlier)
    journal.plugins.append(plugin)
