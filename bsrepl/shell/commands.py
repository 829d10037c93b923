"""The commands that are preloaded in the shell. Each prints for people; what it knows comes from the modules below."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import UnknownPlugin
from ..frameworks import report as frameworks_report
from ..frameworks.catalogue import Installed
from ..frameworks.qonnx.acceleration import Acceleration
from ..frameworks.qonnx.analyses import inference_cost, range_analysis
from ..models.history import History
from ..models.workbench import Workbench, load, of_opened
from ..registry import report as registry_report
from ..registry.changes import changes_between
from ..registry.listing import Listing, nearest
from ..registry.namespaces import Namespace
from ..registry.plugin import KINDS, Plugin
from ..registry.store import Registry
from ..reload import report as reload_report
from ..reload.reloader import Reloader
from ..session import details
from ..teach import board_text, manual
from ..teach.board import Board
from ..teach.recording import Recording
from ..text import onnx_values
from ..text import screen as live_view
from ..text.format import counted
from ..text.markdown import rendered
from ..text.prose import filled
from ..text.styled import fields, wrapped
from ..text.terminal import Terminal
from ..text.values import shown
from . import recorded_test
from .command import Command
from .drawings import Drawings, Part
from .error_output import ErrorOutput
from .help_page import help_page, namespace_page
from .looking import Looking
from .sweeping import Sweeping

_INTERVAL = 0.25  # seconds between two looks at the files while the board is live


@dataclass(eq=False, repr=False)
class Commands:
    """The commands on a registry and its plugin files; `all` has them by the name to type."""

    registry: Registry
    reloader: Reloader
    installed: Installed
    acceleration: Acceleration
    workbench: Workbench
    history: History
    board: Board
    recording: Recording
    sweeping: Sweeping
    lesson: Callable[[Any], None]
    error_output: ErrorOutput
    looking: Looking
    out: Terminal
    progress: Callable[[int, int, str], None]

    def __post_init__(self) -> None:
        self._start = self.registry.snapshot
        self._drawings = Drawings(self.workbench, self.history, self.out)
        functions: dict[str, Callable[..., Any]] = {
            "show": self.show,
            "source": self.source,
            "changes": self.changes,
            "errors": self.errors,
            "retry": self.retry,
            "watching": self.watching,
            "status": self.status,
            "bench": self.bench,
            "frameworks": self.frameworks,
            "load": load,
            "verify": self.workbench.verify,
            "diff": self._drawings.diff,
            "draw": self._drawings.draw,
            "before": self.history.before,
            "history": self.history.log,
            "inputs": self.workbench.inputs,
            "trace": self.workbench.trace,
            "watch": self.workbench.watch,
            "passes": self.workbench.passes,
            "sweep": self.sweeping.sweep,
            "reproduce": self.reproduce,
            "inference_cost": of_opened(inference_cost),
            "range_analysis": of_opened(range_analysis),
            "record": self.record,
            "lesson": self.lesson,
            "help": self.help,
        }
        self.all = {name: Command(name, function) for name, function in functions.items()}

    def show(
        self,
        thing: Any,
        *,
        around: str = "",
        hops: int = 2,
        op: str = "",
        lines: int | None = None,
        viewer: str = "",
    ) -> None:
        """Prints what is known of a plugin, by itself or by its name, or of any object. `x?` is `show(x)`.

        Of a model it draws the graph: what is within `hops` of the node `around`, the nodes of the type `op`, at most
        `lines` lines; by default what fits the screen, with 0 all, and all where the output is no terminal.
        `viewer="netron"` opens it in Netron, where that is installed.
        """
        if viewer:
            self._drawings.open_in(viewer, thing)
            return
        is_plugin = isinstance(thing, str) and details.plugin_of(thing, self.registry.snapshot) is not None
        if not is_plugin and self._drawings.show(thing, Part(around, hops, op, lines)):
            return
        if isinstance(thing, (Namespace, Listing)):
            self.out.write(
                registry_report.listing(thing.all() if isinstance(thing, Namespace) else thing, self.out.width)
            )
            return
        if onnx_values.is_part(thing):
            self.out.write([("", f"{shown(thing, self.out.width)[0]}\n")])
            return
        thing, plugin = self._thing_and_plugin(thing)
        self.out.write(fields(details.fields(thing, plugin, self.registry.snapshot), self.out.width))
        if doc := details.docstring(thing):
            self.out.write([("", "\n"), ("", filled(doc, self.out.width, "  "))])

    def source(self, thing: Any) -> None:
        """Prints the source of a plugin, by itself or by its name, or of a class or function. `x??` is `source(x)`."""
        thing, plugin = self._thing_and_plugin(thing)
        text = details.source(thing, plugin)
        if text is None:
            self.out.write([("warning", f"no source found for {getattr(thing, '__name__', type(thing).__name__)}\n")])
        else:
            self.out.write_source(text if text.endswith("\n") else text + "\n")

    def changes(self) -> None:
        """Prints the changes of the registry since the start."""
        differences = changes_between(self._start, self.registry.snapshot)
        if not differences:
            self.out.write([("dim", "no change since the start\n")])
            return
        self.out.write(registry_report.change_lines(differences, self.out.width))
        self.out.write(registry_report.counts(self._start, self.registry.snapshot, self.out.width))

    def errors(self) -> None:
        """Prints the last command's error and the failures of plugin files again, each with its whole traceback."""
        for trace in filter(None, (self.error_output.last, self.error_output.last_internal)):
            self.out.write_traceback(trace)
        if not self.reloader.failures:
            self.out.write([("dim", "no plugin file fails\n")])
        for failed in self.reloader.failures.values():
            self.out.write(reload_report.failure(failed, self.out.width))
            self.out.write_traceback(failed.trace)

    def retry(self, file: str | None = None) -> None:
        """Executes the plugin files that failed again, as they are: for when the cause was not in the file.

        `retry("file.py")` executes that file again, though it has not changed: for when its data did.
        """
        if file is not None:
            paths = self._named(file)
            if len(paths) == 1:
                self.looking.retry(paths[0])
            else:
                problem = f"{file!r} names {len(paths)} files" if paths else f"no file {file!r} is watched"
                self.out.write([("warning", wrapped(f"{problem}; watching() lists them", self.out.width))])
        elif not self.reloader.failures:
            self.out.write([("dim", "no plugin file fails\n")])
        elif not self.looking.retry():
            self.out.write([("warning", "still failing; see errors()\n")])

    def _named(self, file: str) -> list[str]:
        """The watched files that a path, or the end of one, names."""
        watched = {*self.reloader.plugin_files, *self.reloader.helpers, *self.reloader.package_modules}
        end = os.sep + os.path.normpath(os.path.expanduser(str(file))).lstrip(f".{os.sep}")
        return sorted(path for path in watched if path.endswith(end))

    def watching(self) -> None:
        """Prints the files that are watched: plugin files, the helpers that they import, packages under development."""
        self.out.write(reload_report.watched_files(self.reloader, self.out.width))

    def status(self, *, live: bool = False) -> None:
        """Prints the board: the plugin file saved last, the registry, the last registration, what was measured.

        The counts are since the last look at the board. `live=True` keeps it on the screen, following the files as they
        are saved, until a key is pressed.
        """
        if not live:
            self.out.write(board_text.board(self.board.view(), self.out.width, self.out.height_above_prompt))
            return
        with self.out.held() as screen:

            def draw() -> None:
                board = board_text.board(self.board.view(), screen.width, screen.height - 2)
                screen.write([*board, ("dim", "any key leaves the board\n")])

            live_view.until_key(screen.stream, draw, self.looking.look, _INTERVAL)

    def bench(self, runs: int = 3) -> None:
        """Measures how long it takes to know every transformation of QONNX: by importing them, and by the index.

        Each way is run so many times, in processes of its own; nothing is simulated. The board shows it from then on.
        """
        from ..teach.bench import measure  # only now: few sessions measure

        try:
            self.board.discovery = discovery = measure(runs, self.progress)
        finally:
            self.progress(1, 1, "")
        self.out.write(board_text.discovery_table(discovery, min(self.out.width, 100)))

    def frameworks(self) -> None:
        """Prints the frameworks: which version was found where, how much it brings, what is unavailable and why."""
        from ..frameworks.wanted_qonnx import wanted_qonnx  # only now: few sessions ask

        followed = {package.name: f"  {reload_report.followed(package)}" for package in self.reloader.packages}
        for framework in self.installed.installations():
            why_slow = self.acceleration.why_not() if framework.name == "qonnx" else None
            self.out.write(frameworks_report.framework(framework, self.out.width, why_slow))
            if wanted := wanted_qonnx(framework.name):
                self.out.write(frameworks_report.another_qonnx(wanted, self.out.width))
            if framework.name in followed:
                self.out.write([("", wrapped(followed[framework.name], self.out.width, "    "))])

    def record(self, path: str) -> None:
        """Writes the session so far into a file: one that runs, or, by its name, a lesson, a test or an asciicast.

        What was printed is in it as comments; in a lesson, `name.md`, as what each step has to print, which
        `bsrepl --check` tells. A test, `test_name.py`, is for pytest: it passes as long as each command does what it
        does now: registrations, nodes, verdicts, plain values. To find that out, the commands run again. An asciicast,
        `name.cast`, is for the players of asciinema. Raises RecordingError if the file exists and is no recording.
        """
        written = Path(os.path.expanduser(path))
        size = self.out.width, self.out.height
        test = partial(recorded_test.written, written, self.reloader.plugin_files)
        count = self.recording.write(written, size, test)
        self.out.write([("added", f"{written} has the session"), ("", f": {counted(count, 'command')}\n")])

    def reproduce(self, folder: str, *, reduce: bool = False, limit: float = 60.0) -> None:
        """Writes the last failure of a pass, or the last difference, into a folder, with a script that shows it.

        The model, the inputs and the sources of the passes are in it; the script needs nothing but QONNX. With
        `reduce=True`, the model is cut down to the smallest part that still shows it, with the values at the cut as its
        inputs; weights that are not needed become random numbers. That takes `limit` seconds at most, and a Ctrl-C
        keeps the smallest part so far. Raises ReproductionError if there is no failure, it cannot be written down, or
        the folder has something else in it.
        """
        script, how = self.workbench.reproduce(folder, reduce=reduce, limit=limit)
        if how:
            self.out.write([("", f"{how}\n")])
        self.out.write([("added", f"{script} shows it"), ("", f": python {script}\n")])

    def help(self, thing: Any = None) -> None:
        """Prints what the shell preloads; with a page of the manual, a command, a plugin or any object, that one."""
        width = self.out.width
        thing = manual.PAGE_OF.get(thing, thing) if isinstance(thing, str) else thing
        if isinstance(thing, str) and thing in manual.titles():
            usage = [*self.all[thing].styled(width, True), ("", "\n")] if thing in self.all else []
            self.out.write(usage + rendered(manual.page(thing), width))
            return
        thing = self.all.get(thing, thing) if isinstance(thing, str) else thing
        if thing is None or thing is self.all["help"]:
            self.out.write(help_page(self.all, manual.titles(), width))
        elif isinstance(thing, Command):
            self.out.write(thing.styled(width, True))
        elif isinstance(thing, Namespace):
            self.out.write(namespace_page(thing, self.out.width))
        else:
            try:
                self.show(thing)
            except UnknownPlugin as error:
                raise UnknownPlugin(f"{error}; help() lists pages and commands") from None

    def _thing_and_plugin(self, thing: Any) -> tuple[Any, Plugin | None]:
        """The object to tell about and the plugin that it is; a string means the plugin of that name.

        Raises UnknownPlugin if there is none.
        """
        plugin = details.plugin_of(thing, self.registry.snapshot)
        if plugin is None and isinstance(thing, str):
            names = [plugin.name for kind in KINDS for plugin in self.registry.snapshot.plugins(kind)]
            near = ", ".join(nearest(thing, names))
            raise UnknownPlugin(f"no plugin {thing!r}; " + (f"nearest: {near}" if near else "tfm.all() lists some"))
        return (plugin.load() if plugin is not None else thing), plugin
