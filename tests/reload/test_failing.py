"""Files that fail: whatever is raised, from wherever, the registry, the modules and the session stay what they were."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from bsrepl import tfm
from bsrepl.reload.report import failure as told_failure
from bsrepl.reload.report import report as told_report

from ..conftest import Folder, Screen

FOLD = '@transform(stage="cleanup")\nclass Fold:\n    def apply(self, model):\n        return model, False\n'

#: What stands at the end of the file, after all decorators ran -> the error that is told.
LAST_LINES = {
    "a syntax error": ("def f(:", "SyntaxError"),
    "an exception": ("raise ValueError('no')", "ValueError: no"),
    "an exception without a message": ("raise ValueError", "ValueError"),
    "SystemExit": ("raise SystemExit(3)", "SystemExit: 3"),
    "exit()": ("import sys; sys.exit('bye')", "SystemExit: bye"),
    "KeyboardInterrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "GeneratorExit": ("raise GeneratorExit", "GeneratorExit"),
    "RecursionError": ("def f(): f()\nf()", "RecursionError"),
    "MemoryError": ("raise MemoryError", "MemoryError"),
    "a decorator that raises": ("def d(f): raise ValueError('decorator')\n@d\ndef f(): pass", "ValueError: decorator"),
    "a metaclass that raises": (
        "class M(type):\n    def __new__(*a): raise ValueError('metaclass')\nclass X(metaclass=M): pass",
        "ValueError: metaclass",
    ),
    "an exception whose str raises": (
        "class E(Exception):\n    def __str__(self): raise RuntimeError\nraise E",
        "E: <exception str() failed>",
    ),
    "an import that is not there": ("import no_such_module", "No module named 'no_such_module'"),
    "a name that is not there": ("from json import no_such_name", "cannot import name 'no_such_name'"),
    "an exception group": ("raise ExceptionGroup('two', [ValueError(1)])", "ExceptionGroup: two")
    if sys.version_info >= (3, 11)
    else ("raise ValueError('two')", "two"),
    "a cause": ("try: 1/0\nexcept ZeroDivisionError as e: raise ValueError('outer') from e", "ValueError: outer"),
}


@pytest.mark.parametrize("kind", LAST_LINES)
def test_failing_on_the_last_line(folder: Folder, kind: str) -> None:
    line, said = LAST_LINES[kind]
    path = folder.write("fold.py", FOLD)
    folder.look()
    cls, module, before = tfm.Fold, sys.modules["fold"], folder.registry.snapshot
    modules = dict(sys.modules)
    path.write_text(f"{FOLD.replace('Fold', 'Other')}\n{line}\n")
    report = folder.look()
    (failure,) = report.failures
    assert said in failure.error
    assert failure.file == str(path)
    assert (failure.line or 6) >= 6
    assert folder.registry.snapshot is before
    assert {name: sys.modules.get(name) for name in modules} == modules
    assert (tfm.Fold, sys.modules["fold"]) == (cls, module)
    # the same at the next look: nothing is told, the failure stands
    assert not folder.look()
    assert list(folder.reloader.failures) == [str(path)]
    # back to the last good bytes: cleared, nothing executed
    path.write_text(FOLD)
    report = folder.look()
    assert (report.fixed, report.executed) == ([str(path)], [])
    assert tfm.Fold is cls


def test_a_new_file_that_fails_leaves_nothing(folder: Folder) -> None:
    folder.write("fold.py", FOLD + "oops\n")
    assert folder.look().failures
    assert "fold" not in sys.modules
    assert folder.names() == []


def test_another_error_is_told_again(folder: Folder) -> None:
    path = folder.write("fold.py", "1 / 0\n")
    assert len(folder.look().failures) == 1
    path.write_text("1 / 0 \n")  # the same error, from other bytes
    assert len(folder.look().failures) in (0, 1)
    path.write_text("undefined\n")
    (failure,) = folder.look().failures
    assert "NameError" in failure.error


def test_a_helper_that_fails_is_executed_once_however_many_import_it(folder: Folder) -> None:
    folder.write("_helper.py", f"with open({str(folder.path / 'count')!r}, 'a') as count: count.write('x')\n1 / 0\n")
    for name in "abc":
        folder.write(f"{name}.py", "import _helper\n")
    report = folder.look()
    assert [failure.place for failure in report.failures] == ["_helper.py:2"]
    assert (folder.path / "count").read_text() == "x"


def test_a_group_that_fails_is_told_once(folder: Folder) -> None:
    helper = folder.write("_helper.py", "NAME = 1\n")
    for name in "abcd":
        folder.write(f"{name}.py", "from _helper import NAME\n")
    folder.look()
    helper.write_text("OTHER = 1\n")
    (failure,) = folder.look().failures
    told = "".join(text for _, text in told_failure(failure, 100))
    assert "failed a.py:1  ImportError: cannot import name 'NAME'" in told
    assert "3 more files of its group failed: b.py:1, c.py:1, d.py:1; errors() shows each in full" in told
    assert [failed.place for failed in folder.reloader.failures.values()] == ["a.py:1", "b.py:1", "c.py:1", "d.py:1"]
    folder.write("a.py", "from _helper import OTHER\n")
    report = folder.look()
    assert not report.failures
    assert "".join(text for _, text in told_report(report, 100)) == (
        "a.py saved, but not live; still failing: b.py:1, c.py:1, d.py:1; see errors()\n"
    )
    assert not folder.look()
    folder.write("b.py", "from _helper import OTHER\n1 / 0\n")
    (failure,) = folder.look().failures
    assert (failure.place, failure.group) == ("b.py:2", ("c.py:1", "d.py:1"))


def test_a_failure_of_a_helper_that_the_importer_survives_still_counts_for_both(folder: Folder) -> None:
    folder.write("_helper.py", "1 / 0\n")
    folder.write("fold.py", f"try:\n    import _helper\nexcept ZeroDivisionError:\n    pass\n{FOLD}")
    report = folder.look()
    assert [failure.place for failure in report.failures] == ["_helper.py:1"]
    assert folder.names() == []


def test_a_missing_helper_that_the_importer_does_without_is_taken_when_it_comes(folder: Folder) -> None:
    text = f"try:\n    from _extra import NAME\nexcept ImportError:\n    NAME = 'Plain'\n{FOLD}"
    folder.write("fold.py", text.replace('(stage="cleanup")', "(NAME)"))
    assert folder.changes() == ["+ tfm.Plain"]
    folder.write("_extra.py", "NAME = 'Extra'\n")
    assert folder.changes() == ["+ tfm.Extra", "- tfm.Plain"]
    (folder.path / "_extra.py").unlink()
    folder.look()
    folder.clock.ahead = 2
    assert folder.changes() == ["+ tfm.Plain", "- tfm.Extra"]


def test_a_helper_that_is_missing_and_then_created_is_retried_by_itself(folder: Folder) -> None:
    folder.write("fold.py", f"import _late.part\n{FOLD}")
    (failure,) = folder.look().failures
    assert failure.error == "ModuleNotFoundError: No module named '_late'"
    folder.write("_late/__init__.py", "")
    (failure,) = folder.look().failures
    assert failure.error == "ModuleNotFoundError: No module named '_late.part'"
    folder.write("_late/part.py", "")
    report = folder.look()
    assert folder.changes(report) == ["+ tfm.Fold"]
    assert report.fixed


def test_a_name_that_an_importer_needs_is_removed_from_its_helper(folder: Folder) -> None:
    helper = folder.write("_names.py", "A = 'A'\nB = 'B'\n")
    folder.write("a.py", f"from _names import A\n{FOLD.replace('Fold', 'A')}")
    folder.write("b.py", f"from _names import B\n{FOLD.replace('Fold', 'B')}")
    folder.look()
    before, module = folder.registry.snapshot, sys.modules["_names"]
    helper.write_text("A = 'A'\n")
    (failure,) = folder.look().failures
    assert failure.place == "b.py:1"
    assert "cannot import name 'B'" in failure.error
    assert [str(key) for key in failure.kept] == ["tfm.A", "tfm.B"]
    assert folder.registry.snapshot is before
    assert sys.modules["_names"] is module
    folder.write("b.py", FOLD.replace("Fold", "B"))
    report = folder.look()
    assert report.fixed
    assert not hasattr(sys.modules["_names"], "B")
    assert folder.names() == ["tfm.A", "tfm.B"]


def test_a_helper_that_is_deleted_while_it_is_needed_is_kept_until_it_is_not(folder: Folder) -> None:
    helper = folder.write("_names.py", "A = 'A'\n")
    folder.write("a.py", f"from _names import A\n{FOLD}")
    folder.look()
    module = sys.modules["_names"]
    helper.unlink()
    folder.look()
    folder.clock.ahead = 2
    (failure,) = folder.look().failures
    assert failure.place == "a.py:1"
    assert sys.modules["_names"] is module
    assert not folder.look()
    folder.clock.ahead = 4
    assert not folder.look()
    folder.write("a.py", FOLD)
    assert folder.look().fixed
    assert "_names" not in sys.modules


def test_all_that_waited_for_a_file_that_is_deleted_becomes_live(folder: Folder) -> None:
    text = "@transform\nclass {name}:\n    number = {number}\n    def apply(self, model): return model, False\n"
    names = ("First", "Second")
    for name in names:
        folder.write(f"{name.lower()}.py", text.format(name=name, number=1))
    broken = folder.write("broken.py", "")
    folder.look()
    folder.write("broken.py", "import first, second\n1 / 0")
    folder.look()
    for name in names:  # each waits with the broken one, and not with the other
        folder.write(f"{name.lower()}.py", text.format(name=name, number=2))
        folder.look()
    broken.unlink()
    folder.look()
    folder.clock.ahead = 2
    folder.look()
    assert [plugin.load().number for plugin in folder.registry.snapshot.find("transform")] == [2, 2]


#: A class each of whose special methods raises.
HOSTILE = """\
class Hostile:
    def _raise(self, *args): raise RuntimeError("hostile")
    __repr__ = __str__ = __eq__ = __bool__ = __len__ = __iter__ = __getattr__ = __call__ = _raise
    __hash__ = None
