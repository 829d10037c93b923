"""The transaction: what changed on disk becomes one change of the registry, or is told as failed and changes nothing.

Files are executed aside first, each that changed and each that depends on one. Then they are taken group by group: a
group is what imports each other, and it counts whole or not at all. The registry is replaced once, at the end.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from os.path import abspath, basename, isdir, islink, realpath
from types import ModuleType
from typing import Any

from . import watch
from .errors import PluginFileError, PluginWarning
from .failure import Failure, failure
from .groups import groups
from .hints import hint
from .loader import Execution, PluginImporter, show_source
from .plugin import Key, Plugin
from .rebind import Replaced
from .registry import Registry, Snapshot

GRACE = 1_000_000_000  # ns that a file may be gone or empty: some editors save that way


@dataclass(frozen=True)
class Loaded:
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
        self._missing_since: dict[str, int] = {}  # files that are gone or empty, and still count for the moment
        self.failures: dict[str, Failure] = {}
        self.loaded: dict[str, Loaded] = {}
        self.importer = PluginImporter(self._read, self.loaded.__contains__, provided)
        self._now = now
        self._trusting = trusting
        self._folders: list[str] = []
        self._plugin_files: set[str] = set()
        self.present: set[str] = set()  # those of them that exist
        self._seen: dict[str, watch.Signature] = {}
        self._disk: dict[str, bytes] = {}  # what was last read of each file
        self._attempted: dict[str, bytes | None] = {}  # what was last executed of it; None: what cannot be read
        self._changed: set[str] = set()  # what the next transaction is about
        self._gone: set[str] = set()
        self._depends: dict[str, set[str]] = {}
        self._importers: dict[str, set[str]] = {}  # the reverse of it
        self._released: set[str] = set()  # what may not be imported by anything any more
        self._late: set[str] = set()  # what was imported outside a transaction by no file of ours: at the prompt
        self._owners: dict[Key, str] = {}
        self._held: dict[str, frozenset[str]] = {}  # files whose group failed, with the group
        self._links: dict[str, str] = {}  # the files that plugin files are links to, with the link
        for path in map(abspath, paths):
            if isdir(path):
                self._folders.append(path)
                self._seen[path] = watch.UNSETTLED
            else:
                self._add_plugin_file(path)
        self.importer.install()

    def close(self) -> None:
        """Stops importing plugin files, and withdraws what they registered."""
        self.importer.uninstall()
        plugins = [plugin for loaded in self.loaded.values() for plugin in loaded.plugins]
        self.registry.replace(self.registry.snapshot.replacing(plugins, ()))

    @property
    def plugin_files(self) -> list[str]:
        """The plugin files that are watched, helpers left out."""
        return sorted(self.present)

    @property
    def helpers(self) -> list[str]:
        """The files that plugin files import, as far as they are watched."""
        return sorted(self.loaded.keys() - self._plugin_files)

    @property
    def waiting(self) -> list[str]:
        """The files that are gone or empty and still count, for the moment: an editor may be saving them."""
        return sorted(self._missing_since)

    def is_due(self) -> bool:
        """Whether `refresh` has something to do. Costs a stat for each file, and executes nothing."""
        self._look()
        return bool(self._changed or self._gone)

    def refresh(self, retry: bool = False) -> Report:
        """Brings the registry up to what is on disk. With `retry`, what failed is executed again as it is."""
        report = Report(self.registry.snapshot, self.registry.snapshot)
        self._adopt_late_imports()
        self._look()
        forced = {path for group in self._held.values() for path in group} if retry else set()
        while self._changed or self._gone or forced:
            freed = self._transact(forced, report)
            self._changed, self._gone = set(), set()
            freed_for = [path for path, failed in self.failures.items() if failed.taken & freed]
            forced = {member for path in freed_for for member in self._held[path]}
        report.after = self.registry.snapshot
        return report

    # Looking at the disk

    def _look(self) -> None:
        """Finds the files that have other bytes than were executed, and those that are gone for good."""
        now = self._now()
        suspects = dict.fromkeys([*watch.suspects(self._seen), *self._missing_since])
        appeared = False
        for folder in self._folders:
            if folder in suspects:
                del suspects[folder]
                suspects.update(dict.fromkeys(self._scan(folder, now)))
        for path in suspects:
            is_known = path in self.loaded or path in self._held
            data: bytes | None = None
            try:
                data, signature = watch.read(path, now, trusted=self._trusting)
            except FileNotFoundError:
                if is_known:
                    self._missing_since.setdefault(path, now)
                self._seen[path] = None
                self.present.discard(path)
                continue
            except PluginFileError:  # executing it will say why it cannot be read
                signature = watch.signature(path, now)
            if path in self._plugin_files:
                self.present.add(path)
            if data == b"" and path in self.loaded and not self._is_overdue(path, now):
                self._seen[path] = signature
                continue
            self._missing_since.pop(path, None)
            if data is None or path not in self._attempted or data != self._attempted[path]:
                appeared |= not is_known
                self._changed.add(path)
            self._disk.pop(path, None)
            if data is not None:
                self._disk[path] = data
            self._seen[path] = signature
        for path in [path for path in self._missing_since if self._seen[path] is None]:
            # One file gone and another come is a renaming, and has no need to wait.
            if appeared or self._is_overdue(path, now):
                self._gone.add(path)

    def _scan(self, folder: str, now: int) -> Iterator[str]:
        """The plugin files that have appeared in a folder."""
        self._seen[folder] = watch.signature(folder, now)
        try:
            found, future = watch.plugin_files(folder)
        except OSError:
            return  # gone, and its files with it; they are looked at one by one
        for path in sorted({*found, *future} - self._plugin_files, key=lambda path: (islink(path), path)):
            if self._add_plugin_file(path):
                yield path

    def _add_plugin_file(self, path: str) -> bool:
        """Watches a plugin file, unless it is one that is watched already, under another name."""
        if islink(path):
            target = realpath(path)
            if target in self._plugin_files or self._links.setdefault(target, path) != path:
                return False
        elif path in self._links:
            return False
        self._plugin_files.add(path)
        self._seen[path] = watch.UNSETTLED
        return True

    def _is_overdue(self, path: str, now: int) -> bool:
        since = min(self._missing_since.get(path, now), now)
        self._missing_since[path] = since
        return now - since >= GRACE

    def _read(self, path: str) -> bytes:
        """The bytes to execute: those that were looked at, or, of a file not watched before, those on disk."""
        if path not in self._disk:
            self._disk[path], self._seen[path] = watch.read(path, self._now(), trusted=self._trusting)
        return self._disk[path]

    # Executing what changed

    def _transact(self, forced: set[str], report: Report) -> set[Key]:
        """Executes what the changes concern, and commits the groups that succeed. Returns the names that came free."""
        concerned = {member for path in self._changed | self._gone for member in self._held.get(path, (path,))}
        gone = self._gone | {path for path in concerned & self._held.keys() if self._seen.get(path) is None}
        stale = {path for path in concerned if path in gone or not self._is_live(path)} | forced
        affected = self._with_importers(stale)
        for path in concerned - affected:  # it is again what is live
            self._attempted[path] = self._disk.get(path)
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
        return loaded is not None and loaded.source == self._disk.get(path)

    def _with_importers(self, paths: set[str]) -> set[str]:
        found, rest = set(paths), list(paths)
        while rest:
            new = self._importers.get(rest.pop(), set()) - found
            found |= new
            rest += new
        return found

    def _execute(self, affected: set[str], gone: set[str]) -> dict[str, Execution]:
        """Executes the plugin files among `affected`, and whatever they import that is affected or not live."""
        try:
            with self.importer.staging(affected - gone, gone) as executions:
                for path in sorted(affected & self._plugin_files - gone):
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
                self._attempted[path] = run.source
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
                self._depend(path, self._depends.get(path, set()) | runs[path].depends)
                self._attempted[path] = self._disk.get(path)
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
            self._missing_since.pop(path, None)
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
        while self._released:
            path = self._released.pop()
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
        seen, rest = {path}, [path]
        while rest:
            needed = rest.pop()
            if needed in self._plugin_files or needed in self._late:
                return True
            importers = {
                each
                for each in self._importers.get(needed, ())
                if each in self.loaded and needed in self.loaded[each].imports
            }
            rest += importers - seen
            seen |= importers
        return False

    def _forget(self, path: str) -> None:
        """A file that is no longer there, or no longer used. If it has importers, they wait for it to come back."""
        self._depend(path, set())
        for known in (self._disk, self._attempted, self._missing_since, self._held, self.failures):
            known.pop(path, None)
        self.importer.forget(path)
        if path in self._plugin_files:  # what was another name for it may have to take its place
            self._links = {target: link for target, link in self._links.items() if link != path}
            self._seen.update(dict.fromkeys(self._folders, watch.UNSETTLED))
        elif not self._importers.get(path):
            self._seen.pop(path, None)

    def _depend(self, path: str, depends: set[str]) -> None:
        """Notes what a file imports, and watches it."""
        for other in self._depends.pop(path, set()) - depends:
            self._importers[other].discard(path)
            self._released.add(other)
        for other in depends:
            self._importers.setdefault(other, set()).add(path)
            self._seen.setdefault(other, watch.UNSETTLED)
        if depends:
            self._depends[path] = set(depends)

    def _depend_further(self, path: str, depends: set[str]) -> None:
        """Notes what a function of a live file imported when it was called."""
        if path in self.loaded:
            self.loaded[path].imports.update(depends)
        self._depend(path, self._depends.get(path, set()) | depends)

    def _adopt_late_imports(self) -> None:
        """Takes up the files that a function imported when it was called, or the user at the prompt."""
        for path, run in self.importer.take_late().items():
            if run.module is None or run.error is not None:
                self._depend_further(path, run.depends)
                continue
            self._depend(path, run.depends)
            self.loaded[path] = Loaded(run.source, run.module, run.plugins, run.depends, run.counts)
            self._attempted[path] = run.source
            if not self._importers.get(path):
                self._late.add(path)
            free = [plugin for plugin in run.plugins if plugin.key not in self._owners]
            self._owners.update({plugin.key: path for plugin in free})
            self.registry.replace(self.registry.snapshot.replacing((), free))


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
