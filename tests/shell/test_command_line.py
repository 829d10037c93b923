"""The command line without a terminal: what goes to stdout and stderr, exit statuses, `--check`."""

from __future__ import annotations

import errno
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from bsrepl.shell import starter, streams
from bsrepl.shell.cli import main
from bsrepl.text.terminal import wants_color

from ..command_line import bsrepl, forked

FOLD = '@transform(stage="cleanup")\nclass Fold:\n    def apply(self, model):\n        return model, False\n'


@pytest.mark.parametrize(
    ("arguments", "stdin", "status", "out", "err"),
    [
        (["-c", "print(len(tfm))"], "", 0, "65\n", ""),
        (["-c", "tfm.all()"], "", 0, "", ""),
        ([], "print(tfm.RemoveIdentity.__name__)\n", 0, "RemoveIdentity\n", ""),
        ([], "class A:\n    x = 1\n\n    y = 2\nprint(A.y)\n", 0, "2\n", ""),
        (["-c", "1/0"], "", 1, "", "ZeroDivisionError"),
        ([], "def f(:\n", 1, "", "SyntaxError"),
        (["-c", "import sys; sys.exit(3)"], "", 3, "", ""),
        (["-c", "import sys; sys.exit()"], "", 0, "", ""),
        (["-c", "import sys; sys.exit('bye')"], "", 1, "", "bye"),
        (["-c", "raise KeyboardInterrupt"], "", 130, "", ""),
        (["-c", "tfm.FoldConstant"], "", 1, "", "nearest: FoldConstants"),
        (["--nonsense"], "", 2, "", "unrecognized arguments"),
        (["no_such_folder"], "", 2, "", "no_such_folder is neither a folder nor a .py, .onnx or .md file"),
        (["--interval", "-1"], "", 2, "", "--interval: '-1' is not a number, 0 or more"),
        ([""], "", 2, "", "a PATH is empty; . is the current folder"),
        (["--check", "m.onnx"], "", 2, "", "no model m.onnx"),
    ],
)
def test_scripts(tmp_path: Path, arguments: list[str], stdin: str, status: int, out: str, err: str) -> None:
    done = forked(*arguments, cwd=tmp_path, stdin=stdin)
    assert (done.returncode, done.stdout) == (status, out), done.stderr
    assert err in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert bool(done.stderr) == bool(err)


def test_a_script_uses_plugin_files_and_their_trouble_goes_to_stderr(tmp_path: Path) -> None:
    (tmp_path / "fold.py").write_text(f"print('noise')\n{FOLD}")
    (tmp_path / "bad.py").write_text("1 / 0\n")
    done = forked("fold.py", "bad.py", "-c", "print(tfm.Fold)", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "<class 'fold.Fold'>\n")
    assert "fold.py | noise" in done.stderr
    assert "failed bad.py:1  ZeroDivisionError" in done.stderr


def test_without_a_path_nothing_in_the_folder_is_executed(tmp_path: Path) -> None:
    (tmp_path / "fold.py").write_text("print('executed')")
    assert forked("-c", "pass", cwd=tmp_path).stdout == ""