"""


def test_hostile_objects_in_metadata_and_attributes_do_no_harm(folder: Folder) -> None:
    text = f"{HOSTILE}\n@transform(extra=Hostile(), stage='cleanup')\nclass Fold:\n    attribute = Hostile()\n"
    text += "    def apply(self, model):\n        return 1\n"
    folder.write("fold.py", text)
    assert folder.changes() == ["+ tfm.Fold"]
    folder.write("fold.py", text.replace("return 1", "return 2"))
    assert folder.changes() == ["~ tfm.Fold apply() changed"]
    assert len(tfm.find(stage="cleanup")) == 1
    assert len(tfm.find("fold")) == 1


def test_hostile_metadata_is_printed(screen: Screen, tmp_path: Path) -> None:
    (tmp_path / "plugins" / "fold.py").write_text(
        f"{HOSTILE}\n@transform(extra=Hostile())\nclass Fold:\n    def apply(self, model): return 1\n"
    )
    told = screen.type("tfm.Fold?")
    assert "+ tfm.Fold" in told
    assert "extra=<Hostile whose __repr__ raises RuntimeError: hostile>" in told
    assert "tfm.Fold" in screen.type("tfm.find('hostile')")
    assert "tfm.Fold" in screen.type("tfm.all()")


@pytest.mark.filterwarnings("default:careful")
def test_prints_warnings_and_logging_at_import_are_told_with_their_file(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder.write(
        "fold.py",
        """\
        import logging, sys, warnings
        print("printed")
        print("to stderr", file=sys.stderr)
        warnings.warn("careful")
        logging.lastResort.emit(logging.makeLogRecord({"msg": "logged"}))  # what logging does without a handler
        """,
    )
    report = folder.look()
    assert report.output == [
        (str(path), "printed\nto stderr\n" + ("logged\n" if "logged" in report.output[0][1] else ""))
    ]
    assert [(Path(each.filename).name, each.lineno, str(each.message)) for each in report.warnings] == [
        ("fold.py", 4, "careful")
    ]


def test_what_a_failing_file_prints_is_told_once(folder: Folder) -> None:
    folder.write("fold.py", "print('printed')\n1 / 0\n")
    assert folder.look().output
    assert not folder.reloader.refresh(retry=True).output


def test_a_thread_that_a_failing_file_started_cannot_be_undone_and_is_said_to_run(folder: Folder) -> None:
    folder.write(
        "fold.py",
        """\
        import threading
        stop = threading.Event()
        import builtins
        builtins.stop_test_thread = stop
        threading.Thread(target=stop.wait, name="Worker of fold", daemon=True).start()
        1 / 0
        """,
    )
    (failure,) = folder.look().failures
    try:
        assert failure.threads == ("Worker of fold",)
    finally:
        import builtins

        builtins.stop_test_thread.set()  # type: ignore[attr-defined]
        del builtins.stop_test_thread  # type: ignore[attr-defined]


def test_a_package_whose_place_a_module_takes_is_whole_again_if_that_fails(folder: Folder) -> None:
    for name in "abcdef":
        folder.write(f"parts/{name}.py", "X = 1\n")
    folder.write("parts/__init__.py", "")
    folder.write("fold.py", "import " + ", ".join(f"parts.{name}" for name in "abcdef") + "\n")
    folder.look()
    parts = sys.modules["fold"].parts
    shutil.rmtree(folder.path / "parts")
    folder.write("parts.py", "")
    assert folder.look().failures
    assert sys.modules["fold"].parts is parts
    assert all(getattr(parts, name) is sys.modules[f"{parts.__name__}.{name}"] for name in "abcdef")


def test_a_file_that_fails_leaves_the_modules_that_it_replaced(folder: Folder) -> None:
    before = {name: sys.modules[name] for name in ("os", "ast")}
    folder.write("fold.py", "import sys\nsys.modules['os'] = None\ndel sys.modules['ast']\n1 / 0\n")
    assert folder.look().failures
    assert {name: sys.modules.get(name) for name in before} == before
    folder.write("fold.py", "import sys\nsys.modules.clear()\n")
    assert folder.look().failures
    assert {name: sys.modules.get(name) for name in before} == before
