"""Numbers and names as the shell prints them."""

from __future__ import annotations

import pytest

from bsrepl.text.format import file_name, one_line

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
