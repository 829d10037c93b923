"""`%load_ext bsrepl`: the shell's eyes in IPython and Jupyter. IPython reads, runs and shows the cells, as ever."""

from __future__ import annotations

import ast
import asyncio
import shlex
import sys
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from pathlib import Path
from typing import Any

from ..frameworks.qonnx.analysis_results import Cost, Ranges
from ..models.process.executor import Executor
from ..models.unasked import Proof
from ..registry.plugin import Origin, Plugin
from ..registry.store import registry
from ..reload.imports.development import Development
from ..session.evaluation import Running
from ..session.turn import Turn
from ..shell import assembly, places
from ..shell.error_output import last_line
from ..shell.settings import Settings
from ..shell.telling import models_text, value_text
from ..teach.recording import Entry
from ..text import onnx_values
from ..text.styled import Styled, Text, asides, plain
from ..text.terminal import Terminal, wants_color
from .completion import matcher
from .notebook import Notebook, Output

_PATIENCE = 0.9  # seconds that a cell waits for the proof of what it did to models
_INTERVAL = 0.2  # seconds between two looks for a late proof while no cell runs

_MODELS = ("qonnx.core.modelwrapper.ModelWrapper", "onnx.onnx_ml_pb2.ModelProto")
_DICTS = (Cost, Ranges)  # tables that are dicts: IPython would print them as such

_loaded: list[Extension] = []  # one at most


def load_ipython_extension(shell: Any) -> None:
    """Looks at the files before each cell, and tells after it what it did to the registry and to models."""
    extension = Extension(shell)
    _loaded.append(extension)
    extension.greet()


def unload_ipython_extension(shell: Any) -> None:
    """Leaves the kernel as it was."""
    while _loaded:
        _loaded.pop().close()


