"""A look at the files: the registry and the session are brought up to what is on disk, and what changed is told."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..models import report as models_report
from ..models.workbench import Workbench
from ..registry.snapshot import Snapshot
from ..reload import report as reload_report
from ..reload.hints import undecorated
from ..reload.imports import interrupts
from ..reload.outcome import Report
from ..reload.reloader import Reloader
from ..teach.board import Board
from ..text.styled import asides
from ..text.terminal import Terminal

if TYPE_CHECKING:
    from ..reload.follow.rebind import Followed


class Looking:
    """Looks at the plugin files, and tells what they changed.

    `names` is the namespace of the session, whose values follow what is executed again. `notes`
    gives what is to be told once. `clock` measures in seconds. `thaw` is called before what holds
    old code is looked for: the garbage collector may have been told to leave it alone.
    """

    def __init__(
        self,
        reloader: Reloader,
        names: dict[str, Any],
        workbench: Workbench,
        board: Board,
        out: Terminal,
        notes: Callable[[], list[str]],
        clock: Callable[[], float],
        thaw: Callable[[], object],
        shows_time: bool,
    ) -> None:
        self._reloader = reloader
        self._names = names
        self._workbench = workbench
        self._board = board
        self._out = out
        self._notes = notes
        self._clock = clock
        self._thaw = thaw
        self.shows_time = shows_time
        self._saved: Callable[[str, bytes], None] = lambda path, source: None
        self.reported: Snapshot = reloader.registry.snapshot  # up to which the registry's changes have been told
        self.last_seconds: float | None = None  # that the last reload took

    def on_saved(self, saved: Callable[[str, bytes], None]) -> None:
        """Calls `saved` with the path and the contents of each plugin file, and helper, when it was executed."""
        self._saved = saved

    def look(self, *, retry: bool | str = False, is_command: bool = False, looked: bool = False) -> bool:
        """Brings the registry up to what is on disk and tells what that changed. Returns whether anything was told.

        With `looked`, `Reloader.is_due` was just called, and the files are not looked at a second time.
        Raises KeyboardInterrupt if Ctrl-C came, and there was nothing to stop but the command (`is_command`).
        """
        try:
            with interrupts.deferred():
                return self._look(retry, is_command, looked)
        except KeyboardInterrupt:
            if is_command:
                raise
            return True

    def retry(self, path: str | None = None) -> bool:
        """Executes the files that failed again, or one file, as they are. Returns whether anything was told."""
        return self.look(retry=True if path is None else path)

    def add(self, folder: str) -> None:
        """Watches a folder of plugin files, too."""
        self._reloader.add(folder)

    def set_aside(self) -> list[str]:
        """Watches nothing for the moment. Returns the paths to `add` again."""
        return self._reloader.set_aside()

    def drop(self, folder: str) -> None:
        """Watches a folder no more; what its files registered is withdrawn."""
        self._reloader.drop(folder)
        self.look()

    def _look(self, retry: bool | str, is_command: bool, looked: bool) -> bool:
        out = self._out
        started = self._clock()
        is_due = looked or bool(retry) or self._reloader.is_due()
        report = self._reloader.refresh(retry, looked or not retry) if is_due else None
        if not report:
            if is_command and self._reloader.waiting:
                out.write(reload_report.waiting(self._reloader.waiting, out.width))
            return False
        followed = self._follow(report)
        if any(replaced.code is not None for replaced in report.replaced):
            self._workbench.prover.renew()
        seconds = self._clock() - started
        self._board.note(report.before, report.after, report.executed)
        self._pass_on(report)
        self.reported = report.after
        self.last_seconds = seconds
        out.write(reload_report.report(report, out.width, seconds if self.shows_time else None))
        out.write(reload_report.stale(followed.stale if followed else (), out.width))
        out.write(reload_report.undecorated(self._undecorated(report), out.width))
        out.write(asides(self._notes(), out.width))
        self._rerun(report)
        if followed is not None and followed.error is not None:
            raise followed.error
        return True

    def _follow(self, report: Report) -> Followed | None:
        """Moves what is held of replaced modules to the new ones."""
        if not report.replaced:
            return None
        from ..reload.follow.rebind import follow  # only now: many sessions replace nothing

        self._thaw()
        return follow(report.replaced, self._roots, report.after.seen)

    def _pass_on(self, report: Report) -> None:
        for path in (*report.executed, *report.tried):
            if self._reloader.is_own(path):
                self._saved(path, self._reloader.source(path))

    def _undecorated(self, report: Report) -> dict[str, list[str]]:
        """The passes of new files that no decorator registers, by the files' paths."""
        modules, files = self._reloader.modules, self._reloader.files
        names = {
            path: undecorated(modules[path], [plugin.target for plugin in files.get(path, ())])
            for path in report.executed
            if path in modules and path in self._reloader.plugin_files
        }
        return {path: classes for path, classes in names.items() if classes}

    def _roots(self) -> dict[str, dict[str, Any]]:
        """The namespaces that must not hold anything old, by what to type for them."""
        watched = {watch.name: watch.passes for watch in self._workbench.watches}
        modules = [*self._reloader.modules.values(), *self._reloader.holding_modules()]
        program = vars(sys.modules["__main__"])  # that the session is embedded in
        main = {} if program is self._names else {"__main__": program}
        return {"": self._names, "watch": watched, **main, **{module.__name__: vars(module) for module in modules}}

    def _rerun(self, report: Report) -> None:
        """Runs the passes that are watched and were executed again, and tells what they do now."""
        modules = {replaced.old.__name__ for replaced in report.replaced}
        if not modules:
            return
        out = self._out
        try:
            with interrupts.allowed():
                for watch in self._workbench.rerun(modules):
                    out.write(models_report.watch_result(watch, out.width, self.shows_time))
        except KeyboardInterrupt:
            out.write([("warning", "interrupted; what is watched keeps its last result\n")])
        for watch in self._workbench.watches:
            if watch.concerns(modules) and (lost := watch.lost()):
                out.write([("warning", f"watch: {lost}\n")])
