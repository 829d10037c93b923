"""Completion of lines that are not Python."""

from __future__ import annotations

from pathlib import Path

import pytest
from prompt_toolkit.completion import Completer

from bsrepl.shell.prompt.magics_completion import MagicCompleter

from ..conftest import Screen
from .test_completion import Jedi, offered


@pytest.fixture
def completer(screen: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Completer:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("MY_VARIABLE", "1")
    for name in ("bin/fold", "lesson one/fold me.py", "fold.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch(mode=0o755)
    return MagicCompleter(*screen.console.session.magics.described(), Jedi())


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("%tim", ["time", "timeit", "timing"]),
        ("%%tim", ["time", "timeit"]),
        ("x = %pw", ["pwd"]),
        ("x = 1\n%his", ["history"]),
        ("%cd ", ["bin/", "lesson one/", "plugins/"]),
        ("%run fo", ["ld.py"]),
        ("%run le", [r"sson\ one/"]),
        (r"%run lesson\ one/f", [r"old\ me.py"]),
        ("%edit lesson one/f", ["old me.py", "jedi"]),
        ("%edit tfm.", ["jedi"]),
        ("%pdb o", ["off", "on"]),
        ("%env MY_", ["MY_VARIABLE"]),
        ("%timeit tfm.", ["jedi"]),
        ("!fo", ["ld"]),
        ("!cat fo", ["ld.py"]),
        ("x = !cat ./fo", ["ld.py"]),
        ("!!./fo", ["ld.py"]),
        ("x %", ["jedi"]),
        ("a = b %ti", ["jedi"]),
    ],
)
def test_what_is_offered(completer: Completer, typed: str, names: list[str]) -> None:
    assert list(offered(completer, typed)) == names


def test_what_each_does_stands_beside(completer: Completer) -> None:
    assert (
        offered(completer, "%hist")["history"] == "Prints the commands of the session with their numbers; with a"
        " number, that many of the last ones"
    )
    assert all(offered(completer, "%").values())
    assert all(offered(completer, "%%").values())
