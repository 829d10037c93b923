"""What is registered follows the files: by a dynamic import, registered late, derived from another file's plugin."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import ModuleType

import pytest

from ..conftest import Folder, Screen

A = "@transform\nclass A:\n    def apply(self, model): return model, {}\n"
WAYS = {
    "importlib.import_module": "import importlib\nimportlib.import_module('h')\n",
    "from importlib import import_module": "from importlib import import_module\nh = import_module('h')\n",
    "__import__": "h = __import__('h')\n",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_helper_counts_however_it_is_imported(folder: Folder, way: str) -> None:
    folder.write("_unused.py", "")
    folder.write("sub/h.py", "")
    folder.write("h.py", "VALUE = 1\n")
    folder.write("user.py", f"{WAYS[way]}import sys\n@step(value=sys.modules['h'].VALUE)\ndef answer(m): return 1\n")
    folder.look()
    folder.write("h.py", "VALUE = 22\n")
    assert folder.changes() == ["~ steps.answer value 1 -> 22"]


PKGUTIL = """\
import importlib, pkgutil
for found in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{found.name}")
"""
RELATIVE = PKGUTIL.replace('f"{__name__}.{found.name}"', 'f".{found.name}", __name__')


@pytest.mark.parametrize("init", [PKGUTIL, RELATIVE])
def test_a_package_that_imports_its_modules_in_a_loop_keeps_them(folder: Folder, init: str) -> None:
    folder.write("package/__init__.py", init)
    folder.write("package/one.py", "@step(n=1)\ndef one(m): return m\n")
    folder.write("package/two.py", "@step(n=1)\ndef two(m): return m\n")
    assert folder.changes() == ["+ steps.one", "+ steps.two"]
    folder.write("package/one.py", "@step(n=22)\ndef one(m): return m\n")
    assert folder.changes() == ["~ steps.one n 1 -> 22"]
    assert folder.names() == ["steps.one", "steps.two"]


def test_a_package_that_imports_none_of_its_plugins_says_so(folder: Folder) -> None:
    folder.write("package/__init__.py", "")
    folder.write("package/one.py", "@step\ndef one(m): return m\n")
    folder.write("package/data.py", "VALUE = 1\n")
    (warning,) = folder.look().warnings
    assert str(warning.message) == "one.py defines plugins, but is not imported; add to __init__.py: from . import one"
    folder.write("package/__init__.py", "from . import one\n")
    report = folder.look()
    assert not report.warnings
    assert folder.changes(report) == ["+ steps.one"]


def test_a_file_that_becomes_a_folder_and_a_file_again(folder: Folder) -> None:
    text = "@step\ndef answer(m): return {}\n"
    path = folder.write("p.py", text.format(1))
    folder.look()
    for number in range(2, 6):
        path.unlink()
        path.mkdir()
        (path / "inner.txt").write_text("")
        folder.clock.ahead += 2
        folder.look()
        folder.clock.ahead += 2
        folder.look()
        assert folder.names() == []
        (path / "inner.txt").unlink()
        path.rmdir()
        folder.write("p.py", text.format(number))
        folder.clock.ahead += 2
        folder.look()
        assert folder.names() == ["steps.answer"]


def test_what_a_function_of_a_file_registers_later_goes_with_its_file(screen: Screen) -> None:
    path = screen.folder / "late.py"
    path.write_text("def more():\n    @step\n    def late(model): return 1\n@step\ndef early(model): return more()\n")
    screen.type("steps.early(None)")
    assert "steps.late" in screen.type("steps.all()")
    path.write_text("@step\ndef early(model): return 2\n")
    assert "- steps.late" in screen.type("1")
    assert "steps.late" not in screen.type("steps.all()")


LATE = """\
import bsrepl, late_events, threading
def more():
    late_events.go.wait(10)
    bsrepl.step(name="late")(print)
    late_events.started.set()
