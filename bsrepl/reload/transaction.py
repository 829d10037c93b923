"""The transaction: what changed on disk becomes one change of the registry, or fails and changes nothing.

Files are executed aside first, each that changed and each that depends on one. Then they are committed group by group:
a group is what imports each other, and it counts whole or not at all. The registry is replaced once, at the end.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, ModuleType

from ..errors import PluginWarning
from ..frameworks.qonnx.ops import QONNX_OPS, custom_ops
from ..registry.plugin import Key, Plugin
from ..registry.snapshot import Snapshot
from ..registry.store import Registry
from .failure import Failure, failure, held_back, one_per_group, waits
from .files.disk import Disk
from .follow.successors import Replaced, with_successors
from .imports.execution import Execution
from .imports.import_graph import groups
from .imports.importer import PluginImporter
from .listed import ListedPlugins, Relisted
from .loaded import LiveFiles
from .name_taken import NameTaken, first_conflict
from .namespace_uses import plugin_of, uses
from .outcome import Report
from .trial import Trial


class Transaction:
    """Brings the live files up to what is on disk. `run` may be called again with what has become possible.

    `hint` gives what to write instead of what raised an exception, if that is known.
    """

    def __init__(
        self,
        registry: Registry,
        disk: Disk,
        importer: PluginImporter,
        live: LiveFiles,
        listed: ListedPlugins,
        hint: Callable[[BaseException], str | None],
    ) -> None:
        self._registry = registry
        self._disk = disk
        self._importer = importer
        self._live = live
        self._listed = listed
        self._hint = hint
        self._trial = Trial(registry, disk, importer, live)
        self._before = registry.snapshot
        self._runs: dict[str, Execution] = {}
        self._packaged: dict[str, Replaced] = {}  # the modules of packages that were replaced, by their files
        self._kept: set[str] = set()  # the names of those that were executed, and are what they were
        self._gone, self._saved, self._tried, self._were_live = set[str](), set[str](), set[str](), set[str]()
        self._failed_before = frozenset(live.failures)
        # By their files: what a second `run` does to a file takes the place of what the first one did.
        self._executed: dict[str, None] = {}
        self._deleted: dict[str, None] = {}
        self._fixed: dict[str, None] = {}
        self._failures: dict[str, Failure] = {}
        self._replaced: dict[str, list[Replaced]] = {}
        for path, item in live.take_reloaded():
            self._replaced.setdefault(path, []).append(item)
            registry.change([plugin for plugin in item.plugins if registry.snapshot.seen(plugin.key) is plugin], ())
        self._output: dict[str, str] = {}
        self._warnings: list[warnings.WarningMessage] = []

    def report(self, after: Snapshot) -> Report:
        """The result, when the registry has become `after`."""
        live = self._live
        executed = [path for path in self._executed if path in live.loaded]
        failures = one_per_group(self._failures.values(), live.failures, live.held)
        replaced = [item for items in self._replaced.values() for item in items]
        return Report(
            self._before,
            after,
            executed,
            [path for path in executed if path not in self._were_live],
            [path for path in self._deleted if path not in live.loaded],
            [path for path in self._fixed if path in self._failed_before and path not in live.failures],
            failures,
            sorted(self._tried & live.held.keys()),
            held_back(self._saved, failures, live.failures, live.held),
            with_successors(replaced, (loaded.module for loaded in live.loaded.values())),
            [(path, output) for path, output in self._output.items() if output],
            self._warnings,
        )

    def run(self, forced: set[str]) -> set[Key]:
        """Executes what the changes concern, and commits the groups that succeed. Returns the names that came free.

        `forced` are files to execute though they have not changed.
        """
        self._saved |= self._disk.changed
        affected = self._affected(forced)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", PluginWarning)
            self._execute(affected)
        parts, errors = self._decide(affected)
        withdrawn: list[Plugin] = []
        registered: list[Plugin] = []
        reported: set[str] = set()
        for part in parts:
            if part.isdisjoint(errors):
                reported |= part
                withdrawn += self._commit(part)
                registered += [plugin for _, plugin in self._registered(part)]
            else:
                failed = {path: errors[path] for path in sorted(part & errors.keys())}
                causes = {path: error for path, error in failed.items() if self._runs[path].is_to_blame} or failed
                reported |= self._keep(part, causes)
        for path, unneeded in self._live.withdraw_unneeded().items():
            withdrawn += unneeded.plugins
            self._were_live |= {path} - self._executed.keys()
            self._put_replaced(path, unneeded.module, None, unneeded.plugins)
        self._live.bind(self._live.packaged if self._gone else self._live.packaged & affected)
        relisted = self._relist()
        if withdrawn or registered or any(relisted):
            withdrawn, registered = [*withdrawn, *relisted.withdrawn], [*registered, *relisted.registered]
            self._registry.change(withdrawn, registered, relisted.exchanged)
        self._output |= {path: run.output if path in reported else "" for path, run in self._runs.items()}
        self._warnings = [item for item in self._warnings if item.filename not in self._runs]
        self._warnings += [item for item in caught if item.filename in reported or item.filename not in self._runs]
        return {plugin.key for plugin in withdrawn} - {plugin.key for plugin in registered}

    # What is executed

    def _affected(self, forced: set[str]) -> set[str]:
        """The files to execute or to withdraw: those that changed, and those that depend on them."""
        disk, live = self._disk, self._live
        concerned = live.waiting_with(disk.changed | disk.gone)
        self._gone = disk.gone | {path for path in concerned & live.held.keys() if disk.is_missing(path)}
        concerned |= live.in_other_form(self._gone)
        changed = {path for path in concerned if not live.is_live(path, disk.contents.get(path))}
        affected = live.dependencies.with_importers(changed | (concerned & self._gone) | forced)
        for path in concerned - affected:  # its contents are again what is live
            live.executed[path] = disk.contents.get(path)
            self._forget_failure(path)
        return affected

    def _execute(self, affected: set[str]) -> None:
        """Executes the files among `affected` that count by themselves, and what they import of the others."""
        try:
            executions = self._trial.executions(affected - self._gone, self._gone)
        except BaseException:
            self._live.restore(affected | self._gone)
            raise
        self._runs = {}
        for path, run in executions.items():
            if run.module is not None or run.error is not None:
                self._runs[path] = run
            else:  # a live function imported something while another file was executed
                self._live.depend_further(path, run.depends)
        self._tried |= self._runs.keys()

    # What succeeds

    def _decide(self, affected: set[str]) -> tuple[list[frozenset[str]], dict[str, BaseException]]:
        """The groups of files that count together, and the errors of the files that do not."""
        live, runs = self._live, self._runs
        paths = affected | self._gone | runs.keys()
        errors = {path: run.error for path, run in runs.items() if run.error is not None}
        for path in runs.keys() & live.held.keys() - errors.keys():
            together = live.waiting_with([path]) & live.held.keys()
            if not together <= affected | runs.keys():
                errors[path] = waits(path, together, live.failures)
        now = {path: run.depends for path, run in runs.items()}
        before = {path: live.loaded[path].imports for path in paths if path in live.loaded}
        self._were_live |= before.keys() - self._executed.keys()
        while True:
            parts = groups(paths, now, before, errors)
            sound = [part for part in parts if part.isdisjoint(errors)]
            in_work = frozenset().union(*sound)
            registered = (pair for part in sound for pair in self._registered(part))
            conflict = first_conflict(registered, lambda key: self._other_owner(key, in_work))  # noqa: B023
            if conflict is None:
                return parts, errors
            errors[conflict[0]] = conflict[1]

    def _other_owner(self, key: Key, in_work: frozenset[str]) -> tuple[str, Plugin] | None:
        """The live plugin that has a name, and its file, unless that file is among those to be committed."""
        owner = self._live.owners.get(key)
        if owner is None or owner in in_work:
            return None
        return owner, next(plugin for plugin in self._live.loaded[owner].plugins if plugin.key == key)

    def _registered(self, group: frozenset[str]) -> Iterator[tuple[str, Plugin]]:
        """The plugins that the files of a group registered, with the file."""
        for path in sorted(group):
            if path in self._runs:
                for plugin in self._runs[path].plugins:
                    yield path, plugin

    # Committing, or not

    def _relist(self) -> Relisted:
        """Brings what packages list, and the ops that QONNX finds in them, up to the modules that were replaced."""
        live, paths = self._live, set(self._packaged)
        if paths or self._listed.changed:
            unread = live.packaged - self._listed.read  # on disk they may be something else by now
            paths.update(path for path in unread if not self._disk.is_missing(path))
        sources = {path: live.loaded[path].source if path in live.loaded else None for path in paths}
        former = {item.old.__name__: vars(item.old) for item in self._packaged.values()}
        custom_ops.rediscover({*former, *self._kept}, former.get(QONNX_OPS))
        self._packaged.clear()
        self._kept.clear()
        return self._listed.update(sources, former.keys())

    def _commit(self, group: frozenset[str]) -> list[Plugin]:
        """Makes a group live. Returns the plugins to withdraw."""
        live = self._live
        withdrawn: list[Plugin] = []
        for path in sorted(group):
            run = self._runs.get(path)
            former = self._importer.settle(path)  # of a file that was deleted and has returned, too
            new = run.module if run is not None else None
            code = run.code if run is not None and former is not None else None
            if path in live.loaded:
                old = live.withdraw(path)
                plugins = (*old.plugins, *self._listed.of(old.module.__name__))
                was = old.module if former is None or run is None else former
                self._put_replaced(path, was, new, plugins, code)
                if self._importer.is_packaged(path):
                    self._packaged[path] = Replaced(was, new)
                withdrawn += old.plugins
                late = self._registry.late.pop(path, ())
                withdrawn += [plugin for plugin in late if plugin not in old.plugins]
            else:
                self._put_replaced(path, former, new, (), code)
            if run is not None:
                live.put(path, run)
                self._forget_failure(path)
                self._executed[path] = None
            else:  # deleted, or no longer imported by anybody
                live.forget(path)
                if path in self._gone:
                    self._deleted[path] = None
        live.owners.update({plugin.key: path for path, plugin in self._registered(group)})
        return withdrawn

    def _keep(self, group: frozenset[str], causes: Mapping[str, BaseException]) -> set[str]:
        """Leaves a group as it was. Returns its files if there is something new to report."""
        live, runs = self._live, self._runs
        loaded = [live.loaded[path] for path in sorted(group) if path in live.loaded]
        plugins = [plugin for code in loaded for plugin in (*code.plugins, *self._listed.of(code.module.__name__))]
        kept = list(dict.fromkeys(plugin.key for plugin in plugins))
        started = {thread for path in group if path in runs for thread in runs[path].threads}
        threads = sorted(thread.name for thread in started if thread.is_alive())
        is_new = False
        for path in group:
            if path in runs:
                live.depend(path, {*live.dependencies.of(path), *runs[path].depends})
                live.executed[path] = self._disk.contents.get(path)
                live.missing[path] = {
                    use for use in uses(runs[path].source) if plugin_of(use, self._registry.snapshot) is None
                }
            if path not in causes:
                live.failures.pop(path, None)
        for path, error in causes.items():
            taken = [error.key] if isinstance(error, NameTaken) else ()
            reported = failure(path, error, group, kept=kept, taken=taken, hint=self._hint(error), threads=threads)
            if live.failures.get(path) != reported:
                self._failures[path] = reported
                is_new = True
            live.failures[path] = reported
        for path in group:
            live.held[path] = group
            self._disk.missing_since.pop(path, None)
        live.restore(group)
        self._kept |= {live.loaded[path].module.__name__ for path in group & live.packaged}
        return set(group) if is_new else set()

    def _put_replaced(
        self,
        path: str,
        old: ModuleType | None,
        new: ModuleType | None,
        plugins: tuple[Plugin, ...],
        code: CodeType | None = None,
    ) -> None:
        """Notes that whatever a file's module has been so far is replaced by what it is now."""
        earlier = self._replaced.pop(path, [])
        items = [item._replace(new=new, code=code) for item in earlier if item.old is not new]
        plugins += tuple(plugin for item in earlier if item.old is new for plugin in item.plugins)
        if old is not None:
            items.append(Replaced(old, new, plugins, code))
        self._replaced[path] = items

    def _forget_failure(self, path: str) -> None:
        if self._live.forget_failure(path):
            self._fixed[path] = None
