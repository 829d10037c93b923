"""The real shell in a pseudo-terminal."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest
from ptpython.style import get_all_code_styles

from bsrepl.shell.prompt.styles import CodeStyles

from ..conftest import Start
from .test_command_line import uncommented


def test_edit_save_and_it_is_there(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "plugin_example.py"
    shell = start(path.name, "--interval", "0.05")
    shell.expect("plugin_example.py is new", "65 transforms", ">>>")

    starter = path.read_text()
    path.write_text(f"{starter}\n\n{uncommented(1)}\n")  # as an editor would, and no key is pressed
    line = shell.expect("+ tfm.MyTransform", "transforms 65 -> 66", "reload ")
    assert re.search(r"plugin_example\.py:\d+", line)

    shell.enter("tfm.MyTransform.__name__ * 2")
    shell.expect("'MyTransformMyTransform'")

    path.write_text(f"{starter}\n\n{uncommented(1)}\n    oops\n")
    told = shell.expect("failed plugin_example.py:", "NameError", "oops", "kept the previous version: tfm.MyTransform")
    assert re.search(r"plugin_example\.py:\d+ ", told)
    shell.expect("1 failing: plugin_example.py:")
    shell.enter("tfm.MyTransform.__name__ * 3")
    shell.expect("'MyTransformMyTransformMyTransform'", "!>>")

    path.write_text(f"{starter}\n\n{uncommented(1)}\n")
    shell.expect("plugin_example.py is fixed", ">>>")
    shell.type("\x04")
    assert shell.status() == 0


def test_the_banner_counts_the_files_of_a_folder(start: Start, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    (tmp_path / "b.py").write_text(uncommented(2))
    shell = start(".")
    shell.expect("65 transforms, 14 kernels, 8 steps; 2 plugin files watched", "+ kernels.CustomKernel", ">>>")


def test_what_was_typed_stays_when_a_file_changes(start: Start, tmp_path: Path) -> None:
    shell = start("new.py", "--interval", "0.05")
    shell.expect(">>>")
    shell.type("6 * 7 + 1")
    shell.expect("6 * 7 + 1")
    (tmp_path / "new.py").write_text(uncommented(2))
    shell.expect("+ kernels.CustomKernel", "6 * 7 + 1")
    shell.type("00\r")
    shell.expect("142")


def test_save_then_enter_runs_the_new_code_without_idle_polling(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "new.py"
    path.write_text("@step\ndef answer(model):\n    return 'first'\n")
    shell = start(path.name, "--interval", "0")
    shell.expect("+ steps.answer", ">>>")
    path.write_text("@step\ndef answer(model):\n    return 'second'\n")
    shell.enter("steps.answer(None)")
    shell.expect("~ steps.answer", "'second'")


def test_control_c_at_the_prompt_and_during_a_command(start: Start) -> None:
    shell = start()
    shell.expect(">>>")
    shell.type("garbage\x03")
    shell.expect(">>>")
    shell.enter("print('now'); [None for _ in iter(int, 1)]")
    shell.expect("\nnow")
    shell.type("\x03")
    shell.expect("interrupted", ">>>")
    shell.enter("6 * 7")
    shell.expect("42")


def test_control_c_again_and_again(start: Start) -> None:
    shell = start()
    shell.expect(">>>")
    for _ in range(3):
        shell.enter("print('now'); [None for _ in iter(int, 1)]")
        shell.expect("\nnow")
        shell.type("\x03")
        shell.type("\x03\x03")  # the terminal throws away what it has not shown yet, "interrupted" as well
        shell.expect(">>>")
        shell.enter("'he' + 're'")
        shell.expect("'here'", ">>>")
    shell.type("\x03\x03")
    shell.enter("6 * 7")
    shell.expect("42")


def test_control_c_during_the_execution_of_a_model(start: Start) -> None:
    shell = start()
    shell.expect(">>>")
    shell.enter("import numpy as np; from qonnx.core.onnx_exec import execute_onnx; m = load('mnist-conv')")
    shell.expect(">>>")
    shell.enter("x = {'Input3': np.zeros((1, 1, 28, 28), np.float32)}; print('be' + 'gun')")
    shell.expect("begun", ">>>")
    shell.enter("while True: execute_onnx(m, x); print('once') if 'y' not in globals() else 0; y = 1")
    shell.expect("\nonce")
    shell.type("\x03")
    shell.expect("interrupted", ">>>")
    shell.enter("6 * 7")
    shell.expect("42")


def test_control_c_while_a_value_is_printed(start: Start) -> None:
    shell = start()
    shell.expect(">>>")
    shell.enter("import time")
    shell.enter("class Slow: __repr__ = lambda self: print('printing') or [time.sleep(0.1) for _ in range(1000)]")
    shell.enter("Slow()")
    shell.expect("\nprinting")
    shell.type("\x03")
    shell.expect("interrupted", ">>>")
    shell.enter("6 * 7")
    shell.expect("42")


def test_a_signal_at_the_prompt_does_what_control_c_does(start: Start) -> None:
    shell = start()
    shell.expect(">>>")
    shell.type("garbage")
    shell.expect("garbage")
    shell.signal(signal.SIGINT)
    shell.expect(">>>")
    shell.enter("6 * 7")
    shell.expect("42")


def test_enter_runs_a_call_over_several_lines_and_goes_on_in_a_block(start: Start) -> None:
    shell = start()
    shell.expect(">>>")
    shell.enter("max(")
    shell.expect("...")
    shell.enter("41, 42)")
    shell.expect("42\n")
    shell.enter("for n in range(3):")
    shell.enter("print('n', n)")
    shell.type("\r")
    shell.expect("n 0", "n 1", "n 2")


def test_control_c_stops_a_hanging_plugin_file_and_keeps_the_old_version(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "new.py"
    path.write_text("@step\ndef answer(model):\n    return 'first'\n")
    shell = start(path.name, "--interval", "0.05")
    shell.expect("+ steps.answer", ">>>")
    flag = tmp_path / "running"
    path.write_text(f"\nwhile True: open({str(flag)!r}, 'w').close()\n")
    shell.wait_for(flag)
    shell.type("\x03")
    shell.expect("failed new.py:2", "KeyboardInterrupt", "kept the previous version: steps.answer")
    shell.enter("steps.answer(None)")
    shell.expect("'first'")


def test_leaving(start: Start) -> None:
    ways = {"exit": 0, "quit()": 0, "raise SystemExit(3)": 3}
    shells = {command: start("-q") for command in ways}
    for command, shell in shells.items():
        shell.expect(">>>")
        shell.enter(command)
    assert {command: shell.status() for command, shell in shells.items()} == ways


def test_neither_the_first_prompt_nor_completing_a_namespace_imports_anything_heavy(start: Start) -> None:
    shell = start(is_fresh=True)
    shell.expect(">>>")
    shell.type("tfm.FoldConstantsF")
    shell.expect("FoldConstantsFiltered", "stage=cleanup", "fold_constants.py:34")
    shell.type("\x03")
    shell.expect(">>>")
    shell.type("tfm.qonnx.FoldConstantsF\t")
    shell.type(".apply(\x03")
    shell.expect(">>>")
    shell.enter("import sys; heavy = {'numpy', 'onnx', 'qonnx', 'bsrepl.graphdiff', 'pygments.lexers.markup'}")
    shell.expect(">>>")
    shell.enter("print(sorted(heavy & {*sys.modules}), 'heavy')")
    shell.expect("[] heavy")


def test_no_color_means_no_color_and_the_bar_fits(start: Start) -> None:
    for shell in [start("--color", "never", columns=columns) for columns in (100, 60, 40)]:
        shell.expect(">>>", "tfm 65")
        colors = re.findall(rb"\x1b\[([0-9;]*)m", shell._raw)
        assert not [code for code in colors if re.search(rb"(^|;)(3[0-9]|4[0-9]|9[0-7]|10[0-7])($|;)", code)]


def test_dash_i_stays_after_dash_c(start: Start) -> None:
    shell = start("-i", "-q", "-c", "x = 6 * 7")
    shell.expect(">>>")
    shell.enter("x + 100")
    shell.expect("142")


def test_lazy_styles_are_ptpythons_styles() -> None:
    eager, lazy = get_all_code_styles(), CodeStyles()
    assert list(lazy) == list(eager)
    assert len(lazy) == len(eager)
    for name in ("monokai", "win32", "default-ansi"):
        assert lazy[name].style_rules == eager[name].style_rules
    assert "nonsense" not in lazy
    with pytest.raises(KeyError):
        lazy["nonsense"]


def test_control_c_stops_a_hanging_plugin_file_before_a_command_which_then_runs(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "new.py"
    path.write_text("@step\ndef answer(model):\n    return 'first'\n")
    shell = start(path.name, "--interval", "0")
    shell.expect("+ steps.answer", ">>>")
    flag = tmp_path / "running"
    path.write_text(f"\nwhile True: open({str(flag)!r}, 'w').close()\n")
    shell.enter("steps.answer(None) * 2")
    shell.wait_for(flag)
    shell.type("\x03")
    shell.expect("failed new.py:2", "KeyboardInterrupt", "kept the previous version: steps.answer", "'firstfirst'")


def test_values_and_errors_in_the_terminal(start: Start) -> None:
    shell = start("--no-timing")
    shell.expect(">>>")
    shell.enter("list(range(100_000))")
    shell.expect("[0, 1, 2, ", "... 99,000 more items; _ holds all of it", ">>>")
    shell.enter("len(_);")
    shell.enter("type('Evil', (), {'__repr__': lambda self: chr(27) + '[2J'})()")
    shell.expect("\n\\x1b[2J\n", ">>>")
    shell.enter("import json; json.loads('{')")
    shell.expect("Traceback", '"<command 4>", line 1', " frames in json; errors() shows them", "JSONDecodeError", ">>>")
    shell.enter("load('mnist-conv').transform(tfm.InferShapes)")
    shell.expect("InferShapes is a class; give transform() an instance: InferShapes()", ">>>")


def test_the_values_of_a_field_are_offered_with_their_counts(start: Start) -> None:
    shell = start()
    shell.expect(">>>")
    shell.type('tfm.find(stage="clean')
    shell.expect("cleanup", " transforms")
    shell.type("\x03")
    shell.expect(">>>", "tfm 65")
    shell.type('load("mnist')
    shell.expect("mnist-conv", "sample model")


def test_what_is_watched_runs_while_the_prompt_waits_and_control_c_stops_it(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "swap.py"
    head = "@transform\nclass Swap(tfm.InferShapes):\n    def apply(self, model):\n"
    body = head + "        {}\n        return model, False\n"
    path.write_text(body.format("pass"))
    shell = start("swap.py")
    shell.expect("+ tfm.Swap", ">>>")
    shell.enter("m = load('mnist-conv'); watch(m, tfm.Swap)")
    shell.expect("watch: Swap", "OK  same outputs", ">>>", "tfm 66")
    shell.type("6 * 1")  # stays while the pass runs again
    path.write_text(body.format("model.get_nodes_by_op_type('Relu')[0].op_type = 'Elu'"))
    shell.expect("watch: Swap  against the last result", "+ Elu", "DIFFERENT", ">>>", "6 * 1")
    path.write_text(body.format("open('runs', 'w'); import time; time.sleep(100)"))
    shell.wait_for(tmp_path / "runs")
    shell.type("\x03")
    shell.expect("watch: stopped at Swap", "KeyboardInterrupt", "the last result is kept", "6 * 1")
    shell.enter("1")
    shell.expect("\n66\n")