threading.Thread(target=more).start()
"""


def test_what_a_thread_of_a_file_registers_later_goes_with_its_file(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, go = threading.Event(), threading.Event()
    events = ModuleType("late_events")
    vars(events).update(started=started, go=go)
    monkeypatch.setitem(sys.modules, "late_events", events)
    folder.write("late.py", LATE)
    folder.look()
    go.set()
    assert started.wait(10)
    assert folder.names() == ["steps.late"]
    folder.write("late.py", "x = 1\n")
    folder.look()
    assert folder.names() == []


@pytest.mark.parametrize("names", [("a.py", "b.py"), ("b.py", "a.py"), ("z/__init__.py", "a.py")])
@pytest.mark.parametrize("base", ["tfm.A", "tfm['A']"])
def test_a_class_derived_from_a_plugin_of_another_file(folder: Folder, names: tuple[str, str], base: str) -> None:
    first, second = names
    folder.write(first, A.format("'one'"))
    folder.write(second, f"@transform\nclass B({base}): pass\n")
    assert folder.changes() == ["+ tfm.A", "+ tfm.B"]
    folder.write(first, A.format("'two'"))
    folder.look()
    derived, plugin = (folder.registry.snapshot.get("transform", name) for name in "BA")
    assert derived is not None
    assert plugin is not None
    assert derived.load().__mro__[1] is plugin.load()
    assert derived.load()().apply(0) == (0, "two")


def test_a_file_that_misses_a_plugin_is_tried_again_when_there_is_one(folder: Folder) -> None:
    folder.write("b.py", "@transform\nclass B(tfm.A): pass\n")
    (failure,) = folder.look().failures
    assert "has no 'A'" in failure.error or "'A'" in failure.error
    assert not folder.look()
    folder.write("a.py", A.format(1))
    report = folder.look()
    assert folder.changes(report) == ["+ tfm.A", "+ tfm.B"]
    assert [Path(path).name for path in report.fixed] == ["b.py"]


def test_a_plugin_that_is_taken_when_a_function_is_called_is_no_dependency(folder: Folder) -> None:
    folder.write("a.py", A.format("'one'"))
    folder.write("b.py", "@step\ndef go(m): return tfm.A().apply(m)\n@step\ndef other(m, f=lambda: tfm.A): pass\n")
    folder.look()
    folder.write("a.py", A.format("'two'"))
    report = folder.look()
    assert [Path(path).name for path in report.executed] == ["a.py"]
    step = folder.registry.snapshot.get("step", "go")
    assert step is not None
    assert step.load()(0) == (0, "two")


def test_nothing_of_a_transaction_that_fails_is_seen(folder: Folder) -> None:
    folder.write("a.py", A.format("'one'"))
    folder.write("b.py", "@transform\nclass B(tfm.A): pass\n")
    folder.look()
    before = folder.registry.snapshot
    folder.write("a.py", A.format("'two'") + "1 / 0\n")
    folder.write("b.py", "@transform\nclass B(tfm.A): pass\n# edited\n")
    folder.look()
    assert [key for key in folder.registry.snapshot.changed_since(before) if key.name == "A"] == []
    step = folder.registry.snapshot.get("transform", "A")
    assert step is not None
    assert step.load()().apply(0) == (0, "one")


def test_a_file_is_executed_again_though_it_has_not_changed(screen: Screen) -> None:
    data = screen.folder / "data.txt"
    data.write_text("one")
    text = f"from pathlib import Path\n@step(value=Path({str(data)!r}).read_text())\ndef answer(model): return 1\n"
    (screen.folder / "reads.py").write_text(text)
    screen.type("0")
    data.write_text("two")
    assert "answer" not in screen.type("0")
    assert "~ steps.answer  value one -> two" in screen.type("retry('reads.py')")
    assert "no file 'other.py' is watched; watching() lists them" in screen.type("retry('other.py')")


def test_what_a_thread_registers_while_other_files_are_executed_stays(folder: Folder) -> None:
    folder.write("a.py", A)
    folder.write(
        "b.py",
        """\
        import threading
        tfm.A
        thread = threading.Thread(target=lambda: kernel(type("Late", (), {"__module__": __name__})))
        thread.start()
        thread.join()
        """,
    )
    assert folder.changes() == ["+ tfm.A", "+ kernels.Late"]
