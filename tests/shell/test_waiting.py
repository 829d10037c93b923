"""What happens while the prompt waits, and where what others print goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..conftest import Screen, Start

TASKS = """
import asyncio, threading
go = threading.Event()
threading.Thread(target=lambda: (go.wait(), print("from a thread")), daemon=True).start()

async def tick():
    await asyncio.sleep(0.1)
    print("from a task")
    go.set()

async def begin():
    global task
    task = asyncio.create_task(tick())
"""

SLOW = """
import os, threading
stat, asked, answers = os.stat, threading.Event(), threading.Event()

def hang(seconds):
    def slow(path, **options):
        if str(path).endswith("fold.py"):
            open("asked", "w").close()
            answers.wait()
        return stat(path, **options)
    os.stat = slow
    threading.Timer(seconds, answers.set).start()
"""


def test_what_threads_and_tasks_print_appears_above_what_is_typed(start: Start, tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text(TASKS)
    shell = start()
    shell.expect(">>>", "tfm 65")
    shell.enter("from tasks import *")
    shell.expect("tfm 65")
    shell.enter("await begin()")
    shell.type("6 * 7")
    shell.expect("from a task\n", "from a thread\n", "6 * 7")
    shell.enter("")
    shell.expect("\n42\n")


def test_a_disk_that_does_not_answer_delays_no_key_but_the_command(start: Start, tmp_path: Path) -> None:
    (tmp_path / "fold.py").write_text("@transform\nclass Fold: apply = 1\n")
    (tmp_path / "slow.py").write_text(SLOW)
    shell = start("fold.py", "--interval", "0.05")
    shell.expect("+ tfm.Fold", "tfm 66")
    shell.enter("import slow; slow.hang(1.5)")
    shell.wait_for(tmp_path / "asked")
    shell.type("slow.answers.is_set()")
    shell.expect("slow.answers.is_set()")
    shell.enter("")
    shell.expect("\nTrue\n")


def test_output_without_a_line_end_shares_no_line_with_the_shells(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout", screen.out)
    monkeypatch.setattr("sys.stderr", screen.out)
    assert screen.type("print('x', end='')").startswith("x\n")
    assert screen.type("print('\\rstep 2', end=''); 6 * 7").startswith("\rstep 2\n42\n")
    assert screen.type("import sys; print('e', end='', file=sys.stderr); print()").startswith("e\n")
    assert screen.type("print('whole'); 6 * 7").startswith("whole\n42\n")
    assert screen.type("print('x', end=''); 1 / 0").startswith("x\nTraceback")


def test_timing_is_switched_and_has_a_threshold(screen: Screen) -> None:
    screen.console.shows_time = True
    seconds = iter(range(1000))
    screen.seconds = lambda: next(seconds) / 1000
    assert screen.type("6 * 7").startswith("42\n")
    assert "ms" in screen.type("6 * 7")
    screen.type("%timing 500")
    assert screen.type("6 * 7") == "42\n"
    screen.type("%timing on")
    assert "ms" in screen.type("6 * 7")
    screen.type("%timing off")
    assert screen.type("6 * 7") == "42\n"
    assert screen.type("%timing never").startswith("MagicError: %timing takes on, off, or the least number of")


WINDOW = """
import ctypes, select

calls = []

@ctypes.CFUNCTYPE(ctypes.c_int)
def hook():  # as a GUI has it: events are handled until there is something to read
    select.select([0], [], [])
    calls.append(1)
    if len(calls) == 6:
        print("from a window")
    while len(calls) == 8:
        open("hanging", "w").close()
    return 0

ctypes.c_void_p.in_dll(ctypes.pythonapi, "PyOS_InputHook").value = ctypes.cast(hook, ctypes.c_void_p).value
"""


def test_windows_live_on_while_the_prompt_waits_and_one_that_hangs_is_stopped(start: Start, tmp_path: Path) -> None:
    (tmp_path / "window.py").write_text(WINDOW)
    shell = start("--interval", "0")
    shell.expect(">>>", "tfm 65")
    shell.enter("import window")
    shell.expect("from a window\n")
    shell.wait_for(tmp_path / "hanging")
    shell.type("\x03")
    shell.expect("KeyboardInterrupt")
    shell.enter("6 * 7")
    shell.expect("\n42\n", "tfm 65")
    shell.type("\x04")
    assert shell.status() == 0
