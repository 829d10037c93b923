"""What happens around a command: look at the files, run it, tell what came of it. Without a prompt, so that a script
and a test can do what the shell does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from .. import __version__
from ..frameworks.brainsmith.installed import InstalledBrainsmith
from ..frameworks.brainsmith.stand_in import BrainsmithImporter
from ..frameworks.catalogue import Installed
from ..models import report as models_report
from ..models.held import ModelChange, Models
from ..models.workbench import Workbench
from ..registry import report as registry_report
from ..registry.changes import between
from ..registry.decorators import (
    backend,
    framework_transform,
    kernel,
    kernel_inference,
    plugin,
    register_op,
    step,
    transform,
)
from ..registry.namespaces import backends, kernels, steps, tfm
from ..registry.plugin import NAMESPACES, Lazy
from ..registry.store import Registry
from ..reload import interrupts
from ..reload import report as reload_report
from ..reload.hints import hint
from ..reload.rebind import follow
from ..reload.reloader import Reloader
from ..reload.sources import source_of
from ..session import details, pasted
from ..session.session import Session
from ..teach.board import Board
from ..teach.guide import Guide, Problem
from ..teach.lesson import Lesson
from ..teach.play import play
from ..teach.recording import Entry, heard
from ..teach.tour import Tour
from ..text import tracebacks
from ..text import values as display
from ..text.format import duration
from ..text.styled import Styled, Text, abridged, advice, asides, plain, progress, timing
from ..text.terminal import Terminal
from .banner import banner
from .commands import Commands

#: What plugin files and commands find without an import.
PRELOADED: dict[str, Any] = {
    "tfm": tfm,
    "kernels": kernels,
    "backends": backends,
    "steps": steps,
    "transform": transform,
    "kernel": kernel,
    "backend": backend,
    "step": step,
    "kernel_inference": kernel_inference,
    "framework_transform": framework_transform,
    "plugin": plugin,
    "register_op": register_op,
}


_PATIENCE = 1.0  # seconds that comparing a changed model with what it was may take unasked


class Console:
    """A session on a registry and its plugin files, telling what happens on two terminals, `out` and `err`.

    `clock` measures how long things take, in seconds; `now` is the wall clock in ns, compared with the times of files.
    """

    def __init__(
        self,
        registry: Registry,
        paths: Iterable[str],
        out: Terminal,
        err: Terminal,
        *,
        clock: Callable[[], float],
        now: Callable[[], int],
        shows_time: bool = True,
        trusting: bool = False,
        index_file: Path | None = None,
    ) -> None:
        self.registry = registry
        self.out = out
        self.err = err
        self.clock = clock
        self.shows_time = shows_time
        self.reloader = Reloader(registry, paths, PRELOADED, now, trusting=trusting)
        self.last_reload: float | None = None  # seconds
        self._told = registry.snapshot  # up to which the changes have been told
        self.installed = Installed(registry, index_file)
        self._brainsmith = InstalledBrainsmith()
        self._stand_in = BrainsmithImporter()
        self._stand_in.install()
        self._told_stand_in = False
        self.workbench = Workbench(
            clock,
            source_of=lambda module: source_of(module, self.reloader.loaded, self.session.definitions),
            lookup=self._importable,
            transforms=lambda: registry.snapshot.find("transform"),
            progress=lambda done, total, name: out.write_over(progress(done, total, name, out.width)),
        )
        self.board = Board(registry, self.reloader, now)
        self.commands = Commands(
            registry, self.reloader, self.installed, self.workbench, self.board, out,
            self.look, lambda: self.look(retry=True),
        )  # fmt: skip
        self.tour = Tour(out, self._guide)
        self.commands.all["tour"], self.commands.all["lesson"] = self.tour, self.tour.lesson
        self.session = Session({**PRELOADED, **self.commands.all})
        self._models = Models(self.session.namespace, clock)
        #: Whether a model that a command has changed is executed, and compared with what it was.
        self.auto_verify = True
        self._slow: set[str] = set()  # the names of models that take too long for that

    def close(self) -> None:
        """Withdraws what the plugin files registered, and leaves the import system as it was."""
        self.reloader.close()
        self._stand_in.uninstall()

    def notes(self) -> Text:
        """What is to be told once: that Brainsmith is not installed, when something has imported it."""
        if self._told_stand_in or not self._stand_in.was_used:
            return []
        self._told_stand_in = True
        return asides(["brainsmith is not installed; what is imported from it is bsrepl's registry"], self.out.width)

    def look(self, *, retry: bool = False, is_command: bool = False) -> bool:
        """Brings the registry up to what is on disk and tells what that changed. Returns whether anything was told."""
        try:
            with interrupts.deferred():
                return self._look(retry, is_command)
        except KeyboardInterrupt:  # it came when there was nothing to stop
            return True

    def _look(self, retry: bool, is_command: bool) -> bool:
        if not retry and not self.reloader.is_due():
            if is_command and self.reloader.waiting:
                self.out.write(reload_report.waiting(self.reloader.waiting, self.out.width))
            return False
        started = self.clock()
        report = self.reloader.refresh(retry)
        self._read_brainsmith()
        report.after = self.registry.snapshot
        stale = follow(report.replaced, self.session.namespace)
        seconds = self.clock() - started
        self.board.note(report.before, report.after, report.executed)
        self._told = report.after
        if report:
            self.last_reload = seconds
            self.out.write(reload_report.report(report, self.out.width, seconds if self.shows_time else None))
            self.out.write(reload_report.stale(stale, self.out.width))
            self.out.write(self.notes())
        self._rerun({each.old.__name__ for each in report.replaced})
        if report:
            self.tour.after(None, failed=bool(report.failures))
        return bool(report)

    def _guide(self, lesson: Lesson) -> Guide:
        """What leads through a lesson in this session."""
        names = self.session.namespace
        return Guide(lesson, names, self.registry, self, lambda expression: eval(expression, names))

    def play(self, lesson: Lesson, pause: Callable[[float], None]) -> list[Problem]:
        """Plays a lesson by itself, `pause` waiting for seconds. Returns what did not do what it should."""
        guide = self._guide(lesson)
        try:
            return play(guide, self.out, run=self.run, look=self.look, pause=pause)
        finally:
            guide.end()

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """While this lasts, nothing is written."""
        streams = self.out.stream, self.err.stream
        self.out.stream = self.err.stream = StringIO()
        try:
            with redirect_stdout(self.out.stream):
                yield
        finally:
            self.out.stream, self.err.stream = streams

    def add(self, folder: str) -> None:
        """Watches a folder of plugin files, too."""
        self.reloader.disk.add(folder)

    def drop(self, folder: str) -> None:
        """Watches a folder no more; what its files registered is withdrawn."""
        self.reloader.disk.leave(folder)
        self.look()

    def _rerun(self, modules: set[str]) -> None:
        """Runs the passes that are watched and were executed again, and tells what they do now."""
        if not modules:
            return
        try:
            with interrupts.allowed():
                for watch in self.workbench.rerun(modules):
                    self.out.write(models_report.watch(watch, self.out.width, self.shows_time))
        except KeyboardInterrupt:
            self.out.write([("warning", "interrupted; what is watched keeps its last result\n")])
        for watch in self.workbench.watches:
            if watch.concerns(modules) and (lost := watch.lost()):
                self.out.write([("warning", f"watch: {lost}\n")])

    def _importable(self, namespace: str, name: str) -> tuple[str, str] | None:
        """The module of a plugin and its name there."""
        kind = next(kind for kind, each in NAMESPACES.items() if each == namespace)
        plugin = self.registry.snapshot.get(kind, name)
        if plugin is None:
            return None
        attribute = plugin.target.attribute if isinstance(plugin.target, Lazy) else plugin.target.__qualname__
        return plugin.module, attribute

    def _read_brainsmith(self) -> None:
        """Registers what an installed Brainsmith has come to know, if something has imported it."""
        news = [each for each in self._brainsmith.news() if self.registry.snapshot.seen(each.key) is None]
        if news:
            self.registry.replace(self.registry.snapshot.replacing((), news))

    def greet(self) -> None:
        """Prints what a session begins with."""
        self.reloader.is_due()  # so that the files are counted; they are executed, and told of, afterwards
        watched = len(self.reloader.plugin_files)
        self.out.write(banner(self.registry.snapshot, __version__, watched, self.out.width))

    def run(self, text: str, said: Sequence[str] = ()) -> Entry:
        """Runs a command as if typed: the files are looked at; its value or error, the changes and the time are told.

        `said` is what was done to a pasted text before it came here. SystemExit comes through; no other exception does.
        Returns the command with what it printed.
        """
        code = pasted.cleaned(text, self.session.understands)
        if notes := [*said, *code.said]:
            self.out.write(asides(notes, self.out.width))
        self.look(is_command=True)
        held = self._models.before(lambda: self.session.parsed(code.text))
        before = self._told = self.registry.snapshot
        started = self.clock()
        error: BaseException | None = None
        value: Any = None
        try:
            with heard(sys.stdout) as printed, self._models.observed(held) as applications:
                value = self.session.run(code.text)
        except SystemExit:
            raise
        except BaseException as raised:  # KeyboardInterrupt too: it ends the command, never the shell
            error = raised
        seconds = self.clock() - started
        told: Text = []
        if error is not None:
            stopped = next((each for each in reversed(applications) if each.depth == 1 and each.result is None), None)
            if stopped is not None:
                self.workbench.failed(stopped.source, [stopped.transformation], error)
            self.tell_error(error)
            line = tracebacks.line_in(error, self.session.filename)
            if line is not None and self.session.statements_before(code.text, line):
                lines = code.text.count("\n") + 1
                self.err.write(
                    asides([f"stopped at line {line} of {lines}; what stands before it has run"], self.err.width)
                )
        elif value is not None:
            told = self._shown(value)
            self.out.write(told)
        self.out.write(self.notes())
        self._read_brainsmith()
        after = self.registry.snapshot
        self.board.note(before, after)
        if after is not self._told and (changes := between(self._told, after)):
            changed = registry_report.registry_changes(changes, self._told, after, self.out.width)
            self.out.write(changed)
            told += changed
        for change in self._models.changes(held, applications):
            self.out.write(models_report.model_change(change, self.out.width, self.shows_time))
            proven = self._proven(change)
            self.out.write(proven)
            told += models_report.model_change(change, self.out.width) + proven
        printed += [tracebacks.last_line(error)] if error is not None else [plain(told)]
        entry = Entry(code.text, "".join(printed), failed=error is not None)
        self.commands.recording.add(entry)
        if self.shows_time:
            self.out.write(timing(seconds))
        if self.tour.guide is not None:
            self.look()  # it may have saved a file
            self.tour.after(code.text, entry.failed)
        return entry

    def _proven(self, change: ModelChange) -> Text:
        """Whether a model computes what it did before, as long as that takes less than a second."""
        is_asked = self.auto_verify and change.name not in self._slow
        if not is_asked or change.before is None or change.difference.is_renamed_only:
            return []
        from ..models.proof import proof  # only now: it brings onnxruntime along

        proven = proof(change.difference, change.before, change.after, self.clock)
        if proven.verdict is not None and not proven.verdict:
            passes = [each.transformation for each in change.applied]
            is_whole = bool(passes) and change.applied[0].source is change.before
            self.workbench.differed(change.before, change.after, passes if is_whole else (), proven.verdict)
        text = models_report.proof(proven, self.out.width)
        if proven.seconds > _PATIENCE:
            self._slow.add(change.name)
            said = f"  that took {duration(proven.seconds)}; from now on only verify() does it for {change.name}"
            text += asides([said], self.out.width)
        return text

    def _shown(self, value: Any) -> Text:
        """A value as text. One whose `__repr__` raises is told as that, not as an error of the command."""
        if isinstance(value, Styled):
            return value.styled(self.out.width, self.shows_time)
        text = abridged(*display.shown(value, self.out.width))
        if (backends := details.backends_of(value, self.registry.snapshot)) is not None:
            text += asides([backends], self.out.width)
        return text

    def tell_error(self, error: BaseException) -> None:
        """Prints an exception: the traceback from the user's code on, and what to write instead if that is known."""
        if isinstance(error, KeyboardInterrupt):
            where = tracebacks.place(error)
            self.err.write([("warning", f"interrupted{' in ' if where else ''}{where}\n")])
        else:
            trace, cut_off = display.within_limits(tracebacks.formatted(error))
            self.err.write_traceback(trace if trace.endswith("\n") else f"{trace}\n")
            if cut_off:
                self.err.write(asides([f"... {cut_off}; errors() shows them"], self.err.width))
            self.commands.last_error = tracebacks.formatted(error, whole=True)
        if (said := hint(error, self.registry.snapshot)) is not None:
            self.err.write(advice(said, self.err.width))
