"""How text comes into the prompt's buffer, and when Enter runs it.

A terminal that brackets what is pasted hands it over in one piece. From any other, a paste is a burst of keys; so are
commands that were typed ahead while another one ran. A burst whose first line is a command by itself is typing, unless
there are very many lines in it; any other one is a paste, which is taken as one text, without automatic indentation.
"""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Callable, Iterable

from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import Condition, emacs_insert_mode, has_focus, has_selection, vi_insert_mode
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPress, KeyPressEvent
from prompt_toolkit.key_binding.key_processor import KeyProcessor
from prompt_toolkit.keys import Keys

from ...session.pasted import Cleaned, cleaned
from ...session.session import is_complete_command
from ...session.syntax import begins_cell

_NEWLINES = (Keys.ControlM, Keys.ControlJ)
_PAUSE = 0.03  # seconds without a key that end a burst; a network delivers a paste in several pieces
_MOST_TYPED_AHEAD = 50  # lines; more of them at once are a paste


class Entering:
    """The bindings of Enter and of pasting, for a buffer of commands that `understands` tells from other texts."""

    def __init__(self, understands: Callable[[str], bool]) -> None:
        self._understands = understands
        self._steps: tuple[str, ...] = ()  # what was done to the last paste
        self._pasted = ""  # the buffer's text after it
        self._proposal = ""  # what was put at the prompt for the user; the first key that is typed replaces it

    def taken(self, text: str) -> tuple[str, ...]:
        """What was done to what was pasted, if a command came of it. Asked once, when the prompt is left."""
        came_of_it = bool(self._pasted) and self._pasted.partition("\n")[0] in text
        steps = self._steps if came_of_it else ()
        self._steps, self._pasted = (), ""
        return steps

    def bind(self, bindings: KeyBindings, is_enabled: Callable[[], bool]) -> None:
        """Adds the key bindings, in force where commands are typed and while `is_enabled`."""
        has_buffer = has_focus(DEFAULT_BUFFER)
        typing = has_buffer & ~has_selection & (emacs_insert_mode | vi_insert_mode) & Condition(is_enabled)

        @bindings.add(Keys.BracketedPaste, filter=has_buffer)
        def _paste(event: KeyPressEvent) -> None:
            """What is pasted onto an empty prompt comes without what does not belong to the code."""
            self._insert(event.current_buffer, event.data)

        @Condition
        def is_proposal() -> bool:
            document = _current_document()
            return document.text == self._proposal != "" and document.is_cursor_at_the_end

        @bindings.add(Keys.Any, filter=typing & is_proposal)
        def _replace(event: KeyPressEvent) -> None:
            """A key that is typed takes the place of what a lesson proposes; a cursor key goes into it, to edit it."""
            self._proposal = ""
            event.current_buffer.document = Document()
            event.current_buffer.insert_text(event.data)

        @Condition
        def is_complete() -> bool:
            document = _current_document()
            if "\n" not in document.text or document.text_after_cursor.strip():
                return False
            is_at_the_end = document.is_cursor_at_the_end
            return self._was_pasted(document.text) or (is_at_the_end and is_complete_command(document.text))

        @bindings.add(Keys.Enter, filter=typing & is_complete)
        def _accept(event: KeyPressEvent) -> None:
            """What was pasted, or a call over several lines, runs with one Enter; ptpython wants another."""
            _run(event.current_buffer)

        @bindings.add(Keys.Enter, filter=typing & Condition(lambda: begins_cell(_current_document().text)))
        def _begin(event: KeyPressEvent) -> None:
            """The lines of a cell follow; an empty one ends it."""
            event.current_buffer.insert_text("\n")

        @bindings.add(Keys.Enter, filter=typing & Condition(_is_in_a_burst))
        def _go_on(event: KeyPressEvent) -> None:
            self._burst(event)

    def _cleaned(self, text: str) -> Cleaned:
        return cleaned(text, self._understands)

    def propose(self, buffer: Buffer, code: str) -> None:
        """Puts code into an empty prompt; like what is pasted it runs with one Enter."""
        buffer.document = Document()
        self._insert(buffer, code)
        self._proposal = buffer.text

    def _insert(self, buffer: Buffer, data: str) -> None:
        text = data.replace("\r\n", "\n").replace("\r", "\n")
        if buffer.text.strip():
            buffer.insert_text(text)
            return
        code = self._cleaned(text)
        buffer.document = Document()
        buffer.insert_text(code.text.rstrip() if "\n" in code.text else code.text)
        self._steps, self._pasted = code.steps, buffer.text

    def _burst(self, event: KeyPressEvent) -> None:
        buffer, keys = event.current_buffer, event.key_processor
        rest = _drained(keys, event.app.input)
        following, special = _split(rest)
        written = buffer.text
        if not written.strip():  # a blank line before the first command
            keys.feed_multiple(rest)
        elif not buffer.document.is_cursor_at_the_end:
            buffer.insert_text("\n")
            keys.feed_multiple(rest)
        elif (self._was_pasted(written) or self._is_command(written)) and following.count("\n") < _MOST_TYPED_AHEAD:
            keys.feed_multiple(rest)
            _run(buffer)
        elif written.rstrip().endswith(":") and following[:1].strip():  # typed, relying on automatic indentation
            keys.feed_multiple(rest)
            line = buffer.document.current_line_before_cursor
            buffer.insert_text("\n" + line[: len(line) - len(line.lstrip())] + "    ")
        else:
            keys.feed_multiple(special)
            buffer.document = Document()
            self._insert(buffer, f"{written}\n{following}")
            if following.endswith("\n") and self._understands(buffer.text):
                _run(buffer)

    def _was_pasted(self, text: str) -> bool:
        """Whether a text is what was pasted, all of it, and runs."""
        return text == self._pasted and self._understands(self._cleaned(text).text)

    def _is_command(self, text: str) -> bool:
        """Whether what was typed so far is a command by itself, with nothing in it that only pasting brings."""
        is_whole = is_complete_command(text) if "\n" in text else self._understands(text) and not begins_cell(text)
        return is_whole and not self._cleaned(text).steps


