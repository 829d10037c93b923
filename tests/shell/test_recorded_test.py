"""A session recorded as a test passes, and fails when a command no longer does what it did; one as an asciicast."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ..conftest import Screen

FOLD = """
from qonnx.transformation.base import Transformation

@transform(stage="cleanup")
class Fold(Transformation):
    def apply(self, model):
        model.graph.node[-1].op_type = "Sub"
        return model, False
"""


def recorded(path: Path) -> Callable[[], None]:
    """The test in a file."""
    names: dict[str, object] = {"__file__": str(path)}
    exec(compile(path.read_text(), str(path), "exec"), names)
    test = names[path.stem]
    assert callable(test)
    return test


def test_a_recorded_test_passes_until_the_pass_does_something_else(
    screen: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fold = tmp_path / "plugins" / "fold.py"
    fold.write_text(FOLD)
    screen.type("m = load('mnist-conv').transform(tfm.Fold())")
    screen.type("m = load('mnist-conv'); n = m.transform(tfm.Fold())")
    screen.type("import time; time.perf_counter_ns()")
    screen.type("1 / 0")
    screen.type("@step\ndef mine(model):\n    return model")
    screen.type("len(n.graph.node), tfm.Fold.__name__")
    screen.type("!echo anything")
    assert screen.type("record('test_fold.py')") == "test_fold.py has the session: 6 commands\n"

    source = (tmp_path / "test_fold.py").read_text()
    assert 'with replayed(HERE / "plugins/fold.py", folder=HERE) as run:\n' in source
    assert "'registry': ['+ tfm.Fold'],\n" in source
    assert "'Sub': 1" in source
    assert "'verdict': 'DIFFERENT'" in source
    assert "run('import time; time.perf_counter_ns()')\n" in source
    assert """@step\ndef mine(model):\n    return model\n\"\"\") == {'registry': ['+ steps.mine']}\n""" in source
    assert "== {'value': (12, 'Fold')}\n" in source
    assert "1 / 0" not in source
    assert "echo" not in source

    test = recorded(tmp_path / "test_fold.py")
    test()
    assert screen.type("len(n.graph.node)") == "12\n"  # the session that recorded it goes on
    fold.write_text(FOLD.replace('"Sub"', '"Mul"'))
    with pytest.raises(AssertionError):
        test()


def test_an_asciicast_has_drawings_errors_and_changes_of_files_as_they_appeared(screen: Screen, tmp_path: Path) -> None:
    fold = tmp_path / "plugins" / "fold.py"
    fold.write_text(FOLD)
    screen.type("show('mnist-conv')")
    screen.type("print('no line end', end='')")
    screen.type("1 / 0")
    fold.write_text(FOLD.replace('"Sub"', '"Mul"'))
    screen.type("len(tfm)")
    screen.type(f"record({str(tmp_path / 'talk.cast')!r})")
    events = [json.loads(line) for line in (tmp_path / "talk.cast").read_text().splitlines()[1:-1]]
    text = re.sub(r"\x1b\[[0-9;]*m", "", "".join(data for _, _, data in events)).replace("\r\n", "\n")
    drawing, line, error, change = re.split(r"^>>> .*\n", text, flags=re.M)[1:]
    assert "Convolution28" in drawing
    assert line == "no line end\n"
    assert error.endswith("ZeroDivisionError: division by zero\n")
    assert re.match(r"~ tfm\.Fold  apply\(\) changed[^>]*\n66\n", change)


def test_an_asciicast_types_the_commands_and_prints_what_they_printed(screen: Screen, tmp_path: Path) -> None:
    screen.type("print('a'); tfm.FoldConstants.__name__")
    screen.type("def twice(x):\n    return 2 * x")
    path = tmp_path / "talk.cast"
    for _ in range(2):  # its own recording is replaced
        assert screen.type(f"record({str(path)!r})") == f"{path} has the session: 2 commands\n"
    header, *events = map(json.loads, path.read_text().splitlines())
    assert (header["version"], header["width"]) == (2, 100)
    times = [time for time, _, _ in events]
    assert times == sorted(times)
    assert {kind for _, kind, _ in events[:-1]} == {"o"}
    text = re.sub(r"\x1b\[[0-9;]*m", "", "".join(data for _, _, data in events[:-1]))
    assert text == (
        ">>> print('a'); tfm.FoldConstants.__name__\r\na\r\n'FoldConstants'\r\n"
        ">>> def twice(x):\r\n...     return 2 * x\r\n"
    )
    path.write_text(path.read_text().replace("'a'", "'b'"))
    assert "talk.cast" in screen.type(f"record({str(path)!r})")
    path.write_text("{}")
    assert "is not an unedited recording" in " ".join(screen.type(f"record({str(path)!r})").split())
