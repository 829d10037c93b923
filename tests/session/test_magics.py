"""IPython's everyday commands, as a user types them."""

from __future__ import annotations

import io
import os
import re
import sys
import time
from pathlib import Path

import pytest

from ..conftest import Screen


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def typed(screen: Screen, capfd: pytest.CaptureFixture[str]):
    """Runs a command; returns all that a user sees of it."""

    def run(command: str) -> str:
        told = screen.type(command)
        out, err = capfd.readouterr()
        return out + err + told

    return run


@pytest.mark.parametrize("command", ["%timeit 1 + 1", "%%timeit x = 1\nx + 1"])
def test_timeit_measures(screen: Screen, typed, command: str) -> None:
    screen.console.session.magics.clock = lambda: 100 * time.perf_counter()  # it goes on for a second by its clock
    assert re.fullmatch(r"[\d.]+ [nu]s a loop: the median of 7 runs of [\d,]+ loops, from .*\n", typed(command))


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("%load_ext autoreload", "%autoreload: not needed: plugin files are executed again when they are saved\n"),
        ("%autoreload 2", "%autoreload: not needed: plugin files are executed again when they are saved\n"),
        ("%matplotlib inline", "%matplotlib: not needed here; plots open in windows of their own\n"),
        ("%frobnicate", "%frobnicate: bsrepl does not have it; the line was left out\n"),
        ("!cd /", "!cd changes the folder of a shell that ends at once; type %cd FOLDER\n"),
        ("!", "MagicError: ! takes a command for the system's shell, for example !ls; files = !ls has its lines\n"),
        ("x = !", "MagicError: ! takes a command for the system's shell, for example !ls; files = !ls has its lines\n"),
        ("!!echo one; echo two", "['one', 'two']\n"),
        ("x = %pwd\nx == __import__('os').getcwd()", "True\n"),
        ("x = %ls -d .\nx", "['.']\n"),
        ("x = %time 3\nx", "3\n"),
        ("x = %env NOSUCH", "MagicError: the environment variable NOSUCH is not set\n"),
        ("x = %history", "MagicError: %history gives no value to assign; type it on a line of its own. %pwd, %env"),
        ("%timeit", "MagicError: %timeit takes a statement, for example %timeit tfm.FoldConstants\n"),
        ("%run nosuch.py", "MagicError: %run takes a Python file and its arguments, not 'nosuch.py'\n"),
        ("%pdb maybe", "MagicError: %pdb takes on or off, not 'maybe'\n"),
        ("%edit", "MagicError: %edit takes a class, a function or a file, for example %edit tfm.FoldConstants\n"),
        ("%edit 3", "MagicError: 3 is in no file; %save FILE NUMBERS writes commands into one\n"),
        ("%save x.py 99", "MagicError: %save takes a file and numbers of commands, for example %save fold.py 3-5; see"),
        ("%who", "no names yet\n"),
        ('%run "x', 'MagicError: a quotation is not closed: "x\n'),
        ('%save "x', 'MagicError: a quotation is not closed: "x\n'),
        ("%save x.py 1-99999999999", "MagicError: %save takes a file and numbers of commands"),
        ("%save x.py \N{SUPERSCRIPT TWO}", "MagicError: %save takes a file and numbers of commands"),
        ("%history \N{SUPERSCRIPT TWO}", "MagicError: %history takes the number of commands to show"),
        ("%history -n 5", "MagicError: %history takes the number of commands to show, as %history 5, not '-n 5'\n"),
        ("%timeit -o 1 + 1", "MagicError: %timeit takes -n LOOPS, -r RUNS and a statement, not '-o 1 + 1'\n"),
        ("%timeit -n 99999999999999999999 1", "MagicError: %timeit takes -n LOOPS"),
        ("%timing nan", "MagicError: %timing takes on, off, or the least number of milliseconds, not 'nan'\n"),
        ("%timing -5", "MagicError: %timing takes on, off, or the least number of milliseconds, not '-5'\n"),
        ("%env =x", "MagicError: %env takes a name and a value, as %env NAME=value\n"),
        ("%%writefile x", "MagicError: %%writefile takes the lines below it"),
        ("%bash ls", "MagicError: %%bash takes the lines below it"),
        ("%%writefile nosuch/x\n1", "MagicError: nosuch/x cannot be written: No such file or directory\n"),
        ("%%writefile\n1", "MagicError: . cannot be written: Is a directory\n"),
        ("%debug", "MagicError: no code of yours has raised an exception yet"),
        ("%load_ext bsrepl", "%bsrepl: not needed: this is bsrepl"),
    ],
)
def test_what_there_is_instead(typed, command: str, answer: str) -> None:
    assert typed(command).startswith(answer)


