"""The board, on any terminal, and what it is measured with."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from bsrepl.errors import MeasurementFailed
from bsrepl.teach import bench as discovery
from bsrepl.teach.bench import Discovery, Way
from bsrepl.teach.board_text import board, discovery_table
from bsrepl.text.styled import plain
from bsrepl.text.terminal import Terminal

from ..conftest import Screen, Start

PLUGIN = """\
from qonnx.transformation.base import Transformation


@transform(name="CustomOptimizer", stage="optimization")
class CustomOptimizer(Transformation):
    def apply(self, model):
        return model, False
"""
MEASURED = Discovery(
    (
        Way("walk, import, inspect", 0.5, {"walk": 0.01, "import": 0.48, "inspect": 0.01}, 64),
        Way("entry points, listed", 0.025, {"read": 0.025}, 0),
        Way("bsrepl", 0.05, {"import bsrepl": 0.04, "list QONNX": 0.01}, 64),
    ),
    {"tfm.X": 1.2e-8, "plain attribute": 1.1e-8},
    3,
)


def shown(screen: Screen, width: int = 100, height: int = 21) -> list[str]:
    return plain(board(screen.console.board.view(), width, height)).splitlines()


def test_what_it_shows(screen: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(screen)[1] == "start with: bsrepl plugin_example.py"
    (tmp_path / "plugins" / "plugin_example.py").write_text(PLUGIN)
    screen.type("pass")
    lines = shown(screen)
    assert lines[0].startswith("\u2500\u2500 plugin_example.py \u2500\u2500")
    assert lines[1] == "   1   from qonnx.transformation.base import Transformation"
    assert lines[4] == '   4   @transform(name="CustomOptimizer", stage="optimization")'
    assert [line.rstrip() for line in lines[8:]] == [
        lines[8],
        "transforms 65 -> 66 NEW   kernels 14   backends 0   steps 8",
        lines[10],
        "  transform  stage=optimization",
        "  module plugin_example  plugin_example.py:4",
        lines[13],
        "not measured yet: bench()",
    ]
    assert lines[8].startswith("\u2500\u2500 registry ")
    assert lines[13].startswith("\u2500\u2500 discovery ")
    assert re.fullmatch(r"tfm.CustomOptimizer registered at \d\d:\d\d:\d\d", lines[10])
    assert "transforms 66   kernels 14" in shown(screen)[9]  # since the last look


def test_a_failing_file_is_shown_where_it_fails(screen: Screen, tmp_path: Path) -> None:
    (tmp_path / "plugins" / "ok.py").write_text(PLUGIN)
    (tmp_path / "plugins" / "bad.py").write_text("x = 1\n" * 40 + "oops\n" + "x = 1\n" * 40)
    screen.type("pass")
    lines = shown(screen)
    assert " bad.py " in lines[0]
    assert "  41 ! oops" in lines
    assert any(re.fullmatch(r" +\d+ lines above, \d+ below", line) for line in lines)
    assert "failed bad.py:41  NameError: name 'oops' is not defined" in lines


@pytest.mark.parametrize(("width", "height"), [(60, 24), (100, 40), (40, 24), (60, 12)])
@pytest.mark.parametrize("measured", [None, MEASURED])
def test_it_fits_and_says_what_it_cut(
    screen: Screen, tmp_path: Path, width: int, height: int, measured: Discovery | None
) -> None:
    (tmp_path / "plugins" / "long.py").write_text(
        PLUGIN + "x = 'a long line, and ' + 'another one, and one more'\n" * 80
    )
    screen.type("pass")
    screen.console.board.discovery = measured
    lines = shown(screen, width, height)
    assert len(lines) <= max(height, 17)
    assert max(len(line.rstrip()) for line in lines) <= width
    assert any(re.fullmatch(r" +\d+ lines above, \d+ below", line) for line in lines)


def test_the_bars_are_as_long_as_what_they_stand_for() -> None:
    lines = plain(discovery_table(MEASURED, 100)).splitlines()
    assert lines[0].startswith("\u2500\u2500 knowing the 64 transformations of QONNX \u2500")
    long, short, ours = (line.count("\u2588") for line in lines[1:4])
    assert (round(long / short), round(long / ours)) == (18, 11)  # 20 and 10, but for rounding to whole characters
    assert lines[1].endswith(" 500.0 ms")
    assert lines[3].endswith(" 50.0 ms  10.0x faster")
    assert lines[4] == "reading it: tfm.X 12 ns, plain attribute 11 ns"
    assert lines[5] == "walk, import, inspect: walk 10.0 ms, import 480.0 ms, inspect 10.0 ms"
    assert "QONNX publishes none" in " ".join(lines)


def test_where_the_encoding_has_no_bars_there_are_stand_ins() -> None:
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="ascii")
    Terminal(stream, color=False).write(discovery_table(MEASURED, 60))
    lines = written.getvalue().decode("ascii").splitlines()
    assert lines[0].startswith("-- knowing ")
    assert re.search(r"  #+ 500\.0 ms$", lines[1])


def test_it_is_measured_in_processes_of_its_own(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    found = discovery.measure(1, lambda done, total, name: told.append((done, total)))
    assert [(way.name, way.found) for way in found.ways] == [
        ("walk, import, inspect", 64),
        ("entry points, listed", 0),
        ("bsrepl, first start", 64),
        ("bsrepl", 64),
    ]
    assert all(way.seconds == pytest.approx(sum(way.parts.values())) for way in found.ways)
    assert found.access.keys() == {"tfm.X", "plain attribute"}
    assert told == [(number, 5) for number in range(6)]
    program = tmp_path / "program.py"
    program.write_text("1 / 0\n")
    with pytest.raises(MeasurementFailed, match="ZeroDivisionError"):
        discovery.fresh(program)


def test_it_stays_on_the_screen_and_follows_the_files_until_a_key(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "plugin_example.py"
    path.write_text("x = 1\n")
    shell = start("plugin_example.py")
    shell.expect(">>>", "tfm 65")
    shell.enter("status(live=True)")
    shell.expect("plugin_example.py", "x = 1", "transforms 65 ", "not measured yet")
    path.write_text(PLUGIN)
    shell.expect("class CustomOptimizer", "transforms 65 -> 66 NEW", "tfm.CustomOptimizer registered at")
    path.write_text("oops\n")
    shell.expect("   1 ! oops", "failed plugin_example.py:1")
    shell.type("q")
    shell.expect("+ tfm.CustomOptimizer", "failed plugin_example.py:1", "kept the previous version", "!>>")
