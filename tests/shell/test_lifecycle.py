"""What a session remembers and how it ends: history, settings, signals, recordings."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path

import pytest

from bsrepl.shell import places
from bsrepl.shell.prompt import history

from ..command_line import forked
from ..conftest import Screen, Start, unwrapped

UP = "\x1b[A"


def test_the_history_goes_on_in_the_next_session(start: Start, tmp_path: Path) -> None:
    shell = start()
    shell.expect(">>>")
    shell.enter("first = 'remem' + 'bered'; print(40 + 2)")
    shell.expect("\n42\n", ">>>", "tfm 65")  # the bar is drawn when keys are read again
    shell.type("\x04")
    assert shell.status() == 0
    file = tmp_path / ".state" / "bsrepl" / "history"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700

    shell = start()
    shell.expect(">>>")
    shell.type(UP)
    shell.expect("'remem' + 'bered'")
    shell.type("; print(first)\r")
    shell.expect("\nremembered\n")


def test_up_finds_what_begins_like_the_text_and_control_r_what_contains_it(start: Start) -> None:
    shell = start()
    shell.expect(">>>")
    for command in ("apple = 40", "banana = 2", "print(apple + banana)"):
        shell.enter(command)
        shell.expect(">>>")
    shell.type("app")
    shell.expect("apple", "instance")  # is offered
    shell.type(UP + " + 2; print(apple)\r")
    shell.expect("\n42\n", ">>>")
    shell.type("ban" + UP)
    shell.expect("ban")
    shell.type("\x03")
    shell.expect(">>>", "tfm 65")  # the bar is drawn when keys are read again
    shell.type("\x12")
    shell.expect("I-search backward")
    shell.type("nana =")
    shell.expect("banana = 2")
    shell.type("\r")
    shell.type("\x05 + 5; print(banana)\r")  # at the end of the line
    shell.expect("\n7\n")


def test_a_block_comes_back_whole(start: Start) -> None:
    shell = start()
    shell.expect(">>>")
    shell.type("\x1b[200~for n in (1, 2):\n    print(n + 40)\x1b[201~")
    shell.type("\r")
    shell.expect("\n41\n42\n", ">>>")
    shell.type(UP)
    shell.expect("print(n + 40)")
    shell.type("\r\r")
    shell.expect("\n41\n42\n", ">>>")


def test_a_history_that_cannot_be_written_stays_in_memory_and_that_is_said(start: Start, tmp_path: Path) -> None:
    (tmp_path / ".state").write_text("a file where the folder should be")
    shell = start()
    shell.expect("the history stays in memory: ", "Not a directory", ">>>")
    shell.enter("6 * 7")
    shell.expect("42")


def test_of_a_long_history_the_end_is_read(tmp_path: Path) -> None:
    commands = [f"x{n} = [\n    {n},\n]" for n in range(40_000)]
    file = history.open_history(tmp_path / "new" / "history", pytest.fail)
    assert list(file.load_history_strings()) == []
    for command in commands[:3]:
        file.store_string(command)
    assert list(file.load_history_strings()) == commands[2::-1]
    written = "".join("\n# a time\n" + "".join(f"+{line}\n" for line in each.split("\n")) for each in commands)
    (tmp_path / "new" / "history").write_text(written)
    read = list(file.load_history_strings())
    assert 10_000 < len(read) < len(commands)
    assert read == commands[: -len(read) - 1 : -1]


@pytest.mark.parametrize(
    ("environ", "file"),
    [
        ({"XDG_STATE_HOME": "/state", "HOME": "/home/me"}, "/state/bsrepl/history"),
        ({"XDG_STATE_HOME": "", "HOME": "/home/me"}, "/home/me/.local/state/bsrepl/history"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/home/me"}, "/home/me/.local/state/bsrepl/history"),
    ],
)
def test_the_history_is_where_xdg_says(environ: dict[str, str], file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert places.history_file() == Path(file)


def configure(tmp_path: Path, text: str) -> None:
    path = tmp_path / ".config" / "bsrepl" / "config.py"
    path.parent.mkdir(parents=True)
    path.write_text(text)


def test_config_py_configures_the_shell(start: Start, tmp_path: Path) -> None:
    configure(tmp_path, "def configure(repl):\n    repl.vi_mode = True\n    repl.use_code_colorscheme('monokai')\n")
    shell = start()
    shell.expect(">>>", "vi insert")
    shell.type("6 * 9\x1b")
    shell.expect("navigation")
    shell.type("r7\r")  # replaces the character under the cursor
    shell.expect("42")


def test_control_c_between_enter_and_the_command_is_told(start: Start, tmp_path: Path) -> None:
    configure(
        tmp_path,
        "import signal\n"
        "def configure(repl):\n"
        "    run = repl.app.run_async\n"
        "    async def late(**options):\n"
        "        text = await run(**options)\n"
        "        if 'never' in text: signal.raise_signal(signal.SIGINT)\n"
        "        return text\n"
        "    repl.app.run_async = late\n",
    )
    shell = start()
    shell.expect(">>>")
    shell.enter("never = 1")
    shell.expect("\ninterrupted", ">>>")
    shell.enter("[name for name in dir() if name.startswith('nev')]")
    shell.expect("[]")


def test_an_error_in_config_py_is_told_and_the_shell_starts(start: Start, tmp_path: Path) -> None:
    configure(tmp_path, "def configure(repl):\n    repl.no_such_thing()\n")
    shell = start()
    shell.expect("config.py", "repl.no_such_thing()", "AttributeError", ">>>")  # the line's number may be wrapped
    shell.enter("6 * 7")
    shell.expect("42")


def test_pythonstartup_runs_in_the_session(start: Start, tmp_path: Path) -> None:
    (tmp_path / "startup.py").write_text("answer = 42\n")
    shell = start(PYTHONSTARTUP=str(tmp_path / "startup.py"))
    shell.expect(">>>")
    shell.enter("answer")
    shell.expect("\n42\n")


ENDINGS = {signal.SIGTERM: 143, signal.SIGHUP: 129}


@pytest.mark.parametrize(("number", "status"), ENDINGS.items(), ids=lambda each: getattr(each, "name", each))
@pytest.mark.parametrize("busy", [False, True], ids=["at the prompt", "during a command"])
def test_a_signal_ends_the_shell_with_its_status(start: Start, number: int, status: int, busy: bool) -> None:
    shell = start()
    shell.expect(">>>")
    if busy:
        # Short sleeps: Python does not see a signal that comes just before a sleep begins until the sleep has ended.
        shell.enter("import time; print('be' + 'gun'); [time.sleep(0.1) for _ in range(1000)]")
        shell.expect("begun")
    shell.signal(number)
    assert shell.status() == status


def test_closing_the_terminal_ends_the_shell_with_its_history_saved(start: Start, tmp_path: Path) -> None:
    shell = start()
    shell.expect(">>>")
    shell.enter("kept = print('do' + 'ne')")
    shell.expect("done")
    shell.hang_up()
    assert shell.status() == 129
    assert "+kept = print" in (tmp_path / ".state" / "bsrepl" / "history").read_text()


def test_a_signal_ends_the_shell_while_a_plugin_file_hangs(start: Start, tmp_path: Path) -> None:
    shell = start("hanging.py", "--interval", "0.05")
    shell.expect(">>>")
    (tmp_path / "hanging.py").write_text(
        "import time, pathlib\npathlib.Path('begun').touch()\n[time.sleep(0.1) for _ in range(1000)]\n"
    )
    shell.wait_for(tmp_path / "begun")
    shell.signal(signal.SIGTERM)
    assert shell.status() == 143


def test_resizing_while_a_command_runs(start: Start) -> None:
    shell = start(columns=100)
    shell.expect(">>>")
    shell.enter("import time; print('be' + 'gun'); time.sleep(0.2)")
    shell.expect("begun")
    shell.resize(40, 20)
    shell.expect(">>>")
    shell.enter("import os; os.get_terminal_size()")
    shell.expect("columns=40", ">>>")


def test_a_recording_runs_and_says_what_was_printed(screen: Screen, tmp_path: Path) -> None:
    path = tmp_path / "lesson.py"
    screen.type("@transform(stage='cleanup')\nclass Mine:\n    def apply(self, model): return model, False")
    screen.type("print('hello')\n6 * 7")
    screen.type("_ + 1")
    screen.type("1 / 0")
    screen.type("import asyncio\nawait asyncio.sleep(0, 'slept')")
    screen.type("!true")
    assert f"{path} has the session: 6 commands\n" in screen.type(f"record({str(path)!r})")
    screen.type("print(tfm.Mine.__name__, _)")
    assert "7 commands" in screen.type(f"record({str(path)!r})")
    text = path.read_text()
    assert "# hello\n# 42\n" in text
    assert "# this failed:\n# 1 / 0\n# ZeroDivisionError: division by zero\n" in text
    assert "# + tfm.Mine  stage=cleanup  <command 1>:1\n" in text
    assert "record(" not in text
    for arguments in ([], ["-c", text]):
        done = forked(*arguments, stdin=text, cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, "hello\nMine slept\n", "")


def test_a_recording_overwrites_no_other_file(screen: Screen, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("x = 1\n")
    told = unwrapped(screen.type(f"record({str(path)!r})"))
    assert "exists and is not an unedited recording; choose another name" in told
    assert path.read_text() == "x = 1\n"


@pytest.mark.parametrize("name", ["session.py", "session.md"])
def test_a_recording_that_was_edited_is_kept(screen: Screen, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    screen.type("6 * 7")
    screen.type(f"record({str(path)!r})")
    assert "has the session" in screen.type(f"record({str(path)!r})")
    edited = path.read_text().replace("6 * 7", "6 * 8")
    path.write_text(edited)
    assert "is not an unedited recording; choose another name" in screen.type(f"record({str(path)!r})")
    assert path.read_text() == edited


def test_a_recording_follows_no_link_and_waits_for_no_reader(screen: Screen, tmp_path: Path) -> None:
    (tmp_path / "link.py").symlink_to(tmp_path / "target.py")
    os.mkfifo(tmp_path / "pipe.py")
    for name in ("link.py", "pipe.py"):
        refused = unwrapped(screen.type(f"record({str(tmp_path / name)!r})"))
        assert "is not a regular file; choose another name" in refused
    assert not (tmp_path / "target.py").exists()
    assert "cannot be written" in unwrapped(screen.type(f"record({str(tmp_path / 'missing' / 'x.py')!r})"))
