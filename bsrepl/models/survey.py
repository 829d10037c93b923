"""Which passes would change a model: each is tried on a copy, in a process of its own, with a time limit.

The processes are forked, so that they have everything that the session has. What a pass imports, prints, writes into
the current folder or breaks does not reach the session.
"""

from __future__ import annotations

import inspect
import os
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import connection, get_context
from typing import Any, NamedTuple

from qonnx.core.modelwrapper import ModelWrapper

from ..errors import UnavailablePlugin
from ..frameworks.qonnx.observing import name_of
from ..graphdiff.words import in_short
from ..registry.plugin import BRAINSMITH, Key, Origin, Plugin
from ..text.format import error_line
from ..text.styled import Styled, Text
from .trace import is_pass, trace
from .trace_result import Trace

CHANGES, ANNOTATES, RENAMES, NOTHING, ARGUMENTS, FAILED, LATE, UNAVAILABLE = (
    "changes the model", "annotates only", "renames only", "changes nothing", "needs arguments", "failed",
    "took too long", "unavailable",
)  # fmt: skip


class Tried(NamedTuple):
    """The outcome of trying one pass."""

    plugin: Plugin
    outcome: str
    detail: str  # what it changes, or why it failed


class Survey(Styled):
    """The outcomes of trying passes on a model. Iterates over the plugins that would change it."""

    def __init__(self, tried: Sequence[Tried], left: int) -> None:
        self.tried = tuple(tried)
        self.left = left  # the number of passes that were not tried, because of a Ctrl-C

    def of(self, outcome: str) -> list[Tried]:
        """The passes with an outcome."""
        return [tried for tried in self.tried if tried.outcome == outcome]

    def __iter__(self) -> Iterator[Plugin]:
        return (tried.plugin for tried in self.of(CHANGES))

    def __len__(self) -> int:
        return len(self.of(CHANGES))

    def rows(self) -> list[tuple[str, str, str]]:
        """The passes that would change the model: what to type, what it changes, its stage."""
        return [(str(tried.plugin.key), tried.detail, tried.plugin.stage or "") for tried in self.of(CHANGES)]

    def conclusion(self) -> list[str]:
        """A line for each other outcome; passes that failed have a line of their own, with the reason."""
        lines = [f"{len(self)} of {len(self.tried)} would change the model"]
        if annotating := self.of(ANNOTATES):
            details = [f"{tried.plugin.key} ({tried.detail})" for tried in annotating]
            lines.append(f"{ANNOTATES} ({len(annotating)}): {', '.join(details)}")
        for outcome in (RENAMES, NOTHING, ARGUMENTS, LATE):
            tried = self.of(outcome)
            names = "" if outcome == NOTHING else f": {', '.join(str(one.plugin.key) for one in tried)}"
            lines += [f"{outcome} ({len(tried)}){names}"] if tried else []
        failed = self.of(FAILED) + self.of(UNAVAILABLE)
        lines += [f"{tried.plugin.key} {tried.outcome}: {tried.detail}" for tried in failed]
        return [*lines, *([f"interrupted; {self.left} not tried"] if self.left else [])]

    def styled(self, width: int, shows_time: bool) -> Text:
        from .report import survey_table

        return survey_table(self, width)

    def __repr__(self) -> str:
        return "\n".join(["  ".join(row) for row in self.rows()] + self.conclusion())


def as_plugin(applied: Any, plugins: Sequence[Plugin]) -> Plugin:
    """The plugin that a class is; for an instance, a step or what is not registered, one that stands for it."""
    name = name_of(applied)
    same = (plugin for plugin in plugins if plugin.name == name and plugin.is_loaded and plugin.load() is applied)
    key = Key("transform" if is_pass(applied) else "step", BRAINSMITH, name)
    return next(same, None) or Plugin(key, applied, Origin("<session>", 0), {})


def survey(
    model: ModelWrapper, plugins: Sequence[Plugin], limit: float, progress: Callable[[int, str], None]
) -> Survey:
    """Tries each plugin for `limit` seconds at most, as many at a time as there are processors.

    `progress` is called with the number of plugins tried so far and the name of the last one. A KeyboardInterrupt
    ends it; the outcomes so far are returned.
    """
    waiting = list(reversed(plugins))
    running: dict[connection.Connection, _Child] = {}
    outcomes: list[Tried] = []
    try:
        while waiting or running:
            while waiting and len(running) < (os.cpu_count() or 1):
                child = _Child(waiting.pop(), model, limit)
                running[child.result] = child
            nearest = min(child.deadline for child in running.values())
            ready = connection.wait(list(running), max(nearest - time.monotonic(), 0))
            for result, child in list(running.items()):
                if result not in ready and child.deadline > time.monotonic():
                    continue
                tried = child.finished()
                del running[result]
                outcomes.append(tried)
                progress(len(outcomes), str(tried.plugin.key))
    except KeyboardInterrupt:
        pass
    finally:
        for child in running.values():
            child.kill()
    order = {plugin: place for place, plugin in enumerate(plugins)}
    return Survey(sorted(outcomes, key=lambda tried: order[tried.plugin]), len(plugins) - len(outcomes))


class _Child:
    """A process that tries one pass."""

    def __init__(self, plugin: Plugin, model: ModelWrapper, limit: float) -> None:
        self._plugin = plugin
        self._limit = limit
        self.deadline = time.monotonic() + limit
        self.result, there = get_context("fork").Pipe(duplex=False)
        self._process = get_context("fork").Process(target=_try, args=(plugin, model, there))
        with _interrupts_blocked(), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # about forking while threads complete names
            self._process.start()
        there.close()

    def finished(self) -> Tried:
        """The outcome, once the process has ended or its time is up."""
        try:
            outcome, detail = self.result.recv() if self.result.poll() else (LATE, f"more than {self._limit:g} s")
        except EOFError:
            self._process.join()
            outcome, detail = FAILED, f"its process ended with status {self._process.exitcode}"
        self.kill()
        return Tried(self._plugin, outcome, detail)

    def kill(self) -> None:
        """Ends the process and those that it started."""
        try:
            os.killpg(self._process.pid or 0, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # it has ended, or has no group yet
            self._process.kill()
        self._process.join()
        self.result.close()


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Blocks SIGINT in the processes that are started meanwhile: a Ctrl-C is for the shell."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _try(plugin: Plugin, model: ModelWrapper, answer: connection.Connection) -> None:
    """Runs in the child."""
    os.setsid()
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as nowhere:
        sys.stdout = sys.stderr = nowhere
        for stream in (0, 1, 2):
            os.dup2(nowhere.fileno(), stream)
        os.chdir(folder)
        os.environ["NUM_DEFAULT_WORKERS"] = "1"
        answer.send(_outcome(plugin, model))
        os.chdir("/")


def _outcome(plugin: Plugin, model: ModelWrapper) -> tuple[str, str]:
    try:
        cls = plugin.load()
        if isinstance(cls, type):
            inspect.signature(cls).bind()
    except UnavailablePlugin as error:
        return UNAVAILABLE, str(error)
    except (TypeError, ValueError):
        return ARGUMENTS, ""
    result: Trace = trace(model, [cls], clock=time.perf_counter)
    if result.error is not None:
        return FAILED, error_line(result.error)[:200]
    difference = result.rows[0].difference
    assert difference is not None
    if difference.is_renamed_only:
        return RENAMES, ""
    outcome = ANNOTATES if difference.is_annotated_only else CHANGES if difference else NOTHING
    return outcome, in_short(difference) if difference else ""