def test_an_editor_that_is_missing_and_a_deleted_folder_are_told(
    typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", "no_such_editor")
    assert typed("%edit x.py").startswith("MagicError: the editor no_such_editor does not start: No such file")
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert typed("%pwd") == "MagicError: the current folder was deleted; %cd FOLDER goes to another\n"


def test_the_debugger_opens_in_the_users_code_alone(typed) -> None:
    typed("%pdb on")
    told = typed("def f(:")
    assert "SyntaxError" in told
    assert "(Pdb)" not in told
    assert "internal error" not in told


def test_who_lists_what_commands_defined(typed) -> None:
    typed("x = 3; long_name = 'text'; _private = 1")
    assert typed("%who") == typed("%whos") == "long_name  'text'\nx          3\n"


def test_stars_match_plugins_and_attributes(typed) -> None:
    assert [line.split()[0] for line in typed("tfm.FoldC*?").splitlines()] == [
        "tfm.qonnx.FoldConstants",
        "tfm.qonnx.FoldConstantsFiltered",
    ]
    typed("x = 3")
    assert typed("x.bit_*?") == "['bit_count', 'bit_length']\n"


def test_commands_and_their_values_have_numbers(typed) -> None:
    typed("6 * 7")
    typed("x = 1")
    assert typed("Out[1] + 1") == "43\n"
    assert typed("In[1], In[-1], _i") == "('6 * 7\\n', 'In[1], In[-1], _i\\n', 'Out[1] + 1\\n')\n"
    assert typed("%history 2") == "   3  Out[1] + 1\n   4  In[1], In[-1], _i\n"


def test_out_keeps_the_last_values_alone(screen: Screen) -> None:
    for number in range(1, 31):
        screen.type(str(number))
    assert screen.names["Out"] == {number: number for number in range(11, 31)}


def test_a_pasted_plugin_becomes_a_file(typed, tmp_path: Path) -> None:
    typed("x = 1")
    typed("@transform\nclass Fold:\n    def apply(self, model): return model, False")
    assert typed("%save fold.py 2") == "fold.py has 1 command\n"
    assert (tmp_path / "fold.py").read_text().startswith("@transform\nclass Fold:")
    assert typed("%save fold.py 1") == "MagicError: fold.py exists; choose another name\n"


def test_run_defines_the_names_of_a_file(typed, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("import sys\nargs = sys.argv\nassert __name__ == '__main__'\n")
    typed("%run script.py a 'b c'")
    assert typed("args") == "['script.py', 'a', 'b c']\n"
    assert typed("import sys; sys.argv") == "['']\n"


def test_cells_write_files_and_run_shells(typed, tmp_path: Path) -> None:
    assert typed("%%writefile x.txt\nline 1\nline 2") == "x.txt is written\n"
    assert (tmp_path / "x.txt").read_text() == "line 1\nline 2"
    assert typed("%%bash\nA=3\necho $A") == "3\n"
    assert typed("%ls") == "plugins  x.txt\n"


def test_folders_and_the_environment(typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_VARIABLE", "1")
    assert typed("%cd plugins") == f"{tmp_path / 'plugins'}\n"
    assert typed("%pwd") == f"{tmp_path / 'plugins'}\n"
    typed("%env THE_VARIABLE=2")
    assert typed("%env THE_VARIABLE") == "2\n"
    assert os.environ["THE_VARIABLE"] == "2"


def test_edit_opens_the_editor_at_the_line(typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "echo")
    monkeypatch.delenv("VISUAL", raising=False)
    assert re.fullmatch(r"\+\d+ .*/qonnx/transformation/fold_constants.py\n", typed("%edit tfm.FoldConstants"))
    assert typed("%edit new.py") == "+1 new.py\n"


def test_the_debugger_opens_in_a_failing_pass(typed, monkeypatch: pytest.MonkeyPatch) -> None:
    typed("from qonnx.transformation.base import Transformation")
    typed(
        "class Fails(Transformation):\n    def apply(self, model):\n        inside = 42\n        raise ValueError('no')"
    )
    typed("m = load('mnist-conv')")
    monkeypatch.setattr(sys, "stdin", io.StringIO("p inside\nq\n"))
    typed("m.transform(Fails())")
    assert "(Pdb) 42\n" in typed("%debug")
    assert typed("%pdb on") == "the debugger opens at an exception: on\n"
    monkeypatch.setattr(sys, "stdin", io.StringIO("p inside + 1\nq\n"))
    assert "(Pdb) 43\n" in typed("m.transform(Fails())")
    typed("%pdb off")
    assert "(Pdb)" not in typed("m.transform(Fails())")


def test_lines_of_magics_are_broken_between_words(typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert (
        typed("%load_ext autoreload")
        == "%autoreload: not needed: plugin files\n  are executed again when they are saved\n"
    )
    typed("a_name = list(range(100)); print(a_name[:10], sep=', ', end='')")
    assert typed("%who") == "a_name  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9...\n"
    assert max(map(len, typed("%history").splitlines())) <= 40


def test_a_folder_that_is_none_is_told_without_a_traceback(typed) -> None:
    assert typed("%cd nosuch") == "MagicError: %cd takes a folder, not 'nosuch': No such file or directory\n"


def test_timeit_takes_the_numbers_of_loops_and_runs(typed) -> None:
    assert " a loop: the median of 3 runs of 20 loops, from " in typed("%timeit -n 20 -r3 1 + 1")
    assert "the median of 1 run of 1 loop" in typed("%%timeit -n1 -r1\n1 + 1")


def test_the_debugger_is_for_the_last_exception_of_the_users_code(typed, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("pdb.post_mortem", lambda trace: opened.append(trace.tb_frame.f_code.co_name))
    typed("def f(): 1 / 0")
    typed("f()")
    last = sys.last_value
    assert typed("%run nosuch.py").startswith("MagicError")
    assert sys.last_value is last
    typed("%debug")
    assert len(opened) == 1


def test_edit_of_what_is_not_there_is_told_without_a_traceback(typed) -> None:
    said = "MagicError: %edit takes a class, a function or a file, not 'nosuch': name 'nosuch' is not\n  defined\n"
    assert " ".join(typed("%edit nosuch").split()) == " ".join(said.split())
