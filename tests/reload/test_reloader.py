"""The transaction: what a change on disk does to the registry, `sys.modules` and the classes."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import os
import pickle
import sys
from pathlib import Path

import pytest

from bsrepl import tfm

from ..conftest import Folder

FOLD = """\
@transform(stage="cleanup")
class Fold:
    def apply(self, model):
        return model, False
"""


def test_a_new_file_registers_and_an_edit_changes(folder: Folder) -> None:
    folder.write("fold.py", FOLD)
    assert folder.changes() == ["+ tfm.Fold"]
    folder.write("fold.py", FOLD.replace("False", "True").replace("cleanup", "topology_opt"))
    assert folder.changes() == ["~ tfm.Fold apply() changed, stage cleanup -> topology_opt"]


def test_what_a_file_no_longer_defines_is_unregistered(folder: Folder) -> None:
    folder.write("fold.py", FOLD + FOLD.replace("Fold", "Other"))
    folder.look()
    folder.write("fold.py", FOLD)
    assert folder.changes() == ["- tfm.Other"]


def test_identical_bytes_are_no_change_whatever_the_times(folder: Folder) -> None:
    path = folder.write("fold.py", FOLD)
    folder.look()
    cls = tfm.Fold
    for touch in (
        lambda: os.utime(path),
        lambda: os.utime(path, (1, 1)),
        lambda: folder.write("fold.py", FOLD),
    ):
        touch()
        assert not folder.look()
        assert tfm.Fold is cls


def test_a_look_that_finds_nothing_reads_nothing_once_files_have_settled(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write("fold.py", FOLD)
    folder.look()
    folder.clock.ahead = 10
    folder.look()  # the files are older than two seconds now: from here on their signatures count
    monkeypatch.setattr(os, "open", lambda *args: pytest.fail("a file was opened"))
    monkeypatch.setattr(os, "listdir", lambda *args: pytest.fail("a folder was listed"))
    assert not folder.reloader.is_due()


def test_a_same_size_edit_with_the_same_times_is_seen_while_the_file_is_young(folder: Folder) -> None:
    path = folder.write("fold.py", FOLD.replace("Fold", "One1"))
    folder.look()
    times = path.stat()
    folder.write("fold.py", FOLD.replace("Fold", "Two2"))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert folder.changes() == ["+ tfm.Two2", "- tfm.One1"]


def test_a_deleted_file_is_kept_for_a_moment_then_unregistered(folder: Folder) -> None:
    path = folder.write("fold.py", FOLD)
    folder.look()
    path.unlink()
    assert folder.changes() == []
    assert folder.reloader.waiting == [str(path)]
    folder.clock.ahead = 1.5
    assert folder.changes() == ["- tfm.Fold"]
    assert "fold" not in sys.modules
    assert folder.reloader.waiting == []
    folder.write("fold.py", FOLD)
    assert folder.changes() == ["+ tfm.Fold"]


def test_a_file_that_was_truncated_to_be_written_is_kept_for_a_moment(folder: Folder) -> None:
    path = folder.write("fold.py", FOLD)
    folder.look()
    cls = tfm.Fold
    path.write_text("")
    assert folder.changes() == []
    folder.write("fold.py", FOLD)
    assert folder.changes() == []
    assert tfm.Fold is cls
    path.write_text("")
    folder.look()
    folder.clock.ahead = 1.5
    assert folder.changes() == ["- tfm.Fold"]


def test_a_renamed_file_shows_as_moved_at_once(folder: Folder) -> None:
    path = folder.write("a.py", FOLD)
    folder.look()
    path.rename(path.with_name("b.py"))
    assert folder.changes() == ["~ tfm.Fold moved from a.py:1"]


def test_a_plugin_that_moves_between_files_saved_together_shows_as_moved(folder: Folder) -> None:
    folder.write("a.py", FOLD + FOLD.replace("Fold", "Stays"))
    folder.write("b.py", "")
    folder.look()
    folder.write("a.py", FOLD.replace("Fold", "Stays"))
    folder.write("b.py", FOLD)
    assert folder.changes() == ["~ tfm.Fold moved from a.py:1"]


ERRORS = {
    "syntax": ("def f(:\n", "SyntaxError"),
    "exception": ("x = 1\n1 / 0\n", "ZeroDivisionError: division by zero"),
    "exit": ("import sys\nsys.exit(3)\n", "SystemExit: 3"),
    "interrupt": ("raise KeyboardInterrupt\n", "KeyboardInterrupt"),
    "recursion": ("def f(): f()\nf()\n", "RecursionError"),
    "null bytes": ("x = '\0'\n", "null bytes"),
    "decorator misused": ("@plugin(type='nothing')\nclass X: pass\n", "takes one of"),
}


@pytest.mark.parametrize("error", ERRORS)
def test_a_file_that_fails_changes_nothing(folder: Folder, error: str) -> None:
    text, said = ERRORS[error]
    path = folder.write("fold.py", FOLD)
    folder.look()
    cls, module, before = tfm.Fold, sys.modules["fold"], folder.registry.snapshot
    folder.write("fold.py", FOLD.replace("Fold", "Other") + text)
    report = folder.look()
    assert folder.registry.snapshot is before
    assert tfm.Fold is cls
    assert sys.modules["fold"] is module
    (failure,) = report.failures
    assert said in failure.error
    assert failure.file == str(path)
    assert failure.line is None or failure.line > 4
    assert [str(key) for key in failure.kept] == ["tfm.Fold"]
    assert "Other" not in inspect.getsource(cls)
    # told once
    assert not folder.look()
    # and fixed
    folder.write("fold.py", FOLD)
    report = folder.look()
    assert report.fixed == [str(path)]
    assert not folder.reloader.failures
    assert tfm.Fold is cls


def test_a_failure_shows_the_line_and_the_caret(folder: Folder) -> None:
    folder.write("fold.py", "def f():\n    return undefined_name + 1\n\nf()\n")
    (failure,) = folder.look().failures
    assert (failure.place, failure.source_line) == ("fold.py:2", "return undefined_name + 1")
    if sys.version_info >= (3, 11):
        assert failure.source_line[failure.column :][: failure.width] == "undefined_name"
    assert "in <module>" in failure.trace
    assert "importlib" not in failure.trace


def test_files_that_do_not_import_each_other_succeed_and_fail_on_their_own(folder: Folder) -> None:
    folder.write("good.py", FOLD)
    folder.write("bad.py", "1 / 0")
    report = folder.look()
    assert folder.changes(report) == ["+ tfm.Fold"]
    assert [failure.place for failure in report.failures] == ["bad.py:1"]


def test_a_helper_that_changes_has_its_importers_executed_again(folder: Folder) -> None:
    folder.write("_names.py", "NAME = 'First'\n")
    folder.write("fold.py", "from _names import NAME\n" + FOLD.replace("(stage", "(name=NAME, stage"))
    folder.write("other.py", FOLD.replace("Fold", "Other"))
    assert folder.changes() == ["+ tfm.First", "+ tfm.Other"]
    other = tfm.Other
    folder.write("_names.py", "NAME = 'Secnd'\n")
    report = folder.look()
    assert folder.changes(report) == ["+ tfm.Secnd", "- tfm.First"]
    assert [Path(path).name for path in report.executed] == ["_names.py", "fold.py"]
    assert tfm.Other is other


def test_a_failing_helper_keeps_all_that_import_it(folder: Folder) -> None:
    folder.write("_names.py", "NAME = 'First'\n")
    folder.write("a.py", "from _names import NAME\n" + FOLD.replace("(stage", "(name=NAME, stage"))
    folder.write("b.py", "import _names\n" + FOLD)
    folder.look()
    before = folder.registry.snapshot
    helper = sys.modules["_names"]
    folder.write("_names.py", "NAME = 'Second'\n1 / 0\n")
    report = folder.look()
    assert folder.registry.snapshot is before
    assert sys.modules["_names"] is helper
    (failure,) = report.failures
    assert failure.place == "_names.py:2"
    assert [str(key) for key in failure.kept] == ["tfm.First", "tfm.Fold"]
    folder.write("_names.py", "NAME = 'Third'\n")
    assert folder.changes() == ["+ tfm.Third", "- tfm.First"]


def test_a_helper_that_is_missing_and_then_created_is_retried_by_itself(folder: Folder) -> None:
    folder.write("fold.py", "import _late\n" + FOLD)
    (failure,) = folder.look().failures
    assert "No module named '_late'" in failure.error
    folder.write("_late.py", "")
    report = folder.look()
    assert folder.changes(report) == ["+ tfm.Fold"]
    assert report.fixed


def test_two_files_that_claim_one_name(folder: Folder) -> None:
    folder.write("a.py", FOLD)
    folder.write("b.py", FOLD)
    report = folder.look()
    assert folder.changes(report) == ["+ tfm.Fold"]
    (failure,) = report.failures
    assert failure.place == "b.py:1"
    assert "tfm.Fold is already registered at a.py:1" in failure.error
    folder.write("a.py", FOLD.replace("Fold", "Renamed"))
    report = folder.look()
    assert folder.changes(report) == ["+ tfm.Renamed", "~ tfm.Fold moved from a.py:1"]
    assert report.fixed


def test_classes_have_a_real_module(folder: Folder) -> None:
    folder.write(
        "fold.py",
        """\
        from __future__ import annotations
        from dataclasses import dataclass

        @transform
        @dataclass
        class Fold:
            size: int = 3
            def apply(self, model):
                return model, False
        """,
    )
    folder.look()
    fold = tfm.Fold(5)
    assert dataclasses.fields(fold)[0].name == "size"
    assert pickle.loads(pickle.dumps(fold)) == fold
    assert pickle.loads(pickle.dumps(tfm.Fold)) is tfm.Fold
    assert sys.modules[tfm.Fold.__module__].Fold is tfm.Fold
    assert inspect.getsource(tfm.Fold.apply) == "    def apply(self, model):\n        return model, False\n"


def test_source_and_tracebacks_show_what_runs_not_what_is_on_disk(folder: Folder) -> None:
    path = folder.write("fold.py", FOLD)
    folder.look()
    path.write_text("# something else entirely\n" * 10 + "1 / 0\n")
    folder.look()
    assert inspect.getsource(tfm.Fold).endswith("return model, False\n")
    path.unlink()
    assert inspect.getsource(tfm.Fold).endswith("return model, False\n")


@pytest.mark.parametrize("name", ["json", "onnx", "bsrepl", "wave"])
def test_a_plugin_file_never_shadows_an_importable_module(folder: Folder, name: str) -> None:
    folder.write(f"{name}.py", FOLD)
    folder.write("user.py", f"import {name}\nassert {name}.__file__ != {str(folder.path / name)!r} + '.py'\n")
    report = folder.look()
    assert folder.changes(report) == ["+ tfm.Fold"]
    assert not report.failures
    assert importlib.import_module(name) is not sys.modules[tfm.Fold.__module__]
    assert tfm.Fold.__module__.startswith(f"{name}@plugins")
    assert sys.modules[tfm.Fold.__module__].Fold is tfm.Fold


def test_two_folders_each_with_a_file_and_a_helper_of_one_name(tmp_path: Path) -> None:
    roots = [tmp_path / "one", tmp_path / "two"]
    for root, name in zip(roots, ("A", "B"), strict=True):
        root.mkdir()
        (root / "fold.py").write_text(f"import common\n@transform(name=common.NAME)\n{FOLD.partition(chr(10))[2]}")
        (root / "common.py").write_text(f"NAME = 'Fold{name}'\n")
    folder = Folder(tmp_path, *roots)
    try:
        assert folder.changes() == ["+ tfm.FoldA", "+ tfm.FoldB"]
        assert tfm.FoldA.__module__ != tfm.FoldB.__module__
        assert pickle.loads(pickle.dumps(tfm.FoldB)) is tfm.FoldB
    finally:
        folder.reloader.close()


def test_a_package_is_a_plugin_and_its_relative_imports_are_followed(folder: Folder) -> None:
    folder.write("pack/__init__.py", "from . import part\nfrom .deep.inner import NAME\n")
    folder.write("pack/part.py", FOLD)
    folder.write("pack/deep/__init__.py", "")
    folder.write("pack/deep/inner.py", f"NAME = 1\n{FOLD.replace('Fold', 'Inner')}")
    assert folder.changes() == ["+ tfm.Fold", "+ tfm.Inner"]
    assert (tfm.Fold.__module__, tfm.Inner.__module__) == ("pack.part", "pack.deep.inner")
    folder.write("pack/deep/inner.py", f"NAME = 2\n{FOLD.replace('Fold', 'Inner2')}")
    assert folder.changes() == ["+ tfm.Inner2", "- tfm.Inner"]
    folder.write("pack/part.py", FOLD.replace("False", "True"))
    assert folder.changes() == ["~ tfm.Fold apply() changed"]


def test_decorators_and_namespaces_need_no_import_and_may_be_imported(folder: Folder) -> None:
    folder.write("a.py", FOLD)
    folder.write("b.py", "from bsrepl import transform, tfm\n" + FOLD.replace("Fold", "Other"))
    folder.write("c.py", "assert [len(names) for names in (tfm, kernels, backends, steps)] == [2, 0, 0, 0]\n")
    report = folder.look()
    assert folder.changes(report) == ["+ tfm.Fold", "+ tfm.Other"]
    assert not report.failures


def test_what_a_file_prints_is_told_with_its_name_and_later_output_goes_where_it_should(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder.write(
        "fold.py",
        """\
        import sys, logging
        print("loading")
        log = logging.StreamHandler(sys.stderr)
        """,
    )
    report = folder.look()
    assert report.output == [(str(path), "loading\n")]
    sys.modules["fold"].log.stream.write("later")
    assert capsys.readouterr() == ("", "later")


def test_a_slip_in_a_file_is_told_with_file_and_line(folder: Folder) -> None:
    folder.write("fold.py", "\n\n" + FOLD.replace("cleanup", "clenup"))
    (warning,) = folder.look().warnings
    assert (Path(warning.filename).name, warning.lineno) in {("fold.py", 3), ("fold.py", 4)}
    assert "looks like" in str(warning.message)


def test_helpers_and_editor_litter_are_no_plugin_files(folder: Folder) -> None:
    for name in ("_helper.py", ".#fold.py", "fold.py~", ".fold.py.swp", "4913", "notes.txt"):
        folder.write(name, "1 / 0")
    (folder.path / "folder.py").mkdir()
    (folder.path / "no_package").mkdir()
    assert not folder.look()
    assert folder.reloader.plugin_files == []


def test_a_subfolder_becomes_a_package(folder: Folder) -> None:
    folder.write("pack/notes.txt", "")
    folder.look()
    folder.write("pack/__init__.py", FOLD)
    assert folder.changes() == ["+ tfm.Fold"]


def test_a_function_that_imports_when_it_is_called_is_followed_too(folder: Folder) -> None:
    folder.write("_late.py", "VALUE = 1\n")
    folder.write("fold.py", "def value():\n    import _late\n    return _late.VALUE\n" + FOLD)
    folder.look()
    assert sys.modules["fold"].value() == 1
    folder.look()
    folder.write("_late.py", "VALUE = 2\n")
    folder.look()
    assert sys.modules["fold"].value() == 2


def test_reloading_leaves_nothing_behind(folder: Folder) -> None:
    import gc
    import weakref

    gone = []
    for number in range(20):
        folder.write("fold.py", FOLD + f"NUMBER = {number}\n")
        folder.look()
        gone.append(weakref.ref(tfm.Fold))
    gc.collect()
    assert [ref() is not None for ref in gone] == [False] * 19 + [True]


def test_the_text_of_a_failure_holds_no_frames(folder: Folder) -> None:
    import gc
    import weakref

    folder.write("fold.py", "class Big: pass\nbig = Big()\nimport builtins\nbuiltins.test_big = big\n1 / 0\n")
    folder.look()
    import builtins

    ref = weakref.ref(builtins.test_big)  # type: ignore[attr-defined]
    del builtins.test_big  # type: ignore[attr-defined]
    gc.collect()
    assert ref() is None
