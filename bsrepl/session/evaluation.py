"""A command becomes a turn: it is run, and what it did to the registry and to models is found out."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from ..errors import Left, Terminated
from ..frameworks.qonnx.acceleration import Acceleration
from ..frameworks.qonnx.observing import Application, Observations
from ..models.held import Held, Models
from ..models.last_failure import LastFailure
from ..models.snapshots import Snapshots
from ..models.unasked import UnaskedProofs
from ..registry.snapshot import Snapshot
from ..registry.store import Registry
from ..reload.imports.process_state import end_if_forked
from ..reload.imports.standard_streams import StandardStreams
from ..text import tracebacks
from ..text.tee import Cursor, Tee, teed
from .session import Session
from .turn import ModelOutcome, StoppedAt, Turn

PRINTED_LIMIT = 4_000  # characters of what a command prints that its turn keeps
_LEAVING = ("exit()", "quit()", "sys.exit()")


class Running(NamedTuple):
    """A command that runs, and what is noted of it."""

    code: str
    before: Snapshot
    held: Held
    seen: Observations
    tee: Tee
    cursor: Cursor
    started: float
    internal: list[Exception]  # what went wrong in bsrepl itself


class Evaluator:
    """Runs commands in a session.

    `snapshots` are of models as they were. `adopt` registers what libraries that a command imported have come to know.
    `clock` measures in seconds.
    """

    def __init__(
        self,
        session: Session,
        registry: Registry,
        failure: LastFailure,
        proofs: UnaskedProofs,
        acceleration: Acceleration,
        snapshots: Snapshots,
        adopt: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self._session = session
        self._registry = registry
        self._failure = failure
        self._proofs = proofs
        self._acceleration = acceleration
        self._adopt = adopt
        self._clock = clock
        self._models = Models(session.namespace, snapshots.content_of, clock)

    def evaluate(self, code: str) -> Turn:
        """Runs a command, whatever it raises: KeyboardInterrupt and SystemExit end the command, not the session.

        Raises Terminated alone: a signal wants the process to end. A child that the command forked ends with it.
        """
        value: Any = None
        error: BaseException | None = None
        process = os.getpid()
        with self.observing(code) as command:
            with StandardStreams() as streams:
                try:
                    value = self._session.run(code)
                except Terminated:
                    raise
                except BaseException as raised:
                    error = tracebacks.askable(raised)
                end_if_forked(process, error)
                reopened = streams.restored()
            if reopened:
                print(f"{' and '.join(reopened)} opened again: the session needs it", file=sys.stderr)
        return self.turn(command, value, error)

    @contextmanager
    def observing(self, code: str) -> Iterator[Running]:
        """While this lasts, a command runs, and what it prints and does to models is noted, for `turn`."""
        internal: list[Exception] = []
        held = self._held(code, internal)
        before = self._registry.snapshot
        started = self._clock()
        with (
            teed(PRINTED_LIMIT) as (tee, cursor),
            self._acceleration.active(),
            self._models.observed(held) as seen,
        ):
            yield Running(code, before, held, seen, tee, cursor, started, internal)

    def turn(self, command: Running, value: Any, error: BaseException | None) -> Turn:
        """What came of a command that returned a value or raised."""
        code, before, held, seen, tee, cursor, started, internal = command
        stopped_at = None
        leaves = error if isinstance(error, SystemExit) and self._is_leaving(code, error) else None
        if error is not None and leaves is None:
            try:
                self._keep_failure(seen.applications, error)
                stopped_at = self._stopped_at(code, error)
            except Exception as unforeseen:
                internal.append(unforeseen)
        outcomes, was_interrupted = self._consequences(held, seen, internal)
        stopped = _unfinished(seen.applications) if isinstance(error, KeyboardInterrupt) else None
        return Turn(
            code,
            before,
            self._registry.snapshot,
            value,
            error,
            stopped_at,
            tee.text,
            outcomes,
            self._clock() - started,
            leaves,
            was_interrupted,
            internal,
            cursor.is_at_line_start,
            "" if stopped is None else stopped.name,
        )

    def _held(self, code: str, internal: list[Exception]) -> Held:
        """The models before a command. Whatever goes wrong is added to `internal`: then they are not followed."""
        self._proofs.settle()
        try:
            return self._models.before(code, lambda: self._session.parsed(code))
        except Exception as unforeseen:
            internal.append(unforeseen)
            return Held({}, {}, code, lambda: None)

    def _consequences(
        self, held: Held, seen: Observations, internal: list[Exception]
    ) -> tuple[list[ModelOutcome], bool]:
        """What happened to models, as far as it was found out, and whether a Ctrl-C stopped that.

        Whatever goes wrong is added to `internal`.
        """
        outcomes: list[ModelOutcome] = []
        try:
            self._adopt()
            outcomes.extend(self._outcomes(held, seen))
        except KeyboardInterrupt:
            return [*outcomes, *self._unproven(held, seen, {outcome.change.name for outcome in outcomes})], True
        except Exception as unforeseen:
            internal.append(unforeseen)
        return outcomes, False

    def _unproven(self, held: Held, seen: Observations, known: set[str]) -> list[ModelOutcome]:
        """What happened to models, of which nothing is executed; nothing if a Ctrl-C stops that too."""
        try:
            changes = list(self._models.changes(held, seen))
        except (Exception, KeyboardInterrupt):
            return []
        return [ModelOutcome(change, None) for change in changes if change.name not in known]

    def _keep_failure(self, applications: Sequence[Application], error: BaseException) -> None:
        """Lets `reproduce` write down the pass that raised, if one did."""
        if (stopped := _unfinished(applications)) is not None:
            self._failure.raised(stopped.source, [stopped.transformation], error)

    def _stopped_at(self, code: str, error: BaseException) -> StoppedAt | None:
        line = tracebacks.line_in(error, self._session.filename)
        if line is None or not self._session.statements_before(code, line):
            return None
        return StoppedAt(line, code.count("\n") + 1)

    def _outcomes(self, held: Held, seen: Observations) -> Iterator[ModelOutcome]:
        for change in self._models.changes(held, seen):
            yield ModelOutcome(change, self._proofs.proof(change))
        if self._models.are_any:
            self._proofs.get_ready()

    def _is_leaving(self, code: str, error: SystemExit) -> bool:
        """Whether a command is `exit()`, `quit()`, `sys.exit(N)` or `raise SystemExit`, and nothing else."""
        tree = self._session.parsed(code)
        if tree is None or len(tree.body) != 1:
            return False
        (statement,) = tree.body
        if isinstance(statement, ast.Raise) and statement.exc is not None:
            return ast.unparse(statement.exc).partition("(")[0] == "SystemExit"
        if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
            return False
        if isinstance(error, Left):
            return tracebacks.is_raised_by_call(error)
        return f"{ast.unparse(statement.value.func)}()" in _LEAVING


def _unfinished(applications: Sequence[Application]) -> Application | None:
    """The pass that had not ended, or raised; None if none was running."""
    return next((each for each in reversed(applications) if each.depth == 1 and each.result is None), None)