class Extension:
    """A console whose commands are the cells of an IPython shell."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._is_notebook = hasattr(shell, "kernel")
        self._out = Notebook() if self._is_notebook else Terminal(sys.stdout, wants_color("auto", sys.stdout))
        self._executor = Executor()
        names_before = set(shell.user_ns)
        settings = Settings(index_file=places.index_file(), development=Development(), module=shell.user_module)
        self._console = assembly.console(registry, (), self._out, self._out, self._executor, settings)
        self._console.proofs.patience = _PATIENCE
        self._names = {name: shell.user_ns[name] for name in set(shell.user_ns) - names_before}
        shell.user_ns_hidden.update(self._names)
        self._running: ExitStack | None = None
        self._command: Running | None = None
        self._position = self._console.tour.position  # before the cell that runs
        self._screen: Text = []  # what appears of the cell that runs
        self._awaiting: list[tuple[Turn, Output]] = []  # turns with verdicts that have not come
        self._changed: list[Output] = []  # since the last cell; who executes whole notebooks listens to cells alone
        self._is_polling = False
        self._events = {"pre_run_cell": self._before_cell, "post_run_cell": self._after_cell}
        for event, function in self._events.items():
            shell.events.register(event, function)
        self._bundles = shell.display_formatter.mimebundle_formatter
        self._bundles.for_type(Styled, self._plain)
        for kind in _MODELS:
            self._bundles.for_type(kind, _described)
        self._texts = shell.display_formatter.formatters["text/plain"]
        for table in _DICTS:
            self._texts.for_type(table, lambda value, printer, cycle: printer.text(self._plain(value)["text/plain"]))
        self._magics = {"bsrepl": self._watch, "timing": self._timing}
        for name, magic in self._magics.items():
            shell.register_magic_function(magic, "line", name)
        self._matcher = matcher(shell.user_ns)
        shell.Completer.custom_matchers.append(self._matcher)

    def greet(self) -> None:
        """Says that it is there, and which names the user has taken."""
        self._console.greet()
        if taken := self._console.session.taken:
            self._out.write(asides([f"{', '.join(taken)}: yours, not bsrepl's"], self._out.width))

    def close(self) -> None:
        """Takes out of the shell what this put into it."""
        for event, function in self._events.items():
            self._shell.events.unregister(event, function)
        for kind in (Styled, *_MODELS):
            self._bundles.pop(kind, None)
        for table in _DICTS:
            self._texts.pop(table, None)
        self._shell.Completer.custom_matchers.remove(self._matcher)
        for name in self._magics:
            self._shell.magics_manager.magics["line"].pop(name, None)
        for name, value in self._names.items():
            if self._shell.user_ns.get(name) is value:
                del self._shell.user_ns[name]
        self._shell.user_ns_hidden = {
            name: value for name, value in self._shell.user_ns_hidden.items() if name not in self._names
        }
        self._end_cell()
        self._console.close()
        self._executor.close()

    def _plain(self, value: Styled, **options: Any) -> dict[str, str]:
        """A value of ours as text; IPython asks for its HTML by itself, where that can be shown."""
        text = value.styled(self._out.width, self._console.shows_time)
        return {"text/plain": self._out.painted(text).rstrip("\n")}

    # The magics

    def _watch(self, line: str) -> None:
        """%bsrepl PATH ...: watches plugin files and folders of them. Without a path, lists what is watched."""
        paths = [Path(path).expanduser() for path in shlex.split(line)]
        for path in paths:
            if path.is_dir() or (path.is_file() and path.suffix == ".py"):
                self._console.reloader.add(str(path.absolute()))
            else:
                self._out.write([("warning", f"{path} is neither a folder nor a .py file; type %bsrepl PATH\n")])
        if paths:
            with self._gathered():
                self._console.look()
        else:
            self._console.session.namespace["watching"]()

    def _timing(self, line: str) -> None:
        """%timing on, off, or the least number of milliseconds that are told."""
        self._console.session.magics.line("timing", line)

    # Around a cell

    def _before_cell(self, info: Any) -> None:
        self._end_cell()
        self._screen = self._console.recording.begin()
        with self._console.guarded():
            self._tell_late_proofs()
            while self._changed:
                self._changed.pop().show()
            with self._gathered():
                self._console.looking.look(is_command=True)
            self._console.looking.reported = registry.snapshot
            self._position = self._console.tour.position
            self._leave_to_us()
            self._note(info)
            running = ExitStack()
            self._command = running.enter_context(self._console.evaluator.observing(info.raw_cell))
            self._running = running

    def _note(self, info: Any) -> None:
        """Makes a cell known before it runs: what it starts in other processes may need what it defines."""
        try:
            code = self._shell.transform_cell(info.raw_cell)
            ast.parse(code)
        except SyntaxError:  # IPython tells it
            return
        number = self._shell.execution_count if info.store_history else None
        self._console.session.note(code, f"<In[{number}]>")

    def _after_cell(self, result: Any) -> None:
        command = self._command
        self._end_cell()
        if command is None:
            return
        with self._console.guarded():
            self._name_cells(command)
            turn = self._console.evaluator.turn(command, None, result.error_in_exec or result.error_before_exec)
            printed = self._recorded(turn, result.result)
            with self._gathered() as output:
                if not turn.ends_line and not self._is_notebook:
                    self._out.write([("", "\n")])
                if turn.error is not None:
                    self._console.errors.advise(turn.error)
                shown = plain(self._console.tell_consequences(turn))
            entry = Entry(turn.code, printed + shown, turn.failed, self._screen, turn.seconds)
            self._console.recording.add(entry)
            with self._gathered():
                self._console.lead(entry, self._position)
                self._console.tour.show()
            if (guide := self._console.tour.guide) is not None and self._console.tour.position != self._position:
                self._shell.set_next_input(guide.proposal)
            if output is not None and _awaits(turn):
                self._awaiting.append((turn, output))
                self._poll()

    def _recorded(self, turn: Turn, value: Any) -> str:
        """What a cell printed, and what IPython showed: the error, and in a notebook the value."""
        text: Text = [("", turn.printed)]
        if turn.error is not None:
            text.append(("error", last_line(turn.error)))
        if self._is_notebook and value is not None:
            text += value_text(value, registry.snapshot, self._out.width, False)
        self._console.recording.hear(text)
        return plain(text)

    def _end_cell(self) -> None:
        """Ends what goes on while a cell runs."""
        running, self._running, self._command = self._running, None, None
        if running is not None:
            running.close()

    def _gathered(self) -> AbstractContextManager[Output | None]:
        return self._out.gathered() if isinstance(self._out, Notebook) else nullcontext()

    def _name_cells(self, command: Running) -> None:
        """Names the cells that plugins were defined in as IPython does, `In[3]`, not by the files that it makes up."""
        before, after = command.before, registry.snapshot
        for key in list(after.changed_since(before)):
            plugin = after.seen(key)
            label = None if plugin is None else self._shell.compile.format_code_name(plugin.origin.file)
            if plugin is not None and label is not None:
                registry.late.pop(plugin.origin.file, None)
                named = Plugin(plugin.key, plugin.target, Origin(f"<{label[1]}>", plugin.origin.line), plugin.metadata)
                registry.change((plugin,), (named,))

    def _leave_to_us(self) -> None:
        """Has `%autoreload` leave out the modules that are followed here: two that execute them undo each other."""
        magic = self._shell.magics_manager.magics["line"].get("autoreload")
        others = getattr(getattr(getattr(magic, "__self__", None), "_reloader", None), "skip_modules", None)
        if others is None:
            return
        reloader = self._console.reloader
        ours = {module.__name__ for module in (*reloader.modules.values(), *reloader.package_modules.values())}
        if new := ours - others.keys():
            others.update(dict.fromkeys(new, True))
            names = ", ".join(sorted({name.partition(".")[0] for name in new}))
            self._out.write(asides([f"%autoreload leaves {names} to bsrepl"], self._out.width))

    # Late proofs

    def _tell_late_proofs(self) -> None:
        if not self._is_notebook:
            self._console.tell_late_proofs()
            return
        for proof in self._console.late_proofs():
            self._awaiting = [self._completed(turn, output, proof) for turn, output in self._awaiting]
        self._awaiting = [(turn, output) for turn, output in self._awaiting if _awaits(turn)]

    def _completed(self, turn: Turn, output: Output, proof: Proof) -> tuple[Turn, Output]:
        """A turn with a proof, which is shown in its output if it is one of this turn."""
        outcomes = [
            outcome._replace(proof=proof) if outcome.change is proof.change else outcome for outcome in turn.models
        ]
        completed = turn._replace(models=outcomes)
        if any(outcome.change is proof.change for outcome in outcomes):
            output.replace(self._models(turn), self._models(completed))
            self._changed.append(output)
        return completed, output

    def _models(self, turn: Turn) -> Text:
        return models_text(turn, self._out.width, self._console.shows_time)

    def _poll(self) -> None:
        """Looks for late proofs now and then, between two cells, as long as there are any to come."""
        if self._is_polling:
            return
        with suppress(RuntimeError):  # no event loop runs
            asyncio.get_running_loop().call_later(_INTERVAL, self._polled)
            self._is_polling = True

    def _polled(self) -> None:
        self._is_polling = False
        with self._console.guarded():
            if self._running is None:  # otherwise, when the cell ends
                self._tell_late_proofs()
            if self._awaiting:
                self._poll()


def _awaits(turn: Turn) -> bool:
    return any(outcome.is_awaited for outcome in turn.models)


def _described(model: Any, **options: Any) -> dict[str, str]:
    """A model as a value: a few lines, where IPython has an address or all of it."""
    return {"text/plain": "\n".join(onnx_values.described(model) or [repr(model)])}
