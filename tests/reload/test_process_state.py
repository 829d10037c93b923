"""What a plugin file changes for the whole process is put back, and its questions can be seen."""

from __future__ import annotations

import builtins
import os
import signal
import sys
from pathlib import Path

import pytest

from ..conftest import Folder, Screen, Start

CHANGES = {
    "a deaf shell": ("import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)", "the handler of SIGINT"),
    "a fragile shell": ("import signal; signal.signal(signal.SIGINT, signal.SIG_DFL)", "the handler of SIGINT"),
    "an exception hook": ("import sys; sys.excepthook = print", "sys.excepthook"),
    "an output": ("import sys, io; sys.stdout = io.StringIO()", "sys.stdout"),
    "no output": ("import sys; sys.stdout = sys.stderr = None", "sys.stdout and sys.stderr"),
    "the current folder": ("import os; os.chdir('/')", "the current folder"),
    "the search path": ("import sys; sys.path.insert(0, '/nowhere')", "sys.path"),
    "another search path": ("import sys; sys.path = []", "sys.path"),
    "a pipe that ends the shell": ("from signal import *; signal(SIGPIPE, SIG_DFL)", "the handler of SIGPIPE"),
    "an alarm that ends the shell": ("import signal; signal.alarm(9)", "the timer of SIGALRM"),
    "what is built in": ("import builtins; builtins.print = builtins.added = None", "builtins.print"),
    "what is built in no more": ("import builtins; del builtins.open", "builtins.open"),
    "who finds modules": ("import sys; sys.meta_path.clear()", "sys.meta_path"),
    "a closed output": ("import os; os.close(1)", "standard output"),
    "a redirected output": ("import os; os.dup2(os.open('/dev/null', os.O_WRONLY), 2)", "standard error"),
    "an output that Python closed": ("import sys; sys.__stdout__.close()", "standard output"),
    "an output that was detached": ("import sys; sys.__stderr__.detach()", "standard error"),
    "what import does": ("import builtins; builtins.__import__ = lambda *names: None", "builtins.__import__"),
}


def state() -> tuple[object, ...]:
    hooks = (sys.excepthook, sys.stdout, sys.stderr, builtins.__import__, builtins.print, builtins.open)
    handlers = (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGPIPE), signal.getitimer(signal.ITIMER_REAL))
    opened = [stream for stream in (sys.__stdout__, sys.__stderr__) if stream]
    streams = [(stream.closed, os.fstat(stream.fileno()).st_ino) for stream in opened]
    return (*handlers, *streams, *hooks, os.getcwd(), list(sys.path), list(sys.meta_path))


@pytest.mark.parametrize("error", ["", "\n1 / 0"], ids=["succeeds", "fails"])
@pytest.mark.parametrize("change", CHANGES)
def test_it_is_put_back_and_that_is_said(folder: Folder, change: str, error: str) -> None:
    code, name = CHANGES[change]
    folder.write("fold.py", f"@step\ndef answer(model): return 1\n{code}{error}\n")
    before = state()
    report = folder.look()
    assert state() == before
    if not error:
        (warning,) = report.warnings
        assert str(warning.message) == f"{name} cannot be changed by a plugin file; put back"
        assert Path(warning.filename).name == "fold.py"


def test_a_file_that_changes_nothing_says_nothing(folder: Folder) -> None:
    folder.write("fold.py", "import signal, sys, os\n@step\ndef answer(model): return 1\n")
    assert not folder.look().warnings


def test_ctrl_c_while_the_files_are_looked_at_for_a_command_stops_that(screen: Screen) -> None:
    def pressed() -> float:
        signal.raise_signal(signal.SIGINT)
        return 0.0

    screen.seconds = pressed
    assert screen.console.looking.retry()  # there is nothing to stop
    with pytest.raises(KeyboardInterrupt):
        screen.type("ran = True")
    assert "ran" not in screen.names


def test_a_plugin_file_does_not_close_the_streams_of_the_shell(folder: Folder) -> None:
    folder.write("fold.py", "import sys\nfor stream in (sys.stdin, sys.stdout, sys.stderr): stream.close()\n")
    assert not folder.look().failures
    assert not any(stream.closed for stream in (sys.stdin, sys.stdout, sys.stderr))


@pytest.mark.filterwarnings("ignore:.*fork")
@pytest.mark.parametrize(("ending", "status"), [("pass", 0), ("sys.exit(7)", 7), ("sys.exit()", 0), ("1 / 0", 1)])
def test_a_child_that_a_plugin_file_or_a_command_forks_ends_with_it(screen: Screen, ending: str, status: int) -> None:
    child = f"child = os.fork()\nif child == 0:\n    sys.stderr = None\n    {ending}\n"
    code = f"import os, sys\n{child}else:\n    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])\n"
    (screen.folder / "forks.py").write_text(code)
    screen.console.look()
    assert sys.modules["forks"].ended == status
    screen.type(code)
    assert screen.names["ended"] == status


def test_a_question_of_a_plugin_file_is_seen(start: Start, tmp_path: Path) -> None:
    shell = start(".")
    shell.expect(">>>", "tfm 65")
    (tmp_path / "ask.py").write_text("print('before')\nname = input('who? ')\nprint('hello', name)\n")
    shell.enter("1 + 1")
    shell.expect("before", "who? ")
    shell.enter("Ada")
    shell.expect("hello Ada")
    shell.expect(">>>", "tfm 65")


def test_a_breakpoint_in_a_plugin_file_shows_its_prompt(start: Start, tmp_path: Path) -> None:
    shell = start(".")
    shell.expect(">>>", "tfm 65")
    (tmp_path / "stop.py").write_text("x = 41\nbreakpoint()\ny = x + 1\n")
    shell.enter("1 + 1")
    shell.expect("(Pdb)")
    shell.enter("p x + 100")
    shell.expect("141", "(Pdb)")
    shell.enter("c")
    shell.expect(">>>", "tfm 65")
    shell.enter("6 * 7")
    shell.expect("42")


def test_quitting_the_debugger_of_a_command_is_no_error(start: Start) -> None:
    shell = start()
    shell.expect(">>>", "tfm 65")
    shell.enter("breakpoint()")
    shell.expect("(Pdb)")
    shell.enter("q")
    if sys.version_info >= (3, 14):  # it asks whether to end the process
        shell.expect("[y/n]")
        shell.enter("y")
    shell.expect("left the debugger", ">>>", "tfm 65")


@pytest.mark.parametrize("close", ["sys.__stdout__.close()", "sys.__stdout__.detach()", "os.close(1)"])
def test_a_command_cannot_close_the_output_of_the_session(
    screen: Screen, capsys: pytest.CaptureFixture[str], close: str
) -> None:
    before = os.fstat(1).st_ino
    screen.type(f"import os, sys; {close}; 1 / 0")
    assert os.fstat(1).st_ino == before
    assert getattr(sys.__stdout__, "closed", True) is False
    assert "standard output opened again" in capsys.readouterr().err


@pytest.mark.parametrize("handler", ["SIG_IGN", "SIG_DFL"])
def test_a_command_cannot_take_control_c_away(screen: Screen, handler: str) -> None:
    output = screen.type(f"import signal; signal.signal(signal.SIGINT, signal.{handler});")
    assert output == "the handler of SIGINT is put back: Ctrl-C has to stop commands\n"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
