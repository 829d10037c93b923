"""Pasting into the real shell, from terminals that bracket a paste and from those that do not."""

from __future__ import annotations

import pytest
from prompt_toolkit.formatted_text import to_plain_text
from prompt_toolkit.layout import BufferControl, Layout, Window
from prompt_toolkit.layout.margins import PromptMargin

from bsrepl.shell.prompt.appearance import indent_wrapped_lines

from ..pty_session import PtySession

CLASS = """\
class Double:
    factor = 2

    def __call__(self, number):

        return self.factor * number


print(Double()(21) + 100)
Double()(4) + 200
"""


def paste(shell: PtySession, text: str, bracketed: bool) -> None:
    """Pastes as a terminal does, and presses Enter."""
    if bracketed:
        shell.type(f"\x1b[200~{text}\x1b[201~")
        shell.type("\r")
    else:
        shell.type(text.replace("\n", "\r").rstrip("\r") + "\r")


bracketed_or_not = pytest.mark.parametrize("bracketed", [True, False], ids=["bracketed", "as keys"])


@bracketed_or_not
def test_blocks_sessions_cells_and_markdown_run_with_one_enter(shell: PtySession, bracketed: bool) -> None:
    paste(shell, CLASS, bracketed)
    shell.expect("\n142\n", "208\n", ">>>", "tfm 65")
    paste(shell, ">>> for n in range(3):\n...     last = n\n...\n0\n1\n2\n>>> last + 40\n2", bracketed)
    shell.expect("2 prompts and 4 lines of output left out\n", "42\n", ">>>", "tfm 65")
    paste(shell, "In [3]: x = 40\n\nIn [4]: x + 1\nOut[4]: 41", bracketed)
    shell.expect("2 prompts and 1 line of output left out\n", "41\n", ">>>", "tfm 65")
    paste(shell, "```python\nx + 2\n```", bracketed)
    shell.expect("Markdown around 1 block left out\n", "42\n", ">>>")


@bracketed_or_not
def test_thousands_of_lines(shell: PtySession, bracketed: bool) -> None:
    lines = "\n".join(f"x{n} = {n}" for n in range(1_200))
    shell.feed(f"\x1b[200~{lines}\nx1199 + 1\x1b[201~\r" if bracketed else f"{lines}\nx1199 + 1\n".replace("\n", "\r"))
    shell.expect("1200\n", ">>>")


def test_windows_line_ends_and_tabs_as_keys(shell: PtySession) -> None:
    shell.type("def f(x):\r\n\ty = x\r\n\treturn y + 2\r\nf(40)\r\n")
    shell.expect("42\n", ">>>")


def test_commands_typed_ahead_run_one_by_one(shell: PtySession) -> None:
    shell.type("40 + 2\r'4' + '3'\rprint(44)\r")
    shell.expect("\n42\n", ">>>", "\n'43'\n", ">>>", "\n44\n", ">>>")


def test_the_last_line_of_a_call_and_a_command_typed_ahead(shell: PtySession) -> None:
    shell.enter("x = (40,")
    shell.expect("...")
    shell.type("2)\rsum(x)\r")
    shell.expect("\n42\n", ">>>")
    shell.enter("x = (1,")
    shell.expect("...")
    shell.type("2)\r\r")
    shell.enter("x")
    shell.expect("\n(1, 2)\n", ">>>")


def test_a_cell_goes_on_until_an_empty_line(shell: PtySession) -> None:
    shell.type("%%bash\r")
    shell.type("echo $((40 + 2))\r")
    shell.type("\r")
    shell.expect("\n42\n", ">>>")


def test_a_block_typed_ahead_is_indented(shell: PtySession) -> None:
    shell.type("for n in (40,):\rprint(n + 2)\r\r")
    shell.expect("\n42\n", ">>>")


def test_a_paste_into_the_middle_of_a_line(shell: PtySession) -> None:
    shell.type("6 * ")
    shell.type("\x1b[200~7\x1b[201~")
    shell.type("\r")
    shell.expect("42\n", ">>>")


def test_what_was_pasted_can_be_edited_before_it_runs(shell: PtySession) -> None:
    shell.type("\x1b[200~>>> x = 4\n>>> x + 1\n5\x1b[201~")
    shell.type("00\r")
    shell.expect("2 prompts and 1 line of output left out\n", "104\n", ">>>")


def test_nothing_is_said_of_a_paste_that_did_not_run(shell: PtySession) -> None:
    shell.type("\x1b[200~>>> 'pas' + 'ted'\x1b[201~")
    shell.expect("'pas' + 'ted'")
    shell.type("\x03")
    shell.expect(">>>", "tfm 65")
    shell.enter("6 * 7")
    assert "left out" not in shell.expect("\n42\n")


def test_a_line_with_a_prompt_that_is_typed(shell: PtySession) -> None:
    shell.enter(">>> 6 * 7")
    shell.expect("1 prompt left out", "42\n", ">>>")


def test_a_system_command_with_a_name_of_the_session(shell: PtySession) -> None:
    shell.enter("number = 42")
    shell.enter("!echo {number}-$number")
    shell.expect("\n42-42\n", ">>>")


@pytest.mark.parametrize(
    ("line", "is_wrapped", "before_it"), [(0, False, "    "), (0, True, "    "), (1, False, "... "), (1, True, "    ")]
)
def test_only_new_lines_of_a_command_begin_with_dots(line: int, is_wrapped: bool, before_it: str) -> None:
    margin = PromptMargin(lambda: [("", ">>> ")], lambda width, line, is_wrapped: [("", "... ")])
    indent_wrapped_lines(Layout(Window(BufferControl(), left_margins=[margin])))
    assert margin.get_continuation is not None
    assert to_plain_text(margin.get_continuation(4, line, is_wrapped)) == before_it