def test_a_file_in_the_current_folder_never_becomes_the_module_of_its_name(tmp_path: Path) -> None:
    names = ["onnx", "json", "bsrepl", "qonnx"]
    for name in names:
        (tmp_path / f"{name}.py").write_text(FOLD.replace("Fold", f"Fold_{name}"))
    code = f"import {', '.join(names)}; tfm.FoldConstants; print(*(each.__file__ for each in ({', '.join(names)})))"
    done = bsrepl(".", "-c", f"{code}; print(sorted(name for name in tfm if name.startswith('Fold_')))", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    places, found = done.stdout.splitlines()
    assert str(tmp_path) not in places
    assert found == str([f"Fold_{name}" for name in sorted(names)])


def test_a_script_imports_no_ptpython(tmp_path: Path) -> None:
    code = "import sys; print({'ptpython', 'prompt_toolkit', 'jedi', 'pygments', 'qonnx'} & sys.modules.keys())"
    assert bsrepl("-c", code, cwd=tmp_path).stdout == "set()\n"


def test_a_path_that_does_not_exist_becomes_a_starter_file(tmp_path: Path) -> None:
    done = forked("new.py", "-c", "pass", cwd=tmp_path)
    assert "new.py is new" in done.stderr
    assert (tmp_path / "new.py").read_text() == starter.text()
    assert forked("new.py", "-c", "pass", cwd=tmp_path).stderr == ""


@pytest.mark.parametrize("block", range(1, 8))
def test_each_example_of_the_starter_file_works_when_uncommented(tmp_path: Path, block: int) -> None:
    (tmp_path / "new.py").write_text(uncommented(block))
    done = forked("--check", "--json", "new.py", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    report = json.loads(done.stdout)
    assert len(report["files"][0]["plugins"]) == 1
    assert report["warnings"] == []


RUN_STARTER = """
m = steps.tidy(load("mnist-conv")).transform(tfm.MyTransform())
tapped = m.transform(tfm.InsertIdentityOnAllTopLevelIO())
for each in (tfm.RemoveRedundantOps, tfm.qonnx.RemoveIdentity):
    print(len(tapped.graph.node) - len(tapped.transform(each()).graph.node))
print(kernels.FastMatMul.__mro__[1].__name__, backends.find(kernel="CustomKernel")[0].__name__)
print(bool(verify(m, tapped.transform(tfm.RemoveRedundantOps()))))
"""


def test_the_examples_of_the_starter_file_run_on_a_sample_model(tmp_path: Path) -> None:
    (tmp_path / "new.py").write_text("\n\n".join(uncommented(block) for block in range(1, 8)))
    done = bsrepl("new.py", "-c", RUN_STARTER, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    *printed, removed, wrapped, names, same = done.stdout.splitlines()
    assert any(line.startswith("Conv ") for line in printed)
    assert (removed, wrapped, names, same) == ("1", "2", "CustomOp CustomKernelHLS", "True")


def uncommented(block: int) -> str:
    """One example of the starter file as an editor's uncomment makes it; block 0 is the introduction."""
    blocks = starter.text().rstrip().split("\n\n")
    return "\n".join(
        line[2:] if line.startswith("# ") else line.removeprefix("#") for line in blocks[block].split("\n")
    )


def test_check_reports_and_tells_by_its_status(tmp_path: Path) -> None:
    (tmp_path / "fold.py").write_text(FOLD)
    done = forked("--check", ".", cwd=tmp_path)
    assert done.returncode == 0
    assert "fold.py  tfm.Fold" in done.stdout
    (tmp_path / "bad.py").write_text("x = 1\nundefined\n")
    done = forked("--check", ".", cwd=tmp_path)
    assert done.returncode == 1
    assert "failed bad.py:2  NameError" in done.stdout
    assert "2 plugin files, 1 failed" in done.stdout


@pytest.mark.parametrize(("flag", "needed"), [("--auto", "--tour"), ("--json", "--check")])
def test_a_flag_that_would_do_nothing_alone_says_what_it_goes_with(tmp_path: Path, flag: str, needed: str) -> None:
    done = forked(flag, "-c", "pass", cwd=tmp_path)
    assert done.returncode == 2
    assert f"{flag} goes with {needed}" in done.stderr


def test_output_that_cannot_be_written_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert main(["-V"]) == 1
    assert capsys.readouterr().err == "bsrepl: standard output cannot be written: No space left on device\n"


@pytest.mark.parametrize(
    ("error", "printed"),
    [
        (BrokenPipeError(), ""),
        (OSError(errno.EIO, "I/O error"), "bsrepl: standard output cannot be written: I/O error\n"),
    ],
)
def test_what_fails_as_it_is_printed_is_status_1(
    capsys: pytest.CaptureFixture[str], error: OSError, printed: str
) -> None:
    def run() -> int:
        raise error

    assert streams.status_of(run) == 1
    assert capsys.readouterr().err == printed
    with pytest.raises(FileNotFoundError):
        streams.status_of(lambda: len(Path("/nosuch").read_text()))


def test_standard_input_that_is_no_text_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x = 1\nx = '\xe9'\n"), "latin-1"))
    with pytest.raises(ValueError, match=r"^standard input is not UTF-8: byte 0xe9 in line 2$"):
        streams.script()


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("qonx", "no installed package has that name; nearest: qonnx"),
        ("prompt-toolkit", "no installed package has that name; nearest: prompt_toolkit"),
        ("qonnx.core", "a package is followed as a whole; --dev qonnx"),
    ],
)
def test_a_package_to_follow_that_there_is_not_is_told(
    capsys: pytest.CaptureFixture[str], name: str, problem: str
) -> None:
    assert main(["--dev", name, "-c", ""]) == 2
    assert capsys.readouterr().err.startswith(f"bsrepl: --dev {name}: {problem}")


@pytest.mark.parametrize("closed", ["<&- >&- 2>&-", "<&-", ">&-"])
def test_standard_streams_may_be_closed(closed: str) -> None:
    program = Path(sys.executable).with_name("bsrepl")
    code = "import sys; sys.exit(42 if len(tfm) == 65 else 1)"
    done = subprocess.run(["sh", "-c", f"{program} -c '{code}' {closed}"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (42, "", "")


def test_check_takes_no_model(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").touch()
    done = forked("--check", "m.onnx", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "m.onnx is a model, and --check takes plugin files and lessons" in done.stderr


def test_check_for_machines(tmp_path: Path) -> None:
    (tmp_path / "fold.py").write_text(FOLD.replace("cleanup", "clenup"))
    (tmp_path / "bad.py").write_text("x = 1\nundefined\n")
    done = forked("--check", "--json", ".", cwd=tmp_path)
    report = json.loads(done.stdout)
    bad, fold = report["files"]
    assert (report["ok"], bad["ok"], fold["ok"]) == (False, False, True)
    assert (Path(bad["error"]["file"]).name, bad["error"]["line"]) == ("bad.py", 2)
    assert (fold["plugins"][0]["name"], fold["plugins"][0]["metadata"]) == ("Fold", {"stage": "clenup"})
    assert "looks like" in report["warnings"][0]["message"]


@pytest.mark.parametrize(
    ("option", "environment", "isatty", "wanted"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_color(option: str, environment: dict[str, str], isatty: bool, wanted: bool) -> None:
    class Stream:
        def isatty(self) -> bool:
            return isatty

    assert wants_color(option, Stream(), environment) is wanted  # type: ignore[arg-type]


def test_output_that_the_locale_cannot_write_is_escaped(tmp_path: Path) -> None:
    (tmp_path / "fold.py").write_text('raise ValueError("größe")\n', encoding="utf-8")
    done = bsrepl("--check", "fold.py", cwd=tmp_path, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert "ValueError: gr\\xf6\\xdfe" in done.stdout
