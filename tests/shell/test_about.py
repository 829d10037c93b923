"""What `--version` and `--report` print."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import bsrepl
from bsrepl.shell import about, cli


def raised(work: Callable[[], object]) -> BaseException:
    try:
        work()
    except Exception as error:
        return error
    raise AssertionError


def test_the_version_comes_with_those_of_what_it_stands_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    first, second = capsys.readouterr().out.rstrip().split("\n")
    assert first == f"bsrepl {bsrepl.__version__}"
    assert second.startswith("Python 3.")
    assert all(f"{name} " in second for name in ("qonnx", "onnx", "onnxruntime", "ptpython"))


def test_a_report_has_the_last_internal_error_and_nothing_private(tmp_path: Path) -> None:
    from bsrepl.text.values import shown

    def private_function():
        shown(type("Secret", (list,), {"__len__": lambda self: 1 / 0})([1]), 80)

    last = tmp_path / "state" / "last-error"
    about.keep(raised(private_function), last)
    told = about.report(tmp_path / "config.py", last, {"TERM": "xterm", "SECRET_TOKEN": "hush"})
    assert "settings: TERM=xterm; config.py does not exist\n" in told
    assert "the last internal error:\n" in told
    assert "bsrepl/text/values.py:" in told
    assert "code of the user" in told
    assert told.endswith("  ZeroDivisionError\n")
    assert "private_function" not in told
    assert "hush" not in told
    assert str(tmp_path) not in told
    assert last.stat().st_mode & 0o077 == 0


def test_a_report_without_an_error_says_so(tmp_path: Path) -> None:
    told = about.report(tmp_path / "config.py", tmp_path / "none", {})
    assert "settings: none" in told
    assert told.endswith("no internal error of bsrepl was recorded\n")


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_an_error_that_cannot_be_recorded_is_not(tmp_path: Path, kind: str) -> None:
    last = tmp_path / "last-error"
    if kind == "folder":
        last.mkdir()
    else:
        last.symlink_to(tmp_path / "target")
    about.keep(ValueError(), last)
    assert not (tmp_path / "target").exists()
