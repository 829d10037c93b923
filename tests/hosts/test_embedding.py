"""`embed()` in programs of many kinds, in a real terminal."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from ..conftest import files
from ..pty_session import PtySession


class Run(Protocol):
    """Runs a program, given by its text, in a terminal."""

    def __call__(self, text: str, *arguments: str, **environment: Any) -> PtySession: ...


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    programs = []

    def begin(text: str, *arguments: str, **environment: Any) -> PtySession:
        files(tmp_path, {"build.py": text})
        command = sys.executable if arguments else str(tmp_path / "build.py")
        programs.append(PtySession(*arguments, cwd=tmp_path, command=command, is_fresh=bool(arguments), **environment))
        return programs[-1]

    yield begin
    for program in programs:
        program.close()


FUNCTION = """
    import bsrepl; from sys import exit

    FACTOR = 3

    def scaled(values):
        offset = 10
        bsrepl.embed()
        return [FACTOR * value + offset for value in values]

    for number in range(3):
        print("scaled", scaled([number]))
    print("the", "end")
    """


def test_the_names_of_the_caller_are_seen_wherever_code_is_typed(run: Run) -> None:
    program = run(FUNCTION)
    program.expect("build.py:7 in scaled", "->    7      bsrepl.embed()", ">>>", "tfm 65")
    program.enter("[offset + value for value in values], (lambda: offset)()")
    program.expect("([10], 10)", ">>>", "tfm 65")
    program.enter("seen = lambda: {FACTOR * offset for _ in values}; seen()")
    program.expect("{30}", ">>>", "tfm 65")
    program.enter("offset = 99; offset")
    program.expect("99", ">>>", "tfm 65")
    program.type("\x04")
    program.expect("scaled [10]", "build.py:7 in scaled", ">>>", "tfm 65")  # assigned names are the shell's own
    program.enter("values, offset")
    program.expect("([1], 10)", ">>>", "tfm 65")
    program.enter("exit()")
    program.expect("scaled [13]", ">>>", "tfm 65")
    program.enter("exit")
    program.expect("scaled [16]", "the end")
    assert program.status() == 0


def test_exit_goes_on_and_sys_exit_ends_the_program(run: Run) -> None:
    program = run(FUNCTION)
    program.expect(">>>", "tfm 65")
    program.enter("def leave(): exit(2)")
    program.expect(">>>", "tfm 65")
    program.enter("leave()")
    program.expect("SystemExit", "the session goes on", ">>>", "tfm 65")
    program.enter("exit(2)")
    program.expect("scaled [10]", ">>>", "tfm 65")
    program.enter("import sys; sys.exit(3)")
    program.expect("SystemExit", ">>>", "tfm 65")
    program.enter("sys.exit(3)")
    assert program.status() == 3
    assert "the end" not in program.text


def test_the_process_is_given_back_as_it_was(run: Run) -> None:
    program = run(
        """
        import os, signal, sys, warnings
        import bsrepl

        signal.signal(signal.SIGINT, lambda number, frame: None)

        def state():
            handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGWINCH)]
            return [handlers, sys.stdin, sys.stdout, sys.stderr, sys.excepthook, sys.displayhook, sys.breakpointhook,
                    list(sys.path), list(sys.meta_path), list(warnings.filters), os.getcwd(), sys.argv,
                    sys.modules["__main__"], sorted(vars(sys.modules["builtins"]))]

        before = state()
        bsrepl.embed()
        print([number for number, (old, new) in enumerate(zip(before, state())) if old != new], "differ")
        """
    )
    program.expect(">>>", "tfm 65")
    program.enter("import warnings; warnings.simplefilter('error'); sys.path.append('nowhere'); os.chdir('/')")
    program.expect(">>>", "tfm 65")
    program.enter("while True: pass")
    program.type("\x03")
    program.expect("interrupted", ">>>", "tfm 65")
    program.type("\x04")
    program.expect("[] differ")
    assert program.status() == 0


BREAKPOINTS = """
    for number in range(10):
        breakpoint()
        print("past", number)
    """


def test_each_breakpoint_is_one_and_some_or_all_are_passed_over(run: Run) -> None:
    program = run(BREAKPOINTS, PYTHONBREAKPOINT="bsrepl.embed")
    program.expect("build.py:2", ">>>", "tfm 65")
    program.enter("number")
    program.expect("0", ">>>", "tfm 65")
    program.enter("skip(5)")
    program.expect("past 0", "past 5", "build.py:2", ">>>", "tfm 65")
    program.enter("off()")
    program.expect("past 6", "past 9")
    assert program.status() == 0
    assert program.text.count("build.py:2") == 2


def test_in_a_coroutine_the_event_loop_pauses_and_goes_on(run: Run) -> None:
    program = run(
        """
        import asyncio
        import bsrepl

        class Server:
            async def serve(self, answer):
                await asyncio.sleep(0)
                bsrepl.embed()
                await asyncio.sleep(0)
                return answer

        async def main():
            served = await asyncio.gather(*(Server().serve(answer) for answer in (41, 42)))
            await asyncio.wait_for(asyncio.sleep(0), 1)
            print("served", served, asyncio.current_task().get_name())

        asyncio.run(main())
        """
    )
    for answer in (41, 42):
        program.expect("build.py:7 in serve", ">>>", "tfm 65")
        program.enter("import asyncio; await asyncio.sleep(0, answer)")
        program.expect(str(answer), ">>>", "tfm 65")
        program.type("\x04")
    program.expect("served [41, 42] Task-1")
    assert program.status() == 0


def test_in_a_test_under_pytest(run: Run, tmp_path: Path) -> None:
    files(tmp_path, {"test_it.py": "def test_it(tmp_path):\n    answer = 42\n    breakpoint()\n    assert answer\n"})
    options = ("-s", "-q", "-p", "no:cacheprovider")
    program = run("", "-m", "pytest", *options, "test_it.py", PYTHONBREAKPOINT="bsrepl.embed")
    program.expect("test_it.py:3 in test_it", ">>>", "tfm 65")
    program.enter("answer + 1, tmp_path.exists()")
    program.expect("(43, True)", ">>>", "tfm 65")
    program.type("\x04")
    program.expect("1 passed")
    assert program.status() == 0


def test_without_a_terminal_it_says_so_and_returns(tmp_path: Path) -> None:
    files(tmp_path, {"build.py": FUNCTION})
    done = subprocess.run(
        [sys.executable, "build.py"], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    assert done.stdout == "scaled [10]\nscaled [13]\nscaled [16]\nthe end\n"
    why = "does nothing: standard input and output are no terminal"
    assert done.stderr.splitlines() == [f"bsrepl: embed() at build.py:7 {why}"] * 3


FOLD = """
    from bsrepl import transform

    @transform(stage="cleanup")
    class Fold:
        limit = {limit}

        def apply(self, model):
            return model, False
    """


def test_what_the_program_imported_follows_a_save(run: Run, tmp_path: Path) -> None:
    files(tmp_path, {"fold.py": FOLD.format(limit=1)})
    program = run(
        """
        from pathlib import Path
        import bsrepl
        from fold import Fold

        def build(local):
            held = local()
            bsrepl.embed("fold.py", Path("later.py"))
            print(held.limit, Fold.limit, isinstance(held, Fold), isinstance(held, local), bsrepl.tfm.Fold is Fold)

        build(Fold)
        """
    )
    program.expect("later.py does not exist yet", ">>>", "tfm 66")
    files(tmp_path, {"fold.py": FOLD.format(limit=2)})
    program.enter("held.limit, Fold.limit, local.limit")
    program.expect("~ tfm.Fold", "limit changed", "(2, 2, 2)", ">>>", "tfm 66")
    program.type("\x04")
    program.expect("stale  local: build keeps the old code", "2 2 True False True")
    assert program.status() == 0


def test_a_model_of_a_build_step_is_followed_though_the_build_writes_a_log(run: Run) -> None:
    program = run(
        """
        import bsrepl, contextlib, types
        from bsrepl.models.workbench import load
        from qonnx.transformation.general import GiveUniqueNodeNames

        def step_tidy(model, cfg):
            bsrepl.embed()
            return model.transform(GiveUniqueNodeNames())

        def build_dataflow(model, cfg, steps):
            log = types.SimpleNamespace(write=lambda text: None, flush=lambda: None)
            with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
                for step in steps:
                    model = step(model, cfg)
                    print("logged")
            return model

        print("built", build_dataflow(load("mnist-conv"), {}, [step_tidy]).graph.node[0].name)
        """
    )
    program.expect("in step_tidy", ">>>", "tfm 65")
    program.enter("model = model.transform(tfm.LowerConvsToMatMul())")
    program.expect("model: LowerConvsToMatMul", "12 -> 18 nodes", "OK  same outputs", ">>>", "tfm 65")
    program.type("\x04")
    program.expect("built Reshape_0")
    assert program.status() == 0
    assert "logged" not in program.text.replace('print("logged")', "")


def test_importing_the_package_imports_none_of_it() -> None:
    hosts = "IPython", "ptpython", "prompt_toolkit", "numpy", "onnx", "bsrepl.hosts", "bsrepl.shell"
    code = f"import sys, bsrepl; print([name for name in {hosts} if name in sys.modules], bsrepl.embed.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[] embed\n"


def test_inside_a_command_of_the_shell(start: Run) -> None:
    shell = start("-q")
    shell.expect(">>>", "tfm 65")
    shell.enter("import bsrepl; inner = lambda value: (bsrepl.embed(), value)[1]")
    shell.expect(">>>", "tfm 65")
    shell.enter("inner(42)")
    shell.expect("in <lambda>", ">>>", "tfm 65")
    assert "the program's own" not in shell.text
    shell.enter("value / 4")
    shell.expect("10.5", ">>>", "tfm 65")
    shell.enter("exit()")
    shell.expect("42", ">>>", "tfm 65")
    shell.enter("inner.__name__")
    shell.expect("'<lambda>'", ">>>", "tfm 65")
