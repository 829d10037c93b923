"""A Ctrl-C around the prompt: it ends what it was meant for, and nothing that comes later."""

from __future__ import annotations

import asyncio
import io
import signal
import sys

import pytest
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from bsrepl.shell.prompt.repl import Shell
from bsrepl.shell.prompt.signals import noticed

from ..conftest import Screen


class Interrupting(io.StringIO):
    """Standard output; a SIGINT comes when it is asked what it is, which is before the prompt stands."""

    has_come = False

    def isatty(self) -> bool:
        if not self.has_come:
            self.has_come = True
            signal.raise_signal(signal.SIGINT)
        return False


def test_one_that_comes_before_the_prompt_stands_leaves_the_next_command_alone(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdout = Interrupting()
    with create_pipe_input() as keys:
        shell = Shell(screen.console, interval=0, input=keys, output=DummyOutput())
        monkeypatch.setattr(sys, "stdout", stdout)
        keys.send_text("6 * 7\r")
        assert shell.read() == "6 * 7"
    assert stdout.has_come


def test_one_that_the_loop_has_not_seen_is_raised_and_ends_no_later_prompt() -> None:
    loop = asyncio.new_event_loop()
    ended: list[int] = []

    async def nothing() -> None:
        await asyncio.sleep(0)

    def prompt() -> None:
        with noticed(loop, lambda: ended.append(1)) as came:
            assert not came()
            signal.raise_signal(signal.SIGINT)
            assert came()

    with pytest.raises(KeyboardInterrupt):
        prompt()
    loop.run_until_complete(nothing())
    loop.close()
    assert ended == []
