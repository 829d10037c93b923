"""Nothing ends the session: hostile values, errors and exits in a command, and failures of bsrepl itself."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
import qonnx.core.modelwrapper
from qonnx.core.modelwrapper import ModelWrapper

from bsrepl.errors import Terminated
from bsrepl.registry.changes import Change
from bsrepl.registry.store import Registry
from bsrepl.shell import telling
from bsrepl.shell.assembly import console
from bsrepl.shell.prompt.unforeseen import Unforeseen
from bsrepl.shell.settings import Settings
from bsrepl.text.terminal import Terminal

from ..conftest import EXECUTOR, Screen, Start

HOSTILE = {
    "len raises": "type('R', (list,), {'__len__': lambda s: 1/0})([1])",
    "iter raises": "type('R', (list,), {'__iter__': lambda s: 1/0})([1])",
    "repr raises": "type('R', (), {'__repr__': lambda s: 1/0})()",
    "repr exits": "type('R', (), {'__repr__': lambda s: exit()})()",
    "repr is no text": "type('R', (), {'__repr__': lambda s: 3})()",
    "class raises": "type('R', (), {'__class__': property(lambda s: 1/0)})()",
    "metaclass raises": "type('M', (type,), {'__getattr__': lambda c, n: 1/0})('R', (), {})()",
    "dict raises": "type('R', (), {'__dict__': property(lambda s: 1/0)})()",
    "every attribute raises": "type('R', (), {'__getattribute__': lambda s, n: 1/0})()",
    "equality raises": "type('R', (), {'__eq__': lambda s, o: 1/0, '__hash__': lambda s: 1})()",
    "keys raise": "type('R', (dict,), {'items': lambda s: 1/0, '__getitem__': lambda s, k: 1/0})(a=1)",
    "error with a strange name": "raise AttributeError('x', name=5, obj=tfm)",
    "error with a strange place": "raise SyntaxError('x', (5, 'a', 'b', {}))",
    "error whose str raises": "raise type('E', (Exception,), {'__str__': lambda s: 1/0})()",
    "error that hides its traceback": "raise type('E', (Exception,), {'__traceback__': property(lambda s: 1/0)})()",
    "error that hides everything": "raise type('E', (Exception,), {'__getattribute__': lambda s, n: 1/0})()",
    "error with strange notes": "e = ValueError('x'); e.__notes__ = 3; raise e",
    "error that is its own cause": "e = ValueError('x'); e.__cause__ = e; raise e",
    "group of groups": "e = ValueError('x')\nfor n in range(500): e.__context__ = ValueError(n)\nraise e",
    "generator exit": "raise GeneratorExit",
    "keyboard interrupt": "raise KeyboardInterrupt",
    "base exception": "raise BaseException('x')",
    "endless recursion": "def f(): f()\nf()",
    "out of memory": "raise MemoryError",
    "closed output": "import sys; sys.stdout.close()",
    "no output": "import sys; sys.stdout = None",
    "deleted commands": "for n in list(globals()):\n    if not n.startswith('__'): del globals()[n]",
    "deleted builtins": "del globals()['__builtins__']",
    "surrogates": "'\\ud800'",
    "surrogate in an error": "raise ValueError('\\ud800')",
    "null byte": "eval('1\\0')",
    "exit in a function": "def f(): import sys; sys.exit(3)\nf()",
    "exit of a library": "import argparse; argparse.ArgumentParser().parse_args(['--nonsense'])",
    "exit in a loop": "for n in range(3): exit()",
}


@pytest.mark.parametrize("command", HOSTILE.values(), ids=HOSTILE)
def test_the_session_answers_after(screen: Screen, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    screen.console.run(command)
    assert "internal error" not in screen.out.getvalue()
    assert screen.type("6 * 7") == "42\n"
    assert screen.console.registry.snapshot.count("transform") == 65


def test_the_classes_of_models_may_be_anything(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qonnx.core.modelwrapper, "ModelWrapper", ModelWrapper)  # is put back at the end
    screen.type("m = load('mnist-conv')")
    for nonsense in ("5", "None", "tuple[int]"):
        screen.type(f"import qonnx.core.modelwrapper; qonnx.core.modelwrapper.ModelWrapper = {nonsense}")
        assert screen.type("6 * 7") == "42\n"
        assert screen.type("len(m.graph.node)") == "12\n"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("import argparse; argparse.ArgumentParser().parse_args(['x'])", "SystemExit was raised with 2"),
        ("def f(): raise SystemExit\nf()", "SystemExit was raised in f, <command 1>:1; the session goes on"),
        ("[exit() for _ in '1']", "type exit to leave it"),
        ("import sys; sys.argv", "['']\n"),
    ],
)
def test_only_exit_as_the_whole_command_leaves(screen: Screen, command: str, message: str) -> None:
    assert message in screen.type(command).replace("\n  ", " ")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("exit()", None),
        ("sys.exit(3)", 3),
        ("raise SystemExit(4)", 4),
        ("quit(5)", 5),
        ("raise SystemExit", None),
    ],
)
def test_exit_as_the_whole_command_leaves(screen: Screen, command: str, code: int | None) -> None:
    screen.type("import sys")
    with pytest.raises(SystemExit) as left:
        screen.console.run(command)
    assert left.value.code == code


def test_a_signal_ends_a_command(screen: Screen) -> None:
    screen.names["Terminated"] = Terminated
    with pytest.raises(Terminated):
        screen.console.run("raise Terminated(143)")


def test_a_failure_of_bsrepl_is_told_and_the_command_counts(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> list[Change]:
        raise RuntimeError("a bug")

    monkeypatch.setattr(telling, "registry_changes", broken)
    output = screen.type("x = 5\n@kernel\nclass Fold: pass")
    monkeypatch.undo()
    assert "internal error in bsrepl: RuntimeError: a bug (test_survival.py:" in output
    assert "a bug" in screen.type("errors()")
    assert screen.type("x") == "5\n"
    assert screen.type("kernels.Fold") == "<class '__main__.Fold'>\n"


def test_what_debuggers_look_for_is_set(screen: Screen) -> None:
    screen.type("def f(x): return 1 / x\nf(0)")
    assert isinstance(sys.last_value, ZeroDivisionError)
    assert sys.last_type is ZeroDivisionError
    assert sys.last_traceback is not None
    if sys.version_info >= (3, 12):
        assert sys.last_exc is sys.last_value


def test_leaving_the_debugger_is_no_error(screen: Screen) -> None:
    assert screen.type("import bdb; raise bdb.BdbQuit") == "left the debugger\n"


def test_what_fails_at_each_key_is_told_once() -> None:
    unforeseen = Unforeseen()
    for _ in range(3):
        assert unforeseen.guarded(lambda: 1 // 0, 7) == 7
    assert [type(error) for error in unforeseen.take()] == [ZeroDivisionError]
    assert not unforeseen


def test_a_bound_key_that_fails_leaves_the_prompt(start: Start, tmp_path: Path) -> None:
    config = tmp_path / ".config" / "bsrepl" / "config.py"
    config.parent.mkdir(parents=True)
    config.write_text("def configure(repl):\n    @repl.add_key_binding('c-g')\n    def _(event):\n        1 / 0\n")
    shell = start()
    shell.expect(">>>", "tfm 65")
    shell.type("6 * \x07")
    shell.expect("internal error in bsrepl: ZeroDivisionError")
    shell.type("7\r")
    shell.expect("42")


@pytest.mark.parametrize("text", ["raise SystemExit(3)", "import sys\nsys.exit()", "def configure(repl): exit()"])
def test_settings_that_exit_do_not_end_the_shell(start: Start, tmp_path: Path, text: str) -> None:
    config = tmp_path / ".config" / "bsrepl" / "config.py"
    config.parent.mkdir(parents=True)
    config.write_text(text)
    shell = start()
    shell.expect("SystemExit", ">>>", "tfm 65")
    shell.enter("6 * 7")
    shell.expect("42")


def test_settings_that_are_a_fifo_are_left_alone(start: Start, tmp_path: Path) -> None:
    config = tmp_path / ".config" / "bsrepl" / "config.py"
    config.parent.mkdir(parents=True)
    os.mkfifo(config)
    start().expect(">>>", "tfm 65")


def test_a_control_c_right_after_enter_stops_the_command(start: Start) -> None:
    shell = start()
    shell.expect(">>>", "tfm 65")
    shell.type("while True: pass\r\r\x03")
    shell.expect("interrupted", ">>>")
    shell.enter("6 * 7")
    shell.expect("42")


def test_a_command_that_closes_standard_input_leaves_the_keyboard(start: Start) -> None:
    shell = start()
    shell.expect(">>>", "tfm 65")
    shell.enter("import sys; sys.stdin.close(); print('clo' + 'sed')")
    shell.expect("closed", ">>>", "tfm 65")
    shell.enter("input('na' + 'me? ')")
    shell.expect("name? ")
    shell.enter("Ada")
    shell.expect("'Ada'")


@pytest.mark.parametrize("home", ["", "nowhere"])
def test_it_starts_in_a_folder_that_was_deleted(tmp_path: Path, home: str) -> None:
    (tmp_path / "gone").mkdir()
    bsrepl = Path(sys.executable).with_name("bsrepl")
    command = f"cd gone && rmdir ../gone && {bsrepl} -c 'print(6 * 7)'"
    environ = {**os.environ, "HOME": str(tmp_path / home)}
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False, env=environ)
    assert (done.returncode, done.stdout) == (0, "42\n")
    assert "the current folder was deleted; working in" in done.stderr


def test_an_internal_error_that_cannot_be_recorded_is_told() -> None:
    def fail(error: BaseException) -> None:
        raise LookupError

    out = io.StringIO()
    terminal = Terminal(out, color=False)
    built = console(Registry(), [], terminal, terminal, EXECUTOR, Settings(keep_error=fail))
    built.tell_internal(ValueError("odd"))
    built.close()
    assert "internal error in bsrepl: ValueError: odd; the session goes on" in out.getvalue()
