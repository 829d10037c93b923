"""Who belongs where: helpers, packages, cycles, names that two files or the session claim."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bsrepl import tfm
from bsrepl.registry.store import registry

from ..conftest import Folder, Screen

FOLD = '@transform(stage="cleanup")\nclass Fold:\n    def apply(self, model):\n        return model, False\n'


def fold(name: str, value: str = "False") -> str:
    return FOLD.replace("Fold", name).replace("False", value)


def executed(folder: Folder) -> list[str]:
    """The files that a look executed and committed, in the order in which they ran."""
    log = folder.path.parent / "log"
    log.write_text("")
    report = folder.look()
    assert not report.failures
    return [Path(line).stem for line in log.read_text().split()]


def write(folder: Folder, name: str, text: str) -> None:
    """A file that notes that it was executed."""
    log = folder.path.parent / "log"
    folder.write(name, f"with open({str(log)!r}, 'a') as log: log.write(__file__ + ' ')\n{text}")


def test_a_diamond_of_helpers_is_executed_in_dependency_order_and_once(folder: Folder) -> None:
    write(folder, "_bottom.py", "VALUE = 1\n")
    write(folder, "_left.py", "import _bottom\n")
    write(folder, "_right.py", "import _bottom\n")
    write(folder, "top.py", f"import _left, _right\nassert _left._bottom is _right._bottom\n{FOLD}")
    write(folder, "other.py", fold("Other"))
    assert executed(folder) == ["other", "top", "_left", "_bottom", "_right"]
    write(folder, "_bottom.py", "VALUE = 2\n")
    assert executed(folder) == ["top", "_left", "_bottom", "_right"]
    assert sys.modules["top"]._left._bottom.VALUE == 2
    write(folder, "_left.py", "import _bottom  # edited\n")
    assert executed(folder) == ["top", "_left"]


def test_plugin_files_may_import_each_other(folder: Folder) -> None:
    write(folder, "b.py", fold("Base"))
    write(folder, "a.py", "from b import Base\n@transform\nclass Derived(Base): pass\n")
    assert executed(folder) == ["a", "b"]
    write(folder, "b.py", fold("Base", "True"))
    assert executed(folder) == ["a", "b"]
    assert tfm.Derived.__mro__[1] is tfm.Base
    write(folder, "a.py", "from b import Base\n@transform\nclass Derived(Base):\n    x = 1\n")
    assert executed(folder) == ["a"]
    assert tfm.Derived.__mro__[1] is tfm.Base


def test_an_import_cycle_is_one_unit(folder: Folder) -> None:
    folder.write("a.py", f"import b\n{fold('A')}\nVALUE = 1\n")
    folder.write("b.py", f"import a\n{fold('B')}\n")
    assert folder.changes() == ["+ tfm.A", "+ tfm.B"]
    before = registry.snapshot
    folder.write("b.py", f"import a\n{fold('B')}\n1 / 0\n")
    report = folder.look()
    assert [failure.place for failure in report.failures] == ["b.py:7"]
    assert [str(key) for key in report.failures[0].kept] == ["tfm.A", "tfm.B"]
    assert registry.snapshot is before
    assert sys.modules["a"].b is sys.modules["b"]
    folder.write("b.py", f"import a\n{fold('B', 'True')}\n")
    assert folder.changes() == ["~ tfm.B apply() changed"]
    assert sys.modules["a"].b is sys.modules["b"]
    assert sys.modules["b"].a is sys.modules["a"]


def test_x_py_becomes_a_package(folder: Folder) -> None:
    path = folder.write("x.py", FOLD)
    folder.look()
    folder.write("x/__init__.py", "from .part import *\n")
    folder.write("x/part.py", FOLD)
    path.unlink()
    assert folder.changes() == ["~ tfm.Fold moved from x.py:1"]
    assert tfm.Fold.__module__ == "x.part"
    assert sys.modules["x"].Fold is tfm.Fold
    folder.write("x/part.py", FOLD.replace("False", "True"))
    assert folder.changes() == ["~ tfm.Fold apply() changed"]


def test_sub_modules_are_reloaded_with_the_attribute_of_their_package(folder: Folder) -> None:
    folder.write("pack/__init__.py", "")
    folder.write("pack/part.py", "VALUE = 1\n")
    folder.write("user.py", f"from pack import part\nimport pack.part as same\nassert part is same\n{FOLD}")
    folder.look()
    folder.write("pack/part.py", "VALUE = 2\n")
    assert not folder.look().failures
    assert sys.modules["pack"].part is sys.modules["pack.part"] is sys.modules["user"].part
    assert sys.modules["pack"].part.VALUE == 2
    live = sys.modules["pack.part"]
    folder.write("pack/part.py", "VALUE = 3\n1 / 0\n")
    assert folder.look().failures
    assert sys.modules["pack"].part is sys.modules["pack.part"] is sys.modules["user"].part is live


@pytest.mark.parametrize("value", ["5", "None", "types.SimpleNamespace(VALUE=1)"])
def test_a_file_that_puts_something_else_in_the_place_of_its_module_is_followed(folder: Folder, value: str) -> None:
    text = f"import sys, types\nsys.modules[__name__] = {value}\n{FOLD}"
    folder.write("fold.py", text)
    folder.look()
    folder.write("fold.py", text + "    edited = 1\n")
    assert folder.changes() == ["~ tfm.Fold edited added"]


def test_a_helper_folder_without_init(folder: Folder) -> None:
    folder.write("lib/names.py", "NAME = 'First'\n")
    folder.write("fold.py", "from lib.names import NAME\n" + FOLD.replace("(stage", "(NAME, stage"))
    assert folder.changes() == ["+ tfm.First"]
    folder.write("lib/names.py", "NAME = 'Second'\n")
    assert folder.changes() == ["+ tfm.Second", "- tfm.First"]


def test_a_helper_that_nobody_imports_any_more_is_let_go(folder: Folder) -> None:
    folder.write("_helper.py", "VALUE = 1\n")
    folder.write("fold.py", f"import _helper\n{FOLD}")
    folder.look()
    folder.write("fold.py", FOLD)
    folder.write("_helper.py", "1 / 0\n")
    report = folder.look()
    assert not report.failures
    assert not folder.look()


def test_a_fixed_file_takes_what_was_held_back_with_it(folder: Folder) -> None:
    """A good edit of one file waits for the broken one that imports it, and comes with its mending."""
    folder.write("base.py", fold("Base"))
    folder.write("user.py", f"import base\n{fold('User')}")
    folder.look()
    folder.write("base.py", fold("Base", "True"))
    folder.write("user.py", f"import base\n{fold('User')}\n1 / 0\n")
    report = folder.look()
    assert folder.changes(report) == []
    folder.write("user.py", fold("User", "None"))  # and it does not import base any more
    assert folder.changes() == ["~ tfm.Base apply() changed", "~ tfm.User apply() changed"]
    assert not folder.reloader.failures


def test_a_file_that_is_taken_back_holds_no_other_of_its_group_back(folder: Folder) -> None:
    folder.write("_base.py", "VALUE = 1\n")
    folder.write("user.py", f"import _base\n{fold('User')}")
    folder.look()
    folder.write("_base.py", "VALUE = 2\n")
    folder.write("user.py", "import _base\n1 / 0\n")
    assert folder.look().failures
    folder.write("_base.py", "VALUE = 1\n")
    folder.write("user.py", f"import _base\n{fold('User', 'True')}")
    report = folder.look()
    assert (report.failures, folder.changes(report)) == ([], ["~ tfm.User apply() changed"])


def test_the_second_of_two_files_takes_a_name_by_itself_when_the_first_lets_go(folder: Folder) -> None:
    first = folder.write("a.py", FOLD)
    folder.look()
    folder.write("b.py", FOLD + fold("Other"))
    (failure,) = folder.look().failures
    assert failure.place == "b.py:1"
    assert failure.error == "tfm.Fold is already registered at a.py:1; rename one of the two"
    assert folder.names() == ["tfm.Fold"]
    assert not folder.look()
    first.unlink()
    folder.look()
    folder.clock.ahead = 2
    report = folder.look()
    assert folder.changes(report) == ["+ tfm.Other", "~ tfm.Fold moved from a.py:1"]
    assert [Path(path).name for path in report.fixed] == ["b.py"]


def test_a_file_that_fails_lets_go_of_nothing(folder: Folder) -> None:
    folder.write("a.py", FOLD)
    folder.look()
    folder.write("a.py", "1 / 0\n")
    folder.write("b.py", FOLD)
    assert len(folder.look().failures) == 2
    assert registry.snapshot.get("transform", "Fold").origin.file.endswith("a.py")  # type: ignore[union-attr]
    folder.write("a.py", "")
    folder.look()
    folder.clock.ahead = 2
    folder.look()
    assert registry.snapshot.get("transform", "Fold").origin.file.endswith("b.py")  # type: ignore[union-attr]


def test_two_new_files_that_swap_their_names(folder: Folder) -> None:
    folder.write("a.py", fold("A"))
    folder.write("b.py", fold("B"))
    folder.look()
    folder.write("a.py", fold("B"))
    folder.write("b.py", fold("A"))
    assert folder.changes() == ["~ tfm.A moved from a.py:1", "~ tfm.B moved from b.py:1"]


def test_the_same_name_twice_in_one_file_warns_and_the_second_counts(folder: Folder) -> None:
    folder.write("fold.py", FOLD + fold("Fold", "True"))
    report = folder.look()
    assert folder.changes(report) == ["+ tfm.Fold"]
    assert [str(each.message) for each in report.warnings] == ["tfm.Fold is registered twice, at fold.py:1 too"]
    assert tfm.Fold().apply(1) == (1, True)


def test_a_name_that_a_namespace_needs_for_itself_warns(folder: Folder) -> None:
    folder.write("fold.py", fold("find"))
    report = folder.look()
    (warning,) = report.warnings
    assert 'tfm.find is something else; reach it by tfm["find"]' in str(warning.message)
    assert folder.names() == ['tfm["find"]']
    assert len(tfm.find("find")) == 1
    assert tfm["find"]().apply(1) == (1, False)


@pytest.mark.parametrize("name", ["json", "onnx", "bsrepl", "qonnx", "wave"])
def test_importers_beside_a_file_named_like_a_module_get_the_module(folder: Folder, name: str) -> None:
    folder.write(f"{name}.py", FOLD)
    folder.write("user.py", f"import {name}\nassert not {name}.__file__.startswith({str(folder.path)!r})\n")
    assert not folder.look().failures
    folder.write(f"{name}.py", FOLD.replace("False", "True"))
    assert folder.changes() == ["~ tfm.Fold apply() changed"]


# The session's own plugins


def test_a_pasted_class_takes_the_place_of_a_files_and_both_are_told(screen: Screen, tmp_path: Path) -> None:
    path = tmp_path / "plugins" / "fold.py"
    path.write_text(fold("Fold", "'file'"))
    screen.type("0")
    told = screen.type(fold("Fold", "'pasted'"))
    assert "~ tfm.Fold  apply() changed, takes the place of fold.py:1  <command 2>:1" in told
    assert screen.type("tfm.Fold().apply(0)") == "(0, 'pasted')\n"
    path.write_text(fold("Fold", "'saved again'"))
    told = screen.type("tfm.Fold().apply(0)")
    assert "~ tfm.Fold  apply() changed, takes the place of <command 2>:1  fold.py:1" in told
    assert told.endswith("(0, 'saved again')\n")
    path.write_text(fold("Other"))
    told = screen.type("tfm.Fold().apply(0)")
    assert "~ tfm.Fold   apply() changed, takes the place of fold.py:1  <command 2>:1" in told
    assert told.endswith("(0, 'pasted')\n")


def test_a_failing_save_does_not_take_the_place_of_a_pasted_class(screen: Screen, tmp_path: Path) -> None:
    path = tmp_path / "plugins" / "fold.py"
    path.write_text(fold("Fold", "'file'"))
    screen.type(fold("Fold", "'pasted'"))
    path.write_text(fold("Fold", "'saved again'") + "1 / 0\n")
    assert screen.type("tfm.Fold().apply(0)").endswith("(0, 'pasted')\n")


def test_a_file_takes_the_place_of_a_built_in_which_comes_back(screen: Screen, tmp_path: Path) -> None:
    builtin = tfm.RemoveIdentity
    path = tmp_path / "plugins" / "mine.py"
    path.write_text(fold("RemoveIdentity"))
    assert "~ tfm.RemoveIdentity" in screen.type("0")
    assert tfm.RemoveIdentity is not builtin
    path.write_text("pass")
    assert "~ tfm.RemoveIdentity" in screen.type("0")
    assert tfm.RemoveIdentity is builtin
