"""Numbers and names as the shell prints them."""

from __future__ import annotations

import pytest

from bsrepl.text.columns import Importance, columns
from bsrepl.text.format import file_name, one_line
from bsrepl.text.prose import broken
from bsrepl.text.styled import tight, wrapped

from ..conftest import Screen


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("fold.py", "fold.py"),
        ("a\nb", "a\\nb"),
        ("a\x1b[31m", "a\\x1b[31m"),
        ("\udcff", "\\udcff"),
        ("Faltung\xe4", "Faltung\xe4"),
    ],
)
def test_a_name_is_one_line(text: str, line: str) -> None:
    assert one_line(text) == file_name(f"/folder/{text}") == line


def test_a_file_name_cannot_forge_a_line_of_the_report(screen: Screen) -> None:
    (screen.folder / "x\n+ tfm.Forged  y.py").write_text("@step\ndef answer(model): return 1\n")
    screen.console.look()
    assert [line for line in screen.out.getvalue().splitlines() if line.startswith("+")] == [
        r"+ steps.answer  x\n+ tfm.Forged  y.py:1"
    ]


def test_a_plugin_name_or_value_cannot_forge_a_line(screen: Screen) -> None:
    output = screen.type("@step(category='a\\n+ tfm.Forged  y.py:1')\ndef answer(model): return 1")
    assert [line for line in output.splitlines() if line.startswith("+")] == [
        r"+ steps.answer  category='a\n+ tfm.Forged  y.py:1'  <command 1>:1"
    ]
    assert "needs a name, a printable string" in screen.type("step('a\\nb')(print)")


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (40, ["name     metadata  place     time", "fold     stage=x   a.py:1    1 ms"]),
        (32, ["name     metadata  place", "fold     stage=x   a.py:1"]),
        (24, ["name     place     time", "fold     a.py:1    1 ms"]),
        (20, ["name     place", "fold     a.py:1"]),
    ],
)
def test_a_table_gives_up_its_least_important_columns(width: int, lines: list[str]) -> None:
    rows = [
        ("name", "metadata", "place", "time"),
        ("fold", "stage=x", "a.py:1", "1 ms"),
        ("longer.", "", "bb.py:12", ""),
    ]
    cells = columns(rows, width, importance=Importance((0, 2, 1, 3)))
    assert ["  ".join(row).rstrip() for row in cells][:2] == lines


def test_an_elastic_column_is_cut_before_one_is_given_up() -> None:
    rows = [("tfm.Fold", "stage=cleanup kernel=FastMatMul", "fold.py:3")]
    assert columns(rows, 40, importance=Importance((0, 2, 1), elastic=1)) == [
        ["tfm.Fold", "stage=cleanup ke...", "fold.py:3"]
    ]


def test_a_number_and_its_unit_and_a_label_and_its_time_stay_on_one_line() -> None:
    text = f"apply 46.4 ms, cleanup 6.6 ms, {tight('diff', '1.7 ms')}"
    for width in range(20, 60):
        lines = wrapped(text, width).splitlines()
        assert " ".join(line.strip() for line in lines) == text.replace("\xa0", " ")
        assert not [line for line in lines if line.endswith(("diff", "4", "6", "7"))]


def test_code_that_is_too_wide_is_broken_between_words() -> None:
    line = "    for node in model.get_nodes_by_op_type():"
    assert broken(line, 45) == [line]
    assert broken(line, 44) == ["    for node in", "      model.get_nodes_by_op_type():"]
