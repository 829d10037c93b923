"""The transaction: what changed on disk becomes one change of the registry, or is told as failed and changes nothing.

Files are executed aside first, each that changed and each that depends on one. Then they are taken group by group: a
group is what imports each other, and it counts whole or not at all. The registry is replaced once, at the end.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from os.path import basename
from types import ModuleType
from typing import Any, NamedTuple

from ..errors import PluginFileError, PluginWarning
from ..registry.plugin import Key, Plugin
from ..registry.snapshot import Snapshot
from ..registry.store import Registry
from .disk import Disk
from .failure import Failure, failure
from .hints import hint
from .import_graph import Dependencies, groups
from .importer import Execution, PluginImporter, show_source
from .rebind import Replaced


class Loaded(NamedTuple):
    """A file whose code is live."""

    source: bytes
    module: ModuleType
    plugins: tuple[Plugin, ...]
    imports: set[str]  # the files that it depends on; it grows with what its functions import when they are called
    counts: Mapping[str, int]  # how often what it defines was referred to at first


@dataclass
class Report:
    """What one look at the disk brought. False if there is nothing to tell."""

    before: Snapshot
    after: Snapshot
    executed: list[str] = field(default_factory=list)  # files that count now
    new: list[str] = field(default_factory=list)  # those of them that never counted before
    gone: list[str] = field(default_factory=list)
    replaced: list[Replaced] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)  # those not told before
    mended: list[str] = field(default_factory=list)
    output: list[tuple[str, str]] = field(default_factory=list)  # what files printed while they were executed
    warnings: list[warnings.WarningMessage] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.executed or self.gone or self.failures or self.mended or self.output or self.warnings)


class Reloader:
    """Keeps the registry equal to the plugin files under the given paths.

    `paths` are plugin files and folders of them. `provided` are the names that every plugin file finds without an
    import. `now` is the wall clock in ns, compared with the times of files. `trusting`, files are executed even if
    somebody else may have written them.
    """

    def __init__(
        self,
        registry: Registry,
        paths: Iterable[str],
        provided: Mapping[str, Any],
        now: Callable[[], int],
        *,
        trusting: bool = False,
    ) -> None:
        self.registry = registry
        self.disk = Disk(paths, now, trusting)
        self.failures: dict[str, Failure] = {}
        self.loaded: dict[str, Loaded] = {}
        self.importer = PluginImporter(self.disk.read, self.loaded.__contains__, provided)
        self._executed: dict[str, bytes | None] = {}  # the contents a file was last executed with, if it had any
        self._dependencies = Dependencies()
        self._late: set[str] = set()  # what was imported outside a transaction by no file of ours: at the prompt
        self._owners: dict[Key, str] = {}
        self._held: dict[str, frozenset[str]] = {}  # files whose group failed, with the group
        self.importer.install()

    def close(self) -> None:
        """Stops importing plugin files, and withdraws what they registered."""
        self.importer.uninstall()
        plugins = [plugin for loaded in self.loaded.values() for plugin in loaded.plugins]
        self.registry.replace(self.registry.snapshot.replacing(plugins, ()))

    @property
    def plugin_files(self) -> list[str]:
        """The plugin files that are watched, helpers left out."""
        return sorted(self.disk.present)

    @property
    def helpers(self) -> list[str]:
        """The files that plugin files import, as far as they are watched."""
        return sorted(self.loaded.keys() - self.disk.plugin_files)

    @property
    def waiting(self) -> list[str]:
        """The files that are gone or empty and still count, for the moment: an editor may be saving them."""
        return sorted(self.disk.missing_since)

    def is_due(self) -> bool:
        """Whether `refresh` has something to do. Costs a stat for each file, and executes nothing."""
        self._adopt_late_imports()
        self.disk.look(self._executed)
        return bool(self.disk.changed or self.disk.gone)

    def refresh(self, retry: bool = False) -> Report:
        """Brings the registry up to what is on disk. With `retry`, what failed is executed again as it is."""
        report = Report(self.registry.snapshot, self.registry.snapshot)
        forced = {path for group in self._held.values() for path in group} if retry else set()
        self.is_due()
        while self.disk.changed or self.disk.gone or forced:
            freed = self._transact(forced, report)
            self.disk.changed.clear()
            self.disk.gone.clear()
            freed_for = [path for path, failed in self.failures.items() if failed.taken & freed]
            forced = {member for path in freed_for for member in self._held[path]}
        report.after = self.registry.snapshot
        return report

    # Executing what changed

    def _transact(self, forced: set[str], report: Report) -> set[Key]:
        """Executes what the changes concern, and commits the groups that succeed. Returns the names that came free."""
        disk = self.disk
        concerned = {member for path in disk.changed | disk.gone for member in self._held.get(path, (path,))}
        gone = disk.gone | {path for path in concerned & self._held.keys() if disk.is_missing(path)}
        stale = {path for path in concerned if path in gone or not self._is_live(path)} | forced
        affected = self._dependencies.with_importers(stale)
        for path in concerned - affected:  # it is again what is live
            self._executed[path] = disk.contents.get(path)
            self._forget_failure(path, report)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", PluginWarning)
            runs = self._execute(affected, gone)
        errors = {path: run.error for path, run in runs.items() if run.error is not None}
        for path in runs.keys() & self._held.keys() - errors.keys():
            if not self._held[path] <= affected | runs.keys():
                errors[path] = self._held_back(path)
        now = {path: run.depends for path, run in runs.items()}
        before = {path: self.loaded[path].imports for path in affected | gone | runs.keys() if path in self.loaded}
        while True:
            parts = groups(affected | gone | runs.keys(), now, before, errors)
            taken = self._taken_name([part for part in parts if part.isdisjoint(errors)], runs)
            if taken is None:
                break
            errors.update(taken)

        withdrawn: list[Plugin] = []
        registered: list[Plugin] = []
        told: set[str] = set()
        for part in parts:
            if part.isdisjoint(errors):
                told |= part
                old, new = self._commit(part, gone, runs, report)
                withdrawn += old
                registered += new
            else:
                found = {path: errors[path] for path in part & errors.keys()}
                causes = {path: error for path, error in found.items() if _is_cause(runs[path])} or found
                told |= self._keep(part, causes, runs, report)
        withdrawn += self._drop_unneeded()
        if withdrawn or registered:
            self.registry.replace(self.registry.snapshot.replacing(withdrawn, registered))
        report.output += [(path, run.output) for path, run in runs.items() if run.output and path in told]
        report.warnings += [each for each in caught if each.filename in told or each.filename not in runs]
        return {plugin.key for plugin in withdrawn} - {plugin.key for plugin in registered}

    def _is_live(self, path: str) -> bool:
        loaded = self.loaded.get(path)
        return loaded is not None and loaded.source == self.disk.contents.get(path)

    def _execute(self, affected: set[str], gone: set[str]) -> dict[str, Execution]:
        """Executes the plugin files among `affected`, and whatever they import that is affected or not live."""
        try:
            with self.importer.staging(affected - gone, gone) as executions:
                for path in sorted(affected & self.disk.plugin_files - gone):
                    if path not in executions or executions[path].module is None:
                        self.importer.execute(path)
        except BaseException:
            self._restore(affected | gone)
            raise
        runs = {}
        for path, run in executions.items():
            if run.module is not None or run.error is not None:
                runs[path] = run
            else:  # a live function imported something while another file was executed
                self._depend_further(path, run.depends)
        return runs

    def _held_back(self, path: str) -> PluginFileError:
        """Why a file that was executed for an importer does not count: others of its group fail, as they did before."""
        causes = [failed for other, failed in self.failures.items() if other in self._held[path] and other != path]
        because = f": {causes[0].place} {causes[0].error}" if causes else ""
        return PluginFileError(f"{basename(path)} is held back by what belongs to it{because}")

    def _taken_name(
        self, parts: list[frozenset[str]], runs: Mapping[str, Execution]
    ) -> dict[str, BaseException] | None:
        """A file that claims a name which another file has, and will still have if the parts are committed."""
        claimed: dict[Key, tuple[str, Plugin]] = {}
        in_work = frozenset().union(*parts)
        for part in parts:
            for path, plugin in _registered(part, runs):
                owner = self._owners.get(plugin.key, path)
                if plugin.key in claimed:
                    _, other = claimed[plugin.key]
                elif owner != path and owner not in in_work:
                    other = next(each for each in self.loaded[owner].plugins if each.key == plugin.key)
                else:
                    claimed[plugin.key] = path, plugin
                    continue
                return {path: NameTaken(plugin, other)}
        return None

    # Committing, or not

    def _commit(
        self, group: frozenset[str], gone: set[str], runs: Mapping[str, Execution], report: Report
    ) -> tuple[list[Plugin], list[Plugin]]:
        """Makes a group live. Returns the plugins to withdraw and those to register."""
        withdrawn: list[Plugin] = []
        for path in sorted(group):
            if path in self.loaded:
                old, new = self.loaded[path], runs.get(path)
                report.replaced.append(Replaced(old.module, new.module if new else None, old.counts))
                withdrawn += self._withdraw(path)
            elif path in runs:
                report.new.append(path)
            if path in runs:
                run = runs[path]
                assert run.module is not None
                self.loaded[path] = Loaded(run.source, run.module, run.plugins, run.depends, run.counts)
                self._executed[path] = run.source
                self._depend(path, run.depends)
                self._forget_failure(path, report)
                report.executed.append(path)
            else:  # deleted, or no longer imported by anybody
                self._forget(path)
                if path in gone:
                    report.gone.append(path)
        registered = list(_registered(group, runs))
        self._owners.update({plugin.key: path for path, plugin in registered})
        return withdrawn, [plugin for _, plugin in registered]

    def _keep(
        self,
        group: frozenset[str],
        causes: dict[str, BaseException],
        runs: Mapping[str, Execution],
        report: Report,
    ) -> set[str]:
        """Leaves a group as it was. Returns its files if there is something new to tell."""
        kept = [plugin.key for path in sorted(group) if path in self.loaded for plugin in self.loaded[path].plugins]
        started = {thread for path in group if path in runs for thread in runs[path].threads}
        threads = sorted(thread.name for thread in started if thread.is_alive())
        new = False
        for path in group:
            if path in runs:
                self._depend(path, {*self._dependencies.of(path), *runs[path].depends})
                self._executed[path] = self.disk.contents.get(path)
            if path not in causes:
                self.failures.pop(path, None)
        for path, error in causes.items():
            told = failure(
                path,
                error,
                group,
                kept=kept,
                taken=[error.key] if isinstance(error, NameTaken) else (),
                hint=hint(error, self.registry.snapshot),
                threads=threads,
            )
            if self.failures.get(path) != told:
                report.failures.append(told)
                new = True
            self.failures[path] = told
        for path in group:
            self._held[path] = group
            self.disk.missing_since.pop(path, None)
        self._restore(group)
        return set(group) if new else set()

    def _restore(self, paths: Iterable[str]) -> None:
        """Makes the modules of files what they are live."""
        # What was live comes last, for it may share a name with what was not; a package before what is in it.
        for path in sorted(paths, key=lambda path: (path in self.loaded, self.importer.depth(path))):
            loaded = self.loaded.get(path)
            self.importer.restore(path, loaded.module if loaded else None)
            if loaded:
                show_source(path, loaded.source)

    def _forget_failure(self, path: str, report: Report) -> None:
        self._held.pop(path, None)
        if self.failures.pop(path, None) is not None:
            report.mended.append(path)

    def _drop_unneeded(self) -> list[Plugin]:
        """Lets go of the helpers that nothing live imports any more. Returns the plugins to withdraw."""
        withdrawn: list[Plugin] = []
        released = self._dependencies.released
        while released:
            path = released.pop()
            if path in self.loaded and not self._is_needed(path):
                withdrawn += self._withdraw(path)
                self.importer.restore(path, None)
                self._forget(path)
        return withdrawn

    def _withdraw(self, path: str) -> tuple[Plugin, ...]:
        """Takes what is live of a file. Returns its plugins."""
        plugins = self.loaded.pop(path).plugins
        for plugin in plugins:  # a name may have another owner by now, committed just before
            if self._owners.get(plugin.key) == path:
                del self._owners[plugin.key]
        return plugins

    def _is_needed(self, path: str) -> bool:
        """Whether a file is a plugin file, or one that is live imports it, directly or not; or the session does."""
        live = self._dependencies.with_importers(
            [path], lambda importer, path: importer in self.loaded and path in self.loaded[importer].imports
        )
        return not live.isdisjoint(self.disk.plugin_files | self._late)

    def _forget(self, path: str) -> None:
        """A file that is no longer there, or no longer used. If it has importers, they wait for it to come back."""
        self._depend(path, ())
        for known in (self._executed, self._held, self.failures):
            known.pop(path, None)
        self.importer.forget(path)
        self.disk.forget(path, is_awaited=bool(self._dependencies.importers(path)))

    def _depend(self, path: str, imports: Iterable[str]) -> None:
        """Notes what a file depends on, and watches that."""
        self._dependencies.put(path, imports)
        for other in self._dependencies.of(path):
            self.disk.watch(other)

    def _depend_further(self, path: str, imports: set[str]) -> None:
        """Notes what a function of a live file imported when it was called."""
        if path in self.loaded:
            self.loaded[path].imports.update(imports)
        self._depend(path, {*self._dependencies.of(path), *imports})

    def _adopt_late_imports(self) -> None:
        """Takes up the files that a function imported when it was called, or the user at the prompt."""
        for path, run in self.importer.take_late().items():
            if run.module is None or run.error is not None:
                self._depend_further(path, run.depends)
                continue
            self._depend(path, run.depends)
            self.loaded[path] = Loaded(run.source, run.module, run.plugins, run.depends, run.counts)
            self._executed[path] = run.source
            if not self._dependencies.importers(path):
                self._late.add(path)
            for plugin in run.plugins:
                self._owners.setdefault(plugin.key, path)


def _registered(group: frozenset[str], runs: Mapping[str, Execution]) -> Iterator[tuple[str, Plugin]]:
    """What the files of a group registered, with the file."""
    for path in sorted(group):
        if path in runs:
            for plugin in runs[path].plugins:
                yield path, plugin


def _is_cause(run: Execution) -> bool:
    """Whether a file that failed did so by itself, not because a file that it imports did."""
    return run.error is None or run.is_cause


class NameTaken(PluginFileError):
    """A plugin file registers a name that another plugin file has."""

    def __init__(self, plugin: Plugin, other: Plugin) -> None:
        said = f"{plugin.key} is already registered at {other.origin}; rename one of the two"
        super().__init__(said, plugin.origin.line)
        self.key = plugin.key
