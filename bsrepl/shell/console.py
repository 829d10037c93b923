"""What happens around a command: look at the files, evaluate it, tell what came of it. Without a prompt, so that a
script and a test can do what the shell does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from io import StringIO
from typing import Any

from .. import __version__
from ..models import report as models_report
from ..models.history import History
from ..models.unasked import Proof, UnaskedProofs
from ..registry.store import Registry
from ..reload.imports import interrupts
from ..reload.reloader import Reloader
from ..session import pasted
from ..session.evaluation import Evaluator
from ..session.magic_arguments import least_seconds
from ..session.session import Session
from ..session.turn import Turn
from ..teach.board import Board
from ..teach.guide import Guide, Problem
from ..teach.lesson import Lesson
from ..teach.play import play
from ..teach.recording import Entry, Recording
from ..teach.tour import Tour
from ..text.styled import Text, advice, asides, plain, timing
from ..text.terminal import Terminal
from .banner import banner
from .error_output import ErrorOutput, last_line
from .looking import Looking
from .telling import changes_text, models_text, short_verdict, unkept, value_text


class Console:
    """A session on a registry and its plugin files, telling what happens on two terminals, `out` and `err`.

    `assembly.console` builds one with all its parts.
    """

    def __init__(
        self,
        registry: Registry,
        reloader: Reloader,
        session: Session,
        evaluator: Evaluator,
        looking: Looking,
        proofs: UnaskedProofs,
        history: History,
        board: Board,
        errors: ErrorOutput,
        out: Terminal,
        err: Terminal,
        *,
        notes: Callable[[], list[str]],
        trusting: bool,
        on_close: Sequence[Callable[[], None]],
    ) -> None:
        self.registry = registry
        self.reloader = reloader
        self.session = session
        self.looking = looking
        self.board = board
        self.errors = errors
        self.out = out
        self.err = err
        self.recording = Recording()
        looking.on_saved(self.recording.save)
        out.hear = err.hear = self.recording.hear
        self.tour = Tour(out, self._guide, trusting=trusting)
        self.evaluator = evaluator
        self.proofs = proofs
        self._history = history
        self._notes = notes
        self._on_close = on_close
        self._least_time = 0.0  # seconds; of quicker commands the time is not printed
        session.magics.add("timing", self._set_timing)

    @property
    def shows_time(self) -> bool:
        """Whether it is printed how long commands and reloads take."""
        return self.looking.shows_time

    @shows_time.setter
    def shows_time(self, is_on: bool) -> None:
        self.looking.shows_time = is_on

    def _set_timing(self, setting: str) -> None:
        """Sets which times are printed: `%timing on`, `%timing off`, `%timing 10` those of 10 ms and more."""
        self._least_time, self.shows_time = least_seconds(setting), setting != "off"

    def notes(self) -> Text:
        """What is to be told once."""
        return self._asides(self._notes())

    def look(self, *, looked: bool = False) -> bool:
        """Brings the registry up to what is on disk and tells what that changed. Returns whether anything was told.

        A tour may go on by it. With `looked`, `Reloader.is_due` was just called.
        """
        with self.guarded():
            if self.looking.look(looked=looked):
                self.tour.after(None, failed=bool(self.reloader.failures))
                return True
        return False

    def guarded(self) -> AbstractContextManager[None]:
        """Whatever goes wrong in here is told as an internal error, and ends here."""
        return _Guarded(self.tell_internal)

    def tell_internal(self, error: BaseException) -> None:
        """Tells that something went wrong in bsrepl itself, if that can be told at all."""
        try:
            self.errors.write_internal(error)
        except Exception:  # the terminal itself fails: nobody can be told
            self._reopen()

    def _reopen(self) -> None:
        """Gives the terminals a stream again, if what they had was closed."""
        for terminal, original in ((self.out, sys.__stdout__), (self.err, sys.__stderr__)):
            if terminal.stream.closed and original is not None and not original.closed:
                terminal.stream = original

    def greet(self) -> None:
        """Prints what a session begins with."""
        self.reloader.is_due()  # so that the files are counted; they are executed, and told of, afterwards
        self.out.write(banner(self.registry.snapshot, __version__, self.reloader.watched, self.out.width))

    def run(self, text: str, steps: Sequence[str] = ()) -> Entry:
        """Runs a command as if typed: the files are looked at; its value or error, the changes and the time are told.

        `steps` are what was done to a pasted text before it came here. Returns the command with what it printed.
        Raises SystemExit if the command is one that leaves the session, and Terminated if a signal ends the process.
        """
        code = pasted.cleaned(text, self.session.understands)
        screen = self.recording.begin()
        with self.guarded():
            self.tell_late_proofs()
            self.out.write(self._asides([*steps, *code.steps]))
            self.looking.look(is_command=True)
            self.looking.reported = self.registry.snapshot
        position = self.tour.position
        entry = Entry(code.text, failed=True)
        with self.guarded():
            with self.out.overheard() as heard:
                turn = self.evaluator.evaluate(code.text)
            self.recording.hear([("", turn.printed)])
            entry = Entry(code.text, turn.printed, turn.failed)
            if turn.leaves is not None:
                raise turn.leaves
            entry = self.tell(turn, plain(heard))
            self.session.magics.after(turn.error)
        with self.guarded():
            self.out.write(self._asides(interrupts.claimed()))
        self.recording.add(entry._replace(screen=screen))
        self.lead(entry, position)
        return entry

    def lead(self, entry: Entry, position: tuple[Guide | None, int]) -> None:
        """Goes on in a tour, if one is running, after a command; `position` is where it was before it."""
        if self.tour.guide is not None:
            with self.guarded():
                self.looking.look()  # it may have saved a file
                if self.tour.position == position:  # not `tour.next()` and the like
                    self.tour.after(entry.code, entry.failed)

    def tell(self, turn: Turn, heard: str = "") -> Entry:
        """Prints a turn. Returns the command with all that was printed, times left out.

        `heard` is what commands of the shell wrote themselves.
        """
        shown: Text = []
        if not turn.ends_line:
            self.out.write([("", "\n")])
        if turn.error is not None:
            self.errors.write(turn.error, turn.stopped_at)
        elif turn.value is not None:
            shown += self._write(value_text(turn.value, turn.after, self.out.width, self.shows_time))
        shown += self.tell_consequences(turn)
        result = shown if turn.error is None else [("error", last_line(turn.error))]
        return Entry(turn.code, turn.printed + heard + plain(result), turn.failed, seconds=turn.seconds)

    def tell_consequences(self, turn: Turn) -> Text:
        """Prints what a turn did to the registry and to models, and its time. Returns it, times left out."""
        shown: Text = []
        self.out.write(self.notes())
        self.board.note(turn.before, turn.after)
        if turn.after is not self.looking.reported:
            shown += self._write(changes_text(turn, self.looking.reported, self.out.width))
        if turn.models or turn.was_interrupted or turn.stopped_pass:
            shown += self._write(models_text(turn, self.out.width, self.shows_time))
        if turn.models:
            outcomes = ((outcome.change, short_verdict(outcome)) for outcome in turn.models)
            self._history.note(turn.code, outcomes, turn.seconds)
            if (advised := unkept(turn)) is not None:
                self.out.write(advice(advised, self.out.width))
        for error in turn.internal:
            self.tell_internal(error)
        if self.shows_time and turn.seconds >= self._least_time:
            self.out.write(timing(turn.seconds))
        return shown

    def tell_late_proofs(self) -> None:
        """Prints the proofs of changes of earlier commands that have come since."""
        for proof in self.late_proofs():
            self.out.write(models_report.late_proof(proof, self.out.width))

    def late_proofs(self) -> Iterator[Proof]:
        """The proofs of changes of earlier commands that have come since; the history has them from then on."""
        for proof in self.proofs.late():
            if proof.verdict is not None:
                self._history.settle(proof.change.name, proof.verdict.short)
            yield proof

    def _asides(self, messages: list[str]) -> Text:
        """Asking for the width of the terminal costs more than most commands: it is done where there is something."""
        return asides(messages, self.out.width) if messages else []

    def _write(self, text: Text) -> Text:
        self.out.write(text)
        return [(style, part) for style, part in text if style != "time"]

    def tell_error(self, error: BaseException) -> None:
        """Prints an exception of what was run in the session."""
        with self.guarded():
            self.errors.write(error)

    def play(self, lesson: Lesson, pause: Callable[[float], None], limit: float = 0.0) -> list[Problem]:
        """Plays a lesson by itself, `pause` waiting for seconds. Returns what did not do what it should.

        A step may take `limit` seconds; 0 is any time.
        """
        guide = self._guide(lesson)
        try:
            hand_in = self._hand_in if self.reloader.plugin_files else None
            return play(guide, self.out, run=self.run, look=self.look, pause=pause, hand_in=hand_in, limit=limit)
        finally:
            guide.end()

    def _hand_in(self) -> None:
        """Gives the session what the plugin files define, as if it had been typed."""
        for module in self.reloader.modules.values():
            self.session.namespace |= {name: value for name, value in vars(module).items() if not name.startswith("_")}

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

    def _guide(self, lesson: Lesson, alone: bool = False) -> Guide:
        """What leads through a lesson in this session."""
        return Guide(lesson, self.session.namespace, self.registry, self.looking, self._value_of, alone=alone)

    def _value_of(self, expression: str) -> Any:
        return eval(expression, self.session.namespace)

    def close(self) -> None:
        """Withdraws what the plugin files registered, and leaves the import system as it was."""
        self.tour.quit()
        self.reloader.close()
        self.session.close()
        for close in self._on_close:
            close()


class _Guarded(AbstractContextManager[None]):
    """Gives an exception to a function, and ends it. A class, as each command goes through several: a generator takes
    three times as long."""

    def __init__(self, tell: Callable[[Exception], None]) -> None:
        self._tell = tell

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, Exception):
            return False
        self._tell(error)
        return True
