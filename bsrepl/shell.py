"""The shell: ptpython around a console."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import ptpython.python_input
from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition, is_done
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyBindingsBase, KeyPressEvent, merge_key_bindings
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout.containers import ConditionalContainer, Window
from prompt_toolkit.layout.controls import FormattedTextControl
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.styles import Style, merge_styles
from ptpython.completer import CompletePrivateAttributes
from ptpython.layout import CompletionVisualisation
from ptpython.prompt_style import PromptStyle
from ptpython.repl import PythonRepl
from ptpython.validator import PythonValidator

from . import render
from .completion import NamespaceCompleter
from .console import Console
from .entering import Entering
from .namespaces import Namespace
from .pasted import cleaned
from .styles import CodeStyles

_STYLE = Style.from_dict(
    {
        "prompt.failing": "bold ansired",
        "status": "noinherit reverse",
        "status.failing": "noinherit bg:ansired ansiwhite bold",
    }
)
_MENU_HEIGHT = 8  # lines kept free below the input while completions are shown


class Shell(PythonRepl):
    """Reads commands with ptpython and hands them to a console, which looks at the plugin files while it waits."""

    def __init__(
        self,
        console: Console,
        *,
        interval: float = 0.5,
        color: bool = True,
        input: Input | None = None,
        output: Output | None = None,
    ) -> None:
        self.console = console
        ptpython.python_input.get_all_code_styles = CodeStyles  # type: ignore[assignment, attr-defined]
        self._entering = Entering(console.session.understands)
        self._interval = interval  # seconds between two looks at the files while the prompt waits; 0: none
        super().__init__(
            get_globals=self._names_to_complete,
            input=input,
            output=output,
            extra_key_bindings=self._key_bindings(),
            _validator=CommandValidator(console.session.understands),
            color_depth=None if color else ColorDepth.DEPTH_1_BIT,
            _input_buffer_height=self._input_height,
            _extra_toolbars=[self._status_bar()],
        )
        self.completer = NamespaceCompleter(console.registry, lambda: console.session.namespace, self.completer)
        self.completion_visualisation = CompletionVisualisation.POP_UP
        self.complete_private_attributes = CompletePrivateAttributes.IF_NO_PUBLIC
        self.show_status_bar = False  # ours takes its place
        self.show_signature = True
        self.confirm_exit = False
        self.enable_history_search = True
        self.highlight_matching_parenthesis = True
        self.all_prompt_styles["bsrepl"] = Prompt(console)
        self.prompt_style = "bsrepl"
        self._current_style = merge_styles([self._current_style, _STYLE])

    def run(self) -> None:
        """Reads and runs commands until the end of the input, `exit` or SystemExit, which comes through."""
        while True:
            self.console.look()
            try:
                text = self.read()
            except EOFError:
                return
            if text.strip() in ("exit", "quit"):
                return
            try:
                self.console.run(text, self._entering.taken(text))
            except KeyboardInterrupt:  # while its value was being printed
                self.console.out.write([("warning", "\ninterrupted\n")])
            self.current_statement_index += 1
            self.signatures = []

    def read(self) -> str:
        """The next command. Raises EOFError when there is none.

        ptpython's own `read` runs the application in a thread, where a SIGINT makes it loop for ever.
        """
        while True:
            try:
                text: str = self.app.run(pre_run=self._follow_files)
            except KeyboardInterrupt:
                self.signatures = []
                self.default_buffer.document = Document()
                continue
            if text and not text.isspace():
                return text

    def _follow_files(self) -> None:
        """Begins to look at the plugin files; it lasts as long as the prompt waits."""
        if self._interval > 0:
            self.app.create_background_task(self._look_now_and_then())

    async def _look_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            if self.console.reloader.is_due():
                await run_in_terminal(self._look)

    def _look(self) -> None:
        with _interruptible():
            self.console.look()

    def _names_to_complete(self) -> dict[str, Any]:
        """The names that Jedi may evaluate: a namespace would import each plugin that it looks at."""
        names = self.console.session.namespace
        return {name: value for name, value in names.items() if not isinstance(value, Namespace)}

    def _input_height(self) -> Dimension:
        completing = self.default_buffer.complete_state is not None
        return Dimension(min=_MENU_HEIGHT if completing else 1)

    def _key_bindings(self) -> KeyBindingsBase:
        bindings = KeyBindings()

        @bindings.add(Keys.SIGINT)
        def _interrupt(event: KeyPressEvent) -> None:
            """`kill -INT` does what Ctrl-C does; ptpython ignores it."""
            event.app.exit(exception=KeyboardInterrupt, style="class:aborting")

        return merge_key_bindings([bindings, self._entering.bindings(lambda: not self.paste_mode)])

    def _status_bar(self) -> ConditionalContainer:
        def fragments() -> StyleAndTextTuples:
            width = self.app.output.get_size().columns
            return [(f"class:{style}", text) for style, text in self._status(width)]

        bar = Window(FormattedTextControl(fragments), style="class:status", height=1, wrap_lines=False)
        return ConditionalContainer(bar, filter=~is_done & Condition(lambda: self.app.renderer.height_is_known))

    def _status(self, width: int) -> render.Text:
        reloader = self.console.reloader
        return render.status_bar(
            self.console.registry.snapshot,
            watched=len(reloader.disk.present),
            failing=list(reloader.failures.values()),
            last_reload=self.console.last_reload,
            width=width,
        )


class CommandValidator(PythonValidator):
    """Lets through what the session understands; a syntax error is shown before the command is accepted."""

    def __init__(self, understands: Callable[[str], bool]) -> None:
        super().__init__()
        self._understands = understands

    def validate(self, document: Document) -> None:
        if not self._understands(cleaned(document.text, self._understands).text):
            super().validate(document)


class Prompt(PromptStyle):
    """`>>> `, or `!>> ` while a plugin file fails."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def in_prompt(self) -> StyleAndTextTuples:
        if self._console.reloader.failures:
            return [("class:prompt.failing", "!>> ")]
        return [("class:prompt", ">>> ")]

    def in2_prompt(self, width: int) -> StyleAndTextTuples:
        return [("class:prompt.dots", "... ")]

    def out_prompt(self) -> StyleAndTextTuples:
        return []


@contextmanager
def _interruptible() -> Iterator[None]:
    """While the prompt waits asyncio owns SIGINT; what runs in between is to be stopped by it like any command."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    wakeup = signal.set_wakeup_fd(-1)
    try:
        yield
    finally:
        signal.set_wakeup_fd(wakeup)
        signal.signal(signal.SIGINT, handler)