def _run(buffer: Buffer) -> None:
    text = buffer.text.rstrip()
    buffer.document = Document(text)
    buffer.validate_and_handle()


def _current_document() -> Document:
    return get_app().current_buffer.document


def _is_in_a_burst() -> bool:
    """Whether more keys have come already, read or not."""
    app = get_app()
    return any(map(_is_typed, app.key_processor.input_queue)) or _is_readable(app.input, 0)


def _is_readable(source: Input, seconds: float) -> bool:
    if source.closed:
        return False
    ready, _, _ = select.select([source.fileno()], [], [], seconds)
    return bool(ready)


def _is_typed(key: KeyPress) -> bool:
    return key.key in (*_NEWLINES, Keys.ControlI, Keys.BracketedPaste) or (len(key.key) == 1 and key.data != "_Flush")


def _drained(keys: KeyProcessor, source: Input) -> list[KeyPress]:
    """The keys that have come, and those that still come without a pause."""
    drained = [key for key in keys.empty_queue() if key.data != "_Flush"]
    while _is_readable(source, _PAUSE):
        more = source.read_keys()
        if not more:
            break
        drained += more
    return drained


def _split(keys: Iterable[KeyPress]) -> tuple[str, list[KeyPress]]:
    """The text that the keys type, up to the first one that types none, and the keys from there on."""
    waiting = deque(keys)
    typed: list[str] = []
    last: KeyPress | None = None
    while waiting and (_is_typed(waiting[0]) or waiting[0].key == Keys.CPRResponse):
        key = waiting.popleft()
        if key.key in _NEWLINES:
            if not (key.key == Keys.ControlJ and last is not None and last.key == Keys.ControlM):  # CR LF
                typed.append("\n")
        elif key.key != Keys.CPRResponse:
            typed.append(key.data)
        last = key
    return "".join(typed), list(waiting)
