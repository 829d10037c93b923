"""The shell: ptpython around a console."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import termios
from collections.abc import Callable
from functools import partial
from selectors import DefaultSelector
from typing import Any

import ptpython.python_input
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import Condition, has_focus, is_done
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import History
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout.containers import ConditionalContainer, Window
from prompt_toolkit.layout.controls import FormattedTextControl
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.styles import BaseStyle, merge_styles
from ptpython.completer import CompletePrivateAttributes
from ptpython.layout import CompletionVisualisation
from ptpython.repl import PythonRepl
from ptpython.signatures import Signature

from ...errors import Terminated
from ...session.event_loop import completed
from ...text.styled import Text
from ..console import Console
from .appearance import STYLE, CommandValidator, Prompt, indent_wrapped_lines
from .asking_jedi import names_for_jedi, signatures
from .attributes_completion import AttributeCompleter
from .completion import NamespaceCompleter
from .entering import Entering
from .gui import windows_live_on
from .keyboard import Keyboard, read_plainly
from .magics_completion import MagicCompleter
from .names_completion import NameCompleter
from .signals import ended_by, noticed, was_interrupted
from .status_bar import status_bar
from .styles import CodeStyles
from .unforeseen import GuardedCompleter, Unforeseen
from .values_completion import ValuesCompleter
from .waiting import Waiting

_MOST_FAILURES = 3  # of the prompt in a row, before commands are read line by line
_PATIENCE = 0.9  # seconds that a command waits for the proof of what it did to models
_MENU_HEIGHT = 8  # lines kept free below the input while completions are shown


class Shell(PythonRepl):
    """Reads commands with ptpython and hands them to a console, which looks at the plugin files while it waits."""

    def __init__(
        self,
        console: Console,
        *,
        interval: float = 0.5,
        color: bool = True,
        history: History | None = None,
        keyboard: Keyboard | None = None,
        input: Input | None = None,
        output: Output | None = None,
    ) -> None:
        self.console = console
        console.proofs.patience = _PATIENCE
        ptpython.python_input.get_all_code_styles = CodeStyles  # type: ignore[assignment, attr-defined]
        self._keyboard = keyboard
        self._unforeseen = Unforeseen()
        self._selector = DefaultSelector()
        self._loop = console.session.loop = asyncio.SelectorEventLoop(self._selector)
        self._loop.set_exception_handler(self._unforeseen.from_loop)
        self._entering = Entering(console.session.understands)
        self._waiting = Waiting(console, self._unforeseen, interval, self._propose_again)
        super().__init__(
            get_globals=lambda: names_for_jedi(console.session.namespace),
            input=keyboard.input() if keyboard is not None else input,
            output=output,
            extra_key_bindings=self._key_bindings(),
            _validator=CommandValidator(console.session.understands),
            color_depth=None if color else ColorDepth.DEPTH_1_BIT,
            _input_buffer_height=self._input_height,
            _extra_toolbars=[self._status_bar()],
        )
        ptpython.python_input.get_signatures_using_jedi = self._signatures  # type: ignore[assignment, attr-defined]
        self.completer = GuardedCompleter(self._own_completer(), self._unforeseen)
        indent_wrapped_lines(self.app.layout)
        self.completion_visualisation = CompletionVisualisation.POP_UP
        self.complete_private_attributes = CompletePrivateAttributes.IF_NO_PUBLIC
        self.show_status_bar = False  # ours takes its place
        self.show_signature = True
        self.confirm_exit = False
        self.enable_history_search = True
        self.highlight_matching_parenthesis = True
        self.all_prompt_styles["bsrepl"] = Prompt(lambda: bool(console.reloader.failures))
        self.prompt_style = "bsrepl"
        self.history = self.default_buffer.history = history or self.history
        self._leaving: Terminated | None = None  # a signal wants the shell to end
        self._proposed = ""  # by a tour
        self._is_new = True  # whether no prompt was shown since the last command

    def _own_completer(self) -> MagicCompleter:
        """Each completer asks the next where it knows nothing itself; the last one is ptpython's."""
        console, names = self.console, self.console.session.namespace
        others = AttributeCompleter(names, NameCompleter(names, self.completer))
        values = ValuesCompleter(console.registry, names, others)
        python = NamespaceCompleter(console.registry, lambda: names, values)
        return MagicCompleter(*console.session.magics.described(), python)

    def run(self) -> None:
        """Reads and runs commands until the end of the input, `exit`, or SystemExit, which comes through.

        SIGTERM and SIGHUP raise it, with the status that a shell gives to them: 143, 129.
        """
        with ended_by((signal.SIGTERM, signal.SIGHUP), self._leave):
            try:
                self._converse()
            except (OSError, termios.error) as error:
                if error.args[0] != errno.EIO:
                    raise
                self._leave(signal.SIGHUP, None)  # the terminal was gone before the signal came

    def _converse(self) -> None:
        goes_on = True
        while goes_on and self._leaving is None:
            try:
                goes_on = self._turn()
            except KeyboardInterrupt:  # while a value was being printed, or the second one in a row
                self.console.out.write([("warning", "\ninterrupted\n")])
        if self._leaving is not None:
            raise self._leaving

    def _turn(self) -> bool:
        """Reads a command and runs it. Returns whether another one is to be read."""
        self.console.look()
        with self.console.guarded():
            self.console.tour.show()
        self._waiting.tell_unforeseen()
        if self._keyboard is not None:
            self._keyboard.restore()
        self._is_new = True
        try:
            text = self.read()
        except EOFError:
            return False
        if was_interrupted(self.app.input):
            raise KeyboardInterrupt
        if text.strip() in ("exit", "quit"):
            return False
        self._waiting.finish()
        self.console.run(text, self._entering.taken(text))
        self.current_statement_index += 1
        self.signatures = []
        return True

    def _leave(self, number: int, frame: object) -> None:
        """Ends the shell from wherever it is."""
        self._leaving = Terminated(128 + number)
        if number == signal.SIGHUP:  # the terminal is gone; what is still printed must not fail
            with open(os.devnull, "r+b") as nowhere:
                for stream in (0, 1, 2):
                    os.dup2(nowhere.fileno(), stream)
        if self.app.is_running and self.app.loop is not None:
            self.app.loop.call_soon_threadsafe(self._end_prompt)
        if self._waiting.is_looking or not self.app.is_running:
            raise self._leaving  # from a command, a plugin file, or between two prompts

    def _interrupt(self) -> None:
        """`kill -INT` does what Ctrl-C does."""
        if self.app.is_running and not self.app.is_done:
            self.app.exit(exception=KeyboardInterrupt, style="class:aborting")

    def _end_prompt(self) -> None:
        if self._leaving is not None and self.app.is_running and not self.app.is_done:
            self.app.exit(exception=self._leaving)

    def _generate_style(self) -> BaseStyle:
        return merge_styles([super()._generate_style(), STYLE])

    def read(self) -> str:
        """The next command. Raises EOFError when there is none, KeyboardInterrupt if one came after it was entered.

        ptpython's own `read` runs the application in a thread, where a SIGINT makes it loop for ever. And a loop of its
        own for each prompt, as `app.run` makes, would end only when Jedi has found completions that nobody wants now.
        """
        failures = 0
        while True:
            text = ""
            try:
                if failures > _MOST_FAILURES:  # the prompt cannot be drawn at all
                    return read_plainly()
                with noticed(self._loop, self._interrupt) as came, self._waiting.printing_above():
                    begin = partial(self._begin, came)
                    waiting = self.app.run_async(pre_run=begin, set_exception_handler=False, handle_sigint=False)
                    text = completed(self._loop, waiting)
            except (EOFError, OSError, termios.error):
                raise
            except Exception as error:  # in a bound key, or while the prompt was drawn
                failures += 1
                self._unforeseen.add(error)
                self._waiting.tell_unforeseen()
            except KeyboardInterrupt:
                self.signatures = []
                self._entering.taken("")
                self.default_buffer.reset()  # a line of the history that was being looked at is to stay what it was
                if text and not text.isspace():
                    raise  # it was entered, and had not begun
            else:
                if text and not text.isspace():
                    return text
                self._is_new = True  # Enter alone brings back what a tour proposes

    def _begin(self, was_interrupted: Callable[[], bool]) -> None:
        """Puts what a tour proposes at the prompt, once; begins to look at the plugin files, as long as it waits.

        A Ctrl-C that came before the prompt stood ends it, and not the command that is typed next.
        """
        if self._is_new:
            self._is_new = False
            # Behind what ptpython does there: it empties the buffer that the last command is still in.
            self.app.pre_run_callables.append(self._propose)
        if self._waiting.interval > 0:
            self.app.create_background_task(self._waiting.now_and_then())
        self.app.create_background_task(windows_live_on(self._selector.fileno(), self.app.input.fileno()))
        if was_interrupted():
            self._interrupt()

    def _propose_again(self) -> None:
        """Puts what a tour has come to at the prompt, unless something else is being typed."""
        if self._proposal() != self._proposed and self.default_buffer.text in ("", self._proposed):
            self._propose()

    def _propose(self) -> None:
        """Puts what a tour proposes at the prompt; a Ctrl-C empties it."""
        self._proposed = self._proposal()
        if self._proposed:
            self._entering.propose(self.default_buffer, self._proposed)

    def _proposal(self) -> str:
        return guide.proposal if (guide := self.console.tour.guide) is not None else ""

    def _signatures(self, document: Document, local: dict[str, Any], known: dict[str, Any]) -> list[Signature]:
        names, snapshot = self.console.session.namespace, self.console.registry.snapshot
        nothing: list[Signature] = []
        return self._unforeseen.guarded(lambda: signatures(document, names, snapshot), nothing)

    def _input_height(self) -> Dimension:
        completing = self.default_buffer.complete_state is not None
        return Dimension(min=_MENU_HEIGHT if completing else 1)

    def _key_bindings(self) -> KeyBindings:
        """Ours; `add_key_binding` of a `config.py` adds to them."""
        bindings = KeyBindings()

        @Condition
        def nothing_is_chosen() -> bool:
            completing = self.default_buffer.complete_state
            return completing is not None and completing.complete_index is None

        @bindings.add(Keys.Up, filter=has_focus(DEFAULT_BUFFER) & nothing_is_chosen)
        def _search_history(event: KeyPressEvent) -> None:
            """Up looks for earlier commands even while completions are offered; Down or Tab goes into those."""
            event.current_buffer.cancel_completion()
            event.current_buffer.auto_up(event.arg)

        self._entering.bind(bindings, lambda: not self.paste_mode)
        return bindings

    def _status_bar(self) -> ConditionalContainer:
        def fragments() -> StyleAndTextTuples:
            width = self.app.output.get_size().columns
            status = self._unforeseen.guarded(lambda: self._status(width), [("status", " internal error in bsrepl ")])
            return [(f"class:{style}", text) for style, text in status]

        bar = Window(FormattedTextControl(fragments), style="class:status", height=1, wrap_lines=False)
        return ConditionalContainer(bar, filter=~is_done & Condition(lambda: self.app.renderer.height_is_known))

    def _status(self, width: int) -> Text:
        reloader = self.console.reloader
        return status_bar(
            self.console.registry.snapshot,
            watched=reloader.watched,
            failing=list(reloader.failures.values()),
            last_reload=self.console.looking.last_seconds,
            mode=f"vi {self.app.vi_state.input_mode.value.removeprefix('vi-')}" if self.vi_mode else "",
            lesson=self.console.tour.progress,
            width=width,
        )
